package classify

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"sort"
)

// Calibration turns a model's outputs into probabilities. The zero value is the logistic function, or softmax, alone.
type Calibration struct {
	Method string    `json:"method,omitempty"` // platt, isotonic; empty: none
	Scale  float64   `json:"scale,omitempty"`  // platt: of every output
	Shift  []float64 `json:"shift,omitempty"`  // platt: what is then added to each
	X      []float64 `json:"x,omitempty"`      // isotonic: outputs, ascending
	Y      []float64 `json:"y,omitempty"`      // and their probabilities, which never fall; linear between, constant beyond
}

func (c *Calibration) check(outputs int) error {
	ok := false
	switch c.Method {
	case "":
		ok = true
	case "platt":
		ok = c.Scale > 0 && c.Scale <= largest && len(c.Shift) == outputs && !slices.ContainsFunc(c.Shift, func(v float64) bool { return v > largest || v < -largest })
	case "isotonic":
		ok = outputs == 1 && len(c.X) == len(c.Y) && len(c.X) > 0 && slices.IsSorted(c.X) && slices.IsSorted(c.Y) && c.Y[0] >= 0 && c.Y[len(c.Y)-1] <= 1
	}
	if !ok {
		return fmt.Errorf("calibration %q does not fit %d outputs", c.Method, outputs)
	}
	return nil
}

// apply writes the probability of each class to p. It may change outputs.
func (c *Calibration) apply(p, outputs []float64) {
	switch c.Method {
	case "platt":
		for i := range outputs {
			outputs[i] = float64(outputs[i]*c.Scale) + c.Shift[i]
		}
	case "isotonic":
		p[1] = c.between(outputs[0])
		p[0] = 1 - p[1]
		return
	}
	softmax(p, outputs)
}

func (c *Calibration) between(z float64) float64 {
	i := sort.SearchFloat64s(c.X, z)
	switch {
	case i == len(c.X):
		return c.Y[i-1]
	case i == 0 || c.X[i] == z:
		return c.Y[i]
	}
	t := (z - c.X[i-1]) / (c.X[i] - c.X[i-1])
	return c.Y[i-1] + t*(c.Y[i]-c.Y[i-1])
}

// outcome is the outputs for a text and its true class.
type outcome struct {
	outputs []float64
	class   int
}

// calibrate fits the method to outcomes.
func calibrate(method string, all []outcome, classes int) Calibration {
	switch method {
	case "platt":
		return platt(all, classes)
	case "isotonic":
		return isotonic(all)
	}
	return Calibration{}
}

const (
	manyClasses = 50  // beyond which outputs are scaled but not shifted
	leastScale  = .01 // a scale at or below 0 would turn the order of scores around
)

// platt fits one scale and a shift for each output by Newton's method: for two classes Platt's method with his targets, which are
// not quite 0 and 1 (Lin, Lin and Weng 2007); for more, temperature scaling with biases (Alexandari et al. 2020) and the same targets.
func platt(all []outcome, classes int) Calibration {
	counts := make([]float64, classes)
	for _, o := range all {
		counts[o.class]++
	}
	size := classes // the scale, then the shifts of all classes but the first
	if classes > manyClasses {
		size = 1
	}
	at := make([]float64, size)
	at[0] = 1
	loss, slope, bend := plattLoss(all, counts, at)
	for range 50 {
		step := solve(bend, slope)
		next, trial := slices.Clone(at), 0.0
		var s []float64
		var b [][]float64
		factor := 1.0
		for ; factor > 1e-6; factor /= 2 {
			for i := range at {
				next[i] = at[i] - factor*step[i]
			}
			if trial, s, b = plattLoss(all, counts, next); trial < loss {
				break
			}
		}
		if factor <= 1e-6 || loss-trial < 1e-10*math.Abs(loss) {
			break
		}
		at, loss, slope, bend = next, trial, s, b
	}
	c := Calibration{Method: "platt", Scale: max(at[0], leastScale)}
	if classes == 2 {
		c.Shift = []float64{at[1]}
	} else {
		c.Shift = make([]float64, classes)
		copy(c.Shift[1:], at[1:])
	}
	return c
}

// plattLoss is the cross-entropy of the targets, with its first and second derivatives by the scale and the shifts.
func plattLoss(all []outcome, counts, at []float64) (loss float64, slope []float64, bend [][]float64) {
	classes, size := len(counts), len(at)
	slope, bend = make([]float64, size), make([][]float64, size)
	for i := range bend {
		bend[i] = make([]float64, size)
		bend[i][i] = 1e-6 // where the classes are apart already, or one output never changes
	}
	z, v, p := make([]float64, classes), make([]float64, classes), make([]float64, classes)
	for _, o := range all {
		copy(z[max(0, classes-len(o.outputs)):], o.outputs)
		for k := range v {
			if v[k] = at[0] * z[k]; k > 0 && size > 1 {
				v[k] += at[k]
			}
		}
		softmax(p, v)
		miss := 1 / (counts[o.class] + 2) // of the true class's target
		mean, square := 0.0, 0.0
		for k := range p {
			target := miss / float64(classes-1)
			if k == o.class {
				target = 1 - miss
			}
			loss -= target * math.Log(max(p[k], 1e-300))
			slope[0] += (p[k] - target) * z[k]
			if k > 0 && size > 1 {
				slope[k] += p[k] - target
			}
			mean += p[k] * z[k]
			square += p[k] * z[k] * z[k]
		}
		bend[0][0] += square - mean*mean
		for k := 1; k < size; k++ {
			bend[0][k] += p[k] * (z[k] - mean)
			bend[k][0] = bend[0][k]
			bend[k][k] += p[k]
			for l := 1; l < size; l++ {
				bend[k][l] -= p[k] * p[l]
			}
		}
	}
	return loss, slope, bend
}

// solve gives x of a·x = b for a small positive definite matrix, by elimination.
func solve(a [][]float64, b []float64) []float64 {
	n, x := len(b), slices.Clone(b)
	for i := range a {
		a[i] = slices.Clone(a[i])
	}
	for i := range n {
		for j := i + 1; j < n; j++ {
			f := a[j][i] / a[i][i]
			for k := i; k < n; k++ {
				a[j][k] -= f * a[i][k]
			}
			x[j] -= f * x[i]
		}
	}
	for i := n - 1; i >= 0; i-- {
		for k := i + 1; k < n; k++ {
			x[i] -= a[i][k] * x[k]
		}
		x[i] /= a[i][i]
	}
	return x
}

// isotonic fits the rising function nearest to the outcomes, by pooling neighbours that fall (Ayer et al. 1955). No probability is
// 0 or 1: each is kept half a text of all away.
func isotonic(all []outcome) Calibration {
	type block struct{ from, to, good, n float64 }
	all = slices.Clone(all)
	slices.SortStableFunc(all, func(a, b outcome) int { return cmp.Compare(a.outputs[0], b.outputs[0]) })
	var blocks []block
	for _, o := range all {
		b := block{o.outputs[0], o.outputs[0], float64(o.class), 1}
		for len(blocks) > 0 {
			last := blocks[len(blocks)-1]
			if last.to != b.from && last.good*b.n < b.good*last.n {
				break
			}
			b = block{last.from, b.to, last.good + b.good, last.n + b.n}
			blocks = blocks[:len(blocks)-1]
		}
		blocks = append(blocks, b)
	}
	c, n := Calibration{Method: "isotonic"}, float64(len(all))
	for _, b := range blocks {
		y := min(max(b.good/b.n, .5/n), 1-.5/n)
		c.X, c.Y = append(c.X, b.from), append(c.Y, y)
		if b.to > b.from {
			c.X, c.Y = append(c.X, b.to), append(c.Y, y)
		}
	}
	return c
}
