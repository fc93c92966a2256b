package llm

import (
	"github.com/nlpodyssey/spago/ag"
	"github.com/nlpodyssey/spago/mat"
	"github.com/nlpodyssey/spago/nn"

	"winnow/train/internal/kernel"
)

// graph is one pass over a batch. Its operators form a chain (a residual adds into the gradient that it passes on), so one
// runs at a time and has the pool and the arena to itself; each calls AccGrad last, which is what starts the next. An operator
// that reads a buffer for the last time gives it back. Shapes are fixed by Config and checked with the batch, so no operator
// returns an error: spago would end the process.
type graph struct {
	pool  *Pool
	arena *arena
	train bool // false: values alone; inputs are given back at once, residuals are added in place
	rows  int  // tokens in the batch
}

// data is the memory of an operator's value.
func data(x *ag.Operator) []float32 { return x.Value().(*tensor).data }

// into is the memory for x's gradient: what came in so far, to be added to (beta 1), or lent memory to be overwritten (beta 0).
func (g *graph) into(x *ag.Operator) (grad *tensor, beta float32) {
	v := x.Value().(*tensor)
	if v.grad != nil {
		return v.grad, 1
	}
	shape := v.Shape()
	return newTensor(g.arena.get(len(v.data)), shape[0], shape[1]), 0
}

// scale sets x *= a.
func (g *graph) scale(x []float32, a float32) {
	g.pool.Range(len(x), grain*256, func(w *kernel.Worker, low, high int) { w.Scale(x[low:high], a) })
}

// grain is how many rows of an element-wise operator a task takes.
const grain = 64

// embed looks up rows of the table [V, D].
type embed struct {
	*graph
	table *nn.Param
	root  mat.Tensor // needs a gradient, gets none
	ids   []int32
	dim   int
}

func (o *embed) Operands() []mat.Tensor { return []mat.Tensor{o.table, o.root} }

func (o *embed) Forward() (mat.Tensor, error) {
	y, table := o.arena.get(o.rows*o.dim), values(o.table)
	o.pool.Range(o.rows, grain, func(_ *kernel.Worker, low, high int) {
		for i := low; i < high; i++ {
			copy(y[i*o.dim:(i+1)*o.dim], table[int(o.ids[i])*o.dim:])
		}
	})
	return newTensor(y, o.rows, o.dim), nil
}

// embedParts is into how many sets ids are dealt; each set has one writer, which goes through the batch in order.
const embedParts = 8

func (o *embed) Backward(gy mat.Tensor) error {
	dy := gy.(*tensor).data
	defer o.arena.put(dy)
	if !o.table.RequiresGrad() {
		return nil
	}
	grad := gradient(o.table)
	o.pool.Run(embedParts, func(w *kernel.Worker, part int) {
		for i, id := range o.ids {
			if int(id)%embedParts == part {
				w.Add(grad[int(id)*o.dim:(int(id)+1)*o.dim], dy[i*o.dim:(i+1)*o.dim])
			}
		}
	})
	return nil
}

// rmsNorm is x · rsqrt(mean(x²) + eps) ⊙ gain, row by row.
type rmsNorm struct {
	*graph
	x    *ag.Operator
	gain *nn.Param
	eps  float64
	dim  int
	last bool      // nothing but this operator reads x
	inv  []float32 // [rows] 1/root, for the way back
}

func (o *rmsNorm) Operands() []mat.Tensor { return []mat.Tensor{o.x, o.gain} }

func (o *rmsNorm) Forward() (mat.Tensor, error) {
	x, y, gain, d := data(o.x), o.arena.get(o.rows*o.dim), values(o.gain), o.dim
	o.inv = o.arena.get(o.rows)
	o.pool.Range(o.rows, grain, func(w *kernel.Worker, low, high int) {
		for i := low; i < high; i++ {
			o.inv[i] = w.RMSNorm(y[i*d:(i+1)*d], x[i*d:(i+1)*d], gain, o.eps)
		}
	})
	if !o.train {
		o.arena.put(o.inv)
		if o.last {
			o.arena.put(x)
		}
	}
	return newTensor(y, o.rows, d), nil
}

func (o *rmsNorm) Backward(gy mat.Tensor) error {
	x, dy, gain, d := data(o.x), gy.(*tensor).data, values(o.gain), o.dim
	dx, beta := o.into(o.x)
	parts := (o.rows + grain - 1) / grain
	partial := o.arena.get(parts * d)
	o.pool.Range(o.rows, grain, func(w *kernel.Worker, low, high int) {
		sum := partial[low/grain*d : (low/grain+1)*d]
		clear(sum)
		for i := low; i < high; i++ {
			w.RMSNormGrad(dx.data[i*d:(i+1)*d], sum, dy[i*d:(i+1)*d], x[i*d:(i+1)*d], gain, o.inv[i], beta)
		}
	})
	if o.gain.RequiresGrad() {
		grad := gradient(o.gain)
		for p := range parts {
			sum := partial[p*d : (p+1)*d]
			for j, v := range sum {
				grad[j] += v
			}
		}
	}
	o.arena.put(partial, o.inv, dy, x)
	o.x.AccGrad(dx)
	return nil
}

// linear is x·wᵀ (+ bias) (+ residual), w [out, in].
type linear struct {
	*graph
	x        *ag.Operator
	w        *nn.Param
	bias     *nn.Param    // [out] or nil
	residual *ag.Operator // [rows, out] or nil
	low      *LowRank     // adapters of w, or nil
	inner    []float32    // what low keeps for the way back
	in, out  int
	keep     bool // another operator's backward still reads x
}

func (o *linear) Operands() []mat.Tensor {
	list := append([]mat.Tensor{o.x, o.w}, o.low.operands()...)
	if o.bias != nil {
		list = append(list, o.bias)
	}
	if o.residual != nil {
		list = append(list, o.residual)
	}
	return list
}

func (o *linear) Forward() (mat.Tensor, error) {
	var y []float32
	var beta float32
	switch {
	case o.residual != nil && !o.train:
		y, beta = data(o.residual), 1
	case o.residual != nil:
		y, beta = o.arena.get(o.rows*o.out), 1
		r := data(o.residual)
		o.pool.Range(len(y), grain*256, func(_ *kernel.Worker, low, high int) { copy(y[low:high], r[low:high]) })
	case o.bias != nil:
		y, beta = o.arena.get(o.rows*o.out), 1
		b := values(o.bias)
		o.pool.Range(o.rows, grain, func(_ *kernel.Worker, low, high int) {
			for i := low; i < high; i++ {
				copy(y[i*o.out:(i+1)*o.out], b)
			}
		})
	default:
		y = o.arena.get(o.rows * o.out)
	}
	x := data(o.x)
	o.pool.NT(o.rows, o.out, o.in, x, o.in, values(o.w), o.in, beta, y, o.out)
	if o.low != nil {
		o.inner = o.low.add(o.graph, x, y, o.out)
	}
	if !o.train {
		o.arena.put(x, o.inner)
	}
	return newTensor(y, o.rows, o.out), nil
}

func (o *linear) Backward(gy mat.Tensor) error {
	x, dy := data(o.x), gy.(*tensor).data
	if o.w.RequiresGrad() {
		o.pool.TN(o.out, o.in, o.rows, dy, o.out, x, o.in, 1, gradient(o.w), o.in)
	}
	if o.bias != nil && o.bias.RequiresGrad() {
		o.sumColumns(gradient(o.bias), dy)
	}
	if o.low == nil && !o.keep {
		o.arena.put(x) // the gradient may take its place
	}
	dx, beta := o.into(o.x)
	o.pool.NN(o.rows, o.in, o.out, dy, o.out, values(o.w), o.in, beta, dx.data, o.in)
	if o.low != nil {
		o.low.back(o.graph, x, dy, o.inner, dx.data, o.out)
		o.arena.put(o.inner)
		if !o.keep {
			o.arena.put(x)
		}
	}
	if o.residual != nil {
		o.residual.AccGrad(gy)
	} else {
		o.arena.put(dy)
	}
	o.x.AccGrad(dx)
	return nil
}

// sumColumns adds dy's rows to dst; each column has one writer, which goes down the rows in order.
func (o *linear) sumColumns(dst, dy []float32) {
	o.pool.Range(o.out, grain, func(w *kernel.Worker, low, high int) {
		for i := range o.rows {
			w.Add(dst[low:high], dy[i*o.out+low:i*o.out+high])
		}
	})
}

// swiGLU is silu(gate) ⊙ up, of rows that hold gate and then up.
type swiGLU struct {
	*graph
	x     *ag.Operator // [rows, 2F]
	width int          // F
}

func (o *swiGLU) Operands() []mat.Tensor { return []mat.Tensor{o.x} }

func (o *swiGLU) Forward() (mat.Tensor, error) {
	x, f := data(o.x), o.width
	y := o.arena.get(o.rows * f)
	o.pool.Range(o.rows, grain, func(w *kernel.Worker, low, high int) {
		for i := low; i < high; i++ {
			w.SwiGLU(y[i*f:(i+1)*f], x[2*i*f:(2*i+1)*f], x[(2*i+1)*f:(2*i+2)*f])
		}
	})
	if !o.train {
		o.arena.put(x)
	}
	return newTensor(y, o.rows, f), nil
}

func (o *swiGLU) Backward(gy mat.Tensor) error {
	x, dy, f := data(o.x), gy.(*tensor).data, o.width
	o.pool.Range(o.rows, grain, func(w *kernel.Worker, low, high int) {
		for i := low; i < high; i++ {
			gate, up := x[2*i*f:(2*i+1)*f], x[(2*i+1)*f:(2*i+2)*f]
			w.SwiGLUGrad(gate, up, dy[i*f:(i+1)*f], gate, up)
		}
	})
	o.arena.put(dy)
	o.x.AccGrad(newTensor(x, o.rows, 2*f)) // the gradient has taken the place of the value, which nobody reads again
	return nil
}
