package judge

import (
	"context"
	"math"
	"slices"
	"strings"
	"sync"

	"winnow/train/bpe"
	"winnow/train/llm"
	"winnow/train/serve"
)

// Local asks a model of this process, of which every token's probability is known. It answers one question at a time, and only by
// likelihood.
type Local struct {
	decoder  *llm.Decoder
	tok      *bpe.Tokenizer
	template serve.Template

	mu     sync.Mutex
	labels map[string][]int32 // tokens that are a label
}

// NewLocal makes a judge of a model. The model must not change while it is asked.
func NewLocal(m *llm.Model, tok *bpe.Tokenizer, template serve.Template, pool *llm.Pool) (*Local, error) {
	d, err := llm.NewDecoder(m, pool, 1, m.Context)
	if err != nil {
		return nil, err
	}
	return &Local{decoder: d, tok: tok, template: template, labels: map[string][]int32{}}, nil
}

// Ask gives the exact probabilities of all tokens that are one of the labels. A question that the context does not hold is unanswered.
func (l *Local) Ask(ctx context.Context, q Question) (Reply, error) {
	p, err := l.template.Prompt(l.tok, q.Messages)
	if err != nil {
		return Reply{}, err
	}
	if err := ctx.Err(); err != nil {
		return Reply{}, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(p.IDs) > l.decoder.Context() {
		return Reply{}, &LongError{len(p.IDs), l.decoder.Context()}
	}
	l.decoder.Reset(0)
	logits, err := l.decoder.Prefill(0, p.IDs)
	if err != nil {
		return Reply{}, err
	}
	most, sum := float64(slices.Max(logits)), 0.0
	for _, v := range logits {
		sum += math.Exp(float64(v) - most)
	}
	r := Reply{First: []Candidate{}}
	for _, label := range q.Labels {
		for _, id := range l.tokens(label) {
			r.First = append(r.First, Candidate{string(l.tok.Token(id)), float64(logits[id]) - most - math.Log(sum)})
		}
	}
	return r, nil
}

// tokens lists the ids that are a label with or without white space around it.
func (l *Local) tokens(label string) []int32 {
	list, ok := l.labels[label]
	if !ok {
		for id := range int32(l.tok.Size()) {
			if t := string(l.tok.Token(id)); strings.Contains(t, label) && bare(t) == label {
				list = append(list, id)
			}
		}
		l.labels[label] = list
	}
	return list
}
