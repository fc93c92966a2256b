package scaling

import (
	"errors"
	"math"
	"strings"
	"testing"
)

func family(nl ...float64) (out []Point) {
	for i := 0; i < len(nl); i += 2 {
		out = append(out, Point{N: nl[i], D: 1, Loss: nl[i+1]})
	}
	return out
}

// Byte-level runs of 2e12 and 6e11 FLOP that were measured when this room was planned: one has a minimum, the other has none.
func TestMinimumOfMeasuredFamilies(t *testing.T) {
	m, err := FitMinimum(family(114688, 1.662, 20480, 1.803, 67584, 1.657, 356352, 1.855, 819200, 2.117))
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%+v", *m)
	near(t, "N", m.N, 77.5e3, 500)
	near(t, "loss", m.Loss, 1.654, .002)
	if m.NLow >= m.N || m.NLow < 74.7e3 || m.NHigh <= m.N || m.NHigh > 82.4e3 {
		t.Errorf("range %g to %g", m.NLow, m.NHigh)
	}
	_, err = FitMinimum(family(20480, 1.881, 67584, 1.945, 114688, 2.077, 356352, 2.611, 819200, 2.993))
	var none *NotBracketedError
	if !errors.As(err, &none) || !none.Below || !strings.Contains(err.Error(), "extend the grid downwards or raise C") {
		t.Errorf("a monotone family was fitted or told wrongly: %v", err)
	}
}

func TestNotBracketed(t *testing.T) {
	for name, c := range map[string]struct {
		points []Point
		say    string
	}{
		"largest best":  {family(1e4, 3, 1e5, 2, 1e6, 1), "extend the grid upwards or lower C"},
		"two sizes":     {family(1e4, 3, 1e5, 2), "at least 3"},
		"equal sizes":   {family(1e4, 3, 1e4, 2, 1e5, 2.5), "at least 3"},
		"none":          {nil, "at least 3"},
		"vertex beyond": {family(1e4, 2, 1.1e4, 1.99, 1e5, 2, 1e6, 2, 1e7, 1.999), "not bracketed"},
		"NaN":           {family(1e4, 2, 2e4, math.NaN(), 3e4, 2), "not usable"},
	} {
		if m, err := FitMinimum(c.points); err == nil || !strings.Contains(err.Error(), c.say) {
			t.Errorf("%s: %v, %v", name, m, err)
		}
	}
}

func TestParabolaIsExact(t *testing.T) {
	var points []Point
	for _, n := range []float64{1e4, 3e4, 1e5, 4e5} {
		x := math.Log(n / 5e4)
		points = append(points, Point{N: n, Loss: 2 + .05*x*x})
	}
	m, err := FitMinimum(points)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "N", m.N, 5e4, 1)
	near(t, "loss", m.Loss, 2, 1e-9)
	near(t, "rms", m.RMS, 0, 1e-9)
	near(t, "range", m.NHigh/m.NLow, 1, 1e-6)
}

func TestLine(t *testing.T) {
	c := []float64{1e12, 1e13, 1e14}
	y := []float64{3e5, 3e5 * math.Pow(10, .51), 3e5 * math.Pow(100, .51)}
	l, err := FitLine(c, y)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "slope", l.Slope, .51, 1e-9)
	near(t, "error", l.Error, 0, 1e-6)
	near(t, "at", l.At(1e13)/y[1], 1, 1e-9)
	y[1] *= 1.2
	if l, err = FitLine(c, y); err != nil || l.Error < .01 {
		t.Errorf("noise is not seen: %+v, %v", l, err)
	}
	if l, err = FitLine(c[:2], y[:2]); err != nil || l.Error != 0 || l.Budgets != 2 {
		t.Errorf("two budgets: %+v, %v", l, err)
	}
	if _, err := FitLine(c[:1], y[:1]); err == nil {
		t.Error("a slope from one budget")
	}
}
