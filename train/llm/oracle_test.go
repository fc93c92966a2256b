package llm

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/nlpodyssey/spago/ag"
	"github.com/nlpodyssey/spago/mat"
	"github.com/nlpodyssey/spago/nn"
)

// oracle is the model once more, in float64, composed of spago's elementary operators token by token. It shares nothing with
// the fused operators. Its RMSNorm is built from Dot: spago's own has other constants, and its ReduceSum ends the process.
type oracle struct {
	c    Config
	leaf map[*nn.Param]mat.Tensor // the whole parameter
	rows map[*nn.Param][]mat.Tensor
}

func newOracle(m *Model) *oracle {
	o := &oracle{c: m.Config, leaf: map[*nn.Param]mat.Tensor{}, rows: map[*nn.Param][]mat.Tensor{}}
	for _, p := range m.named() {
		v := values(p.param)
		wide := make([]float64, len(v))
		for i := range v {
			wide[i] = float64(v[i])
		}
		if p.name == "embedding" && m.Head != nil { // rows are looked up: a leaf for each
			d := m.Config.Dim
			for r := range m.Config.Vocab {
				o.rows[p.param] = append(o.rows[p.param], mat.NewDense[float64](mat.WithShape(d, 1), mat.WithBacking(wide[r*d:(r+1)*d]), mat.WithGrad(true)))
			}
			continue
		}
		o.leaf[p.param] = mat.NewDense[float64](mat.WithShape(p.param.Shape()...), mat.WithBacking(wide), mat.WithGrad(true))
	}
	return o
}

func scalar(v float64) mat.Tensor { return mat.Scalar(v) }

func (o *oracle) embed(p *nn.Param, id int32) mat.Tensor {
	if rows, ok := o.rows[p]; ok {
		return rows[id]
	}
	return ag.T(ag.Slice(o.leaf[p], int(id), 0, int(id)+1, o.c.Dim))
}

func (o *oracle) norm(x mat.Tensor, gain *nn.Param) mat.Tensor {
	mean := ag.ProdScalar(ag.Dot(x, x), scalar(1/float64(o.c.Dim)))
	root := ag.Pow(ag.AddScalar(mean, scalar(o.c.NormEps)), -0.5)
	return ag.Prod(ag.ProdScalar(x, root), o.leaf[gain])
}

// rotation is the matrix that turns a head by RoPE, half-split.
func (o *oracle) rotation(pos int) mat.Tensor {
	hd := o.c.HeadDim
	r := make([]float64, hd*hd)
	for i := range hd / 2 {
		a := float64(pos) * math.Pow(o.c.RopeTheta, -2*float64(i)/float64(hd))
		j := i + hd/2
		r[i*hd+i], r[i*hd+j], r[j*hd+i], r[j*hd+j] = math.Cos(a), -math.Sin(a), math.Sin(a), math.Cos(a)
	}
	return mat.NewDense[float64](mat.WithShape(hd, hd), mat.WithBacking(r))
}

// head is rows [first, first+hd) of a column.
func (o *oracle) head(x mat.Tensor, first int) mat.Tensor {
	return ag.Slice(x, first, 0, first+o.c.HeadDim, 1)
}

func (o *oracle) block(b *Block, xs []mat.Tensor, pos []int32) []mat.Tensor {
	c := o.c
	var qkv []mat.Tensor
	for _, x := range xs {
		y := ag.Mul(o.leaf[b.QKV], o.norm(x, b.AttentionNorm))
		if b.QKVBias != nil {
			y = ag.Add(y, o.leaf[b.QKVBias])
		}
		qkv = append(qkv, y)
	}
	keys, vals := make([][]mat.Tensor, c.KVHeads), make([][]mat.Tensor, c.KVHeads)
	start := 0
	var out []mat.Tensor
	for t, x := range xs {
		if t > 0 && pos[t] != pos[t-1]+1 {
			start = t
		}
		turn := o.rotation(int(pos[t]))
		for h := range c.KVHeads {
			keys[h] = append(keys[h], ag.Mul(turn, o.head(qkv[t], (c.Heads+h)*c.HeadDim)))
			vals[h] = append(vals[h], o.head(qkv[t], (c.Heads+c.KVHeads+h)*c.HeadDim))
		}
		var heads []mat.Tensor
		for h := range c.Heads {
			kv := h / (c.Heads / c.KVHeads)
			q := ag.Mul(turn, o.head(qkv[t], h*c.HeadDim))
			var scores []mat.Tensor
			for s := start; s <= t; s++ {
				scores = append(scores, ag.ProdScalar(ag.Dot(q, keys[kv][s]), scalar(1/math.Sqrt(float64(c.HeadDim)))))
			}
			p := ag.Softmax(ag.Concat(scores...))
			var sum mat.Tensor
			for s := start; s <= t; s++ {
				part := ag.ProdScalar(vals[kv][s], ag.At(p, s-start))
				if sum == nil {
					sum = part
				} else {
					sum = ag.Add(sum, part)
				}
			}
			heads = append(heads, sum)
		}
		x = ag.Add(x, ag.Mul(o.leaf[b.Output], ag.Concat(heads...)))
		gu := ag.Mul(o.leaf[b.GateUp], o.norm(x, b.FFNNorm))
		gate, up := ag.Slice(gu, 0, 0, c.FFN, 1), ag.Slice(gu, c.FFN, 0, 2*c.FFN, 1)
		h := ag.Prod(ag.Prod(gate, ag.Sigmoid(gate)), up)
		out = append(out, ag.Add(x, ag.Mul(o.leaf[b.Down], h)))
	}
	return out
}

// hidden is the graph of the last normalised hidden state of each position.
func (o *oracle) hidden(m *Model, b *Batch) []mat.Tensor {
	var list []mat.Tensor
	for r := range b.Rows {
		var xs []mat.Tensor
		row := func(s []int32) []int32 { return s[r*b.Len : (r+1)*b.Len] }
		for _, id := range row(b.IDs) {
			xs = append(xs, o.embed(m.Embedding, id))
		}
		for _, l := range m.Blocks {
			xs = o.block(l, xs, row(b.Pos))
		}
		for _, x := range xs {
			list = append(list, o.norm(x, m.Norm))
		}
	}
	return list
}

// logits is the graph of the logits of each counted target, nil elsewhere.
func (o *oracle) logits(m *Model, b *Batch, hidden []mat.Tensor) []mat.Tensor {
	list := make([]mat.Tensor, len(hidden))
	for _, i := range b.counted() {
		list[i] = ag.Mul(o.leaf[m.head()], hidden[i])
	}
	return list
}

// nats is the graph of the loss of each counted target, nil elsewhere.
func (o *oracle) nats(m *Model, b *Batch) []mat.Tensor {
	list := o.logits(m, b, o.hidden(m, b))
	for i, z := range list {
		if z != nil {
			list[i] = ag.Neg(ag.Log(ag.At(ag.Softmax(z), int(b.Targets[i]))))
		}
	}
	return list
}

// gradient is the oracle's gradient of a parameter, as one slice.
func (o *oracle) gradient(p *nn.Param) []float64 {
	if rows, ok := o.rows[p]; ok {
		var g []float64
		for _, r := range rows {
			if r.HasGrad() {
				g = append(g, mat.Data[float64](r.Grad())...)
			} else {
				g = append(g, make([]float64, o.c.Dim)...)
			}
		}
		return g
	}
	return mat.Data[float64](o.leaf[p].Grad())
}

// shapes that the model must be right for, small.
func testConfigs() map[string]Config {
	base := Config{Vocab: 23, Context: 64, Dim: 12, FFN: 20, Layers: 2, Heads: 4, KVHeads: 4, HeadDim: 6, NormEps: 1e-5, RopeTheta: 10000}
	list := map[string]Config{"llama": base}
	c := base
	c.KVHeads, c.RopeTheta = 2, 500
	list["grouped"] = c
	c.KVHeads, c.QKVBias, c.Tied, c.NormEps = 1, true, true, 1e-6
	list["qwen2 tied"] = c
	c = base
	c.Tied, c.Layers, c.HeadDim = true, 1, 4
	list["tied"] = c
	c.Tied, c.KVHeads, c.HeadDim, c.Context = false, 2, 2, 80
	list["one layer, long"] = c
	return list
}

// testModel is a model whose norms and biases are not trivial and whose weights are large enough for every path to count.
func testModel(t testing.TB, c Config, seed uint64) *Model {
	t.Helper()
	m, err := New(c, seed)
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(seed, 1))
	for _, p := range m.named() {
		v := values(p.param)
		for i := range v {
			switch p.role {
			case norm:
				v[i] = 1 + 0.3*float32(r.NormFloat64())
			case bias:
				v[i] = 0.5 * float32(r.NormFloat64())
			default:
				v[i] = float32(r.NormFloat64()) / float32(math.Sqrt(float64(c.Dim)))
			}
		}
	}
	return m
}

// testBatch has rows of documents of random lengths, each isolated, and some positions without a target.
func testBatch(c Config, rows, length int, seed uint64) *Batch {
	r := rand.New(rand.NewPCG(seed, 2))
	b := &Batch{Rows: rows, Len: length}
	for range rows {
		pos := int32(0)
		for i := range length {
			if i > 0 && r.IntN(6) == 0 {
				pos = 0
			}
			b.IDs = append(b.IDs, int32(r.IntN(c.Vocab)))
			y := int32(r.IntN(c.Vocab))
			if r.IntN(5) == 0 {
				y = -1
			}
			b.Targets, b.Pos = append(b.Targets, y), append(b.Pos, pos)
			pos++
		}
	}
	return b
}

func testPool(t testing.TB, threads int, name string) *Pool {
	t.Helper()
	p, err := NewPool(threads, name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p
}

// distance is the relative L2 distance of got from want.
func distance(got []float32, want []float64) float64 {
	var d, n float64
	for i, w := range want {
		d += (float64(got[i]) - w) * (float64(got[i]) - w)
		n += w * w
	}
	return math.Sqrt(d / max(n, 1e-30))
}

func TestAgainstOracle(t *testing.T) {
	for name, c := range testConfigs() {
		t.Run(name, func(t *testing.T) {
			m, b := testModel(t, c, 7), testBatch(c, 2, 13, 5)
			if name == "one layer, long" { // a document over several blocks of rows
				b = testBatch(c, 1, 70, 6)
				for i := range b.Pos[3:] {
					b.Pos[3+i] = int32(i)
				}
			}
			o := newOracle(m)
			weights := make([]float32, len(b.Targets))
			var losses []mat.Tensor
			want := make([]float64, len(b.Targets))
			for i, loss := range o.nats(m, b) {
				weights[i] = 0.1 * float32(i%7+1)
				if loss == nil {
					continue
				}
				want[i] = loss.Value().Item().F64()
				losses = append(losses, ag.ProdScalar(loss, scalar(float64(weights[i]))))
			}
			if err := ag.Backward(ag.Sum(losses...)); err != nil {
				t.Fatal(err)
			}
			tr := NewTrainer(m, testPool(t, 2, ""))
			tr.arena.poison = true
			nats, err := tr.Nats(b)
			if err != nil {
				t.Fatal(err)
			}
			if d := distance(nats, want); !(d <= 1e-5) {
				t.Errorf("nats: relative distance %.2g", d)
			}
			compare := func(how string) {
				for _, p := range m.named() {
					if d := distance(gradient(p.param), o.gradient(p.param)); !(d <= 1e-5) {
						t.Errorf("%s: gradient of %s: relative distance %.2g", how, p.name, d)
					}
					clear(gradient(p.param))
				}
			}
			if nats, err = tr.AccumulateWeighted(b, weights); err != nil {
				t.Fatal(err)
			}
			if d := distance(nats, want); !(d <= 1e-5) {
				t.Errorf("nats: relative distance %.2g", d)
			}
			compare("weights before")
			if _, err = tr.AccumulateLoss(b, func(_, w []float32) float64 { copy(w, weights); return 0 }); err != nil {
				t.Fatal(err)
			}
			compare("weights after")
			if tr.arena.lent != 0 {
				t.Errorf("%d values of scratch were not given back", tr.arena.lent)
			}
		})
	}
}
