package loss

import (
	"math"
	"testing"
)

// near compares to the digits given, 1e-9 unless said otherwise.
func near(t *testing.T, what string, got, want float64, within ...float64) {
	t.Helper()
	bound := 1e-9
	if len(within) > 0 {
		bound = within[0]
	}
	if !(math.Abs(got-want) <= bound) {
		t.Errorf("%s: %.12f, want %.12f", what, got, want)
	}
}

func nearAll(t *testing.T, what string, got, want []float64, within ...float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %v, want %v", what, got, want)
	}
	for i := range got {
		near(t, what, got[i], want[i], within...)
	}
}

// The numbers were computed apart from this code in float64, from the papers' formulas.
func TestWorkedTokens(t *testing.T) {
	v, g := CrossEntropy([]float64{2, 1, 0, -1}, 1)
	near(t, "cross entropy", v, 1.4401896986)
	nearAll(t, "its gradient", g, []float64{.6439142599, -.7631171819, .0871443187, .0320586033})
	logs := func(p ...float64) []float64 {
		for i, x := range p {
			p[i] = math.Log(x)
		}
		return p
	}
	teacher, student := logs(.7, .2, .1), logs(.5, .3, .2)
	for beta, want := range map[float64]float64{0: .0851228260, 1: .0920328502, .5: .0219011790} {
		v, _ := Divergence(teacher, student, beta)
		near(t, "divergence", v, want)
	}
}

var worked = Pair{Chosen: -10, ChosenBefore: -11, ChosenTokens: 4, Rejected: -12, RejectedBefore: -11.5, RejectedTokens: 5}

func TestWorkedPairs(t *testing.T) {
	for _, c := range []struct {
		name  string
		o     PairOptions
		want  float64
		first float64 // of a policy that is its reference
	}{
		{"sigmoid", PairOptions{Beta: .1}, .6209570478, math.Ln2},
		{"cdpo", PairOptions{Beta: .1, Smoothing: .1}, .6359570478, math.Ln2},
		{"robust", PairOptions{Beta: .1, Smoothing: .1}, .6022070478, math.Ln2},
		{"hinge", PairOptions{Beta: .1}, .85, 1},
		{"ipo_sums", PairOptions{Beta: .1}, 12.25, 25},
		{"ipo", PairOptions{Beta: .1}, 21.6225, 25},
		{"sigmoid_norm", PairOptions{Beta: .1}, .6758002977, math.Ln2},
		{"apo_zero", PairOptions{Beta: .1}, 1 - sigmoid(.1) + sigmoid(-.05), 1},
		{"apo_down", PairOptions{Beta: .1}, sigmoid(.1) + 1 - sigmoid(.15), 1},
		{"simpo", PairOptions{Beta: 2, Gamma: .5}, 1.1031860489, 0},
		{"orpo", PairOptions{Beta: .1}, 2.5749368565, 0},
		{"slic", PairOptions{Beta: .1}, .8, 0},
	} {
		p, err := PreferenceNamed(c.name)
		if err != nil {
			t.Fatal(err)
		}
		v, _ := p.Of(worked, c.o)
		near(t, c.name, v, c.want)
		first, known := p.First(c.o)
		if known != (c.first != 0) {
			t.Errorf("%s: first loss known: %v", c.name, known)
		}
		near(t, c.name+" at first", first, c.first, 1e-15)
	}
	dpo, _ := PreferenceNamed("sigmoid")
	_, s := dpo.Of(worked, dpo.Defaults)
	near(t, "slope of DPO", s.Chosen, -.0462570155)
	near(t, "slope of DPO", s.Rejected, .0462570155)
	orpo, _ := PreferenceNamed("orpo")
	v, _ := orpo.Of(worked, PairOptions{Beta: .1})
	near(t, "odds term", (v-2.5)/.1, .7493685654)
	v, _ = dpo.Of(worked, PairOptions{Beta: .1, Anchor: .5})
	near(t, "with anchor", v, .6209570478+.5*2.5)
	if _, err := PreferenceNamed("sigmod"); err == nil {
		t.Error("a loss that is none was found")
	}
}

func TestWorkedRest(t *testing.T) {
	v, _ := KTO(1, .3, true, KTOOptions{.1, 1, 1})
	near(t, "KTO, good", v, .4825071423)
	v, _ = KTO(-.5, .3, false, KTOOptions{.1, 1, 1})
	near(t, "KTO, bad", v, .4800106598)
	v, _, _ = BradleyTerry(1.2, .5, 0, 0)
	near(t, "Bradley-Terry", v, .4031860489)
	c, _, _ := BradleyTerry(1.2, .5, 0, .01)
	near(t, "centring", c-v, .0289)
	v, _, _ = BradleyTerry(1.2, .5, .3, 0)
	near(t, "margin", v, .5130152524)
	v, _, _ = LogExp(1.2, .5)
	near(t, "logexp", v, .4031860489)
	for k, want := range map[KL]float64{K1: .4, K2: .08, K3: .0703200460} {
		v, _ := k.Of(-1, -1.4)
		near(t, string(k), v, want)
	}
	near(t, "adaptive KL", AdaptiveKL(.15, 9, 6, 512, 1e4), .151536)
	a, g := GAE([]float64{-.02, .01, .97}, []float64{.1, .2, .4}, 1, .95)
	nearAll(t, "advantages", a, []float64{.793925, .7515, .57})
	nearAll(t, "returns", g, []float64{.893925, .9515, .97})
	Whiten(a, nil, false)
	nearAll(t, "whitened", a, []float64{.7464360877, .3897525771, -1.1361886648})
	for _, c := range []struct{ a, d, want float64 }{{1, .3, -1.2}, {-1, .3, 1.3498588076}, {-1, -.3, .8}, {1, -.3, -.7408182207}} {
		v, slope, clipped := Clip{Low: .2, High: .2}.Policy(-1+c.d, -1, c.a)
		near(t, "policy clip", v, c.want)
		if clipped != (slope == 0) || clipped != (c.a*c.d > 0) {
			t.Errorf("policy clip of %v: slope %v, clipped %v", c, slope, clipped)
		}
	}
	rewards := []float64{1, 0, 0, 1, 1, 0, 0, 0}
	for kind, want := range map[Baseline][2]float64{GRPO: {1.2073814406, -.7244288644}, RLOO: {.7142857143, -.4285714286}, DrGRPO: {.625, -.375}, None: {.9, -.1}} {
		list, dead, err := GroupAdvantages(kind, rewards, .1)
		if err != nil || dead {
			t.Fatal(kind, dead, err)
		}
		for i, r := range rewards {
			near(t, string(kind), list[i], want[1-int(r)])
		}
	}
}

// Of equal rewards no advantage is left, not even a rounding error by 1e-4; a reward that is none takes no part.
func TestGroups(t *testing.T) {
	for _, kind := range []Baseline{GRPO, DrGRPO, RLOO} {
		list, dead, err := GroupAdvantages(kind, []float64{.1, .1, .1}, 0)
		if err != nil || !dead {
			t.Fatal(kind, dead, err)
		}
		nearAll(t, string(kind), list, []float64{0, 0, 0}, 0)
		list, dead, _ = GroupAdvantages(kind, []float64{1, math.NaN(), 0}, 0)
		if dead || list[1] != 0 || list[0] <= 0 || list[0] != -list[2] {
			t.Errorf("%s: %v, dead %v", kind, list, dead)
		}
	}
	if _, _, err := GroupAdvantages("grop", []float64{0, 1}, 0); err == nil {
		t.Error("a baseline that is none was taken")
	}
	tokens := []int{2, 0, 6}
	for kind, want := range map[string][]float64{"grpo": {1. / 6, 0, 1. / 18}, "dapo": {.125, 0, .125}, "dr_grpo": {1. / 30, 0, 1. / 30}} {
		list, err := TokenWeights(kind, tokens, 10)
		if err != nil {
			t.Fatal(err)
		}
		nearAll(t, kind, list, want, 1e-15)
	}
	nearAll(t, "token rewards", TokenRewards([]float64{1, -.5, 0}, .1, 12, 10), []float64{-.1, .05, 10}, 1e-15)
	masked := []float64{.793925, 7, .7515, .57}
	Whiten(masked, []bool{true, false, true, true}, false)
	nearAll(t, "whitened with a mask", masked, []float64{.7464360877, 0, .3897525771, -1.1361886648})
	shifted := []float64{1, 2, 4}
	Whiten(shifted, nil, true)
	near(t, "mean kept", mean(shifted), 7./3, 1e-12)
}

// TestWeights holds the rule over all counts: the ratio lies in [1, 4/3] and no weight is below 1.
func TestWeights(t *testing.T) {
	for good := 1; good < 40; good++ {
		for bad := 1; bad < 40; bad++ {
			g, b := KTOWeights(good, bad)
			ratio := g * float64(good) / (b * float64(bad))
			if ratio < 1-1e-12 || ratio > 4./3+1e-12 || g < 1 || b < 1 {
				t.Fatalf("%d good, %d bad: weights %v and %v", good, bad, g, b)
			}
		}
	}
	for _, good := range []bool{true, false} {
		if v, _ := KTO(0, KTOZero([]float64{-3, 1}), good, KTOOptions{.3, 1.5, 1.5}); v != .75 {
			t.Errorf("first loss %v, want half of the weight", v)
		}
	}
	near(t, "zero", KTOZero([]float64{1, 2, -1.5}), .5)
}
