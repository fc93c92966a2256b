// Package scaling plans how large a model to train and on how many tokens.
//
// In flow training runs that are done (parameters N, tokens D, loss), the speed of a machine, and shapes of models.
// Out flow a fitted law L(N,D), the minimum of an isoFLOP family, and a plan: which shape, how many tokens, which loss.
// N counts the parameters of matrix products with the head, without the embedding; D counts trained tokens.
package scaling

import "math"

// Law is the parametric loss of Hoffmann et al. 2022 (arXiv 2203.15556), approach 3: L(N,D) = E + A/N^Alpha + B/D^Beta,
// in nats per token for the published constants, in bits per byte for runs of this program.
type Law struct {
	E     float64 `json:"e"`
	A     float64 `json:"a"`
	B     float64 `json:"b"`
	Alpha float64 `json:"alpha"`
	Beta  float64 `json:"beta"`
}

// Hoffmann is the law as Hoffmann et al. 2022 print it (rounded; equation 10 and appendix D.3).
func Hoffmann() Law { return Law{E: 1.69, A: 406.4, B: 410.7, Alpha: 0.34, Beta: 0.28} }

// HoffmannUnrounded is the same law with the digits that stand in the source of the paper.
func HoffmannUnrounded() Law {
	return Law{E: math.Exp(.5267228), A: math.Exp(6.0073404), B: math.Exp(6.0179186), Alpha: .33917084, Beta: .2849083}
}

// Epoch is the replication of the fit by Besiroglu et al. 2024 (arXiv 2404.10102), on the points of figure 4 of Hoffmann et al.
func Epoch() Law { return Law{E: 1.8172, A: 482.01, B: 2085.43, Alpha: .3478, Beta: .3658} }

// EpochSmallest is the least training compute, in FLOP, of the published runs that the laws were fitted to (the 240 points of
// figure 4 in Epoch's extraction). Below it the laws are extrapolation.
const EpochSmallest = 1.397e18

// Loss is L(N,D).
func (l Law) Loss(n, d float64) float64 {
	return l.E + l.A*math.Pow(n, -l.Alpha) + l.B*math.Pow(d, -l.Beta)
}

// Exponent is a in N_opt ~ C^a; the exponent of D_opt is 1 - a.
func (l Law) Exponent() float64 { return l.Beta / (l.Alpha + l.Beta) }

// Optimum is the closed form of the least loss for c FLOP where training costs 6 FLOP a parameter and token.
func (l Law) Optimum(c float64) (n, d float64) {
	g := math.Pow(l.Alpha*l.A/(l.Beta*l.B), 1/(l.Alpha+l.Beta))
	return g * math.Pow(c/6, l.Exponent()), math.Pow(c/6, 1-l.Exponent()) / g
}

// Decades is how many powers of ten lie between c FLOP and the smallest run behind the published laws; 0 where c is no smaller.
func Decades(c float64) float64 { return math.Max(0, math.Log10(EpochSmallest/c)) }
