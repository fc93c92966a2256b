package llm

import (
	"fmt"
	"math"
	"slices"

	"github.com/nlpodyssey/spago/ag"

	"winnow/train/internal/kernel"
)

// Trainer computes losses and gradients of a model. It is used by one goroutine at a time; its memory is kept from step to step.
type Trainer struct {
	model  *Model
	pool   *Pool
	arena  arena
	rotary *rotary
}

// NewTrainer makes a trainer that works on p; gradients are added to m's.
func NewTrainer(m *Model, p *Pool) *Trainer {
	return &Trainer{model: m, pool: p, rotary: newRotary(m.Config)}
}

// Accumulate runs b forward and backward once: it adds scale · d(sum of nats over counted targets) to the parameters'
// gradients, and returns the sum of nats. A batch without a counted target adds nothing.
func (t *Trainer) Accumulate(b *Batch, scale float32) (nats float64, err error) {
	weights := slices.Repeat([]float32{scale}, len(b.Targets))
	list, err := t.run(b, weights, nil)
	return total(list), err
}

// AccumulateWeighted adds d(sum of weights·nats) to the gradients, one weight for each position of b, and returns the nats of
// each position.
func (t *Trainer) AccumulateWeighted(b *Batch, weights []float32) (nats []float32, err error) {
	if len(weights) != len(b.Targets) {
		return nil, fmt.Errorf("train: %d weights for %d positions", len(weights), len(b.Targets))
	}
	return t.run(b, weights, nil)
}

// AccumulateLoss is for losses of whole sequences: it runs b forward, hands loss the nats (-log p) of each position, lets it fill
// weights (zero at first) with d(loss)/d(nats), and runs backward with them. It costs one more product with the head than
// AccumulateWeighted. It returns what loss returned.
func (t *Trainer) AccumulateLoss(b *Batch, loss func(nats, weights []float32) float64) (value float64, err error) {
	_, err = t.run(b, nil, func(nats, weights []float32) { value = loss(nats, weights) })
	return value, err
}

// Nats runs b forward alone: -log p of each target, 0 where none is counted.
func (t *Trainer) Nats(b *Batch) ([]float32, error) {
	if err := b.check(t.model.Config); err != nil {
		return nil, err
	}
	nats := make([]float32, len(b.Targets))
	if counted := b.counted(); len(counted) > 0 {
		out := run(t.last(b, counted, nil, false))
		copy(nats, data(out))
		t.arena.put(data(out))
		t.arena.next()
	}
	return nats, nil
}

// run is one pass forward and backward, with weights known before (weights) or made from the losses (loss).
func (t *Trainer) run(b *Batch, weights []float32, loss func(nats, weights []float32)) ([]float32, error) {
	if err := b.check(t.model.Config); err != nil {
		return nil, err
	}
	counted := b.counted()
	if len(counted) == 0 {
		return make([]float32, len(b.Targets)), nil
	}
	return t.finish(t.last(b, counted, weights, true), loss)
}

// finish runs the last operator forward and everything backward.
func (t *Trainer) finish(o *crossEntropy, loss func(nats, weights []float32)) ([]float32, error) {
	out := run(o)
	nats := slices.Clone(data(out))
	t.arena.put(data(out))
	back := t.arena.get(len(nats))
	if loss != nil {
		clear(back)
		loss(nats, back)
	} else {
		copy(back, o.weights)
	}
	out.AccGrad(newTensor(back, len(back), 1))
	if err := ag.Backward(out); err != nil {
		return nil, fmt.Errorf("train: backward: %w", err)
	}
	t.arena.next()
	return nats, nil
}

// last runs the chain up to the last normalised hidden states, and makes the operator that would turn them into losses.
func (t *Trainer) last(b *Batch, counted []int32, weights []float32, train bool) *crossEntropy {
	c, m := t.model.Config, t.model
	g := &graph{pool: t.pool, arena: &t.arena, train: train, rows: b.Rows * b.Len}
	root := newParam(1, 1) // makes every operator run backward, whatever is frozen: each gives memory back
	t.rotary.grow(int(slices.Max(b.Pos)) + 1)
	spans := b.spans()
	x := run(&embed{graph: g, table: m.Embedding, root: root, ids: b.IDs, dim: c.Dim})
	for _, l := range m.Blocks {
		n := run(&rmsNorm{graph: g, x: x, gain: l.AttentionNorm, eps: c.NormEps, dim: c.Dim})
		qkv := run(&linear{graph: g, x: n, w: l.QKV, low: m.low(l.QKVLow), bias: l.QKVBias, in: c.Dim, out: c.qkvRows()})
		a := run(&attention{graph: g, qkv: qkv, config: c, pos: b.Pos, spans: spans, rotary: t.rotary})
		x = run(&linear{graph: g, x: a, w: l.Output, low: m.low(l.OutputLow), residual: x, in: c.Heads * c.HeadDim, out: c.Dim, keep: true})
		n = run(&rmsNorm{graph: g, x: x, gain: l.FFNNorm, eps: c.NormEps, dim: c.Dim})
		gu := run(&linear{graph: g, x: n, w: l.GateUp, low: m.low(l.GateUpLow), in: c.Dim, out: 2 * c.FFN})
		h := run(&swiGLU{graph: g, x: gu, width: c.FFN})
		x = run(&linear{graph: g, x: h, w: l.Down, low: m.low(l.DownLow), residual: x, in: c.FFN, out: c.Dim})
	}
	x = run(&rmsNorm{graph: g, x: x, gain: m.Norm, eps: c.NormEps, dim: c.Dim, last: true})
	return &crossEntropy{graph: g, x: x, w: m.head(), targets: b.Targets, counted: counted, weights: weights, vocab: c.Vocab, dim: c.Dim}
}

func run(f ag.AutoGradFunction) *ag.Operator { return ag.NewOperator(f).Run() }

func total(nats []float32) float64 {
	var sum float64
	for _, v := range nats {
		sum += float64(v)
	}
	return sum
}

// Batch is Rows rows of Len tokens; its slices have Rows·Len values, row after row.
type Batch struct {
	Rows, Len int
	IDs       []int32 // token ids, 0 .. V-1
	Targets   []int32 // the id to be predicted at each position; below 0: not counted
	Pos       []int32 // position within the document; a position that is not its predecessor's + 1 begins an isolated span
}

// span is a stretch of one row whose tokens see one another: indices into the batch, end excluded.
type span struct{ start, end int }

// check reports the first value of b that does not fit a model of shape c.
func (b *Batch) check(c Config) error {
	n := b.Rows * b.Len
	if b.Rows < 1 || b.Len < 1 {
		return fmt.Errorf("batch: %d rows of %d tokens", b.Rows, b.Len)
	}
	if len(b.IDs) != n || len(b.Targets) != n || len(b.Pos) != n {
		return fmt.Errorf("batch: %d ids, %d targets, %d positions for %d rows of %d", len(b.IDs), len(b.Targets), len(b.Pos), b.Rows, b.Len)
	}
	for i := range n {
		if b.IDs[i] < 0 || int(b.IDs[i]) >= c.Vocab {
			return fmt.Errorf("batch: row %d: position %d: id %d is outside the vocabulary of %d", i/b.Len, i%b.Len, b.IDs[i], c.Vocab)
		}
		if int(b.Targets[i]) >= c.Vocab {
			return fmt.Errorf("batch: row %d: position %d: target %d is outside the vocabulary of %d", i/b.Len, i%b.Len, b.Targets[i], c.Vocab)
		}
		if b.Pos[i] < 0 || int(b.Pos[i]) >= c.Context {
			return fmt.Errorf("batch: row %d: position %d: place %d in its document is outside the context of %d", i/b.Len, i%b.Len, b.Pos[i], c.Context)
		}
	}
	return nil
}

// spans cuts the rows where positions do not go on.
func (b *Batch) spans() []span {
	var list []span
	for r := range b.Rows {
		start := r * b.Len
		for i := start + 1; i <= (r+1)*b.Len; i++ {
			if i == (r+1)*b.Len || b.Pos[i] != b.Pos[i-1]+1 {
				list = append(list, span{start, i})
				start = i
			}
		}
	}
	return list
}

// counted lists the positions that have a target.
func (b *Batch) counted() []int32 {
	list := make([]int32, 0, len(b.Targets))
	for i, y := range b.Targets {
		if y >= 0 {
			list = append(list, int32(i))
		}
	}
	return list
}

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
