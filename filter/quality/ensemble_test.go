package quality

import (
	"context"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"winnow"
	"winnow/filter/quality/classify"
	"winnow/filter/quality/rank"
)

// sample is texts between the good and the bad ones.
func sample() (texts []string) {
	for i := range 80 {
		parts := slices.Concat(training.good, training.bad, unseen.good, unseen.bad)
		texts = append(texts, fmt.Sprintf("%s %s %d", parts[i%len(parts)], parts[(i*7+i/5)%len(parts)], i))
	}
	return texts
}

// ranked writes a file of ranks of models over the sample.
func ranked(t *testing.T, paths ...string) string {
	t.Helper()
	f := rank.File{Sample: rank.Sample{Texts: len(sample())}}
	for _, p := range paths {
		m, err := Open(ParseSource(p, nil))
		if err != nil {
			t.Fatal(err)
		}
		var scores []float32
		for _, s := range sample() {
			scores = append(scores, m.Score(s))
		}
		f.Classifiers = append(f.Classifiers, rank.Classifier{Name: "x", Model: p, Hash: m.Hash(), Cutoffs: rank.Of(scores)})
	}
	path := filepath.Join(t.TempDir(), "ranks.json")
	if err := f.Write(path); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestEnsemble(t *testing.T) {
	ctx := context.Background()
	set := classify.Binary(training.good, training.bad)
	first := save(t, "Quality-Model.bin", set, classify.Options{})
	second := save(t, "edu.bin", set, classify.Options{Hidden: 4, Features: classify.Features{Longest: 3}})
	topics := save(t, "edu.bin", classify.ByName([]string{"bread dough yeast", "river flood meadow", "casino bonus"}, []string{"food", "land", "ads"}), classify.Options{})
	models := []Source{{Model: first}, {Model: second}, {Model: topics, Label: "food"}}
	file := ranked(t, first, second, topics+"#food")
	e, err := NewEnsemble(EnsembleOptions{Models: models, Ranks: file, MinBucket: 12})
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, s := range e.Signals() {
		ids = append(ids, s.ID)
	}
	if got := strings.Join(ids, " "); got != "quality.score_quality_model quality.score_edu quality.score_edu_2 quality.rank quality.bucket" {
		t.Error(got)
	}
	f, err := rank.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	dropped := 0
	for _, text := range sample() {
		d := &winnow.Document{Text: text, Signals: []float32{7}}
		v, _, err := e.Apply(ctx, d)
		if err != nil || len(d.Signals) != 6 {
			t.Fatalf("%v, %v", err, d.Signals)
		}
		best, place := 0, 0
		for i, c := range f.Classifiers {
			best, place = max(best, c.Cutoffs.Bucket(d.Signals[1+i], 20)), max(place, c.Cutoffs.Rank(d.Signals[1+i]))
		}
		if d.Signals[5] != float32(best) || math.Abs(float64(d.Signals[4])-float64(place)/10) > 1e-4 {
			t.Errorf("%v: want bucket %d, rank %d", d.Signals, best, place)
		}
		if judged := e.Judge("", d.Signals[1:]); judged != v || v.Drop != (best < 12) || v.Drop && (v.Rule != "quality.bucket" || v.Value != float32(best)) {
			t.Errorf("%v: %+v, %+v", d.Signals, v, judged)
		}
		if v.Drop {
			dropped++
		}
	}
	if dropped < 10 || dropped > 48 { // one alone would drop 48 of 80; the best of three drops fewer
		t.Errorf("%d of 80 dropped", dropped)
	}
	other, err := NewEnsemble(EnsembleOptions{Models: models, Ranks: file, MinBucket: 13})
	if err != nil || other.Version() != e.Version() || other.Bounds() == e.Bounds() {
		t.Errorf("%v: the bound is part of the version, or of nothing", err)
	}
	if fewer, err := NewEnsemble(EnsembleOptions{Models: models, Ranks: file, Buckets: 10}); err != nil || fewer.Version() == e.Version() {
		t.Errorf("%v: the buckets are not part of the version", err)
	}
	for want, o := range map[string]EnsembleOptions{
		"divisor of 1000":        {Models: models, Ranks: file, Buckets: 30},
		"want 0 to 19":           {Models: models, Ranks: file, MinBucket: 20},
		"no models":              {Ranks: file},
		"ensemble needs":         {Models: models},
		"no cutoffs of":          {Models: []Source{{Model: topics, Label: "land"}}, Ranks: file},
		"say which one is good":  {Models: []Source{{Model: topics}}, Ranks: file},
		"no such file":           {Models: models, Ranks: file + "x"},
		"model: begins with \"{": {Models: []Source{{Model: file}}, Ranks: file},
	} {
		if _, err := NewEnsemble(o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

// A share of a sample is kept by the stage, within what ties allow.
func TestKeep(t *testing.T) {
	set := classify.Binary(training.good, training.bad)
	path := save(t, "q.bin", set, classify.Options{})
	file := ranked(t, path)
	for _, keep := range []float64{.1, .4} {
		s, err := New(Options{Source: Source{Model: path}, Keep: keep, Ranks: file})
		if err != nil {
			t.Fatal(err)
		}
		kept := 0
		for _, text := range sample() {
			d := &winnow.Document{Text: text}
			v, _, _ := s.Apply(context.Background(), d)
			if len(d.Signals) != 2 || !v.Drop != (d.Signals[1] >= float32(100*(1-keep))-1e-3) {
				t.Errorf("keep %g: %v, %+v", keep, d.Signals, v)
			}
			if !v.Drop {
				kept++
			}
		}
		if math.Abs(float64(kept)-keep*80) > 1.5 {
			t.Errorf("keep %g: kept %d of 80", keep, kept)
		}
	}
	many := classify.Binary(nil, nil)
	for i, text := range sample() {
		many.Add(text, i/2%2)
	}
	own := save(t, "own.bin", many, classify.Options{HeldOut: .5, Keep: .3})
	byModel, err := New(Options{Source: Source{Model: own}, Stored: true})
	if err != nil {
		t.Fatal(err)
	}
	same, err := New(Options{Source: Source{Model: own}, Keep: .3})
	if err != nil || same.Bounds() != byModel.Bounds() {
		t.Errorf("%v: %s, %s", err, same.Bounds(), byModel.Bounds())
	}
	for want, o := range map[string]Options{
		"no threshold in the model": {Source: Source{Model: path}, Stored: true},
		"keep needs scores":         {Source: Source{Model: path}, Keep: .1},
		"give one of them":          {Source: Source{Model: own}, Keep: .1, MinScore: .2},
		"no cutoffs of":             {Source: Source{Model: own}, Keep: .1, Ranks: file},
		"below 100%":                {Source: Source{Model: own}, Keep: 1},
	} {
		if _, err := New(o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

func TestTopics(t *testing.T) {
	set := classify.ByName([]string{"bread dough yeast oven flour", "river flood meadow church valley", "casino bonus click free spins"}, []string{"food", "land", "ads"})
	path := save(t, "topic.bin", set, classify.Options{Epochs: 20})
	apply := func(o TopicOptions, text string) (winnow.Verdict, *winnow.Document) {
		o.Model = path
		s, err := NewTopics(o)
		if err != nil {
			t.Fatal(err)
		}
		d := &winnow.Document{Text: text}
		v, _, err := s.Apply(context.Background(), d)
		if err != nil || len(d.Signals) != len(s.Signals()) {
			t.Fatal(err, d.Signals)
		}
		judged := s.Judge("", d.Signals)
		if judged.Detail = v.Detail; judged != v {
			t.Errorf("Apply: %+v, Judge: %+v", v, judged)
		}
		return v, d
	}
	if v, d := apply(TopicOptions{}, "flour and yeast"); v.Drop || d.Meta[MetaTopic] != "food" || d.Signals[0] != 1 || d.Signals[1] < .4 {
		t.Errorf("%+v, %v, %v", v, d.Meta, d.Signals)
	}
	if v, _ := apply(TopicOptions{Drop: []string{"food"}}, "flour and yeast"); !v.Drop || v.Rule != "quality.topic" || v.Detail != "food" {
		t.Errorf("%+v", v)
	}
	if v, _ := apply(TopicOptions{Only: []string{"food", "ads"}}, "the valley of the river"); !v.Drop || v.Detail != "land" {
		t.Errorf("%+v", v)
	}
	if v, _ := apply(TopicOptions{Drop: []string{"food"}, MinScore: .999}, "flour and yeast"); v.Drop {
		t.Errorf("not sure enough, and dropped: %+v", v)
	}
	for want, o := range map[string]TopicOptions{
		"did you mean food?": {Model: path, Drop: []string{"foood"}},
		"give one of them":   {Model: path, Drop: []string{"food"}, Only: []string{"ads"}},
		"min_topic":          {Model: path, MinScore: 2},
		"no such file":       {Model: path + "x"},
	} {
		if _, err := NewTopics(o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

func TestNames(t *testing.T) {
	var models []Source
	for _, path := range []string{"x/Edu-1.bin", "dclm.bin", "y/dclm.ftz", "dclm_2.bin", "模型.bin"} {
		models = append(models, Source{Model: path})
	}
	if got, want := Names(models), []string{"edu_1", "dclm", "dclm_2", "dclm_2_2", "model"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}
