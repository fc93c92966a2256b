package scaling

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/optimize"
)

// Point is one trained model: N parameters, D tokens, the loss that it reached.
type Point struct {
	N    float64 `json:"n"`
	D    float64 `json:"d"`
	Loss float64 `json:"loss"`
}

// Fitted is a law with what the fit says of itself.
type Fitted struct {
	Law       Law     `json:"law"`
	Objective float64 `json:"objective"` // sum of Huber losses of residuals in ln L
	Points    int     `json:"points"`
}

// delta is where the Huber loss turns from square to linear, in ln L (Hoffmann et al. 2022, appendix D.3).
const delta = 1e-3

// Fit is the law with the least sum (not mean: with the mean, optimisers stop too early) of Huber losses of ln L. L-BFGS starts
// from the best points of the grid of Hoffmann et al., and Nelder-Mead goes on from the best end, as the Huber loss has kinks in
// its second derivative. Errors: fewer than 7 points, values that are not positive and finite.
func Fit(points []Point) (*Fitted, error) {
	if len(points) < 7 {
		return nil, fmt.Errorf("fit: %d points; five constants need at least 7", len(points))
	}
	f := &objective{}
	for i, p := range points {
		for _, v := range []float64{p.N, p.D, p.Loss} {
			if !(v > 0) || math.IsInf(v, 0) {
				return nil, fmt.Errorf("fit: point %d: N %g, D %g, loss %g: must be positive", i, p.N, p.D, p.Loss)
			}
		}
		f.lnN, f.lnD, f.lnL = append(f.lnN, math.Log(p.N)), append(f.lnD, math.Log(p.D)), append(f.lnL, math.Log(p.Loss))
	}
	best, err := f.search(f.starts(24))
	if err != nil {
		return nil, err
	}
	return &Fitted{Law: lawOf(best.X), Objective: best.F, Points: len(points)}, nil
}

// refit goes on from a law that is near the answer: for leaving single points out.
func refit(points []Point, near Law) (*Fitted, error) {
	f := &objective{}
	for _, p := range points {
		f.lnN, f.lnD, f.lnL = append(f.lnN, math.Log(p.N)), append(f.lnD, math.Log(p.D)), append(f.lnL, math.Log(p.Loss))
	}
	best, err := f.search([][]float64{{math.Log(near.A), math.Log(near.B), math.Log(near.E), near.Alpha, near.Beta}})
	if err != nil {
		return nil, err
	}
	return &Fitted{Law: lawOf(best.X), Objective: best.F, Points: len(points)}, nil
}

func lawOf(x []float64) Law {
	return Law{A: math.Exp(x[0]), B: math.Exp(x[1]), E: math.Exp(x[2]), Alpha: x[3], Beta: x[4]}
}

// objective is the sum over points of Huber(LSE(a - alpha ln N, b - beta ln D, e) - ln L) at x = a, b, e, alpha, beta.
type objective struct{ lnN, lnD, lnL []float64 }

// at gives the value, and the gradient where grad is not nil.
func (f *objective) at(grad, x []float64) (sum float64) {
	clear(grad)
	for i, lnL := range f.lnL {
		u, v, e := x[0]-x[3]*f.lnN[i], x[1]-x[4]*f.lnD[i], x[2]
		top := max(u, v, e)
		pu, pv, pe := math.Exp(u-top), math.Exp(v-top), math.Exp(e-top)
		total := pu + pv + pe
		r := top + math.Log(total) - lnL
		slope := math.Copysign(delta, r)
		if math.Abs(r) <= delta {
			sum += r * r / 2
			slope = r
		} else {
			sum += delta * (math.Abs(r) - delta/2)
		}
		if grad == nil {
			continue
		}
		pu, pv, pe = slope*pu/total, slope*pv/total, slope*pe/total
		grad[0] += pu
		grad[1] += pv
		grad[2] += pe
		grad[3] -= pu * f.lnN[i]
		grad[4] -= pv * f.lnD[i]
	}
	return sum
}

// starts gives the n best points of the grid of Hoffmann et al. 2022, appendix D.3.
func (f *objective) starts(n int) [][]float64 {
	type start struct {
		x     []float64
		value float64
	}
	var all []start
	for a := 0.0; a <= 25; a += 5 {
		for b := 0.0; b <= 25; b += 5 {
			for e := -1.0; e <= 1; e += .5 {
				for alpha := 0.0; alpha <= 2; alpha += .5 {
					for beta := 0.0; beta <= 2; beta += .5 {
						x := []float64{a, b, e, alpha, beta}
						all = append(all, start{x, f.at(nil, x)})
					}
				}
			}
		}
	}
	slices.SortStableFunc(all, func(p, q start) int {
		switch {
		case p.value < q.value:
			return -1
		case p.value > q.value:
			return 1
		}
		return 0
	})
	out := make([][]float64, 0, n)
	for _, s := range all[:n] {
		out = append(out, s.x)
	}
	return out
}

// search runs L-BFGS from every start and Nelder-Mead, restarted until it stands still, from the best end.
func (f *objective) search(starts [][]float64) (*optimize.Location, error) {
	p := optimize.Problem{
		Func: func(x []float64) float64 { return f.at(nil, x) },
		Grad: func(grad, x []float64) { f.at(grad, x) },
	}
	best := &optimize.Location{F: math.Inf(1)}
	keep := func(r *optimize.Result) {
		if r != nil && r.F < best.F {
			best = &optimize.Location{X: slices.Clone(r.X), F: r.F}
		}
	}
	for _, x := range starts {
		// an error of one start (a line search that fails at a kink) still leaves its best point
		r, _ := optimize.Minimize(p, x, &optimize.Settings{MajorIterations: 400, GradientThreshold: 1e-10}, &optimize.LBFGS{})
		keep(r)
	}
	if best.X == nil {
		return nil, errors.New("fit: no start led anywhere")
	}
	for range 12 {
		before := best.F
		r, _ := optimize.Minimize(p, best.X, &optimize.Settings{FuncEvaluations: 6000,
			Converger: &optimize.FunctionConverge{Absolute: 1e-13, Iterations: 300}}, &optimize.NelderMead{SimplexSize: .1})
		keep(r)
		if before-best.F < 1e-12 {
			break
		}
	}
	return best, nil
}
