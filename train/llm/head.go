package llm

import (
	"github.com/nlpodyssey/spago/ag"
	"github.com/nlpodyssey/spago/mat"
	"github.com/nlpodyssey/spago/nn"

	"winnow/train/internal/kernel"
)

// crossEntropy is the last product and the loss of each token: the value is -log p(target), [rows, 1], 0 where a position has
// no target. Logits exist for one chunk of rows at a time, and only for rows that count.
//
// When weights are given, d(sum weights·nats) is computed on the way forward, while a chunk's logits are there, and the gradient
// that comes back must be the weights. Without them the way back computes the logits a second time: for losses whose weight of
// a token depends on all tokens' probabilities.
type crossEntropy struct {
	*graph
	x          *ag.Operator // [rows, D]
	w          *nn.Param    // [V, D]
	targets    []int32
	counted    []int32   // rows with a target, ascending
	weights    []float32 // [rows] or nil
	vocab, dim int
	grad       *tensor // of x, once computed
}

// chunkValues bounds the logits that exist at a time (8 MB), chunkRows their rows.
const (
	chunkValues = 2 << 20
	chunkRows   = 512
)

func (o *crossEntropy) chunk() int { return max(32, min(chunkRows, chunkValues/o.vocab)) }

func (o *crossEntropy) Operands() []mat.Tensor { return []mat.Tensor{o.x, o.w} }

func (o *crossEntropy) Forward() (mat.Tensor, error) {
	nats := o.arena.get(o.rows)
	clear(nats)
	o.pass(nats, o.weights)
	if !o.train || o.weights != nil {
		o.arena.put(data(o.x))
	}
	return newTensor(nats, o.rows, 1), nil
}

func (o *crossEntropy) Backward(gy mat.Tensor) error {
	if o.grad == nil {
		o.pass(nil, gy.(*tensor).data)
		o.arena.put(data(o.x))
	}
	o.arena.put(gy.(*tensor).data)
	o.x.AccGrad(o.grad)
	return nil
}

// pass goes through the counted rows in chunks: nats, if not nil, receives losses; weights, if not nil and the graph trains,
// make gradients.
func (o *crossEntropy) pass(nats, weights []float32) {
	d, v := o.dim, o.vocab
	x, w := data(o.x), values(o.w)
	back := o.train && weights != nil
	if back {
		o.grad = newTensor(o.arena.get(len(x)), o.rows, d)
		if len(o.counted) < o.rows {
			clear(o.grad.data)
		}
	}
	size := min(o.chunk(), len(o.counted))
	logits, gathered := o.arena.get(size*v), o.arena.get(size*d)
	for first := 0; first < len(o.counted); first += size {
		rows := o.counted[first:min(first+size, len(o.counted))]
		m := len(rows)
		whole := int(rows[m-1]-rows[0]) == m-1
		xs := gathered
		if whole {
			xs = x[int(rows[0])*d : (int(rows[0])+m)*d]
		} else {
			for i, r := range rows {
				copy(gathered[i*d:(i+1)*d], x[int(r)*d:(int(r)+1)*d])
			}
		}
		o.pool.NT(m, v, d, xs, d, w, d, 0, logits, v)
		o.losses(rows, logits, nats, weights, back)
		if !back {
			continue
		}
		if o.w.RequiresGrad() {
			o.pool.TN(v, d, m, logits, v, xs, d, 1, gradient(o.w), d)
		}
		if whole {
			o.pool.NN(m, d, v, logits, v, w, d, 0, o.grad.data[int(rows[0])*d:], d)
			continue
		}
		o.pool.NN(m, d, v, logits, v, w, d, 0, gathered, d)
		for i, r := range rows {
			copy(o.grad.data[int(r)*d:(int(r)+1)*d], gathered[i*d:(i+1)*d])
		}
	}
	o.arena.put(logits, gathered)
}

// losses turns a chunk's logits into losses and, on the way back, into weights·(softmax - onehot(target)) in place.
func (o *crossEntropy) losses(rows []int32, logits, nats, weights []float32, back bool) {
	v := o.vocab
	o.pool.Range(len(rows), 8, func(w *kernel.Worker, low, high int) {
		for i := low; i < high; i++ {
			r, z := int(rows[i]), logits[i*v:(i+1)*v]
			y := o.targets[r]
			if !back {
				nats[r] = w.LogSumExp(z, 1) - z[y]
				continue
			}
			hit := z[y]
			lse := w.Softmax(z, z, 1)
			if nats != nil {
				nats[r] = lse - hit
			}
			z[y] -= 1
			w.Scale(z, weights[r])
		}
	})
}
