package prefer

import (
	"context"
	"fmt"
	"math"
	"time"

	"winnow/train/checkpoint"
	"winnow/train/llm"
	"winnow/train/loss"
	"winnow/train/monitor"
	"winnow/train/tune"
)

// RewardConfig is what Reward is told beside tune.Settings.
type RewardConfig struct {
	Rows
	Centring float64 `json:"centring"` // weight of (chosen + rejected)², which keeps rewards near 0
	Margin   bool    `json:"margin"`   // a row's margin, where it has one, is what its rewards are to differ by at least
}

// Reward fits a scalar head, and the parent below it, to preferences by Bradley and Terry's model: the reward of an answer is read at the
// end of its last turn. What is published gives rewards of mean 0 and standard deviation 1 on the held-out answers, on those that were
// learnt where none is held out, and knows how often and how surely it is right on held-out pairs.
func Reward(ctx context.Context, o tune.Options, c RewardConfig) (*tune.Result, error) {
	if err := c.Rows.Check(1); err != nil {
		return nil, err
	}
	if c.Centring < 0 {
		return nil, fmt.Errorf("centring of %g: it is at least 0", c.Centring)
	}
	in, err := open(o, checkpoint.KindReward, c, c.Rows, readDuos)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	r, learn, held, data := in.Run, in.learn, in.held, in.data
	head := llm.NewHead(r.Model.Config, r.Seed)
	watch := monitor.New(monitor.RewardFit, monitor.Limits{})
	publish := func(info *checkpoint.Info) error {
		fitted := held
		if len(held) == 0 {
			fitted = learn
		}
		return c.publish(r, head, fitted, len(held) > 0, info)
	}
	scores := Drift{}.scores(true)
	if err := r.Begin(tune.Work{Data: data, Epoch: ceiling(len(learn), c.Batch), Extra: watch, Join: head.Params(), Publish: publish, Scores: scores}); err != nil {
		return nil, err
	}
	walk := newOrder(r.Seed, len(learn))
	for r.Next(ctx) {
		begin := time.Now()
		step := take(r, walk, learn, c.Batch)
		t, err := c.learn(r, head, step)
		if err != nil {
			return nil, err
		}
		m, err := r.Update(tune.Metric{Loss: t.loss(), Tokens: 2 * int64(len(step)), Positions: positions(step), Epoch: int((r.Row-1)/int64(len(learn))) + 1, Values: t.values()})
		if err != nil {
			return nil, err
		}
		r.Spent("learn", begin)
		seen := measured(m)
		if len(held) > 0 && r.Due() {
			begin := time.Now()
			t, _, err := c.measure(r, head, held)
			if err == nil {
				v := t.values()
				v["loss"] = t.loss()
				err = r.Validated(v)
			}
			if err != nil {
				return nil, err
			}
			seen[monitor.HeldLoss] = t.loss()
			r.Spent("validate", begin)
		}
		look(r, watch, seen)
	}
	return r.Finish()
}

// learn adds the gradients of the mean loss of a step's pairs.
func (c RewardConfig) learn(r *tune.Run, head *llm.Head, step []*duo) (t *rewardTally, err error) {
	t = &rewardTally{}
	var l lot
	for _, group := range passes(step, (*duo).size) {
		l.fillWhole(group)
		_, err := r.Trainer.AccumulateJoint(&l.Batch, head, func(o llm.Outputs, g llm.Gradients) float64 {
			for i, d := range group {
				w, x := l.parts[2*i].to-1, l.parts[2*i+1].to-1
				chosen, rejected := t.add(c, d, float64(o.Values[w]), float64(o.Values[x]))
				g.Values[w], g.Values[x] = float32(chosen/float64(len(step))), float32(rejected/float64(len(step)))
			}
			return 0
		})
		if err != nil {
			return nil, err
		}
	}
	return t, nil
}

// measure gives the rewards too, those of a pair one behind the other.
func (c RewardConfig) measure(r *tune.Run, head *llm.Head, list []*duo) (t *rewardTally, rewards []float64, err error) {
	t = &rewardTally{}
	var l lot
	for _, group := range passes(list, (*duo).size) {
		l.fillWhole(group)
		o, err := r.Trainer.Outputs(&l.Batch, head)
		if err != nil {
			return nil, nil, err
		}
		for i, d := range group {
			w, x := float64(o.Values[l.parts[2*i].to-1]), float64(o.Values[l.parts[2*i+1].to-1])
			t.add(c, d, w, x)
			rewards = append(rewards, w, x)
		}
	}
	return t, rewards, nil
}

func (l *lot) fillWhole(group []*duo) {
	l.reset()
	for _, d := range group {
		l.addWhole(d.chosen.IDs)
		l.addWhole(d.rejected.IDs)
	}
}

// rewardTally sums up what a step's or a validation's pairs show.
type rewardTally struct{ n, sum, chosen, rejected, ahead float64 }

// add takes a pair in and gives the derivatives for both rewards.
func (t *rewardTally) add(c RewardConfig, d *duo, chosen, rejected float64) (dChosen, dRejected float64) {
	margin := 0.
	if c.Margin {
		margin = d.margin
	}
	v, dChosen, dRejected := loss.BradleyTerry(chosen, rejected, margin, c.Centring)
	t.n++
	t.sum += v
	t.chosen, t.rejected = t.chosen+chosen, t.rejected+rejected
	t.ahead += ahead(chosen, rejected)
	return dChosen, dRejected
}

func (t *rewardTally) loss() float64 { return t.sum / t.n }

func (t *rewardTally) values() map[string]float64 {
	return map[string]float64{monitor.Accuracy: t.ahead / t.n, monitor.Chosen: t.chosen / t.n, monitor.Rejected: t.rejected / t.n,
		monitor.Margin: (t.chosen - t.rejected) / t.n}
}

// Scale is what turned the fitted head's scalar into the reward: (scalar - Mean)/SD. The published head's weights are divided by SD
// already, and Card.Bias takes the mean off.
type Scale struct {
	Mean    float64 `json:"mean"`
	SD      float64 `json:"sd"`      // P(a is better than b) = σ(SD·(reward of a - reward of b))
	Answers int     `json:"answers"` // that both are of
}

// scaleOf is that of rewards; of fewer than two different ones it leaves them as they are.
func scaleOf(rewards []float64) Scale {
	s := Scale{SD: 1, Answers: len(rewards)}
	for _, v := range rewards {
		s.Mean += v / float64(len(rewards))
	}
	var square float64
	for _, v := range rewards {
		square += (v - s.Mean) * (v - s.Mean)
	}
	if sd := math.Sqrt(square / float64(max(len(rewards)-1, 1))); sd > 0 {
		s.SD = sd
	}
	return s
}

// Calibration says how a reward model does on pairs that it has not learnt from.
type Calibration struct {
	Pairs    int     `json:"pairs"`
	Accuracy float64 `json:"accuracy"` // share of pairs with the chosen answer ahead; a tie is half
	Loss     float64 `json:"loss"`     // nats a pair: -log P(the chosen answer is better)
	Error    float64 `json:"error"`    // mean over pairs of |Sure - Right| of their bin
	Bins     []Bin   `json:"bins"`
}

// Bin is the pairs for which the model's favourite had a probability between From and To.
type Bin struct {
	From  float64 `json:"from"`
	To    float64 `json:"to"`
	Pairs int     `json:"pairs"`
	Sure  float64 `json:"sure"`  // mean of that probability
	Right float64 `json:"right"` // share of pairs with the favourite chosen
}

const bins = 5

// calibrate is of rewards as the head gives them, those of a pair one behind the other, the chosen first.
func calibrate(rewards []float64) *Calibration {
	c := &Calibration{Pairs: len(rewards) / 2}
	for b := range bins {
		c.Bins = append(c.Bins, Bin{From: .5 + .5*float64(b)/bins, To: .5 + .5*float64(b+1)/bins})
	}
	for i := 0; i+1 < len(rewards); i += 2 {
		d := rewards[i] - rewards[i+1]
		nats, _, _ := loss.BradleyTerry(rewards[i], rewards[i+1], 0, 0)
		sure := 1 / (1 + math.Exp(-math.Abs(d)))
		b := &c.Bins[min(int((sure-.5)*2*bins), bins-1)]
		b.Pairs++
		b.Sure += sure
		b.Right += ahead(d, 0)
		c.Loss += nats
		c.Accuracy += ahead(d, 0)
	}
	n := float64(max(c.Pairs, 1))
	c.Loss, c.Accuracy = c.Loss/n, c.Accuracy/n
	for i := range c.Bins {
		if b := &c.Bins[i]; b.Pairs > 0 {
			b.Sure, b.Right = b.Sure/float64(b.Pairs), b.Right/float64(b.Pairs)
			c.Error += math.Abs(b.Sure-b.Right) * float64(b.Pairs) / n
		}
	}
	return c
}

// publish measures the model that is kept and writes its folder.
func (c RewardConfig) publish(r *tune.Run, head *llm.Head, list []*duo, held bool, info *checkpoint.Info) error {
	_, rewards, err := c.measure(r, head, list)
	if err != nil {
		return err
	}
	card := Card{Scale: scaleOf(rewards)}
	card.Bias = -card.Scale.Mean / card.Scale.SD
	if held {
		card.Held = calibrate(rewards)
	}
	r.Note("calibration", card)
	return card.save(r, head, info)
}
