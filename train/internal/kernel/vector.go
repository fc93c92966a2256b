package kernel

import "math"

// Exp sets dst = exp(scale*x - shift), within 1 ulp of the exponential of the rounded argument; below the smallest normal number it may be
// 0. dst and x may be the same slice, here and in every function that takes one of each.
func (w *Worker) Exp(dst, x []float32, scale, shift float32) {
	w.table.exp(dst, x[:len(dst)], scale, shift)
}

// Max is the largest element, -Inf of none.
func (w *Worker) Max(x []float32) float32 {
	if len(x) == 0 {
		return float32(math.Inf(-1))
	}
	return w.table.max(x)
}

// Softmax sets dst = softmax(scale*x) and returns the log of the sum of exp(scale*x). scale must not be negative.
func (w *Worker) Softmax(dst, x []float32, scale float32) (lse float32) {
	if len(dst) == 0 {
		return float32(math.Inf(-1))
	}
	x = x[:len(dst)]
	top := scale * w.table.max(x)
	sum := w.table.expSum(dst, x, scale, top)
	w.table.scale(dst, 1/sum)
	return float32(float64(top) + math.Log(float64(sum)))
}

// LogSumExp is the log of the sum of exp(scale*x). scale must not be negative.
func (w *Worker) LogSumExp(x []float32, scale float32) float32 {
	if len(x) == 0 {
		return float32(math.Inf(-1))
	}
	top := scale * w.table.max(x)
	return float32(float64(top) + math.Log(float64(w.table.sumExp(x, scale, top))))
}

// SoftmaxGrad sets ds = scale * p * (dp - sum): the gradient before a softmax p = softmax(scale*s) from the gradient dp behind
// it, with sum = dot(p, dp), which an attention row has from its output.
func (w *Worker) SoftmaxGrad(ds, p, dp []float32, sum, scale float32) {
	w.table.softmaxGrad(ds, p[:len(ds)], dp[:len(ds)], sum, scale)
}

// SiLU sets dst = x / (1+exp(-x)).
func (w *Worker) SiLU(dst, x []float32) { w.table.silu(dst, x[:len(dst)]) }

// SwiGLU sets dst = silu(gate) * up.
func (w *Worker) SwiGLU(dst, gate, up []float32) {
	w.table.swiglu(dst, gate[:len(dst)], up[:len(dst)])
}

// SwiGLUGrad sets the gradients of gate and up from dy, that of silu(gate)*up. Outputs may be the inputs' slices.
func (w *Worker) SwiGLUGrad(dgate, dup, dy, gate, up []float32) {
	n := len(dgate)
	w.table.swigluGrad(dgate, dup[:n], dy[:n], gate[:n], up[:n])
}

// RMSNorm sets dst = x * inv * gain with inv = 1/sqrt(mean(x^2)+eps), and returns inv.
func (w *Worker) RMSNorm(dst, x, gain []float32, eps float64) (inv float32) {
	n := len(dst)
	if n == 0 {
		return 0
	}
	inv = float32(1 / math.Sqrt(float64(w.table.sum2(x[:n]))/float64(n)+eps))
	w.table.norm(dst, x[:n], gain[:n], inv)
	return inv
}

// RMSNormGrad sets dx = beta*dx + d/dx and adds d/dgain to dgain, from dy, the gradient of RMSNorm's result, and its inv. beta 0
// never reads dx.
func (w *Worker) RMSNormGrad(dx, dgain, dy, x, gain []float32, inv, beta float32) {
	n := len(dx)
	if n == 0 {
		return
	}
	dgain, dy, x, gain = dgain[:n], dy[:n], x[:n], gain[:n]
	coef := w.table.normDot(dy, x, gain) * inv * inv * inv / float32(n)
	w.table.normGrad(dx, dgain, dy, x, gain, inv, coef, beta)
}

// Rotate turns the pairs (x[i], x[i+half]) of one head by the angles whose cosines and sines are given, half being len(cos)
// and len(x) twice that: RoPE in the half-split order. The way back is Rotate with the sines negated.
func (w *Worker) Rotate(x, cos, sin []float32) {
	w.table.rotate(x[:2*len(cos)], cos, sin[:len(cos)])
}

// Add sets dst += x.
func (w *Worker) Add(dst, x []float32) { w.table.add(dst, x[:len(dst)]) }

// Scale sets dst *= a.
func (w *Worker) Scale(dst []float32, a float32) { w.table.scale(dst, a) }

// Axpy sets dst += a*x.
func (w *Worker) Axpy(dst []float32, a float32, x []float32) { w.table.axpy(dst, a, x[:len(dst)]) }

// Dot is the sum of x*y, in float32 lanes.
func (w *Worker) Dot(x, y []float32) float32 { return w.table.dot(x, y[:len(x)]) }

// SumSquares is the sum of x^2 in float64.
func (w *Worker) SumSquares(x []float32) float64 { return w.table.squares(x) }

// AdamW is one update's numbers (Loshchilov and Hutter 2019): decay apart from the gradient, both moments corrected for step.
type AdamW struct {
	LearningRate, Beta1, Beta2, Eps, WeightDecay float64
	GradScale                                    float32 // gradients are multiplied by it first: clipping
	Step                                         int     // from 1
}

// adamConstants are AdamW's numbers as the loops use them.
type adamConstants struct {
	gradScale, beta1, oneLess1, beta2, oneLess2, correct2, eps, rate, keep float32
}

// AdamW updates weights and moments from the gradient g and zeroes g.
func (w *Worker) AdamW(weights, g, m, v []float32, o AdamW) {
	n := len(weights)
	c := adamConstants{
		gradScale: o.GradScale,
		beta1:     float32(o.Beta1), oneLess1: float32(1 - o.Beta1),
		beta2: float32(o.Beta2), oneLess2: float32(1 - o.Beta2),
		correct2: float32(1 / (1 - math.Pow(o.Beta2, float64(o.Step)))),
		eps:      float32(o.Eps),
		rate:     float32(o.LearningRate / (1 - math.Pow(o.Beta1, float64(o.Step)))),
		keep:     float32(1 - o.LearningRate*o.WeightDecay),
	}
	w.table.adamw(weights, g[:n], m[:n], v[:n], &c)
}
