package policy

import (
	"context"

	"winnow/train/monitor"
)

// round is one turn of a loop: answers to some prompts, all that is measured of them, and the batches of the first pass over them.
type round struct {
	number  int64 // from 0
	answers []*answer
	first   [][]*batch
	values  monitor.Values
}

// round lets the model answer the next prompts, and measures how it does, before anything is learnt from them. It is nil where there is
// nothing to learn: ctx has ended, or the KL is beyond its budget; Next then ends the loop.
func (m *method) round(ctx context.Context) (*round, error) {
	r := &round{number: m.Row / int64(m.s.Prompts)}
	var err error
	r.answers, err = m.write(ctx, chosen(m.learnt, seedOf(m.Seed, 7), m.Row, m.s.Prompts), m.s.Samples, uint64(r.number))
	if stopped(ctx, err) {
		return nil, nil
	} else if err != nil {
		return nil, wrong(r.number, err)
	}
	r.first = m.batches(m.minibatches(r.answers, r.number, 0))
	if err := m.look(flat(r.first)); err != nil {
		return nil, wrong(r.number, err)
	}
	r.values = m.measures(r.answers)
	if over, err := m.beyond(r.values); err != nil || over {
		return nil, err
	}
	return r, nil
}

// learn goes over a round's answers as often as Passes says, each time in other minibatches.
func (m *method) learn(r *round) error {
	m.Row += int64(m.s.Prompts)
	for pass := range m.s.Passes {
		parts := r.first
		if pass > 0 {
			parts = m.batches(m.minibatches(r.answers, r.number, pass))
		}
		if err := m.pass(parts, pass, r.values); err != nil {
			return wrong(r.number, err)
		}
	}
	return nil
}

// pass is one update for each minibatch. What the round measured is recorded with its last one.
func (m *method) pass(parts [][]*batch, pass int, values monitor.Values) error {
	for i, part := range parts {
		last := pass == m.s.Passes-1 && i == len(parts)-1
		metric, _, err := m.minibatch(part, func(x spread, _ float64) monitor.Values {
			if pass == 0 && i == 0 {
				values[monitor.RatioGap] = x.gap
			}
			if !last {
				return nil
			}
			values[monitor.ClipShare], values[monitor.ApproxKL] = x.clipped/x.tokens, x.kl/x.tokens
			if m.head != nil {
				values[monitor.ValueLoss], values[monitor.ValueClip], values[monitor.KLCost] = x.value/x.tokens, x.held/x.tokens, m.state.Kappa
			}
			return values
		})
		if err != nil {
			return err
		}
		if last {
			m.finished(metric)
		}
	}
	return nil
}

// validateDue validates behind a round where that is due. It does so even when ctx has ended: else what is stored would stand between
// the two.
func (m *method) validateDue(ctx context.Context, values monitor.Values) error {
	if !m.due(values) {
		return nil
	}
	return m.validate(context.WithoutCancel(ctx))
}
