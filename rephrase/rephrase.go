// Package rephrase turns Documents into better ones: a language model writes each text again in one or several styles.
// Documents flow in, segment by segment through a Completer; derived Documents flow out beside them, each with its verdict and with
// what every guard measured, and each original learns how many of its segments were asked for and taken.
//
// A model's answer is not trusted. It is cleaned of what models say around an answer, and measured against its segment by guards:
// length, scripts, copying, repetition, and the numbers, dates, addresses and names that it keeps or makes up. A segment without
// an acceptable answer stays as it was, or its document goes, as Options say. What the network does to a single request never
// fails a run; what would fail every request ends it, and the cache of package openai lets the same run go on later.
package rephrase

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"winnow"
	"winnow/rephrase/openai"
)

// codeVersion changes when the same answers would give other documents.
const codeVersion = "rephrase/3"

// Completer answers requests in order. A failure of one request stands in its Answer; an error ends the run.
type Completer interface {
	CompleteAll(ctx context.Context, reqs []openai.Request) ([]openai.Answer, error)
}

// Mode says what becomes of a document that was rephrased.
type Mode string

const (
	Add     Mode = "add"     // it stays, beside what was derived from it
	Replace Mode = "replace" // it is dropped as rephrase.replaced
)

// Reject says what becomes of a segment whose answer is rejected.
type Reject string

const (
	Original Reject = "original" // it stays as it was; the document goes only where fewer than Options.MinAccepted were accepted
	Drop     Reject = "drop"     // the derived document goes
)

// Mix is a ratio of documents: of an original that was rewritten and of what was derived from it, a draw by the hash of the id
// keeps so many that the ratio holds on average. The zero Mix draws nothing.
type Mix struct{ Original, Synthetic float64 }

// Budget bounds what all documents together may ask for; 0: no limit.
type Budget struct {
	Tokens   int64 // prompt and longest answer
	Requests int64
	Dollars  float64 // at Options.Price
}

// Options say what to ask and what to accept. Start from Defaults. Lengths are in estimated tokens
// (openai.EstimateTokens), but for MaxTokens.
type Options struct {
	Styles []*Style // each makes its own derived documents
	Copies int      // how often each style is asked, with seeds Seed, Seed+1 ...
	Mode   Mode
	Reject Reject
	Mix    Mix

	Model       string // as in openai.Request
	Temperature float64
	TopP        float64
	Seed        int64
	MaxTokens   int // longest answer, in the model's tokens

	MinTokens   int     // shorter documents are not rephrased
	Segment     int     // longest piece of text in one request
	MinAccepted float64 // 0..1, share of segments that must be accepted for a derived document
	Guards      Guards  // laid over those of the styles

	Budget Budget
	Price  openai.Price
}

// Defaults are Options but for Styles and Model. Segment is the length above which WRAP (arXiv 2401.16380) saw information
// lost; Temperature, TopP and MinTokens are those of Nemotron-CC (arXiv 2412.02595) in NeMo Curator.
func Defaults() Options {
	return Options{
		Copies: 1, Mode: Add, Temperature: 0.5, TopP: 0.9, MaxTokens: 1024,
		MinTokens: 30, Segment: 300, MinAccepted: 0.5, Reject: Original,
	}
}

func (o Options) check() error {
	seen := make(map[string]bool)
	for _, s := range o.Styles {
		if s == nil || seen[s.name] {
			return fmt.Errorf("rephrase: styles: missing, or two of the same name")
		}
		seen[s.name] = true
	}
	switch {
	case len(o.Styles) == 0:
		return fmt.Errorf("rephrase: no style")
	case o.Model == "":
		return fmt.Errorf("rephrase: no model")
	case o.Mode != Add && o.Mode != Replace:
		return fmt.Errorf("rephrase: mode %q: write add or replace", o.Mode)
	case o.Reject != Original && o.Reject != Drop:
		return fmt.Errorf("rephrase: reject %q: write original or drop", o.Reject)
	case o.Mix != Mix{} && !(o.Mix.Original >= 0 && o.Mix.Synthetic > 0):
		return fmt.Errorf("rephrase: mix: original must be 0 or more, synthetic above 0")
	case o.Budget.Tokens < 0 || o.Budget.Requests < 0 || o.Budget.Dollars < 0 || o.Price.Prompt < 0 || o.Price.Completion < 0:
		return fmt.Errorf("rephrase: budget and price must not be negative")
	case o.Budget.Dollars > 0 && o.Price == openai.Price{}:
		return fmt.Errorf("rephrase: a budget in dollars needs the price of a million tokens")
	case o.Copies < 1 || o.MinTokens < 0 || o.Segment < minSegment || o.MaxTokens < o.Segment:
		return fmt.Errorf("rephrase: needs copies from 1, segments from %d tokens, and answers at least as long", minSegment)
	case !(o.Temperature >= 0 && o.Temperature <= 2) || !(o.TopP > 0 && o.TopP <= 1):
		return fmt.Errorf("rephrase: temperature must be 0 to 2, top_p above 0 and up to 1")
	case !(o.MinAccepted >= 0 && o.MinAccepted <= 1):
		return fmt.Errorf("rephrase: share of accepted segments %g: must be 0 to 1", o.MinAccepted)
	}
	return nil
}

// Stage is the winnow.Batch stage rephrase.
type Stage struct {
	c       Completer
	o       Options
	version string
	bounds  map[string]bounds // by style
}

// New makes the stage.
func New(c Completer, o Options) (*Stage, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	version, err := o.version()
	if err != nil {
		return nil, err
	}
	s := &Stage{c, o, version, map[string]bounds{}}
	for _, style := range o.Styles {
		b, err := style.guards.over(defaultBounds())
		if err == nil {
			b, err = o.Guards.over(b)
		}
		if err != nil {
			return nil, err
		}
		s.bounds[style.name] = b
	}
	return s, nil
}

func (o Options) version() (string, error) {
	type style struct{ Name, Hash string }
	var styles []style
	for _, s := range o.Styles {
		styles = append(styles, style{s.name, s.hash})
	}
	guards := fmt.Sprint(o.Guards) // in the order of names; an open bound has no JSON
	o.Styles, o.Guards = nil, nil
	b, err := json.Marshal(struct {
		Options Options
		Styles  []style
		Guards  string
	}{o, styles, guards})
	if err != nil {
		return "", fmt.Errorf("rephrase: %w", err)
	}
	sum := sha256.Sum256(b)
	return codeVersion + " " + hex.EncodeToString(sum[:16]), nil
}

// Name is rephrase.
func (s *Stage) Name() string { return "rephrase" }

// Version covers code, model, parameters, guards, budget and the contents of the styles' files; not the endpoint.
func (s *Stage) Version() string { return s.version }

// columns of a document before those of the guards.
const (
	columnSegments = iota
	columnAccepted
	columnUnfunded
	columnDraw
	firstGuard
)

// Signals are, for a derived document, what was measured about it: of each guard the value of the segment that comes nearest to
// breaking it. For an original they are counts over all that was tried with it.
func (s *Stage) Signals() []winnow.Signal {
	out := []winnow.Signal{
		{ID: "rephrase.segments", EN: "segments sent to the model", ZH: "送去改写的片段数", Default: winnow.Any},
		{ID: "rephrase.accepted", EN: "share of segments with an accepted answer", ZH: "改写被采用的片段占比", Default: winnow.Any},
		{ID: "rephrase.unfunded", EN: "segments not sent because the budget was used up", ZH: "因预算用尽而未送出的片段数", Default: winnow.Any},
		{ID: "rephrase.mix", EN: "draw of the mixture (0..1)", ZH: "混合抽签值（0..1）", Default: winnow.Any},
	}
	for i, g := range guards {
		out = append(out, winnow.Signal{ID: g.id, EN: g.en, ZH: g.zh, Default: s.hull(i)})
	}
	return out
}

// hull is the bound of a guard that holds wherever that of one of the styles does: what a verdict names is its style's own.
func (s *Stage) hull(i int) winnow.Bound {
	b := s.bounds[s.o.Styles[0].name][i]
	for _, style := range s.o.Styles {
		own := s.bounds[style.name][i]
		b = winnow.Bound{Min: min(b.Min, own.Min), Max: max(b.Max, own.Max)}
	}
	return b
}
