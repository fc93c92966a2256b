package policy

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"winnow/train/llm"
	"winnow/train/loss"
	"winnow/train/monitor"
	"winnow/train/tune"
)

// spread is what an update saw of the distance to the policy that wrote the answers.
type spread struct {
	tokens, clipped, held float64 // held: values whose change was clipped
	kl, gap, value        float64 // sums of KL and value losses over tokens; the greatest |ratio - 1|
}

// see takes a token in.
func (x *spread) see(policy, before float64, clipped bool) {
	d := before - policy
	x.tokens++
	x.kl += math.Expm1(d) - d // of KL(policy‖before), never negative
	x.gap = max(x.gap, math.Abs(math.Expm1(-d)))
	if clipped {
		x.clipped++
	}
}

// minibatch is one update: forward and backward over some answers in micro-batches, then AdamW. It gives what the update saw; more, which
// may be nil, adds to the measures that are recorded with it.
func (m *method) minibatch(batches []*batch, more func(x spread, lossOf float64) monitor.Values) (tune.Metric, spread, error) {
	defer m.Spent("train", time.Now())
	var answers []*answer
	var tokens []int
	for _, b := range batches {
		for _, a := range b.answers {
			answers, tokens = append(answers, a), append(tokens, a.Tokens())
		}
	}
	list, err := loss.TokenWeights(m.s.Aggregation, tokens, m.s.MaxTokens)
	if err != nil {
		return tune.Metric{}, spread{}, err
	}
	weights := map[*answer]float64{}
	for i, a := range answers {
		weights[a] = list[i]
	}
	var x spread
	var total float64
	metric := tune.Metric{}
	for _, b := range batches {
		v, err := m.Trainer.AccumulateJoint(&b.Batch, m.head, func(o llm.Outputs, g llm.Gradients) float64 { return m.losses(b, weights, o, g, &x) })
		if err != nil {
			return tune.Metric{}, x, err
		}
		total += v
		metric.Positions += int64(b.used)
	}
	if x.tokens == 0 {
		return tune.Metric{}, x, errors.New("policy: an update without a token to learn from")
	}
	metric.Loss, metric.Tokens = total, int64(x.tokens)
	metric.Epoch = int(m.Row/int64(len(m.learnt))) + 1
	if more != nil {
		metric.Values = more(x, total)
	}
	metric, err = m.Update(metric)
	return metric, x, err
}

// losses is the loss of a micro-batch and its derivatives: the clipped surrogate, the KL where it is paid for in the loss, the entropy's
// bonus, and the value head's loss where there is one.
func (m *method) losses(b *batch, weights map[*answer]float64, o llm.Outputs, g llm.Gradients, x *spread) (total float64) {
	clip := loss.Clip{Low: m.s.ClipLow, High: m.s.ClipHigh}
	for i, a := range b.answers {
		w := weights[a]
		for t := range a.Tokens() {
			at := b.at[i] + t
			policy := -float64(o.Nats[at])
			value, slope, clipped := clip.Policy(policy, a.before[t], a.advantage[t])
			x.see(policy, a.before[t], clipped)
			if m.s.InLoss {
				nats, by := m.s.Estimator.Of(policy, a.reference[t])
				value, slope = value+m.state.Kappa*nats, slope+m.state.Kappa*by
			}
			if m.s.Entropy > 0 {
				value -= m.s.Entropy * float64(o.Entropy[at])
				g.Entropy[at] = float32(-w * m.s.Entropy)
			}
			g.Nats[at] = float32(-w * slope)
			if o.Values != nil {
				cost, by, held := loss.ValueClip(float64(o.Values[at]), a.values[t], a.returns[t], m.s.ValueClip)
				x.value += cost
				if held {
					x.held++
				}
				value += m.s.ValueCost * cost
				g.Values[at] = float32(w * m.s.ValueCost * by)
			}
			total += w * value
		}
	}
	return total
}

// finished looks at a round behind its last update, and raises alarms.
func (m *method) finished(metric tune.Metric) {
	v := monitor.Values{monitor.Norm: metric.Norm, monitor.Loss: metric.Loss}
	for id, x := range metric.Values {
		v[id] = x
	}
	m.raise(v)
}

func (m *method) raise(v monitor.Values) {
	for _, a := range m.state.Watch.Look(m.Step, v) {
		m.alarm(a)
	}
}

func (m *method) alarm(a monitor.Alarm) { m.Note("alarm", a) }

// beyond tells whether a policy's KL is over the budget, and then ends the run. That is an error where no model within it was kept.
func (m *method) beyond(v monitor.Values) (bool, error) {
	kl := v[monitor.KL]
	if m.s.Budget == 0 || kl <= m.s.Budget {
		return false, nil
	}
	for _, a := range monitor.New(m.s.Method, monitor.Limits{KLBudget: m.s.Budget}).Look(m.Step, monitor.Values{monitor.KL: kl}) {
		m.alarm(a)
	}
	if !m.state.Kept {
		return true, &BudgetError{m.Step, kl, m.s.Budget}
	}
	m.Stop()
	return true, nil
}

// due tells whether to validate: when tune says so, and early where KL grows fast, so that a model within the budget is kept.
func (m *method) due(v monitor.Values) bool {
	return m.Due() || m.s.Budget > 0 && !m.state.Kept && v[monitor.KL] > m.s.Budget/4
}

// validate lets the model answer what is held out, and records the first answers. The seeds are the same each time.
func (m *method) validate(ctx context.Context) error {
	answers, err := m.write(ctx, m.held, 1, math.MaxUint64)
	if err != nil {
		return err
	}
	if err := m.look(pack(answers, m.s.Positions)); err != nil {
		return err
	}
	v := m.measures(answers)
	if over, err := m.beyond(v); over || err != nil {
		return err
	}
	for _, a := range answers[:min(len(answers), shown)] {
		if err := m.Sample(a.Prompt, a.Text); err != nil {
			return err
		}
	}
	m.state.Kept = m.state.Kept || m.Step > 0
	scores := map[string]float64{}
	for _, id := range []string{monitor.Reward, monitor.True, monitor.KL, monitor.Length, monitor.Ended, monitor.Entropy} {
		if x, ok := v[id]; ok {
			scores[id] = x
		}
	}
	return m.Validated(scores)
}

// shown is how many held-out answers a validation records.
const shown = 2

// stopped tells whether an error is that of a context that ended within a round, of which nothing is kept.
func stopped(ctx context.Context, err error) bool {
	return err != nil && ctx.Err() != nil
}

// wrong names the round that an error belongs to.
func wrong(round int64, err error) error {
	return fmt.Errorf("round %d: %w", round+1, err)
}

// batches packs a round's minibatches.
func (m *method) batches(parts [][]*answer) (list [][]*batch) {
	for _, part := range parts {
		list = append(list, pack(part, m.s.Positions))
	}
	return list
}

func flat(list [][]*batch) []*batch { return slices.Concat(list...) }
