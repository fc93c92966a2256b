package train

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"time"

	"winnow/train/checkpoint"
	"winnow/train/eval"
	"winnow/train/journal"
)

// Event is what a run tells while it goes on. Type says which fields are set.
type Event struct {
	Type string `json:"type"` // tokenizer, tokens, measure, start, step, eval, sample, spike, save, warning, done

	Documents int64              `json:"documents,omitempty"`
	Bytes     int64              `json:"bytes,omitempty"`
	Vocab     int                `json:"vocab,omitempty"`
	Plan      *Plan              `json:"plan,omitempty"`
	Resumed   bool               `json:"resumed,omitempty"`
	Metric    *Metric            `json:"metric,omitempty"`
	Speed     float64            `json:"tokens_per_second,omitempty"`
	MFU       float64            `json:"mfu,omitempty"` // share of the measured multiply-add peak of all threads
	Left      float64            `json:"seconds_left,omitempty"`
	Eval      map[string]float64 `json:"eval,omitempty"`
	Sample    *Sample            `json:"sample,omitempty"`
	Folder    string             `json:"folder,omitempty"`
	EN        string             `json:"en,omitempty"` // of a warning
	ZH        string             `json:"zh,omitempty"`
	Result    *Result            `json:"result,omitempty"`
}

// Result is what came of a run.
type Result struct {
	Out    string                        `json:"out"`
	Hash   string                        `json:"hash"` // of the weights
	Steps  int                           `json:"steps"`
	Tokens int64                         `json:"tokens"` // counted targets
	Loss   float64                       `json:"loss"`   // of the last step
	Held   map[string]float64            `json:"held"`   // bits per byte
	Grams  map[string]map[string]float64 `json:"baselines"`
	Ledger any                           `json:"ledger"`
	Speed  float64                       `json:"tokens_per_second"`
	MFU    float64                       `json:"mfu"`
}

// Base trains a model on the kept texts of runs, from nothing or from the last checkpoint in Out, to the last step of the
// plan. When ctx ends it saves and returns ctx's error; the same Options go on from there and give the same bytes as a run
// that was never stopped. What lies in Out at the end is a model folder.
//
// A run that diverges is a *DivergedError; Out then holds the model of the last checkpoint.
func Base(ctx context.Context, o Options) (*Result, error) {
	if err := o.Check(); err != nil {
		return nil, err
	}
	lock, err := Occupy(o.Out)
	if err != nil {
		return nil, err
	}
	defer lock.Close()
	b, err := prepare(ctx, o)
	if err != nil {
		return nil, err
	}
	defer b.logs.close()
	clock := newClock(b)
	b.tell(Event{Type: "start", Plan: b.plan, Resumed: b.resumed})
	if !b.resumed {
		if err := errors.Join(b.evaluate(), b.sample()); err != nil {
			return nil, err
		}
	}
	for b.loop.Step < b.plan.Schedule.Steps && ctx.Err() == nil {
		if err := b.step(clock); err != nil {
			return nil, b.failed(err)
		}
	}
	if ctx.Err() != nil {
		return nil, cmp.Or(errors.Join(b.save(), b.publish()), context.Cause(ctx))
	}
	return b.finish(clock)
}

// step does one step and what is due behind it.
func (b *base) step(clock *clock) error {
	begin := time.Now()
	m, err := b.loop.Next()
	if err != nil {
		return err
	}
	clock.step(begin)
	if err := b.record(&m, clock); err != nil {
		return err
	}
	end := m.Step == b.plan.Schedule.Steps
	if m.Step%b.plan.Eval == 0 || end {
		if err := b.evaluate(); err != nil {
			return err
		}
	}
	if m.Step%b.plan.Sample == 0 || end {
		if err := b.sample(); err != nil {
			return err
		}
	}
	if clock.due(m.Step) || end {
		if err := b.save(); err != nil {
			return err
		}
		clock.saved()
	}
	return nil
}

// begin makes the loop, puts it where the last checkpoint stood, and cuts the journals back to that step.
func (b *base) begin() (err error) {
	if b.loop, err = Begin(b.setup(b.plan)); err != nil {
		return err
	}
	step := -1
	s, warnings, err := checkpoint.Latest(b.Out, b.Pool.Kernel())
	for _, w := range warnings {
		b.tell(Event{Type: "warning", EN: w.EN, ZH: w.ZH})
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return err
	default:
		if err := b.loop.restore(s); err != nil {
			return err
		}
		b.resumed, step = true, b.loop.Step
	}
	b.logs, err = openLogs(b.Out, step)
	return err
}

// record writes what a step did to the journals. Of a spike it names the documents.
func (b *base) record(m *Metric, c *clock) error {
	place, err := b.stream.Where(m.Row - 1)
	if err != nil {
		return err
	}
	m.Epoch = int(place.Epoch) + 1
	if m.Spike != "" {
		m.Documents = b.documents(m.Row-int64(b.loop.batch.Rows), b.loop.batch.Rows)
		b.tell(Event{Type: "spike", Metric: m})
	}
	b.tell(Event{Type: "step", Metric: m, Speed: c.speed(), MFU: c.mfu(), Left: c.left(b.plan.Schedule.Steps - m.Step)})
	return errors.Join(b.logs.metrics.Write(m), b.logs.events.Write(m.Step, journal.Scalar{Tag: "train/loss", Value: m.Loss},
		journal.Scalar{Tag: "train/lr", Value: m.Rate}, journal.Scalar{Tag: "train/norm", Value: m.Norm},
		journal.Scalar{Tag: "speed/tokens per second", Value: c.speed()}, journal.Scalar{Tag: "speed/mfu", Value: c.mfu()}))
}

// evaluate measures bits per byte on what is held out. Where that is no number, the model has diverged.
func (b *base) evaluate() error {
	if b.held.Tokens() == 0 {
		return nil
	}
	list, _, err := eval.BitsPerByte(b.loop, b.held)
	if err != nil {
		return err
	}
	got := perByte(list)
	if all := got[All]; !finite(all) {
		return &DivergedError{Step: b.loop.Step, Loss: all}
	}
	b.tell(Event{Type: "eval", Metric: &Metric{Step: b.loop.Step}, Eval: got})
	var scalars []journal.Scalar
	for _, name := range slices.Sorted(maps.Keys(got)) {
		scalars = append(scalars, journal.Scalar{Tag: "held out/bits per byte " + name, Value: got[name]})
	}
	return errors.Join(b.logs.metrics.Write(Metric{Step: b.loop.Step, Eval: got}), b.logs.events.Write(b.loop.Step, scalars...))
}

// save brings the journals to the disk, then the state: a checkpoint never stands before its metrics.
func (b *base) save() error {
	if err := b.logs.sync(); err != nil {
		return err
	}
	s, err := b.loop.state(b.plan)
	if err != nil {
		return err
	}
	folder, err := checkpoint.Save(b.Out, s, keepStates)
	if err != nil {
		return err
	}
	b.tell(Event{Type: "save", Folder: folder, Metric: &Metric{Step: b.loop.Step}})
	return nil
}

// keepStates is how many checkpoints stay.
const keepStates = 2

// failed names the documents of a batch that diverged, and leaves the model of the last checkpoint in Out. The same wishes would
// come to the same end.
func (b *base) failed(err error) error {
	var d *DivergedError
	if !errors.As(err, &d) {
		return err
	}
	d.Documents = b.documents(d.First, d.Rows)
	s, _, fault := checkpoint.Latest(b.Out, b.Pool.Kernel())
	if errors.Is(fault, fs.ErrNotExist) {
		return err
	}
	if fault == nil {
		fault = b.loop.restore(s)
	}
	if fault == nil {
		d.Saved, fault = b.loop.Step, b.publish()
	}
	return errors.Join(err, fault)
}

// documents are the ids of what some rows hold, each once.
func (b *base) documents(first int64, count int) (ids []string) {
	for i := range count {
		parts, err := b.stream.Parts(first + int64(i))
		if err != nil {
			return ids
		}
		for _, p := range parts {
			if !slices.Contains(ids, p.Document) {
				ids = append(ids, p.Document)
			}
		}
	}
	return ids
}

// publish leaves the model as it stands in Out, with what it was made from.
func (b *base) publish() error {
	info := checkpoint.Info{Kind: checkpoint.KindBase, Tokenizer: b.plan.Tokenizer, Seed: b.Seed, Kernel: b.Pool.Kernel(), Program: b.Program,
		Steps: int64(b.loop.Step), Tokens: b.loop.Tokens}
	var err error
	if info.Config, err = json.Marshal(b.plan); err != nil {
		return err
	}
	info.Data = b.dataInfo()
	tokenizer, err := checkpoint.ReadTokenizerInfo(b.Out, b.tok.Hash())
	if err != nil {
		return err
	}
	info.Parents = []checkpoint.Info{*tokenizer}
	return checkpoint.SaveModel(b.Out, b.loop.Params, b.tok, &info)
}

// finish checks the ledger of tokens against the loop's own count, and leaves the model.
func (b *base) finish(c *clock) (*Result, error) {
	ledger, err := b.stream.Ledger(b.loop.Row)
	if err != nil {
		return nil, err
	}
	if ledger.Used != b.loop.Tokens {
		return nil, fmt.Errorf("token ledger: %d targets are planned, %d were counted", ledger.Used, b.loop.Tokens)
	}
	if err := b.publish(); err != nil {
		return nil, err
	}
	r := &Result{Out: b.Out, Hash: checkpoint.Hash(checkpoint.Weights(b.loop.Params)), Steps: b.loop.Step, Tokens: b.loop.Tokens, Ledger: ledger,
		Grams: b.plan.Grams, Speed: c.speed(), MFU: c.mfu()}
	metrics, err := journal.Read[Metric](filepath.Join(b.Out, metricsName))
	if err != nil {
		return nil, err
	}
	for _, m := range metrics {
		if m.Eval != nil {
			r.Held = m.Eval
		} else {
			r.Loss = m.Loss
		}
	}
	b.tell(Event{Type: "done", Result: r})
	return r, nil
}

func (b *base) tell(e Event) {
	if b.Tell != nil {
		b.Tell(e)
	}
}
