package serve

import (
	"math"
	"strings"
)

// score tells the log-probability of id under logits [vocab], and the top most likely tokens.
func (e *Engine) score(logits []float32, id int32, top int) Token {
	most := math.Inf(-1)
	for _, v := range logits {
		most = max(most, float64(v))
	}
	var sum float64
	for _, v := range logits {
		sum += math.Exp(float64(v) - most)
	}
	norm := most + math.Log(sum)
	t := Token{ID: id, Text: e.name(id), Logprob: float64(logits[id]) - norm}
	for _, i := range largest(logits, min(top, e.tok.Size())) {
		t.Top = append(t.Top, Candidate{ID: i, Text: e.name(i), Logprob: float64(logits[i]) - norm})
	}
	return t
}

// largest gives the indices of the n largest values, largest first; of equal values the first.
func largest(values []float32, n int) []int32 {
	if n <= 0 {
		return nil
	}
	out := make([]int32, 0, n+1)
	for i, v := range values {
		if len(out) == n && !(v > values[out[n-1]]) {
			continue
		}
		k := len(out)
		for k > 0 && v > values[out[k-1]] {
			k--
		}
		out = append(out, 0)
		copy(out[k+1:], out[k:])
		out[k] = int32(i)
		if len(out) > n {
			out = out[:n]
		}
	}
	return out
}

// name is a token's bytes, or a special token's name; empty for an id that the tokenizer does not have.
func (e *Engine) name(id int32) string {
	if b := e.tok.Token(id); b != nil {
		return string(b)
	}
	return e.tok.Name(id)
}

// text is what a prompt reads like, without its special tokens.
func (e *Engine) text(ids []int32) string {
	return strings.ToValidUTF8(string(e.tok.Decode(ids)), "\uFFFD")
}
