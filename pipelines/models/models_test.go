package models

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// fake writes a model file that names what it was made from.
type fake struct {
	trained []string
	fail    string // name of a step that is stopped once, with a file left behind
}

var errStopped = errors.New("stopped")

func (f *fake) Check(*Spec) error { return nil }

func (f *fake) Train(_ context.Context, s Step) (map[string]int64, error) {
	f.trained = append(f.trained, s.Name())
	if f.fail == s.Name() {
		f.fail = ""
		return nil, errors.Join(os.WriteFile(filepath.Join(s.Out, "half"), []byte("half"), 0o666), errStopped)
	}
	text := fmt.Sprintf("%s of %s, %s, %v, seed %d", s.Kind(), filepath.Base(s.Parent), filepath.Base(s.RewardModel), s.Files, s.Seed)
	if _, err := os.Stat(filepath.Join(s.Out, "half")); err == nil {
		text += ", went on"
	}
	return map[string]int64{"steps": 3}, os.WriteFile(filepath.Join(s.Out, "model.safetensors"), []byte(text), 0o666)
}

func threeStages(data string) []Spec {
	return []Spec{
		{Base: &Base{Depth: 1}},
		{SFT: &SFT{Tuning: Tuning{Data: []string{data}}, Template: "plain"}},
		{Reward: &Reward{Tuning{Data: []string{data}}}},
		{Policy: &Policy{Tuning: Tuning{Data: []string{data}}, Method: "ppo", Reward: "reward"}},
	}
}

func plan(t *testing.T) (*Plan, string) {
	t.Helper()
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "tasks"), 0o777); err != nil {
		t.Fatal(err)
	}
	data := filepath.Join(dir, "rows.jsonl")
	if err := os.WriteFile(data, []byte("{}\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	p := &Plan{Specs: threeStages(data), Folder: dir, Data: "kept", Seed: 7}
	if err := Check(p.Specs); err != nil {
		t.Fatal(err)
	}
	return p, data
}

func read(t *testing.T, p *Plan, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(p.Out(name), "model.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestEachStepStartsFromTheLast(t *testing.T) {
	p, data := plan(t)
	f := &fake{}
	if err := p.Run(t.Context(), f, func(Event) {}); err != nil {
		t.Fatal(err)
	}
	want := fmt.Sprintf("policy of sft, reward, [%s], seed 7", data)
	if got := read(t, p, "policy"); got != want {
		t.Errorf("policy: %q, want %q", got, want)
	}
	if got := read(t, p, "reward"); !strings.HasPrefix(got, "reward of sft") {
		t.Errorf("reward: %q", got)
	}
}

func TestStoppedStepGoesOn(t *testing.T) {
	p, _ := plan(t)
	f := &fake{fail: "sft"}
	if err := p.Run(t.Context(), f, func(Event) {}); !errors.Is(err, errStopped) {
		t.Fatalf("error %v", err)
	}
	var skipped []string
	if err := p.Run(t.Context(), f, func(e Event) {
		if e.Type == "skip" {
			skipped = append(skipped, e.Name)
		}
	}); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(skipped, []string{"base"}) || !slices.Equal(f.trained, []string{"base", "sft", "sft", "reward", "policy"}) {
		t.Errorf("skipped %v, trained %v", skipped, f.trained)
	}
	if got := read(t, p, "sft"); !strings.HasSuffix(got, "went on") {
		t.Errorf("the stopped step began anew: %q", got)
	}
}

func TestOtherDataTrainAnew(t *testing.T) {
	p, data := plan(t)
	f := &fake{}
	run := func() []string {
		f.trained = nil
		if err := p.Run(t.Context(), f, func(Event) {}); err != nil {
			t.Fatal(err)
		}
		return f.trained
	}
	run()
	if got := run(); len(got) != 0 {
		t.Errorf("done steps were trained again: %v", got)
	}
	if err := os.WriteFile(data, []byte("{} \n"), 0o666); err != nil {
		t.Fatal(err)
	}
	if got := run(); !slices.Equal(got, []string{"sft", "reward", "policy"}) {
		t.Errorf("other rows: trained %v", got)
	}
	if err := os.Remove(filepath.Join(p.Out("reward"), "model.safetensors")); err != nil {
		t.Fatal(err)
	}
	if got := run(); !slices.Equal(got, []string{"reward"}) {
		t.Errorf("a lost file: trained %v", got)
	}
	p.Data = "other texts kept"
	if got := run(); len(got) != 4 {
		t.Errorf("other texts: trained %v", got)
	}
}

func TestCheck(t *testing.T) {
	data := []string{"rows.jsonl"}
	sft := func(u Tuning) Spec { return Spec{SFT: &SFT{Tuning: u, Template: "plain"}} }
	policy := func(p Policy) []Spec {
		p.Data = data
		return []Spec{{Base: &Base{}}, sft(Tuning{Data: data}), {Reward: &Reward{Tuning{Data: data}}}, {Policy: &p}}
	}
	for _, c := range []struct {
		name string
		list []Spec
		path string
		hint string
	}{
		{"nothing set", []Spec{{}}, "[0]", ""},
		{"two kinds", []Spec{{Base: &Base{}, SFT: &SFT{}}}, "[0]", ""},
		{"no parent", []Spec{sft(Tuning{Data: data})}, "[0].sft", ""},
		{"misspelt parent", []Spec{{Base: &Base{Name: "first"}}, sft(Tuning{Parent: "frist", Data: data})}, "[1].sft.parent", "first"},
		{"no data", []Spec{{Base: &Base{}}, sft(Tuning{})}, "[1].sft", ""},
		{"one name twice", []Spec{{Base: &Base{}}, {Base: &Base{}}}, "[1].base", ""},
		{"name", []Spec{{Base: &Base{Name: "../up"}}}, "[0].base.name", ""},
		{"two budgets", []Spec{{Base: &Base{Minutes: 1, Tokens: 5}}}, "[0].base", ""},
		{"steps and epochs", []Spec{{Base: &Base{}}, sft(Tuning{Data: data, Steps: 1, Epochs: 1})}, "[1].sft.steps", ""},
		{"rank", []Spec{{Base: &Base{}}, sft(Tuning{Data: data, LoRA: &LoRA{}})}, "[1].sft.lora", ""},
		{"alpha", []Spec{{Base: &Base{}}, sft(Tuning{Data: data, LoRA: &LoRA{Rank: 1, Alpha: -1}})}, "[1].sft.lora.alpha", ""},
		{"depth", []Spec{{Base: &Base{Depth: -1}}}, "[0].base", ""},
		{"no template", []Spec{{Base: &Base{}}, {SFT: &SFT{Tuning: Tuning{Data: data}}}}, "[1].sft", ""},
		{"no answers", []Spec{{Base: &Base{}}, {Reward: &Reward{Tuning{Data: data}}}}, "[1].reward", ""},
		{"dpo with samples", policy(Policy{Method: "dpo", Samples: 4}), "[3].policy", ""},
		{"method", policy(Policy{Method: "dop"}), "[3].policy.method", "dpo"},
		{"dpo with a reward", policy(Policy{Method: "dpo", Reward: "reward"}), "[3].policy", ""},
		{"no reward", policy(Policy{Method: "grpo"}), "[3].policy", ""},
		{"base as reward", policy(Policy{Method: "grpo", Reward: "base"}), "[3].policy.reward", ""},
		{"loss of ppo", policy(Policy{Method: "ppo", Reward: "reward", Loss: "ipo"}), "[3].policy.loss", ""},
		{"reward as parent", policy(Policy{Tuning: Tuning{Parent: "reward"}, Method: "dpo"}), "[3].policy.parent", ""},
	} {
		var m *Mistake
		if err := Check(c.list); !errors.As(err, &m) || m.Path != c.path || m.Hint != c.hint {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	if err := Check(policy(Policy{Method: "ppo", Reward: "reward"})); err != nil {
		t.Error(err)
	}
}

// TestReady finds what is not there before anything is trained.
func TestReady(t *testing.T) {
	dir := t.TempDir()
	data, model := filepath.Join(dir, "rows.jsonl"), filepath.Join(dir, "model")
	if err := errors.Join(os.WriteFile(data, []byte("{}\n"), 0o666), os.Mkdir(model, 0o777), os.WriteFile(filepath.Join(model, "config.json"), []byte("{}"), 0o666)); err != nil {
		t.Fatal(err)
	}
	ppo := func(parent, data, reward string) []Spec {
		return []Spec{{Policy: &Policy{Tuning: Tuning{Parent: parent, Data: []string{data}}, Method: "ppo", Reward: reward}}}
	}
	for _, c := range []struct{ parent, data, reward, path string }{
		{model, data, model, ""},
		{model, filepath.Join(dir, "*.json"), model, "[0].policy.data"},
		{dir, data, model, "[0].policy.parent"},
		{model, data, dir, "[0].policy.reward"},
		{model, data, filepath.Join(dir, "none"), "[0].policy.reward"},
	} {
		list := ppo(c.parent, c.data, c.reward)
		if err := Check(list); err != nil {
			t.Fatal(err)
		}
		var m *Mistake
		if err := Ready(list, 0, &fake{}); errors.As(err, &m) != (c.path != "") || m != nil && m.Path != c.path {
			t.Errorf("%+v: %v", c, err)
		}
	}
}

func TestCount(t *testing.T) {
	for text, want := range map[string]Count{"300k": 3e5, "20M": 2e7, "1e9": 1e9, "12": 12, "1.5G": 1.5e9} {
		var c Count
		if err := c.UnmarshalText([]byte(text)); err != nil || c != want {
			t.Errorf("%s: %v, %v", text, c, err)
		}
	}
	for _, text := range []string{"", "k", "-1", "0", "NaN", "Inf", "1e40", "20 people"} {
		var c Count
		if err := c.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q was read as %v", text, c)
		}
	}
}
