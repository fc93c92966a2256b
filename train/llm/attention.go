package llm

import (
	"math"

	"github.com/nlpodyssey/spago/ag"
	"github.com/nlpodyssey/spago/mat"

	"winnow/train/internal/kernel"
)

// rotary holds cosines and sines of position·theta^(-2i/hd), i below hd/2 (RoFormer, section 3.4.2), as far as positions were
// asked for.
type rotary struct {
	theta          float64
	half           int
	cos, sin, back []float32 // [positions, half]; back is -sin, which turns a gradient back
}

func newRotary(c Config) *rotary { return &rotary{theta: c.RopeTheta, half: c.HeadDim / 2} }

// grow makes the tables hold n positions.
func (r *rotary) grow(n int) {
	for t := len(r.cos) / r.half; t < n; t++ {
		for i := range r.half {
			sin, cos := math.Sincos(float64(t) * math.Pow(r.theta, -float64(2*i)/float64(2*r.half)))
			r.cos, r.sin, r.back = append(r.cos, float32(cos)), append(r.sin, float32(sin)), append(r.back, float32(-sin))
		}
	}
}

// turn rotates the first heads of a row in place; sin is r.sin, or r.back for the way back.
func (r *rotary) turn(w *kernel.Worker, row []float32, heads int, pos int32, sin []float32) {
	at, hd := int(pos)*r.half, 2*r.half
	for h := range heads {
		w.Rotate(row[h*hd:(h+1)*hd], r.cos[at:at+r.half], sin[at:at+r.half])
	}
}

// attention is softmax(q·kᵀ/√hd)·v over the earlier tokens of the same span, heads of q sharing heads of k and v. It turns q
// and k in place first. It works by blocks of rows on the columns up to the diagonal, and stores the log-sum-exp of each row
// instead of probabilities (FlashAttention-2, algorithm 1, with whole rows in place of column blocks).
type attention struct {
	*graph
	qkv    *ag.Operator // [rows, (H+2KV)·hd]
	config Config
	pos    []int32
	spans  []span
	rotary *rotary
	lse    []float32 // [rows, H]
	out    []float32 // [rows, H·hd], the value
}

// block is rows [low, high) of a span that begins at start.
type block struct{ start, low, high int }

// blockRows is the height of a block; scores of a block are [blockRows, columns] in a worker's scratch.
const blockRows = 64

func (o *attention) Operands() []mat.Tensor { return []mat.Tensor{o.qkv} }

func (o *attention) Forward() (mat.Tensor, error) {
	c, qkv := o.config, data(o.qkv)
	ld, ldo := c.qkvRows(), c.Heads*c.HeadDim
	o.turn(qkv, o.rotary.sin)
	o.out, o.lse = o.arena.get(o.rows*ldo), o.arena.get(o.rows*c.Heads)
	var blocks []block
	longest := 0
	for _, s := range o.spans {
		longest = max(longest, s.end-s.start)
		for low := s.start; low < s.end; low += blockRows {
			blocks = append(blocks, block{s.start, low, min(low+blockRows, s.end)})
		}
	}
	scratch := o.arena.get(o.pool.Threads() * blockRows * longest)
	o.pool.Run(len(blocks)*c.Heads, func(w *kernel.Worker, i int) {
		b, h := blocks[len(blocks)-1-i/c.Heads], i%c.Heads // long rows first
		s := scratch[w.ID()*blockRows*longest:][:blockRows*longest]
		o.forwardBlock(w, b, h, qkv, ld, ldo, s)
	})
	o.arena.put(scratch)
	if !o.train {
		o.arena.put(qkv, o.lse)
	}
	return newTensor(o.out, o.rows, ldo), nil
}

func (o *attention) turn(x, sin []float32) {
	c, ld := o.config, o.config.qkvRows()
	o.pool.Range(o.rows, grain, func(w *kernel.Worker, low, high int) {
		for i := low; i < high; i++ {
			o.rotary.turn(w, x[i*ld:(i+1)*ld], c.Heads+c.KVHeads, o.pos[i], sin)
		}
	})
}

// keysAt and valuesAt are offsets in a row of qkv for the key and value head that query head h shares.
func (c Config) keysAt(h int) int { return (c.Heads + h/(c.Heads/c.KVHeads)) * c.HeadDim }

func (c Config) valuesAt(h int) int { return c.keysAt(h) + c.KVHeads*c.HeadDim }

func (c Config) scoreScale() float32 { return float32(1 / math.Sqrt(float64(c.HeadDim))) }

func (o *attention) forwardBlock(w *kernel.Worker, b block, h int, qkv []float32, ld, ldo int, s []float32) {
	c := o.config
	hd, m, n := c.HeadDim, b.high-b.low, b.high-b.start
	w.NT(m, n, hd, qkv[b.low*ld+h*hd:], ld, qkv[b.start*ld+c.keysAt(h):], ld, 0, s, n)
	for r := range m {
		seen := b.low - b.start + r + 1
		row := s[r*n : (r+1)*n]
		o.lse[(b.low+r)*c.Heads+h] = w.Softmax(row[:seen], row[:seen], c.scoreScale())
		clear(row[seen:])
	}
	w.NN(m, hd, n, s, n, qkv[b.start*ld+c.valuesAt(h):], ld, 0, o.out[b.low*ldo+h*hd:], ldo)
}

func (o *attention) Backward(gy mat.Tensor) error {
	c, qkv, dy := o.config, data(o.qkv), gy.(*tensor).data
	grad := o.arena.get(len(qkv))
	longest := 0
	for _, s := range o.spans {
		longest = max(longest, s.end-s.start)
	}
	size := 2 * blockRows * longest
	scratch := o.arena.get(o.pool.Threads() * size)
	o.pool.Run(len(o.spans)*c.KVHeads, func(w *kernel.Worker, i int) {
		o.backwardSpan(w, o.spans[i/c.KVHeads], i%c.KVHeads, qkv, grad, dy, scratch[w.ID()*size:(w.ID()+1)*size])
	})
	o.turn(grad, o.rotary.back)
	o.arena.put(scratch, qkv, o.lse, o.out, dy)
	o.qkv.AccGrad(newTensor(grad, o.rows, c.qkvRows()))
	return nil
}

// backwardSpan does one span and one head of keys and values, whose gradients so have one writer: the query heads that share
// it one after another, their blocks from the last, which sees every column and so can overwrite.
func (o *attention) backwardSpan(w *kernel.Worker, sp span, kv int, qkv, grad, dy, scratch []float32) {
	c := o.config
	hd, ld, ldo, scale := c.HeadDim, c.qkvRows(), c.Heads*c.HeadDim, c.scoreScale()
	group := c.Heads / c.KVHeads
	p, ds := scratch[:len(scratch)/2], scratch[len(scratch)/2:]
	k, v := sp.start*ld+c.keysAt(kv*group), sp.start*ld+c.valuesAt(kv*group)
	var beta float32
	for h := kv * group; h < (kv+1)*group; h++ {
		for low := sp.start + (sp.end-sp.start-1)/blockRows*blockRows; low >= sp.start; low -= blockRows {
			high := min(low+blockRows, sp.end)
			m, n := high-low, high-sp.start
			q, y := low*ld+h*hd, low*ldo+h*hd
			w.NT(m, n, hd, qkv[q:], ld, qkv[k:], ld, 0, p, n)
			w.NT(m, n, hd, dy[y:], ldo, qkv[v:], ld, 0, ds, n)
			for r := range m {
				seen := low - sp.start + r + 1
				pr, dr := p[r*n:(r+1)*n], ds[r*n:(r+1)*n]
				w.Exp(pr[:seen], pr[:seen], scale, o.lse[(low+r)*c.Heads+h])
				sum := w.Dot(dy[y+r*ldo:y+r*ldo+hd], o.out[y+r*ldo:y+r*ldo+hd])
				w.SoftmaxGrad(dr[:seen], pr[:seen], dr[:seen], sum, scale)
				clear(pr[seen:])
				clear(dr[seen:])
			}
			w.TN(n, hd, m, p, n, dy[y:], ldo, beta, grad[v:], ld)
			w.TN(n, hd, m, ds, n, qkv[q:], ld, beta, grad[k:], ld)
			w.NN(m, hd, n, ds, n, qkv[k:], ld, 0, grad[q:], ld)
			beta = 1
		}
	}
}
