package train

import (
	"cmp"
	"context"
	"fmt"

	"winnow/train/eval"
	"winnow/train/llm"
)

// Preset is what one number, the depth, decides about a model and its training.
type Preset struct {
	Depth, Dim, Heads, HeadDim, FFN int
	Context                         int     // T: positions of a row
	Rows                            int     // of a step
	Rate                            float64 // peak learning rate
}

// Depths are those that Depth knows. Heads of 32 are for widths below 256, of 64 from there on.
func Depths() []int { return []int{1, 2, 3, 4, 5, 6, 8, 10, 12, 16, 20, 24} }

// Depth gives the preset of a depth: width 32 a layer and at least 64, SwiGLU of 8/3 of the width rounded up to 32 (so that a
// block has about 12 times the square of the width), and few tokens a step, since a CPU has few to give: below a million
// parameters many small steps learn more from the same tokens than few large ones. The learning rates of depths 2 to 4 lie
// within a factor of two of the best of the sweep in testdata/sweep.json (600,000 tokens of technical documentation, zh and en);
// above, they fall about with the square root of the width, untested.
func Depth(depth int) (Preset, error) {
	for _, d := range Depths() {
		if d == depth {
			return preset(depth), nil
		}
	}
	return Preset{}, fmt.Errorf("depth %d: there are %v", depth, Depths())
}

func preset(depth int) Preset {
	p := Preset{Depth: depth, Dim: max(32*depth, 64), HeadDim: 32}
	switch {
	case depth <= 2:
		p.Context, p.Rows, p.Rate = 128, 8, 3e-3
	case depth == 3:
		p.Context, p.Rows, p.Rate = 128, 8, 2e-3
	case depth <= 6:
		p.Context, p.Rows, p.Rate = 256, 4, 2e-3
	case depth <= 12:
		p.HeadDim, p.Context, p.Rows, p.Rate = 64, 512, 8, 1.5e-3
	default:
		p.HeadDim, p.Context, p.Rows, p.Rate = 64, 1024, 16, 8e-4
	}
	p.Heads = p.Dim / p.HeadDim
	p.FFN = (8*p.Dim/3 + 31) / 32 * 32
	return p
}

// Config is the model of a preset. Head and embedding are two matrices: tied, the same FLOP gave 0.4 bits per byte more at depth
// 2 on the quickstart's run (500,000 tokens, the best of five learning rates each: 3.05 against 2.65).
func (p Preset) Config(vocab int) llm.Config {
	return llm.Config{Vocab: vocab, Context: p.Context, Dim: p.Dim, FFN: p.FFN, Layers: p.Depth, Heads: p.Heads, KVHeads: p.Heads, HeadDim: p.HeadDim,
		NormEps: 1e-5, RopeTheta: 10000}
}

// Arm is one training of a Sweep.
type Arm struct {
	Depth      int                `json:"depth"`
	Rate       float64            `json:"lr"`
	Rows       int                `json:"rows"` // of a step
	Steps      int                `json:"steps"`
	Tokens     int64              `json:"tokens"` // counted targets
	Parameters int64              `json:"parameters"`
	Held       map[string]float64 `json:"held"` // bits per byte, by language
}

// Sweep trains every depth with every rate on the same tokens, from the same seeds, and evaluates each at its end. It is what
// the rates of Depth come from. Out gets the tokenizer, and nothing else.
func Sweep(ctx context.Context, o Options, depths []int, rates []float64, each func(Arm)) ([]Arm, error) {
	lock, err := Occupy(o.Out)
	if err != nil {
		return nil, err
	}
	defer lock.Close()
	if p, err := readPlan(o.Out); err != nil || p != nil {
		return nil, cmp.Or(err, error(&ChangedError{o.Out, nil}))
	}
	var arms []Arm
	for _, depth := range depths {
		b := &base{Options: o}
		b.Depth, b.Config = depth, nil
		if err := b.Check(); err != nil {
			return nil, err
		}
		if err := b.tokenizer(ctx); err != nil {
			return nil, err
		}
		o.Tokenizer = b.tok // for the depths that follow
		if err := b.read(ctx); err != nil {
			return nil, err
		}
		for _, rate := range rates {
			b.Rate = rate
			p, err := b.proposal(ctx)
			if err != nil {
				return nil, err
			}
			l, err := Run(ctx, b.setup(p), nil)
			if err != nil {
				return nil, fmt.Errorf("depth %d, learning rate %g: %w", depth, rate, err)
			}
			bits, _, err := eval.BitsPerByte(l, b.held)
			if err != nil {
				return nil, err
			}
			arm := Arm{depth, rate, p.Batch * p.Accumulate, l.Step, l.Tokens, p.Model.Params(), perByte(bits)}
			each(arm)
			arms = append(arms, arm)
		}
	}
	return arms, nil
}
