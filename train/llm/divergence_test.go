package llm

import (
	"math"
	"slices"
	"strings"
	"testing"
)

// The worked numbers: T = [.7, .2, .1], S = [.5, .3, .2], computed here in float64 by another program, through the operator on a
// vocabulary of three, forward, reverse and halfway; a temperature that undoes a scaled logit leaves them.
func TestWorkedDivergences(t *testing.T) {
	pool := testPool(t, 1, "")
	for _, temperature := range []float64{1, .5, 2} {
		logs := func(p ...float64) []float32 {
			z := make([]float32, len(p))
			for i := range p {
				z[i] = float32(math.Log(p[i])*temperature) + 3 // a constant changes no distribution
			}
			return z
		}
		identity := []float32{1, 0, 0, 0, 1, 0, 0, 0, 1}
		for beta, want := range map[float64]float64{0: .0851228260, 1: .0920328502, .5: .0219011790} {
			x := paramOf(1, 3, logs(.5, .3, .2)...)
			a := arena{poison: true}
			g := &graph{pool: pool, arena: &a, rows: 1}
			o := &crossEntropy{graph: g, x: run(&source{g, x}), w: paramOf(3, 3, identity...), targets: []int32{0}, counted: []int32{0}, vocab: 3, dim: 3}
			o.rule = o.divergences(&teacherHead{hidden: logs(.7, .2, .1), w: identity, dim: 3}, Divergence{beta, temperature})
			if got := float64(data(run(o))[0]); math.Abs(got-want) > 3e-7 {
				t.Errorf("beta %g, temperature %g: %.10f, want %.10f", beta, temperature, got, want)
			}
		}
	}
}

// plainDivergence is the definition, in float64 on probabilities.
func plainDivergence(teacher, student []float32, d Divergence) (sum float64) {
	soft := func(z []float32) []float64 {
		p := make([]float64, len(z))
		var sum float64
		for i, v := range z {
			p[i] = math.Exp(float64(v) / d.Temperature)
			sum += p[i]
		}
		for i := range p {
			p[i] /= sum
		}
		return p
	}
	a, b := soft(teacher), soft(student)
	for i := range a {
		m := (1-d.Beta)*b[i] + d.Beta*a[i]
		switch d.Beta {
		case 0:
			sum += a[i] * math.Log(a[i]/b[i])
		case 1:
			sum += b[i] * math.Log(b[i]/a[i])
		default:
			sum += d.Beta*a[i]*math.Log(a[i]/m) + (1-d.Beta)*b[i]*math.Log(b[i]/m)
		}
	}
	return sum
}

// A student with a wider teacher: divergences are those of the definition on the decoders' logits, gradients of the whole model
// those of finite differences, over more positions than one chunk has.
func TestDivergenceOfModels(t *testing.T) {
	small, wide := testConfigs()["qwen2 tied"], testConfigs()["grouped"]
	wide.Dim, wide.FFN, wide.Layers = 20, 30, 1
	p := testPool(t, 2, "")
	student, teacher := testModel(t, small, 1), testModel(t, wide, 2)
	b := testBatch(small, 12, 64, 3) // 768 positions
	logits := func(m *Model) []float32 {
		d, all := testDecoder(t, m, p, 1), []float32(nil)
		for _, s := range b.spans() {
			d.Reset(0)
			part, err := d.PrefillAll(0, b.IDs[s.start:s.end])
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, part...)
		}
		return all
	}
	v := small.Vocab
	zs, zt := logits(student), logits(teacher)
	for _, d := range []Divergence{{0, .9}, {.5, 1}, {.1, .9}, {1, 2}} {
		tr, te := NewTrainer(student, p), NewTrainer(teacher, p)
		tr.arena.poison, te.arena.poison = true, true
		weights := make([]float32, len(b.Targets))
		for i := range weights {
			weights[i] = float32(i%5) / 100
		}
		got, err := tr.AccumulateDivergence(b, weights, te, d)
		if err != nil {
			t.Fatal(err)
		}
		want := make([]float64, len(got))
		for _, i := range b.counted() {
			want[i] = plainDivergence(zt[int(i)*v:int(i+1)*v], zs[int(i)*v:int(i+1)*v], d)
		}
		if distance := distance(got, want); !(distance <= 1e-5) {
			t.Errorf("%+v: relative distance %.2g", d, distance)
		}
		alone, err := tr.Divergences(b, te, d)
		if err != nil || !slices.Equal(alone, got) {
			t.Errorf("%+v: other bits without gradients: %v", d, err)
		}
		if tr.arena.lent != 0 || te.arena.lent != 0 {
			t.Errorf("%+v: %d and %d values of scratch were not given back", d, tr.arena.lent, te.arena.lent)
		}
		loss := func() (sum float64) {
			list, err := tr.Divergences(b, te, d)
			if err != nil {
				t.Fatal(err)
			}
			for i, v := range list {
				sum += float64(v) * float64(weights[i])
			}
			return sum
		}
		for _, param := range student.Params() {
			// Along the gradient the loss grows by its length: one difference tells all values of a parameter.
			length := GradNorm(p, []Param{param})
			old, step := slices.Clone(param.Value), .005/length
			move := func(by float64) float64 {
				for i := range old {
					param.Value[i] = old[i] + float32(by*float64(param.Grad[i]))
				}
				return loss()
			}
			slope := (move(step) - move(-step)) / (2 * step * length)
			copy(param.Value, old)
			if !(math.Abs(slope-length) <= 3e-3*length) {
				t.Errorf("%+v: %s: the loss grows by %.5g along a gradient of %.5g", d, param.Name, slope, length)
			}
			clear(param.Grad)
		}
		for _, param := range teacher.Params() {
			if slices.ContainsFunc(param.Grad, func(g float32) bool { return g != 0 }) {
				t.Fatalf("%+v: the teacher's %s has a gradient", d, param.Name)
			}
		}
	}
}

// A teacher that is the student's copy teaches nothing; logits far apart give numbers; what does not fit is refused.
func TestDivergenceEdges(t *testing.T) {
	c := testConfigs()["grouped"]
	p := testPool(t, 1, "")
	m := testModel(t, c, 1)
	tr, same := NewTrainer(m, p), NewTrainer(testModel(t, c, 1), p)
	b := testBatch(c, 2, 9, 1)
	ones := slices.Repeat([]float32{1}, len(b.Targets))
	for _, beta := range []float64{0, .5, 1} {
		nats, err := tr.AccumulateDivergence(b, ones, same, Divergence{beta, 1})
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range nats {
			if !(v >= 0 && v < 1e-6) {
				t.Errorf("beta %g: a copy diverges by %v", beta, v)
			}
		}
		if n := GradNorm(p, m.Params()); !(n < 1e-5) {
			t.Errorf("beta %g: a copy gives a gradient of %v", beta, n)
		}
		p.Run(1, func(w *kernelWorker, _ int) {
			z, y, s := []float32{300, 0, -200}, []float32{-300, 0, 250}, make([]float32, 3)
			value := Divergence{beta, 1}.row(w, z, y, s, 1)
			if want := map[float64]float64{0: 500, .5: math.Ln2, 1: 550}[beta]; !(math.Abs(value-want) <= 1e-6*want) {
				t.Errorf("beta %g: far apart by %v, want %v", beta, value, want)
			}
			for _, g := range z {
				if math.IsNaN(float64(g)) || math.IsInf(float64(g), 0) {
					t.Errorf("beta %g: gradient %v", beta, z)
				}
			}
		})
	}
	c.Vocab++
	other := NewTrainer(testModel(t, c, 1), p)
	c.Vocab--
	c.Context = 3
	short := NewTrainer(testModel(t, c, 1), p)
	for want, f := range map[string]func() error{
		"a teacher of 24 ids": func() error { _, err := tr.AccumulateDivergence(b, ones, other, Divergence{0, 1}); return err },
		"teacher: batch: row": func() error { _, err := tr.Divergences(b, short, Divergence{0, 1}); return err },
		"beta 1.5":            func() error { _, err := tr.AccumulateDivergence(b, ones, same, Divergence{1.5, 1}); return err },
		"temperature 0":       func() error { _, err := tr.AccumulateDivergence(b, ones, same, Divergence{0, 0}); return err },
		"3 weights":           func() error { _, err := tr.AccumulateDivergence(b, ones[:3], same, Divergence{0, 1}); return err },
	} {
		if err := f(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
}

// Logits of teacher and student exist in chunks.
func TestDivergenceMemory(t *testing.T) {
	c := Config{Vocab: 20000, Context: 64, Dim: 8, FFN: 16, Layers: 1, Heads: 2, KVHeads: 1, HeadDim: 4, NormEps: 1e-5, RopeTheta: 1e4}
	p := testPool(t, 2, "")
	tr, te := NewTrainer(testModel(t, c, 1), p), NewTrainer(testModel(t, c, 2), p)
	b := uniformBatch(c, 8, 64)
	if _, err := tr.AccumulateDivergence(b, make([]float32, 512), te, Divergence{.5, 1}); err != nil {
		t.Fatal(err)
	}
	if peak := tr.arena.peak + te.arena.peak; peak > int64(512*c.Vocab)/2 {
		t.Errorf("%d values for logits of twice %d", peak, 512*c.Vocab)
	}
}
