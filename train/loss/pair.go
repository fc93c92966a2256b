package loss

import (
	"fmt"
	"math"
	"strings"
)

// Pair is what a loss of preferences knows of one pair: sums of log-probabilities of both answers under the policy and under the
// reference, and their numbers of tokens.
type Pair struct {
	Chosen, Rejected             float64 // policy
	ChosenBefore, RejectedBefore float64 // reference; unused by losses without one
	ChosenTokens, RejectedTokens int
}

// Slope is d(loss)/d(sum of log-probabilities under the policy) of both answers.
type Slope struct{ Chosen, Rejected float64 }

// PairOptions are the constants of a loss of preferences. Each loss reads those that its text names.
type PairOptions struct {
	Beta      float64 `json:"beta"`            // inverse temperature
	Smoothing float64 `json:"label_smoothing"` // share of pairs whose label is wrong: cdpo, robust; below .5
	Gamma     float64 `json:"gamma"`           // margin of simpo
	Anchor    float64 `json:"anchor"`          // weight of the cross entropy of the chosen answer, mean over its tokens (RPO); 0: none. orpo has 1 of its own
}

// Preference is one loss of pairs.
type Preference struct {
	Name      string
	Reads     string // sums | means: which log-probabilities of an answer it compares
	Reference bool   // it needs the reference's log-probabilities
	Text      string // the formula
	Defaults  PairOptions
	of        func(x pairTerms, o PairOptions) (value, dChosen, dRejected float64) // derivatives for what Reads names
}

// pairTerms are sums or means: policy's (w, l) and log-ratios to the reference (rw, rl).
type pairTerms struct{ w, l, rw, rl float64 }

// Of gives the loss of one pair and its derivatives.
func (p Preference) Of(x Pair, o PairOptions) (float64, Slope) {
	t := pairTerms{x.Chosen, x.Rejected, x.Chosen - x.ChosenBefore, x.Rejected - x.RejectedBefore}
	nw, nl := float64(max(x.ChosenTokens, 1)), float64(max(x.RejectedTokens, 1))
	var s Slope
	var value float64
	if p.Reads == "means" {
		t = pairTerms{t.w / nw, t.l / nl, t.rw / nw, t.rl / nl}
		value, s.Chosen, s.Rejected = p.of(t, o)
		s.Chosen, s.Rejected = s.Chosen/nw, s.Rejected/nl
	} else {
		value, s.Chosen, s.Rejected = p.of(t, o)
	}
	if o.Anchor != 0 {
		value -= o.Anchor * x.Chosen / nw
		s.Chosen -= o.Anchor / nw
	}
	return value, s
}

// First is the loss of a policy that still is its reference, which the first step must show; false where there is no reference or
// the loss also reads something else.
func (p Preference) First(o PairOptions) (float64, bool) {
	if !p.Reference || o.Anchor != 0 {
		return 0, false
	}
	value, _, _ := p.of(pairTerms{}, o)
	return value, true
}

// Preferences lists the losses of pairs. Δ = rw - rl, log-ratios to the reference of the chosen and of the rejected answer.
func Preferences() []Preference {
	usual := PairOptions{Beta: .1}
	smooth := PairOptions{Beta: .1, Smoothing: .1}
	return []Preference{
		{"sigmoid", "sums", true, "-log σ(βΔ) (DPO, arXiv 2305.18290)", usual, sigmoidLoss},
		{"sigmoid_norm", "means", true, "-log σ(βΔ) on means: DPO normalised by length (arXiv 2411.15124)", PairOptions{Beta: 5}, sigmoidLoss},
		{"cdpo", "sums", true, "-(1-ε) log σ(βΔ) - ε log σ(-βΔ)", smooth, conservative},
		{"robust", "sums", true, "[-(1-ε) log σ(βΔ) + ε log σ(-βΔ)]/(1-2ε) (arXiv 2403.00409)", smooth, robust},
		{"hinge", "sums", true, "max(0, 1 - βΔ)", usual, hinge},
		{"ipo", "means", true, "(Δ - 1/(2β))² on means, the authors' form (arXiv 2310.12036)", usual, squared},
		{"ipo_sums", "sums", true, "(Δ - 1/(2β))² on sums", usual, squared},
		{"apo_zero", "sums", true, "1 - σ(β rw) + σ(β rl) (arXiv 2408.06266)", usual, anchoredZero},
		{"apo_down", "sums", true, "σ(β rw) + 1 - σ(βΔ) (arXiv 2408.06266)", usual, anchoredDown},
		{"simpo", "means", false, "-log σ(β(w - l) - γ) on means (arXiv 2405.14734)", PairOptions{Beta: 2, Gamma: .5}, simple},
		{"orpo", "means", false, "CE(chosen) - β log σ(log odds w - log odds l) (arXiv 2403.07691)", usual, odds},
		{"slic", "sums", false, "max(0, 1 - β(w - l)) (arXiv 2305.10425); its cross entropy is the anchor", PairOptions{Beta: .1, Anchor: .1}, calibration},
	}
}

// PreferenceNamed finds a loss.
func PreferenceNamed(name string) (Preference, error) {
	var names []string
	for _, p := range Preferences() {
		if p.Name == name {
			return p, nil
		}
		names = append(names, p.Name)
	}
	return Preference{}, fmt.Errorf("loss %q is not known: take one of %s", name, strings.Join(names, ", "))
}

func sigmoidLoss(x pairTerms, o PairOptions) (float64, float64, float64) {
	d := o.Beta * (x.rw - x.rl)
	g := -o.Beta * sigmoid(-d)
	return softplus(-d), g, -g
}

func conservative(x pairTerms, o PairOptions) (float64, float64, float64) {
	d := o.Beta * (x.rw - x.rl)
	g := -o.Beta * ((1-o.Smoothing)*sigmoid(-d) - o.Smoothing*sigmoid(d))
	return (1-o.Smoothing)*softplus(-d) + o.Smoothing*softplus(d), g, -g
}

func robust(x pairTerms, o PairOptions) (float64, float64, float64) {
	d := o.Beta * (x.rw - x.rl)
	over := 1 - 2*o.Smoothing
	g := -o.Beta * ((1-o.Smoothing)*sigmoid(-d) + o.Smoothing*sigmoid(d)) / over
	return ((1-o.Smoothing)*softplus(-d) - o.Smoothing*softplus(d)) / over, g, -g
}

func hinge(x pairTerms, o PairOptions) (float64, float64, float64) {
	d := 1 - o.Beta*(x.rw-x.rl)
	if d <= 0 {
		return 0, 0, 0
	}
	return d, -o.Beta, o.Beta
}

func squared(x pairTerms, o PairOptions) (float64, float64, float64) {
	d := x.rw - x.rl - 1/(2*o.Beta)
	return d * d, 2 * d, -2 * d
}

func anchoredZero(x pairTerms, o PairOptions) (float64, float64, float64) {
	w, l := sigmoid(o.Beta*x.rw), sigmoid(o.Beta*x.rl)
	return 1 - w + l, -o.Beta * w * (1 - w), o.Beta * l * (1 - l)
}

func anchoredDown(x pairTerms, o PairOptions) (float64, float64, float64) {
	w, d := sigmoid(o.Beta*x.rw), sigmoid(o.Beta*(x.rw-x.rl))
	slope := o.Beta * d * (1 - d)
	return w + 1 - d, o.Beta*w*(1-w) - slope, slope
}

func simple(x pairTerms, o PairOptions) (float64, float64, float64) {
	d := o.Beta*(x.w-x.l) - o.Gamma
	g := -o.Beta * sigmoid(-d)
	return softplus(-d), g, -g
}

func odds(x pairTerms, o PairOptions) (float64, float64, float64) {
	w, slopeW := logOdds(x.w)
	l, slopeL := logOdds(x.l)
	g := -o.Beta * sigmoid(l-w)
	return -x.w + o.Beta*softplus(l-w), -1 + g*slopeW, -g * slopeL
}

// logOdds of p = e^m, and its derivative. Above p = 1 - 1e-9 it stands still in value.
func logOdds(m float64) (value, slope float64) {
	m = min(m, -1e-9)
	rest := -math.Expm1(m)
	return m - math.Log(rest), 1 / rest
}

func calibration(x pairTerms, o PairOptions) (float64, float64, float64) {
	d := 1 - o.Beta*(x.w-x.l)
	if d <= 0 {
		return 0, 0, 0
	}
	return d, -o.Beta, o.Beta
}
