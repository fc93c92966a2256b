package llm

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/nlpodyssey/spago/ag"
	"github.com/nlpodyssey/spago/mat"
	"github.com/nlpodyssey/spago/nn"
)

// adapted is a test model with adapters whose B is not 0, and the same model with them merged.
func adapted(t testing.TB, c Config, p *Pool, l LoRA) (m, merged *Model) {
	t.Helper()
	for _, model := range []**Model{&m, &merged} {
		*model = testModel(t, c, 7)
		if err := (*model).Adapt(l); err != nil {
			t.Fatal(err)
		}
		r := rand.New(rand.NewPCG(5, 5))
		for _, w := range (*model).Adapters() {
			for i := range w.Data {
				w.Data[i] = float32(r.NormFloat64()) * .3
			}
		}
	}
	merged.Merge(p)
	return m, merged
}

func loraCases() map[string]LoRA {
	return map[string]LoRA{
		"all":                     {Rank: 3, Alpha: 6, Seed: 1},
		"some":                    {Rank: 2, Alpha: 1, Targets: []string{"v", "q_proj", "up", "down"}, Seed: 1},
		"none of a block's first": {Rank: 1, Alpha: 1, Targets: []string{"down_proj"}, Seed: 1},
	}
}

// Gradients of A and B are those that follow from the dense gradient of the merged matrix, by the float64 model: d/dB =
// s·dW·Aᵀ, d/dA = s·Bᵀ·dW; and nothing else has any.
func TestAdaptersAgainstOracle(t *testing.T) {
	for name, l := range loraCases() {
		for shape, c := range testConfigs() {
			if name != "all" && shape != "qwen2 tied" {
				continue
			}
			p := testPool(t, 2, "")
			m, merged := adapted(t, c, p, l)
			b := testBatch(c, 2, 13, 5)
			o := newOracle(merged)
			var losses []mat.Tensor
			for _, loss := range o.nats(merged, b) {
				if loss != nil {
					losses = append(losses, loss)
				}
			}
			sum := ag.Sum(losses...)
			if err := ag.Backward(sum); err != nil {
				t.Fatal(err)
			}
			tr := NewTrainer(m, p)
			tr.arena.poison = true
			nats := mustAccumulate(t, tr, b, 1)
			if want := sum.Value().Item().F64(); math.Abs(nats-want) > 1e-5*want {
				t.Errorf("%s, %s: %v nats, want %v", name, shape, nats, want)
			}
			if tr.arena.lent != 0 {
				t.Errorf("%s, %s: %d values of scratch were not given back", name, shape, tr.arena.lent)
			}
			count := 0
			for i, block := range m.Blocks {
				dense := []*nn.Param{merged.Blocks[i].QKV, merged.Blocks[i].Output, merged.Blocks[i].GateUp, merged.Blocks[i].Down}
				for k, f := range m.fused() {
					low := *f.adapters(block)
					if low == nil {
						continue
					}
					count++
					wantA, wantB := low.fromDense(o.gradient(dense[k]))
					if d := distance(gradient(low.A), wantA); !(d <= 1e-5) {
						t.Errorf("%s, %s: block %d, matrix %d: gradient of A: relative distance %.2g", name, shape, i, k, d)
					}
					if d := distance(gradient(low.B), wantB); !(d <= 1e-5) {
						t.Errorf("%s, %s: block %d, matrix %d: gradient of B: relative distance %.2g", name, shape, i, k, d)
					}
				}
			}
			if len(m.Params()) != 2*count || count == 0 {
				t.Errorf("%s, %s: %d parameters for %d adapted matrices", name, shape, len(m.Params()), count)
			}
			for _, p := range m.named() {
				if strings.Contains(p.name, "lora") != p.param.HasGrad() {
					t.Errorf("%s, %s: %s has memory for a gradient: %v", name, shape, p.name, p.param.HasGrad())
				}
			}
		}
	}
}

// fromDense is the gradients of A and B from that of the whole matrix, in float64.
func (l *LowRank) fromDense(dense []float64) (a, b []float64) {
	va, vb, s := values(l.A), values(l.B), float64(l.scale)
	a, b = make([]float64, len(va)), make([]float64, len(vb))
	for k, part := range l.parts {
		for i := range part.rows {
			for r := range l.rank {
				for j := range l.in {
					g := s * dense[(part.first+i)*l.in+j]
					a[(k*l.rank+r)*l.in+j] += g * float64(vb[(part.at+i)*l.rank+r])
					b[(part.at+i)*l.rank+r] += g * float64(va[(k*l.rank+r)*l.in+j])
				}
			}
		}
	}
	return a, b
}

// Losses with adapters are those of the merged model; with B 0, and with adapters off, the bits of the base.
func TestAdaptersMerged(t *testing.T) {
	for name, l := range loraCases() {
		c := testConfigs()["qwen2 tied"]
		p := testPool(t, 2, "")
		m, merged := adapted(t, c, p, l)
		base, fresh := testModel(t, c, 7), testModel(t, c, 7)
		if err := fresh.Adapt(l); err != nil {
			t.Fatal(err)
		}
		b := testBatch(c, 3, 31, 5)
		nats := func(m *Model) []float32 {
			list, err := NewTrainer(m, p).Nats(b)
			if err != nil {
				t.Fatal(err)
			}
			return list
		}
		want, with := nats(base), nats(m)
		if !slices.Equal(nats(fresh), want) {
			t.Errorf("%s: the first forward has other bits than the base", name)
		}
		if slices.Equal(with, want) {
			t.Errorf("%s: adapters change nothing", name)
		}
		for i, v := range nats(merged) {
			if math.Abs(float64(v-with[i])) > 1e-5*max(1, float64(v)) {
				t.Errorf("%s: position %d: %v nats merged, %v with adapters", name, i, v, with[i])
			}
		}
		if err := m.WithoutAdapters(func() error {
			if !slices.Equal(nats(m), want) {
				t.Errorf("%s: without adapters there are other bits than the base's", name)
			}
			mustAccumulate(t, NewTrainer(m, p), b, 1)
			for _, p := range m.Params() {
				if slices.ContainsFunc(p.Grad, func(g float32) bool { return g != 0 }) {
					t.Errorf("%s: %s has a gradient while it is off", name, p.Name)
				}
			}
			return nil
		}); err != nil || !slices.Equal(nats(m), with) {
			t.Errorf("%s: adapters did not come back: %v", name, err)
		}
		if merged.LoRA() != nil || merged.Adapters() != nil || len(merged.Params()) != len(base.Params()) {
			t.Errorf("%s: a merged model still has adapters", name)
		}
	}
}

// Steps on adapters leave the base as it was, teach, give the same bytes for any number of threads, and hold moments for the
// adapters alone.
func TestAdaptersLearn(t *testing.T) {
	c := testConfigs()["grouped"]
	base := testModel(t, c, 7)
	b := testBatch(c, 3, 20, 1)
	var bytes [][]float32
	for _, threads := range []int{1, 2} {
		m, p := testModel(t, c, 7), testPool(t, threads, "")
		if err := m.Adapt(LoRA{Rank: 4, Alpha: 8, Seed: 2}); err != nil {
			t.Fatal(err)
		}
		tr, o := NewTrainer(m, p), &AdamW{Beta1: .9, Beta2: .95, Eps: 1e-8}
		var first, last float64
		for step := 1; step <= 60; step++ {
			last = mustAccumulate(t, tr, b, 1./60)
			if step == 1 {
				first = last
			}
			o.Step(p, m.Params(), step, 1e-2, float32(min(1, 1/GradNorm(p, m.Params()))))
		}
		if !(last < first/2) {
			t.Errorf("%.3f nats after %.3f", last, first)
		}
		moments, adapters := 0, []float32(nil)
		for _, v := range o.M {
			moments += len(v)
		}
		for _, w := range m.Adapters() {
			adapters = append(adapters, w.Data...)
		}
		if moments != len(adapters) || moments == 0 {
			t.Errorf("moments of %d values for adapters of %d", moments, len(adapters))
		}
		for i, w := range m.Weights() {
			if !slices.Equal(w.Data, base.Weights()[i].Data) {
				t.Errorf("%s was trained", w.Name)
			}
		}
		bytes = append(bytes, adapters)
	}
	if !slices.Equal(bytes[0], bytes[1]) {
		t.Error("two threads leave other bytes than one")
	}
}

// A decoder of an adapted model has the bits of one of the merged model, follows updates at Reload, and takes no new memory
// for it.
func TestDecoderReload(t *testing.T) {
	c := testConfigs()["qwen2 tied"]
	p := testPool(t, 2, "")
	m, merged := adapted(t, c, p, LoRA{Rank: 3, Alpha: 6})
	ids := randomRow(c, 20).IDs
	d := testDecoder(t, m, p, 2)
	logits := func(d *Decoder) []float32 {
		all, err := d.PrefillAll(0, ids)
		if err != nil {
			t.Fatal(err)
		}
		return all
	}
	before := logits(d)
	if !slices.Equal(before, logits(testDecoder(t, merged, p, 1))) {
		t.Error("an adapted model decodes otherwise than a merged one")
	}
	for _, w := range m.Adapters() {
		for i := range w.Data {
			w.Data[i] *= .5
		}
	}
	allocations := testing.AllocsPerRun(5, d.Reload)
	if d.Len(0) != 0 {
		t.Error("keys of old weights are still in a slot")
	}
	after := logits(d)
	if slices.Equal(after, before) || !slices.Equal(after, logits(testDecoder(t, m, p, 1))) {
		t.Error("a decoder did not follow the update")
	}
	if most := float64(20 * len(m.Params())); allocations > most { // tasks and the scaled B, no matrices
		t.Errorf("%v allocations, want at most %v", allocations, most)
	}
	m.SetAdapters(false)
	d.Reload()
	if !slices.Equal(logits(d), logits(testDecoder(t, testModel(t, c, 7), p, 1))) {
		t.Error("adapters that are off decode otherwise than the base")
	}
}

func TestLoRAIsChecked(t *testing.T) {
	m := testModel(t, testConfigs()["llama"], 1)
	for want, l := range map[string]LoRA{
		`target "lm_head"`: {Rank: 1, Alpha: 1, Targets: []string{"q", "lm_head"}},
		"rank 0":           {Alpha: 1},
		"alpha 0":          {Rank: 4},
		"alpha NaN":        {Rank: 4, Alpha: math.NaN()},
	} {
		if err := m.Adapt(l); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
	if err := m.Adapt(LoRA{Rank: 2, Alpha: 4, Targets: []string{"down", "k_proj", "down_proj"}}); err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(m.LoRA().Targets); got != "[k_proj down_proj]" {
		t.Errorf("targets %s", got)
	}
	var names []string
	for _, w := range m.Adapters()[:4] {
		names = append(names, fmt.Sprint(w.Name, w.Rows, w.Cols))
	}
	if got := strings.Join(names, " "); got != "base_model.model.model.layers.0.self_attn.k_proj.lora_A.weight2 12 base_model.model.model.layers.0.self_attn.k_proj.lora_B.weight24 2 "+
		"base_model.model.model.layers.0.mlp.down_proj.lora_A.weight2 20 base_model.model.model.layers.0.mlp.down_proj.lora_B.weight12 2" {
		t.Errorf("adapters %s", got)
	}
	if err := m.Adapt(LoRA{Rank: 2, Alpha: 4}); err == nil {
		t.Error("adapted twice")
	}
	if n := 0; true {
		nn.ForEachParam(m, func(*nn.Param) { n++ })
		if n != len(m.named()) {
			t.Errorf("spago sees %d parameters of %d", n, len(m.named()))
		}
	}
}
