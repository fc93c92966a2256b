package tuning

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/spf13/cobra"

	"winnow/cmd/winnow/cli"
	"winnow/report"
	"winnow/train/chat"
	"winnow/train/chat/source"
	"winnow/train/judge"
	"winnow/train/judge/self"
	"winnow/train/prefer"
	"winnow/train/reward"
	"winnow/train/tune"
)

// selfFlags say how a model rewards itself, and how it is tuned on that.
type selfFlags struct {
	self.Options
	stage stageFlags
	read  cli.RowFlags
	files []string
	truth string
	dpo   prefer.DPOConfig
}

func (a *app) trainSelf() *cobra.Command {
	f := selfFlags{Options: self.Options{Settings: self.Usual(), Rounds: 2}}
	f.stage.Settings = tune.Defaults()
	f.stage.Epochs, f.stage.Share = 1, .1
	cmd := &cobra.Command{
		Use: "self --model MODEL --prompts FILE... --out DIR", Args: cli.ExactArgs(0, 0),
		Short: a.Lang.T("self-rewarding rounds: a model answers, judges itself, and learns from that", "自我奖励：模型自答、自评，再据此对齐"),
		Long: a.Lang.T(`Self-rewarding rounds: the model writes several answers to each prompt, scores them itself by the likelihood of its points, and is
tuned (DPO) on the best against the worst; then once more with the new model. DIR gets a folder for each round: all answers, pairs.jsonl,
audit.json, and model/. The same command again goes on behind the last finished round; a larger --rounds adds rounds.

The audit shows what it is worth: the gap of scores, lengths, and, with --true-reward-expr, whether the judge prefers what is truly
better. A model that was not trained to judge mostly does not: then its label probability is near 0.`,
			`自我奖励：模型对每个提示写出若干回答，按得分的似然为自己打分，以最好对最差进行对齐（DPO）；再用新模型重复。DIR 中每轮一个文件夹：
全部回答、pairs.jsonl、audit.json 与 model/。再次运行同一命令会从最后完成的一轮之后继续；增大 --rounds 可追加轮次。

审计说明其价值：分差、长度，以及给出 --true-reward-expr 时，自评是否偏好真正更好的回答。未学过评判的模型多半不会评判：此时标签概率接近 0。`) + cli.ExitCodes,
		RunE: func(cmd *cobra.Command, args []string) error { return a.selfReward(cmd.Context(), &f) },
	}
	f.stage.add(a, cmd)
	f.stage.addLoRA(a, cmd)
	f.read.Add(a.App, cmd)
	t, fl, o := a.Lang.T, cmd.Flags(), &f.Options
	fl.StringArrayVar(&f.files, "prompts", nil, t("file of prompts; may be given more than once", "提示文件；可多次给出"))
	fl.IntVar(&o.Rounds, "rounds", o.Rounds, t("rounds", "轮数"))
	fl.IntVar(&o.Candidates, "candidates", o.Candidates, t("answers to each prompt", "每个提示的回答数"))
	fl.IntVar(&o.Settings.MaxTokens, "max-tokens", o.Settings.MaxTokens, t("longest answer", "最长回答"))
	fl.Float64Var(&o.Temperature, "temperature", o.Temperature, t("of the answers", "回答的采样温度"))
	fl.Float64Var(&o.TopP, "top-p", o.TopP, t("only the most likely tokens that together have this probability", "只取累计概率达到此值的最可能 token"))
	fl.StringVar((*string)(&o.Scale), "scores", string(o.Scale), t("how an answer is judged: points (0 to 5) or grades (1 to 10)", "打分方式：points（0 至 5）或 grades（1 至 10）"))
	fl.Float64Var(&o.Least, "least", 0, t("points by which the best must lead the worst, more than", "最好须高出最差多少分（大于）"))
	fl.StringVar(&o.Settings.Lang, "question", "", t("language in which the model judges, en or zh; default: that of the prompt", "评判所用语言 en 或 zh；默认随提示"))
	fl.StringVar(&f.truth, "true-reward-expr", "", t("expression of the true reward, to compare with alone", "真实奖励的表达式，仅用于比较"))
	fl.Float64Var(&f.dpo.Beta, "beta", .1, t("how strongly the policy is held to the round's first model", "对该轮起始模型的约束强度"))
	fl.IntVar(&f.dpo.Batch, "batch", 8, t("pairs an update", "每次更新的偏好对数"))
	fl.Float64Var(&f.dpo.Anchor, "anchor", 0, t("weight of the cross entropy of the chosen answer", "优选回答交叉熵的权重"))
	return cmd
}

func (f *selfFlags) check(a *app) error {
	switch {
	case len(f.files) == 0:
		return cli.Usage("%s", a.Lang.T("give --prompts, a file of prompts", "请给出 --prompts，即提示文件"))
	case f.Candidates < 2 || f.Rounds < 1 || f.Options.Settings.MaxTokens < 1:
		return cli.Usage(a.Lang.T("--candidates %d, --rounds %d, --max-tokens %d: at least 2, 1 and 1", "--candidates %d、--rounds %d、--max-tokens %d：至少为 2、1、1"), f.Candidates, f.Rounds, f.Options.Settings.MaxTokens)
	case f.Scale != judge.Points && f.Scale != judge.Grades:
		return cli.Usage(a.Lang.T("--scores %s: write grades or points", "--scores %s：应写 grades 或 points"), f.Scale)
	case f.Options.Settings.Lang != "" && f.Options.Settings.Lang != "en" && f.Options.Settings.Lang != "zh":
		return cli.Usage(a.Lang.T("--question %s: write en or zh", "--question %s：应写 en 或 zh"), f.Options.Settings.Lang)
	case !f.stage.merge:
		return cli.Usage("%s", a.Lang.T("--merge=false: the next round needs the whole model", "--merge=false：下一轮需要完整模型"))
	}
	return f.read.Settle()
}

func (a *app) selfReward(ctx context.Context, f *selfFlags) error {
	if err := f.check(a); err != nil {
		return err
	}
	show := a.newStageProgress(a.preferEvent)
	if err := f.stage.ready(a, show); err != nil {
		return err
	}
	defer f.stage.Pool.Close()
	defer show.Close()
	if err := a.selfPrompts(f); err != nil {
		return err
	}
	o := &f.Options
	o.Model, o.Out, o.Pool, o.Settings.Seed = f.stage.Parent, f.stage.Out, f.stage.Pool, f.stage.Seed
	f.dpo.Loss = "sigmoid"
	f.dpo.Rows = prefer.Rows{Cut: chat.CutPrompt, Dropped: 1, Batch: f.dpo.Batch}
	o.Tuning = struct {
		tune.Settings
		prefer.DPOConfig
	}{f.stage.Settings, f.dpo}
	o.Tune = func(ctx context.Context, parent, data, out string) error {
		c, stage := f.dpo, f.stage.Options
		c.Files = []string{data}
		stage.Parent, stage.Out = parent, out
		_, err := prefer.DPO(ctx, stage, c)
		return err
	}
	o.Tell = func(round int, what string, audit *self.Audit) {
		names := map[string]string{self.Answering: a.Lang.T("answering", "作答"), self.Judging: a.Lang.T("judging", "自评"), self.Tuning: a.Lang.T("tuning", "对齐"), self.Done: a.Lang.T("done", "完成")}
		a.Say("round %d: %s", "第 %d 轮：%s", round, names[what])
	}
	audits, err := self.Run(ctx, f.Options)
	show.Close()
	if len(audits) > 0 {
		if err := a.printAudits(audits); err != nil {
			return err
		}
	}
	var changed *self.ChangedError
	switch {
	case errors.As(err, &changed):
		return cli.ExitWith(cli.ExitUsage, fmt.Errorf(a.Lang.T("%w\n(give the same flags to go on, or another --out)", "%w\n（用相同参数继续，或换 --out）"), err))
	case errors.Is(err, self.ErrNoPairs):
		return fmt.Errorf(a.Lang.T("%w\n(more --candidates, a higher --temperature, or a model that has learnt to judge)", "%w\n（请增加 --candidates、提高 --temperature，或换用学过评判的模型）"), err)
	case err != nil:
		if refused := a.Refused(err); refused != nil {
			return refused
		}
		return a.Stopped(err)
	}
	a.Say("next: winnow chat %s", "接着：winnow chat %s", self.Folder(f.stage.Out, o.Rounds))
	return nil
}

// selfPrompts reads prompts, and the true reward of their columns.
func (a *app) selfPrompts(f *selfFlags) error {
	columns := map[string]bool{}
	for p, err := range source.Prompts(f.files, f.read.Options) {
		var row *source.RowError
		switch {
		case errors.As(err, &row):
			a.Say("%v", "%v", row)
		case err != nil:
			return err
		default:
			f.Prompts = append(f.Prompts, self.Prompt{Messages: p.Messages, Columns: p.Columns})
			for name := range p.Columns {
				columns[name] = true
			}
		}
	}
	if len(f.Prompts) == 0 {
		return cli.Usage("%s", a.Lang.T("there is no prompt to answer", "没有可回答的提示"))
	}
	if f.truth == "" {
		return nil
	}
	x, err := reward.NewExpression(f.truth, slices.Sorted(maps.Keys(columns)))
	if err != nil {
		return cli.ExitWith(cli.ExitUsage, fmt.Errorf("--true-reward-expr: %w", err))
	}
	f.True = x
	return nil
}

func (a *app) printAudits(audits []*self.Audit) error {
	t := a.Lang.T
	if a.JSON {
		for _, x := range audits {
			if err := a.Line(x); err != nil {
				return err
			}
		}
		return nil
	}
	table := report.Table{Head: []string{t("round", "轮"), t(">pairs", ">配对"), t(">ties", ">平局"), t(">label probability", ">标签概率"), t(">score", ">得分"), t(">gap", ">分差"), t(">ended", ">自行结束"), t(">characters", ">字符"), t(">longer chosen", ">选中较长"),
		t(">true reward", ">真实奖励"), t(">truly better", ">确实更好")}}
	for _, x := range audits {
		true, agree := "", ""
		if x.True != nil {
			true, agree = fmt.Sprintf("%.3f", x.True.Mean), fmt.Sprintf("%d / %d", x.True.Agree, x.True.Differ)
		}
		j := x.Judge
		table.Add(fmt.Sprint(x.Round), fmt.Sprint(j.Rows), fmt.Sprint(j.Ties), fmt.Sprintf("%.3f", j.Mass), fmt.Sprintf("%.3f", j.Score), fmt.Sprintf("%.3f", j.Gap), fmt.Sprintf("%.0f %%", 100*x.Ended), fmt.Sprintf("%.0f", x.Characters),
			fmt.Sprintf("%.0f %%", 100*j.Longer), true, agree)
	}
	_, err := fmt.Fprint(a.Out, table.Text())
	return err
}
