package pipelines

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"winnow"
	"winnow/filter/quality"
)

// KeepSpec is one word or a list of words.
type KeepSpec []string

// UnmarshalYAML takes a scalar for a list of one.
func (k *KeepSpec) UnmarshalYAML(decode func(any) error) error {
	var list []string
	if err := decode(&list); err == nil {
		*k = list
		return nil
	}
	var one string
	if err := decode(&one); err != nil {
		return errors.New("keep: want a share such as 10%, model, or tiers")
	}
	*k = KeepSpec{one}
	return nil
}

// Share reads a part of a whole: 10%, 0.1.
func Share(s string) (float64, error) {
	number, percent := strings.CutSuffix(strings.TrimSpace(s), "%")
	v, err := strconv.ParseFloat(number, 64)
	if percent {
		v /= 100
	}
	if err != nil || !(v > 0 && v < 1) {
		return 0, fmt.Errorf("%q: want a share such as 10%% or 0.1", s)
	}
	return v, nil
}

// check finds options that do not go together.
func (q *QualitySpec) check(src *source, path string) error {
	kinds := 0
	for _, given := range []bool{q.Model != "", q.Perplexity != "", len(q.Ensemble) > 0, q.Topics != ""} {
		if given {
			kinds++
		}
	}
	if kinds != 1 {
		return src.at(path, "", "quality needs one of model, ensemble, topics and perplexity: `winnow quality train` makes a model")
	}
	for _, wrong := range []struct {
		set        bool
		key, where string
	}{
		{q.Model == "" && q.MinScore != nil, "min_score", "model"},
		{q.Model == "" && q.Label != "", "label", "model"},
		{q.Model == "" && len(q.Ensemble) == 0 && q.Ranks != "", "ranks", "model and ensemble"},
		{len(q.Ensemble) == 0 && q.Buckets != 0, "buckets", "ensemble"},
		{len(q.Ensemble) == 0 && q.MinBucket != 0, "min_bucket", "ensemble"},
		{q.Topics == "" && len(q.Only) > 0, "only", "topics"},
		{q.Topics == "" && len(q.Drop) > 0, "drop", "topics"},
		{q.Topics == "" && q.MinTopic != 0, "min_topic", "topics"},
		{q.Model == "" && q.Perplexity == "" && len(q.Keep) > 0, "keep", "model and perplexity"},
		{q.Model == "" && len(q.Ensemble) == 0 && len(q.Normalise) > 0, "normalise", "model and ensemble"},
		{q.Perplexity == "" && q.Tokens != "", "tokens", "perplexity"},
		{q.Perplexity == "" && q.CCNet, "ccnet", "perplexity"},
		{q.Perplexity == "" && q.MaxPerplexity != nil, "max_perplexity", "perplexity"},
		{q.Perplexity == "" && q.Cutoffs != "", "cutoffs", "perplexity"},
	} {
		if wrong.set {
			return src.at(path+"."+wrong.key, "", "%s goes with %s", wrong.key, wrong.where)
		}
	}
	if q.Model != "" && len(q.Keep) > 0 {
		if _, err := Share(q.Keep[0]); len(q.Keep) > 1 || err != nil && q.Keep[0] != "model" {
			return src.at(path+".keep", "", "keep: want a share such as 10%%, or model: the threshold that training stored")
		}
	}
	return nil
}

// newQuality makes the stage that a QualitySpec describes.
func newQuality(s *QualitySpec) (winnow.Stage, error) {
	switch {
	case s.Perplexity != "":
		return quality.NewPerplexity(quality.PerplexityOptions{
			Model: s.Perplexity, Tokens: s.Tokens, CCNet: s.CCNet, Max: orZero(s.MaxPerplexity), Cutoffs: s.Cutoffs, Keep: s.Keep,
		})
	case s.Topics != "":
		return quality.NewTopics(quality.TopicOptions{Model: s.Topics, Only: s.Only, Drop: s.Drop, MinScore: s.MinTopic})
	case len(s.Ensemble) > 0:
		o := quality.EnsembleOptions{Ranks: s.Ranks, Buckets: s.Buckets, MinBucket: s.MinBucket}
		for _, model := range s.Ensemble {
			o.Models = append(o.Models, quality.ParseSource(model, s.Normalise))
		}
		return quality.NewEnsemble(o)
	}
	o := quality.Options{Source: quality.Source{Model: s.Model, Label: s.Label, Normalise: s.Normalise}, MinScore: orZero(s.MinScore), Ranks: s.Ranks}
	if len(s.Keep) > 0 {
		if o.Stored = s.Keep[0] == "model"; !o.Stored {
			var err error
			if o.Keep, err = Share(s.Keep[0]); err != nil {
				return nil, err
			}
		}
	}
	return quality.New(o)
}
