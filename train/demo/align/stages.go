package align

import (
	"context"
	"fmt"
	"iter"
	"os"

	"winnow/train"
	"winnow/train/chat"
	"winnow/train/checkpoint"
	"winnow/train/llm"
	"winnow/train/rows"
)

// lesson is a supervised fine-tuning.
type lesson struct {
	parent string               // model folder
	learn  []*chat.Conversation // to train on
	held   []*chat.Conversation // to validate on; may be empty
	steps  int
	rate   float64 // 0: usual
	seed   uint64
}

// learnt is what a lesson gave.
type learnt struct {
	dir  string  // model folder
	loss float64 // of the last tenth of the steps, nats a target
	held []float64
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

// tune fine-tunes.
func (l *Lab) tune(ctx context.Context, o lesson) (*learnt, error) {
	m, err := l.load(o.parent)
	if err != nil {
		return nil, err
	}
	masked, err := l.masked(o.learn, o.seed)
	if err != nil {
		return nil, err
	}
	if o.rate == 0 {
		o.rate = tuneRate
	}
	s := train.Setup{Rows: masked, Len: positions, Batch: tuneRows, Clip: 1, Pool: l.Pool,
		Schedule: train.Schedule{Shape: "cosine", Peak: o.rate, Floor: .1, Warmup: o.steps / 20, Steps: o.steps}}
	loop, err := train.Continue(s, m)
	if err != nil {
		return nil, err
	}
	out := &learnt{}
	for loop.Step < o.steps && ctx.Err() == nil {
		metric, err := loop.Next()
		if err != nil {
			return nil, err
		}
		if last := max(o.steps/10, 1); metric.Step > o.steps-last {
			out.loss += metric.Loss / float64(last)
		}
		if len(o.held) > 0 && (metric.Step%max(o.steps/10, 1) == 0 || metric.Step == o.steps) {
			nats, err := l.nats(m, o.held)
			if err != nil {
				return nil, err
			}
			out.held = append(out.held, nats)
		}
	}
	if out.dir, err = l.out("sft"); err != nil {
		return nil, err
	}
	return out, checkpoint.SaveModel(out.dir, m, l.tok, &checkpoint.Info{Kind: checkpoint.KindBase, Seed: o.seed, Kernel: l.Pool.Kernel()})
}

// masked makes rows of conversations.
func (l *Lab) masked(list []*chat.Conversation, seed uint64) (*rows.Masked, error) {
	all, _, err := chat.Prepare(l.template, each(list), chat.PrepareOptions{Len: positions, Cut: chat.CutTurns, MostDropped: .5})
	if err != nil {
		return nil, err
	}
	return rows.NewMasked(all, nil, rows.Options{Len: positions, Seed: seed, PAD: l.tok.PAD()})
}

// nats is the mean of nats a target over conversations.
func (l *Lab) nats(m *llm.Model, list []*chat.Conversation) (float64, error) {
	masked, err := l.masked(list, 1)
	if err != nil {
		return 0, err
	}
	n, err := masked.EpochRows(0)
	if err != nil {
		return 0, err
	}
	size := int(n) * positions
	b := &llm.Batch{Rows: int(n), Len: positions, IDs: make([]int32, size), Targets: make([]int32, size), Pos: make([]int32, size)}
	if err := masked.Fill(0, b.IDs, b.Targets, b.Pos); err != nil {
		return 0, err
	}
	list32, err := llm.NewTrainer(m, l.Pool).Nats(b)
	if err != nil {
		return 0, err
	}
	var sum, counted float64
	for i, t := range b.Targets {
		if t >= 0 {
			sum += float64(list32[i])
			counted++
		}
	}
	if counted == 0 {
		return 0, fmt.Errorf("validation: no target counts")
	}
	return sum / counted, nil
}

// each streams conversations.
func each(list []*chat.Conversation) iter.Seq2[*chat.Conversation, error] {
	return func(yield func(*chat.Conversation, error) bool) {
		for _, c := range list {
			if !yield(c, nil) {
				return
			}
		}
	}
}
