package demo

import (
	"context"
	"errors"
	"fmt"

	"winnow/train/llm"
	"winnow/train/scaling"
)

// shape is a model between the depths that train.Depth knows.
type shape struct {
	layers, width int
	rate          float64
}

// shapes are a family, untied as those of train.Depth; rates fall with the width, as its sweep found.
func shapes() []shape {
	return []shape{{1, 32, 4e-3}, {2, 32, 4e-3}, {2, 64, 3e-3}, {3, 96, 2e-3}, {4, 128, 2e-3}}
}

func (s shape) config(vocab int) llm.Config {
	const head = 32
	return llm.Config{Vocab: vocab, Context: positions, Dim: s.width, FFN: (8*s.width/3 + 31) / 32 * 32, Layers: s.layers, Heads: s.width / head, KVHeads: s.width / head,
		HeadDim: head, NormEps: 1e-5, RopeTheta: 10000}
}

// isoflop trains models of different width with the same compute and looks for the best. Where that is the smallest or the largest,
// the minimum is not bracketed, and that model's size stands in its place.
func isoflop(ctx context.Context, l *Lab, seed uint64) (out []Measure, err error) {
	budget := 4e12 / float64(l.scale.divide)
	var points []scaling.Point
	for _, s := range shapes() {
		c := s.config(l.tok.Size())
		tokens := int64(budget / c.FLOPsPerToken(positions))
		name := fmt.Sprintf("width %d, %d layers, %.0f k parameters", s.width, s.layers, float64(c.MatmulParams())/1000)
		t, err := l.train(ctx, arm{name: name, docs: l.Prose.Kept, tokens: tokens, shape: &s, seed: seed})
		if err != nil {
			return nil, err
		}
		bits, err := l.bits(name, t)
		if err != nil {
			return nil, err
		}
		last := bits[len(bits)-1] // of all languages
		out = append(out, Measure{Arm: name, Metric: "million tokens", Value: float64(tokens) / 1e6}, last)
		points = append(points, scaling.Point{N: float64(c.MatmulParams()), D: float64(tokens), Loss: last.Value})
	}
	var size, bracketed float64
	best, err := scaling.FitMinimum(points)
	if open := (*scaling.NotBracketedError)(nil); errors.As(err, &open) {
		size = open.N
	} else if err != nil {
		return nil, err
	} else {
		size, bracketed = best.N, 1
	}
	const name = "minimum of the parabola"
	return append(out, Measure{Arm: name, Metric: "thousand parameters", Value: size / 1000}, Measure{Arm: name, Metric: "bracketed", Better: 1, Value: bracketed}), nil
}
