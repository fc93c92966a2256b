package sft

import (
	"context"
	"errors"
	"time"

	"winnow/train/llm"
	"winnow/train/tune"
)

// Run fine-tunes a model on the assistants' turns of conversations. When ctx ends it saves and returns ctx's error; the same Options go
// on from there and give the same bytes.
func Run(ctx context.Context, o Options) (*tune.Result, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	files, err := o.Train.describe()
	if err != nil {
		return nil, err
	}
	if err := o.record(); err != nil {
		return nil, err
	}
	r, err := tune.Open(o.Options, Kind, o.Config)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	data, err := gather(ctx, r, &o, files)
	if err != nil {
		return nil, err
	}
	if err := r.Begin(tune.Work{Data: data.files, Epoch: data.epoch, Scores: scores()}); err != nil {
		return nil, err
	}
	if err := data.write(r.Out); err != nil {
		return nil, err
	}
	if r.LoRA != nil && r.Info.ChatTemplate == "" && r.Template.End() != r.Tokenizer.EOS() {
		r.Warn("the model has never seen the special tokens of this template, and adapters do not train them: tune all weights, or take --template plain",
			"模型从未见过此模板的特殊 token，而适配器不训练它们：请训练全部权重，或用 --template plain")
	}
	if r.Step == 0 {
		if err := data.held.validate(ctx, r); err != nil {
			return nil, err
		}
	}
	b := newBatch(o.Batch*o.Accumulate, data.len)
	for r.Next(ctx) {
		begin := time.Now()
		if err := data.train.Fill(r.Row, b.IDs, b.Targets, b.Pos); err != nil {
			return nil, err
		}
		m, err := learn(r.Trainer, b, o.Accumulate)
		if err != nil {
			return nil, err
		}
		if err := data.told(&m, r.Row, b.Rows); err != nil {
			return nil, err
		}
		r.Row += int64(b.Rows)
		if _, err := r.Update(m); err != nil {
			return nil, err
		}
		r.Spent("learn", begin)
		if r.Due() {
			if err := data.held.validate(ctx, r); err != nil {
				return nil, err
			}
		}
	}
	return r.Finish()
}

// scores are what the best may be kept by: tune.Work's.
func scores(more ...string) map[string]bool {
	all := map[string]bool{"loss": false, "bits_per_byte": false}
	for _, name := range more {
		all[name] = false
	}
	return all
}

// record puts into Config what the plan is to know of the data.
func (o *Options) record() error {
	o.Reading = Reading{o.Train.Rows.Fields, o.Train.Rows.Set, o.Train.Rows.Literal, o.Train.Rows.GoOn}
	held, err := o.Held.describe()
	o.HeldHashes = nil
	for _, d := range held {
		o.HeldHashes = append(o.HeldHashes, d.SHA256)
	}
	return err
}

// learn adds the gradient of the mean nats of a batch's counted targets, in so many micro-batches; each is divided by the counted
// targets of all, so that it makes no difference how a batch is cut.
func learn(t *llm.Trainer, b *llm.Batch, parts int) (m tune.Metric, err error) {
	counted := 0
	for _, target := range b.Targets {
		if target >= 0 {
			counted++
		}
	}
	if counted == 0 {
		return m, errors.New("no target counts in a batch")
	}
	n := b.Rows / parts
	var nats float64
	for i := range parts {
		part, err := t.Accumulate(cut(b, i*n, n), 1/float32(counted))
		if err != nil {
			return m, err
		}
		nats += part
	}
	return tune.Metric{Loss: nats / float64(counted), Tokens: int64(counted)}, nil
}

// told adds to a metric which rows it is about.
func (m *material) told(metric *tune.Metric, first int64, count int) error {
	for i := range count {
		parts, err := m.train.Parts(first + int64(i))
		if err != nil {
			return err
		}
		for _, p := range parts {
			metric.Positions += int64(p.Len)
			metric.Documents = append(metric.Documents, p.Document)
		}
	}
	place, err := m.train.Where(first + int64(count) - 1)
	metric.Epoch = int(place.Epoch) + 1
	return err
}

func newBatch(rows, length int) *llm.Batch {
	n := rows * length
	return &llm.Batch{Rows: rows, Len: length, IDs: make([]int32, n), Targets: make([]int32, n), Pos: make([]int32, n)}
}

// cut is some rows of a batch.
func cut(b *llm.Batch, first, rows int) *llm.Batch {
	from, to := first*b.Len, (first+rows)*b.Len
	return &llm.Batch{Rows: rows, Len: b.Len, IDs: b.IDs[from:to], Targets: b.Targets[from:to], Pos: b.Pos[from:to]}
}
