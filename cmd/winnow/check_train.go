package main

import (
	"cmp"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"

	"winnow/cmd/winnow/cli"
	"winnow/cmd/winnow/tuning"
	"winnow/pipelines/models"
	"winnow/text"
	"winnow/train"
	"winnow/train/chat"
	"winnow/train/chat/source"
	"winnow/train/llm"
	"winnow/train/loss"
	"winnow/train/monitor"
	"winnow/train/policy"
	"winnow/train/sft"
)

// probed is how many rows of a step's data are looked at before a run.
const probed = 100

// Check finds what a step's command would only find at its turn: names, numbers out of range, expressions, files that hold other rows.
func (t trainer) Check(s *models.Spec) error {
	switch {
	case s.Base != nil:
		return t.checkBase(s.Base)
	case s.SFT != nil:
		return t.checkSFT(s.SFT)
	case s.Reward != nil:
		return cmp.Or(checkTuning(s.Reward.Tuning), rowsOf(s.Reward.Data, source.Options{}, source.Pairs))
	}
	return t.checkPolicy(s.Policy)
}

// wrong is a mistake in a field of a step.
func wrong(field string, err error) error {
	if err == nil {
		return nil
	}
	return &models.Mistake{Path: "." + field, Err: err}
}

// among finds a name that is none of those known.
func among(field, name string, known []string) error {
	if name == "" || slices.Contains(known, name) {
		return nil
	}
	return &models.Mistake{Path: "." + field, Hint: text.Nearest(name, known), Err: fmt.Errorf("%q is not among %s", name, strings.Join(known, ", "))}
}

func (t trainer) checkBase(b *models.Base) error {
	if b.Depth > 0 {
		if _, err := train.Depth(b.Depth); err != nil {
			return wrong("depth", err)
		}
	}
	if b.Tokenizer != "" {
		if _, err := cli.ReadTokenizer(b.Tokenizer); err != nil {
			return wrong("tokenizer", err)
		}
	}
	for i, name := range b.Data {
		if _, err := t.Source(name); err != nil {
			return wrong(fmt.Sprintf("data[%d]", i), err)
		}
	}
	return nil
}

func (t trainer) checkSFT(s *models.SFT) error {
	_, err := sft.ParseSelection(s.Select)
	return cmp.Or(among("template", s.Template, chat.Names()), wrong("select", err), checkTuning(s.Tuning),
		rowsOf(s.Data, source.Options{Set: s.Set}, source.Conversations))
}

func checkTuning(u models.Tuning) error {
	if u.LoRA == nil {
		return nil
	}
	known := llm.LoRATargets()
	for i, name := range known {
		known[i] = strings.TrimSuffix(name, "_proj")
	}
	for i, name := range u.LoRA.Targets {
		if err := among(fmt.Sprintf("lora.targets[%d]", i), strings.TrimSuffix(name, "_proj"), known); err != nil {
			return err
		}
	}
	return nil
}

func (t trainer) checkPolicy(p *models.Policy) error {
	if err := checkTuning(p.Tuning); err != nil {
		return err
	}
	switch p.Method {
	case "dpo":
		var names []string
		for _, l := range loss.Preferences() {
			names = append(names, l.Name)
		}
		return cmp.Or(among("loss", p.Loss, names), rowsOf(p.Data, source.Options{}, source.Pairs))
	case "kto":
		if p.Batch == 1 {
			return wrong("batch", errors.New("kto compares an answer with others: at least 2"))
		}
		return rowsOf(p.Data, source.Options{}, source.Feedback)
	}
	s := policy.Usual(monitor.Method(p.Method))
	s.Prompts, s.Samples, s.MaxTokens = cmp.Or(p.Batch, s.Prompts), cmp.Or(p.Samples, s.Samples), cmp.Or(p.MaxTokens, s.MaxTokens)
	if s.Budget = p.KLBudget; p.Beta != nil {
		s.Beta = *p.Beta
	}
	if err := s.Check(); err != nil {
		return &models.Mistake{Err: err}
	}
	columns, err := promptColumns(p.Data)
	if err != nil || p.RewardExpr == "" {
		return err
	}
	_, err = tuning.Expression(t.App, p.RewardExpr, columns)
	return wrong("reward_expr", err)
}

// rowsOf looks at the first rows of files. None of any use is a mistake.
func rowsOf[T any](patterns []string, o source.Options, read func([]string, source.Options) iter.Seq2[T, error]) error {
	return probe(patterns, func(files []string) iter.Seq2[T, error] { return read(files, o) }, func(T) {})
}

// promptColumns are the fields of the first prompts.
func promptColumns(patterns []string) ([]string, error) {
	columns := map[string]bool{}
	err := probe(patterns, func(files []string) iter.Seq2[*source.Prompt, error] { return source.Prompts(files, source.Options{}) }, func(p *source.Prompt) {
		for name := range p.Columns {
			columns[name] = true
		}
	})
	return slices.Sorted(maps.Keys(columns)), err
}

// probe hands over the first rows of each file that can be used.
func probe[T any](patterns []string, read func(files []string) iter.Seq2[T, error], use func(T)) error {
	files, err := models.Files(patterns)
	if err != nil {
		return wrong("data", err)
	}
	for _, file := range files {
		seen, good := 0, 0
		var first error
		for row, err := range read([]string{file}) {
			if seen++; err == nil {
				good++
				use(row)
			} else if first == nil {
				first = err
			}
			if seen == probed {
				break
			}
		}
		if good == 0 {
			return wrong("data", cmp.Or(first, fmt.Errorf("%s: no rows", file)))
		}
	}
	return nil
}
