// Package llm is the language model: a Llama block (RMSNorm, rotary positions, grouped-query attention, SwiGLU), with Qwen2's
// biases where a configuration asks for them. Rows of token ids flow in; gradients of its parameters, log-probabilities of
// targets, and the text of a decoder's next tokens, as ids, flow out.
//
// Parameters are spago's nn.Param in nn.Module structs; training runs forward and backward through spago's autograd (ag) by
// few fused operators on winnow/train/internal/kernel. Decoding runs on packed weights with a cache of keys and values.
// Results are the same bits for any number of threads.
package llm

import (
	"errors"
	"fmt"
	"math"

	"winnow/train/internal/kernel"
)

// Pool is the workers and the instruction set on which a model computes; winnow/train/internal/kernel describes it.
type Pool = kernel.Pool

// Figure is what Pool.Measure reports of each product: its rate and the peak beside it, in GFLOP/s by CPU time.
type Figure = kernel.Figure

// NewPool starts threads workers (0: GOMAXPROCS) with the kernel of that name ("": the best that this CPU runs, or what
// WINNOW_KERNEL names). It fails when the name is unknown or this CPU cannot run it.
func NewPool(threads int, name string) (*Pool, error) { return kernel.New(threads, name) }

// Config is the shape of a model. Its JSON form is what checkpoints store.
type Config struct {
	Vocab     int     `json:"vocab"`      // V: rows of the embedding
	Context   int     `json:"context"`    // longest document, in tokens; positions are 0 .. Context-1
	Dim       int     `json:"dim"`        // D: width of the residual stream
	FFN       int     `json:"ffn"`        // F: width of SwiGLU's inner layer
	Layers    int     `json:"layers"`     // L
	Heads     int     `json:"heads"`      // H: query heads
	KVHeads   int     `json:"kv_heads"`   // heads of keys and values; divides Heads
	HeadDim   int     `json:"head_dim"`   // width of a head; even. Dim/Heads in most models, but free
	NormEps   float64 `json:"norm_eps"`   // RMSNorm's epsilon, inside the root
	RopeTheta float64 `json:"rope_theta"` // base of the rotary frequencies
	Tied      bool    `json:"tied"`       // the head is the embedding
	QKVBias   bool    `json:"qkv_bias"`   // Qwen2's biases on queries, keys and values
}

// Validate says what is wrong with c, all of it at once; nil when a model can be built.
func (c Config) Validate() error {
	var bad []error
	for _, f := range []struct {
		name string
		n    int
	}{{"vocab", c.Vocab}, {"context", c.Context}, {"dim", c.Dim}, {"ffn", c.FFN}, {"layers", c.Layers}, {"heads", c.Heads}, {"kv_heads", c.KVHeads}, {"head_dim", c.HeadDim}} {
		if f.n < 1 || f.n > 1<<24 {
			bad = append(bad, fmt.Errorf("%s %d is not between 1 and %d", f.name, f.n, 1<<24))
		}
	}
	if c.KVHeads > 0 && c.Heads%c.KVHeads != 0 {
		bad = append(bad, fmt.Errorf("kv_heads %d does not divide heads %d", c.KVHeads, c.Heads))
	}
	if c.HeadDim%2 != 0 {
		bad = append(bad, fmt.Errorf("head_dim %d is odd; rotary positions turn pairs", c.HeadDim))
	}
	if !(c.NormEps > 0 && c.NormEps < 1) {
		bad = append(bad, fmt.Errorf("norm_eps %g is not between 0 and 1", c.NormEps))
	}
	if !(c.RopeTheta >= 1) || math.IsInf(c.RopeTheta, 0) {
		bad = append(bad, fmt.Errorf("rope_theta %g is below 1", c.RopeTheta))
	}
	if len(bad) > 0 {
		return fmt.Errorf("model: %w", errors.Join(bad...))
	}
	return nil
}

func (c Config) qkvRows() int { return (c.Heads + 2*c.KVHeads) * c.HeadDim }

func (c Config) layerMatmulParams() int64 {
	return int64(c.qkvRows()+c.Heads*c.HeadDim)*int64(c.Dim) + 3*int64(c.FFN)*int64(c.Dim)
}

// MatmulParams is N of compute planning: the weights that a token is multiplied with, head included (tied or not),
// embedding look-up, norms and biases left out.
func (c Config) MatmulParams() int64 {
	return int64(c.Layers)*c.layerMatmulParams() + int64(c.Vocab)*int64(c.Dim)
}

// Params is the number of trained values; a tied head counts once.
func (c Config) Params() int64 {
	n := c.MatmulParams() + int64(c.Layers)*2*int64(c.Dim) + int64(c.Dim)
	if !c.Tied {
		n += int64(c.Vocab) * int64(c.Dim)
	}
	if c.QKVBias {
		n += int64(c.Layers) * int64(c.qkvRows())
	}
	return n
}

// FLOPsPerToken is what training on one token of a full row of T takes, forward and backward: 6N + 6LdT with d = Heads·HeadDim,
// the causal half of attention counted (reference: PaLM, appendix B, halved for causality).
func (c Config) FLOPsPerToken(T int) float64 {
	return 6*float64(c.MatmulParams()) + 6*float64(c.Layers)*float64(c.Heads*c.HeadDim)*float64(T)
}
