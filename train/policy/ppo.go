package policy

import (
	"context"

	"winnow/train/checkpoint"
	"winnow/train/loss"
	"winnow/train/monitor"
	"winnow/train/tune"
)

// PPO tunes a policy and, on the same hidden states, a value head: each token is rewarded by what it costs in KL, the last one by the answer's
// score too, and compared with what the value head expected. Policy and value go through one pass. When ctx ends it saves and returns ctx's
// error; the same options go on from there and give the same bytes.
func PPO(ctx context.Context, o tune.Options, s Settings, w Work) (*tune.Result, error) {
	m, err := open(o, s, w, checkpoint.KindPolicy)
	if err != nil {
		return nil, err
	}
	defer m.Close()
	m.Adam.Eps = 1e-5 // as all implementations of PPO have it (arXiv 2403.17031)
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
		m.estimate(r.answers, r.values)
		if err := m.learn(r); err != nil {
			return nil, err
		}
		if s.Target > 0 {
			m.state.Kappa = loss.AdaptiveKL(m.state.Kappa, r.values[monitor.KL], s.Target, len(r.answers), s.Horizon)
		}
		if err := m.validateDue(ctx, r.values); err != nil {
			return nil, err
		}
	}
	return m.Finish()
}

// estimate gives each token its advantage and its return, whitens the advantages over the round's tokens, and measures how much of the
// returns the value head foretold.
func (m *method) estimate(answers []*answer, values monitor.Values) {
	var returns, errors, all []float64
	for _, a := range answers {
		kl := make([]float64, a.Tokens())
		for t := range kl {
			kl[t], _ = m.s.Estimator.Of(a.before[t], a.reference[t])
		}
		rewards := loss.TokenRewards(kl, m.state.Kappa, a.earned(&m.s), 0)
		a.advantage, a.returns = loss.GAE(rewards, a.values, m.s.Gamma, m.s.Lambda)
		for t, g := range a.returns {
			returns, errors = append(returns, g), append(errors, g-a.values[t])
		}
		all = append(all, a.advantage...)
	}
	if v := variance(returns); v > 0 {
		values[monitor.Explained] = 1 - variance(errors)/v
	}
	if !m.s.Whiten {
		return
	}
	loss.Whiten(all, nil, false)
	for _, a := range answers {
		n := copy(a.advantage, all)
		all = all[n:]
	}
}

func variance(list []float64) float64 {
	var sum, squares float64
	for _, v := range list {
		sum += v
	}
	mean := sum / max(float64(len(list)), 1)
	for _, v := range list {
		squares += (v - mean) * (v - mean)
	}
	return squares / max(float64(len(list)), 1)
}
