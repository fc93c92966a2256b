package pipelines

import (
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"winnow/filter/lang"
	"winnow/filter/repair"
	"winnow/pipelines/models"
	"winnow/text"
)

var nameRE = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]*$`)

// check finds what decoding cannot: names, choices, and stages that do not fit together.
func (r *Recipe) check() error {
	if !nameRE.MatchString(r.Name) {
		return r.src.at("$.name", "", "name %q: write letters, digits, '-', '_' and '.'; it names the run's folder", r.Name)
	}
	in := r.Input
	if len(in.WARC)+len(in.HTML)+len(in.Tar)+len(in.JSONL)+len(in.Parquet) == 0 {
		return r.src.at("$.input", "", "the recipe has no input: write for instance `input: {warc: [samples/*.warc.gz]}`")
	}
	if len(r.Stages) == 0 {
		return r.src.at("$.stages", "", "the recipe has no stages; known are: %s", strings.Join(stageNames(), ", "))
	}
	for i := range r.Stages {
		if n := r.Stages[i].count(); n != 1 {
			return r.src.at(fmt.Sprintf("$.stages[%d]", i), "", "a stage is one name with its parameters, this has %d", n)
		}
	}
	if err := r.choice("$.output.dropped", r.Output.Dropped, "all", "sample", "none"); err != nil {
		return err
	}
	if err := r.checkStages(); err != nil {
		return err
	}
	return r.checkTrain()
}

// checkTrain finds mistakes in the steps of training.
func (r *Recipe) checkTrain() error { return r.blameTrain(models.Check(r.Train)) }

// CheckTrain finds, before anything is run, what only the disk and the trainer can tell of the steps of training: data that are
// not there, templates and expressions that do not hold.
func (r *Recipe) CheckTrain(t models.Trainer) error {
	for i := range r.Train {
		if err := models.Ready(r.Train, i, t); err != nil {
			return r.blameTrain(err)
		}
	}
	return nil
}

// blameTrain points at the place of a mistake.
func (r *Recipe) blameTrain(err error) error {
	var m *models.Mistake
	if errors.As(err, &m) {
		return r.src.at("$.train"+m.Path, m.Hint, "%v", m.Err)
	}
	return err
}

func (r *Recipe) checkStages() error {
	pages := len(r.Input.WARC)+len(r.Input.HTML)+len(r.Input.Tar) > 0
	extracted := !pages
	for i := range r.Stages {
		s, path := &r.Stages[i], fmt.Sprintf("$.stages[%d]", i)
		switch {
		case s.Extract != nil:
			extracted = true
		case s.URL == nil && s.Repair == nil && !extracted:
			return r.src.at(path, "", "%s comes before extract, but the input is pages: put `- extract: {}` first", s.name())
		}
		if f := s.Filter; f != nil && len(f.Use) == 0 && f.Profile == "" {
			return r.src.at(path+".filter", "", "filter uses no rules: write for instance `use: [gopher, repetition, zh]` or `profile: dclm`; `winnow rules` lists them")
		}
		if s.Language != nil {
			for k, code := range s.Language.Keep {
				if _, ok := lang.Parse(code); !ok && code != lang.Und {
					return r.src.at(fmt.Sprintf("%s.language.keep[%d]", path, k), nearest(code, languageCodes()), "unknown language %q: write ISO 639 codes", code)
				}
			}
		}
		if c := s.Repair; c != nil {
			if err := repair.CheckScript(c.Script); err != nil {
				return r.src.at(path+".repair.script", "", "%v", err)
			}
		}
		if x := s.Extract; x != nil {
			if err := r.choice(path+".extract.mode", x.Mode, "balanced", "precision", "recall"); err != nil {
				return err
			}
			if err := r.choice(path+".extract.format", x.Format, "text", "markdown"); err != nil {
				return err
			}
			if (x.Links || x.Images) && x.Format != "markdown" {
				return r.src.at(path+".extract", "", "links and images are written in Markdown alone: add `format: markdown`")
			}
		}
		if d := s.Dedup; d != nil {
			if err := r.checkDedup(path+".dedup", d); err != nil {
				return err
			}
		}
		if c := s.Decontaminate; c != nil {
			if len(c.Files) == 0 {
				return r.src.at(path+".decontaminate", "", "decontaminate needs the benchmarks' files: write for instance `files: [bench/*.jsonl]`")
			}
			if err := r.choice(path+".decontaminate.mode", c.Mode, "drop", "flag"); err != nil {
				return err
			}
		}
		if q := s.Quality; q != nil {
			if err := q.check(r.src, path+".quality"); err != nil {
				return err
			}
		}
		if x := s.Rephrase; x != nil {
			if err := r.choice(path+".rephrase.mode", x.Mode, "add", "replace"); err != nil {
				return err
			}
			if err := r.choice(path+".rephrase.reject", x.Reject, "original", "drop"); err != nil {
				return err
			}
			if len(x.Styles) == 0 || x.Model == "" {
				return r.src.at(path+".rephrase", "", "rephrase needs a model and styles: write for instance `rephrase: {endpoint: http://127.0.0.1:8080/v1, model: m, styles: [wikipedia]}`")
			}
		}
	}
	return nil
}

func languageCodes() (codes []string) {
	for _, l := range lang.Languages {
		codes = append(codes, l.Code)
	}
	return codes
}

func (r *Recipe) choice(path, value string, allowed ...string) error {
	if value == "" || slices.Contains(allowed, value) {
		return nil
	}
	return r.src.at(path, nearest(value, allowed), "%q is not among %s", value, strings.Join(allowed, ", "))
}

// name is the key that the stage was written under.
func (s *StageSpec) name() string {
	v := reflect.ValueOf(*s)
	for i := range v.NumField() {
		if !v.Field(i).IsNil() {
			return v.Type().Field(i).Tag.Get("yaml")
		}
	}
	return ""
}

func (s *StageSpec) count() (n int) {
	v := reflect.ValueOf(*s)
	for i := range v.NumField() {
		if !v.Field(i).IsNil() {
			n++
		}
	}
	return n
}

func stageNames() (names []string) {
	t := reflect.TypeFor[StageSpec]()
	for i := range t.NumField() {
		names = append(names, t.Field(i).Tag.Get("yaml"))
	}
	return names
}

func nearest(s string, names []string) string { return text.Nearest(s, names) }
