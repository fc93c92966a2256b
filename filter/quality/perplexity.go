package quality

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"winnow"
	"winnow/filter/quality/kenlm"
	"winnow/text"
)

// PerplexityOptions name a language model and what it may think of a text.
type PerplexityOptions struct {
	Model   string   // ARPA file or KenLM's probing binary; {language} in its name stands for a language's code: a model for each
	Tokens  string   // space (default): the text is tokenised already, as by SentencePiece for CCNet's models; words: as winnow counts words
	CCNet   bool     // normalise first as CCNet does
	Max     float64  // perplexity; 0: no bound
	Cutoffs string   // CCNet's cutoffs: a CSV file, a column for each language, a row for each percentile
	Keep    []string // head, middle, tail; none: all
}

// Tiers are CCNet's thirds of a language's documents by perplexity: below the 30th percentile, below the 60th, and the rest.
var Tiers = []string{"head", "middle", "tail"}

// Perplexity is the stage: the signals quality.perplexity and quality.tier. It is a winnow.Judged, and safe for concurrent use.
type Perplexity struct {
	o       PerplexityOptions
	models  map[string]*kenlm.Model // by language; "": for all
	cutoffs *Cutoffs
	bound   winnow.Bound
}

var _ winnow.Judged = (*Perplexity)(nil)

// NewPerplexity reads the model and the cutoffs.
func NewPerplexity(o PerplexityOptions) (*Perplexity, error) {
	if o.Tokens == "" {
		o.Tokens = "space"
	}
	switch {
	case o.Tokens != "space" && o.Tokens != "words":
		return nil, fmt.Errorf("quality: tokens %q: want space or words", o.Tokens)
	case !(o.Max >= 0):
		return nil, fmt.Errorf("quality: max_perplexity %g", o.Max)
	case len(o.Keep) > 0 && o.Cutoffs == "":
		return nil, errors.New("quality: keep needs cutoffs")
	}
	for _, k := range o.Keep {
		if !slices.Contains(Tiers, k) {
			return nil, fmt.Errorf("quality: keep %q: want head, middle or tail", k)
		}
	}
	p := &Perplexity{o: o, bound: winnow.Any, cutoffs: NewCutoffs()}
	if o.Max > 0 {
		p.bound = winnow.AtMost(o.Max)
	}
	var err error
	if p.models, err = openModels(o.Model); err != nil {
		return nil, err
	}
	if o.Cutoffs != "" {
		p.cutoffs, err = ReadCutoffs(o.Cutoffs)
	}
	return p, err
}

// openModels reads the models: one for all languages, under the empty name, or those that a pattern finds, by language.
func openModels(pattern string) (map[string]*kenlm.Model, error) {
	pattern = filepath.Clean(pattern) // as the names that Glob gives
	before, after, found := strings.Cut(pattern, languageMark)
	paths := []string{pattern}
	if found {
		if strings.Contains(after, languageMark) {
			return nil, fmt.Errorf("quality: %s: %s may stand there once", pattern, languageMark)
		}
		var err error
		if paths, err = filepath.Glob(literal.Replace(before) + "*" + literal.Replace(after)); err != nil || len(paths) == 0 {
			return nil, errors.Join(fmt.Errorf("quality: no model is called %s", pattern), err)
		}
	}
	models := map[string]*kenlm.Model{}
	for _, path := range paths {
		language := ""
		if found {
			language = path[len(before) : len(path)-len(after)]
		}
		m, err := kenlm.Open(path)
		if err != nil {
			return nil, fmt.Errorf("quality: %w", err)
		}
		models[language] = m
	}
	return models, nil
}

// literal makes a name a pattern that finds it alone.
var literal = strings.NewReplacer("*", "[*]", "?", "[?]", "[", "[[]")

// languageMark stands for the language in the name of a model.
const languageMark = "{language}"

// Name is "quality".
func (p *Perplexity) Name() string { return "quality" }

// Version identifies the code, the model, how texts are read and the cutoffs.
func (p *Perplexity) Version() string {
	models := ""
	for _, language := range slices.Sorted(maps.Keys(p.models)) {
		models += language + " " + p.models[language].Hash() + " "
	}
	return fmt.Sprintf("perplexity/2 %s%s %v %v", models, p.o.Tokens, p.o.CCNet, *p.cutoffs)
}

// Bounds identifies the bound and the tiers kept.
func (p *Perplexity) Bounds() string { return p.bound.String() + " " + strings.Join(p.o.Keep, ",") }

// Signals are the perplexity and the tier.
func (p *Perplexity) Signals() []winnow.Signal {
	return []winnow.Signal{
		{ID: "quality.perplexity", EN: "perplexity under the language model", ZH: "语言模型困惑度", Default: p.bound},
		{ID: "quality.tier", EN: "perplexity tier (0 head, 1 middle, 2 tail)", ZH: "困惑度分段（0 头、1 中、2 尾）", Default: winnow.Any},
	}
}

// Apply measures d's text. A language without a model has no perplexity, and one without cutoffs no tier.
func (p *Perplexity) Apply(_ context.Context, d *winnow.Document) (winnow.Verdict, []winnow.Edit, error) {
	value, tier := winnow.NotMeasured, winnow.NotMeasured
	if pp, ok := p.Of(d.Language, d.Text); ok {
		value = float32(pp)
		if t, ok := p.cutoffs.Tier(d.Language, pp); ok {
			tier = float32(t)
		}
	}
	d.Signals = append(d.Signals, value, tier)
	return p.Judge(d.Language, d.Signals[len(d.Signals)-2:]), nil, nil
}

// Of is the perplexity of a text, at most that of a float32, under the model of its language; false where there is none.
func (p *Perplexity) Of(language, s string) (float64, bool) {
	m := p.models[""]
	if m == nil {
		m = p.models[language]
	}
	if m == nil {
		return 0, false
	}
	if p.o.CCNet {
		s = ccnet(s)
	}
	if p.o.Tokens == "words" {
		var lines []string
		for line := range strings.SplitSeq(s, "\n") {
			lines = append(lines, strings.Join(text.Words(nil, line), " "))
		}
		s = strings.Join(lines, "\n")
	}
	return min(m.Perplexity(s), math.MaxFloat32), true
}

// Judge drops what the model finds too unlikely, and tiers that are not kept; what has no tier stays.
func (p *Perplexity) Judge(_ string, own []float32) winnow.Verdict {
	switch {
	case winnow.Measured(own[0]) && !p.bound.Holds(own[0]):
		return winnow.Verdict{Drop: true, Stage: p.Name(), Rule: "quality.perplexity", Value: own[0], Bound: p.bound}
	case len(p.o.Keep) > 0 && winnow.Measured(own[1]) && !slices.Contains(p.o.Keep, Tiers[int(own[1])]):
		return winnow.Verdict{Drop: true, Stage: p.Name(), Rule: "quality.tier", Value: own[1], Bound: winnow.Any}
	}
	return winnow.Verdict{}
}

// punctuation is what CCNet writes for the punctuation of other scripts (cc_net, text_normalizer.py).
var punctuation = strings.NewReplacer("，", ",", "。", ".", "、", ",", "„", `"`, "”", `"`, "“", `"`, "«", `"`, "»", `"`, "１", `"`, "」", `"`,
	"「", `"`, "《", `"`, "》", `"`, "´", "'", "∶", ":", "：", ":", "？", "?", "！", "!", "（", "(", "）", ")", "；", ";", "–", "-", "—", " - ",
	"．", ". ", "～", "~", "’", "'", "…", "...", "━", "-", "〈", "<", "〉", ">", "【", "[", "】", "]", "％", "%", "►", "-")

// ccnet lowers case, takes accents off, makes digits 0 and punctuation ASCII, and deletes control characters: lines merge.
func ccnet(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.Is(unicode.Mn, r):
			return -1
		case unicode.IsDigit(r):
			return '0'
		}
		return r
	}, norm.NFD.String(strings.ToLower(text.Trim(s))))
	return strings.Map(func(r rune) rune {
		if r < 32 || r >= 127 && r < 160 {
			return -1
		}
		return r
	}, punctuation.Replace(s))
}
