package classify

import (
	"cmp"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/nlpodyssey/spago/mat"
)

// Options govern training. The zero value of each field stands for its default, but for Hidden and HeldOut.
type Options struct {
	Features
	Hidden    int     `json:"hidden,omitempty"` // units of the hidden layer, up to 256; 0: a linear model
	Epochs    int     `json:"epochs"`           // passes over the examples; default 5, as fastText
	Rate      float64 `json:"rate"`             // step size of AdaGrad; default 0.5. A hidden layer's outputs learn at a tenth of it
	Seed      uint64  `json:"seed"`             // of the order of examples, of what is held out, and of a hidden layer's first weights
	HeldOut   float64 `json:"held_out"`         // share of the texts that calibrates and measures, and is not learnt from; 0 to 0.5
	Calibrate string  `json:"calibrate"`        // platt (default), isotonic (two classes only), none
	Keep      float64 `json:"keep,omitempty"`   // share of the held-out texts that the model's threshold keeps; 0: no threshold
}

const maxHidden, maxLabels = 256, 1000

func (o Options) withDefaults() Options {
	o.Features = o.Features.withDefaults()
	o.Epochs, o.Rate, o.Calibrate = cmp.Or(o.Epochs, 5), cmp.Or(o.Rate, .5), cmp.Or(o.Calibrate, "platt")
	return o
}

func (o Options) check(s *Set) error {
	if err := o.Features.check(); err != nil {
		return err
	}
	switch {
	case o.Epochs < 1 || !(o.Rate > 0) || o.Hidden < 0 || o.Hidden > maxHidden:
		return fmt.Errorf("epochs %d, rate %g, hidden %d: out of range", o.Epochs, o.Rate, o.Hidden)
	case !(o.HeldOut >= 0 && o.HeldOut <= .5) || !(o.Keep >= 0 && o.Keep < 1):
		return fmt.Errorf("held out %g, keep %g: out of range", o.HeldOut, o.Keep)
	case !slices.Contains([]string{"platt", "isotonic", "none"}, o.Calibrate):
		return fmt.Errorf("calibrate %q, want platt, isotonic or none", o.Calibrate)
	case len(s.Labels) < 2 || len(s.Labels) > maxLabels:
		return fmt.Errorf("%d classes, want 2 to %d", len(s.Labels), maxLabels)
	case slices.Contains(s.Labels, ""):
		return errors.New("a class without a name")
	case slices.ContainsFunc(s.Labels, func(name string) bool { return strings.Contains(name, "; ") }): // which lists names in signals
		return errors.New("a class whose name holds a semicolon and a space")
	case tooLarge(o.columns(len(s.Labels)), o.Bits):
		return fmt.Errorf("%d columns of 2^%d buckets are more than %d weights: take fewer of either", o.columns(len(s.Labels)), o.Bits, maxWeights)
	case o.Calibrate == "isotonic" && len(s.Labels) > 2, o.Keep > 0 && len(s.Labels) > 2:
		return fmt.Errorf("isotonic and keep are for two classes, not for %d", len(s.Labels))
	case o.Keep > 0 && o.HeldOut == 0:
		return fmt.Errorf("keep %g: nothing is held out to find the threshold on", o.Keep)
	}
	return nil
}

// columns is the numbers in a bucket's row: the units of the hidden layer, or the outputs.
func (o *Options) columns(classes int) int {
	switch {
	case o.Hidden > 0:
		return o.Hidden
	case classes == 2:
		return 1
	}
	return classes
}

// maxWeights bounds the table of a model: 1 GiB in its file, and eight times that while it learns.
const maxWeights = 1 << 30

func tooLarge(columns int, bits uint) bool { return columns > maxWeights>>bits }

// Train fits a model by AdaGrad, one text at a time. All classes weigh the same, and so they do within the texts that are
// mostly Han and within all others, so that a class's language is not mistaken for it. Texts without words are passed over. The
// held-out part (Options.HeldOut) calibrates the model, so that a score is a probability at the share of classes among the texts,
// and fills the card. The same texts in the same order and the same options give the same model, byte for byte, on one kind of
// processor; on others the last bit of a sum may differ, which shows only where it tips the rounding of a weight.
func Train(s Set, o Options) (*Model, *Card, error) {
	o = o.withDefaults()
	if err := o.check(&s); err != nil {
		return nil, nil, fmt.Errorf("classify: train: %w", err)
	}
	train, held := s, Set{Labels: s.Labels}
	if o.HeldOut > 0 {
		train, held = s.split(o.HeldOut, o.Seed)
	}
	examples := train.list(&o.Features)
	for class, label := range s.Labels {
		if !slices.ContainsFunc(examples, func(e example) bool { return e.class == class }) {
			return nil, nil, fmt.Errorf("classify: train: no text with words in the class %s", label)
		}
	}
	weigh(examples, len(s.Labels))
	n, losses, err := fit(examples, len(s.Labels), &o)
	if err != nil {
		return nil, nil, fmt.Errorf("classify: train: %w", err)
	}
	m := newModel(n, s.Labels, &o, s.origin(o))
	c := newCard(&s, &train, &held, &o, losses)
	if err := m.finish(&held, &o, c); err != nil {
		return nil, nil, fmt.Errorf("classify: train: %w", err)
	}
	return m, c, nil
}

// fit runs the epochs, and gives the mean loss of each. It reorders examples.
func fit(examples []example, classes int, o *Options) (*network, []float64, error) {
	outputs := classes
	if classes == 2 {
		outputs = 1
	}
	n := newNetwork(outputs, o)
	order := rand.New(rand.NewPCG(o.Seed, 0))
	var losses []float64
	for range o.Epochs {
		order.Shuffle(len(examples), func(i, j int) { examples[i], examples[j] = examples[j], examples[i] })
		sum := 0.0
		for i := range examples {
			loss, err := n.step(&examples[i])
			if err != nil {
				return nil, nil, err
			}
			sum += loss
		}
		losses = append(losses, sum/float64(len(examples)))
	}
	return n, losses, n.sound()
}

// sound tells whether every weight is a number that a file may hold.
func (n *network) sound() error {
	all := [][]float32{n.table, mat.Data[float32](n.bias.Matrix)}
	if n.head != nil {
		all = append(all, mat.Data[float32](n.head.Matrix), mat.Data[float32](n.headBias.Matrix))
	}
	for _, weights := range all {
		for i, w := range weights {
			if !finite(w) || w > largest || w < -largest {
				return fmt.Errorf("weight %d is %g; try a smaller rate", i, w)
			}
		}
	}
	return nil
}
