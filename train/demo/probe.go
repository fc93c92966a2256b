package demo

import (
	"context"
	"math/rand/v2"
	"strings"

	"winnow/train/eval"
	"winnow/train/llm"
	"winnow/train/rows"
)

// everyWording lists all wordings; askedWording is kept for questions where a fact was told in others.
var everyWording = []int{0, 1, 2, 3, 4}

// biographies are documents about n people of each language.
func biographies(seed uint64, n int, wordings []int) (docs []rows.Document) {
	random := rand.New(rand.NewPCG(seed, 7))
	for _, lang := range []Lang{English, Chinese} {
		for _, p := range People(seed, n, lang) {
			docs = append(docs, rows.Document{Language: string(lang), Text: p.Biography(random, wordings)})
		}
	}
	return docs
}

// question asks for one fact of a person: every text is the sentence with one of the choices.
type question struct {
	texts []string
	right int
}

// ask makes a question of a fact in a wording.
func ask(p Person, f Fact, wording int) (q question) {
	for i, v := range p.Choices(f) {
		if v == p.Value(f) {
			q.right = i
		}
		q.texts = append(q.texts, p.Cloze(f, wording)+v)
	}
	return q
}

// answered is how many questions the model gets right: the right text must be the likeliest behind what all have in common.
func (l *Lab) answered(m eval.Model, questions []question) (right int, err error) {
	nats, err := l.nats(m, questions)
	if err != nil {
		return 0, err
	}
	for i, q := range questions {
		if least(nats[i]) == q.right {
			right++
		}
	}
	return right, nil
}

// nats scores the texts of questions, each from where the texts of its question differ in tokens.
func (l *Lab) nats(m eval.Model, questions []question) ([][]float64, error) {
	var list []eval.Sequence
	for _, q := range questions {
		var ids [][]int32
		for _, text := range q.texts {
			ids = append(ids, l.tok.Encode([]int32{l.tok.BOS()}, text))
		}
		from := common(ids)
		for _, s := range ids {
			list = append(list, eval.Sequence{IDs: s, From: from})
		}
	}
	scored, err := eval.Scorer{Model: m, Len: positions, Pad: l.tok.PAD()}.Nats(list)
	if err != nil {
		return nil, err
	}
	out := make([][]float64, len(questions))
	k := 0
	for i, q := range questions {
		for range q.texts {
			var sum float64
			for _, x := range scored[k] {
				sum += float64(x)
			}
			out[i] = append(out[i], sum)
			k++
		}
	}
	return out, nil
}

// common is the number of ids that all lists begin with, and at most one less than the shortest has.
func common(lists [][]int32) int {
	n := len(lists[0])
	for _, l := range lists {
		n = min(n, len(l)-1)
		for i := range n {
			if l[i] != lists[0][i] {
				n = i
				break
			}
		}
	}
	return max(n, 1)
}

// least is the index of the least value, the first of equals.
func least(values []float64) (at int) {
	for i, v := range values {
		if v < values[at] {
			at = i
		}
	}
	return at
}

// continued is what the model writes behind a prompt, greedily, up to a full stop or some tokens.
func (l *Lab) continued(ctx context.Context, d *llm.Decoder, prompt string) (string, error) {
	var b strings.Builder
	r := llm.Request{Prompt: l.tok.Encode([]int32{l.tok.BOS()}, prompt), MaxTokens: 24, StopIDs: []int32{l.tok.EOS()}, Stops: []string{".", "。"}}
	err := d.Generate(ctx, 0, r, l.tok.NewStream(), func(tok llm.Token) bool {
		b.WriteString(tok.Text)
		return true
	})
	return b.String(), err
}
