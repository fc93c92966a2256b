package main

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"strings"

	"winnow/pipelines"
	"winnow/pipelines/engine"
	"winnow/pipelines/models"
	"winnow/shard"
	"winnow/shard/store"
	"winnow/train/checkpoint"
)

// trainer performs a recipe's training by the commands that a user would give: a step has their defaults and says what they say.
type trainer struct{ *app }

// train goes through the training steps of a recipe behind its run.
func (a *app) train(ctx context.Context, r *pipelines.Recipe, p *engine.Plan, info *shard.Run) error {
	if len(r.Train) == 0 {
		return nil
	}
	plan := modelPlan(r, p, info.ID)
	plan.Data = checkpoint.DataOf(info).Hash
	return plan.Run(ctx, trainer{a}, func(e models.Event) {
		switch e.Type {
		case "begin":
			a.Say("\n== training %d of %d: %s (%s) -> %s", "\n== 训练 %d/%d：%s（%s）-> %s", e.Number, e.Of, e.Name, e.Kind, e.Out)
		case "skip":
			a.Say("== training %d of %d: %s was done before", "== 训练 %d/%d：%s 已完成，跳过", e.Number, e.Of, e.Name)
		}
	})
}

// modelPlan is the training behind a run by its id.
func modelPlan(r *pipelines.Recipe, p *engine.Plan, id string) *models.Plan {
	return &models.Plan{Specs: r.Train, Folder: store.Join(p.Root, id), Seed: r.Seed}
}

// commands are what a recipe's steps of training are run by.
func commands(r *pipelines.Recipe, p *engine.Plan, id string) (lines []string, err error) {
	steps, err := modelPlan(r, p, id).Steps()
	for _, s := range steps {
		lines = append(lines, "winnow train "+shellLine(command(s)))
	}
	return lines, err
}

// Train runs the step's command.
func (t trainer) Train(ctx context.Context, s models.Step) (map[string]int64, error) {
	args := command(s)
	t.Say("   winnow train %s", "   winnow train %s", shellLine(args))
	cmd := t.trainCmd()
	cmd.SilenceErrors, cmd.SilenceUsage = true, true
	cmd.SetArgs(args)
	if err := cmd.ExecuteContext(ctx); err != nil {
		return nil, err
	}
	info, err := checkpoint.ReadInfo(s.Out)
	if err != nil {
		return nil, err
	}
	return map[string]int64{"steps": info.Steps, "tokens": info.Tokens}, nil
}

// arguments are a command's, as they are collected.
type arguments []string

func (a *arguments) text(flag, v string) {
	if v != "" {
		*a = append(*a, "--"+flag, v)
	}
}

func (a *arguments) texts(flag string, list []string) {
	for _, v := range list {
		a.text(flag, v)
	}
}

func (a *arguments) number(flag string, v float64) {
	if v != 0 {
		a.text(flag, strconv.FormatFloat(v, 'f', -1, 64))
	}
}

// pointer is for numbers of which 0 says something else than nothing.
func (a *arguments) pointer(flag string, v *float64) {
	if v != nil {
		a.text(flag, strconv.FormatFloat(*v, 'f', -1, 64))
	}
}

// command is the winnow train command of a step.
func command(s models.Step) []string {
	a := arguments{s.Kind()}
	switch {
	case s.Base != nil:
		a.base(s)
	case s.SFT != nil:
		a.tuning(s, s.SFT.Tuning)
		a.text("template", s.SFT.Template)
		a.text("select", s.SFT.Select)
		if s.SFT.ResponseOnly {
			a = append(a, "--response-only")
		}
		for _, name := range slices.Sorted(maps.Keys(s.SFT.Set)) {
			a.text("set", name+"="+s.SFT.Set[name])
		}
	case s.Reward != nil:
		a.tuning(s, s.Reward.Tuning)
	case s.Policy != nil:
		a[0] = s.Policy.Method
		a.policy(s)
	}
	return append(a, "--seed", strconv.FormatUint(s.Seed, 10), "--out", s.Out)
}

func (a *arguments) base(s models.Step) {
	b := s.Base
	a.texts("data", append([]string{s.Run}, b.Data...))
	a.text("tokenizer", b.Tokenizer)
	a.number("vocab", float64(b.Vocab))
	a.number("depth", float64(b.Depth))
	a.number("minutes", b.Minutes)
	a.number("tokens", float64(b.Tokens))
	a.number("flops", float64(b.FLOPs))
	a.number("epochs", b.Epochs)
	a.number("batch", float64(b.Batch))
	a.number("lr", b.LR)
}

// tuning is what all steps behind the first share.
func (a *arguments) tuning(s models.Step, t models.Tuning) {
	a.texts("data", s.Files)
	a.settings(s, t)
}

func (a *arguments) settings(s models.Step, t models.Tuning) {
	a.text("model", s.Parent)
	a.number("steps", float64(t.Steps))
	a.number("epochs", t.Epochs)
	a.number("batch", float64(t.Batch))
	a.number("lr", t.LR)
	if l := t.LoRA; l != nil {
		a.number("lora-rank", float64(l.Rank))
		a.number("lora-alpha", l.Alpha)
		a.text("lora-targets", strings.Join(l.Targets, ","))
	}
}

func (a *arguments) policy(s models.Step) {
	p := s.Policy
	if p.Offline() {
		a.tuning(s, p.Tuning)
		a.text("loss", p.Loss)
		a.pointer("beta", p.Beta)
		a.number("kl-budget", p.KLBudget)
		return
	}
	a.texts("prompts", s.Files)
	a.settings(s, p.Tuning)
	a.pointer("kl", p.Beta)
	a.text("reward-model", s.RewardModel)
	a.text("reward-expr", p.RewardExpr)
	a.number("samples", float64(p.Samples))
	a.number("max-tokens", float64(p.MaxTokens))
	a.number("kl-budget", p.KLBudget)
}

// shellLine is a command line for people to copy.
func shellLine(args []string) string {
	list := slices.Clone(args)
	for i, v := range list {
		if v == "" || strings.ContainsAny(v, " \t'\"$`\\*?[]{}()<>|&;!#~") {
			list[i] = "'" + strings.ReplaceAll(v, "'", `'\''`) + "'"
		}
	}
	return strings.Join(list, " ")
}
