package scaling

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
)

// Shape is a model that could be trained.
type Shape struct {
	Name  string  `json:"name"`
	N     float64 `json:"n"`     // parameters of matrix products, with the head
	FLOPs float64 `json:"flops"` // of training, per token: 6 N + 6 L d T
}

// Arm is one model of a family: trained from nothing on a budget of FLOP.
type Arm struct {
	Budget  float64 `json:"budget"` // FLOP
	Shape   Shape   `json:"shape"`
	Seed    uint64  `json:"seed"`
	Tokens  int64   `json:"tokens"` // trained
	Loss    float64 `json:"loss"`   // held-out bits per byte
	Seconds float64 `json:"seconds"`
}

// Task asks for an arm.
type Task struct {
	Budget float64
	Shape  Shape
	Seed   uint64
	Tokens int64 // Budget / Shape.FLOPs
}

// Outcome is what a trainer says of a task: tokens that were trained, held-out bits per byte, seconds that it took.
type Outcome struct {
	Tokens  int64
	Loss    float64
	Seconds float64
}

// Budget is what the arms of one budget say together.
type Budget struct {
	FLOPs   float64  `json:"flops"`
	Minimum *Minimum `json:"minimum,omitempty"` // nil: not bracketed
	Problem string   `json:"problem,omitempty"` // why not
}

// Family is a set of arms over some budgets, as it stands in a file. What is fitted is computed anew from the arms by Settle.
type Family struct {
	Format  int      `json:"format"`
	Unit    string   `json:"unit"` // of losses: "bits per byte"
	Data    string   `json:"data"` // what the arms were trained on: they compare only on one data set, tokenizer and held-out split
	Arms    []Arm    `json:"arms"`
	Budgets []Budget `json:"budgets"`
	Size    *Line    `json:"size,omitempty"` // N of the minima by budget; nil with fewer than two
	Law     *Fitted  `json:"law,omitempty"`  // nil with fewer than two bracketed budgets or 7 arms
}

const format = 1

// Read reads a family. Where there is none the error is fs.ErrNotExist.
func Read(path string) (*Family, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	f := &Family{}
	d := json.NewDecoder(bytes.NewReader(b))
	if err := d.Decode(f); err != nil {
		return nil, fmt.Errorf("scaling: %s: %w", path, err)
	}
	if f.Format != format {
		return nil, fmt.Errorf("scaling: %s: format %d; this program reads format %d", path, f.Format, format)
	}
	for i, a := range f.Arms {
		if !(a.Budget > 0 && a.Shape.N > 0 && a.Shape.FLOPs > 0 && a.Tokens > 0 && a.Loss > 0) || math.IsInf(a.Loss, 0) {
			return nil, fmt.Errorf("scaling: %s: arm %d: budget, n, flops, tokens and loss must be positive", path, i)
		}
	}
	f.Settle()
	return f, nil
}

// Open reads a family, or begins one. A family of other data is refused.
func Open(path, data string) (*Family, error) {
	f, err := Read(path)
	if errors.Is(err, fs.ErrNotExist) {
		return &Family{Format: format, Unit: "bits per byte", Data: data}, nil
	}
	if err != nil {
		return nil, err
	}
	if f.Data != data {
		return nil, fmt.Errorf("scaling: %s: its arms were trained on %s, not on %s: losses do not compare; choose another folder", path, f.Data, data)
	}
	return f, nil
}

// Write writes the family by a temporary file and rename.
func (f *Family) Write(path string) error {
	b, err := json.MarshalIndent(f, "", "  ")
	if err != nil {
		return fmt.Errorf("scaling: %s: %w", path, err)
	}
	t, err := os.CreateTemp(filepath.Dir(path), ".scaling-*")
	if err != nil {
		return err
	}
	defer os.Remove(t.Name())
	_, err = t.Write(append(b, '\n'))
	if err := errors.Join(err, t.Sync(), t.Close()); err != nil {
		return err
	}
	return os.Rename(t.Name(), path)
}

// Search trains a family: for each budget the width shapes around the middle, then up to extra more on the side where the
// minimum lies open. Arms that the family holds already are not trained again; save is called after each new arm.
type Search struct {
	Budgets []float64 // FLOP
	Shapes  []Shape
	Width   int // shapes a budget begins with; 0: 5
	Extra   int // shapes that may be added to a budget
	Seed    uint64
	Train   func(context.Context, Task) (Outcome, error)
	Save    func(*Family) error
}

// Run goes through the budgets. Errors: fewer than three shapes, those of Train and Save. A minimum that is not bracketed is no
// error: it stands in the family.
func (f *Family) Run(ctx context.Context, s Search) error {
	shapes := slices.Clone(s.Shapes)
	slices.SortFunc(shapes, func(a, b Shape) int { return int(math.Copysign(1, a.N-b.N)) })
	if len(shapes) < 3 {
		return &NotBracketedError{Arms: len(shapes)}
	}
	if s.Width == 0 {
		s.Width = 5
	}
	for _, c := range s.Budgets {
		width := min(s.Width, len(shapes))
		lo := min(max(f.middle(shapes, c)-width/2, 0), len(shapes)-width)
		hi := lo + width
		for _, shape := range shapes[lo:hi] {
			if err := f.arm(ctx, s, c, shape); err != nil {
				return err
			}
		}
		for range s.Extra {
			var open *NotBracketedError
			if _, err := FitMinimum(f.points(c)); !errors.As(err, &open) || open.Arms < 3 {
				break
			}
			switch {
			case open.Below && lo > 0:
				lo--
			case !open.Below && hi < len(shapes):
				hi++
			default:
				continue
			}
			at := lo
			if !open.Below {
				at = hi - 1
			}
			if err := f.arm(ctx, s, c, shapes[at]); err != nil {
				return err
			}
		}
	}
	f.Settle()
	return s.Save(f)
}

// middle is the shape nearest to where the minimum of c FLOP is thought to be: by the family's own minima with the exponent 1/2,
// else by Epoch's law.
func (f *Family) middle(shapes []Shape, c float64) int {
	n, _ := Epoch().Optimum(c)
	f.Settle()
	if b := f.nearest(c); b != nil {
		n = b.Minimum.N * math.Sqrt(c/b.FLOPs)
	}
	return closest(shapes, n)
}

func closest(shapes []Shape, n float64) (best int) {
	for i, s := range shapes {
		if math.Abs(math.Log(s.N/n)) < math.Abs(math.Log(shapes[best].N/n)) {
			best = i
		}
	}
	return best
}

// nearest is the bracketed budget nearest to c FLOP; nil where there is none.
func (f *Family) nearest(c float64) (best *Budget) {
	for i, b := range f.Budgets {
		if b.Minimum != nil && (best == nil || math.Abs(math.Log(b.FLOPs/c)) < math.Abs(math.Log(best.FLOPs/c))) {
			best = &f.Budgets[i]
		}
	}
	return best
}

// arm trains one arm unless the family holds it.
func (f *Family) arm(ctx context.Context, s Search, c float64, shape Shape) error {
	for _, a := range f.Arms {
		if a.Budget == c && a.Shape == shape && a.Seed == s.Seed {
			return nil
		}
	}
	task := Task{Budget: c, Shape: shape, Seed: s.Seed, Tokens: int64(c / shape.FLOPs)}
	out, err := s.Train(ctx, task)
	if err != nil {
		return fmt.Errorf("scaling: %.3g FLOP, %s: %w", c, shape.Name, err)
	}
	if !(out.Loss > 0) || math.IsInf(out.Loss, 0) || out.Tokens <= 0 {
		return fmt.Errorf("scaling: %.3g FLOP, %s: loss %g after %d tokens: not usable", c, shape.Name, out.Loss, out.Tokens)
	}
	f.Arms = append(f.Arms, Arm{Budget: c, Shape: shape, Seed: s.Seed, Tokens: out.Tokens, Loss: out.Loss, Seconds: out.Seconds})
	f.Settle()
	return s.Save(f)
}

// points are the arms of a budget; 0: all.
func (f *Family) points(budget float64) (out []Point) {
	for _, a := range f.Arms {
		if budget == 0 || a.Budget == budget {
			out = append(out, Point{N: a.Shape.N, D: float64(a.Tokens), Loss: a.Loss})
		}
	}
	return out
}

// Settle computes minima, line and law from the arms.
func (f *Family) Settle() {
	var budgets []float64
	for _, a := range f.Arms {
		budgets = append(budgets, a.Budget)
	}
	slices.Sort(budgets)
	f.Budgets, f.Size, f.Law = nil, nil, nil
	var c, n []float64
	for _, budget := range slices.Compact(budgets) {
		b := Budget{FLOPs: budget}
		m, err := FitMinimum(f.points(budget))
		if err != nil {
			b.Problem = err.Error()
		} else {
			b.Minimum = m
			c, n = append(c, budget), append(n, m.N)
		}
		f.Budgets = append(f.Budgets, b)
	}
	if len(c) < 2 {
		return
	}
	if line, err := FitLine(c, n); err == nil {
		f.Size = &line
	}
	if fitted, err := Fit(f.points(0)); err == nil {
		f.Law = fitted
	}
}
