package llm

import (
	"fmt"
	"hash/fnv"
	"math"
	"math/rand/v2"

	"github.com/nlpodyssey/spago/mat"
	"github.com/nlpodyssey/spago/nn"
)

// Model is the parameters of a language model, as a spago module: nn.ForEachParam and nn.Dump work on it.
type Model struct {
	nn.Module
	Config
	Embedding *nn.Param // [V, D]
	Blocks    []*Block
	Norm      *nn.Param // [D]
	Head      *nn.Param // [V, D]; nil when tied: the embedding is the head
	lora      *LoRA     // nil without adapters
	lowOff    bool      // adapters are there, but switched off
}

// Block is one layer. Weights are [out, in], as in HF checkpoints; q, k, v are the rows of one matrix, and gate, up of another.
type Block struct {
	nn.Module
	AttentionNorm *nn.Param // [D]
	QKV           *nn.Param // [(H + 2·KV)·hd, D]: rows of q, then k, then v
	QKVBias       *nn.Param // [(H + 2·KV)·hd]; nil without Config.QKVBias
	Output        *nn.Param // [D, H·hd]
	FFNNorm       *nn.Param // [D]
	GateUp        *nn.Param // [2F, D]: rows of gate, then up
	Down          *nn.Param // [D, F]

	QKVLow, OutputLow, GateUpLow, DownLow *LowRank // adapters; nil without
}

// New makes a model whose weights follow N(0, 0.02), those into the residual stream N(0, 0.02/√(2L)) (llama2.c, nanoGPT); norms
// are 1, biases 0. Each parameter has its own generator, seeded by seed and its name.
func New(c Config, seed uint64) (*Model, error) {
	m, err := Zero(c)
	if err != nil {
		return nil, err
	}
	residual := 0.02 / math.Sqrt(2*float64(c.Layers))
	for _, p := range m.named() {
		switch p.role {
		case weight:
			fillNormal(values(p.param), seed, p.name, 0.02)
		case residualWeight:
			fillNormal(values(p.param), seed, p.name, residual)
		case norm:
			for i := range values(p.param) {
				values(p.param)[i] = 1
			}
		}
	}
	return m, nil
}

// Zero makes a model of zeros, to be filled through Weights.
func Zero(c Config) (*Model, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	m := &Model{Config: c, Embedding: newParam(c.Vocab, c.Dim), Norm: newParam(c.Dim, 1)}
	for range c.Layers {
		b := &Block{
			AttentionNorm: newParam(c.Dim, 1), QKV: newParam(c.qkvRows(), c.Dim), Output: newParam(c.Dim, c.Heads*c.HeadDim),
			FFNNorm: newParam(c.Dim, 1), GateUp: newParam(2*c.FFN, c.Dim), Down: newParam(c.Dim, c.FFN),
		}
		if c.QKVBias {
			b.QKVBias = newParam(c.qkvRows(), 1)
		}
		m.Blocks = append(m.Blocks, b)
	}
	if !c.Tied {
		m.Head = newParam(c.Vocab, c.Dim)
	}
	return m, nil
}

func newParam(rows, cols int) *nn.Param {
	return &nn.Param{Matrix: mat.NewDense[float32](mat.WithShape(rows, cols), mat.WithGrad(true))}
}

func fillNormal(dst []float32, seed uint64, name string, deviation float64) {
	h := fnv.New64a()
	h.Write([]byte(name))
	r := rand.New(rand.NewPCG(seed, h.Sum64()))
	for i := range dst {
		dst[i] = float32(r.NormFloat64() * deviation)
	}
}

// values are a parameter's numbers, shared with it.
func values(p *nn.Param) []float32 { return mat.Data[float32](p.Matrix) }

// gradient is the persistent gradient of p, shared with it: made of zeros when p has none, and the same memory from then on.
func gradient(p *nn.Param) []float32 {
	if !p.HasGrad() {
		p.AccGrad(mat.NewDense[float32](mat.WithShape(p.Shape()...)))
	}
	return mat.Data[float32](p.Grad().(mat.Matrix))
}

type role int

const (
	weight role = iota
	residualWeight
	norm
	bias
)

type namedParam struct {
	name  string
	role  role
	param *nn.Param
}

// named lists the parameters in program order.
func (m *Model) named() []namedParam {
	list := []namedParam{{"embedding", weight, m.Embedding}}
	for i, b := range m.Blocks {
		add := func(name string, r role, p *nn.Param) {
			list = append(list, namedParam{fmt.Sprintf("blocks.%d.%s", i, name), r, p})
		}
		low := func(name string, l *LowRank) {
			for _, p := range l.params() {
				add(name+"."+p.name, p.role, p.param)
			}
		}
		add("attention_norm", norm, b.AttentionNorm)
		add("qkv", weight, b.QKV)
		low("qkv", b.QKVLow)
		if b.QKVBias != nil {
			add("qkv_bias", bias, b.QKVBias)
		}
		add("output", residualWeight, b.Output)
		low("output", b.OutputLow)
		add("ffn_norm", norm, b.FFNNorm)
		add("gate_up", weight, b.GateUp)
		low("gate_up", b.GateUpLow)
		add("down", residualWeight, b.Down)
		low("down", b.DownLow)
	}
	list = append(list, namedParam{"norm", norm, m.Norm})
	if m.Head != nil {
		list = append(list, namedParam{"head", weight, m.Head})
	}
	return list
}

// Param is one trained tensor, as an optimiser sees it.
type Param struct {
	Name        string
	Value, Grad []float32 // shared with the model; Grad keeps its memory from step to step
	Decay       bool      // matrices decay, norms and biases do not
}

// Params lists the trained tensors in program order, which is the order of everything that is stored or summed over them.
func (m *Model) Params() []Param {
	var list []Param
	for _, p := range m.named() {
		if p.param.RequiresGrad() {
			list = append(list, Param{Name: p.name, Value: values(p.param), Grad: gradient(p.param), Decay: p.role == weight || p.role == residualWeight})
		}
	}
	return list
}

// head is the matrix of the last product, [V, D].
func (m *Model) head() *nn.Param {
	if m.Head == nil {
		return m.Embedding
	}
	return m.Head
}

// Weight is one tensor under the name and the shape that HF's LlamaForCausalLM and Qwen2ForCausalLM give it.
type Weight struct {
	Name       string
	Rows, Cols int       // [out, in]; a vector has Cols 0 and Rows values
	Data       []float32 // row-major, shared with the model: writing here loads a weight
}

// Weights lists the tensors of a checkpoint in fixed order. lm_head is left out when it is tied to the embedding.
func (m *Model) Weights() []Weight {
	c := m.Config
	list := []Weight{matrix("model.embed_tokens.weight", m.Embedding, 0, c.Vocab, c.Dim)}
	q, kv := c.Heads*c.HeadDim, c.KVHeads*c.HeadDim
	for i, b := range m.Blocks {
		prefix := fmt.Sprintf("model.layers.%d.", i)
		list = append(list, vector(prefix+"input_layernorm.weight", b.AttentionNorm, 0, c.Dim))
		for _, part := range []struct {
			name        string
			first, rows int
		}{{"q", 0, q}, {"k", q, kv}, {"v", q + kv, kv}} {
			list = append(list, matrix(prefix+"self_attn."+part.name+"_proj.weight", b.QKV, part.first, part.rows, c.Dim))
			if b.QKVBias != nil {
				list = append(list, vector(prefix+"self_attn."+part.name+"_proj.bias", b.QKVBias, part.first, part.rows))
			}
		}
		list = append(list,
			matrix(prefix+"self_attn.o_proj.weight", b.Output, 0, c.Dim, q),
			vector(prefix+"post_attention_layernorm.weight", b.FFNNorm, 0, c.Dim),
			matrix(prefix+"mlp.gate_proj.weight", b.GateUp, 0, c.FFN, c.Dim),
			matrix(prefix+"mlp.up_proj.weight", b.GateUp, c.FFN, c.FFN, c.Dim),
			matrix(prefix+"mlp.down_proj.weight", b.Down, 0, c.Dim, c.FFN))
	}
	list = append(list, vector("model.norm.weight", m.Norm, 0, c.Dim))
	if m.Head != nil {
		list = append(list, matrix("lm_head.weight", m.Head, 0, c.Vocab, c.Dim))
	}
	return list
}

func matrix(name string, p *nn.Param, first, rows, cols int) Weight {
	return Weight{Name: name, Rows: rows, Cols: cols, Data: values(p)[first*cols : (first+rows)*cols : (first+rows)*cols]}
}

func vector(name string, p *nn.Param, first, n int) Weight {
	return Weight{Name: name, Rows: n, Data: values(p)[first : first+n : first+n]}
}
