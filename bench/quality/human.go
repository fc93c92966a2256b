package quality

import (
	"context"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"winnow"
	"winnow/bench/meter"
	"winnow/filter/quality/classify"
	"winnow/filter/quality/measure"
	words "winnow/text"
)

// folds of the cross-validation: text i of a class is in fold i modulo folds, and is scored by a model of the other folds.
const folds = 10

// humanLabels gives the texts of documents whose column label is 0 or 1, where there are enough of both; else an empty set.
func humanLabels(docs []*winnow.Document) classify.Set {
	var good, bad []string
	for _, d := range docs {
		switch d.Meta["label"] {
		case "0":
			bad = append(bad, d.Text)
		case "1":
			good = append(good, d.Text)
		}
	}
	if len(good) < 2*folds || len(bad) < 2*folds {
		return classify.Set{}
	}
	return classify.Binary(good, bad)
}

// learner makes a scorer from labelled texts, for the texts of one fold; it sees those without their labels.
type learner struct {
	name string
	fit  func(ctx context.Context, train classify.Set, test []string) ([]float64, error)
}

// measureJudged cross-validates winnow's classifiers at their defaults beside simple baselines. No option was chosen on such texts. The
// figures are AUCs over the scores of all folds together, with 95 % intervals.
func measureJudged(ctx context.Context, set classify.Set, program string) (out []meter.Figure, err error) {
	fold, seen := make([]int, len(set.Texts)), make([]int, 2)
	for i, c := range set.Class {
		fold[i] = seen[c] % folds
		seen[c]++
	}
	out = []meter.Figure{{Name: "judged by people: good", Unit: "texts", Value: float64(seen[1])}, {Name: "judged by people: bad", Unit: "texts", Value: float64(seen[0])}}
	for _, l := range learners(program) {
		var all []measure.Scored
		for k := range folds {
			train := classify.Set{Labels: set.Labels}
			var test []string
			var at []int
			for i, t := range set.Texts {
				if fold[i] == k {
					test, at = append(test, t), append(at, i)
				} else {
					train.Add(t, set.Class[i])
				}
			}
			scores, err := l.fit(ctx, train, test)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", l.name, err)
			}
			for i, s := range scores {
				all = append(all, measure.Scored{Score: float32(s), Good: set.Class[at[i]] == 1})
			}
		}
		m := measure.Of(all, .5)
		out = append(out, meter.Figure{Name: "judged by people: " + l.name, Unit: "AUC, 95 %", Value: m.AUC, Min: m.Low, Max: m.High, Interval: true})
	}
	return out, nil
}

func learners(program string) []learner {
	own := func(o classify.Options) func(context.Context, classify.Set, []string) ([]float64, error) {
		return func(_ context.Context, train classify.Set, test []string) ([]float64, error) {
			m, _, err := classify.Train(train, o)
			if err != nil {
				return nil, err
			}
			return each(test, func(s string) float64 { return float64(m.Score(s)) }), nil
		}
	}
	plain := func(f func(string) float64) func(context.Context, classify.Set, []string) ([]float64, error) {
		return func(_ context.Context, _ classify.Set, test []string) ([]float64, error) { return each(test, f), nil }
	}
	all := []learner{
		{"winnow, linear", own(classify.Options{})},
		{"winnow, linear, with characters 3-5", own(classify.Options{Features: classify.Features{Shortest: 3, Longest: 5}})},
		{"winnow, hidden layer of 16", own(classify.Options{Hidden: 16})},
		{"bigrams of good texts (perplexity)", bigrams(false)},
		{"bigrams of good against bad texts", bigrams(true)},
		{"length", plain(func(s string) float64 { return float64(len(s)) })},
		{"share of stop words", plain(stopWords)},
		{"mean length of words", plain(wordLength)},
		{"share of lines that end a sentence", plain(ended)},
	}
	if program != "" {
		all = append(all, learner{"fasttext, pairs of words", fastTextOf(program)})
	}
	return all
}

func each(texts []string, f func(string) float64) (out []float64) {
	for _, s := range texts {
		out = append(out, f(s))
	}
	return out
}

var stopList = strings.Fields("the be to of and that have with a in is it for on as was this are by an at from or not")

func stopWords(s string) float64 {
	all := words.Words(nil, strings.ToLower(s))
	n := 0
	for _, w := range all {
		for _, stop := range stopList {
			if w == stop {
				n++
			}
		}
	}
	return float64(n) / float64(max(len(all), 1))
}

func wordLength(s string) float64 {
	all := words.Words(nil, s)
	n := 0
	for _, w := range all {
		n += len([]rune(w))
	}
	return float64(n) / float64(max(len(all), 1))
}

func ended(s string) float64 {
	n, all := 0, 0
	for line := range strings.Lines(s) {
		if line = strings.TrimSpace(line); line != "" {
			all++
			if strings.HasSuffix(line, ".") || strings.HasSuffix(line, "!") || strings.HasSuffix(line, "?") || strings.HasSuffix(line, `"`) {
				n++
			}
		}
	}
	return float64(n) / float64(max(all, 1))
}

// counted is a model of pairs of words: half the pair's share, four tenths the word's, a tenth evenly among a million words.
type counted struct {
	one, two map[string]float64
	total    float64
}

func count(texts []string) *counted {
	c := &counted{map[string]float64{}, map[string]float64{}, 0}
	for _, s := range texts {
		last := ""
		for _, w := range words.Words(nil, strings.ToLower(s)) {
			c.one[w]++
			c.two[last+" "+w]++
			c.total++
			last = w
		}
	}
	return c
}

// mean is the mean log-probability of a word of s.
func (c *counted) mean(s string) float64 {
	last, sum, n := "", 0.0, 0
	for _, w := range words.Words(nil, strings.ToLower(s)) {
		p := .1/1e6 + .4*c.one[w]/c.total
		if before := c.one[last]; before > 0 {
			p += .5 * c.two[last+" "+w] / before
		}
		sum += math.Log(p)
		n++
		last = w
	}
	return sum / float64(max(n, 1))
}

// bigrams scores by the perplexity under the good texts, or by how much likelier a text is under those than under the bad ones.
func bigrams(against bool) func(context.Context, classify.Set, []string) ([]float64, error) {
	return func(_ context.Context, train classify.Set, test []string) ([]float64, error) {
		var parts [2][]string
		for i, t := range train.Texts {
			parts[train.Class[i]] = append(parts[train.Class[i]], t)
		}
		good, bad := count(parts[1]), count(parts[0])
		return each(test, func(s string) float64 {
			if against {
				return good.mean(s) - bad.mean(s)
			}
			return good.mean(s)
		}), nil
	}
}

// fastTextOf trains fastText's own program as DCLM did, with fewer buckets, on the same folds.
func fastTextOf(program string) func(context.Context, classify.Set, []string) ([]float64, error) {
	return func(ctx context.Context, train classify.Set, test []string) ([]float64, error) {
		dir, err := os.MkdirTemp("", "winnow-bench-")
		if err != nil {
			return nil, err
		}
		defer os.RemoveAll(dir)
		f := fastText{program: program, dir: dir}
		var labelled, lines []string
		for i, t := range train.Texts {
			labelled = append(labelled, "__label__"+train.Labels[train.Class[i]]+" "+strings.Join(strings.Fields(t), " "))
		}
		for _, t := range test {
			lines = append(lines, strings.Join(strings.Fields(t), " "))
		}
		if err := f.write("train", labelled); err != nil {
			return nil, err
		}
		if err := f.write("test", lines); err != nil {
			return nil, err
		}
		args := []string{"supervised", "-input", f.path("train"), "-output", f.path("model"), "-thread", "1", "-wordNgrams", "2", "-bucket", "100000"}
		if _, err := f.seconds(ctx, args...); err != nil {
			return nil, err
		}
		out, err := exec.CommandContext(ctx, program, "predict-prob", filepath.Join(dir, "model.bin"), f.path("test"), "2").Output()
		if err != nil {
			return nil, err
		}
		var scores []float64
		for line := range strings.Lines(string(out)) {
			fields := strings.Fields(line)
			for i := 0; i+1 < len(fields); i += 2 {
				if fields[i] == "__label__"+classify.Good {
					p, err := strconv.ParseFloat(fields[i+1], 64)
					if err != nil {
						return nil, err
					}
					scores = append(scores, p)
				}
			}
		}
		if len(scores) != len(test) {
			return nil, fmt.Errorf("%d answers to %d texts", len(scores), len(test))
		}
		return scores, nil
	}
}
