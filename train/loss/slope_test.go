package loss

import (
	"math"
	"math/rand/v2"
	"testing"
)

// slope is (f(x+h) - f(x-h))/2h.
func slope(f func(x float64) float64, x float64) float64 {
	const h = 1e-5
	return (f(x+h) - f(x-h)) / (2 * h)
}

// agree holds a derivative to the finite difference, 1e-7 of its size.
func agree(t *testing.T, what string, got float64, f func(x float64) float64, x float64) {
	t.Helper()
	if want := slope(f, x); math.Abs(got-want) > 1e-7*max(1, math.Abs(want)) {
		t.Errorf("%s: slope %.10f, finite difference %.10f", what, got, want)
	}
}

func TestSlopesOfPairs(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, p := range Preferences() {
		for range 50 {
			x := Pair{-1 - r.Float64()*20, -1 - r.Float64()*20, -r.Float64() * 20, -r.Float64() * 20, 1 + r.IntN(9), 1 + r.IntN(9)}
			o := PairOptions{Beta: .05 + r.Float64(), Smoothing: .4 * r.Float64(), Gamma: r.Float64(), Anchor: float64(r.IntN(2)) * r.Float64()}
			_, s := p.Of(x, o)
			agree(t, p.Name, s.Chosen, func(v float64) float64 { y := x; y.Chosen = v; l, _ := p.Of(y, o); return l }, x.Chosen)
			agree(t, p.Name, s.Rejected, func(v float64) float64 { y := x; y.Rejected = v; l, _ := p.Of(y, o); return l }, x.Rejected)
		}
	}
}

func TestSlopesOfAnswers(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 100 {
		a, b, c := 6*r.Float64()-3, 6*r.Float64()-3, r.Float64()
		_, dw, dl := BradleyTerry(a, b, c, .1*c)
		agree(t, "Bradley-Terry", dw, func(v float64) float64 { l, _, _ := BradleyTerry(v, b, c, .1*c); return l }, a)
		agree(t, "Bradley-Terry", dl, func(v float64) float64 { l, _, _ := BradleyTerry(a, v, c, .1*c); return l }, b)
		_, dw, _ = LogExp(a, b)
		agree(t, "logexp", dw, func(v float64) float64 { l, _, _ := LogExp(v, b); return l }, a)
		_, s := KTO(a, c, b > 0, KTOOptions{.5, 1.2, .7})
		agree(t, "KTO", s, func(v float64) float64 { l, _ := KTO(v, c, b > 0, KTOOptions{.5, 1.2, .7}); return l }, a)
		for _, k := range []KL{K1, K2, K3} {
			_, s := k.Of(a, b)
			agree(t, string(k), s, func(v float64) float64 { l, _ := k.Of(v, b); return l }, a)
		}
		clip := Clip{.2, .3, 0}
		if c > .5 {
			clip.Dual = 1.5
		}
		for _, advantage := range []float64{1.3, -.7} {
			before := a - c
			if ratio := math.Exp(c); math.Abs(ratio-1.3) > 1e-3 && math.Abs(ratio-1.5) > 1e-3 {
				_, s, _ = clip.Policy(a, before, advantage)
				agree(t, "policy clip", s, func(v float64) float64 { l, _, _ := clip.Policy(v, before, advantage); return l }, a)
			}
			policy, old := []float64{a, b, c}, []float64{a + .1, b - c, c}
			if math.Abs(math.Exp((c-.1)/3)-1.3) > 1e-3 {
				_, s, _ = clip.Sequence(policy, old, advantage)
				agree(t, "sequence clip", s, func(v float64) float64 { l, _, _ := clip.Sequence([]float64{a, v, c}, old, advantage); return l }, b)
			}
		}
		if math.Abs(math.Abs(a-b)-.2) > 1e-3 && math.Abs(a-c) > 1e-3 {
			_, s, _ = ValueClip(a, b, c, .2)
			agree(t, "value clip", s, func(v float64) float64 { l, _, _ := ValueClip(v, b, c, .2); return l }, a)
		}
	}
}

func TestSlopesOfTokens(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for range 20 {
		teacher, logits := make([]float64, 7), make([]float64, 7)
		for i := range logits {
			teacher[i], logits[i] = 4*r.NormFloat64(), 2*r.NormFloat64()
		}
		teacher = LogSoftmax(teacher, .9)
		moved := func(i int, v float64) []float64 {
			list := append([]float64(nil), logits...)
			list[i] = v
			return list
		}
		_, g := CrossEntropy(logits, 3)
		for i := range logits {
			agree(t, "cross entropy", g[i], func(v float64) float64 { l, _ := CrossEntropy(moved(i, v), 3); return l }, logits[i])
		}
		for _, beta := range []float64{0, .1, .5, .9, 1} {
			v, g := Divergence(teacher, LogSoftmax(logits, 1), beta)
			if v < 0 {
				t.Errorf("beta %v: divergence %v", beta, v)
			}
			for i := range logits {
				agree(t, "divergence", g[i], func(v float64) float64 { l, _ := Divergence(teacher, LogSoftmax(moved(i, v), 1), beta); return l }, logits[i])
			}
		}
	}
}

// Losses stay finite where probabilities are 1 or tiny, and so do their slopes.
func TestExtremes(t *testing.T) {
	for _, p := range Preferences() {
		for _, x := range []Pair{{0, -1e4, -1e4, 0, 3, 3}, {-1e4, 0, 0, -1e4, 3, 3}, {ChosenTokens: 0}} {
			v, s := p.Of(x, p.Defaults)
			for _, n := range []float64{v, s.Chosen, s.Rejected} {
				if math.IsNaN(n) || math.IsInf(n, 0) {
					t.Errorf("%s of %v: %v, %v", p.Name, x, v, s)
				}
			}
		}
	}
	v, dw, _ := BradleyTerry(-800, 800, 0, 0)
	near(t, "Bradley-Terry far off", v, 1600)
	near(t, "its slope", dw, -1)
	none := math.Inf(-1)
	for _, beta := range []float64{.5, 1} {
		if v, g := Divergence([]float64{0, none}, []float64{0, none}, beta); v != 0 || g[0] != 0 || g[1] != 0 {
			t.Errorf("divergence with an impossible token: %v, %v", v, g)
		}
	}
	if _, _, clipped := (Clip{.2, .2, 3}).Policy(0, -9, -1); !clipped {
		t.Error("the dual clip does not hold")
	}
}
