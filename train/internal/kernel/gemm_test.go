package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// each runs a test for every instruction set that runs here.
func each(t *testing.T, threads int, test func(t *testing.T, p *Pool)) {
	for _, name := range Names() {
		t.Run(name, func(t *testing.T) {
			p, err := New(threads, name)
			if err != nil {
				t.Fatal(err)
			}
			defer p.Close()
			test(t, p)
		})
	}
}

// guarded is a slice of n elements between guards that nothing may write.
func guarded(n int) (all, inner []float32) {
	const guard = 64
	all = make([]float32, n+2*guard)
	for i := range all {
		all[i] = 12345
	}
	return all, all[guard : guard+n : guard+n]
}

func checkGuards(t *testing.T, what string, all []float32, n int) {
	t.Helper()
	for i, v := range all {
		if (i < 64 || i >= 64+n) && v != 12345 {
			t.Fatalf("%s: element %d of [0,%d) was written", what, i-64, n)
		}
	}
}

func randoms(r *rand.Rand, x []float32) []float32 {
	for i := range x {
		x[i] = float32(r.NormFloat64())
	}
	return x
}

// shape is one product to try.
type shape struct {
	form             form
	m, n, k          int
	padA, padB, padC int
	beta             float32
}

// multiply is one form of a product.
type multiply func(m, n, k int, a []float32, lda int, b []float32, ldb int, beta float32, c []float32, ldc int)

func pooledForm(p *Pool, f form) multiply { return [...]multiply{p.NN, p.NT, p.TN}[f] }

// operandsOf gives the sides of a shape and their strides.
func (s shape) operandsOf(r *rand.Rand) (a, b []float32, lda, ldb int) {
	rowsA, colsA, rowsB, colsB := s.m, s.k, s.k, s.n
	if s.form == formNT {
		rowsB, colsB = s.n, s.k
	} else if s.form == formTN {
		rowsA, colsA = s.k, s.m
	}
	lda, ldb = colsA+s.padA, colsB+s.padB
	return randoms(r, make([]float32, extent(rowsA, colsA, lda))), randoms(r, make([]float32, extent(rowsB, colsB, ldb))), lda, ldb
}

// extent is how many elements a matrix takes.
func extent(rows, cols, ld int) int {
	if rows == 0 || cols == 0 {
		return 0
	}
	return (rows-1)*ld + cols
}

// naive is the product in float64, [m,n], and for each element the sum of what was added up, without signs.
func (s shape) naive(a, b, before []float32, lda, ldb int) (want, size []float64) {
	want, size = make([]float64, s.m*s.n), make([]float64, s.m*s.n)
	for i := range want {
		row, col := i/s.n, i%s.n
		for l := range s.k {
			x, y := row*lda+l, l*ldb+col
			switch s.form {
			case formNT:
				y = col*ldb + l
			case formTN:
				x = l*lda + row
			}
			v := float64(a[x]) * float64(b[y])
			want[i], size[i] = want[i]+v, size[i]+math.Abs(v)
		}
		if s.beta != 0 {
			v := float64(s.beta) * float64(before[row*(s.n+s.padC)+col])
			want[i], size[i] = want[i]+v, size[i]+math.Abs(v)
		}
	}
	return want, size
}

// try compares one product with the naive form, by the pool, by a worker and on packed weights.
func (s shape) try(t *testing.T, p *Pool, r *rand.Rand) {
	t.Helper()
	a, b, lda, ldb := s.operandsOf(r)
	ldc := s.n + s.padC
	all, c := guarded(extent(s.m, s.n, ldc))
	for i := range c {
		if i%ldc < s.n {
			c[i] = float32(r.NormFloat64())
			if s.beta == 0 {
				c[i] = float32(math.NaN())
			}
		}
	}
	before := slices.Clone(c)
	want, size := s.naive(a, b, before, lda, ldb)
	var first []float32
	check := func(how string, run func()) {
		t.Helper()
		what := fmt.Sprintf("%+v, %s", s, how)
		copy(c, before)
		run()
		checkGuards(t, what, all, len(c))
		for i, v := range c {
			row, col := i/ldc, i%ldc
			if col >= s.n {
				if v != 12345 {
					t.Fatalf("%s: the gap behind row %d was written", what, row)
				}
				continue
			}
			w, n := want[row*s.n+col], size[row*s.n+col]
			if d := math.Abs(float64(v) - w); !(d <= 1e-6*n+1e-30) && !(d <= n*6e-8*float64(s.k+2)) {
				t.Fatalf("%s: c[%d,%d] = %v, want %v", what, row, col, v, w)
			}
		}
		if first == nil {
			first = slices.Clone(c)
		}
		same(t, what, first, c)
	}
	check("pool", func() { pooledForm(p, s.form)(s.m, s.n, s.k, a, lda, b, ldb, s.beta, c, ldc) })
	check("worker", func() {
		p.Run(1, func(w *Worker, _ int) {
			[...]multiply{w.NN, w.NT, w.TN}[s.form](s.m, s.n, s.k, a, lda, b, ldb, s.beta, c, ldc)
		})
	})
	if s.form == formNT {
		check("packed", func() { p.MulPacked(s.m, a, lda, p.Pack(s.n, s.k, b, ldb), s.beta, c, ldc) })
		rows := s.packedByRows(p, b, ldb)
		check("packed row by row", func() {
			p.Run(1, func(w *Worker, _ int) { w.MulPacked(s.m, a, lda, &rows, s.beta, c, ldc) })
		})
	}
}

// packedByRows sets b's rows one by one into a cache that holds NaN behind them.
func (s shape) packedByRows(p *Pool, b []float32, ldb int) Packed {
	cache := p.NewPacked(s.n+5, s.k)
	for i := range s.n + 5 {
		row := make([]float32, s.k)
		for l := range row {
			row[l] = float32(math.NaN())
		}
		if i < s.n && s.k > 0 {
			row = b[i*ldb : i*ldb+s.k]
		}
		cache.Set(i, row)
	}
	return cache.Rows(s.n)
}

// same demands the same bits.
func same(t *testing.T, what string, x, y []float32) {
	t.Helper()
	for i := range x {
		if math.Float32bits(x[i]) != math.Float32bits(y[i]) {
			t.Fatalf("%s: element %d: %v and %v", what, i, x[i], y[i])
		}
	}
}

func TestProducts(t *testing.T) {
	more := 60
	if testing.Short() { // the race detector is slow
		more = 5
	}
	each(t, 2, func(t *testing.T, p *Pool) {
		r := rand.New(rand.NewPCG(1, 2))
		for _, f := range []form{formNN, formNT, formTN} {
			for m := 1; m <= 17; m++ { // each height of strip, each edge of panel
				shape{f, m, 1 + r.IntN(70), 1 + r.IntN(40), r.IntN(3), r.IntN(3), r.IntN(3), 1}.try(t, p, r)
				shape{f, 15, 28 + m, m, 0, 0, 0, 0}.try(t, p, r)
			}
			shape{f, 0, 3, 2, 0, 0, 0, 0}.try(t, p, r)
			shape{f, 3, 0, 2, 0, 0, 0, 0}.try(t, p, r)
			shape{f, 3, 5, 0, 0, 0, 1, 0}.try(t, p, r)
			shape{f, 3, 5, 0, 0, 0, 1, 1}.try(t, p, r)
			shape{f, 64, 64, 64, 704, 704, 0, 0}.try(t, p, r)
			shape{f, 33, 65, 513, 1, 2, 3, 1}.try(t, p, r)
			shape{f, 5, 40, 1100, 0, 0, 0, 0.5}.try(t, p, r)
			shape{f, 130, 300, 70, 0, 0, 0, 1}.try(t, p, r)
			for range more {
				shape{f, 1 + r.IntN(60), 1 + r.IntN(90), 1 + r.IntN(80), r.IntN(9), r.IntN(9), r.IntN(9), float32(r.IntN(2))}.try(t, p, r)
			}
		}
		shape{formNN, 3, widest + 37, 5, 0, 0, 0, 0}.try(t, p, r)
	})
}

func FuzzProducts(f *testing.F) {
	f.Add(uint8(0), uint8(14), uint8(32), uint16(16), uint8(0), uint8(0), true)
	f.Add(uint8(1), uint8(63), uint8(65), uint16(513), uint8(1), uint8(3), false)
	f.Add(uint8(2), uint8(29), uint8(17), uint16(31), uint8(7), uint8(0), true)
	var pools []*Pool
	for _, name := range Names() {
		p, err := New(2, name)
		if err != nil {
			f.Fatal(err)
		}
		pools = append(pools, p)
	}
	f.Fuzz(func(t *testing.T, kind, m, n uint8, k uint16, padA, padB uint8, add bool) {
		s := shape{form(kind % 3), int(m), int(n), int(k % 700), int(padA), int(padB), int(padA % 5), 0}
		if add {
			s.beta = 1
		}
		for _, p := range pools {
			s.try(t, p, rand.New(rand.NewPCG(uint64(m), uint64(k))))
		}
	})
}

// TestThreads holds products to the same bits for any number of threads, and rows to the same bits for any number of rows.
func TestThreads(t *testing.T) {
	for _, name := range Names() {
		for _, f := range []form{formNN, formNT, formTN} {
			r := rand.New(rand.NewPCG(5, uint64(f)))
			m, n, k := 211, 333, 700
			if name == "portable" {
				m, n = 61, 77
			}
			a, b := randoms(r, make([]float32, m*k)), randoms(r, make([]float32, n*k))
			var first []float32
			for threads := 1; threads <= 3; threads++ {
				p, err := New(threads, name)
				if err != nil {
					t.Fatal(err)
				}
				c := make([]float32, m*n)
				lda, ldb := k, n
				if f == formNT {
					ldb = k
				} else if f == formTN {
					lda = m
				}
				pooledForm(p, f)(m, n, k, a, lda, b, ldb, 0, c, n)
				if first == nil {
					first = c
				}
				same(t, fmt.Sprintf("%s: %d threads", name, threads), first, c)
				if f == formNT {
					packed := p.Pack(n, k, b, k)
					for rows := 1; rows < 40; rows++ {
						y := make([]float32, rows*n)
						p.MulPacked(rows, a[3*k:], k, packed, 0, y, n)
						same(t, fmt.Sprintf("%s: %d rows", name, rows), first[3*n:(3+rows)*n], y)
					}
				}
				p.Close()
			}
		}
	}
}

func TestShapesAreChecked(t *testing.T) {
	p, err := New(1, "")
	if err != nil {
		t.Fatal(err)
	}
	x := make([]float32, 12)
	for name, call := range map[string]func(){
		"short left":   func() { p.NN(4, 3, 4, x, 4, x, 3, 0, x, 3) },
		"stride":       func() { p.NT(2, 2, 4, x, 3, x, 4, 0, x, 2) },
		"short result": func() { p.TN(3, 5, 2, x, 3, x, 5, 0, x, 5) },
		"weights":      func() { p.Pack(4, 4, x, 4) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			call()
		}()
	}
}

// TestChoice: a name decides, then the environment, then the processor; what does not run here is refused with the names of
// what does.
func TestChoice(t *testing.T) {
	took := func(name string) string {
		p, err := New(1, name)
		if err != nil {
			t.Fatal(err)
		}
		defer p.Close()
		return p.Kernel()
	}
	names := Names()
	t.Setenv("WINNOW_KERNEL", "")
	if got := took(""); got != names[0] || names[len(names)-1] != "portable" {
		t.Errorf("%s of %v", got, names)
	}
	for _, name := range names {
		t.Setenv("WINNOW_KERNEL", name)
		if got := took(""); got != name {
			t.Errorf("the environment says %s, %s runs", name, got)
		}
	}
	if got := took(names[0]); got != names[0] {
		t.Errorf("asked for %s, %s runs", names[0], got)
	}
	t.Setenv("WINNOW_KERNEL", "sse9")
	for _, name := range []string{"", "sse8"} {
		if _, err := New(1, name); err == nil || !strings.Contains(err.Error(), strings.Join(names, ", ")) {
			t.Errorf("an unknown kernel: error %v", err)
		}
	}
	if _, err := New(-1, "portable"); err == nil {
		t.Error("-1 threads were taken")
	}
}
