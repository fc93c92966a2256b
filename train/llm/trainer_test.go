package llm

import (
	"math"
	"slices"
	"strings"
	"testing"

	"winnow/train/internal/kernel"
)

type kernelWorker = kernel.Worker

func mustAccumulate(t testing.TB, tr *Trainer, b *Batch, scale float32) float64 {
	t.Helper()
	nats, err := tr.Accumulate(b, scale)
	if err != nil {
		t.Fatal(err)
	}
	return nats
}

// part is rows [low, high) of b.
func (b *Batch) part(low, high int) *Batch {
	n := b.Len
	return &Batch{Rows: high - low, Len: n, IDs: b.IDs[low*n : high*n], Targets: b.Targets[low*n : high*n], Pos: b.Pos[low*n : high*n]}
}

// Invariant 1: a new model knows nothing.
func TestLossOfNewModel(t *testing.T) {
	c := Config{Vocab: 512, Context: 64, Dim: 64, FFN: 176, Layers: 3, Heads: 4, KVHeads: 4, HeadDim: 16, NormEps: 1e-5, RopeTheta: 1e4}
	for _, c.Tied = range []bool{false, true} {
		m, err := New(c, 3)
		if err != nil {
			t.Fatal(err)
		}
		b := testBatch(c, 4, 64, 1)
		nats := mustAccumulate(t, NewTrainer(m, testPool(t, 2, "")), b, 1) / float64(len(b.counted()))
		if math.Abs(nats-math.Log(512)) > .1 {
			t.Errorf("tied %v: loss %.4f, want %.4f", c.Tied, nats, math.Log(512))
		}
	}
}

// Invariant 2: the gradient of a batch is that of its parts, one after another.
func TestAccumulation(t *testing.T) {
	c := testConfigs()["grouped"]
	m, b := testModel(t, c, 1), testBatch(c, 8, 40, 3)
	tr := NewTrainer(m, testPool(t, 2, ""))
	whole := mustAccumulate(t, tr, b, 1)
	var want [][]float64
	for _, p := range m.Params() {
		wide := make([]float64, len(p.Grad))
		for i, g := range p.Grad {
			wide[i] = float64(g)
		}
		want = append(want, wide)
		clear(p.Grad)
	}
	var sum float64
	for r := 0; r < 8; r += 2 {
		sum += mustAccumulate(t, tr, b.part(r, r+2), 1)
	}
	if math.Abs(sum-whole) > 1e-6*whole {
		t.Errorf("loss %v in parts, %v whole", sum, whole)
	}
	for i, p := range m.Params() {
		if d := distance(p.Grad, want[i]); d > 1e-6 {
			t.Errorf("%s: relative distance %.2g", p.Name, d)
		}
	}
}

// Invariant 3: documents packed into a row have the losses that they have alone, padded or not.
func TestPackedRows(t *testing.T) {
	c := testConfigs()["qwen2 tied"]
	m := testModel(t, c, 2)
	tr := NewTrainer(m, testPool(t, 2, ""))
	b := testBatch(c, 1, 60, 9)
	packed, err := tr.Nats(b)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range b.spans() {
		n := s.end - s.start
		for _, pad := range []int{0, 3} {
			alone := &Batch{Rows: 1, Len: n + pad, IDs: slices.Clone(b.IDs[s.start:s.end]), Targets: slices.Clone(b.Targets[s.start:s.end]), Pos: slices.Clone(b.Pos[s.start:s.end])}
			for i := range pad {
				alone.IDs, alone.Targets, alone.Pos = append(alone.IDs, 0), append(alone.Targets, -1), append(alone.Pos, int32(i))
			}
			got, err := tr.Nats(alone)
			if err != nil {
				t.Fatal(err)
			}
			for i := range n {
				if math.Abs(float64(got[i]-packed[s.start+i])) > 1e-5 {
					t.Errorf("token %d: %v alone, %v packed", s.start+i, got[i], packed[s.start+i])
				}
			}
		}
	}
}

// Two steps of training with accumulation leave the same bytes, whatever the threads.
func TestSameBytesForAnyThreads(t *testing.T) {
	c := testConfigs()["qwen2 tied"]
	c.Vocab, c.Dim, c.FFN, c.Heads, c.KVHeads, c.HeadDim, c.Context = 300, 48, 90, 6, 2, 12, 160
	b := testBatch(c, 4, 70, 8)
	for _, name := range kernel.Names() {
		var first []float32
		for _, threads := range []int{1, 2, 3, 3} {
			m := testModel(t, c, 4)
			p := testPool(t, threads, name)
			tr, o := NewTrainer(m, p), &AdamW{Beta1: .9, Beta2: .95, Eps: 1e-8, WeightDecay: .1}
			var bytes []float32
			for step := 1; step <= 2; step++ {
				for _, part := range []*Batch{b.part(0, 3), b.part(3, 4)} {
					bytes = append(bytes, float32(mustAccumulate(t, tr, part, .01)))
				}
				norm := GradNorm(p, m.Params())
				o.Step(p, m.Params(), step, 1e-2, float32(1/norm))
				bytes = append(bytes, float32(norm))
			}
			for _, v := range m.Params() {
				bytes = append(bytes, v.Value...)
			}
			if first == nil {
				first = bytes
			} else if !slices.Equal(first, bytes) {
				t.Errorf("%s: %d threads leave other bytes than 1", name, threads)
			}
		}
	}
}

// A small model learns a batch by heart.
func TestLearns(t *testing.T) {
	c := testConfigs()["llama"]
	m, err := New(c, 1)
	if err != nil {
		t.Fatal(err)
	}
	b, p := testBatch(c, 2, 20, 1), testPool(t, 2, "")
	tr, o := NewTrainer(m, p), &AdamW{Beta1: .9, Beta2: .95, Eps: 1e-8}
	n := float64(len(b.counted()))
	var first, last float64
	for step := 1; step <= 150; step++ {
		last = mustAccumulate(t, tr, b, float32(1/n)) / n
		if step == 1 {
			first = last
		}
		o.Step(p, m.Params(), step, 1e-2, 1)
	}
	if !(last < .2 && first > 3) {
		t.Errorf("loss from %.3f to %.3f", first, last)
	}
}

func TestBatchIsChecked(t *testing.T) {
	c := testConfigs()["llama"]
	tr := NewTrainer(testModel(t, c, 1), testPool(t, 1, ""))
	for want, spoil := range map[string]func(b *Batch){
		"row 1: position 2: id 23":     func(b *Batch) { b.IDs[7] = 23 },
		"row 0: position 1: id -1":     func(b *Batch) { b.IDs[1] = -1 },
		"row 0: position 0: target 99": func(b *Batch) { b.Targets[0] = 99 },
		"outside the context of 64":    func(b *Batch) { b.Pos[3] = 64 },
		"9 targets":                    func(b *Batch) { b.Targets = b.Targets[:9] },
		"0 rows":                       func(b *Batch) { b.Rows = 0 },
	} {
		b := testBatch(c, 2, 5, 1)
		spoil(b)
		if _, err := tr.Accumulate(b, 1); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
		if _, err := tr.Nats(b); err == nil {
			t.Errorf("nats: no error, want %q", want)
		}
	}
	b := testBatch(c, 1, 5, 1)
	for i := range b.Targets {
		b.Targets[i] = -1
	}
	if nats := mustAccumulate(t, tr, b, 1); nats != 0 {
		t.Errorf("%v nats without targets", nats)
	}
}

func TestConfig(t *testing.T) {
	c := Config{Vocab: 4096, Context: 256, Dim: 256, FFN: 688, Layers: 4, Heads: 4, KVHeads: 4, HeadDim: 64, NormEps: 1e-5, RopeTheta: 1e4}
	if err := c.Validate(); err != nil {
		t.Fatal(err)
	}
	for name, c := range testConfigs() {
		m := testModel(t, c, 1)
		var n, w int
		for _, p := range m.Params() {
			n += len(p.Value)
		}
		for _, v := range m.Weights() {
			w += len(v.Data)
			if len(v.Data) != v.Rows*max(1, v.Cols) {
				t.Errorf("%s: %s: %d values for [%d, %d]", name, v.Name, len(v.Data), v.Rows, v.Cols)
			}
		}
		if int64(n) != c.Params() || n != w {
			t.Errorf("%s: %d values in Params, %d in Weights, Config says %d", name, n, w, c.Params())
		}
	}
	// 4 layers of 4·256² + 3·256·688, a head of 4096·256; 6N + 6·4·256·256.
	if n := c.MatmulParams(); n != 4*(4*256*256+3*256*688)+4096*256 || c.FLOPsPerToken(256) != 6*float64(n)+6*4*256*256 {
		t.Errorf("%d matmul parameters, %g operations", c.MatmulParams(), c.FLOPsPerToken(256))
	}
	c.KVHeads, c.HeadDim, c.Dim = 3, 7, 0
	if err := c.Validate(); err == nil || !strings.Contains(err.Error(), "kv_heads 3") || !strings.Contains(err.Error(), "head_dim 7") || !strings.Contains(err.Error(), "dim 0") {
		t.Errorf("error %v", err)
	}
}

// A step's logits exist in chunks, all memory comes back, and a second step of the same shape takes no more.
func TestMemory(t *testing.T) {
	c := Config{Vocab: 20000, Context: 64, Dim: 8, FFN: 16, Layers: 2, Heads: 2, KVHeads: 1, HeadDim: 4, NormEps: 1e-5, RopeTheta: 1e4}
	tr := NewTrainer(testModel(t, c, 1), testPool(t, 2, ""))
	b := uniformBatch(c, 5, 64)
	mustAccumulate(t, tr, b, 1)
	if held := tr.arena.held; held > int64(b.Rows*b.Len*c.Vocab)/2 {
		t.Errorf("%d values for logits of %d", held, b.Rows*b.Len*c.Vocab)
	}
	for i := range 2 * keepSteps {
		held := tr.arena.held
		if mustAccumulate(t, tr, b, 1); tr.arena.held > held || tr.arena.lent != 0 {
			t.Errorf("step %d: %d values held after %d, %d lent", i, tr.arena.held, held, tr.arena.lent)
		}
	}
	small := uniformBatch(c, 1, 8)
	for range 2 * keepSteps {
		mustAccumulate(t, tr, small, 1)
	}
	if most := int64(8 * c.Vocab * 2); tr.arena.held > most {
		t.Errorf("%d values held by small batches, want at most %d", tr.arena.held, most)
	}
}

// FuzzBatch: a batch is refused with an error, or its spans cover it in order and its losses are numbers.
func FuzzBatch(f *testing.F) {
	f.Add([]byte{1, 2, 3, 4, 5, 6}, uint8(2), uint8(3), uint64(1))
	f.Add([]byte{0, 255, 22, 23, 9}, uint8(1), uint8(5), uint64(2))
	c := testConfigs()["qwen2 tied"]
	tr := NewTrainer(testModel(f, c, 1), testPool(f, 1, ""))
	f.Fuzz(func(t *testing.T, ids []byte, rows, length uint8, seed uint64) {
		b := testBatch(c, int(rows%5), int(length), seed)
		for i := range min(len(ids), len(b.IDs)) {
			b.IDs[i], b.Pos[len(b.Pos)-1-i] = int32(ids[i]), int32(ids[i]%70)
		}
		nats, err := tr.Nats(b)
		if err != nil {
			if b.check(c) == nil {
				t.Fatal(err)
			}
			return
		}
		at := 0
		for _, s := range b.spans() {
			if s.start != at || s.end <= s.start || s.start/b.Len != (s.end-1)/b.Len {
				t.Fatalf("span %v after %d", s, at)
			}
			at = s.end
		}
		if at != len(nats) || tr.arena.lent != 0 {
			t.Fatalf("spans cover %d of %d, %d values lent", at, len(nats), tr.arena.lent)
		}
		for i, v := range nats {
			if !(v >= 0) || v != 0 && b.Targets[i] < 0 || math.IsInf(float64(v), 0) {
				t.Fatalf("position %d: %v nats for target %d", i, v, b.Targets[i])
			}
		}
	})
}
