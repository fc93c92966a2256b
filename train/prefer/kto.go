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

// KTOConfig is what KTO is told beside tune.Settings.
type KTOConfig struct {
	Rows
	Beta float64 `json:"beta"`
	Good float64 `json:"good"` // weight of good answers; 0, as Bad: by loss.KTOWeights
	Bad  float64 `json:"bad"`
	Drift
}

// KTO tunes the parent on judged answers (Ethayarajh et al. 2024): good ones become likelier than the reference, which is the parent,
// has them, bad ones less likely, both compared with a point that answers to other prompts give. Batches are made once: each
// prompt's answer of another one is that of the next in its batch. The loss of a step is the mean over its answers.
func KTO(ctx context.Context, o tune.Options, c KTOConfig) (*tune.Result, error) {
	if err := errors.Join(c.Rows.Check(2), c.Drift.check()); err != nil {
		return nil, err
	}
	if !(c.Beta > 0) || c.Good < 0 || c.Bad < 0 || (c.Good == 0) != (c.Bad == 0) {
		return nil, fmt.Errorf("beta %g, weights %g and %g: beta is above 0, weights are both given or none", c.Beta, c.Good, c.Bad)
	}
	in, err := open(o, checkpoint.KindPolicy, struct {
		Method string `json:"method"`
		KTOConfig
	}{"kto", c}, c.Rows, readJudged)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	r, learn, held, data := in.Run, in.learn, in.held, in.data
	weights := loss.KTOOptions{Beta: c.Beta, Good: c.Good, Bad: c.Bad}
	if c.Good == 0 {
		weights.Good, weights.Bad = loss.KTOWeights(counts(learn))
	}
	r.Note("weights", weights)
	batches, err := mismatch(r, learn, c.Batch)
	if err != nil {
		return nil, err
	}
	var heldBatches [][]*judged
	if len(held) > 1 {
		if heldBatches, err = mismatch(r, held, c.Batch); err != nil {
			return nil, err
		}
	}
	watch := monitor.New(monitor.KTO, monitor.Limits{KLBudget: c.Budget, MaxTokens: float64(c.Tokens)})
	if err := r.Begin(tune.Work{Data: data, Epoch: len(batches), Extra: watch, Scores: c.scores(true)}); err != nil {
		return nil, err
	}
	begin := time.Now()
	if err := remember(ctx, r, judgedAnswers(batches, heldBatches)); err != nil {
		return nil, err
	}
	r.Spent("reference", begin)
	pen, err := newWriter(r, c.Drift, judgedAnswers(heldBatches))
	if err != nil {
		return nil, err
	}
	walk := newOrder(r.Seed, len(batches))
	for r.Next(ctx) {
		begin := time.Now()
		batch := take(r, walk, batches, 1)[0]
		zero, err := zeroOf(r, batch)
		if err != nil {
			return nil, err
		}
		t, err := learnJudged(r, weights, batch, zero)
		if err != nil {
			return nil, err
		}
		if err := firstStep(r, t.loss(), (t.good*weights.Good+t.bad*weights.Bad)/(t.good+t.bad)/2); err != nil {
			return nil, err
		}
		m, err := r.Update(tune.Metric{Loss: t.loss(), Tokens: t.tokens, Positions: t.positions, Epoch: int((r.Row-1)/int64(len(batches))) + 1, Values: t.values(c.Beta)})
		if err != nil {
			return nil, err
		}
		r.Spent("learn", begin)
		seen := measured(m)
		if len(heldBatches) > 0 && r.Due() {
			begin := time.Now()
			scores, err := measureJudged(r, weights, heldBatches)
			if err != nil {
				return nil, err
			}
			r.Spent("validate", begin)
			if err := validated(r, pen, scores, seen); err != nil {
				return nil, err
			}
		}
		look(r, watch, seen)
	}
	return r.Finish()
}

func counts(list []*judged) (good, bad int) {
	for _, j := range list {
		if j.good {
			good++
		} else {
			bad++
		}
	}
	return good, bad
}

// zeroOf is the point of comparison of a batch: no gradient flows through it.
func zeroOf(r *tune.Run, batch []*judged) (float64, error) {
	var others []*answer
	for _, j := range batch {
		if j.other != nil {
			others = append(others, j.other)
		}
	}
	var ratios []float64
	var l lot
	for _, group := range passes(others, func(a *answer) int { return len(a.IDs) }) {
		l.reset()
		for _, a := range group {
			l.add(a)
		}
		o, err := r.Trainer.Outputs(&l.Batch, nil)
		if err != nil {
			return 0, err
		}
		for i, a := range group {
			ratios = append(ratios, l.parts[i].sum(o.Nats)-a.before)
		}
	}
	return loss.KTOZero(ratios), nil
}

// learnJudged adds the gradients of the mean loss of a batch.
func learnJudged(r *tune.Run, weights loss.KTOOptions, batch []*judged, zero float64) (*judgedTally, error) {
	t := &judgedTally{zero: zero}
	var l lot
	for _, group := range passes(batch, func(j *judged) int { return len(j.IDs) }) {
		l.fillJudged(group)
		_, err := r.Trainer.AccumulateJoint(&l.Batch, nil, func(o llm.Outputs, g llm.Gradients) float64 {
			for i, j := range group {
				slope := t.add(weights, j, l.parts[i].sum(o.Nats))
				t.entropy += l.parts[i].total(o.Entropy)
				l.parts[i].push(&l, g.Nats, slope/float64(len(batch)))
			}
			return 0
		})
		if err != nil {
			return nil, err
		}
	}
	for _, j := range batch {
		if j.other != nil {
			t.positions += int64(len(j.other.IDs)) / 3 // forward alone
		}
	}
	return t, nil
}

// measureJudged measures batches that are held out, each with its own point of comparison.
func measureJudged(r *tune.Run, weights loss.KTOOptions, batches [][]*judged) (map[string]float64, error) {
	all := &judgedTally{}
	var l lot
	var zeros float64
	for _, b := range batches {
		zero, err := zeroOf(r, b)
		if err != nil {
			return nil, err
		}
		all.zero = zero
		zeros += zero / float64(len(batches))
		for _, group := range passes(b, func(j *judged) int { return len(j.IDs) }) {
			l.fillJudged(group)
			o, err := r.Trainer.Outputs(&l.Batch, nil)
			if err != nil {
				return nil, err
			}
			for i, j := range group {
				all.add(weights, j, l.parts[i].sum(o.Nats))
				all.entropy += l.parts[i].total(o.Entropy)
			}
		}
	}
	all.zero = zeros
	v := all.values(weights.Beta)
	v["loss"] = all.loss()
	return v, nil
}

func (l *lot) fillJudged(group []*judged) {
	l.reset()
	for _, j := range group {
		l.add(j.answer)
	}
}

// judgedTally sums up what a step's or a validation's answers show.
type judgedTally struct {
	zero, sum           float64
	good, bad           float64 // answers
	ratioGood, ratioBad float64 // sums of log-ratios to the reference
	logpGood, right     float64
	entropy             float64 // of the distributions that answers' tokens are of, nats
	tokens, positions   int64
}

// add takes an answer in, by its sum under the policy, and gives d(loss)/d(sum).
func (t *judgedTally) add(o loss.KTOOptions, j *judged, logp float64) float64 {
	ratio := logp - j.before
	v, slope := loss.KTO(ratio, t.zero, j.good, o)
	t.sum += v
	if j.good {
		t.good++
		t.ratioGood += ratio
		t.logpGood += logp
		t.right += ahead(ratio, t.zero)
	} else {
		t.bad++
		t.ratioBad += ratio
		t.right += ahead(t.zero, ratio)
	}
	t.tokens += int64(j.tokens)
	t.positions += int64(len(j.IDs))
	return slope
}

func (t *judgedTally) loss() float64 { return t.sum / (t.good + t.bad) }

// values are the measures of monitor; those of good or bad answers only where there are some.
func (t *judgedTally) values(beta float64) map[string]float64 {
	v := map[string]float64{monitor.Baseline: t.zero, monitor.Accuracy: t.right / (t.good + t.bad), monitor.Entropy: t.entropy / float64(t.tokens)}
	if t.good > 0 {
		v[monitor.Chosen], v[monitor.ChosenLogP] = beta*t.ratioGood/t.good, t.logpGood/t.good
	}
	if t.bad > 0 {
		v[monitor.Rejected] = beta * t.ratioBad / t.bad
	}
	if t.good > 0 && t.bad > 0 {
		v[monitor.Margin] = v[monitor.Chosen] - v[monitor.Rejected]
	}
	return v
}
