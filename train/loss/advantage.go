package loss

import (
	"fmt"
	"math"
)

// GAE estimates advantages of the tokens of one answer from rewards and values (arXiv 1506.02438), with value 0 behind the last;
// returns are advantages + values.
func GAE(rewards, values []float64, gamma, lambda float64) (advantages, returns []float64) {
	advantages, returns = make([]float64, len(rewards)), make([]float64, len(rewards))
	var next, run float64
	for t := len(rewards) - 1; t >= 0; t-- {
		run = rewards[t] + gamma*next - values[t] + gamma*lambda*run
		next = values[t]
		advantages[t] = run
		returns[t] = run + values[t]
	}
	return advantages, returns
}

// Whiten brings those values whose mask is true (nil: all) to mean 0 and variance 1 in place, with Bessel's correction; others become
// 0. With keepMean the mean stays. Advantages are whitened after the returns were computed. Fewer than two values are left alone.
func Whiten(values []float64, mask []bool, keepMean bool) {
	var sum, n float64
	for i, v := range values {
		if mask == nil || mask[i] {
			sum += v
			n++
		}
	}
	center := sum / max(n, 1)
	var square float64
	for i, v := range values {
		if mask == nil || mask[i] {
			square += (v - center) * (v - center)
		}
	}
	scale := 1 / math.Sqrt(square/max(n-1, 1)+1e-8)
	for i, v := range values {
		switch {
		case mask != nil && !mask[i]:
			values[i] = 0
		case n < 2:
		case keepMean:
			values[i] = (v-center)*scale + center
		default:
			values[i] = (v - center) * scale
		}
	}
}

// Baseline says what the reward of an answer is compared with among the answers to the same prompt.
type Baseline string

// Baselines.
const (
	GRPO   Baseline = "grpo"      // (R - mean)/(sample standard deviation + 1e-4) (arXiv 2402.03300)
	DrGRPO Baseline = "dr_grpo"   // R - mean (arXiv 2503.20783); also REINFORCE with the group's mean, whitened over the step by its loop
	RLOO   Baseline = "rloo"      // R - mean of the others (arXiv 2402.14740)
	None   Baseline = "reinforce" // R - baseline, which the loop gives: a running mean
)

// GroupAdvantages gives one advantage for each answer to one prompt. baseline is read by None alone. A reward that is no number takes
// no part and has advantage 0. dead says that all rewards are equal, and all advantages therefore 0 (never with None).
func GroupAdvantages(kind Baseline, rewards []float64, baseline float64) (advantages []float64, dead bool, err error) {
	advantages = make([]float64, len(rewards))
	var sum, n float64
	low, high := math.Inf(1), math.Inf(-1)
	for _, r := range rewards {
		if !math.IsNaN(r) {
			sum += r
			n++
			low, high = min(low, r), max(high, r)
		}
	}
	if kind != None && (n < 2 || low == high) {
		return advantages, true, nil
	}
	center, scale := sum/n, 1.
	switch kind {
	case GRPO:
		var square float64
		for _, r := range rewards {
			if !math.IsNaN(r) {
				square += (r - center) * (r - center)
			}
		}
		scale = 1 / (math.Sqrt(square/(n-1)) + 1e-4)
	case RLOO:
		scale = n / (n - 1) // R - (sum - R)/(n-1) = (R - mean)·n/(n-1)
	case DrGRPO:
	case None:
		center = baseline
	default:
		return nil, false, fmt.Errorf("baseline %q is not known: take grpo, dr_grpo, rloo or reinforce", string(kind))
	}
	for i, r := range rewards {
		if !math.IsNaN(r) {
			advantages[i] = (r - center) * scale
		}
	}
	return advantages, false, nil
}

// TokenWeights gives for each answer of an optimizer step the weight of each of its tokens in the loss: grpo is the mean over answers
// of means over tokens, dapo the sum over tokens by the number of tokens of the step, dr_grpo the sum by answers·longest, where
// longest is the limit of an answer's tokens. An answer without tokens counts as an answer.
func TokenWeights(kind string, tokens []int, longest int) ([]float64, error) {
	out := make([]float64, len(tokens))
	all := 0
	for _, n := range tokens {
		all += n
	}
	for i, n := range tokens {
		if n == 0 {
			continue
		}
		switch kind {
		case "grpo":
			out[i] = 1 / (float64(len(tokens)) * float64(n))
		case "dapo":
			out[i] = 1 / float64(all)
		case "dr_grpo":
			out[i] = 1 / (float64(len(tokens)) * float64(longest))
		default:
			return nil, fmt.Errorf("aggregation %q is not known: take grpo, dapo or dr_grpo", kind)
		}
	}
	return out, nil
}
