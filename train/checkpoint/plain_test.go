package checkpoint

import (
	"fmt"
	"math"
	"os"
	"testing"

	"winnow/train/checkpoint/gguf"
)

// plain is a model as llama.cpp computes it, straight from a file's keys and stored tensors, in float64, one position
// after the other. It shares nothing with package llm, nor with this package's reader.
type plain struct {
	r                               *gguf.Reader
	architecture                    string
	dim, ffn, layers, heads, kv, hd int
	eps, base                       float64
	interleaved                     bool // pairs (2i, 2i+1) as the llama architecture has them, else (i, i+h/2)
	keys, values                    [][][]float64
	tensors                         map[string][]float64
	t                               testing.TB
}

func openPlain(t testing.TB, path string) *plain {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	stat, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	r, err := gguf.NewReader(f, stat.Size())
	if err != nil {
		t.Fatal(err)
	}
	p := &plain{r: r, t: t, tensors: map[string][]float64{}}
	p.architecture = p.key("general.architecture").(string)
	number := func(name string) int { return int(p.key(p.architecture + "." + name).(uint32)) }
	p.dim, p.ffn, p.layers = number("embedding_length"), number("feed_forward_length"), number("block_count")
	p.heads, p.kv, p.hd = number("attention.head_count"), number("attention.head_count_kv"), number("attention.key_length")
	p.eps = float64(p.key(p.architecture + ".attention.layer_norm_rms_epsilon").(float32))
	p.base = float64(p.key(p.architecture + ".rope.freq_base").(float32))
	p.interleaved = p.architecture == "llama"
	return p
}

func (p *plain) key(name string) any {
	v, ok := p.r.Key(name)
	if !ok {
		p.t.Fatalf("key %q is missing", name)
	}
	return v
}

// tensor gives the stored values, dequantised; nil where there is none.
func (p *plain) tensor(name string) []float64 {
	if w, ok := p.tensors[name]; ok {
		return w
	}
	var wide []float64
	if info, ok := p.r.Info(name); ok {
		narrow := make([]float32, info.Elements())
		if err := p.r.Read(name, narrow); err != nil {
			p.t.Fatal(err)
		}
		for _, v := range narrow {
			wide = append(wide, float64(v))
		}
	}
	p.tensors[name] = wide
	return wide
}

// product gives W x (+ bias), W [out, len(x)].
func (p *plain) product(name string, x []float64) []float64 {
	w, bias := p.tensor(name+".weight"), p.tensor(name+".bias")
	out := make([]float64, len(w)/len(x))
	for o := range out {
		for i, v := range x {
			out[o] += w[o*len(x)+i] * v
		}
		if bias != nil {
			out[o] += bias[o]
		}
	}
	return out
}

func (p *plain) norm(name string, x []float64) []float64 {
	sum := 0.0
	for _, v := range x {
		sum += v * v
	}
	scale := 1 / math.Sqrt(sum/float64(len(x))+p.eps)
	out := make([]float64, len(x))
	for i, v := range x {
		out[i] = v * scale * p.tensor(name + ".weight")[i]
	}
	return out
}

// rotate turns each head of x by the position.
func (p *plain) rotate(x []float64, position int) {
	for head := 0; head < len(x); head += p.hd {
		for i := range p.hd / 2 {
			a, b := head+i, head+i+p.hd/2
			if p.interleaved {
				a, b = head+2*i, head+2*i+1
			}
			sin, cos := math.Sincos(float64(position) * math.Pow(p.base, -2*float64(i)/float64(p.hd)))
			x[a], x[b] = x[a]*cos-x[b]*sin, x[a]*sin+x[b]*cos
		}
	}
}

func (p *plain) attend(layer int, q []float64) []float64 {
	out := make([]float64, len(q))
	for head := range p.heads {
		at := head / (p.heads / p.kv) * p.hd
		var weights []float64
		total := 0.0
		for _, k := range p.keys[layer] {
			s := 0.0
			for i := range p.hd {
				s += q[head*p.hd+i] * k[at+i]
			}
			weights = append(weights, math.Exp(s/math.Sqrt(float64(p.hd))))
			total += weights[len(weights)-1]
		}
		for t, v := range p.values[layer] {
			for i := range p.hd {
				out[head*p.hd+i] += weights[t] / total * v[at+i]
			}
		}
	}
	return out
}

// logits computes those of every position.
func (p *plain) logits(ids []int32) (all [][]float64) {
	p.keys, p.values = make([][][]float64, p.layers), make([][][]float64, p.layers)
	for position, id := range ids {
		x := append([]float64(nil), p.tensor("token_embd.weight")[int(id)*p.dim:][:p.dim]...)
		for layer := range p.layers {
			name := func(s string) string { return fmt.Sprintf("blk.%d.%s", layer, s) }
			n := p.norm(name("attn_norm"), x)
			q, k := p.product(name("attn_q"), n), p.product(name("attn_k"), n)
			p.rotate(q, position)
			p.rotate(k, position)
			p.keys[layer] = append(p.keys[layer], k)
			p.values[layer] = append(p.values[layer], p.product(name("attn_v"), n))
			add(x, p.product(name("attn_output"), p.attend(layer, q)))
			n = p.norm(name("ffn_norm"), x)
			gate, up := p.product(name("ffn_gate"), n), p.product(name("ffn_up"), n)
			for i, g := range gate {
				up[i] *= g / (1 + math.Exp(-g))
			}
			add(x, p.product(name("ffn_down"), up))
		}
		head := "output"
		if p.tensor("output.weight") == nil {
			head = "token_embd"
		}
		all = append(all, p.product(head, p.norm("output_norm", x)))
	}
	return all
}

func add(x, y []float64) {
	for i, v := range y {
		x[i] += v
	}
}
