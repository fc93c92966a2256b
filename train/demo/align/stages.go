package align

import (
	"context"
	"os"

	"winnow/train/chat"
	"winnow/train/checkpoint"
	"winnow/train/llm"
	"winnow/train/sft"
	"winnow/train/tune"
)

// lesson is a supervised fine-tuning.
type lesson struct {
	parent string               // model folder
	learn  []*chat.Conversation // to train on
	held   []*chat.Conversation // to validate on: the best weights are kept; none: the last are
	steps  int
	rate   float64 // 0: usual
	seed   uint64
	more   func(c *sft.Config) // what else is set; may be nil
}

// learnt is what a lesson gave.
type learnt struct {
	dir  string    // model folder
	loss float64   // mean of the last tenth of the steps, nats a target
	held []float64 // validation losses on the way, nats a target
}

// rows of a step of fine-tuning, and its learning rate.
const (
	tuneRows = 4
	tuneRate = 1e-3
)

// out is a new folder for a stage.
func (l *Lab) out(name string) (string, error) {
	dir, err := os.MkdirTemp(l.Work, name+"-")
	l.made = append(l.made, dir)
	return dir, err
}

// steps is a number of steps, or prompts, at the lab's scale.
func (l *Lab) steps(n int) int { return max(n/l.scale.divide, 2) }

// load reads a model folder.
func (l *Lab) load(dir string) (*llm.Model, error) {
	m, _, _, err := checkpoint.LoadModel(dir)
	return m, err
}

// random is a model folder of random parameters in the shape of the base model.
func (l *Lab) random(seed uint64) (string, error) {
	c, _, err := l.shape(l.scale.depth)
	if err != nil {
		return "", err
	}
	m, err := llm.New(c, seed)
	if err != nil {
		return "", err
	}
	dir, err := l.out("random")
	if err != nil {
		return "", err
	}
	return dir, checkpoint.SaveModel(dir, m, l.tok, &checkpoint.Info{Kind: checkpoint.KindBase, Seed: seed, Kernel: l.Pool.Kernel()})
}

// tune fine-tunes, by the product's own method.
func (l *Lab) tune(ctx context.Context, o lesson) (*learnt, error) {
	dir, err := l.out("sft")
	if err != nil {
		return nil, err
	}
	if o.rate == 0 {
		o.rate = tuneRate
	}
	out := &learnt{dir: dir}
	s := sft.Options{Options: l.settings(o.parent, dir, o.seed, o.steps, o.rate), Config: sft.Usual(),
		Train: sft.Data{Name: "lessons", Talks: o.learn}, Held: sft.Data{Name: "held out", Talks: o.held}}
	s.Len, s.Batch, s.MostDropped, s.Holdout, s.HeldMost, s.Samples = positions, tuneRows, .5, 0, 0, 0
	if o.more != nil {
		o.more(&s.Config)
	}
	last := max(o.steps/10, 1)
	s.Tell = func(e tune.Event) {
		switch {
		case e.Type == "step" && e.Metric.Step > o.steps-last:
			out.loss += e.Metric.Loss / float64(last)
		case e.Type == "eval" && e.Metric.Step > 0:
			out.held = append(out.held, e.Eval["loss"])
		}
	}
	_, err = sft.Run(ctx, s)
	return out, err
}

// settings are those of any method.
func (l *Lab) settings(parent, out string, seed uint64, steps int, rate float64) tune.Options {
	o := tune.Options{Settings: tune.Defaults(), Parent: parent, Out: out, Template: "chatml", Pool: l.Pool}
	o.Seed, o.Steps, o.Rate = seed, steps, rate
	return o
}
