package scaling

import (
	"fmt"
	"math"
	"slices"
)

// Minimum is the vertex of the parabola in ln N through the losses of one compute budget (Hoffmann et al. 2022, approach 2).
type Minimum struct {
	N     float64 `json:"n"`      // parameters at the vertex
	NLow  float64 `json:"n_low"`  // least and
	NHigh float64 `json:"n_high"` // greatest vertex when any one arm is left out; equal to N where that leaves no bracketed minimum
	Loss  float64 `json:"loss"`   // of the parabola at the vertex
	RMS   float64 `json:"rms"`    // of the arms' distance from the parabola, in loss
	Arms  int     `json:"arms"`
}

// NotBracketedError says that the least loss lies at an end of the grid, so that no minimum can be told.
type NotBracketedError struct {
	Below bool    // the smallest model is best: the minimum lies below the grid; else above it
	N     float64 // parameters of that model
	Arms  int     // models of the grid
}

// Error says what to do.
func (e *NotBracketedError) Error() string {
	switch {
	case e.Arms < 3:
		return fmt.Sprintf("isoflop: no fit: %d sizes; a minimum between two others needs at least 3", e.Arms)
	case e.Below:
		return fmt.Sprintf("isoflop: no fit: the smallest model (%.4g parameters) is best, so the minimum is not bracketed: extend the grid downwards or raise C", e.N)
	}
	return fmt.Sprintf("isoflop: no fit: the largest model (%.4g parameters) is best, so the minimum is not bracketed: extend the grid upwards or lower C", e.N)
}

// FitMinimum fits a parabola in ln N to models of one compute budget. The arm with the least loss must have others on both sides,
// the parabola must open upwards, and its vertex must lie inside the grid: else the error is a *NotBracketedError.
func FitMinimum(points []Point) (*Minimum, error) {
	points = slices.Clone(points)
	slices.SortFunc(points, func(p, q Point) int { return int(math.Copysign(1, p.N-q.N)) })
	m, err := vertex(points)
	if err != nil {
		return nil, err
	}
	m.NLow, m.NHigh = m.N, m.N
	for i := range points {
		if rest, err := vertex(slices.Delete(slices.Clone(points), i, i+1)); err == nil {
			m.NLow, m.NHigh = min(m.NLow, rest.N), max(m.NHigh, rest.N)
		}
	}
	return m, nil
}

// vertex wants points sorted by N.
func vertex(points []Point) (*Minimum, error) {
	n := len(points)
	best, sizes := 0, 1
	for i, p := range points {
		if !(p.N > 0) || math.IsNaN(p.Loss) || math.IsInf(p.Loss, 0) {
			return nil, fmt.Errorf("isoflop: arm %d: %g parameters, loss %g: not usable", i, p.N, p.Loss)
		}
		if p.Loss < points[best].Loss {
			best = i
		}
		if i > 0 && p.N != points[i-1].N {
			sizes++
		}
	}
	if sizes < 3 {
		return nil, &NotBracketedError{Arms: sizes}
	}
	lo, hi := points[0].N, points[n-1].N
	if at := points[best].N; at == lo || at == hi {
		return nil, &NotBracketedError{Below: at == lo, N: at, Arms: sizes}
	}
	center := math.Log(points[best].N)
	c, err := parabola(points, center)
	if err != nil {
		return nil, err
	}
	x := -c[1] / (2 * c[2])
	if at := math.Exp(x + center); !(c[2] > 0) || at <= lo || at >= hi {
		below := c[1] > 0
		return nil, &NotBracketedError{Below: below, N: map[bool]float64{true: lo, false: hi}[below], Arms: sizes}
	}
	m := &Minimum{N: math.Exp(x + center), Loss: c[0] + c[1]*x + c[2]*x*x, Arms: n}
	for _, p := range points {
		x := math.Log(p.N) - center
		r := p.Loss - (c[0] + c[1]*x + c[2]*x*x)
		m.RMS += r * r / float64(n)
	}
	m.RMS = math.Sqrt(m.RMS)
	return m, nil
}

// parabola gives c0, c1, c2 of least squares in x = ln N - center, by the normal equations in three unknowns.
func parabola(points []Point, center float64) (c [3]float64, err error) {
	var s [5]float64 // sums of x^k
	var t [3]float64 // sums of y x^k
	for _, p := range points {
		x, power := math.Log(p.N)-center, 1.0
		for k := range s {
			s[k] += power
			if k < 3 {
				t[k] += p.Loss * power
			}
			power *= x
		}
	}
	det := func(a, b, c, d, e, f, g, h, i float64) float64 { return a*(e*i-f*h) - b*(d*i-f*g) + c*(d*h-e*g) }
	whole := det(s[0], s[1], s[2], s[1], s[2], s[3], s[2], s[3], s[4])
	if whole == 0 {
		return c, fmt.Errorf("isoflop: the sizes of the models do not differ enough for a parabola")
	}
	c[0] = det(t[0], s[1], s[2], t[1], s[2], s[3], t[2], s[3], s[4]) / whole
	c[1] = det(s[0], t[0], s[2], s[1], t[1], s[3], s[2], t[2], s[4]) / whole
	c[2] = det(s[0], s[1], t[0], s[1], s[2], t[1], s[2], s[3], t[2]) / whole
	return c, nil
}

// Line is ln y = Intercept + Slope ln C through the minima of several budgets.
type Line struct {
	Slope     float64 `json:"slope"`
	Intercept float64 `json:"intercept"`
	Error     float64 `json:"error"` // standard error of Slope; 0 with two budgets, which leave none to tell it from
	Budgets   int     `json:"budgets"`
}

// At gives y at c.
func (l Line) At(c float64) float64 { return math.Exp(l.Intercept + l.Slope*math.Log(c)) }

// FitLine is least squares of ln y on ln c. At least two different budgets are needed.
func FitLine(c, y []float64) (Line, error) {
	n := float64(len(c))
	var mx, my, xx, xy float64
	for i := range c {
		mx += math.Log(c[i]) / n
		my += math.Log(y[i]) / n
	}
	for i := range c {
		dx := math.Log(c[i]) - mx
		xx += dx * dx
		xy += dx * (math.Log(y[i]) - my)
	}
	if len(c) < 2 || xx == 0 {
		return Line{}, fmt.Errorf("isoflop: a slope needs at least two budgets, got %d", len(c))
	}
	l := Line{Slope: xy / xx, Intercept: my - xy/xx*mx, Budgets: len(c)}
	if len(c) > 2 {
		var rest float64
		for i := range c {
			r := math.Log(y[i]) - l.Intercept - l.Slope*math.Log(c[i])
			rest += r * r
		}
		l.Error = math.Sqrt(rest / (n - 2) / xx)
	}
	return l, nil
}
