package tune

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math"
	"slices"
	"time"

	"winnow/train"
	"winnow/train/checkpoint"
	"winnow/train/journal"
	"winnow/train/llm"
)

// Next tells whether there is another turn of the loop: not at the last step, nor when Patience is over, nor when ctx has ended. Between
// two turns it saves the state, when that is due and before it says no; so a turn may hold several updates.
func (r *Run) Next(ctx context.Context) bool {
	if r.failed != nil {
		return false
	}
	over := r.Step >= r.Plan.Schedule.Steps || r.progress.Stopped
	if ctx.Err() != nil {
		r.stopped = context.Cause(ctx)
	}
	if (over || r.stopped != nil || r.clock.due(r.Step, r.saveEvery())) && r.Step > r.clock.last {
		r.failed = r.save()
	}
	r.clock.start()
	return r.failed == nil && !over && r.stopped == nil
}

func (r *Run) saveEvery() int { return cmp.Or(r.Save, max(r.Plan.Schedule.Steps/10, 1)) }

// Params are all trained values: the model's (of an adapted one, the adapters') and those that were joined.
func (r *Run) Params() []llm.Param { return r.params }

// Rate is the learning rate of the next update.
func (r *Run) Rate() float64 { return r.Plan.Schedule.Rate(min(r.Step, r.Plan.Schedule.Steps-1)) }

// Update clips the gradients that the method has accumulated, lets AdamW change the parameters, and writes the journals. The gradients
// are those of m.Loss itself: nothing is divided here. It gives m with what was added. A loss or a gradient that is no number is a
// *train.DivergedError: the parameters stay as they were, and Out gets the model of the last checkpoint.
func (r *Run) Update(m Metric) (Metric, error) {
	m.Step, m.Rate, m.Row = r.Step+1, r.Rate(), r.Row
	m.Norm = llm.GradNorm(r.Pool, r.params)
	if !finite(m.Loss) || !finite(m.Norm) {
		r.failed = r.rescued(&train.DivergedError{Step: m.Step, First: r.Row, Rows: 1, Loss: m.Loss, Norm: m.Norm, Documents: m.Documents})
		return m, r.failed
	}
	m.Spike, m.Score = r.Guard.Spike(m.Loss, m.Norm)
	scale := float32(1)
	if r.Clip > 0 && m.Norm > r.Clip {
		scale = float32(r.Clip / m.Norm)
	}
	if m.Skip = r.Skip && m.Spike != ""; m.Skip {
		for _, p := range r.params {
			clear(p.Grad)
		}
	} else {
		r.Adam.Step(r.Pool, r.params, m.Step, m.Rate, scale)
	}
	r.Step++
	r.Tokens += m.Tokens
	m.Tokens, r.progress.Loss = r.Tokens, m.Loss
	r.clock.step(m.Positions)
	if m.Spike == "" {
		m.Documents = nil
	} else {
		r.tell(Event{Type: "spike", Metric: &m})
	}
	r.tell(Event{Type: "step", Metric: &m, Speed: r.clock.speed(), Left: r.clock.left(r.Plan.Schedule.Steps - r.Step)})
	scalars := []journal.Scalar{{Tag: "train/loss", Value: m.Loss}, {Tag: "train/lr", Value: m.Rate}, {Tag: "train/norm", Value: m.Norm},
		{Tag: "speed/positions per second", Value: r.clock.speed()}}
	r.failed = errors.Join(r.metrics.Write(m), r.events.Write(m.Step, append(scalars, scalarsOf("train/", m.Values)...)...))
	return m, r.failed
}

// Due tells whether to validate now.
func (r *Run) Due() bool {
	return r.Step > r.progress.Validated && (r.Step/r.Plan.Eval > r.progress.Validated/r.Plan.Eval || r.Step >= r.Plan.Schedule.Steps)
}

// Validated takes what was measured behind an update. It keeps the values that are best by Settings.Score, and ends the run when
// Patience is over. Before the first update the parent is measured, which is recorded, and never kept.
func (r *Run) Validated(scores map[string]float64) error {
	name := cmp.Or(r.Score, "loss")
	v, ok := scores[name]
	switch {
	case !ok:
		r.failed = fmt.Errorf("validation: no score %q among %v", name, slices.Sorted(maps.Keys(scores)))
		return r.failed
	case !finite(v):
		r.failed = r.rescued(&train.DivergedError{Step: r.Step, Loss: v})
		return r.failed
	}
	p := &r.progress
	p.Validated = r.Step
	best := r.Step > 0 && (p.Best == 0 || r.Higher && v > p.Score || !r.Higher && v < p.Score)
	switch {
	case best:
		p.Best, p.Score, p.Eval, p.Worse = r.Step, v, maps.Clone(scores), 0
		r.failed = r.keepBest()
	case r.Step > 0:
		p.Worse++
		p.Stopped = r.Patience > 0 && p.Worse >= r.Patience
	}
	r.tell(Event{Type: "eval", Metric: &Metric{Step: r.Step}, Eval: scores, Best: best})
	if p.Stopped {
		r.tell(Event{Type: "stop", Metric: &Metric{Step: r.Step}})
	}
	r.failed = errors.Join(r.failed, r.metrics.Write(evalLine{r.Step, scores}), r.events.Write(r.Step, scalarsOf("held out/", scores)...))
	r.clock.start()
	return r.failed
}

// evalLine is a Metric of which only Eval is set.
type evalLine struct {
	Step int                `json:"step"`
	Eval map[string]float64 `json:"eval"`
}

// Stop ends the run behind this turn, as Patience would: a budget of the method's own is used up.
func (r *Run) Stop() {
	r.progress.Stopped = true
	r.tell(Event{Type: "stop", Metric: &Metric{Step: r.Step}})
}

// Sample records a text that the model wrote.
func (r *Run) Sample(prompt, text string) error {
	s := Sample{Step: r.Step, Prompt: prompt, Text: text}
	r.tell(Event{Type: "sample", Sample: &s})
	return r.samples.Write(s)
}

// rescued leaves the model of the last checkpoint in Out, and says so in the error.
func (r *Run) rescued(d *train.DivergedError) error {
	s, _, err := checkpoint.Latest(r.Out, r.Pool.Kernel())
	if errors.Is(err, fs.ErrNotExist) {
		return d
	}
	if err == nil {
		err = r.restore(s)
	}
	if err == nil {
		d.Saved = r.Step
		_, err = r.publish()
	}
	return errors.Join(error(d), err)
}

// Finish leaves the best model, or the last where nothing was validated, with its lineage. Where the loop ended because ctx did, or for
// an error, that is what it returns.
func (r *Run) Finish() (*Result, error) {
	if err := cmp.Or(r.failed, r.stopped); err != nil {
		return nil, err
	}
	result, err := r.publish()
	if err != nil {
		return nil, err
	}
	r.tell(Event{Type: "done", Result: result})
	return result, nil
}

func scalarsOf(prefix string, values map[string]float64) (all []journal.Scalar) {
	for _, name := range slices.Sorted(maps.Keys(values)) {
		all = append(all, journal.Scalar{Tag: prefix + name, Value: values[name]})
	}
	return all
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

// clock knows how fast updates are done, and when a checkpoint is due. Nothing that it knows has a part in a run's results.
type clock struct {
	last      int       // step of the last checkpoint
	at        time.Time // of the last checkpoint
	begin     time.Time // of the update that is being done
	updates   int
	took      float64 // seconds an update, the mean with more weight on the last
	positions float64 // an update, likewise
	seconds   map[string]float64
	keep      [2]int // the best steps of the last two checkpoints
}

const (
	saveAtLeast = 5 * time.Minute
	clockWeight = .05
)

func (c *clock) start() { c.begin = time.Now() }

func (c *clock) step(positions int64) {
	took := time.Since(c.begin).Seconds()
	c.begin = time.Now()
	c.updates++
	weight := max(clockWeight, 1/float64(c.updates))
	c.took += weight * (took - c.took)
	c.positions += weight * (float64(positions) - c.positions)
}

func (c *clock) due(step, every int) bool {
	return step/every > c.last/every || !c.at.IsZero() && time.Since(c.at) >= saveAtLeast
}

func (c *clock) saved(step int) { c.last, c.at = step, time.Now() }

func (c *clock) speed() float64 {
	if c.took == 0 {
		return 0
	}
	return c.positions / c.took
}

func (c *clock) left(steps int) float64 { return float64(max(steps, 0)) * c.took }

// Spent adds the time since begin to what the process spent on something: "generate", "learn", ... Result.Seconds tells it.
func (r *Run) Spent(on string, begin time.Time) {
	r.clock.seconds[on] += time.Since(begin).Seconds()
}
