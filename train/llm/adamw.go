package llm

import (
	"math"

	"winnow/train/internal/kernel"
)

// AdamW is the optimiser of Loshchilov and Hutter (2019) by PyTorch's formula: decay with the plain rate and apart from the
// gradient, epsilon beside the root of the corrected second moment. spago's own adds decay times the corrected rate.
type AdamW struct {
	Beta1, Beta2, Eps, WeightDecay float64
	M, V                           [][]float32 // moments, aligned with the parameters; made at the first step
}

// optimiserChunk is how many values one task updates or sums up. Sums are taken chunk by chunk, so it is part of the result.
const optimiserChunk = 1 << 14

// chunk is a stretch of one parameter.
type paramChunk struct{ param, low, high int }

func chunks(params []Param) []paramChunk {
	var list []paramChunk
	for i, p := range params {
		for low := 0; low < len(p.Value); low += optimiserChunk {
			list = append(list, paramChunk{i, low, min(low+optimiserChunk, len(p.Value))})
		}
	}
	return list
}

// Prepare makes the moments, of zeros, where o has none: a checkpoint fills them.
func (o *AdamW) Prepare(params []Param) {
	for i := len(o.M); i < len(params); i++ {
		o.M, o.V = append(o.M, make([]float32, len(params[i].Value))), append(o.V, make([]float32, len(params[i].Value)))
	}
}

// Step updates params from their gradients times gradScale (1 over the counted targets, times the clip) and zeroes the
// gradients. step counts from 1. Only matrices decay.
func (o *AdamW) Step(p *Pool, params []Param, step int, lr float64, gradScale float32) {
	o.Prepare(params)
	list := chunks(params)
	p.Run(len(list), func(w *kernel.Worker, i int) {
		c := list[i]
		t := params[c.param]
		update := kernel.AdamW{LearningRate: lr, Beta1: o.Beta1, Beta2: o.Beta2, Eps: o.Eps, GradScale: gradScale, Step: step}
		if t.Decay {
			update.WeightDecay = o.WeightDecay
		}
		w.AdamW(t.Value[c.low:c.high], t.Grad[c.low:c.high], o.M[c.param][c.low:c.high], o.V[c.param][c.low:c.high], update)
	})
}

// GradNorm is the Euclidean norm of all gradients, summed in float64 over fixed chunks in order.
func GradNorm(p *Pool, params []Param) float64 {
	list := chunks(params)
	sums := make([]float64, len(list))
	p.Run(len(list), func(w *kernel.Worker, i int) {
		sums[i] = w.SumSquares(params[list[i].param].Grad[list[i].low:list[i].high])
	})
	var sum float64
	for _, s := range sums {
		sum += s
	}
	return math.Sqrt(sum)
}
