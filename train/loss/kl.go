package loss

import (
	"fmt"
	"math"
)

// KL is an estimator of KL(policy‖reference) from the log-probabilities of one sampled token (Schulman 2020). With
// d = policy - reference: k1 = d, without bias; k2 = d²/2; k3 = e^-d - 1 + d, without bias and never negative.
type KL string

// Estimators.
const (
	K1 KL = "k1"
	K2 KL = "k2"
	K3 KL = "k3"
)

// Check reports an estimator that is none.
func (k KL) Check() error {
	if k != K1 && k != K2 && k != K3 {
		return fmt.Errorf("estimator of the KL %q is not known: take k1, k2 or k3", string(k))
	}
	return nil
}

// Of gives the estimate in nats and its derivative for policy.
func (k KL) Of(policy, reference float64) (nats, slope float64) {
	d := policy - reference
	switch k {
	case K2:
		return d * d / 2, d
	case K3:
		e := math.Expm1(-d)
		return e + d, -e
	default:
		return d, 1
	}
}

// AdaptiveKL gives the next coefficient of the KL: kappa·(1 + e·n/horizon) with e = clip(kl/target - 1, ±.2) (arXiv 1909.08593), kl in
// nats an answer, n answers in the step.
func AdaptiveKL(kappa, kl, target float64, n int, horizon float64) float64 {
	return kappa * (1 + clamp(kl/target-1, -.2, .2)*float64(n)/horizon)
}

// TokenRewards spreads an answer's reward over its tokens: -kappa·kl at each, and the score, held to ±limit (0: no limit), at the last,
// which is its end of turn where it has one.
func TokenRewards(kl []float64, kappa, score, limit float64) []float64 {
	out := make([]float64, len(kl))
	for i, v := range kl {
		out[i] = -kappa * v
	}
	if limit > 0 {
		score = clamp(score, -limit, limit)
	}
	if len(out) > 0 {
		out[len(out)-1] += score
	}
	return out
}
