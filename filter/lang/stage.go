package lang

import (
	"context"
	"crypto/sha256"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"winnow"
	"winnow/text"
)

// Options say which languages to keep.
type Options struct {
	Keep     []string // ISO 639 codes, "und" for texts that cannot be told; empty keeps every language
	MinScore float64  // 0..1; 0 is 0.65 where Keep is set and no bound elsewhere; negative is no bound
	Model    string   // path of a fastText model whose labels are languages (lid.176, GlotLID); empty: Identify tells
}

// DefaultMinScore is the bound that FineWeb (2024, section 3.3) sets on its own identifier's score.
const DefaultMinScore = 0.65

// Stage tells the language of each document, writes it down in Language, LangScore and LanguageScript, and keeps those
// that the options name.
type Stage struct {
	keep    []string
	score   winnow.Bound
	version string
	model   *labels // nil: Identify
}

var _ winnow.Judged = (*Stage)(nil)

// New makes the stage. A code that neither this package nor the model knows, or a score above 1, is an error.
func New(o Options) (*Stage, error) {
	if o.MinScore > 1 {
		return nil, fmt.Errorf("language: min_score %v is above 1", o.MinScore)
	}
	s := &Stage{score: winnow.Any}
	if o.Model != "" {
		var err error
		if s.model, err = openModel(o.Model); err != nil {
			return nil, fmt.Errorf("language: %w", err)
		}
	}
	for _, code := range o.Keep {
		known, ok := Parse(code)
		if s.model != nil && !ok {
			known, ok = code, s.model.knows(code)
		}
		if !ok && code != Und {
			return nil, fmt.Errorf("language: keep: unknown language %q%s", code, nearest(code))
		}
		if !ok {
			known = Und
		}
		s.keep = append(s.keep, known)
	}
	slices.Sort(s.keep)
	s.keep = slices.Compact(s.keep)
	switch {
	case o.MinScore > 0:
		s.score = winnow.AtLeast(o.MinScore)
	case o.MinScore == 0 && len(s.keep) > 0:
		s.score = winnow.AtLeast(DefaultMinScore)
	}
	sum := sha256.New()
	sum.Write([]byte(model))
	sum.Write([]byte(han))
	s.version = fmt.Sprintf("language/1 %.8x", sum.Sum(nil))
	if s.model != nil {
		s.version += " " + s.model.model.Hash()
	}
	return s, nil
}

// Name is "language".
func (*Stage) Name() string { return "language" }

// Version holds the code's number and a hash of the tables.
func (s *Stage) Version() string { return s.version }

// Bounds holds the languages kept and the least score.
func (s *Stage) Bounds() string {
	return "keep " + strings.Join(s.keep, ",") + " score " + s.score.String()
}

// Signals is the score alone.
func (s *Stage) Signals() []winnow.Signal {
	return []winnow.Signal{{ID: "language.score", EN: "confidence of the language (0-1)", ZH: "语言判定的置信度（0-1）", Default: winnow.Any}}
}

// Apply identifies the language of d.Text.
func (s *Stage) Apply(_ context.Context, d *winnow.Document) (winnow.Verdict, []winnow.Edit, error) {
	var score float32
	if s.model != nil {
		d.Language, d.LanguageScript, score = s.model.identify(d.Text)
	} else {
		d.Language, d.LanguageScript, score = Identify(d.Text)
	}
	d.LangScore = float64(score)
	d.Signals = append(d.Signals, score)
	v := s.Judge(d.Language, d.Signals[len(d.Signals)-1:])
	if v.Drop {
		v.Detail = d.Language + " " + strconv.FormatFloat(d.LangScore, 'f', 2, 64)
	}
	return v, nil, nil
}

// Judge drops languages that are not kept (language.keep), then scores below the bound (language.score).
func (s *Stage) Judge(language string, own []float32) winnow.Verdict {
	switch {
	case len(s.keep) > 0 && !slices.Contains(s.keep, language):
		return winnow.Verdict{Drop: true, Rule: "language.keep", Value: winnow.NotMeasured, Bound: winnow.Any}
	case !s.score.Holds(own[0]) && (language != Und || len(s.keep) == 0): // "und" that is kept has no score
		return winnow.Verdict{Drop: true, Rule: "language.score", Value: own[0], Bound: s.score}
	}
	return winnow.Verdict{}
}

// nearest names the language whose code or English name is nearest to word, for an error message.
func nearest(word string) string {
	var names []string
	code := make(map[string]string, 3*len(Languages))
	for _, l := range Languages {
		for _, name := range []string{l.Code, l.Long, strings.ToLower(l.Name)} {
			names = append(names, name)
			code[name] = l.Code
		}
	}
	name := text.Nearest(strings.ToLower(word), names)
	if name == "" {
		return ""
	}
	return fmt.Sprintf("; did you mean %s?", code[name])
}
