// Package loss holds the losses and estimates of learning from text and from feedback as pure functions.
//
// Log-probabilities, rewards and values flow in as float64, in nats; out flow a loss and its derivatives with respect to what is
// learnt. Nothing here knows a model, a batch or a step: the loops of the methods do. Sums of log-probabilities go over the tokens of
// an answer with its end of turn; a mean is that sum over the number of those tokens.
package loss

import "math"

// sigmoid is 1/(1+e^-x), without overflow on either side.
func sigmoid(x float64) float64 {
	if x < 0 {
		e := math.Exp(x)
		return e / (1 + e)
	}
	return 1 / (1 + math.Exp(-x))
}

// softplus is log(1+e^x) = -log sigmoid(-x), without overflow.
func softplus(x float64) float64 {
	return max(x, 0) + math.Log1p(math.Exp(-math.Abs(x)))
}

func clamp(x, low, high float64) float64 { return min(max(x, low), high) }

// mean is 0 for no values.
func mean(list []float64) float64 {
	if len(list) == 0 {
		return 0
	}
	var sum float64
	for _, v := range list {
		sum += v
	}
	return sum / float64(len(list))
}
