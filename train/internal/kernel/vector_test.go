package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"testing"
)

// lengths cover whole registers, their tails, and unrolled loops.
func lengths() []int {
	var n []int
	for i := 1; i <= 70; i++ {
		n = append(n, i)
	}
	return append(n, 127, 256, 688, 1000)
}

// near compares with a float64 reference, relative to size where that is not 0.
func near(t *testing.T, what string, got []float32, want []float64, tolerance float64) {
	t.Helper()
	size := 0.1 // a gradient of one element is 0 but for rounding
	for _, v := range want {
		size = max(size, math.Abs(v))
	}
	for i := range want {
		if d := math.Abs(float64(got[i]) - want[i]); !(d <= tolerance*size) {
			t.Fatalf("%s: element %d of %d: %v, want %v", what, i, len(want), got[i], want[i])
		}
	}
}

// vectors are inputs of one length and outputs between guards, for a row function to be compared with float64.
type vectors struct {
	t                     *testing.T
	w                     *Worker
	n                     int
	x, y, z, u            []float32
	dst, dst2, all1, all2 []float32
}

// each is a value for each index.
func (v *vectors) each(f func(i int) float64) []float64 {
	want := make([]float64, v.n)
	for i := range want {
		want[i] = f(i)
	}
	return want
}

func (v *vectors) sum(f func(i int) float64) (s float64) {
	for i := range v.n {
		s += f(i)
	}
	return s
}

// check compares dst, relative to its largest value.
func (v *vectors) check(what string, tolerance float64, f func(i int) float64) {
	v.t.Helper()
	checkGuards(v.t, what, v.all1, v.n)
	near(v.t, what, v.dst, v.each(f), tolerance)
}

// check2 compares dst2.
func (v *vectors) check2(what string, tolerance float64, f func(i int) float64) {
	v.t.Helper()
	checkGuards(v.t, what, v.all2, v.n)
	near(v.t, what, v.dst2, v.each(f), tolerance)
}

// at is an element in float64.
func at(s []float32, i int) float64 { return float64(s[i]) }

// TestVectors compares every row function with float64, at every tail, with guards around what it writes.
func TestVectors(t *testing.T) {
	each(t, 1, func(t *testing.T, p *Pool) {
		r := rand.New(rand.NewPCG(3, 4))
		for _, n := range lengths() {
			v := &vectors{t: t, w: p.workers[0], n: n}
			for _, s := range []*[]float32{&v.x, &v.y, &v.z, &v.u} {
				*s = randoms(r, make([]float32, n))
			}
			v.all1, v.dst = guarded(n)
			v.all2, v.dst2 = guarded(n)
			v.activations()
			v.softmax()
			v.norm()
			v.linear()
			testAdamW(t, v.w, v.x, v.y, v.z, v.u)
		}
	})
}

func (v *vectors) activations() {
	w, x, y, z := v.w, v.x, v.y, v.z
	silu := func(v float64) float64 { return v / (1 + math.Exp(-v)) }
	w.Exp(v.dst, x, 2, 0.5)
	v.check("exp", 3e-7, func(i int) float64 { return math.Exp(float64(2*x[i] - 0.5)) })
	w.SiLU(v.dst, x)
	v.check("silu", 3e-7, func(i int) float64 { return silu(at(x, i)) })
	w.SwiGLU(v.dst, x, y)
	v.check("swiglu", 4e-7, func(i int) float64 { return silu(at(x, i)) * at(y, i) })
	w.SwiGLUGrad(v.dst, v.dst2, z, x, y)
	v.check("swiglu gate", 5e-7, func(i int) float64 {
		s := 1 / (1 + math.Exp(-at(x, i)))
		return at(z, i) * at(y, i) * (s + at(x, i)*s*(1-s))
	})
	v.check2("swiglu up", 4e-7, func(i int) float64 { return at(z, i) * silu(at(x, i)) })
}

func (v *vectors) softmax() {
	w, x, y := v.w, v.x, v.y
	if got, want := w.Max(x), slices.Max(x); got != want {
		v.t.Fatalf("max of %d: %v, want %v", v.n, got, want)
	}
	total := v.sum(func(i int) float64 { return math.Exp(0.7 * at(x, i)) })
	lse := w.Softmax(v.dst, x, 0.7)
	v.check("softmax", 1e-6, func(i int) float64 { return math.Exp(0.7*at(x, i)) / total })
	near(v.t, "lse", []float32{lse, w.LogSumExp(x, 0.7)}, []float64{math.Log(total), math.Log(total)}, 1e-5)
	w.SoftmaxGrad(v.dst, x, y, 0.3, 0.9)
	v.check("softmax gradient", 4e-7, func(i int) float64 { return 0.9 * at(x, i) * (at(y, i) - float64(float32(0.3))) })
}

func (v *vectors) norm() {
	w, x, y, z, u := v.w, v.x, v.y, v.z, v.u
	inv := w.RMSNorm(v.dst, x, y, 1e-5)
	want := 1 / math.Sqrt(v.sum(func(i int) float64 { return at(x, i) * at(x, i) })/float64(v.n)+1e-5)
	near(v.t, "inv", []float32{inv}, []float64{want}, 1e-6)
	v.check("rmsnorm", 1e-6, func(i int) float64 { return at(x, i) * want * at(y, i) })
	dot := v.sum(func(i int) float64 { return at(z, i) * at(y, i) * at(x, i) })
	gradient := func(i int) float64 {
		return at(z, i)*at(y, i)*want - at(x, i)*want*want*want*dot/float64(v.n)
	}
	for i := range v.dst {
		v.dst[i], v.dst2[i] = float32(math.NaN()), u[i]
	}
	w.RMSNormGrad(v.dst, v.dst2, z, x, y, inv, 0)
	v.check("rmsnorm gradient", 3e-6, gradient)
	v.check2("gain gradient", 1e-6, func(i int) float64 { return at(u, i) + at(z, i)*at(x, i)*want })
	copy(v.dst, u)
	w.RMSNormGrad(v.dst, v.dst2, z, x, y, inv, 1)
	v.check("rmsnorm gradient added", 3e-6, func(i int) float64 { return at(u, i) + gradient(i) })
	v.check2("gain gradient added", 1e-6, func(i int) float64 { return at(u, i) + 2*at(z, i)*at(x, i)*want })
}

func (v *vectors) linear() {
	w, x, y, z := v.w, v.x, v.y, v.z
	copy(v.dst, x)
	w.Add(v.dst, y)
	v.check("add", 1e-7, func(i int) float64 { return at(x, i) + at(y, i) })
	copy(v.dst, x)
	w.Scale(v.dst, 1.5)
	v.check("scale", 1e-7, func(i int) float64 { return 1.5 * at(x, i) })
	copy(v.dst, x)
	w.Axpy(v.dst, -0.75, y)
	v.check("axpy", 2e-7, func(i int) float64 { return at(x, i) - 0.75*at(y, i) })
	dot, squares := v.sum(func(i int) float64 { return at(x, i) * at(y, i) }), v.sum(func(i int) float64 { return at(x, i) * at(x, i) })
	near(v.t, "dot", []float32{w.Dot(x, y), float32(w.SumSquares(x))}, []float64{dot, squares}, 1e-6)
	if v.n%2 != 0 {
		return
	}
	copy(v.dst, x)
	h := v.n / 2
	w.Rotate(v.dst, y[:h], z[:h])
	v.check("rotate", 3e-7, func(i int) float64 {
		if i < h {
			return at(x, i)*at(y, i) - at(x, i+h)*at(z, i)
		}
		return at(x, i)*at(y, i-h) + at(x, i-h)*at(z, i-h)
	})
}

func testAdamW(t *testing.T, w *Worker, x, y, z, u []float32) {
	t.Helper()
	n := len(x)
	o := AdamW{LearningRate: 0.01, Beta1: 0.9, Beta2: 0.95, Eps: 1e-8, WeightDecay: 0.1, GradScale: 0.5, Step: 3}
	all, weights := guarded(n)
	allG, g := guarded(n)
	allM, m := guarded(n)
	allV, v := guarded(n)
	copy(weights, x)
	copy(g, y)
	copy(m, z)
	wantW, wantM, wantV := make([]float64, n), make([]float64, n), make([]float64, n)
	for i := range n {
		v[i] = u[i] * u[i]
		d := 0.5 * float64(y[i])
		wantM[i] = 0.9*float64(z[i]) + 0.1*d
		wantV[i] = 0.95*float64(v[i]) + 0.05*d*d
		wantW[i] = float64(x[i]) - 0.01*(wantM[i]/(1-math.Pow(0.9, 3))/(math.Sqrt(wantV[i]/(1-math.Pow(0.95, 3)))+1e-8)+0.1*float64(x[i]))
	}
	w.AdamW(weights, g, m, v, o)
	near(t, "adamw weights", weights, wantW, 1e-6)
	near(t, "adamw m", m, wantM, 1e-6)
	near(t, "adamw v", v, wantV, 1e-6)
	near(t, "adamw gradient", g, make([]float64, n), 0)
	for _, s := range [][]float32{all, allG, allM, allV} {
		checkGuards(t, "adamw", s, n)
	}
}

// TestExp holds exp to 1 ulp over the range of normal results, and to its limits outside.
func TestExp(t *testing.T) {
	each(t, 1, func(t *testing.T, p *Pool) {
		w := p.workers[0]
		worst := 0.0
		x, y := make([]float32, 1000), make([]float32, 1000)
		for from := -87.0; from < 88; from += 0.5 {
			for i := range x {
				x[i] = float32(from + 0.5*float64(i)/1000)
			}
			w.Exp(y, x, 1, 0)
			for i := range x {
				want := math.Exp(float64(x[i]))
				ulp := float64(math.Nextafter32(float32(want), float32(math.Inf(1)))) - float64(float32(want))
				worst = max(worst, math.Abs(float64(y[i])-want)/ulp)
			}
		}
		t.Logf("worst error %.2f ulp", worst)
		if worst > 1 {
			t.Errorf("exp: %.2f ulp", worst)
		}
		limits := []float32{float32(math.Inf(-1)), -200, -88, 89, 500, float32(math.Inf(1)), float32(math.NaN()), 0}
		got := make([]float32, len(limits))
		w.Exp(got, limits, 1, 0)
		inf := float32(math.Inf(1))
		if got[0] != 0 || got[1] != 0 || got[2] > 7e-39 || got[3] != inf || got[4] != inf || got[5] != inf || got[6] == got[6] || got[7] != 1 {
			t.Errorf("exp of %v: %v", limits, got)
		}
		// far from 0 the sigmoid is 0 or 1, never NaN
		limits = []float32{-1000, -100, -89, 89, 100, 1000}
		w.SiLU(got[:6], limits)
		for i, v := range got[:6] {
			if want := max(0, limits[i]); math.Abs(float64(v-want)) > 1e-30 {
				t.Errorf("silu(%v) = %v", limits[i], v)
			}
		}
		row := []float32{1000, -1000, 1000, float32(math.Inf(-1))}
		if lse := w.Softmax(row, row, 1); lse != float32(1000+math.Ln2) || fmt.Sprint(row) != "[0.5 0 0.5 0]" {
			t.Errorf("softmax: %v, lse %v", row, lse)
		}
	})
}

// TestPool runs many jobs of every size and counts each task once.
func TestPool(t *testing.T) {
	for threads := 1; threads <= 3; threads++ {
		p, err := New(threads, "")
		if err != nil {
			t.Fatal(err)
		}
		var hits [40]atomic.Int32
		for round := range 3000 {
			n := round % len(hits)
			p.Run(n, func(_ *Worker, i int) { hits[i].Add(1) })
			for i := range hits {
				want := int32(0)
				if i < n {
					want = 1
				}
				if hits[i].Swap(0) != want {
					t.Fatalf("round %d: task %d of %d did not run once", round, i, n)
				}
			}
		}
		total := 0
		p.Range(1001, 10, func(_ *Worker, low, high int) {
			hits[0].Add(int32(high - low))
		})
		if total = int(hits[0].Load()); total != 1001 {
			t.Errorf("ranges cover %d of 1001", total)
		}
		p.Close()
		p.Close()
	}
}
