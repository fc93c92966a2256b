package llm

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/nlpodyssey/spago/ag"
	"github.com/nlpodyssey/spago/mat"
	"github.com/nlpodyssey/spago/nn"
)

// source hands a parameter to an operator as a value that another operator made.
type source struct {
	*graph
	p *nn.Param
}

func (o *source) Operands() []mat.Tensor { return []mat.Tensor{o.p} }

func (o *source) Forward() (mat.Tensor, error) {
	v := values(o.p)
	y := o.arena.get(len(v))
	copy(y, v)
	return newTensor(y, o.p.Shape()[0], o.p.Shape()[1]), nil
}

func (o *source) Backward(gy mat.Tensor) error {
	g := gradient(o.p)
	for i, v := range gy.(*tensor).data {
		g[i] += v
	}
	return nil
}

func randomParam(seed uint64, rows, cols int) *nn.Param {
	p := newParam(rows, cols)
	fillNormal(values(p), seed, "test", 1)
	return p
}

// operatorCase is one fused operator on inputs of its own.
type operatorCase struct {
	name   string
	inputs []*nn.Param
	build  func(g *graph) *ag.Operator
}

func operatorCases() []operatorCase {
	const rows, d, out = 9, 6, 5
	x, gain, w, b, res := randomParam(1, rows, d), randomParam(2, d, 1), randomParam(3, out, d), randomParam(4, out, 1), randomParam(5, rows, out)
	gu, table := randomParam(6, rows, 8), randomParam(7, 4, d)
	c := Config{Vocab: 1, Context: 100, Dim: d, FFN: 1, Layers: 1, Heads: 4, KVHeads: 2, HeadDim: 4, NormEps: 1e-5, RopeTheta: 100}
	pos := []int32{0, 1, 2, 3, 4, 0, 1, 7, 8}
	spans := (&Batch{Rows: 1, Len: rows, Pos: pos}).spans()
	qkv := randomParam(8, rows, c.qkvRows())
	long := randomParam(9, 70, c.qkvRows())
	r := newRotary(c)
	r.grow(100)
	head, score := randomParam(10, 11, d), randomParam(12, 1, d)
	low := &LowRank{A: randomParam(13, 4, d), B: randomParam(14, 3, 2), rank: 2, in: d, scale: .7, parts: []lowRankPart{{first: 0, rows: 2}, {first: 4, rows: 1, at: 2}}}
	targets := []int32{3, -1, 0, 10, 10, 2, -1, -1, 7}
	counted := (&Batch{Targets: targets}).counted()
	longPos := make([]int32, 70)
	for i := range longPos {
		longPos[i] = int32(i)
	}
	teacher := &teacherHead{hidden: values(randomParam(15, rows, 4)), w: values(randomParam(16, 11, 4)), dim: 4}
	diverging := func(beta float64) operatorCase {
		return operatorCase{fmt.Sprintf("divergence at beta %g", beta), []*nn.Param{x, head}, func(g *graph) *ag.Operator {
			o := &crossEntropy{graph: g, x: run(&source{g, x}), w: head, targets: targets, counted: counted, vocab: 11, dim: d}
			o.rule = o.divergences(teacher, Divergence{Beta: beta, Temperature: .9})
			return run(o)
		}}
	}
	return []operatorCase{
		diverging(0), diverging(.3), diverging(1),
		{"embed", []*nn.Param{table}, func(g *graph) *ag.Operator {
			return run(&embed{graph: g, table: table, root: table, ids: []int32{3, 0, 3, 3, 1, 1, 0, 2, 3}, dim: d})
		}},
		{"norm", []*nn.Param{x, gain}, func(g *graph) *ag.Operator {
			return run(&rmsNorm{graph: g, x: run(&source{g, x}), gain: gain, eps: 1e-5, dim: d})
		}},
		{"linear", []*nn.Param{x, w}, func(g *graph) *ag.Operator {
			return run(&linear{graph: g, x: run(&source{g, x}), w: w, in: d, out: out})
		}},
		{"linear with bias", []*nn.Param{x, w, b}, func(g *graph) *ag.Operator {
			return run(&linear{graph: g, x: run(&source{g, x}), w: w, bias: b, in: d, out: out})
		}},
		{"linear with residual", []*nn.Param{x, w, res}, func(g *graph) *ag.Operator {
			return run(&linear{graph: g, x: run(&source{g, x}), w: w, residual: run(&source{g, res}), in: d, out: out})
		}},
		{"linear with adapters", []*nn.Param{x, w, res, low.A, low.B}, func(g *graph) *ag.Operator {
			return run(&linear{graph: g, x: run(&source{g, x}), w: w, residual: run(&source{g, res}), low: low, in: d, out: out})
		}},
		{"swiglu", []*nn.Param{gu}, func(g *graph) *ag.Operator {
			return run(&swiGLU{graph: g, x: run(&source{g, gu}), width: 4})
		}},
		{"attention over spans", []*nn.Param{qkv}, func(g *graph) *ag.Operator {
			return run(&attention{graph: g, qkv: run(&source{g, qkv}), config: c, pos: pos, spans: spans, rotary: r})
		}},
		{"attention over blocks", []*nn.Param{long}, func(g *graph) *ag.Operator {
			g.rows = 70
			return run(&attention{graph: g, qkv: run(&source{g, long}), config: c, pos: longPos, spans: []span{{0, 70}}, rotary: r})
		}},
		{"cross entropy", []*nn.Param{x, head}, func(g *graph) *ag.Operator {
			return run(&crossEntropy{graph: g, x: run(&source{g, x}), w: head, targets: targets, counted: counted, vocab: 11, dim: d})
		}},
		{"joint heads", []*nn.Param{x, head, score}, func(g *graph) *ag.Operator {
			heads := &crossEntropy{graph: g, x: run(&source{g, x}), w: head, targets: targets, counted: counted, vocab: 11, dim: d}
			return run(&jointHeads{crossEntropy: heads, score: score, columns: 3})
		}},
	}
}

// TestFiniteDifferences compares every operator's gradient with central differences of a random combination of its outputs.
func TestFiniteDifferences(t *testing.T) {
	pool := testPool(t, 2, "")
	for _, c := range operatorCases() {
		t.Run(c.name, func(t *testing.T) {
			var a arena
			for _, p := range c.inputs {
				clear(gradient(p)) // cases share inputs
			}
			out := c.build(&graph{pool: pool, arena: &a, train: true, rows: 9})
			coefficients := randomParam(11, out.Shape()[0], out.Shape()[1])
			value := func() (sum float64) {
				y := c.build(&graph{pool: pool, arena: &a, train: true, rows: 9})
				for i, v := range data(y) {
					sum += float64(v) * float64(values(coefficients)[i])
				}
				return sum
			}
			out.AccGrad(newTensor(append([]float32(nil), values(coefficients)...), out.Shape()[0], out.Shape()[1]))
			if err := ag.Backward(out); err != nil {
				t.Fatal(err)
			}
			for i, p := range c.inputs {
				v := values(p)
				want := make([]float64, len(v))
				for j := 0; j < len(v); j += max(1, len(v)/400) {
					const h = 1.0 / 128
					old := v[j]
					v[j] = old + h
					up := value()
					v[j] = old - h
					want[j] = (up - value()) / (2 * h)
					v[j] = old
				}
				got := gradient(p)
				for j := range got {
					if j%max(1, len(v)/400) != 0 {
						got[j] = 0
					}
				}
				if d := distance(got, want); !(d <= 1e-3) {
					t.Errorf("input %d: relative distance %.2g\n got %v\nwant %v", i, d, got[:min(8, len(got))], want[:min(8, len(want))])
				}
			}
		})
	}
}

func near(t *testing.T, what string, got []float32, want []float64, tolerance float64) {
	t.Helper()
	for i, w := range want {
		if !(math.Abs(float64(got[i])-w) <= tolerance) {
			t.Errorf("%s: value %d is %.10f, want %.10f", what, i, got[i], w)
		}
	}
}

func paramOf(rows, cols int, v ...float32) *nn.Param {
	p := newParam(rows, cols)
	copy(values(p), v)
	return p
}

// TestWorkedNumbers holds operators to values computed in float64 by hand.
func TestWorkedNumbers(t *testing.T) {
	for _, name := range []string{"", "portable"} {
		pool := testPool(t, 1, name)
		var a arena
		g := &graph{pool: pool, arena: &a, train: true, rows: 1}

		x := paramOf(1, 4, 2, 1, 0, -1)
		eye := paramOf(4, 4, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1)
		loss := run(&crossEntropy{graph: g, x: run(&source{g, x}), w: eye, targets: []int32{1}, counted: []int32{0}, weights: []float32{1}, vocab: 4, dim: 4})
		near(t, "cross entropy", data(loss), []float64{1.4401896986}, 3e-7)
		loss.AccGrad(newTensor([]float32{1}, 1, 1))
		if err := ag.Backward(loss); err != nil {
			t.Fatal(err)
		}
		near(t, "gradient of cross entropy", gradient(x), []float64{.6439142599, -.7631171819, .0871443187, .0320586033}, 1e-7)

		ones := paramOf(4, 1, 1, 1, 1, 1)
		n := run(&rmsNorm{graph: g, x: run(&source{g, paramOf(1, 4, 1, 2, 3, 4)}), gain: ones, eps: 1e-5, dim: 4})
		near(t, "norm", data(n), []float64{.3651481282, .7302962565, 1.0954443847, 1.4605925130}, 3e-7)

		r := newRotary(Config{HeadDim: 4, RopeTheta: 1e4})
		r.grow(4)
		row := []float32{1, 2, 3, 4}
		pool.Run(1, func(w *kernelWorker, _ int) { r.turn(w, row, 1, 3, r.sin) })
		near(t, "rotary", row, []float64{-1.4133525208, 1.8791180667, -2.8288574817, 4.0581911354}, 5e-7)
		pool.Run(1, func(w *kernelWorker, _ int) { r.turn(w, row, 1, 3, r.back) })
		near(t, "rotary and back", row, []float64{1, 2, 3, 4}, 1e-6)

		s := run(&swiGLU{graph: g, x: run(&source{g, paramOf(1, 2, 1.5, 1)}), width: 1})
		near(t, "silu", data(s), []float64{1.2263617143}, 2e-7)

		p := []Param{{Value: []float32{1}, Grad: []float32{.5}, Decay: true}, {Value: []float32{1}, Grad: []float32{0}}}
		o := &AdamW{Beta1: .9, Beta2: .95, Eps: 1e-8, WeightDecay: .1}
		o.Step(pool, p, 1, .01, 1)
		near(t, "AdamW, step 1", p[0].Value, []float64{.9890000002}, 1e-7)
		if p[0].Grad[0] != 0 {
			t.Error("AdamW left a gradient")
		}
		p[0].Grad[0] = -.4
		o.Step(pool, p, 2, .01, .5)
		near(t, "AdamW, step 2", p[0].Value, []float64{.9845230345}, 1e-7)
		near(t, "AdamW without decay", p[1].Value, []float64{1}, 0)
	}
}

func TestGradNorm(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	var want float64
	var list []Param
	for _, n := range []int{1, optimiserChunk, 2*optimiserChunk + 5} {
		g := make([]float32, n)
		for i := range g {
			g[i] = float32(r.NormFloat64())
			want += float64(g[i]) * float64(g[i])
		}
		list = append(list, Param{Value: g, Grad: g})
	}
	var norms []float64
	for threads := 1; threads <= 3; threads++ {
		norms = append(norms, GradNorm(testPool(t, threads, ""), list))
	}
	if norms[0] != norms[1] || norms[0] != norms[2] || math.Abs(norms[0]-math.Sqrt(want)) > 1e-9*norms[0] {
		t.Errorf("norms %v, want %v", norms, math.Sqrt(want))
	}
}
