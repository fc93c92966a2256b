package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
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

// TestVectors compares every row function with float64, at every tail, with guards around what it writes.
func TestVectors(t *testing.T) {
	each(t, 1, func(t *testing.T, p *Pool) {
		w := p.workers[0]
		r := rand.New(rand.NewPCG(3, 4))
		for _, n := range lengths() {
			vector := func() []float32 { return randoms(r, make([]float32, n)) }
			x, y, z, u := vector(), vector(), vector(), vector()
			map1 := func(f func(i int) float64) []float64 {
				want := make([]float64, n)
				for i := range want {
					want[i] = f(i)
				}
				return want
			}
			f := func(s []float32, i int) float64 { return float64(s[i]) }
			sum := func(f func(i int) float64) (s float64) {
				for i := range n {
					s += f(i)
				}
				return s
			}
			all, dst := guarded(n)
			all2, dst2 := guarded(n)
			check := func(what string, want []float64, tolerance float64) {
				t.Helper()
				checkGuards(t, what, all, n)
				near(t, what, dst, want, tolerance)
			}
			silu := func(v float64) float64 { return v / (1 + math.Exp(-v)) }

			w.Exp(dst, x, 2, 0.5)
			check("exp", map1(func(i int) float64 { return math.Exp(float64(2*x[i] - 0.5)) }), 3e-7)
			w.SiLU(dst, x)
			check("silu", map1(func(i int) float64 { return silu(f(x, i)) }), 3e-7)
			w.SwiGLU(dst, x, y)
			check("swiglu", map1(func(i int) float64 { return silu(f(x, i)) * f(y, i) }), 4e-7)
			w.SwiGLUGrad(dst, dst2, z, x, y)
			check("swiglu gate", map1(func(i int) float64 {
				s := 1 / (1 + math.Exp(-f(x, i)))
				return f(z, i) * f(y, i) * (s + f(x, i)*s*(1-s))
			}), 5e-7)
			near(t, "swiglu up", dst2, map1(func(i int) float64 { return f(z, i) * silu(f(x, i)) }), 4e-7)
			checkGuards(t, "swiglu up", all2, n)

			if got, want := w.Max(x), slowMax(x); got != want {
				t.Fatalf("max of %d: %v, want %v", n, got, want)
			}
			total := sum(func(i int) float64 { return math.Exp(0.7 * f(x, i)) })
			lse := w.Softmax(dst, x, 0.7)
			check("softmax", map1(func(i int) float64 { return math.Exp(0.7*f(x, i)) / total }), 1e-6)
			near(t, "lse", []float32{lse, w.LogSumExp(x, 0.7)}, []float64{math.Log(total), math.Log(total)}, 1e-5)
			w.SoftmaxGrad(dst, x, y, 0.3, 0.9)
			check("softmax gradient", map1(func(i int) float64 { return 0.9 * f(x, i) * (f(y, i) - float64(float32(0.3))) }), 4e-7)

			inv := w.RMSNorm(dst, x, y, 1e-5)
			want := 1 / math.Sqrt(sum(func(i int) float64 { return f(x, i) * f(x, i) })/float64(n)+1e-5)
			near(t, "inv", []float32{inv}, []float64{want}, 1e-6)
			check("rmsnorm", map1(func(i int) float64 { return f(x, i) * want * f(y, i) }), 1e-6)
			dot := sum(func(i int) float64 { return f(z, i) * f(y, i) * f(x, i) })
			gradient := func(i int) float64 { return f(z, i)*f(y, i)*want - f(x, i)*want*want*want*dot/float64(n) }
			for i := range dst {
				dst[i], dst2[i] = float32(math.NaN()), u[i]
			}
			w.RMSNormGrad(dst, dst2, z, x, y, inv, 0)
			check("rmsnorm gradient", map1(gradient), 3e-6)
			near(t, "gain gradient", dst2, map1(func(i int) float64 { return f(u, i) + f(z, i)*f(x, i)*want }), 1e-6)
			copy(dst, u)
			w.RMSNormGrad(dst, dst2, z, x, y, inv, 1)
			check("rmsnorm gradient added", map1(func(i int) float64 { return f(u, i) + gradient(i) }), 3e-6)
			checkGuards(t, "gain gradient", all2, n)

			copy(dst, x)
			w.Add(dst, y)
			check("add", map1(func(i int) float64 { return f(x, i) + f(y, i) }), 1e-7)
			copy(dst, x)
			w.Scale(dst, 1.5)
			check("scale", map1(func(i int) float64 { return 1.5 * f(x, i) }), 1e-7)
			copy(dst, x)
			w.Axpy(dst, -0.75, y)
			check("axpy", map1(func(i int) float64 { return f(x, i) - 0.75*f(y, i) }), 2e-7)
			near(t, "dot", []float32{w.Dot(x, y), float32(w.SumSquares(x))}, []float64{sum(func(i int) float64 { return f(x, i) * f(y, i) }), sum(func(i int) float64 { return f(x, i) * f(x, i) })}, 1e-6)
			if n%2 == 0 {
				copy(dst, x)
				h := n / 2
				w.Rotate(dst, y[:h], z[:h])
				check("rotate", map1(func(i int) float64 {
					if i < h {
						return f(x, i)*f(y, i) - f(x, i+h)*f(z, i)
					}
					return f(x, i)*f(y, i-h) + f(x, i-h)*f(z, i-h)
				}), 3e-7)
			}
			testAdamW(t, w, x, y, z, u)
		}
	})
}

func slowMax(x []float32) float32 {
	top := x[0]
	for _, v := range x {
		top = max(top, v)
	}
	return top
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
