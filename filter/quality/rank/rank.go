// Package rank turns scores into percentile ranks and buckets. The scores of a sample flow in and Cutoffs flow out; through those
// flow single scores, and their place in the sample. Ranks of several classifiers can be compared where their scores cannot.
package rank

import (
	"fmt"
	"math"
	"slices"
	"sort"
)

// Cutoffs are the quantiles 0.001, 0.002 to 0.999 of a sample's scores, 999 numbers that never fall, as numpy.percentile computes them:
// linear between the two nearest scores.
type Cutoffs []float64

// Steps is the number of ranks, 0 to 999. A number of buckets divides it.
const Steps = 1000

// Of sorts scores, of which there is at least one, and gives their cutoffs.
func Of(scores []float32) Cutoffs {
	slices.Sort(scores)
	c := make(Cutoffs, Steps-1)
	for i := range c {
		at := float64(i+1) / Steps * float64(len(scores)-1)
		low := int(at)
		t := at - float64(low)
		a, b := float64(scores[low]), float64(scores[min(low+1, len(scores)-1)])
		if c[i] = a + float64((b-a)*t); t >= .5 { // numpy's two formulas, so that both ends are exact
			c[i] = b - float64((b-a)*(1-t))
		}
	}
	for i := 1; i < len(c); i++ {
		c[i] = max(c[i], c[i-1]) // rounding
	}
	return c
}

// Check tells what is wrong with cutoffs that were read.
func (c Cutoffs) Check() error {
	if len(c) != Steps-1 {
		return fmt.Errorf("%d cutoffs, want %d", len(c), Steps-1)
	}
	if i := slices.IndexFunc(c, func(v float64) bool { return v-v != 0 }); i >= 0 || !slices.IsSorted(c) {
		return fmt.Errorf("cutoffs are not in order")
	}
	return nil
}

// Rank is the number of cutoffs that score reaches, 0 to 999: a score that lies on a cutoff belongs above it, as in numpy.digitize.
// So equal scores all have the highest rank that any of them could have.
func (c Cutoffs) Rank(score float32) int {
	return sort.Search(len(c), func(i int) bool { return c[i] > float64(score) })
}

// Bucket is the rank's bucket of so many, from 0: with 20 each holds a twentieth of the sample, but for ties. n divides Steps.
func (c Cutoffs) Bucket(score float32, n int) int { return c.Rank(score) * n / Steps }

// Threshold is the score from which a share of the sample is kept, in thousandths: more than that where scores are equal.
// Scores are 0 to 1, so 0 keeps all.
func (c Cutoffs) Threshold(keep float64) float64 {
	at := int(math.Round(Steps * (1 - keep)))
	switch {
	case at <= 0:
		return 0
	case at >= Steps:
		at = Steps - 1
	}
	return c[at-1]
}

// Buckets tells whether there can be n buckets.
func Buckets(n int) error {
	if n < 2 || n > Steps || Steps%n != 0 {
		return fmt.Errorf("%d buckets: want a divisor of %d, for instance 10, 20, 50 or 100", n, Steps)
	}
	return nil
}

// Float32 is the least float32 that is not below a cutoff: scores are float32, and those that reach one reach the other.
func Float32(cutoff float64) float64 {
	f := float32(cutoff)
	if float64(f) < cutoff {
		f = math.Nextafter32(f, float32(math.Inf(1)))
	}
	return float64(f)
}
