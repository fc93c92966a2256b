// Package models performs what a recipe says under `train:`, behind its data. A finished run and a list of steps flow in; a
// folder for each model, with a manifest under the key of all that it depends on, comes out.
//
// It knows no trainer: Trainer is the interface that one is passed in by.
package models

import (
	"fmt"
	"reflect"
	"strings"

	"winnow/text"
)

// Spec is one step of training. Exactly one pointer is set: this struct is the list of all kinds.
type Spec struct {
	Base   *Base   `yaml:"base"`
	SFT    *SFT    `yaml:"sft"`
	Reward *Reward `yaml:"reward"`
	Policy *Policy `yaml:"policy"`
}

// Base trains from nothing on what the run kept.
type Base struct {
	Name      string   `yaml:"name"`      // of the model; base
	Data      []string `yaml:"data"`      // further runs, RUN or RUN=WEIGHT
	Tokenizer string   `yaml:"tokenizer"` // tokenizer.json, or a folder with one; else one is trained
	Vocab     int      `yaml:"vocab"`     // of one to be trained; by bytes of text
	Depth     int      `yaml:"depth"`     // layers; decides the rest; 2
	Minutes   float64  `yaml:"minutes"`
	Tokens    Count    `yaml:"tokens"`
	FLOPs     Count    `yaml:"flops"`
	Epochs    float64  `yaml:"epochs"` // most passes over the data; 16
	Batch     int      `yaml:"batch"`
	LR        float64  `yaml:"lr"`
	Seed      *uint64  `yaml:"seed"` // the recipe's
}

// Tuning is what all steps behind the first share.
type Tuning struct {
	Name   string   `yaml:"name"`   // of the model; the kind's
	Parent string   `yaml:"parent"` // name of an earlier step, or a model folder
	Data   []string `yaml:"data"`   // files of rows; globs know **
	Steps  int      `yaml:"steps"`
	Epochs float64  `yaml:"epochs"`
	Batch  int      `yaml:"batch"` // rows, pairs, or prompts of a step
	LR     float64  `yaml:"lr"`
	LoRA   *LoRA    `yaml:"lora"`
	Seed   *uint64  `yaml:"seed"` // the recipe's
}

// LoRA trains low-rank adapters in place of all weights.
type LoRA struct {
	Rank    int      `yaml:"rank"`
	Alpha   float64  `yaml:"alpha"`   // twice the rank
	Targets []string `yaml:"targets"` // q, k, v, o, gate, up, down; all
}

// SFT learns to answer from conversations.
type SFT struct {
	Tuning       `yaml:",inline"`
	Template     string            `yaml:"template"` // chat template of a base that has none
	Select       string            `yaml:"select"`   // random:N, longest:N, quality:N, maybe-known
	ResponseOnly bool              `yaml:"response_only"`
	Set          map[string]string `yaml:"set"` // fills {{name}}
}

// Reward learns from preferences to score answers.
type Reward struct {
	Tuning `yaml:",inline"`
}

// Policy learns from feedback: preferences (dpo), thumbs (kto), or prompts and a reward (grpo, rloo, reinforce, ppo).
type Policy struct {
	Tuning     `yaml:",inline"`
	Method     string   `yaml:"method"`
	Loss       string   `yaml:"loss"`        // of dpo; sigmoid
	Beta       *float64 `yaml:"beta"`        // how strongly it is held to its parent: of dpo and kto; else what a nat away from it costs
	Reward     string   `yaml:"reward"`      // name of an earlier reward step, or a reward model's folder
	RewardExpr string   `yaml:"reward_expr"` // an expression over prompt and answer, in place of a model
	Samples    int      `yaml:"samples"`     // answers to a prompt
	MaxTokens  int      `yaml:"max_tokens"`  // of an answer
	KLBudget   float64  `yaml:"kl_budget"`   // nats an answer, at which training stops
}

// Methods are those of Policy.
func Methods() []string { return []string{"dpo", "kto", "grpo", "rloo", "reinforce", "ppo"} }

// Offline tells methods that learn from answers that are there already.
func (p *Policy) Offline() bool { return p.Method == "dpo" || p.Method == "kto" }

// Kinds lists the kinds of steps.
func Kinds() (names []string) {
	t := reflect.TypeFor[Spec]()
	for i := range t.NumField() {
		names = append(names, t.Field(i).Tag.Get("yaml"))
	}
	return names
}

// Kind is the key that the step was written under; empty where not exactly one is set.
func (s *Spec) Kind() (kind string) {
	v := reflect.ValueOf(*s)
	for i := range v.NumField() {
		if v.Field(i).IsNil() {
			continue
		}
		if kind != "" {
			return ""
		}
		kind = v.Type().Field(i).Tag.Get("yaml")
	}
	return kind
}

// tuning is what a step behind the first shares with others; nil for a base.
func (s *Spec) tuning() *Tuning {
	switch {
	case s.SFT != nil:
		return &s.SFT.Tuning
	case s.Reward != nil:
		return &s.Reward.Tuning
	case s.Policy != nil:
		return &s.Policy.Tuning
	}
	return nil
}

// Name is the model's.
func (s *Spec) Name() string {
	name := ""
	if s.Base != nil {
		name = s.Base.Name
	} else if t := s.tuning(); t != nil {
		name = t.Name
	}
	if name == "" {
		return s.Kind()
	}
	return name
}

// Mistake is what is wrong with a step. Path is below the list: [1].policy.method.
type Mistake struct {
	Path, Hint string
	Err        error
}

func (m *Mistake) Error() string { return m.Path + ": " + m.Err.Error() }

func (m *Mistake) Unwrap() error { return m.Err }

func mistake(path, hint, format string, args ...any) *Mistake {
	return &Mistake{path, hint, fmt.Errorf(format, args...)}
}

// Check finds what decoding cannot: kinds, names, parents, and what does not fit together. It returns a *Mistake.
func Check(list []Spec) error {
	kinds := map[string]string{} // of earlier steps, by name
	last := ""
	for i := range list {
		s, path := &list[i], fmt.Sprintf("[%d]", i)
		kind := s.Kind()
		if kind == "" {
			return mistake(path, "", "a step is one of %s with its parameters", strings.Join(Kinds(), ", "))
		}
		name, path := s.Name(), path+"."+kind
		if !nameRE.MatchString(name) {
			return mistake(path+".name", "", "name %q: write letters, digits, '-', '_' and '.'", name)
		}
		if kinds[name] != "" {
			return mistake(path, "", "two steps are named %q: give one a name", name)
		}
		if err := s.check(path, kinds, last); err != nil {
			return err
		}
		kinds[name] = kind
		if kind != "reward" {
			last = name
		}
	}
	return nil
}

// check is one step's. last is the parent where none is named.
func (s *Spec) check(path string, kinds map[string]string, last string) error {
	t := s.tuning()
	if t == nil {
		return s.Base.check(path)
	}
	if t.Parent == "" {
		if last == "" {
			return mistake(path, "", "the first step has no parent: write `parent:` with a model folder, or put `- base: {}` first")
		}
		t.Parent = last
	}
	if err := earlier(path+".parent", t.Parent, kinds); err != nil {
		return err
	}
	switch {
	case kinds[t.Parent] == "reward":
		return mistake(path+".parent", "", "%q is a reward model: it gives scores, not text", t.Parent)
	case kinds[t.Parent] == "base" && s.SFT == nil:
		return mistake(path, "", "its parent %q has not learnt to answer: put an sft step between", t.Parent)
	case kinds[t.Parent] == "base" && s.SFT.Template == "":
		return mistake(path, "", "its parent %q has no chat template: name one, for instance `template: plain`", t.Parent)
	}
	if len(t.Data) == 0 {
		return mistake(path, "", "%s needs data: write for instance `data: [rows.jsonl]`", s.Kind())
	}
	switch {
	case t.Steps < 0 || t.Epochs < 0 || t.Batch < 0 || t.LR < 0:
		return mistake(path, "", "steps, epochs, batch, lr: below 0")
	case t.Steps > 0 && t.Epochs > 0:
		return mistake(path+".steps", "", "steps and epochs: give one of them")
	case t.LoRA != nil && t.LoRA.Rank < 1:
		return mistake(path+".lora", "", "lora needs a rank of 1 or more")
	case t.LoRA != nil && t.LoRA.Alpha < 0:
		return mistake(path+".lora.alpha", "", "alpha of %g: it is above 0", t.LoRA.Alpha)
	}
	if s.Policy != nil {
		return s.Policy.check(path, kinds)
	}
	return nil
}

func (b *Base) check(path string) error {
	if b.Vocab < 0 || b.Depth < 0 || b.Minutes < 0 || b.Epochs < 0 || b.Batch < 0 || b.LR < 0 {
		return mistake(path, "", "vocab, depth, minutes, epochs, batch, lr: below 0")
	}
	given := 0
	for _, v := range []float64{b.Minutes, float64(b.Tokens), float64(b.FLOPs)} {
		if v > 0 {
			given++
		}
	}
	if given > 1 {
		return mistake(path, "", "minutes, tokens and flops: give one of them")
	}
	return nil
}

func (p *Policy) check(path string, kinds map[string]string) error {
	if err := choice(path+".method", p.Method, Methods()); err != nil {
		return err
	}
	given := p.Reward != "" || p.RewardExpr != ""
	switch {
	case p.Offline() && given:
		return mistake(path, "", "%s learns from judged answers: it takes no reward", p.Method)
	case p.Loss != "" && p.Method != "dpo":
		return mistake(path+".loss", "", "loss is of dpo")
	case p.Offline() && (p.Samples != 0 || p.MaxTokens != 0):
		return mistake(path, "", "%s learns from answers that are there: samples and max_tokens are of methods that write their own", p.Method)
	case p.Offline():
		return nil
	case p.Reward != "" && p.RewardExpr != "":
		return mistake(path+".reward_expr", "", "reward and reward_expr: give one of them")
	case !given:
		return mistake(path, "", "%s needs a reward: `reward:` names a reward step, `reward_expr:` is an expression", p.Method)
	case p.Reward == "":
		return nil
	}
	if err := earlier(path+".reward", p.Reward, kinds); err != nil {
		return err
	}
	if kind := kinds[p.Reward]; kind != "" && kind != "reward" {
		return mistake(path+".reward", "", "%q is a step of kind %s, not reward", p.Reward, kind)
	}
	return nil
}

// earlier finds a name that is neither of an earlier step nor looks like a folder.
func earlier(path, name string, kinds map[string]string) error {
	if kinds[name] != "" || strings.ContainsAny(name, `/\`) || isFolder(name) {
		return nil
	}
	return mistake(path, text.Nearest(name, keys(kinds)), "no earlier step and no folder is named %q", name)
}

func choice(path, value string, allowed []string) error {
	for _, a := range allowed {
		if a == value {
			return nil
		}
	}
	return mistake(path, text.Nearest(value, allowed), "%q is not among %s", value, strings.Join(allowed, ", "))
}
