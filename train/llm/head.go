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
	rule       lossRule  // nil: losses
	vocab, dim int
	grad       *tensor // of x, once computed
}

// lossRule makes what turns a chunk's logits into losses (nats, if not nil) and, where weights are given, into the gradient of
// weights·nats in place.
type lossRule func(nats, weights []float32) func(rows []int32, logits []float32)

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
	if o.rule == nil {
		o.rule = o.losses
	}
	back := o.train && o.weights != nil
	if back {
		o.pass(true, o.rule(nats, o.weights))
	} else {
		o.pass(false, o.rule(nats, nil))
	}
	if !o.train || back {
		o.arena.put(data(o.x))
	}
	return newTensor(nats, o.rows, 1), nil
}

func (o *crossEntropy) Backward(gy mat.Tensor) error {
	if o.grad == nil {
		o.pass(true, o.rule(nil, gy.(*tensor).data))
		o.arena.put(data(o.x))
	}
	o.arena.put(gy.(*tensor).data)
	o.x.AccGrad(o.grad)
	return nil
}

// pass goes through the counted rows in chunks and hands their logits [rows, V] to each; where back is set, each turns them into
// gradients, which go on to x and the matrix.
func (o *crossEntropy) pass(back bool, each func(rows []int32, logits []float32)) {
	d, v := o.dim, o.vocab
	x, w := data(o.x), values(o.w)
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
		xs, whole := gather(gathered, x, rows, d)
		o.pool.NT(m, v, d, xs, d, w, d, 0, logits, v)
		each(rows, logits)
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

// gather is the rows of x [.., d] one behind the other: a part of x itself where they follow each other (whole), else in room.
func gather(room, x []float32, rows []int32, d int) (xs []float32, whole bool) {
	m := len(rows)
	if first := int(rows[0]); int(rows[m-1])-first == m-1 {
		return x[first*d : (first+m)*d], true
	}
	for i, r := range rows {
		copy(room[i*d:(i+1)*d], x[int(r)*d:(int(r)+1)*d])
	}
	return room, false
}

// losses is the rule of cross-entropy: -log p(target), with the gradient softmax - onehot(target).
func (o *crossEntropy) losses(nats, weights []float32) func(rows []int32, logits []float32) {
	v := o.vocab
	return func(rows []int32, logits []float32) {
		o.pool.Range(len(rows), 8, func(w *kernel.Worker, low, high int) {
			for i := low; i < high; i++ {
				r, z := int(rows[i]), logits[i*v:(i+1)*v]
				y := o.targets[r]
				if weights == nil {
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
}
