package demo

import (
	"context"
	"encoding/hex"
	"fmt"
	"iter"

	"github.com/zeebo/xxh3"

	"winnow/train"
	"winnow/train/bpe"
	"winnow/train/eval"
	"winnow/train/llm"
	"winnow/train/rows"
)

// Lab is what all experiments share: prose, one tokenizer, the machine.
type Lab struct {
	Prose *Prose
	Pool  *llm.Pool
	Dir   string                           // for token files
	Quick bool                             // a sixteenth of the tokens, and fewer people: shows that it works, not what it says
	Say   func(format string, args ...any) // tells how far it is; may be nil

	scale scale
	tok   *bpe.Tokenizer
	held  *eval.Held
}

// scale is how large experiments are.
type scale struct {
	divide     int64 // of the tokens of every arm
	steps      int   // least of an arm
	levels     []int // how often a text stands in the training data
	each       int   // people of a language at each level
	candidates int   // codes that the right one is ranked in
	known      int   // people of a language whose facts are asked for on the way
}

// full is the scale of what is reported, quick that of Lab.Quick.
func full() scale  { return scale{1, 20, []int{0, 1, 4, 16, 64, 256}, 6, 256, 60} }
func quick() scale { return scale{16, 20, []int{0, 1, 4, 16}, 3, 64, 20} }

// vocabulary is small, since at these widths the head would else be most of the model. It is trained on kept prose and on
// people whom no arm ever meets, so that names and facts are not cut finer in one experiment than in another.
const vocabulary = 1024

// stranger is the seed of people that serve the tokenizer alone.
const stranger = 9999

// Open trains the tokenizer and makes ready what is held out.
func (l *Lab) Open() error {
	if l.Quick {
		return l.open(quick())
	}
	return l.open(full())
}

func (l *Lab) open(s scale) (err error) {
	l.scale = s
	texts := func(yield func(string) bool) {
		for _, d := range l.Prose.Kept {
			if !yield(d.Text) {
				return
			}
		}
		for _, d := range biographies(stranger, 400, everyWording) {
			if !yield(d.Text) {
				return
			}
		}
	}
	if l.tok, err = bpe.Train(texts, bpe.TrainOptions{Vocab: vocabulary}); err != nil {
		return err
	}
	l.held, err = eval.NewHeldTexts(all(l.Prose.Held), l.tok, eval.HeldOptions{Len: positions, Start: l.tok.BOS()})
	return err
}

// positions is the number of positions of a row in every experiment, batch the rows of a step.
const (
	positions = 128
	batch     = 8
)

// arm is one training.
type arm struct {
	name   string
	docs   []rows.Document
	tokens int64  // positions to train on; docs are repeated as often as that takes
	depth  int    // of train.Depth
	shape  *shape // in place of depth
	seed   uint64
	fixed  bool                                      // the learning rate stays after the warm-up: what is watched on the way compares
	watch  func(t *train.Loop, m train.Metric) error // behind every step; may be nil
}

// model is the shape of an arm's model, and its learning rate.
func (a arm) model(vocab int) (llm.Config, float64, error) {
	if a.shape != nil {
		return a.shape.config(vocab), a.shape.rate, nil
	}
	p, err := train.Depth(a.depth)
	c := p.Config(vocab)
	c.Context = positions
	return c, p.Rate, err
}

// trained is an arm that is done.
type trained struct {
	*train.Loop
	losses, norms []float64 // by step
}

// budget is the number of tokens of an arm: fewer when it has to be quick.
func (l *Lab) budget(tokens int64) int64 { return tokens / l.scale.divide }

// train works off an arm.
func (l *Lab) train(ctx context.Context, a arm) (*trained, error) {
	tokens, err := rows.Tokenize(ctx, l.Dir, key(a.docs), l.tok, all(a.docs), rows.TokenizeOptions{})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", a.name, err)
	}
	defer tokens.Close()
	stream, err := rows.NewStream([]rows.Source{{Name: a.name, Tokens: tokens}},
		rows.Options{Len: positions, Seed: a.seed, BOS: l.tok.BOS(), EOS: l.tok.EOS(), PAD: l.tok.PAD()})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", a.name, err)
	}
	config, rate, err := a.model(l.tok.Size())
	if err != nil {
		return nil, err
	}
	steps := max(int(a.tokens/(batch*positions)), l.scale.steps)
	s := train.Schedule{Shape: "cosine", Peak: rate, Floor: .1, Warmup: steps / 20, Steps: steps}
	if a.fixed {
		s.Floor = 1
	}
	out := &trained{}
	out.Loop, err = train.Run(ctx, train.Setup{Model: config, Seed: a.seed, Rows: stream, Len: positions, Batch: batch, Schedule: s, Clip: 1, Decay: .1, Pool: l.Pool},
		func(loop *train.Loop, m train.Metric) error {
			out.losses, out.norms = append(out.losses, m.Loss), append(out.norms, m.Norm)
			if a.watch == nil {
				return nil
			}
			return a.watch(loop, m)
		})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", a.name, err)
	}
	l.say("%s: %d steps, loss %.3f", a.name, steps, out.losses[len(out.losses)-1])
	return out, nil
}

func (l *Lab) say(format string, args ...any) {
	if l.Say != nil {
		l.Say(format, args...)
	}
}

// bits measures the held-out prose, by language.
func (l *Lab) bits(name string, m eval.Model) (out []Measure, err error) {
	list, _, err := eval.BitsPerByte(m, l.held)
	return bitsOf(name, list), err
}

func bitsOf(name string, list []eval.Bits) (out []Measure) {
	for _, b := range list {
		out = append(out, Measure{Arm: name, Metric: "bits per byte, " + b.Language, Better: -1, Value: b.PerByte})
	}
	return out
}

// all streams documents.
func all(docs []rows.Document) iter.Seq2[rows.Document, error] {
	return func(yield func(rows.Document, error) bool) {
		for _, d := range docs {
			if !yield(d, nil) {
				return
			}
		}
	}
}

// key names a list of documents by what they hold.
func key(docs []rows.Document) string {
	h := xxh3.New()
	for _, d := range docs {
		h.WriteString(d.Text)
		h.WriteString("\x00")
	}
	sum := h.Sum128().Bytes()
	return "demo-" + hex.EncodeToString(sum[:8])
}
