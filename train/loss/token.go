package loss

import "math"

// CrossEntropy is the reference of the model's fused operator: the nats of one token of which the logits are given, and
// d(nats)/d(logits) = softmax - one hot.
func CrossEntropy(logits []float64, target int) (nats float64, gradient []float64) {
	gradient = LogSoftmax(logits, 1)
	nats = -gradient[target]
	for i, v := range gradient {
		gradient[i] = math.Exp(v)
	}
	gradient[target]--
	return nats, gradient
}

// LogSoftmax gives the log-probabilities of logits over a temperature.
func LogSoftmax(logits []float64, temperature float64) []float64 {
	top := math.Inf(-1)
	for _, v := range logits {
		top = max(top, v/temperature)
	}
	var sum float64
	for _, v := range logits {
		sum += math.Exp(v/temperature - top)
	}
	whole := top + math.Log(sum)
	out := make([]float64, len(logits))
	for i, v := range logits {
		out[i] = v/temperature - whole
	}
	return out
}

// Divergence compares a student's distribution over the tokens with a teacher's, both as log-probabilities, and gives
// d(divergence)/d(the student's logits) at temperature 1. beta 0 is KL(teacher‖student), beta 1 is KL(student‖teacher), between them
// beta·KL(teacher‖M) + (1-beta)·KL(student‖M) with M = beta·teacher + (1-beta)·student (GKD, arXiv 2306.13649).
func Divergence(teacher, student []float64, beta float64) (nats float64, gradient []float64) {
	gradient = make([]float64, len(student))
	var center float64
	for i, s := range student {
		t := teacher[i]
		p, q := math.Exp(t), math.Exp(s)
		switch {
		case beta <= 0:
			nats += times(p, t-s)
			gradient[i] = q - p
		case beta >= 1:
			nats += times(q, s-t)
			gradient[i] = times(q, s-t)
			center += gradient[i]
		default:
			m := addExp(s+math.Log1p(-beta), t+math.Log(beta))
			nats += beta*times(p, t-m) + (1-beta)*times(q, s-m)
			gradient[i] = (1 - beta) * times(q, s-m)
			center += gradient[i]
		}
	}
	for i, s := range student {
		gradient[i] -= math.Exp(s) * center
	}
	return nats, gradient
}

// times is p·x, and 0 where p is, however large x.
func times(p, x float64) float64 {
	if p == 0 {
		return 0
	}
	return p * x
}

// addExp is log(e^a + e^b).
func addExp(a, b float64) float64 {
	if math.IsInf(a, -1) && math.IsInf(b, -1) {
		return a
	}
	return max(a, b) + math.Log1p(math.Exp(-math.Abs(a-b)))
}
