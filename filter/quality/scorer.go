package quality

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"winnow/filter/quality/classify"
	"winnow/filter/quality/fasttext"
	"winnow/text"
)

// Source names a classifier: a file as classify.Model.Write writes it, or a model of fastText. Label is whose probability is the score:
// fastText's models need one, and so do winnow's of more than two classes.
type Source struct {
	Model     string   `yaml:"model"`     // path
	Label     string   `yaml:"label"`     // fastText: with or without __label__
	Normalise []string `yaml:"normalise"` // fastText: steps in order, see Steps; none: newline
}

// ParseSource reads PATH or PATH#LABEL; normalise is for models of fastText.
func ParseSource(s string, normalise []string) Source {
	path, label, _ := strings.Cut(s, "#")
	return Source{path, label, normalise}
}

// Scorer gives a text a score from 0 to 1, and is safe for concurrent use. Hash identifies model and options.
type Scorer interface {
	Score(text string) float32
	Hash() string
}

// Open reads the classifier of a source. Which kind it is the file's first bytes tell.
func Open(s Source) (Scorer, error) {
	foreign, err := IsFastText(s.Model)
	if err != nil {
		return nil, err
	}
	if foreign {
		return openFastText(s)
	}
	m, err := OpenModel(s.Model)
	if err != nil {
		return nil, err
	}
	switch {
	case len(s.Normalise) > 0:
		return nil, fmt.Errorf("quality: %s: normalise is for models of fastText", s.Model)
	case s.Label != "":
		class, err := m.Find(s.Label)
		if err != nil {
			return nil, fmt.Errorf("quality: %s: %w", s.Model, err)
		}
		return &oneOfMany{m, class}, nil
	case len(m.Labels()) > 2:
		some := m.Labels()
		return nil, fmt.Errorf("quality: %s: label: say which one is good; the model has %q", s.Model, some[:min(8, len(some))])
	}
	return m, nil
}

// IsFastText tells whether a file is a model of fastText.
func IsFastText(path string) (bool, error) {
	f, err := os.Open(path)
	if err != nil {
		return false, fmt.Errorf("quality: %w", err)
	}
	defer f.Close()
	var first uint32
	if err := binary.Read(f, binary.LittleEndian, &first); err != nil {
		return false, fmt.Errorf("quality: %s: %w", path, err)
	}
	return first == fasttext.Magic, nil
}

// OpenModel reads a model of winnow's own.
func OpenModel(path string) (*classify.Model, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("quality: %w", err)
	}
	defer f.Close()
	m, err := classify.Read(f)
	if err != nil {
		return nil, fmt.Errorf("quality: %s: %w", path, err)
	}
	return m, nil
}

// oneOfMany scores by the probability of one class.
type oneOfMany struct {
	model *classify.Model
	class int
}

func (o *oneOfMany) Score(text string) float32 { return o.model.Probability(text, o.class) }
func (o *oneOfMany) Hash() string              { return o.model.Hash() + " " + o.model.Labels()[o.class] }

// Steps are what a text can go through before fastText reads it as one line.
var Steps = []string{"newline", "lower", "marks", "escape", "spaces"}

// step does one of Steps.
func step(name, s string) string {
	switch name {
	case "newline": // DCLM: white space at the ends goes, lines are joined by spaces
		var b strings.Builder
		b.Grow(len(s))
		for line := range text.SplitLines(text.Trim(s)) {
			if b.Len() > 0 {
				b.WriteByte(' ')
			}
			b.WriteString(line)
		}
		return b.String()
	case "lower":
		return strings.ToLower(s)
	case "marks": // NFKD without Mn, as Ultra-FineWeb
		return strings.Map(func(r rune) rune {
			if unicode.Is(unicode.Mn, r) {
				return -1
			}
			return r
		}, norm.NFKD.String(s))
	case "escape": // line ends and tabs as the two characters that programs write them with, as Ultra-FineWeb
		return strings.NewReplacer("\n", `\n`, "\r", `\r`, "\t", `\t`).Replace(s)
	case "spaces":
		return strings.Join(strings.FieldsFunc(s, func(r rune) bool { return r == ' ' }), " ")
	}
	return s
}

// foreign is a model of fastText with one label to look at.
type foreign struct {
	model *fasttext.Model
	label string
	steps []string
}

func openFastText(s Source) (Scorer, error) {
	m, err := fasttext.Open(s.Model)
	if err != nil {
		return nil, fmt.Errorf("quality: %w", err)
	}
	switch {
	case !m.Classifier():
		return nil, fmt.Errorf("quality: %s: word vectors, no classifier", s.Model)
	case s.Label == "":
		some := m.Labels()
		return nil, fmt.Errorf("quality: %s: label: say which one is good; the model has %q", s.Model, some[:min(8, len(some))])
	}
	label, err := m.Label(s.Label)
	if err != nil {
		return nil, fmt.Errorf("quality: %s: %w", s.Model, err)
	}
	steps, err := checkSteps(s.Normalise)
	return &foreign{m, label, steps}, err
}

// checkSteps gives the steps to take; none stands for newline.
func checkSteps(names []string) ([]string, error) {
	for _, name := range names {
		if !slices.Contains(Steps, name) {
			hint := ""
			if near := text.Nearest(name, Steps); near != "" {
				hint = "; did you mean " + near + "?"
			}
			return nil, errors.New("quality: normalise: there is no " + name + hint)
		}
	}
	if len(names) == 0 {
		names = Steps[:1]
	}
	return names, nil
}

// line is what the model gets to read of a text. Line ends that no step took out become spaces: fastText would stop there.
func (f *foreign) line(s string) string { return prepare(f.steps, s) }

func prepare(steps []string, s string) string {
	for _, name := range steps {
		s = step(name, s)
	}
	return strings.ReplaceAll(s, "\n", " ")
}

func (f *foreign) Score(s string) float32 { return f.model.Probability(f.line(s), f.label) }

func (f *foreign) Hash() string {
	return f.model.Hash() + " " + f.label + " " + strings.Join(f.steps, ",")
}
