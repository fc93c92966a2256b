package llm

import (
	"errors"
	"fmt"

	"github.com/nlpodyssey/spago/nn"

	"winnow/train/internal/kernel"
)

// ErrFull says that tokens do not fit into what is left of a slot's context.
var ErrFull = errors.New("context is full")

// Decoder gives the logits of next tokens for several texts at a time, each in a slot with its own cache of keys and values.
// Matrices are packed when it is made, adapters that are on merged into them: after the model changed, Reload. It is used by one
// goroutine at a time. A slot's bits depend on its own tokens, not on other slots nor on the number of threads.
type Decoder struct {
	config   Config
	pool     *Pool
	rotary   *rotary
	context  int
	model    *Model
	layers   []packedBlock
	head     *kernel.Packed
	slots    []slot
	attended []task
	x, n     []float32 // [tokens, D]: residual stream, normed
	qkv, a   []float32 // [tokens, (H+2KV)·hd], [tokens, H·hd]
	gu, h    []float32 // [tokens, 2F], [tokens, F]
	scores   []float32 // [threads, scoreSize]
	row      []place   // [tokens]
	merged   []float32 // one matrix with its adapters, while it is packed
}

type packedBlock struct{ qkv, output, gateUp, down *kernel.Packed }

// slot is one text: keys and values of its tokens, for each layer and KV head [context, hd].
type slot struct {
	keys   []*kernel.Packed
	values []float32
	length int
}

// place says where a token of the current pass stands.
type place struct{ slot, pos int }

// task is consecutive tokens of one slot in the current pass: rows [row, row+count), positions from pos.
type task struct{ slot, row, count, pos int }

// prefillRows is how many tokens go through the layers at a time; scoreRows how many of them one attention task takes.
const (
	prefillRows = 256
	scoreRows   = 32
)

// NewDecoder packs m's weights for p and makes room for slots texts of context tokens (0: the model's).
func NewDecoder(m *Model, p *Pool, slots, context int) (*Decoder, error) {
	c := m.Config
	if context == 0 {
		context = c.Context
	}
	if slots < 1 || context < 1 || context > c.Context {
		return nil, fmt.Errorf("decoder: %d slots of %d tokens with a model of %d", slots, context, c.Context)
	}
	d := &Decoder{config: c, pool: p, rotary: newRotary(c), context: context, model: m}
	d.rotary.grow(context)
	for range m.Blocks {
		d.layers = append(d.layers, packedBlock{
			qkv: p.NewPacked(c.qkvRows(), c.Dim), output: p.NewPacked(c.Dim, c.Heads*c.HeadDim),
			gateUp: p.NewPacked(2*c.FFN, c.Dim), down: p.NewPacked(c.Dim, c.FFN),
		})
	}
	d.head = p.NewPacked(c.Vocab, c.Dim)
	for range slots {
		s := slot{values: make([]float32, c.Layers*c.KVHeads*context*c.HeadDim)}
		for range c.Layers * c.KVHeads {
			s.keys = append(s.keys, p.NewPacked(context, c.HeadDim))
		}
		d.slots = append(d.slots, s)
	}
	d.scores = make([]float32, p.Threads()*d.scoreSize())
	d.Reload()
	return d, nil
}

// Reload packs the model's weights as they are now, in the memory that it has, and empties the slots, whose keys and values are
// those of the weights before.
func (d *Decoder) Reload() {
	for i, b := range d.model.Blocks {
		to := d.layers[i]
		d.pack(to.qkv, b.QKV, b.QKVLow)
		d.pack(to.output, b.Output, b.OutputLow)
		d.pack(to.gateUp, b.GateUp, b.GateUpLow)
		d.pack(to.down, b.Down, b.DownLow)
	}
	d.pack(d.head, d.model.head(), nil)
	for i := range d.slots {
		d.Reset(i)
	}
}

// pack fills to with the weights w and with their adapters, where those are on.
func (d *Decoder) pack(to *kernel.Packed, w *nn.Param, low *LowRank) {
	from := values(w)
	if low = d.model.low(low); low != nil {
		if len(d.merged) < len(from) {
			d.merged = make([]float32, len(from))
		}
		from = d.merged[:len(from)]
		low.merge(d.pool, from, values(w))
	}
	d.pool.Repack(to, from, to.K)
}

// Context is how many tokens a slot holds.
func (d *Decoder) Context() int { return d.context }

// Slots is the number of slots.
func (d *Decoder) Slots() int { return len(d.slots) }

// Len is how many tokens the slot holds now.
func (d *Decoder) Len(slot int) int { return d.slots[slot].length }

// Reset empties the slot.
func (d *Decoder) Reset(slot int) { d.slots[slot].length = 0 }

// Truncate keeps the slot's first n tokens, for texts that begin alike.
func (d *Decoder) Truncate(slot, n int) {
	d.slots[slot].length = max(0, min(n, d.slots[slot].length))
}

// Copy makes slot to hold the first n tokens of slot from, keys and values included, as if it had read them itself: for several
// answers to one prompt. It fails where from holds fewer.
func (d *Decoder) Copy(to, from, n int) error {
	if to < 0 || from < 0 || to >= len(d.slots) || from >= len(d.slots) || n < 0 || n > d.slots[from].length {
		return fmt.Errorf("decoder: %d tokens of slot %d to slot %d of %d", n, from, to, len(d.slots))
	}
	if to != from {
		a, b, hd := &d.slots[to], &d.slots[from], d.config.HeadDim
		d.pool.Run(len(a.keys), func(_ *kernel.Worker, head int) {
			a.keys[head].CopyRows(b.keys[head], n)
			at := head * d.context * hd
			copy(a.values[at:at+n*hd], b.values[at:at+n*hd])
		})
	}
	d.slots[to].length = n
	return nil
}

// Prefill appends ids to the slot and returns the logits [V] after the last of them. ErrFull: they do not fit, and nothing
// was appended.
func (d *Decoder) Prefill(slot int, ids []int32) ([]float32, error) {
	if err := d.fits(slot, ids); err != nil {
		return nil, err
	}
	logits := make([]float32, d.config.Vocab)
	for len(ids) > 0 {
		m := min(prefillRows, len(ids))
		d.append(slot, ids[:m])
		if m == len(ids) {
			d.logits(m-1, 1, logits)
		}
		ids = ids[m:]
	}
	return logits, nil
}

// PrefillAll appends ids to the slot and returns the logits after each of them, [len(ids), V].
func (d *Decoder) PrefillAll(slot int, ids []int32) ([]float32, error) {
	if err := d.fits(slot, ids); err != nil {
		return nil, err
	}
	v := d.config.Vocab
	logits := make([]float32, len(ids)*v)
	for done := 0; done < len(ids); {
		m := min(prefillRows, len(ids)-done)
		d.append(slot, ids[done:done+m])
		d.logits(0, m, logits[done*v:(done+m)*v])
		done += m
	}
	return logits, nil
}

// Step appends one id to each of the slots, which must differ, and returns their next logits, [len(slots), V]. ErrFull: one of
// them is full, and nothing was appended.
func (d *Decoder) Step(slots []int, ids []int32) ([]float32, error) {
	if len(slots) != len(ids) || len(slots) == 0 {
		return nil, fmt.Errorf("decoder: %d ids for %d slots", len(ids), len(slots))
	}
	d.row, d.attended = d.row[:0], d.attended[:0]
	for i, s := range slots {
		if err := d.fits(s, ids[i:i+1]); err != nil {
			return nil, err
		}
		for _, before := range slots[:i] {
			if before == s {
				return nil, fmt.Errorf("decoder: slot %d twice in a step", s)
			}
		}
		d.row = append(d.row, place{s, d.slots[s].length})
		d.attended = append(d.attended, task{s, i, 1, d.slots[s].length})
	}
	d.forward(ids)
	for _, s := range slots {
		d.slots[s].length++
	}
	logits := make([]float32, len(slots)*d.config.Vocab)
	d.logits(0, len(slots), logits)
	return logits, nil
}

func (d *Decoder) fits(slot int, ids []int32) error {
	if slot < 0 || slot >= len(d.slots) {
		return fmt.Errorf("decoder: slot %d of %d", slot, len(d.slots))
	}
	if len(ids) == 0 {
		return fmt.Errorf("decoder: slot %d: no tokens", slot)
	}
	for _, id := range ids {
		if id < 0 || int(id) >= d.config.Vocab {
			return fmt.Errorf("decoder: slot %d: id %d is outside the vocabulary of %d", slot, id, d.config.Vocab)
		}
	}
	if d.slots[slot].length+len(ids) > d.context {
		return fmt.Errorf("decoder: slot %d: %d tokens after %d of %d: %w", slot, len(ids), d.slots[slot].length, d.context, ErrFull)
	}
	return nil
}

// append runs at most prefillRows ids of one slot through the layers.
func (d *Decoder) append(slot int, ids []int32) {
	d.row, d.attended = d.row[:0], d.attended[:0]
	start := d.slots[slot].length
	for i := range ids {
		d.row = append(d.row, place{slot, start + i})
	}
	for i := 0; i < len(ids); i += scoreRows {
		d.attended = append(d.attended, task{slot, i, min(scoreRows, len(ids)-i), start + i})
	}
	d.forward(ids)
	d.slots[slot].length += len(ids)
}

// forward runs the tokens at d.row through the layers; the residual stream stays in d.x.
func (d *Decoder) forward(ids []int32) {
	c, p, m := d.config, d.pool, len(ids)
	ld, wide := c.qkvRows(), c.Heads*c.HeadDim
	for _, b := range []struct {
		buffer *[]float32
		width  int
	}{{&d.x, c.Dim}, {&d.n, c.Dim}, {&d.qkv, ld}, {&d.a, wide}, {&d.gu, 2 * c.FFN}, {&d.h, c.FFN}} {
		if cap(*b.buffer) < m*b.width {
			*b.buffer = make([]float32, m*b.width)
		}
		*b.buffer = (*b.buffer)[:m*b.width]
	}
	table := values(d.model.Embedding)
	for i, id := range ids {
		copy(d.x[i*c.Dim:(i+1)*c.Dim], table[int(id)*c.Dim:])
	}
	for l, packed := range d.layers {
		b := d.model.Blocks[l]
		d.norm(values(b.AttentionNorm), 0, m)
		var beta float32
		if b.QKVBias != nil {
			beta = 1
			for i := range m {
				copy(d.qkv[i*ld:(i+1)*ld], values(b.QKVBias))
			}
		}
		p.MulPacked(m, d.n, c.Dim, packed.qkv, beta, d.qkv, ld)
		d.remember(l, m)
		p.Run(len(d.attended)*c.KVHeads, func(w *kernel.Worker, i int) {
			d.attend(w, l, d.attended[i/c.KVHeads], i%c.KVHeads)
		})
		p.MulPacked(m, d.a, wide, packed.output, 1, d.x, c.Dim)
		d.norm(values(b.FFNNorm), 0, m)
		p.MulPacked(m, d.n, c.Dim, packed.gateUp, 0, d.gu, 2*c.FFN)
		p.Range(m, 8, func(w *kernel.Worker, low, high int) {
			for i := low; i < high; i++ {
				w.SwiGLU(d.h[i*c.FFN:(i+1)*c.FFN], d.gu[2*i*c.FFN:(2*i+1)*c.FFN], d.gu[(2*i+1)*c.FFN:(2*i+2)*c.FFN])
			}
		})
		p.MulPacked(m, d.h, c.FFN, packed.down, 1, d.x, c.Dim)
	}
}

// norm puts rows [first, first+m) of the residual stream, normed, into the first rows of d.n.
func (d *Decoder) norm(gain []float32, first, m int) {
	dim := d.config.Dim
	d.pool.Range(m, 16, func(w *kernel.Worker, low, high int) {
		for i := low; i < high; i++ {
			w.RMSNorm(d.n[i*dim:(i+1)*dim], d.x[(first+i)*dim:(first+i+1)*dim], gain, d.config.NormEps)
		}
	})
}

// remember turns queries and keys by their positions and puts keys and values into the caches.
func (d *Decoder) remember(layer, m int) {
	c := d.config
	hd, ld := c.HeadDim, c.qkvRows()
	d.pool.Range(m, 16, func(w *kernel.Worker, low, high int) {
		for i := low; i < high; i++ {
			row, at := d.qkv[i*ld:(i+1)*ld], d.row[i]
			d.rotary.turn(w, row, c.Heads+c.KVHeads, int32(at.pos), d.rotary.sin)
			s := &d.slots[at.slot]
			for h := range c.KVHeads {
				head := layer*c.KVHeads + h
				s.keys[head].Set(at.pos, row[(c.Heads+h)*hd:(c.Heads+h+1)*hd])
				to := (head*d.context + at.pos) * hd
				copy(s.values[to:to+hd], row[(c.Heads+c.KVHeads+h)*hd:])
			}
		}
	})
}

// scoreSize is a worker's scratch: scores of scoreRows tokens, or of all query heads of one, against a full context.
func (d *Decoder) scoreSize() int {
	return max(scoreRows, d.config.Heads/d.config.KVHeads) * d.context
}

// attend does one head of keys and values for one task: all its rows, all query heads that share the head.
func (d *Decoder) attend(w *kernel.Worker, layer int, t task, kv int) {
	c := d.config
	hd, ld, wide, group := c.HeadDim, c.qkvRows(), c.Heads*c.HeadDim, c.Heads/c.KVHeads
	if t.count == 1 { // the query heads of one token lie one behind the other: one product for all
		at := t.row*ld + kv*group*hd
		d.attendRows(w, layer, t, kv, group, d.qkv[at:], hd, d.a[t.row*wide+kv*group*hd:], hd)
		return
	}
	for h := kv * group; h < (kv+1)*group; h++ {
		d.attendRows(w, layer, t, kv, t.count, d.qkv[t.row*ld+h*hd:], ld, d.a[t.row*wide+h*hd:], wide)
	}
}

// valuePart is how many tokens' values are summed up at a time. The cuts lie at fixed positions, so that a token's bits do not
// depend on how the prompt came in.
const valuePart = 256

// attendRows is m rows of queries q against the cache: heads of one token when t has one, else t's tokens in order.
func (d *Decoder) attendRows(w *kernel.Worker, layer int, t task, kv, m int, q []float32, ldq int, out []float32, ldo int) {
	c, s, n := d.config, &d.slots[t.slot], t.pos+t.count
	head, hd := layer*c.KVHeads+kv, c.HeadDim
	keys, values := s.keys[head].Rows(n), s.values[head*d.context*hd:]
	scores := d.scores[w.ID()*d.scoreSize() : (w.ID()+1)*d.scoreSize()]
	w.MulPacked(m, q, ldq, &keys, 0, scores, n)
	for r := range m {
		row, seen := scores[r*n:(r+1)*n], n
		if t.count > 1 {
			seen = t.pos + r + 1
		}
		w.Softmax(row[:seen], row[:seen], c.scoreScale())
		clear(row[seen:])
	}
	for from := 0; from < n; from += valuePart {
		w.NN(m, hd, min(valuePart, n-from), scores[from:], n, values[from*hd:], hd, float32(min(1, from)), out, ldo)
	}
}

// logits multiplies rows [first, first+m) of the residual stream by the head.
func (d *Decoder) logits(first, m int, dst []float32) {
	d.norm(values(d.model.Norm), first, m)
	d.pool.MulPacked(m, d.n, d.config.Dim, d.head, 0, dst, d.config.Vocab)
}
