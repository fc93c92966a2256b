package llm

import (
	"fmt"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/nlpodyssey/spago/mat"
	"github.com/nlpodyssey/spago/nn"

	"winnow/train/internal/kernel"
)

// LoRA says which adapters a model gets (Hu et al. 2021): beside a frozen matrix W the product of two small ones, W +
// Alpha/Rank·B·A, of which A and B are trained.
type LoRA struct {
	Rank    int      `json:"rank"`    // r: rows of A, columns of B
	Alpha   float64  `json:"alpha"`   // the product is scaled by Alpha/Rank
	Targets []string `json:"targets"` // of LoRATargets, with or without "_proj"; none: all of them
	Seed    uint64   `json:"seed"`    // of A; B is 0 at first, so that an adapted model is the model
}

// LoRATargets are the matrices that can have adapters, by HF's names.
func LoRATargets() []string {
	return []string{"q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"}
}

// normal is l with its targets by full name, in the order of LoRATargets.
func (l LoRA) normal() (LoRA, error) {
	all := LoRATargets()
	if l.Rank < 1 || l.Rank > 1<<16 {
		return l, fmt.Errorf("lora: rank %d is not between 1 and %d", l.Rank, 1<<16)
	}
	if !(l.Alpha > 0) || math.IsInf(l.Alpha, 0) {
		return l, fmt.Errorf("lora: alpha %g is not above 0", l.Alpha)
	}
	if len(l.Targets) == 0 {
		l.Targets = all
		return l, nil
	}
	asked := map[string]bool{}
	for _, name := range l.Targets {
		full := strings.TrimSuffix(name, "_proj") + "_proj"
		if !slices.Contains(all, full) {
			return l, fmt.Errorf("lora: target %q is none of %s", name, strings.Join(all, ", "))
		}
		asked[full] = true
	}
	l.Targets = slices.DeleteFunc(all, func(name string) bool { return !asked[name] })
	return l, nil
}

// LowRank is the adapters of one matrix [out, in], which holds the rows of several of HF's: each target has r rows of A and as
// many rows of B as it has rows of the matrix.
type LowRank struct {
	nn.Module
	A     *nn.Param // [targets·r, in]
	B     *nn.Param // [rows of all targets, r]
	parts []lowRankPart
	rank  int
	in    int
	scale float32 // Alpha/Rank
}

// lowRankPart is one target: rows [first, first+rows) of the matrix, rows [at, at+rows) of B.
type lowRankPart struct {
	name            string // HF's, within the layer
	first, rows, at int
}

// fused is the matrices of a layer and what of HF's each holds, in order.
func (m *Model) fused() []struct {
	adapters func(b *Block) **LowRank
	in       int
	parts    []lowRankPart
} {
	c := m.Config
	q, kv := c.Heads*c.HeadDim, c.KVHeads*c.HeadDim
	return []struct {
		adapters func(b *Block) **LowRank
		in       int
		parts    []lowRankPart
	}{
		{func(b *Block) **LowRank { return &b.QKVLow }, c.Dim, []lowRankPart{
			{name: "self_attn.q_proj", rows: q}, {name: "self_attn.k_proj", first: q, rows: kv}, {name: "self_attn.v_proj", first: q + kv, rows: kv}}},
		{func(b *Block) **LowRank { return &b.OutputLow }, q, []lowRankPart{{name: "self_attn.o_proj", rows: c.Dim}}},
		{func(b *Block) **LowRank { return &b.GateUpLow }, c.Dim, []lowRankPart{
			{name: "mlp.gate_proj", rows: c.FFN}, {name: "mlp.up_proj", first: c.FFN, rows: c.FFN}}},
		{func(b *Block) **LowRank { return &b.DownLow }, c.FFN, []lowRankPart{{name: "mlp.down_proj", rows: c.Dim}}},
	}
}

// Adapt freezes m and gives it adapters, switched on: from then on Params are the adapters' alone, and no gradient is computed or
// kept for anything else. A is uniform within ±1/√in as in PEFT, B is 0.
func (m *Model) Adapt(l LoRA) error {
	if m.lora != nil {
		return fmt.Errorf("lora: the model has adapters already")
	}
	l, err := l.normal()
	if err != nil {
		return err
	}
	for _, p := range m.named() {
		p.param.SetRequiresGrad(false)
		p.param.ZeroGrad()
	}
	for i, b := range m.Blocks {
		for _, f := range m.fused() {
			low := &LowRank{rank: l.Rank, in: f.in, scale: float32(l.Alpha / float64(l.Rank))}
			rows := 0
			for _, part := range f.parts {
				if _, short, _ := strings.Cut(part.name, "."); slices.Contains(l.Targets, short) {
					part.at = rows
					rows += part.rows
					low.parts = append(low.parts, part)
				}
			}
			if len(low.parts) == 0 {
				continue
			}
			low.A, low.B = newParam(len(low.parts)*l.Rank, f.in), newParam(rows, l.Rank)
			for k, part := range low.parts {
				fillUniform(values(low.A)[k*l.Rank*f.in:(k+1)*l.Rank*f.in], l.Seed, fmt.Sprintf("blocks.%d.%s", i, part.name), 1/math.Sqrt(float64(f.in)))
			}
			*f.adapters(b) = low
		}
	}
	m.lora = &l
	return nil
}

func fillUniform(dst []float32, seed uint64, name string, bound float64) {
	h := fnv.New64a()
	h.Write([]byte(name))
	r := rand.New(rand.NewPCG(seed, h.Sum64()))
	for i := range dst {
		dst[i] = float32((2*r.Float64() - 1) * bound)
	}
}

// LoRA is what m was adapted by, with targets by full name; nil without adapters.
func (m *Model) LoRA() *LoRA { return m.lora }

// SetAdapters switches the adapters off, which leaves the model that was adapted (a reference model), and on again.
func (m *Model) SetAdapters(on bool) { m.lowOff = !on }

// WithoutAdapters calls f while the adapters are off, and sets them back as they were.
func (m *Model) WithoutAdapters(f func() error) error {
	before := m.lowOff
	m.lowOff = true
	defer func() { m.lowOff = before }()
	return f()
}

// low is l while adapters are on, else nil.
func (m *Model) low(l *LowRank) *LowRank {
	if m.lowOff {
		return nil
	}
	return l
}

// Merge adds the adapters to the matrices, by p's threads, and removes them; all parameters are trained again.
func (m *Model) Merge(p *Pool) {
	if m.lora == nil {
		return
	}
	for _, b := range m.Blocks {
		matrices := []*nn.Param{b.QKV, b.Output, b.GateUp, b.Down}
		for i, f := range m.fused() {
			if low := *f.adapters(b); low != nil {
				low.merge(p, values(matrices[i]), values(matrices[i]))
				*f.adapters(b) = nil
			}
		}
	}
	m.lora, m.lowOff = nil, false
	for _, p := range m.named() {
		p.param.SetRequiresGrad(true)
	}
}

// merge sets dst = w + scale·B·A, [out, in]; dst may be w.
func (l *LowRank) merge(p *Pool, dst, w []float32) {
	p.Range(len(w), grain*256, func(_ *kernel.Worker, low, high int) { copy(dst[low:high], w[low:high]) })
	b := slices.Clone(values(l.B))
	for i := range b {
		b[i] *= l.scale
	}
	for k, part := range l.parts {
		p.NN(part.rows, l.in, l.rank, b[part.at*l.rank:], l.rank, values(l.A)[k*l.rank*l.in:], l.in, 1, dst[part.first*l.in:], l.in)
	}
}

// Adapters lists the adapters under PEFT's names, in fixed order, shared with the model: writing here loads them. None without
// adapters.
func (m *Model) Adapters() []Weight {
	if m.lora == nil {
		return nil
	}
	var list []Weight
	for i, b := range m.Blocks {
		for _, f := range m.fused() {
			low := *f.adapters(b)
			if low == nil {
				continue
			}
			for k, part := range low.parts {
				prefix := fmt.Sprintf("base_model.model.model.layers.%d.%s.", i, part.name)
				list = append(list, matrix(prefix+"lora_A.weight", low.A, k*low.rank, low.rank, low.in), matrix(prefix+"lora_B.weight", low.B, part.at, part.rows, low.rank))
			}
		}
	}
	return list
}

// params are A and B for named; none of nil.
func (l *LowRank) params() []namedParam {
	if l == nil {
		return nil
	}
	return []namedParam{{"lora_a", weight, l.A}, {"lora_b", weight, l.B}}
}

// operands are what l adds to its matrix's; none of nil.
func (l *LowRank) operands() []mat.Tensor {
	if l == nil {
		return nil
	}
	return []mat.Tensor{l.A, l.B}
}

// add adds scale·(x·Aᵀ)·Bᵀ to y [rows, out]. It gives scale·x·Aᵀ [rows, targets·r], lent.
func (l *LowRank) add(g *graph, x, y []float32, out int) (inner []float32) {
	wide := len(l.parts) * l.rank
	inner = g.arena.get(g.rows * wide)
	g.pool.NT(g.rows, wide, l.in, x, l.in, values(l.A), l.in, 0, inner, wide)
	g.scale(inner, l.scale)
	for k, part := range l.parts {
		g.pool.NT(g.rows, part.rows, l.rank, inner[k*l.rank:], wide, values(l.B)[part.at*l.rank:], l.rank, 1, y[part.first:], out)
	}
	return inner
}

// back adds to the gradients of A and B from dy [rows, out] and add's inner, and to dx what comes through them.
func (l *LowRank) back(g *graph, x, dy, inner, dx []float32, out int) {
	wide := len(l.parts) * l.rank
	through := g.arena.get(len(inner))
	for k, part := range l.parts {
		g.pool.TN(part.rows, l.rank, g.rows, dy[part.first:], out, inner[k*l.rank:], wide, 1, gradient(l.B)[part.at*l.rank:], l.rank)
		g.pool.NN(g.rows, l.rank, part.rows, dy[part.first:], out, values(l.B)[part.at*l.rank:], l.rank, 0, through[k*l.rank:], wide)
	}
	g.scale(through, l.scale)
	g.pool.TN(wide, l.in, g.rows, through, wide, x, l.in, 1, gradient(l.A), l.in)
	g.pool.NN(g.rows, l.in, wide, through, wide, values(l.A), l.in, 1, dx, l.in)
	g.arena.put(through)
}
