package train

import (
	"context"
	"fmt"
	"math"
	"slices"
	"time"
)

// tokensPerParameter is how long training is when nothing says so: about 20 tokens for each matmul parameter (Hoffmann et al.
// 2022, table 3; as an order of magnitude, since their models are a thousand times larger and more).
const tokensPerParameter = 20

// enough is how long a measurement of speed may take, and how much of the minutes asked for it may spend.
const (
	measureSeconds = 3
	measureShare   = .05
	trainShare     = .9 // of the minutes: evaluation, samples, saving and the noise of other work take the rest
)

// steps turns what was asked for into a number of steps, once. epochRows is the number of rows after which a source is read
// as often as Asked.Epochs allows; 0: no limit. speed, positions a second, is asked for only when minutes decide.
func (p *Plan) steps(epochRows int64, speed func() (float64, error)) (n int, err error) {
	a, positions := p.Asked, float64(p.Positions())
	most := math.Inf(1)
	switch {
	case a.Minutes > 0:
		p.Limit = "minutes"
		if p.Speed, err = speed(); err != nil {
			return 0, err
		}
		most = a.Minutes * 60 * trainShare * p.Speed / positions
	case a.Tokens > 0:
		p.Limit, most = "tokens", math.Ceil(float64(a.Tokens)/positions)
	case a.FLOPs > 0:
		p.Limit, most = "flops", a.FLOPs/p.FLOPs()
	default:
		p.Limit, most = "parameters", math.Ceil(tokensPerParameter*float64(p.Model.MatmulParams())/positions)
	}
	if rows := float64(p.Batch * p.Accumulate); epochRows > 0 && float64(epochRows)/rows < most {
		p.Limit, most = "epochs", float64(epochRows)/rows
	}
	if most > math.MaxInt32 {
		return 0, fmt.Errorf("%.3g steps are too many", most)
	}
	return max(int(most), 1), nil
}

// check says which wishes contradict each other.
func (a Asked) check() error {
	given := 0
	for _, v := range []float64{a.Minutes, float64(a.Tokens), a.FLOPs} {
		if v < 0 || math.IsNaN(v) || math.IsInf(v, 0) {
			return fmt.Errorf("a budget of %g", v)
		}
		if v > 0 {
			given++
		}
	}
	switch {
	case given > 1:
		return fmt.Errorf("minutes, tokens and flops: give one of them")
	case a.Config != nil && a.Depth != 0:
		return fmt.Errorf("depth and config: give one of them")
	case a.Holdout < 0 || a.Holdout > .5:
		return fmt.Errorf("holdout %g is not within 0 and 0.5", a.Holdout)
	case a.Epochs < 0 || a.Clip < 0 || a.Decay < 0 || a.Spike < 0 || a.Rate < 0:
		return fmt.Errorf("epochs, clip, decay, spike, lr: below 0")
	case a.Batch < 0 || a.Accumulate < 0 || a.Eval < 0 || a.Sample < 0 || a.Vocab < 0:
		return fmt.Errorf("batch, accumulate, eval-every, sample-every, vocab: below 0")
	}
	return nil
}

// Speed measures how many positions a second this machine trains on, in steps whose results are thrown away: after two
// steps to warm up, as many as fit into seconds, at least two. It takes the median step.
func Speed(ctx context.Context, s Setup, seconds float64) (float64, error) {
	s.Schedule = Schedule{Shape: "wsd", Peak: 1e-6, Steps: math.MaxInt32}
	l, err := Begin(s)
	if err != nil {
		return 0, err
	}
	var took []float64
	for begin := time.Now(); len(took) < 4 || time.Since(begin).Seconds() < seconds; {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		at := time.Now()
		if _, err := l.Next(); err != nil {
			return 0, err
		}
		took = append(took, time.Since(at).Seconds())
	}
	return float64(l.Batch*l.Accumulate*l.Len) / median(took[2:]), nil
}

func median(list []float64) float64 {
	sorted := slices.Sorted(slices.Values(list))
	if len(sorted) == 0 {
		return 0
	}
	return sorted[len(sorted)/2]
}
