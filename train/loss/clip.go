package loss

import "math"

// Clip bounds how far one step moves a probability: ratios of new to old between 1-Low and 1+High (PPO, arXiv 1707.06347: .2 and .2).
// Dual, above 1, bounds the loss of a bad action by Dual·|advantage| (arXiv 1912.09729); 0: off.
type Clip struct{ Low, High, Dual float64 }

// Policy is the clipped loss of one token, -min(ρA, clip(ρ)A) with ρ = e^(policy - before), its derivative for policy, and whether a
// bound held the gradient back.
func (c Clip) Policy(policy, before, advantage float64) (value, slope float64, clipped bool) {
	ratio := math.Exp(policy - before)
	return c.of(ratio, advantage)
}

// of is for a ratio and gives d(loss)/d(log ratio).
func (c Clip) of(ratio, advantage float64) (value, slope float64, clipped bool) {
	free, held := -ratio*advantage, -clamp(ratio, 1-c.Low, 1+c.High)*advantage
	value, slope = free, free
	if held > free {
		value, slope, clipped = held, 0, true
	}
	if c.Dual > 1 && advantage < 0 && value > -c.Dual*advantage {
		return -c.Dual * advantage, 0, true
	}
	return value, slope, clipped
}

// Sequence is Policy with one ratio for all tokens of an answer, e^(mean of log ratios) (GSPO, arXiv 2507.18071). slope is the
// derivative for each token's log-probability, the same for all. Of no tokens it is 0.
func (c Clip) Sequence(policy, before []float64, advantage float64) (value, slope float64, clipped bool) {
	if len(policy) == 0 {
		return 0, 0, false
	}
	var sum float64
	for i, p := range policy {
		sum += p - before[i]
	}
	n := float64(len(policy))
	value, slope, clipped = c.of(math.Exp(sum/n), advantage)
	return value, slope / n, clipped
}

// ValueClip is the loss of a value: half the larger of (value - target)² and the same for the value held within old ± width (0: not
// held), its derivative for value, and whether the bound held it.
func ValueClip(value, old, target, width float64) (loss, slope float64, clipped bool) {
	d := value - target
	loss, slope = d*d/2, d
	if width > 0 {
		if held := clamp(value, old-width, old+width); held != value && (held-target)*(held-target) > d*d {
			return (held - target) * (held - target) / 2, 0, true
		}
	}
	return loss, slope, false
}
