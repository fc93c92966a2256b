package align

import (
	"context"
	"os"
	"strings"

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

	by      *sft.Teaching // learn from the distributions of teacher, a model folder; nil: from the answers
	teacher string
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
	if o.by != nil {
		_, err = sft.Distill(ctx, sft.DistillOptions{Options: s, Teaching: *o.by, Teacher: o.teacher})
	} else {
		_, err = sft.Run(ctx, s)
	}
	return out, err
}

// settings are those of any method.
func (l *Lab) settings(parent, out string, seed uint64, steps int, rate float64) tune.Options {
	o := tune.Options{Settings: tune.Defaults(), Parent: parent, Out: out, Template: "chatml", Pool: l.Pool}
	o.Seed, o.Steps, o.Rate = seed, steps, rate
	return o
}

// longest is the most tokens of an answer.
const longest = 80

// reply is what a model answered.
type reply struct {
	text  string
	ids   []int32
	ended bool // by the token that ends a turn, not by length, nor as a document ends
}

// answers lets a model answer prompts, many at a time. Temperature 0 takes the likeliest token, always.
func (l *Lab) answers(ctx context.Context, m *llm.Model, prompts [][]int32, temperature float64, seed uint64) ([]reply, error) {
	const slots = 32
	d, err := llm.NewDecoder(m, l.Pool, slots, positions)
	if err != nil {
		return nil, err
	}
	out := make([]reply, len(prompts))
	for from := 0; from < len(prompts); from += slots {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if err := l.answerSome(d, prompts[from:min(from+slots, len(prompts))], out[from:], temperature, seed+uint64(from)*7919); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// answerSome answers as many prompts as there are slots, at most.
func (l *Lab) answerSome(d *llm.Decoder, prompts [][]int32, out []reply, temperature float64, seed uint64) error {
	texts, next := make([]*llm.Generation, len(prompts)), make([]int32, len(prompts))
	var live []int
	take := func(i int, logits []float32) {
		tok := texts[i].Next(logits)
		if next[i] = tok.ID; tok.Finish != llm.FinishStop {
			out[i].ids = append(out[i].ids, tok.ID)
		}
		if tok.Finish == "" {
			live = append(live, i)
		} else {
			out[i].ended = tok.ID == l.template.End()
			out[i].text = strings.TrimSpace(string(l.tok.Decode(out[i].ids)))
		}
	}
	for i, p := range prompts {
		d.Reset(i)
		logits, err := d.Prefill(i, p)
		if err != nil {
			return err
		}
		r := llm.Request{Prompt: p, MaxTokens: longest, StopIDs: []int32{l.template.End(), l.tok.EOS()}, Sampling: llm.Sampling{Temperature: temperature, Seed: seed + uint64(i)}}
		if texts[i], err = llm.NewGeneration(r, positions-len(p), nil); err != nil {
			return err
		}
		take(i, logits)
	}
	for len(live) > 0 {
		now, ids := live, make([]int32, len(live))
		live = nil
		for k, i := range now {
			ids[k] = next[i]
		}
		logits, err := d.Step(now, ids)
		if err != nil {
			return err
		}
		for k, i := range now {
			take(i, logits[k*l.tok.Size():(k+1)*l.tok.Size()])
		}
	}
	return nil
}

// prompts are questions as a model reads them.
func (l *Lab) prompts(questions []string) ([][]int32, error) {
	out := make([][]int32, len(questions))
	for i, q := range questions {
		p, err := l.template.Prompt(l.tok, []chat.Message{{Role: chat.User, Content: q}})
		if err != nil {
			return nil, err
		}
		out[i] = p.IDs
	}
	return out, nil
}
