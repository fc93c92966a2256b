package policy

import (
	"context"
	"slices"

	"winnow/train/checkpoint"
	"winnow/train/loss"
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
		r, err := m.round(ctx)
		if err != nil {
			return nil, err
		} else if r == nil {
			continue
		}
		if err := m.compare(r.answers, s.Samples); err != nil {
			return nil, wrong(r.number, err)
		}
		if err := m.learn(r); err != nil {
			return nil, err
		}
		if err := m.validateDue(ctx, r.values); err != nil {
			return nil, err
		}
	}
	return m.Finish()
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
