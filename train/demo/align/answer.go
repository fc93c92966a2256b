package align

import (
	"context"
	"strings"

	"winnow/train/chat"
	"winnow/train/llm"
)

// longest is the most tokens of an answer.
const longest = 80

// reply is what a model answered.
type reply struct {
	text  string
	ids   []int32
	ended bool // by the token that ends a turn, not by length, nor as a document ends
}

// answers lets a model answer prompts, many at a time. Temperature 0 takes the likeliest token, always.
func (l *Lab) answers(ctx context.Context, m *llm.Model, prompts [][]int32, temperature float64, seed uint64) ([]reply, error) {
	const slots = 32
	d, err := llm.NewDecoder(m, l.Pool, slots, positions)
	if err != nil {
		return nil, err
	}
	out := make([]reply, len(prompts))
	for from := 0; from < len(prompts); from += slots {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if err := l.answerSome(d, prompts[from:min(from+slots, len(prompts))], out[from:], temperature, seed+uint64(from)*7919); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// answerSome answers as many prompts as there are slots, at most.
func (l *Lab) answerSome(d *llm.Decoder, prompts [][]int32, out []reply, temperature float64, seed uint64) error {
	texts, next := make([]*llm.Generation, len(prompts)), make([]int32, len(prompts))
	var live []int
	take := func(i int, logits []float32) {
		tok := texts[i].Next(logits)
		if next[i] = tok.ID; tok.Finish != llm.FinishStop {
			out[i].ids = append(out[i].ids, tok.ID)
		}
		if tok.Finish == "" {
			live = append(live, i)
		} else {
			out[i].ended = tok.ID == l.template.End()
			out[i].text = strings.TrimSpace(string(l.tok.Decode(out[i].ids)))
		}
	}
	for i, p := range prompts {
		d.Reset(i)
		logits, err := d.Prefill(i, p)
		if err != nil {
			return err
		}
		r := llm.Request{Prompt: p, MaxTokens: longest, StopIDs: []int32{l.template.End(), l.tok.EOS()}, Sampling: llm.Sampling{Temperature: temperature, Seed: seed + uint64(i)}}
		if texts[i], err = llm.NewGeneration(r, positions-len(p), nil); err != nil {
			return err
		}
		take(i, logits)
	}
	for len(live) > 0 {
		now, ids := live, make([]int32, len(live))
		live = nil
		for k, i := range now {
			ids[k] = next[i]
		}
		logits, err := d.Step(now, ids)
		if err != nil {
			return err
		}
		for k, i := range now {
			take(i, logits[k*l.tok.Size():(k+1)*l.tok.Size()])
		}
	}
	return nil
}

// prompts are questions as a model reads them.
func (l *Lab) prompts(questions []string) ([][]int32, error) {
	out := make([][]int32, len(questions))
	for i, q := range questions {
		p, err := l.template.Prompt(l.tok, []chat.Message{{Role: chat.User, Content: q}})
		if err != nil {
			return nil, err
		}
		out[i] = p.IDs
	}
	return out, nil
}
