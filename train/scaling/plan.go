package scaling

import (
	"fmt"
	"math"
)

// Speed is what was measured of a machine while it trained one shape.
type Speed struct {
	Shape   string  `json:"shape"`
	Tokens  float64 `json:"tokens_per_second"`
	FLOPs   float64 `json:"flops"` // per second, by 6 N + 6 L d T
	Share   float64 `json:"mfu"`   // of the measured peak times threads
	Seconds float64 `json:"seconds"`
}

// Plan is what to train in a given time.
type Plan struct {
	Minutes float64     `json:"minutes"`
	Speed   Speed       `json:"speed"`  // of the shape that is proposed
	FLOPs   float64     `json:"flops"`  // that the time buys
	Shape   Shape       `json:"shape"`  // proposed
	Tokens  float64     `json:"tokens"` // proposed
	By      string      `json:"by"`     // what the choice rests on: "law" or "minimum" of own runs, else "epoch"
	Own     *Forecast   `json:"forecast,omitempty"`
	Extern  []Published `json:"published"`
}

// Forecast comes from own runs.
type Forecast struct {
	N       float64 `json:"n"`                 // optimum for the budget, between shapes
	Loss    float64 `json:"loss,omitempty"`    // of the proposed shape, in the unit of the runs; 0: the runs do not tell
	Low     float64 `json:"low,omitempty"`     // least and
	High    float64 `json:"high,omitempty"`    // greatest when any one arm is left out
	Decades float64 `json:"decades"`           // powers of ten from the nearest own budget; below 0.05 it is no extrapolation
	Budgets int     `json:"budgets"`           // with a bracketed minimum
	Unit    string  `json:"unit"`              // of Loss
	Data    string  `json:"data"`              // what the runs were trained on
	Slope   *Line   `json:"slope,omitempty"`   // exponent a; nil: one budget, 1/2 is assumed
	Error   string  `json:"problem,omitempty"` // why there is no forecast
}

// Published is what a published law says, far outside of what it was fitted to. Its loss is in nats per token of its authors'
// tokenizer and data; it does not compare with bits per byte.
type Published struct {
	Name    string  `json:"name"`
	N       float64 `json:"n"`
	D       float64 `json:"d"`
	Loss    float64 `json:"nats_per_token_of_their_data"`
	Decades float64 `json:"decades_extrapolated"`
}

// Make plans minutes of training on shapes. measure trains a shape for a moment and says how fast that is; it is asked first for
// the shape nearest to guess parameters, then for the proposed one until the proposal stands. family may be nil.
// Errors: no shapes, no time, those of measure.
func Make(minutes float64, shapes []Shape, guess float64, family *Family, measure func(Shape) (Speed, error)) (*Plan, error) {
	if len(shapes) == 0 || !(minutes > 0) {
		return nil, fmt.Errorf("plan: %g minutes, %d shapes: nothing to plan", minutes, len(shapes))
	}
	at := shapes[closest(shapes, guess)]
	known := map[string]Speed{}
	p := &Plan{Minutes: minutes}
	for range 4 {
		speed, ok := known[at.Name]
		if !ok {
			var err error
			if speed, err = measure(at); err != nil {
				return nil, fmt.Errorf("plan: %s: %w", at.Name, err)
			}
			if !(speed.FLOPs > 0) {
				return nil, fmt.Errorf("plan: %s: measured %g FLOP/s", at.Name, speed.FLOPs)
			}
			known[at.Name] = speed
		}
		p.Speed, p.Shape, p.FLOPs = speed, at, speed.FLOPs*minutes*60
		next, by := choose(shapes, p.FLOPs, family)
		p.By = by
		if next.Name == at.Name {
			break
		}
		at = next
	}
	p.Tokens = p.FLOPs / p.Shape.FLOPs
	p.Extern = published(p.FLOPs)
	if family != nil {
		p.Own = family.forecast(p.FLOPs, p.Shape)
	}
	return p, nil
}

func published(c float64) (out []Published) {
	for _, law := range []struct {
		name string
		law  Law
	}{{"Hoffmann et al. 2022", Hoffmann()}, {"Epoch 2024", Epoch()}} {
		n, d := law.law.Optimum(c)
		out = append(out, Published{law.name, n, d, law.law.Loss(n, d), Decades(c)})
	}
	return out
}

// choose is the shape with the least expected loss for c FLOP.
func choose(shapes []Shape, c float64, f *Family) (Shape, string) {
	if f != nil && f.Law != nil {
		return least(shapes, c, f.Law.Law), "law"
	}
	if f != nil && f.nearest(c) != nil {
		n, _ := f.optimum(c)
		return shapes[closest(shapes, n)], "minimum"
	}
	return least(shapes, c, Epoch()), "epoch"
}

// least takes each shape's own FLOP per token, not 6 N.
func least(shapes []Shape, c float64, l Law) (best Shape) {
	loss := math.Inf(1)
	for _, s := range shapes {
		if v := l.Loss(s.N, c/s.FLOPs); v < loss {
			best, loss = s, v
		}
	}
	return best
}

// optimum is N for c FLOP by the family's minima: along their line, or from one of them by the exponent 1/2.
func (f *Family) optimum(c float64) (n float64, slope *Line) {
	if f.Size != nil {
		return f.Size.At(c), f.Size
	}
	b := f.nearest(c)
	return b.Minimum.N * math.Sqrt(c/b.FLOPs), nil
}

// forecast says what the family expects of a shape at c FLOP.
func (f *Family) forecast(c float64, shape Shape) *Forecast {
	out := &Forecast{Unit: f.Unit, Data: f.Data}
	b := f.nearest(c)
	if b == nil {
		out.Error = "no budget of these runs has a bracketed minimum"
		return out
	}
	for _, b := range f.Budgets {
		if b.Minimum != nil {
			out.Budgets++
		}
	}
	out.Decades = math.Abs(math.Log10(c / b.FLOPs))
	out.N, out.Slope = f.optimum(c)
	if f.Law == nil {
		if out.Decades < .05 {
			out.Loss, out.Low, out.High = b.Minimum.Loss, b.Minimum.Loss-2*b.Minimum.RMS, b.Minimum.Loss+2*b.Minimum.RMS
		} else {
			out.Error = "a loss at another budget needs bracketed minima at two budgets and 7 arms"
		}
		return out
	}
	d := c / shape.FLOPs
	out.Loss = f.Law.Law.Loss(shape.N, d)
	out.Low, out.High = out.Loss, out.Loss
	points := f.points(0)
	for i := range points {
		rest := append(append([]Point{}, points[:i]...), points[i+1:]...)
		if fitted, err := refit(rest, f.Law.Law); err == nil {
			v := fitted.Law.Loss(shape.N, d)
			out.Low, out.High = min(out.Low, v), max(out.High, v)
		}
	}
	return out
}
