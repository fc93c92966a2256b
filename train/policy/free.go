package policy

import (
	"context"
	"slices"

	"winnow/train/checkpoint"
	"winnow/train/loss"
	"winnow/train/monitor"
	"winnow/train/tune"
)

// Free tunes a policy without a value head: an answer's reward is compared with those of the other answers to its prompt (GRPO, RLOO), or with
// the mean of the rewards so far (REINFORCE), and all of its tokens get the difference as their advantage. When ctx ends it saves and
// returns ctx's error; the same options go on from there and give the same bytes.
func Free(ctx context.Context, o tune.Options, s Settings, w Work) (*tune.Result, error) {
	m, err := open(o, s, w, checkpoint.KindPolicy)
	if err != nil {
		return nil, err
	}
	defer m.Close()
	if m.Step == 0 {
		if err := m.validate(ctx); err != nil {
			return nil, err
		}
	}
	for m.Next(ctx) {
		round := m.Row / int64(s.Prompts)
		answers, err := m.write(ctx, chosen(m.learnt, s.seed(m.Seed), m.Row, s.Prompts), s.Samples, uint64(round))
		if stopped(ctx, err) {
			continue
		} else if err != nil {
			return nil, wrong(round, err)
		}
		first := m.batches(m.minibatches(answers, round, 0))
		if err := m.look(flat(first)); err != nil {
			return nil, wrong(round, err)
		}
		values := m.measures(answers)
		if over, err := m.beyond(values); err != nil {
			return nil, err
		} else if over {
			continue
		}
		if err := m.compare(answers, s.Samples); err != nil {
			return nil, wrong(round, err)
		}
		m.Row += int64(s.Prompts)
		for pass := range s.Passes {
			parts := first
			if pass > 0 {
				parts = m.batches(m.minibatches(answers, round, pass))
			}
			if err := m.pass(parts, pass, values); err != nil {
				return nil, wrong(round, err)
			}
		}
		if m.due(values) {
			if err := m.validate(context.WithoutCancel(ctx)); err != nil { // else what is stored would stand between the two
				return nil, err
			}
		}
	}
	return m.Finish()
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

// compare turns rewards into advantages, the same for all tokens of an answer.
func (m *method) compare(answers []*answer, samples int) error {
	var mean float64
	rewards := make([]float64, len(answers))
	for i, a := range answers {
		rewards[i] = a.earned(&m.s)
		if !m.s.InLoss {
			rewards[i] -= m.state.Kappa * a.divergence(m.s.Estimator)
		}
		mean += rewards[i] / float64(len(answers))
	}
	if !m.state.Seen {
		m.state.Mean, m.state.Seen = mean, true
	}
	var all []float64
	for group := range slices.Chunk(rewards, samples) {
		some, _, err := loss.GroupAdvantages(m.s.Advantage, group, m.state.Mean)
		if err != nil {
			return err
		}
		all = append(all, some...)
	}
	m.state.Mean += (1 - memory) * (mean - m.state.Mean)
	if m.s.Whiten {
		loss.Whiten(all, nil, true)
	}
	for i, a := range answers {
		a.advantage = slices.Repeat(all[i:i+1], a.Tokens())
	}
	return nil
}

// memory is the weight of earlier rounds in the baseline of REINFORCE.
const memory = .9

// seed is that of the order of prompts.
func (s Settings) seed(of uint64) uint64 { return seedOf(of, 7) }
