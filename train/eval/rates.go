package eval

import (
	"math"
	"slices"
)

// Rate is a share of successes with its 95 % interval (Wilson 1927, the score interval).
type Rate struct {
	Hits int     `json:"hits"`
	N    int     `json:"n"`
	Rate float64 `json:"rate"` // Hits / N; 0 where N is 0
	Low  float64 `json:"low"`
	High float64 `json:"high"`
}

// NewRate makes a rate of hits among n. Where n is 0 the interval is everything, 0 to 1.
func NewRate(hits, n int) Rate {
	if n == 0 {
		return Rate{High: 1}
	}
	const z = 1.959963984540054 // the normal quantile of 97.5 %
	p, size := float64(hits)/float64(n), float64(n)
	middle := (p + z*z/(2*size)) / (1 + z*z/size)
	half := z / (1 + z*z/size) * math.Sqrt(p*(1-p)/size+z*z/(4*size*size))
	return Rate{hits, n, p, max(0, middle-half), min(1, middle+half)}
}

// mean is the arithmetic mean, 0 of nothing.
func mean(xs []float64) float64 {
	if len(xs) == 0 {
		return 0
	}
	sum := 0.0
	for _, x := range xs {
		sum += x
	}
	return sum / float64(len(xs))
}

// median is the middle value, or the mean of the two middle ones; 0 of nothing.
func median(xs []float64) float64 {
	if len(xs) == 0 {
		return 0
	}
	s := slices.Sorted(slices.Values(xs))
	return (s[(len(s)-1)/2] + s[len(s)/2]) / 2
}

// standardError is that of a mean; 0 of fewer than two.
func standardError(xs []float64) float64 {
	if len(xs) < 2 {
		return 0
	}
	m, square := mean(xs), 0.0
	for _, x := range xs {
		square += (x - m) * (x - m)
	}
	n := float64(len(xs))
	return math.Sqrt(square / (n - 1) / n)
}
