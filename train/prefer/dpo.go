package prefer

import (
	"context"
	"errors"
	"fmt"
	"time"

	"winnow/train/checkpoint"
	"winnow/train/llm"
	"winnow/train/loss"
	"winnow/train/monitor"
	"winnow/train/tune"
)

// DPOConfig is what DPO is told beside tune.Settings.
type DPOConfig struct {
	Rows
	Loss string `json:"loss"` // one of loss.Preferences
	loss.PairOptions
	Drift
}

// DPO tunes the parent so that it prefers the chosen answers (Rafailov et al. 2023), by any loss of loss.Preferences. The reference is
// the parent; losses without one need none. The loss of a step is the mean over its pairs.
func DPO(ctx context.Context, o tune.Options, c DPOConfig) (*tune.Result, error) {
	p, err := loss.PreferenceNamed(c.Loss)
	if err = errors.Join(err, c.Rows.Check(1), c.checkPair(), c.Drift.check()); err != nil {
		return nil, err
	}
	in, err := open(o, checkpoint.KindPolicy, struct {
		Method string `json:"method"`
		DPOConfig
	}{"dpo", c}, c.Rows, readDuos)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	r, learn, held, data := in.Run, in.learn, in.held, in.data
	watch := monitor.New(monitor.DPO, monitor.Limits{KLBudget: c.Budget, MaxTokens: float64(c.Tokens)})
	if err := r.Begin(tune.Work{Data: data, Epoch: ceiling(len(learn), c.Batch), Extra: watch, Scores: c.scores(p.Reference)}); err != nil {
		return nil, err
	}
	if p.Reference {
		begin := time.Now()
		if err := remember(ctx, r, answersOf(learn, held)); err != nil {
			return nil, err
		}
		r.Spent("reference", begin)
	}
	pen, err := newWriter(r, c.Drift, answersOf(held))
	if err != nil {
		return nil, err
	}
	walk := newOrder(r.Seed, len(learn))
	for r.Next(ctx) {
		begin := time.Now()
		step := take(r, walk, learn, c.Batch)
		t, err := c.learn(r, p, step)
		if err != nil {
			return nil, err
		}
		if first, known := p.First(c.PairOptions); known {
			if err := firstStep(r, t.loss(), first); err != nil {
				return nil, err
			}
		}
		m, err := r.Update(tune.Metric{Loss: t.loss(), Tokens: t.tokens, Positions: positions(step), Epoch: int((r.Row-1)/int64(len(learn))) + 1, Values: t.values(p)})
		if err != nil {
			return nil, err
		}
		r.Spent("learn", begin)
		seen := measured(m)
		if len(held) > 0 && r.Due() {
			begin := time.Now()
			t, err := c.measure(r, p, held)
			if err != nil {
				return nil, err
			}
			r.Spent("validate", begin)
			if err := validated(r, pen, t.scores(p), seen); err != nil {
				return nil, err
			}
		}
		look(r, watch, seen)
	}
	return r.Finish()
}

func (c DPOConfig) checkPair() error {
	switch {
	case !(c.Beta > 0):
		return fmt.Errorf("beta of %g: it must be above 0", c.Beta)
	case c.Smoothing < 0 || c.Smoothing >= .5:
		return fmt.Errorf("label smoothing of %g: it lies in [0, .5)", c.Smoothing)
	}
	return nil
}

// learn adds the gradients of the mean loss of a step's pairs.
func (c DPOConfig) learn(r *tune.Run, p loss.Preference, step []*duo) (t *pairTally, err error) {
	t = &pairTally{beta: c.Beta}
	var l lot
	for _, group := range passes(step, (*duo).size) {
		l.fill(group)
		_, err := r.Trainer.AccumulateJoint(&l.Batch, nil, func(o llm.Outputs, g llm.Gradients) float64 {
			for i, d := range group {
				w, x := l.parts[2*i], l.parts[2*i+1]
				s := t.add(p, c.PairOptions, d, w.sum(o.Nats), x.sum(o.Nats))
				t.entropy += w.total(o.Entropy) + x.total(o.Entropy)
				w.push(&l, g.Nats, s.Chosen/float64(len(step)))
				x.push(&l, g.Nats, s.Rejected/float64(len(step)))
			}
			return 0
		})
		if err != nil {
			return nil, err
		}
	}
	return t, nil
}

// measure is learn without gradients.
func (c DPOConfig) measure(r *tune.Run, p loss.Preference, list []*duo) (*pairTally, error) {
	t := &pairTally{beta: c.Beta}
	var l lot
	for _, group := range passes(list, (*duo).size) {
		l.fill(group)
		o, err := r.Trainer.Outputs(&l.Batch, nil)
		if err != nil {
			return nil, err
		}
		for i, d := range group {
			w, x := l.parts[2*i], l.parts[2*i+1]
			t.add(p, c.PairOptions, d, w.sum(o.Nats), x.sum(o.Nats))
			t.entropy += w.total(o.Entropy) + x.total(o.Entropy)
		}
	}
	return t, nil
}

// fill makes pairs one batch: each chosen answer, and behind it the rejected one.
func (l *lot) fill(group []*duo) {
	l.reset()
	for _, d := range group {
		l.add(d.chosen)
		l.add(d.rejected)
	}
}

func answersOf(lists ...[]*duo) (all []*answer) {
	for _, list := range lists {
		for _, d := range list {
			all = append(all, d.chosen, d.rejected)
		}
	}
	return all
}

// pairTally sums up what a step's or a validation's pairs show.
type pairTally struct {
	beta             float64
	n, sum           float64
	chosen, rejected float64 // of what the loss compares: log-ratios to the reference, or log-probabilities where there is none
	ahead            float64 // pairs with the chosen answer ahead; a tie is half
	logp, logpLow    float64 // of whole answers
	entropy          float64 // of the distributions that answers' tokens are of, nats
	drift            float64 // log-ratios of both, negated
	tokens           int64
}

// add takes a pair in, by its sums under the policy, and gives d(loss)/d(sums).
func (t *pairTally) add(p loss.Preference, o loss.PairOptions, d *duo, chosen, rejected float64) loss.Slope {
	x := loss.Pair{Chosen: chosen, Rejected: rejected, ChosenTokens: d.chosen.tokens, RejectedTokens: d.rejected.tokens}
	w, l := chosen, rejected
	if p.Reference {
		x.ChosenBefore, x.RejectedBefore = d.chosen.before, d.rejected.before
		w, l = w-x.ChosenBefore, l-x.RejectedBefore
		t.drift -= (w + l) / 2
	}
	if p.Reads == "means" {
		w, l = w/float64(x.ChosenTokens), l/float64(x.RejectedTokens)
	}
	v, s := p.Of(x, o)
	t.n++
	t.sum += v
	t.chosen, t.rejected = t.chosen+w, t.rejected+l
	t.logp, t.logpLow = t.logp+chosen, t.logpLow+rejected
	t.ahead += ahead(w, l)
	t.tokens += int64(x.ChosenTokens + x.RejectedTokens)
	return s
}

func ahead(better, worse float64) float64 {
	switch {
	case better > worse:
		return 1
	case better == worse:
		return .5
	}
	return 0
}

func (t *pairTally) loss() float64 { return t.sum / t.n }

// values are the measures of monitor. Rewards are β times the log-ratio to the reference, and there are none without a reference.
func (t *pairTally) values(p loss.Preference) map[string]float64 {
	v := map[string]float64{monitor.Accuracy: t.ahead / t.n, monitor.ChosenLogP: t.logp / t.n, rejectedLogP: t.logpLow / t.n,
		monitor.Entropy: t.entropy / float64(t.tokens)}
	if p.Reference {
		v[monitor.Chosen], v[monitor.Rejected] = t.beta*t.chosen/t.n, t.beta*t.rejected/t.n
		v[monitor.Margin] = v[monitor.Chosen] - v[monitor.Rejected]
		v[driftName] = t.drift / t.n
	}
	return v
}

// Values beside monitor's.
const (
	rejectedLogP = "rejected_logp" // of the whole worse answer, nats
	driftName    = "data_kl"       // mean of log p_reference - log p of the data's answers, nats an answer: KL(reference‖policy) where the reference wrote them
)

// scores are values with the loss.
func (t *pairTally) scores(p loss.Preference) map[string]float64 {
	v := t.values(p)
	v["loss"] = t.loss()
	return v
}

// validated adds what the policy writes to a validation's scores, hands them to the run, and lets the watch see them.
func validated(r *tune.Run, pen *writer, scores map[string]float64, seen monitor.Values) error {
	if err := pen.measure(r, scores); err != nil {
		return err
	}
	seen[monitor.HeldLoss] = scores["loss"]
	for _, id := range []string{monitor.KL, monitor.Length, monitor.Ended} {
		if v, ok := scores[id]; ok {
			seen[id] = v
		}
	}
	return r.Validated(scores)
}

// measured is what a watch sees of an update.
func measured(m tune.Metric) monitor.Values {
	v := monitor.Values{monitor.Loss: m.Loss, monitor.Norm: m.Norm}
	for id, x := range m.Values {
		v[id] = x
	}
	return v
}

// look tells alarms, and ends the run for one that says so.
func look(r *tune.Run, w *monitor.Watch, v monitor.Values) {
	for _, a := range w.Look(r.Step, v) {
		r.Note("alarm", a)
		if a.Level == monitor.Stop {
			r.Stop()
		}
	}
}
