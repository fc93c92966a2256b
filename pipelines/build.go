package pipelines

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"

	"github.com/tiktoken-go/tokenizer"

	"winnow"
	"winnow/crawl/extract"
	"winnow/dedup"
	"winnow/dedup/cut"
	"winnow/filter"
	"winnow/filter/custom"
	"winnow/filter/decontam"
	"winnow/filter/lang"
	"winnow/filter/pii"
	"winnow/filter/repair"
	"winnow/filter/symbols"
	"winnow/filter/urls"
	"winnow/pipelines/engine"
	"winnow/rephrase"
)

// Build makes the stages and the source of a recipe. raw is the recipe's bytes, program the version that run.json names.
// Plan.Shards stays empty until Shards is called.
func Build(r *Recipe, raw []byte, program string) (*engine.Plan, error) {
	p := &engine.Plan{
		Name: r.Name, Recipe: raw, Program: program, Seed: r.Seed,
		Root: orDefault(r.Output.Dir, "runs"), Dropped: engine.Dropped(orDefault(r.Output.Dropped, "all")), FileSize: int64(r.Output.FileSize),
		Source: r.source(), Tokens: countTokens,
		Bounds: map[string]map[string]winnow.Bound{}, Params: map[string]string{},
	}
	if p.FileSize == 0 {
		p.FileSize = 512 << 20
	}
	var closers []io.Closer
	p.Close = func() (err error) {
		for _, c := range closers {
			err = errors.Join(err, c.Close())
		}
		return err
	}
	for i := range r.Stages {
		stage, err := r.stage(i, signals(p.Steps), &closers)
		if err != nil {
			return nil, r.blame(i, err)
		}
		step := engine.Step{Label: r.label(i), Stage: stage}
		if d := r.Stages[i].Dedup; d != nil {
			step.Against = d.against(p.Root)
		}
		p.Steps = append(p.Steps, step)
		describe(p, i)
	}
	return p, r.checkExpect(p)
}

// signals are those of all steps so far.
func signals(steps []engine.Step) (all []winnow.Signal) {
	for _, s := range steps {
		all = append(all, s.Stage.Signals()...)
	}
	return all
}

// stage makes stage i out of the one field that is set. before are the signals of earlier stages.
func (r *Recipe) stage(i int, before []winnow.Signal, closers *[]io.Closer) (winnow.Stage, error) {
	s := &r.Stages[i]
	switch {
	case s.URL != nil:
		return urls.New(urls.Options{
			Domains: s.URL.Domains, URLs: s.URL.URLs,
			HardWords: s.URL.HardWords, SoftWords: s.URL.SoftWords, Subwords: s.URL.Subwords, MinSoft: s.URL.MinSoft,
			UT1: s.URL.UT1, Categories: s.URL.Categories,
		})
	case s.Extract != nil:
		return extract.New(extract.Options{
			MinChars: s.Extract.MinChars, MaxBytes: int64(s.Extract.MaxBytes), Mode: extract.Mode(s.Extract.Mode),
			Format: extract.Format(s.Extract.Format), Links: s.Extract.Links, Images: s.Extract.Images,
		}), nil
	case s.Language != nil:
		o := lang.Options{Keep: s.Language.Keep, MinScore: orZero(s.Language.MinScore), Model: s.Language.Model}
		if s.Language.MinScore != nil && o.MinScore == 0 {
			o.MinScore = -1 // an explicit 0 is no bound
		}
		return lang.New(o)
	case s.Filter != nil:
		return newFilter(s.Filter)
	case s.Repair != nil:
		return newRepair(s.Repair, slices.ContainsFunc(r.Stages[i:], func(s StageSpec) bool { return s.Extract != nil }))
	case s.Rule != nil:
		c := s.Rule
		return custom.New(custom.Options{ID: c.ID, Measure: c.Measure, Min: c.Min, Max: c.Max, Langs: c.Langs, Label: c.Label, Signals: before})
	case s.Decontaminate != nil:
		c := s.Decontaminate
		return decontam.New(decontam.Options{
			Items: decontam.Files(c.Files, c.Fields), Words: c.Words, Han: c.Han, Share: c.Share, Flag: c.Mode == "flag",
		})
	case s.PII != nil:
		return pii.New(pii.Options{
			Email: s.PII.Email, IP: s.PII.IP, PhoneCN: s.PII.PhoneCN, IDCardCN: s.PII.IDCardCN,
			Phone: s.PII.Phone, Card: s.PII.Card, Key: s.PII.APIKey,
		})
	case s.Dedup != nil:
		return newDedup(s.Dedup, before)
	case s.SymbolLines != nil:
		return symbols.New(symbols.Options{Symbols: s.SymbolLines.Symbols, With: s.SymbolLines.With}), nil
	case s.Boilerplate != nil:
		return cut.NewBoilerplate(cut.BoilerplateOptions{MinPages: s.Boilerplate.MinPages, MinShare: s.Boilerplate.MinShare})
	case s.Quality != nil:
		return newQuality(s.Quality)
	case s.Rephrase != nil:
		return newRephrase(s.Rephrase, orDefault(r.Output.Dir, "runs"), closers)
	}
	return nil, errors.New("the stage has no name")
}

// newRepair makes the stage; page says that it stands in front of extraction.
func newRepair(s *RepairSpec, page bool) (winnow.Stage, error) {
	off := func(b *bool) bool { return b != nil && !*b }
	return repair.New(repair.Options{
		KeepMojibake: off(s.Mojibake), KeepForm: off(s.NFC), KeepInvisible: off(s.Invisible), KeepSpaces: off(s.Spaces),
		FoldWidth: s.FoldWidth, Page: page, Script: s.Script,
	})
}

func newFilter(s *FilterSpec) (winnow.Stage, error) {
	o := filter.Options{Profile: s.Profile, Use: s.Use, Off: map[string][]string{}, Set: map[string]map[string]filter.BoundSpec{}}
	for language, names := range s.Off {
		if language == "all" {
			language = ""
		}
		o.Off[language] = names
	}
	for rule, spec := range s.Set {
		bounds, err := spec.bounds()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", rule, err)
		}
		o.Set[rule] = bounds
	}
	o.C4.EndMarks = s.C4.TerminalPunct
	if s.C4.MinLineWords > 0 {
		o.C4.MinLineWords = &s.C4.MinLineWords
	}
	return filter.New(o)
}

// bounds reads {min, max, language: {min, max}}.
func (b BoundSpec) bounds() (map[string]filter.BoundSpec, error) {
	out := map[string]filter.BoundSpec{}
	for k, v := range b {
		if inner, ok := v.(map[string]any); ok {
			sub, err := BoundSpec(inner).bounds()
			if err != nil || len(sub) > 1 || k == "min" || k == "max" {
				return nil, fmt.Errorf("%q: write {min: 1, max: 2}, or {%s: {min: 1}} for one language", k, k)
			}
			out[k] = sub[""]
			continue
		}
		x, ok := number(v)
		spec := out[""]
		switch {
		case ok && k == "min":
			spec.Min = &x
		case ok && k == "max":
			spec.Max = &x
		default:
			return nil, fmt.Errorf("%q: write {min: 1, max: 2}, or {zh: {min: 1}} for one language", k)
		}
		out[""] = spec
	}
	return out, nil
}

func number(v any) (float64, bool) {
	switch v := v.(type) {
	case uint64:
		return float64(v), true
	case int64:
		return float64(v), true
	case float64:
		return v, true
	}
	return 0, false
}

// blame points a stage's error at the name in the recipe that it is about, else at the stage.
func (r *Recipe) blame(i int, err error) error {
	path := fmt.Sprintf("$.stages[%d]", i)
	var unknown *filter.UnknownError
	if errors.As(err, &unknown) {
		return r.src.named(path, unknown.Name, unknown.Nearest, "unknown %s %q", unknown.Kind, unknown.Name)
	}
	var wrong *custom.Error
	if errors.As(err, &wrong) {
		return r.src.within(path+".rule.measure", wrong.Column, wrong.Nearest, "rule %s: %s", wrong.Rule, wrong.Msg)
	}
	var style *rephrase.UnknownStyleError
	if errors.As(err, &style) {
		return r.src.named(path+".rephrase", style.Name, style.Nearest, "%v", err)
	}
	var guard *rephrase.UnknownGuardError
	if errors.As(err, &guard) {
		return r.src.named(path+".rephrase", guard.Name, guard.Nearest, "%v", err)
	}
	var file *os.PathError
	if errors.As(err, &file) {
		return r.src.named(path, file.Path, "", "%s: %v", file.Path, file.Err)
	}
	return r.src.at(path+"."+r.Stages[i].name(), "", "%v", err)
}

// label names a stage in verdicts and reports: its name, and where the recipe has more than one of it, also its method or
// its number.
func (r *Recipe) label(i int) string {
	name, same := r.Stages[i].name(), 0
	number := 1
	for j := range r.Stages {
		if r.Stages[j].name() == name {
			same++
			if j < i {
				number++
			}
		}
	}
	if d := r.Stages[i].Dedup; d != nil && same > 1 {
		taken := 0
		for j := range i {
			if o := r.Stages[j].Dedup; o != nil && o.Method == d.Method {
				taken++
			}
		}
		if taken == 0 {
			return name + "-" + d.Method
		}
	}
	if number > 1 {
		return fmt.Sprintf("%s-%d", name, number)
	}
	return name
}

// describe adds what run.json tells of stage i beside its version.
func describe(p *engine.Plan, i int) {
	s := p.Steps[i]
	switch st := s.Stage.(type) {
	case *filter.Stage:
		for rule, bounds := range st.Table() {
			p.Bounds[p.Column(i, rule)] = bounds
		}
	case *decontam.Stage:
		found, short := st.Items()
		p.Params[s.Label] = fmt.Sprintf("%d benchmark items to find; %d are too short to tell by", found, short)
	}
	if n := dedup.NearOf(s.Stage); n != nil {
		p.Params[s.Label] = curve(n)
	}
	for _, sig := range p.SignalsOf(i) {
		if _, ok := p.Bounds[sig.ID]; !ok && !sig.Default.Open() {
			p.Bounds[sig.ID] = map[string]winnow.Bound{"": sig.Default}
		}
	}
}

// checkExpect refuses an expectation of a stage that is not there.
func (r *Recipe) checkExpect(p *engine.Plan) error {
	labels := []string{"retained"}
	for _, s := range p.Steps {
		labels = append(labels, s.Label)
	}
	for name := range r.Expect {
		if !slices.Contains(labels, name) {
			return r.src.at("$.expect."+name, nearest(name, labels), "no stage is called %q; known here: %s", name, strings.Join(labels, ", "))
		}
	}
	return nil
}

func orDefault(s, def string) string {
	if s == "" {
		return def
	}
	return s
}

func orZero(f *float64) float64 {
	if f == nil {
		return 0
	}
	return *f
}

// gpt2 loads GPT-2's vocabulary (r50k_base), which the library embeds, at first use.
var gpt2 = sync.OnceValues(func() (tokenizer.Codec, error) { return tokenizer.Get(tokenizer.R50kBase) })

// countTokens is the exact number of GPT-2 tokens of a text, as FineWeb's token_count.
func countTokens(text string) (int64, error) {
	codec, err := gpt2()
	if err != nil {
		return 0, err
	}
	n, err := codec.Count(text)
	return int64(n), err
}
