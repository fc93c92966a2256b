package demo

import (
	"context"
	"iter"
	"math/rand/v2"
	"strings"

	"winnow/train/eval"
	"winnow/train/rows"
)

// million is a million tokens.
const million = 1_000_000

// ngrams compares a network that read a text once with counts over the same text.
func ngrams(ctx context.Context, l *Lab, seed uint64) (out []Measure, err error) {
	n := l.budget(3 * million)
	docs := some(rand.New(rand.NewPCG(seed, 9)), l.Prose.Kept, l.bytes(n))
	counted, _, err := eval.Baselines(l.held, l.tok, l.ids(docs), eval.BaselineOptions{})
	if err != nil {
		return nil, err
	}
	for _, b := range counted {
		if !strings.HasPrefix(b.ID, "byte-") {
			out = append(out, bitsOf(b.ID, b.Bits)...)
		}
	}
	t, err := l.train(ctx, arm{name: "network", docs: docs, tokens: n, depth: 3, seed: seed})
	if err != nil {
		return nil, err
	}
	m, err := l.bits("network", t)
	return append(out, m...), err
}

// ids tokenises documents as they are asked for.
func (l *Lab) ids(docs []rows.Document) iter.Seq2[[]int32, error] {
	return func(yield func([]int32, error) bool) {
		for _, d := range docs {
			if !yield(l.tok.Encode(nil, d.Text), nil) {
				return
			}
		}
	}
}

// measured trains each arm and measures the held-out prose.
func (l *Lab) measured(ctx context.Context, arms []arm, more func(arm, *trained) []Measure) (out []Measure, err error) {
	for _, a := range arms {
		t, err := l.train(ctx, a)
		if err != nil {
			return nil, err
		}
		m, err := l.bits(a.name, t)
		if err != nil {
			return nil, err
		}
		out = append(out, m...)
		if more != nil {
			out = append(out, more(a, t)...)
		}
	}
	return out, nil
}

// filtered trains on all texts of a crawl as they came, and on those that the run kept.
func filtered(ctx context.Context, l *Lab, seed uint64) ([]Measure, error) {
	raw := append(append([]rows.Document{}, l.Prose.Kept...), l.Prose.Dropped...)
	n := l.budget(million)
	return l.measured(ctx, []arm{
		{name: "raw", docs: raw, tokens: n, depth: 2, seed: seed},
		{name: "filtered", docs: l.Prose.Kept, tokens: n, depth: 2, seed: seed},
	}, nil)
}

// poison trains on clean text, and on the same with 30 % of its bytes replaced by junk.
func poison(ctx context.Context, l *Lab, seed uint64) ([]Measure, error) {
	const share, page = .3, 3000
	n := l.budget(million)
	clean := some(rand.New(rand.NewPCG(seed, 1)), l.Prose.Kept, 4*n)
	good := some(rand.New(rand.NewPCG(seed, 1)), l.Prose.Kept, int64((1-share)*float64(size(clean))))
	with := func(write func(*rand.Rand) string) []rows.Document {
		random := rand.New(rand.NewPCG(seed, 2))
		docs := append([]rows.Document{}, good...)
		for left := int64(share * float64(size(clean))); left > 0; {
			text := write(random)
			docs = append(docs, rows.Document{Text: text})
			left -= int64(len(text))
		}
		return docs
	}
	letters := with(func(r *rand.Rand) string { return Letters(r, page) })
	menus := with(func(r *rand.Rand) string { return Boilerplate(r, page, []Lang{English, Chinese}[r.IntN(2)]) })
	return l.measured(ctx, []arm{
		{name: "clean", docs: clean, tokens: n, depth: 2, seed: seed},
		{name: "clean, 0.7 of the steps", docs: good, tokens: n * 7 / 10, depth: 2, seed: seed},
		{name: "30 % letters M", docs: letters, tokens: n, depth: 2, seed: seed},
		{name: "30 % boilerplate", docs: menus, tokens: n, depth: 2, seed: seed},
	}, func(a arm, t *trained) []Measure {
		return []Measure{
			{Arm: a.name, Metric: "loss spikes per 1,000 steps", Better: -1, Value: 1000 * float64(spikes(t.losses)) / float64(len(t.losses))},
			{Arm: a.name, Metric: "greatest gradient norm after the warm-up", Better: -1, Value: greatest(t.norms[len(t.norms)/10:])},
		}
	})
}

// spikes counts losses above 1.15 times the moving average of those before (decay 0.98), after a tenth of the steps.
func spikes(losses []float64) (n int) {
	mean := losses[0]
	for i, loss := range losses {
		if i > len(losses)/10 && loss > 1.15*mean {
			n++
		}
		mean += .02 * (loss - mean)
	}
	return n
}

func greatest(list []float64) (most float64) {
	for _, x := range list {
		most = max(most, x)
	}
	return most
}

// epochs trains on as many tokens each time, of which fewer and fewer are different.
func epochs(ctx context.Context, l *Lab, seed uint64) ([]Measure, error) {
	n := l.budget(2 * million)
	var arms []arm
	for _, e := range []struct {
		name  string
		times int64
	}{{"new text", 1}, {"4 times a quarter", 4}, {"16 times a 16th", 16}, {"64 times a 64th", 64}} {

		docs := some(rand.New(rand.NewPCG(seed, 3)), l.Prose.Kept, l.bytes(n/e.times))
		arms = append(arms, arm{name: e.name, docs: docs, tokens: n, depth: 3, seed: seed})
	}
	return l.measured(ctx, arms, func(a arm, t *trained) []Measure {
		last := t.losses[len(t.losses)*9/10:]
		var sum float64
		for _, x := range last {
			sum += x / float64(len(last))
		}
		return []Measure{{Arm: a.name, Metric: "training loss at the end, nats a token", Value: sum}}
	})
}

// bytes is how many bytes of kept prose make so many tokens.
func (l *Lab) bytes(tokens int64) int64 {
	var b, t int64
	for i := 0; i < len(l.Prose.Kept); i += 1 + len(l.Prose.Kept)/100 {
		b += int64(len(l.Prose.Kept[i].Text))
		t += int64(len(l.tok.Encode(nil, l.Prose.Kept[i].Text))) + 1
	}
	return tokens * b / t
}
