package loss

// KTOOptions are the constants of KTO.
type KTOOptions struct {
	Beta      float64 // inverse temperature; .1 is usual
	Good, Bad float64 // weights of desirable and undesirable answers
}

// KTO is the loss of one judged answer (arXiv 2402.01306): w·(1 - σ(β(ratio - zero))) for a good one, w·(1 - σ(β(zero - ratio))) for a
// bad one. ratio is the sum of log-probabilities under the policy less that under the reference; zero is KTOZero's, through which no
// gradient flows. slope is d(loss)/d(sum under the policy). A policy that is its reference has w/2.
func KTO(ratio, zero float64, good bool, o KTOOptions) (value, slope float64) {
	if good {
		s := sigmoid(o.Beta * (ratio - zero))
		return o.Good * (1 - s), -o.Good * o.Beta * s * (1 - s)
	}
	s := sigmoid(o.Beta * (zero - ratio))
	return o.Bad * (1 - s), o.Bad * o.Beta * s * (1 - s)
}

// KTOZero is the point that answers are compared with: the mean log-ratio of answers that belong to other prompts, at least 0.
func KTOZero(mismatched []float64) float64 { return max(0, mean(mismatched)) }

// KTOWeights gives weights such that Good·good/(Bad·bad) lies in [1, 4/3], the authors' rule: the rarer side is raised as far as the
// rule asks, the other stays at 1. With one side empty both are 1.
func KTOWeights(good, bad int) (weightGood, weightBad float64) {
	if good == 0 || bad == 0 {
		return 1, 1
	}
	switch ratio := float64(good) / float64(bad); {
	case ratio < 1:
		return 1 / ratio, 1
	case ratio > 4./3:
		return 1, ratio * 3 / 4
	default:
		return 1, 1
	}
}
