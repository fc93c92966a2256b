package classify

import (
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/nlpodyssey/spago/ag"
	"github.com/nlpodyssey/spago/mat"
	"github.com/nlpodyssey/spago/nn"
	"github.com/nlpodyssey/spago/optimizers/adagrad"
)

// network is the model while it learns: a table of one row for each bucket, of which a text takes the mean over its n-grams, and a
// bias. Without a hidden layer that is the output; with one, the output is a linear layer over its hyperbolic tangent: rectified
// units die of AdaGrad's first steps. There is one output for each class, but for two classes one alone, the log-odds of the second.
//
// An example touches few rows: those are gathered into one parameter of spago, which makes the forward and backward pass
// and the step, and scattered again. spago's own embeddings would take one parameter object for each bucket.
type network struct {
	columns        int
	table, squares []float32 // buckets × columns, and what AdaGrad remembers of each
	bias           *nn.Param // 1 × columns
	head, headBias *nn.Param // columns × outputs, 1 × outputs; nil without a hidden layer
	adagrad        *adagrad.AdaGrad[float32]
	headRate       *adagrad.AdaGrad[float32]
	rows, memory   []float32 // scratch: gathered rows
}

func newNetwork(outputs int, o *Options) *network {
	n := &network{columns: outputs, adagrad: adagrad.New[float32](adagrad.NewConfig(o.Rate, 1e-8))}
	if o.Hidden > 0 {
		n.columns = o.Hidden
	}
	n.table = make([]float32, n.columns<<o.Bits)
	n.squares = make([]float32, n.columns<<o.Bits)
	n.bias = parameter(make([]float32, n.columns), 1, n.columns)
	if o.Hidden == 0 {
		return n
	}
	random := rand.New(rand.NewPCG(o.Seed, 1))
	uniform := func(values []float32, size float64) []float32 {
		for i := range values {
			values[i] = float32((2*random.Float64() - 1) * size)
		}
		return values
	}
	uniform(n.table, 1/float64(o.Hidden)) // as fastText
	n.head = parameter(uniform(make([]float32, o.Hidden*outputs), 1/math.Sqrt(float64(o.Hidden))), o.Hidden, outputs)
	n.headBias = parameter(make([]float32, outputs), 1, outputs)
	n.headRate = adagrad.New[float32](adagrad.NewConfig(o.Rate/10, 1e-8))
	return n
}

// parameter makes a parameter that changes data in place.
func parameter(data []float32, rows, columns int) *nn.Param {
	p := &nn.Param{Matrix: matrix(data, rows, columns)}
	p.SetRequiresGrad(true)
	return p
}

func matrix(data []float32, rows, columns int) mat.Matrix {
	return mat.NewDense[float32](mat.WithShape(rows, columns), mat.WithBacking(data))
}

// output is the graph from a text's rows to its outputs, 1 × outputs. Shapes always fit: spago would end the process if they
// did not.
func (n *network) output(rows mat.Tensor, e *example) mat.Tensor {
	mean := ag.Add(ag.Mul(matrix(e.x, 1, len(e.x)), rows), n.bias)
	if n.head == nil {
		return mean
	}
	return ag.Add(ag.Mul(ag.Tanh(mean), n.head), n.headBias)
}

// step learns from one example, and gives its loss.
func (n *network) step(e *example) (float64, error) {
	n.rows, n.memory = n.gather(n.rows[:0], n.table, e), n.gather(n.memory[:0], n.squares, e)
	p := parameter(n.rows, len(e.index), n.columns)
	p.State = &adagrad.State{M: matrix(n.memory, len(e.index), n.columns)}
	loss := ag.NewOperator(&crossEntropy{outputs: n.output(p, e), class: e.class, weight: e.weight}).Run()
	value := loss.Value().Item().F64()
	if err := ag.Backward(loss); err != nil {
		return 0, fmt.Errorf("gradient: %w", err)
	}
	for _, own := range []*nn.Param{p, n.bias} {
		if err := n.adagrad.OptimizeParams(own); err != nil {
			return 0, err
		}
	}
	if n.head != nil {
		for _, own := range []*nn.Param{n.head, n.headBias} {
			if err := n.headRate.OptimizeParams(own); err != nil {
				return 0, err
			}
		}
	}
	for i, at := range e.index {
		from, to := int(at)*n.columns, i*n.columns
		copy(n.table[from:from+n.columns], n.rows[to:])
		copy(n.squares[from:from+n.columns], n.memory[to:])
	}
	return value, nil
}

// gather appends the rows that an example touches.
func (n *network) gather(to, from []float32, e *example) []float32 {
	for _, at := range e.index {
		to = append(to, from[int(at)*n.columns:(int(at)+1)*n.columns]...)
	}
	return to
}

// crossEntropy is the loss as an operator of spago: weight × -log P(class), by the logistic function of one output, or softmax of
// several.
type crossEntropy struct {
	outputs mat.Tensor
	class   int
	weight  float32
	slope   []float32 // of the loss by each output
}

func (c *crossEntropy) Operands() []mat.Tensor { return []mat.Tensor{c.outputs} }

func (c *crossEntropy) Forward() (mat.Tensor, error) {
	z := mat.Data[float32](c.outputs.Value().(mat.Matrix))
	p := make([]float64, max(2, len(z)))
	softmax(p, z)
	c.slope = make([]float32, len(z))
	for i := range z {
		class := i
		if len(z) == 1 {
			class = 1
		}
		c.slope[i] = c.weight * float32(p[class])
		if class == c.class {
			c.slope[i] -= c.weight
		}
	}
	return mat.Scalar(float32(float64(c.weight) * -math.Log(max(p[c.class], 1e-30)))), nil
}

func (c *crossEntropy) Backward(gy mat.Tensor) error {
	slope := matrix(c.slope, 1, len(c.slope))
	slope.ProdScalarInPlace(gy.Item().F64())
	c.outputs.AccGrad(slope)
	return nil
}

// softmax gives the probability of each class: of two classes by the log-odds of the second.
func softmax[F float32 | float64](p []float64, z []F) {
	if len(z) == 1 {
		p[1] = 1 / (1 + math.Exp(-float64(z[0])))
		p[0] = 1 / (1 + math.Exp(float64(z[0])))
		return
	}
	top := math.Inf(-1)
	for _, v := range z {
		top = max(top, float64(v))
	}
	sum := 0.0
	for i, v := range z {
		p[i] = math.Exp(float64(v) - top)
		sum += p[i]
	}
	for i := range p {
		p[i] /= sum
	}
}
