package scaling

import (
	"encoding/csv"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
)

func near(t *testing.T, what string, got, want, tolerance float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tolerance) {
		t.Errorf("%s: %g, want %g within %g", what, got, want, tolerance)
	}
}

// figure4 reads the points of figure 4 of Hoffmann et al. as Epoch extracted them, without the five highest losses.
func figure4(t testing.TB) []Point {
	dir := os.Getenv("WINNOW_DATA")
	if dir == "" {
		t.Skip("WINNOW_DATA is not set: the fit on the published points is NOT tested")
	}
	f, err := os.Open(filepath.Join(dir, "scaling", "chinchilla_figure4_points.csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	column := func(row []string, name string) float64 {
		v, err := strconv.ParseFloat(row[slices.Index(rows[0], name)], 64)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	var points []Point
	for _, row := range rows[1:] {
		n := column(row, "Model Size")
		points = append(points, Point{n, column(row, "Training FLOP") / (6 * n), column(row, "loss")})
	}
	slices.SortStableFunc(points, func(p, q Point) int { return int(math.Copysign(1, p.Loss-q.Loss)) })
	points = points[:len(points)-5]
	if len(points) != 240 {
		t.Fatalf("%d points, want 240", len(points))
	}
	return points
}

func TestFitOnPublishedPoints(t *testing.T) {
	points := figure4(t)
	f, err := Fit(points)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%+v objective %.8f a %.4f", f.Law, f.Objective, f.Law.Exponent())
	if f.Objective > 0.0010183 {
		t.Errorf("objective %.8f, want at most 0.0010183", f.Objective)
	}
	near(t, "alpha", f.Law.Alpha, .3473, .0005)
	near(t, "beta", f.Law.Beta, .3672, .0005)
	near(t, "E", f.Law.E, 1.8172, .0005)
	near(t, "a", f.Law.Exponent(), .5139, .0005)
	o := &objective{}
	for _, p := range points {
		o.lnN, o.lnD, o.lnL = append(o.lnN, math.Log(p.N)), append(o.lnD, math.Log(p.D)), append(o.lnL, math.Log(p.Loss))
	}
	score := func(l Law) float64 {
		return o.at(nil, []float64{math.Log(l.A), math.Log(l.B), math.Log(l.E), l.Alpha, l.Beta})
	}
	near(t, "Epoch's constants", score(Epoch()), .00102284, 2e-8)
	near(t, "Hoffmann's constants", score(HoffmannUnrounded()), .00123116, 2e-8)
	least := math.Inf(1)
	for _, p := range points {
		least = min(least, 6*p.N*p.D)
	}
	near(t, "EpochSmallest", EpochSmallest/least, 1, .001)
}

func TestFitFindsALaw(t *testing.T) {
	want := Law{E: .9, A: 60, B: 300, Alpha: .31, Beta: .42}
	r := rand.New(rand.NewPCG(1, 2))
	var points []Point
	for range 60 {
		n, d := math.Exp(9+6*r.Float64()), math.Exp(12+6*r.Float64())
		points = append(points, Point{n, d, want.Loss(n, d) * math.Exp(.0002*r.NormFloat64())})
	}
	f, err := Fit(points)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "alpha", f.Law.Alpha, want.Alpha, .01)
	near(t, "beta", f.Law.Beta, want.Beta, .01)
	near(t, "E", f.Law.E, want.E, .02)
	near(t, "a", f.Law.Exponent(), want.Exponent(), .01)
	if _, err := Fit(points[:6]); err == nil {
		t.Error("six points were fitted")
	}
	points[3].Loss = math.NaN()
	if _, err := Fit(points); err == nil {
		t.Error("a NaN was fitted")
	}
}

func TestGradient(t *testing.T) {
	o := &objective{lnN: []float64{10, 12, 14}, lnD: []float64{15, 14, 13}, lnL: []float64{1, .9, .6}}
	x := []float64{5, 6, .4, .3, .35}
	grad := make([]float64, 5)
	o.at(grad, x)
	for i := range x {
		const h = 1e-6
		up, down := slices.Clone(x), slices.Clone(x)
		up[i] += h
		down[i] -= h
		near(t, "gradient "+strconv.Itoa(i), grad[i], (o.at(nil, up)-o.at(nil, down))/(2*h), 1e-7)
	}
}

func TestOptimum(t *testing.T) {
	for _, c := range []struct {
		name       string
		law        Law
		flop, n, d float64
	}{
		{"Epoch", Epoch(), 6e12, 1.695e5, 5.90e6},
		{"Epoch", Epoch(), 6e13, 5.52e5, 1.81e7},
		{"Epoch", Epoch(), 1e18, 8.05e7, 2.07e9},
		{"Hoffmann", Hoffmann(), 6e13, 9.99e5, 1.00e7},
		{"Hoffmann", Hoffmann(), 1e18, 8.06e7, 2.07e9},
	} {
		n, d := c.law.Optimum(c.flop)
		near(t, c.name+" N", n/c.n, 1, .005)
		near(t, c.name+" D", d/c.d, 1, .005)
		near(t, c.name+" 6ND", 6*n*d/c.flop, 1, 1e-9)
		least := c.law.Loss(n, d)
		for _, k := range []float64{.9, 1.1} {
			if c.law.Loss(n*k, d/k) <= least {
				t.Errorf("%s: the optimum at %g FLOP is none", c.name, c.flop)
			}
		}
	}
	near(t, "a of Hoffmann", Hoffmann().Exponent(), .452, .0005)
	near(t, "a of Hoffmann, unrounded", HoffmannUnrounded().Exponent(), .457, .0005)
	near(t, "a of Epoch", Epoch().Exponent(), .513, .0005)
	near(t, "decades", Decades(1.397e12), 6, 1e-9)
	near(t, "decades above", Decades(1e22), 0, 0)
}

func BenchmarkFit(b *testing.B) {
	points := figure4(b)
	for b.Loop() {
		if _, err := Fit(points); err != nil {
			b.Fatal(err)
		}
	}
}
