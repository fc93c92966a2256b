package train

import (
	"fmt"

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
// parameters many small steps learn more from the same tokens than few large ones. The learning rates of depths 2 to 4 are those
// of the sweep in testdata/sweep.json; above, they fall with the square root of the width.
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
	case depth <= 3:
		p.Context, p.Rows, p.Rate = 128, 8, 4e-3
	case depth <= 6:
		p.Context, p.Rows, p.Rate = 256, 4, 3e-3
	case depth <= 12:
		p.HeadDim, p.Context, p.Rows, p.Rate = 64, 512, 8, 1.5e-3
	default:
		p.HeadDim, p.Context, p.Rows, p.Rate = 64, 1024, 16, 8e-4
	}
	p.Heads = p.Dim / p.HeadDim
	p.FFN = (8*p.Dim/3 + 31) / 32 * 32
	return p
}

// Config is the model of a preset: tied, since at these widths the embedding would be a large share of all parameters.
func (p Preset) Config(vocab int) llm.Config {
	return llm.Config{Vocab: vocab, Context: p.Context, Dim: p.Dim, FFN: p.FFN, Layers: p.Depth, Heads: p.Heads, KVHeads: p.Heads, HeadDim: p.HeadDim,
		NormEps: 1e-5, RopeTheta: 10000, Tied: true}
}
