package loss

import "math"

// BradleyTerry is the loss of a reward model on one pair: -log sigmoid(chosen - rejected - margin), and centring·(chosen + rejected)²,
// which keeps rewards near 0 (0: off; .01 is usual). It returns the derivatives for both rewards.
func BradleyTerry(chosen, rejected, margin, centring float64) (value, dChosen, dRejected float64) {
	d := chosen - rejected - margin
	slope := -sigmoid(-d)
	sum := chosen + rejected
	return softplus(-d) + centring*sum*sum, slope + 2*centring*sum, -slope + 2*centring*sum
}

// LogExp is log(1 + e^(rejected - chosen)) as written, for comparison: the value of BradleyTerry without margin, until e^x overflows.
func LogExp(chosen, rejected float64) (value, dChosen, dRejected float64) {
	e := math.Exp(rejected - chosen)
	slope := -e / (1 + e)
	return math.Log(1 + e), slope, -slope
}
