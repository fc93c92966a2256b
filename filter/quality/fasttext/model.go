package fasttext

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"
)

// Model is a fastText model. It is safe for concurrent use.
type Model struct {
	args    arguments
	dict    *dictionary
	in, out matrix
	tree    []node    // of the hierarchical softmax
	sigmoid []float32 // table, for one-versus-all and negative sampling
	modulus modulus
	endHash uint32
	hash    string
	scratch sync.Pool // of *state
}

// state is what one prediction needs.
type state struct {
	features
	hidden, output []float32
	found          []Prediction
}

// Prediction is a label with its probability. As fastText has it, the probability is exp(log(p + 1e-5)) and may be up to
// 1.00001.
type Prediction struct {
	Label       string // with its prefix
	Probability float32
	index       int
}

// prepare makes what is derived from the file.
func (m *Model) prepare() error {
	m.modulus, m.endHash = newModulus(uint32(m.args.Bucket)), hash(endOfLine)
	m.scratch.New = func() any {
		return &state{hidden: make([]float32, m.args.Dim), output: make([]float32, len(m.dict.labels))}
	}
	if m.args.Model != supervised {
		return nil
	}
	if len(m.dict.labels) == 0 {
		return errors.New("a classifier without labels")
	}
	if slices.Max(m.dict.counts) >= unbuilt {
		return fmt.Errorf("a label that occurs %d times", slices.Max(m.dict.counts))
	}
	switch m.args.Loss {
	case hierarchical:
		m.tree = huffman(m.dict.counts)
	case negative, oneVersusAll:
		m.sigmoid = sigmoids()
	}
	return nil
}

// Hash is the SHA-256 of the model's file, in hex.
func (m *Model) Hash() string { return m.hash }

// Labels are the labels that it knows, with their prefix, in the file's order.
func (m *Model) Labels() []string { return slices.Clone(m.dict.labels) }

// Label gives the label of a name with or without the prefix, or an error that lists what there is.
func (m *Model) Label(name string) (string, error) {
	for _, l := range m.dict.labels {
		if l == name || l == labelPrefix+name {
			return l, nil
		}
	}
	some := m.dict.labels[:min(len(m.dict.labels), 8)]
	return "", fmt.Errorf("fasttext: the model has no label %q; it has %d, the first are %q", name, len(m.dict.labels), some)
}

// Classifier tells whether the model can predict at all; word vectors cannot.
func (m *Model) Classifier() bool { return m.args.Model == supervised }

// Predict gives the k likeliest labels of a line, the likeliest first; k below 1 gives all. A line ends at its first LF. A
// line without any feature has none, and nor has a model that is no classifier.
func (m *Model) Predict(line string, k int) []Prediction {
	s := m.scratch.Get().(*state)
	defer m.scratch.Put(s)
	return slices.Clone(m.predict(s, line, k))
}

// Probability is that of one label, prefix included, 0 to 1; 0 where the line has no feature or the model no such label.
func (m *Model) Probability(line, label string) float32 {
	s := m.scratch.Get().(*state)
	defer m.scratch.Put(s)
	for _, p := range m.predict(s, line, 0) {
		if p.Label == label && p.Probability > 0 {
			return min(p.Probability, 1)
		}
	}
	return 0
}

// Vector is the vector of a word: the mean of its own row, where it has one, and those of its character n-grams.
func (m *Model) Vector(word string) []float32 {
	s := m.scratch.Get().(*state)
	defer m.scratch.Put(s)
	s.rows, s.hashes = s.rows[:0], s.hashes[:0]
	m.token(&s.features, word, hash(word))
	m.mean(s)
	return slices.Clone(s.hidden)
}

// mean sets hidden to the mean of the features' rows.
func (m *Model) mean(s *state) {
	clear(s.hidden)
	if len(s.rows) == 0 {
		return
	}
	m.in.add(s.hidden, s.rows)
	share := float32(1 / float64(len(s.rows)))
	for i := range s.hidden {
		s.hidden[i] *= share
	}
}

func (m *Model) predict(s *state, line string, k int) []Prediction {
	s.found = s.found[:0]
	m.line(&s.features, line)
	if len(s.rows) == 0 || m.args.Model != supervised {
		return nil
	}
	m.mean(s)
	if k < 1 || k > len(m.dict.labels) {
		k = len(m.dict.labels)
	}
	if m.args.Loss == hierarchical {
		m.descend(s, k, len(m.tree)-1, 0)
	} else {
		m.activate(s)
		for i, p := range s.output {
			keep(s, k, p, i)
		}
		for i := range s.found {
			s.found[i].Probability = logOf(s.found[i].Probability)
		}
	}
	for i := range s.found {
		p := &s.found[i]
		p.Label, p.Probability = m.dict.labels[p.index], float32(math.Exp(float64(p.Probability)))
	}
	return s.found
}

// keep puts a label at its place among the k best so far, where its score is high enough. Of equal ones the first
// stays first.
func keep(s *state, k int, score float32, index int) {
	if len(s.found) == k {
		if !(score > s.found[k-1].Probability) {
			return
		}
		s.found = s.found[:k-1]
	}
	at := len(s.found)
	for at > 0 && s.found[at-1].Probability < score {
		at--
	}
	s.found = slices.Insert(s.found, at, Prediction{Probability: score, index: index})
}
