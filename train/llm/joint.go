package llm

import (
	"fmt"
	"math"
	"slices"

	"github.com/nlpodyssey/spago/ag"
	"github.com/nlpodyssey/spago/mat"
	"github.com/nlpodyssey/spago/nn"

	"winnow/train/internal/kernel"
)

// Head is a scalar read off the last normalised hidden state of a position, without a bias: a reward or a value. It is the
// score.weight of HF's LlamaForSequenceClassification with one label.
type Head struct {
	nn.Module
	Score *nn.Param // [1, D]
}

// NewHead makes a head for models of shape c whose weights follow N(0, 1/√(D+1)) (Stiennon et al. 2020).
func NewHead(c Config, seed uint64) *Head {
	h := &Head{Score: newParam(1, c.Dim)}
	fillNormal(values(h.Score), seed, "score", 1/math.Sqrt(float64(c.Dim+1)))
	return h
}

// ZeroHead makes a head that reads 0 off every position.
func ZeroHead(c Config) *Head { return &Head{Score: newParam(1, c.Dim)} }

// Params lists what is trained: one row that decays as matrices do.
func (h *Head) Params() []Param {
	return []Param{{Name: "score", Value: values(h.Score), Grad: gradient(h.Score), Decay: true}}
}

// Weight is the head as HF names it, shared with it.
func (h *Head) Weight() Weight { return matrix("score.weight", h.Score, 0, 1, len(values(h.Score))) }

// Outputs is what a pass says of each position of a batch.
type Outputs struct {
	Nats    []float32 // -log p(target); 0 where none is counted
	Entropy []float32 // of the distribution that the target was drawn from, in nats; 0 where none is counted
	Values  []float32 // the head's scalar, at every position; nil without a head
}

// Gradients is d(loss)/d(output) for each of Outputs' numbers, 0 where nothing is set. Where no target is counted, Nats and
// Entropy are not read.
type Gradients struct{ Nats, Entropy, Values []float32 }

// AccumulateJoint is for losses that read log-probabilities, entropies and the scalars of a head together: one pass forward,
// one backward. loss fills the gradients (zero at first) and returns the loss, which is passed on. Without a head (nil) it is
// AccumulateLoss with entropies; a batch without any counted target trains the head and what is below it alone.
func (t *Trainer) AccumulateJoint(b *Batch, h *Head, loss func(o Outputs, g Gradients) float64) (float64, error) {
	out, parts, err := t.joint(b, h, true)
	if err != nil {
		return 0, err
	}
	n := len(b.Targets)
	back := t.arena.get(len(data(out)))
	clear(back)
	value := loss(parts, Gradients{Nats: back[:n:n], Entropy: back[n : 2*n : 2*n], Values: valuesPart(back, n)})
	t.arena.put(data(out))
	out.AccGrad(newTensor(back, len(back), 1))
	if err := ag.Backward(out); err != nil {
		return 0, fmt.Errorf("train: backward: %w", err)
	}
	t.arena.next()
	return value, nil
}

// Outputs runs b forward alone. A row's numbers are the same bits that AccumulateJoint's loss gets for it, whatever other rows
// the batches have.
func (t *Trainer) Outputs(b *Batch, h *Head) (Outputs, error) {
	out, parts, err := t.joint(b, h, false)
	if err != nil {
		return Outputs{}, err
	}
	t.arena.put(data(out))
	t.arena.next()
	return parts, nil
}

// joint runs b forward; the parts are copies.
func (t *Trainer) joint(b *Batch, h *Head, train bool) (*ag.Operator, Outputs, error) {
	c := t.model.Config
	if err := b.check(c); err != nil {
		return nil, Outputs{}, err
	}
	o := &jointHeads{columns: 2}
	if h != nil {
		if d := len(values(h.Score)); d != c.Dim {
			return nil, Outputs{}, fmt.Errorf("train: a head of width %d on a model of width %d", d, c.Dim)
		}
		o.score, o.columns = h.Score, 3
	}
	o.crossEntropy = t.last(b, b.counted(), nil, train)
	out := run(o)
	n, all := len(b.Targets), slices.Clone(data(out))
	return out, Outputs{Nats: all[:n:n], Entropy: all[n : 2*n : 2*n], Values: valuesPart(all, n)}, nil
}

// valuesPart is the third column of a joint value, nil where there is none.
func valuesPart(all []float32, n int) []float32 {
	if len(all) == 2*n {
		return nil
	}
	return all[2*n:]
}

// jointHeads is the policy's head and a scalar head over the same hidden states. Its value is the losses of all rows, then
// their entropies, then their scalars: [columns·rows, 1].
type jointHeads struct {
	*crossEntropy
	score   *nn.Param // [1, D] or nil
	columns int       // 2, or 3 with a score
}

func (o *jointHeads) Operands() []mat.Tensor {
	if o.score == nil {
		return o.crossEntropy.Operands()
	}
	return append(o.crossEntropy.Operands(), o.score)
}

func (o *jointHeads) Forward() (mat.Tensor, error) {
	n, d := o.rows, o.dim
	y := o.arena.get(o.columns * n)
	clear(y)
	if len(o.counted) > 0 {
		o.readOut(y[:n], y[n:2*n])
	}
	if o.score != nil {
		x, score := data(o.x), values(o.score)
		o.pool.Range(n, grain, func(w *kernel.Worker, low, high int) {
			for i := low; i < high; i++ {
				y[2*n+i] = w.Dot(x[i*d:(i+1)*d], score)
			}
		})
	}
	if !o.train {
		o.arena.put(data(o.x))
	}
	return newTensor(y, len(y), 1), nil
}

// readOut fills losses and entropies: lse - z[target] and lse - p·z.
func (o *jointHeads) readOut(nats, entropy []float32) {
	v := o.vocab
	room := o.arena.get(o.pool.Threads() * v)
	o.pass(false, func(rows []int32, logits []float32) {
		o.pool.Range(len(rows), 8, func(w *kernel.Worker, low, high int) {
			p := room[w.ID()*v : (w.ID()+1)*v]
			for i := low; i < high; i++ {
				z := logits[i*v : (i+1)*v]
				lse := w.Softmax(p, z, 1)
				nats[rows[i]] = lse - z[o.targets[rows[i]]]
				entropy[rows[i]] = max(0, lse-w.Dot(p, z))
			}
		})
	})
	o.arena.put(room)
}

func (o *jointHeads) Backward(gy mat.Tensor) error {
	n, dy := o.rows, gy.(*tensor).data
	for i, y := range o.targets {
		if y < 0 {
			dy[i], dy[n+i] = 0, 0
		}
	}
	if slices.ContainsFunc(dy[:2*n], func(g float32) bool { return g != 0 }) {
		o.pushBack(dy[:n], dy[n:2*n])
	} else {
		o.grad = newTensor(o.arena.get(n*o.dim), n, o.dim)
		clear(o.grad.data)
	}
	if o.score != nil {
		o.scoreBack(dy[2*n:])
	}
	o.arena.put(data(o.x), dy)
	o.x.AccGrad(o.grad)
	return nil
}

// pushBack computes logits once more and turns them into nats·(p - onehot(target)) - entropy·p·(log p + H).
func (o *jointHeads) pushBack(nats, entropy []float32) {
	v := o.vocab
	room := o.arena.get(o.pool.Threads() * v)
	o.pass(true, func(rows []int32, logits []float32) {
		o.pool.Range(len(rows), 8, func(w *kernel.Worker, low, high int) {
			p := room[w.ID()*v : (w.ID()+1)*v]
			for i := low; i < high; i++ {
				r, z := rows[i], logits[i*v:(i+1)*v]
				if entropy[r] == 0 {
					w.Softmax(z, z, 1)
					w.Scale(z, nats[r])
				} else {
					w.Softmax(p, z, 1)
					w.SoftmaxGrad(z, p, z, w.Dot(p, z), -entropy[r])
					w.Axpy(z, nats[r], p)
				}
				z[o.targets[r]] -= nats[r]
			}
		})
	})
	o.arena.put(room)
}

// scoreBack adds the scalars' gradients dv: to the hidden states' dv·score, to the score the sum of dv·x, parts of rows each by
// one writer and the parts in order.
func (o *jointHeads) scoreBack(dv []float32) {
	d, x, score := o.dim, data(o.x), values(o.score)
	parts := (o.rows + grain - 1) / grain
	partial := o.arena.get(parts * d)
	o.pool.Range(o.rows, grain, func(w *kernel.Worker, low, high int) {
		sum := partial[low/grain*d : (low/grain+1)*d]
		clear(sum)
		for i := low; i < high; i++ {
			if dv[i] != 0 {
				w.Axpy(o.grad.data[i*d:(i+1)*d], dv[i], score)
				w.Axpy(sum, dv[i], x[i*d:(i+1)*d])
			}
		}
	})
	if o.score.RequiresGrad() {
		grad := gradient(o.score)
		for p := range parts {
			for j, g := range partial[p*d : (p+1)*d] {
				grad[j] += g
			}
		}
	}
	o.arena.put(partial)
}
