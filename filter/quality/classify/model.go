package classify

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"

	"github.com/nlpodyssey/spago/mat"

	"winnow/filter/quality/rank"
)

// Model is a trained classifier. It is safe for concurrent use.
type Model struct {
	spec    header
	table   []int8 // buckets × columns, in steps of the column's scale
	hash    string
	scratch sync.Pool // of *scratch
}

type scratch struct {
	features features
	sums     []int
	hidden   []float64
	outputs  []float64
	p        []float64
}

// newModel rounds the table to whole steps, of a size for each column in which the largest weight is 127: 1 byte a weight instead of
// 4. What the rounding costs is measured in TestQuantisation.
func newModel(n *network, labels []string, o *Options, origin [32]byte) *Model {
	m := &Model{spec: header{Features: o.Features, Labels: slices.Clone(labels), Scale: make([]float32, n.columns),
		Bias: slices.Clone(mat.Data[float32](n.bias.Matrix)), Origin: hex.EncodeToString(origin[:])}}
	if n.head != nil {
		m.spec.Head, m.spec.HeadBias = slices.Clone(mat.Data[float32](n.head.Matrix)), slices.Clone(mat.Data[float32](n.headBias.Matrix))
	}
	for i, w := range n.table {
		m.spec.Scale[i%n.columns] = max(m.spec.Scale[i%n.columns], w, -w)
	}
	for i := range m.spec.Scale {
		m.spec.Scale[i] /= math.MaxInt8
	}
	m.table = make([]int8, len(n.table))
	for i, w := range n.table {
		if w != 0 {
			m.table[i] = int8(math.RoundToEven(float64(w) / float64(m.spec.Scale[i%n.columns])))
		}
	}
	m.seal()
	return m
}

// seal makes the model ready for use.
func (m *Model) seal() {
	sum := sha256.Sum256(m.encode())
	m.hash = hex.EncodeToString(sum[:])
	m.scratch.New = func() any {
		return &scratch{sums: make([]int, len(m.spec.Bias)), hidden: make([]float64, len(m.spec.Bias)), outputs: make([]float64, m.outputs()),
			p: make([]float64, len(m.spec.Labels))}
	}
}

// Labels are the names of the classes.
func (m *Model) Labels() []string { return m.spec.Labels }

// Hash is the SHA-256, in hex, of the model as Write writes it.
func (m *Model) Hash() string { return m.hash }

// Origin is the SHA-256, in hex, of the texts and options that the model was trained with.
func (m *Model) Origin() string { return m.spec.Origin }

// Score is the probability of the second of two classes: of a good text, 0 to 1. A text without words has the score of the model's
// bias alone.
func (m *Model) Score(text string) float32 { return m.Probability(text, 1) }

// Probability is that of one class, 0 to 1.
func (m *Model) Probability(text string, class int) float32 {
	x := m.scratch.Get().(*scratch)
	defer m.scratch.Put(x)
	m.probabilities(x, text)
	return float32(x.p[class])
}

// Class is the likeliest class, the first of equals, and its probability.
func (m *Model) Class(text string) (class int, p float32) {
	x := m.scratch.Get().(*scratch)
	defer m.scratch.Put(x)
	m.probabilities(x, text)
	for i, v := range x.p {
		if v > x.p[class] {
			class = i
		}
	}
	return class, float32(x.p[class])
}

// Find is the class of a label; a label that the model does not know is an error that names some it does.
func (m *Model) Find(label string) (int, error) {
	if i := slices.Index(m.spec.Labels, label); i >= 0 {
		return i, nil
	}
	some := m.spec.Labels[:min(8, len(m.spec.Labels))]
	return 0, fmt.Errorf("no label %q; the model has %s", label, strings.Join(some, ", "))
}

func (m *Model) probabilities(x *scratch, text string) {
	m.raw(x, text)
	m.spec.Calibration.apply(x.p, x.outputs)
}

// raw computes the outputs before calibration.
func (m *Model) raw(x *scratch, text string) {
	buckets := x.features.of(text, &m.spec.Features)
	columns := len(m.spec.Bias)
	if columns == 1 {
		sum := 0
		for _, b := range buckets {
			sum += int(m.table[b])
		}
		x.sums[0] = sum
	} else {
		clear(x.sums)
		for _, b := range buckets {
			for i, w := range m.table[int(b)*columns : int(b+1)*columns : int(b+1)*columns] {
				x.sums[i] += int(w)
			}
		}
	}
	out := x.outputs
	if m.spec.Head != nil {
		out = x.hidden
	}
	for i, sum := range x.sums {
		mean := float64(sum) / float64(max(len(buckets), 1))
		out[i] = float64(m.spec.Bias[i]) + float64(mean*float64(m.spec.Scale[i]))
	}
	if m.spec.Head == nil {
		return
	}
	for i, h := range x.hidden {
		x.hidden[i] = math.Tanh(h)
	}
	for k := range x.outputs {
		z := float64(m.spec.HeadBias[k])
		for i, h := range x.hidden {
			z += float64(h * float64(m.spec.Head[i*len(x.outputs)+k]))
		}
		x.outputs[k] = z
	}
}

func (m *Model) outputs() int {
	if m.spec.Head != nil {
		return len(m.spec.HeadBias)
	}
	return len(m.spec.Bias)
}

// Threshold is the score that keeps a share of the texts held out in training; ok is false where none were.
func (m *Model) Threshold(keep float64) (score float64, ok bool) {
	if len(m.spec.Cutoffs) == 0 {
		return 0, false
	}
	return m.spec.Cutoffs.Threshold(keep), true
}

// Stored is the threshold that training was asked for, 0 where it was not, and the share it keeps.
func (m *Model) Stored() (score, keep float64) { return m.spec.Least, m.spec.Keep }

// Held is the distribution of scores of the texts held out in training; nil where none were.
func (m *Model) Held() rank.Cutoffs { return m.spec.Cutoffs }
