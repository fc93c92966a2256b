package judge

import (
	"context"
	"errors"
	"math"

	"winnow/train/chat"
)

// Verdict is what a judge thinks of two answers.
type Verdict struct {
	First  float64    // probability that the first answer is the better one: the mean over both orders
	Orders [2]float64 // how likely the judge named the answer in the first place, with the first answer there, and with the second there
	Mass   [2]float64 // probability of both labels together: near 0 the judge did not understand the question
	By     string     // ByLikelihood or ByText; of two orders the less exact
	Texts  [2]string  // what was said, by text
}

// Bias is how much more likely than chance the first place wins: 0 without a position bias, 1/2 where it always does.
func (v *Verdict) Bias() float64 { return (v.Orders[0]+v.Orders[1])/2 - .5 }

// Steady tells whether both orders say the same.
func (v *Verdict) Steady() bool { return (v.Orders[0]-.5)*(v.Orders[1]-.5) < 0 }

// Compare asks in both orders which of two answers to a prompt is better.
func (j *Judge) Compare(ctx context.Context, prompt []chat.Message, a, b string) (Verdict, error) {
	v := Verdict{By: ByLikelihood}
	lang := j.language(prompt)
	for i, pair := range [2][2]string{{a, b}, {b, a}} {
		o, err := j.ask(ctx, pairWording.fill(lang, prompt, pair[0], pair[1]), pairLabels)
		if err != nil {
			return v, err
		}
		v.Orders[i], v.Mass[i], v.Texts[i] = o.share[0], o.mass, o.text
		if o.by == ByText {
			v.By = ByText
		}
	}
	v.First = (v.Orders[0] + 1 - v.Orders[1]) / 2
	return v, nil
}

// Item is a prompt with two answers or more.
type Item struct {
	Prompt  []chat.Message
	Answers []string
	Better  int // the answer that someone else preferred; -1: not known
}

// Row is a preference, in the shape that `train dpo` and `train reward` read; chosen and rejected are messages.
type Row struct {
	Prompt   []chat.Message `json:"prompt"`
	Chosen   []chat.Message `json:"chosen"`
	Rejected []chat.Message `json:"rejected"`
	Literal  bool           `json:"literal"` // {{name}} is text
	Feedback string         `json:"feedback"`
	Judge    Source         `json:"judge"`

	Probability float64    `json:"probability,omitempty"` // that chosen is better
	Orders      [2]float64 `json:"first_place,omitzero"`  // of the first place, with chosen there and with rejected there
	Mass        float64    `json:"label_mass"`            // the smaller of the questions'
	Scores      []float64  `json:"scores,omitempty"`      // of chosen and rejected, by points
}

// Source says who judged, and how it was asked.
type Source struct {
	Model  string `json:"model"`
	Prompt string `json:"prompt"` // hash of the question
	By     string `json:"by"`     // ByLikelihood or ByText
}

// AI is Row.Feedback: only this package, which asks a model, writes it.
const AI = "ai"

func said(s string) []chat.Message { return []chat.Message{{Role: chat.Assistant, Content: s}} }

// Pairs compares the answers of each item, every two of them, and gives a row for each item of which the best and the worst answer part
// by least in probability, 1/2 or more. Items without a row are counted in the Report.
func (j *Judge) Pairs(ctx context.Context, items []Item, least float64) ([]Row, *Report, error) {
	type pair struct {
		item, a, b int
		v          Verdict
		err        error
	}
	var all []pair
	for i, it := range items {
		for a := range it.Answers {
			for b := a + 1; b < len(it.Answers); b++ {
				all = append(all, pair{item: i, a: a, b: b})
			}
		}
	}
	err := j.each(ctx, len(all), func(ctx context.Context, i int) error {
		p := &all[i]
		it := items[p.item]
		p.v, p.err = j.Compare(ctx, it.Prompt, it.Answers[p.a], it.Answers[p.b])
		if errors.Is(p.err, ErrUnanswered) {
			return nil
		}
		return p.err
	})
	if err != nil {
		return nil, nil, err
	}
	r := &Report{Model: j.Model, Question: pairWording.hash(), Items: len(items)}
	var rows []Row
	for next := 0; next < len(all); {
		from, it := next, items[all[next].item]
		wins, failed := make([]float64, len(it.Answers)), error(nil)
		for ; next < len(all) && all[next].item == all[from].item; next++ {
			p := &all[next]
			if p.err != nil {
				failed = p.err
				continue
			}
			r.verdict(&p.v)
			wins[p.a] += p.v.First
			wins[p.b] += 1 - p.v.First
		}
		if failed != nil {
			r.unanswered(failed)
			continue
		}
		best, worst := extremes(wins)
		for _, p := range all[from:next] {
			if p.a != min(best, worst) || p.b != max(best, worst) {
				continue
			}
			v := p.v
			if p.a != best {
				v.First, v.Orders = 1-v.First, [2]float64{v.Orders[1], v.Orders[0]}
			}
			r.given(it, best, worst, v.First)
			if !(v.First > .5) || v.First < least || it.Answers[best] == it.Answers[worst] {
				r.Ties++
				break
			}
			rows = append(rows, Row{Prompt: it.Prompt, Chosen: said(it.Answers[best]), Rejected: said(it.Answers[worst]), Literal: true, Feedback: AI,
				Judge: Source{j.Model, r.Question, v.By}, Probability: v.First, Orders: v.Orders, Mass: math.Min(v.Mass[0], v.Mass[1])})
			r.length(it.Answers[best], it.Answers[worst])
		}
	}
	r.Rows = len(rows)
	r.finish()
	return rows, r, nil
}

// extremes are the places of the largest and the smallest value, the first of equal ones; with all equal 0 and 1.
func extremes(v []float64) (best, worst int) {
	for i := range v {
		if v[i] > v[best] {
			best = i
		}
		if v[i] < v[worst] {
			worst = i
		}
	}
	if best == worst {
		return 0, min(1, len(v)-1)
	}
	return best, worst
}
