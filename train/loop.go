package train

import (
	"context"
	"fmt"

	"winnow/train/llm"
)

// Rows is where batches come from: rows.Stream, or rows in memory. Fill writes rows first, first+1, ... one behind the other,
// as many as the slices hold: ids, targets (below 0: does not count) and positions within documents.
type Rows interface {
	Fill(first int64, ids, targets, pos []int32) error
}

// Metric is one line of metrics.jsonl: what a step did, or, where Eval is set, what was measured behind it.
type Metric struct {
	Step   int     `json:"step"`             // counted from 1
	Loss   float64 `json:"loss,omitempty"`   // nats a counted target
	Rate   float64 `json:"lr,omitempty"`     // learning rate
	Norm   float64 `json:"norm,omitempty"`   // of the gradient before clipping
	Tokens int64   `json:"tokens,omitempty"` // counted targets so far
	Row    int64   `json:"row,omitempty"`    // number of the row that comes next
	Epoch  int     `json:"epoch,omitempty"`  // passes over the data that were begun
	Spike  string  `json:"spike,omitempty"`  // the measure that jumped: loss or norm
	Score  float64 `json:"score,omitempty"`  // how far, in standard deviations
	Skip   bool    `json:"skip,omitempty"`   // the update was left out

	Documents []string           `json:"documents,omitempty"` // in the batch of a spike
	Eval      map[string]float64 `json:"eval,omitempty"`      // bits per byte held out, by language and "all"
}

// Setup is all that training on next tokens depends on. Nothing in it reads or writes files.
type Setup struct {
	Model      llm.Config
	Seed       uint64 // of the first weights
	Rows       Rows
	Len        int // T: positions of a row
	Batch      int // rows of a micro-batch
	Accumulate int // micro-batches of a step; 0: 1
	Schedule   Schedule
	Clip       float64 // norm that gradients are clipped to; 0: never
	Decay      float64 // weight decay of two-dimensional parameters
	Limit      float64 // standard deviations from which a step is a spike; 0: never
	Skip       bool    // leave out the update of a spike
	Pool       *llm.Pool
}

// Loop is training as it stands between two steps: what a checkpoint stores, and no more.
type Loop struct {
	Setup
	Params *llm.Model
	Adam   *llm.AdamW
	Step   int   // steps done
	Row    int64 // number of the row that comes next
	Tokens int64 // counted targets so far
	Guard  *Guard

	trainer *llm.Trainer
	batch   llm.Batch // of a whole step
}

// Begin makes the model and stands before step 1.
func Begin(s Setup) (*Loop, error) {
	m, err := llm.New(s.Model, s.Seed)
	if err != nil {
		return nil, err
	}
	return Continue(s, m)
}

// Continue stands before step 1 with a model that is there already.
func Continue(s Setup, m *llm.Model) (*Loop, error) {
	s.Accumulate = max(s.Accumulate, 1)
	if err := s.Schedule.Validate(); err != nil {
		return nil, err
	}
	if s.Batch < 1 || s.Len < 1 || s.Len > m.Context {
		return nil, fmt.Errorf("training: %d rows of %d positions, the model has a context of %d", s.Batch, s.Len, m.Context)
	}
	n := s.Batch * s.Accumulate * s.Len
	adam := &llm.AdamW{Beta1: .9, Beta2: .95, Eps: 1e-8, WeightDecay: s.Decay}
	adam.Prepare(m.Params())
	return &Loop{Setup: s, Params: m, Adam: adam, Guard: NewGuard(s.Limit), trainer: llm.NewTrainer(m, s.Pool),
		batch: llm.Batch{Rows: s.Batch * s.Accumulate, Len: s.Len, IDs: make([]int32, n), Targets: make([]int32, n), Pos: make([]int32, n)}}, nil
}

// Next does one step: gradients, clipping, and AdamW. It gives what the step did. A loss or gradient that is no number is a
// *DivergedError, and the parameters stay as they were.
func (l *Loop) Next() (Metric, error) {
	nats, counted, err := l.gradients()
	if err != nil {
		return Metric{}, fmt.Errorf("step %d: %w", l.Step+1, err)
	}
	params := l.Params.Params()
	m := Metric{Step: l.Step + 1, Loss: nats / float64(counted), Rate: l.Schedule.Rate(l.Step), Norm: llm.GradNorm(l.Pool, params)}
	if !finite(m.Loss) || !finite(m.Norm) {
		return m, &DivergedError{Step: m.Step, First: l.Row, Rows: l.batch.Rows, Loss: m.Loss, Norm: m.Norm}
	}
	m.Spike, m.Score = l.Guard.Spike(m.Loss, m.Norm)
	scale := float32(1)
	if l.Clip > 0 && m.Norm > l.Clip {
		scale = float32(l.Clip / m.Norm)
	}
	if m.Skip = l.Skip && m.Spike != ""; m.Skip {
		for _, p := range params {
			clear(p.Grad)
		}
	} else {
		l.Adam.Step(l.Pool, params, m.Step, m.Rate, scale)
	}
	l.Step++
	l.Row += int64(l.batch.Rows)
	l.Tokens += int64(counted)
	m.Row, m.Tokens = l.Row, l.Tokens
	return m, nil
}

// gradients reads the rows of a step and goes forward and backward over its micro-batches. The loss of each is divided by the
// counted targets of all of them, so that it makes no difference how a step is cut.
func (l *Loop) gradients() (nats float64, counted int, err error) {
	b := &l.batch
	if err := l.Rows.Fill(l.Row, b.IDs, b.Targets, b.Pos); err != nil {
		return 0, 0, err
	}
	for _, t := range b.Targets {
		if t >= 0 {
			counted++
		}
	}
	if counted == 0 {
		return 0, 0, fmt.Errorf("rows %d to %d: no target counts", l.Row, l.Row+int64(b.Rows)-1)
	}
	for i := range l.Accumulate {
		n, err := l.trainer.Accumulate(part(b, i*l.Batch, l.Batch), 1/float32(counted))
		if err != nil {
			return 0, 0, err
		}
		nats += n
	}
	return nats, counted, nil
}

// part is some rows of a batch.
func part(b *llm.Batch, first, rows int) *llm.Batch {
	from, to := first*b.Len, (first+rows)*b.Len
	return &llm.Batch{Rows: rows, Len: b.Len, IDs: b.IDs[from:to], Targets: b.Targets[from:to], Pos: b.Pos[from:to]}
}

// Nats is -log p of each target of a batch under the model as it stands; 0 where none counts.
func (l *Loop) Nats(b *llm.Batch) ([]float32, error) { return l.trainer.Nats(b) }

// Run trains from step 1 to the schedule's end, in memory alone, and calls each, when it is not nil, behind every step; its error ends
// the run.
func Run(ctx context.Context, s Setup, each func(l *Loop, m Metric) error) (*Loop, error) {
	l, err := Begin(s)
	if err != nil {
		return nil, err
	}
	for l.Step < l.Schedule.Steps {
		if err := ctx.Err(); err != nil {
			return l, err
		}
		m, err := l.Next()
		if err != nil {
			return l, err
		}
		if each == nil {
			continue
		}
		if err := each(l, m); err != nil {
			return l, err
		}
	}
	return l, nil
}
