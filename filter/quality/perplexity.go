package quality

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"winnow"
	"winnow/filter/quality/kenlm"
	"winnow/text"
)

// PerplexityOptions name a language model and what it may think of a text.
type PerplexityOptions struct {
	Model   string   // ARPA file or KenLM's probing binary
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
	model   *kenlm.Model
	cutoffs map[string][2]float64
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
	p := &Perplexity{o: o, bound: winnow.Any}
	if o.Max > 0 {
		p.bound = winnow.AtMost(o.Max)
	}
	var err error
	if p.model, err = kenlm.Open(o.Model); err != nil {
		return nil, fmt.Errorf("quality: %w", err)
	}
	if o.Cutoffs != "" {
		p.cutoffs, err = readCutoffs(o.Cutoffs)
	}
	return p, err
}

// readCutoffs reads the rows of the 30th and the 60th percentile.
func readCutoffs(path string) (map[string][2]float64, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("quality: cutoffs: %w", err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil || len(rows) == 0 {
		return nil, fmt.Errorf("quality: cutoffs: %s: no table: %w", path, err)
	}
	cutoffs, found := map[string][2]float64{}, 0
	for _, row := range rows[1:] {
		at := slices.Index([]string{"30", "60"}, strings.TrimSuffix(row[0], ".0"))
		if at < 0 {
			continue
		}
		found++
		for i, cell := range row[1:] {
			v, err := strconv.ParseFloat(cell, 64)
			if err != nil {
				return nil, fmt.Errorf("quality: cutoffs: %s: %q is no number", path, cell)
			}
			c := cutoffs[rows[0][i+1]]
			c[at] = v
			cutoffs[rows[0][i+1]] = c
		}
	}
	if found != 2 {
		return nil, fmt.Errorf("quality: cutoffs: %s: want one row for each of the percentiles 30 and 60", path)
	}
	return cutoffs, nil
}

// Name is "quality".
func (p *Perplexity) Name() string { return "quality" }

// Version identifies the code, the model, how texts are read and the cutoffs.
func (p *Perplexity) Version() string {
	return fmt.Sprintf("perplexity/1 %s %s %v %v", p.model.Hash(), p.o.Tokens, p.o.CCNet, p.cutoffs)
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

// Apply measures d's text. A language without cutoffs has no tier.
func (p *Perplexity) Apply(_ context.Context, d *winnow.Document) (winnow.Verdict, []winnow.Edit, error) {
	value, tier := min(p.measure(d.Text), math.MaxFloat32), winnow.NotMeasured
	if c, ok := p.cutoffs[d.Language]; ok {
		tier = 2
		if value < c[0] {
			tier = 0
		} else if value < c[1] {
			tier = 1
		}
	}
	d.Signals = append(d.Signals, float32(value), tier)
	return p.Judge(d.Language, d.Signals[len(d.Signals)-2:]), nil, nil
}

func (p *Perplexity) measure(s string) float64 {
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
	return p.model.Perplexity(s)
}

// Judge drops what the model finds too unlikely, and tiers that are not kept; what has no tier stays.
func (p *Perplexity) Judge(_ string, own []float32) winnow.Verdict {
	switch {
	case !p.bound.Holds(own[0]):
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
