package llm

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/nlpodyssey/spago/ag"
	"github.com/nlpodyssey/spago/mat"
)

// mixed is a loss of all three outputs whose derivatives differ from position to position and depend on the outputs.
func mixed(o Outputs, g Gradients) (loss float64) {
	for i := range o.Nats {
		a := .1 * float64(i%7+1)
		loss += a * float64(o.Nats[i]*o.Nats[i]) / 2
		g.Nats[i] = float32(a) * o.Nats[i]
		if g.Entropy != nil && i%3 != 0 {
			loss -= .3 * a * float64(o.Entropy[i])
			g.Entropy[i] = float32(-.3 * a)
		}
		if o.Values != nil {
			loss += a * float64(o.Values[i]*o.Values[i]) / 2
			g.Values[i] = float32(a) * o.Values[i]
		}
	}
	return loss
}

func testHead(c Config) *Head {
	h := NewHead(c, 3)
	for i := range values(h.Score) {
		values(h.Score)[i] *= 2
	}
	return h
}

// The joint operator's outputs and gradients are those of the float64 model of elementary operators.
func TestJointAgainstOracle(t *testing.T) {
	for name, c := range testConfigs() {
		m, b, h := testModel(t, c, 7), testBatch(c, 2, 13, 5), testHead(c)
		o := newOracle(m)
		wide := make([]float64, c.Dim)
		for i, v := range values(h.Score) {
			wide[i] = float64(v)
		}
		score := mat.NewDense[float64](mat.WithShape(c.Dim, 1), mat.WithBacking(wide), mat.WithGrad(true))
		hidden := o.hidden(m, b)
		n := len(hidden)
		want := make([]float64, 3*n)
		var parts []mat.Tensor
		for i, z := range o.logits(m, b, hidden) {
			a := .1 * float64(i%7+1)
			value := ag.Dot(hidden[i], score)
			want[2*n+i] = value.Value().Item().F64()
			parts = append(parts, ag.ProdScalar(ag.Prod(value, value), scalar(a/2)))
			if z == nil {
				continue
			}
			p := ag.Softmax(z)
			nats, entropy := ag.Neg(ag.Log(ag.At(p, int(b.Targets[i])))), ag.Neg(ag.Dot(p, ag.Log(p)))
			want[i], want[n+i] = nats.Value().Item().F64(), entropy.Value().Item().F64()
			parts = append(parts, ag.ProdScalar(ag.Prod(nats, nats), scalar(a/2)))
			if i%3 != 0 {
				parts = append(parts, ag.ProdScalar(entropy, scalar(-.3*a)))
			}
		}
		sum := ag.Sum(parts...)
		if err := ag.Backward(sum); err != nil {
			t.Fatal(err)
		}
		tr := NewTrainer(m, testPool(t, 2, ""))
		tr.arena.poison = true
		var got Outputs
		loss, err := tr.AccumulateJoint(b, h, func(o Outputs, g Gradients) float64 { got = o; return mixed(o, g) })
		if err != nil {
			t.Fatal(err)
		}
		if d := distance(slices.Concat(got.Nats, got.Entropy, got.Values), want); !(d <= 1e-5) {
			t.Errorf("%s: outputs: relative distance %.2g", name, d)
		}
		if w := sum.Value().Item().F64(); math.Abs(loss-w) > 1e-5*math.Abs(w) {
			t.Errorf("%s: loss %v, want %v", name, loss, w)
		}
		for _, p := range m.named() {
			if d := distance(gradient(p.param), o.gradient(p.param)); !(d <= 1e-5) {
				t.Errorf("%s: gradient of %s: relative distance %.2g", name, p.name, d)
			}
		}
		if d := distance(gradient(h.Score), mat.Data[float64](score.Grad())); !(d <= 1e-5) {
			t.Errorf("%s: gradient of the score: relative distance %.2g", name, d)
		}
		if tr.arena.lent != 0 {
			t.Errorf("%s: %d values of scratch were not given back", name, tr.arena.lent)
		}
	}
}

// Outputs are the bits that AccumulateJoint's loss gets, of the same rows in any batch and for any number of threads: the first
// ratio of PPO is 1. Losses are those of Nats.
func TestOutputsSameBits(t *testing.T) {
	c := testConfigs()["grouped"]
	c.Vocab, c.Dim = 700, 40
	m, h := testModel(t, c, 2), testHead(c)
	b := testBatch(c, 9, 50, 4)
	var first Outputs
	for _, threads := range []int{1, 2, 3} {
		tr := NewTrainer(m, testPool(t, threads, ""))
		whole, err := tr.Outputs(b, h)
		if err != nil {
			t.Fatal(err)
		}
		if first.Nats == nil {
			first = whole
		}
		nats, err := tr.Nats(b)
		if err != nil {
			t.Fatal(err)
		}
		for i := range nats {
			if math.Abs(float64(nats[i]-whole.Nats[i])) > 1e-5 {
				t.Fatalf("position %d: %v nats, %v alone", i, whole.Nats[i], nats[i])
			}
		}
		for _, part := range [][2]int{{0, 9}, {2, 5}, {8, 9}} {
			low, high := part[0]*b.Len, part[1]*b.Len
			if _, err := tr.AccumulateJoint(b.part(part[0], part[1]), h, func(o Outputs, _ Gradients) float64 {
				if !slices.Equal(o.Nats, first.Nats[low:high]) || !slices.Equal(o.Entropy, first.Entropy[low:high]) || !slices.Equal(o.Values, first.Values[low:high]) {
					t.Errorf("%d threads: rows %v have other bits", threads, part)
				}
				return 0
			}); err != nil {
				t.Fatal(err)
			}
		}
		for _, p := range append(m.Params(), h.Params()...) {
			if slices.ContainsFunc(p.Grad, func(g float32) bool { return g != 0 }) {
				t.Fatalf("%s: a loss without gradients left some", p.Name)
			}
		}
	}
}

// Invariant 10: padding on the right changes no value, no log-probability and no entropy, to the bit.
func TestValuesUnchangedByPadding(t *testing.T) {
	c := testConfigs()["qwen2 tied"]
	m, h := testModel(t, c, 2), testHead(c)
	tr := NewTrainer(m, testPool(t, 2, ""))
	r := rand.New(rand.NewPCG(1, 1))
	short := &Batch{Rows: 1, Len: 21}
	for i := range short.Len {
		short.IDs, short.Targets, short.Pos = append(short.IDs, int32(r.IntN(c.Vocab))), append(short.Targets, int32(r.IntN(c.Vocab))), append(short.Pos, int32(i))
	}
	want, err := tr.Outputs(short, h)
	if err != nil {
		t.Fatal(err)
	}
	for _, goesOn := range []bool{true, false} { // whether the padding's positions go on
		padded := &Batch{Rows: 1, Len: 60, IDs: slices.Clone(short.IDs), Targets: slices.Clone(short.Targets), Pos: slices.Clone(short.Pos)}
		for i := short.Len; i < padded.Len; i++ {
			pos := int32(i)
			if !goesOn {
				pos = int32(i - short.Len)
			}
			padded.IDs, padded.Targets, padded.Pos = append(padded.IDs, int32(r.IntN(c.Vocab))), append(padded.Targets, -1), append(padded.Pos, pos)
		}
		got, err := tr.Outputs(padded, h)
		if err != nil {
			t.Fatal(err)
		}
		n := short.Len
		if !slices.Equal(got.Values[:n], want.Values) || !slices.Equal(got.Nats[:n], want.Nats) || !slices.Equal(got.Entropy[:n], want.Entropy) {
			t.Errorf("padding (positions go on: %v) changed outputs", goesOn)
		}
		for i := n; i < padded.Len; i++ {
			if got.Nats[i] != 0 || got.Entropy[i] != 0 {
				t.Errorf("position %d has no target, but %v nats and entropy %v", i, got.Nats[i], got.Entropy[i])
			}
		}
	}
}

// A reward model's batch has no target at all: the values alone have gradients, and those do not depend on whether targets are
// there that the loss leaves alone. Without a head and without targets there is nothing to do, without a head only values are missing.
func TestJointWithoutTargetsOrHead(t *testing.T) {
	c := testConfigs()["llama"]
	m, h := testModel(t, c, 5), testHead(c)
	tr := NewTrainer(m, testPool(t, 2, ""))
	tr.arena.poison = true
	with := testBatch(c, 3, 11, 8)
	without := &Batch{Rows: 3, Len: 11, IDs: with.IDs, Pos: with.Pos, Targets: slices.Repeat([]int32{-1}, 33)}
	ends := func(o Outputs, g Gradients) float64 {
		g.Values[10], g.Values[21] = 1, -.5
		return float64(o.Values[10] - .5*o.Values[21])
	}
	var grads [][]float32
	for _, b := range []*Batch{with, without} {
		if _, err := tr.AccumulateJoint(b, h, ends); err != nil {
			t.Fatal(err)
		}
		var all []float32
		for _, p := range append(m.Params(), h.Params()...) {
			all = append(all, p.Grad...)
			clear(p.Grad)
		}
		grads = append(grads, all)
	}
	if !slices.Equal(grads[0], grads[1]) || !slices.ContainsFunc(grads[0], func(g float32) bool { return g != 0 }) {
		t.Error("gradients of values depend on targets, or are 0")
	}
	called := false
	if loss, err := tr.AccumulateJoint(without, nil, func(o Outputs, g Gradients) float64 {
		called = true
		g.Nats[3] = 1 // not read: no target is counted there
		return 7
	}); err != nil || loss != 7 || !called {
		t.Errorf("loss %v, error %v, called %v", loss, err, called)
	}
	for _, p := range m.Params() {
		if slices.ContainsFunc(p.Grad, func(g float32) bool { return g != 0 }) {
			t.Errorf("%s has a gradient of nothing", p.Name)
		}
	}
	_, err := tr.AccumulateJoint(with, nil, func(o Outputs, g Gradients) float64 {
		if o.Values != nil || g.Values != nil || len(g.Nats) != 33 || len(o.Entropy) != 33 {
			t.Error("values without a head")
		}
		return mixed(o, g)
	})
	if err != nil || tr.arena.lent != 0 {
		t.Errorf("error %v, %d values lent", err, tr.arena.lent)
	}
	c.Dim = 14
	if _, err := tr.Outputs(with, NewHead(c, 1)); err == nil {
		t.Error("a head of another width was taken")
	}
}
