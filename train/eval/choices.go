package eval

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// Prober asks a model by likelihoods: which of several continuations of a text it finds most likely.
type Prober struct {
	Scorer
	Tokenizer Tokenizer
	Start     int32                 // the id that begins a document
	Progress  func(done, total int) // called now and then; may be nil
}

// probe is one prefix with its continuations.
type probe struct {
	prefix        string
	continuations []string
}

// answer is what a model says to a probe.
type answer struct {
	nats []float64 // of each continuation after the prefix
	cut  bool      // the prefix lost its beginning, since it did not fit with the longest continuation
	lost bool      // a continuation alone is longer than a row: nothing was scored
}

// chunk is how many sequences are scored between two looks at the context.
const chunk = 2048

// ask scores all continuations. Prefix and continuation are tokenised apart, so that a prefix is the same ids before each of its
// continuations.
func (p Prober) ask(ctx context.Context, probes []probe) ([]answer, error) {
	answers := make([]answer, len(probes))
	var list []Sequence
	var of []int // the probe of each sequence
	flush := func(done int) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		nats, err := p.Nats(list)
		if err != nil {
			return err
		}
		for i, x := range nats {
			answers[of[i]].nats = append(answers[of[i]].nats, sum(x))
		}
		list, of = list[:0], of[:0]
		if p.Progress != nil {
			p.Progress(done, len(probes))
		}
		return nil
	}
	for i, q := range probes {
		seqs := p.sequences(q, &answers[i])
		list = append(list, seqs...)
		for range seqs {
			of = append(of, i)
		}
		if len(list) >= chunk {
			if err := flush(i + 1); err != nil {
				return nil, err
			}
		}
	}
	return answers, flush(len(probes))
}

// sequences are a probe's prefix with each continuation, cut to fit a row.
func (p Prober) sequences(q probe, a *answer) []Sequence {
	prefix := p.Tokenizer.Encode([]int32{p.Start}, q.prefix)
	ends := make([][]int32, len(q.continuations))
	longest := 0
	for i, c := range q.continuations {
		ends[i] = p.Tokenizer.Encode(nil, c)
		longest = max(longest, len(ends[i]))
	}
	if longest > p.Len {
		a.lost = true
		return nil
	}
	// A row holds Len pairs, so Len+1 ids, of which the first is the start.
	if room := p.Len + 1 - longest; len(prefix) > room {
		a.cut = true
		prefix = append([]int32{p.Start}, prefix[len(prefix)-room+1:]...)
	}
	list := make([]Sequence, len(ends))
	for i, e := range ends {
		list[i] = Sequence{slices.Concat(prefix, e), len(prefix)}
	}
	return list
}

// Choices is how many questions of a set are answered rightly.
type Choices struct {
	Set     string  `json:"set"`
	Chance  float64 `json:"chance"`   // the rate of guessing
	Sum     Rate    `json:"sum"`      // the choice of the highest likelihood is the right one
	PerByte Rate    `json:"per_byte"` // the choice of the highest likelihood per byte is (acc_norm elsewhere)
	Cut     int     `json:"cut"`      // questions that lost their beginning, since they are longer than the model's context
	Lost    int     `json:"lost"`     // questions with a choice longer than the context; not counted
}

// MultipleChoice answers questions by the likelihood of each choice after "Question: ...\nAnswer:". Letters are not shown: a
// small model knows words before it knows what A to D mean. The first result is all questions, then each set, in order. Equal
// likelihoods count for the first choice.
func (p Prober) MultipleChoice(ctx context.Context, questions []Question) ([]Choices, error) {
	probes := make([]probe, len(questions))
	for i, q := range questions {
		probes[i].prefix = "Question: " + q.Text + "\nAnswer:"
		for _, c := range q.Choices {
			probes[i].continuations = append(probes[i].continuations, " "+c)
		}
	}
	answers, err := p.ask(ctx, probes)
	if err != nil {
		return nil, fmt.Errorf("multiple choice: %w", err)
	}
	type tally struct {
		Choices
		n, sum, perByte int
		chance          float64
	}
	sets := []*tally{{Choices: Choices{Set: "all"}}}
	bySet := map[string]*tally{}
	for i, q := range questions {
		t := bySet[q.Set]
		if t == nil {
			t = &tally{Choices: Choices{Set: q.Set}}
			bySet[q.Set] = t
			sets = append(sets, t)
		}
		for _, t := range []*tally{sets[0], t} {
			a := answers[i]
			if a.lost {
				t.Lost++
				continue
			}
			if a.cut {
				t.Cut++
			}
			t.n++
			t.chance += 1 / float64(len(q.Choices))
			if lowest(a.nats) == q.Answer {
				t.sum++
			}
			if lowest(perByte(a.nats, probes[i].continuations)) == q.Answer {
				t.perByte++
			}
		}
	}
	out := make([]Choices, len(sets))
	for i, t := range sets {
		out[i] = t.Choices
		out[i].Chance = t.chance / float64(max(1, t.n))
		out[i].Sum, out[i].PerByte = NewRate(t.sum, t.n), NewRate(t.perByte, t.n)
	}
	slices.SortStableFunc(out[1:], func(a, b Choices) int { return strings.Compare(a.Set, b.Set) })
	return out, nil
}

func lowest(xs []float64) int {
	best := 0
	for i, x := range xs {
		if x < xs[best] {
			best = i
		}
	}
	return best
}

func perByte(nats []float64, texts []string) []float64 {
	out := make([]float64, len(nats))
	for i, x := range nats {
		out[i] = x / float64(max(1, len(texts[i])))
	}
	return out
}
