package llm

import (
	"math"

	"github.com/nlpodyssey/spago/mat"
)

// arena lends float32 memory to operators and takes it back, so that a step after the first allocates next to nothing. It is
// used by one goroutine at a time: the operators of a graph run one after another.
type arena struct {
	free   []loan
	step   int
	lent   int64 // values lent now
	peak   int64 // the most values lent at a time
	held   int64 // values held in all
	poison bool  // tests: memory given back turns into NaN
}

type loan struct {
	data []float32
	used int // the step in which it was last lent
}

// get lends n values of unknown content: the smallest free buffer that is at most a quarter too large, else a new one.
func (a *arena) get(n int) []float32 {
	best := -1
	for i, l := range a.free {
		if c := cap(l.data); c >= n && c <= n+n/4 && (best < 0 || c < cap(a.free[best].data)) {
			best = i
		}
	}
	var data []float32
	if best >= 0 {
		data = a.free[best].data[:n]
		last := len(a.free) - 1
		a.free[best] = a.free[last]
		a.free[last] = loan{}
		a.free = a.free[:last]
	} else {
		data = make([]float32, n, (n+15)&^15)
		a.held += int64(cap(data))
	}
	a.lent += int64(cap(data))
	a.peak = max(a.peak, a.lent)
	return data
}

// put takes back what get lent; nil is fine.
func (a *arena) put(buffers ...[]float32) {
	for _, b := range buffers {
		if b == nil {
			continue
		}
		b = b[:cap(b)]
		a.lent -= int64(len(b))
		if a.poison {
			for i := range b {
				b[i] = float32(math.NaN())
			}
		}
		a.free = append(a.free, loan{b, a.step})
	}
}

// keepSteps is for how many steps memory that nobody asked for is kept: batches of other lengths come and go.
const keepSteps = 8

// next ends a step.
func (a *arena) next() {
	a.step++
	kept := a.free[:0]
	for _, l := range a.free {
		if a.step-l.used <= keepSteps {
			kept = append(kept, l)
		} else {
			a.held -= int64(cap(l.data))
		}
	}
	clear(a.free[len(kept):])
	a.free = kept
}

// tensor is a spago matrix on borrowed memory. Unlike mat.Dense it adopts its first gradient instead of cloning it, and a
// gradient that an operator has already added up in place is not added again.
type tensor struct {
	*mat.Dense[float32]
	data []float32
	grad *tensor
}

func newTensor(data []float32, rows, cols int) *tensor {
	return &tensor{Dense: mat.NewDense[float32](mat.WithShape(rows, cols), mat.WithBacking(data)), data: data}
}

// Value is the tensor itself: mat.Dense would give the matrix inside, which has a gradient of its own.
func (t *tensor) Value() mat.Tensor { return t }

// Grad is the gradient so far, nil before the first.
func (t *tensor) Grad() mat.Tensor {
	if t.grad == nil {
		return nil
	}
	return t.grad
}

// HasGrad reports whether a gradient came in.
func (t *tensor) HasGrad() bool { return t.grad != nil }

// ZeroGrad forgets the gradient.
func (t *tensor) ZeroGrad() { t.grad = nil }

// AccGrad takes gx over as the gradient, or adds it; when gx is the gradient itself there is nothing to add.
func (t *tensor) AccGrad(gx mat.Tensor) {
	g, ok := gx.(*tensor)
	if !ok {
		data := mat.Data[float32](gx)
		g = newTensor(append([]float32(nil), data...), gx.Shape()[0], gx.Shape()[1])
	}
	switch {
	case t.grad == nil:
		t.grad = g
	case t.grad != g:
		for i, v := range g.data {
			t.grad.data[i] += v
		}
	}
}
