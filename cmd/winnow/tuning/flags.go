package tuning

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"winnow/cmd/winnow/cli"
	"winnow/report"
	"winnow/train"
	"winnow/train/chat"
	"winnow/train/checkpoint"
	"winnow/train/llm"
	"winnow/train/tune"
)

// stageFlags are those that every method of fine-tuning has.
type stageFlags struct {
	tune.Options
	cli.MachineFlags
	rank    int
	alpha   float64
	targets []string
	merge   bool
}

// add makes the flags; their defaults are what stands in Settings already.
func (f *stageFlags) add(a *app, cmd *cobra.Command) {
	t, fl, o := a.Lang.T, cmd.Flags(), &f.Options
	fl.StringVar(&o.Parent, "model", "", t("model to go on from: a model folder or a .gguf file", "起始模型：模型文件夹或 .gguf 文件"))
	fl.StringVar(&o.Out, "out", "", t("folder for the model", "模型文件夹"))
	fl.StringVar(&o.Settings.Score, "best-by", o.Score, t("the validated number by which the best is kept; default: loss", "按哪个验证指标保留最佳；默认 loss"))
	fl.StringVar(&o.Template, "template", "", t("how conversations are written, where the model has no template of its own: ", "模型自身没有对话模板时采用的写法：")+strings.Join(chat.Names(), ", "))
	fl.Uint64Var(&o.Seed, "seed", o.Seed, t("of order and samples", "次序与采样的种子"))
	fl.IntVar(&o.Steps, "steps", o.Steps, t("updates, in place of --epochs", "更新步数，代替 --epochs"))
	fl.Float64Var(&o.Epochs, "epochs", o.Epochs, t("passes over the data", "遍历数据的遍数"))
	fl.Float64Var(&o.Rate, "lr", o.Rate, t("peak learning rate", "最高学习率"))
	fl.StringVar(&o.Shape, "schedule", o.Shape, t("of the learning rate: ", "学习率曲线：")+strings.Join(train.Shapes(), ", "))
	fl.IntVar(&o.Warmup, "warmup", o.Warmup, t("steps; below 0: a twentieth of all", "预热步数；负数为总数的二十分之一"))
	fl.Float64Var(&o.Clip, "clip", o.Clip, t("clip gradients to this norm; 0: never", "梯度裁剪的范数；0 为不裁剪"))
	fl.Float64Var(&o.Decay, "weight-decay", o.Decay, t("of matrices", "矩阵的权重衰减"))
	fl.Float64Var(&o.Spike, "spike", o.Spike, t("standard deviations above the last 128 steps from which loss or gradient is a spike; 0: never", "损失或梯度高出最近 128 步多少个标准差算尖峰；0 为从不"))
	fl.BoolVar(&o.Skip, "skip-spikes", o.Skip, t("leave out the update of a spike", "跳过尖峰步的更新"))
	fl.IntVar(&o.Eval, "eval-every", o.Eval, t("steps between validations; 0: a tenth of all", "验证间隔步数；0 为总数的十分之一"))
	fl.IntVar(&o.Patience, "patience", o.Patience, t("stop after so many validations that are no better; 0: never", "连续这么多次验证没有改善即停止；0 为从不"))
	fl.IntVar(&o.Save, "save-every", 0, t("steps; 0: a tenth of all, and at least every five minutes", "保存间隔步数；0 为总数的十分之一，且至少每五分钟一次"))
	fl.BoolVar(&o.Fresh, "fresh", false, t("begin anew: what an earlier run left in DIR is removed", "从头开始：删除 DIR 中先前训练的结果"))
	f.MachineFlags.Add(a.App, cmd)
}

// addLoRA makes the flags of low-rank adapters, for the methods that can do with them.
func (f *stageFlags) addLoRA(a *app, cmd *cobra.Command) {
	t, fl := a.Lang.T, cmd.Flags()
	fl.IntVar(&f.rank, "lora-rank", 0, t("train adapters of this rank in place of all weights; DIR/adapter gets them as PEFT has them; 0: all weights", "只训练该秩的低秩适配器，按 PEFT 格式写入 DIR/adapter；0 为训练全部权重"))
	fl.Float64Var(&f.alpha, "lora-alpha", 0, t("scale of the adapters; 0: twice the rank", "适配器的缩放系数；0 为秩的两倍"))
	fl.StringSliceVar(&f.targets, "lora-targets", nil, t("matrices that get adapters; default: all of ", "加适配器的矩阵；默认全部：")+strings.Join(llm.LoRATargets(), ","))
	fl.BoolVar(&f.merge, "merge", true, t("with --lora-rank: leave the model with its adapters folded in, too", "配合 --lora-rank：同时写出合并适配器后的模型"))
}

// adapters is what the flags of addLoRA say.
func (f *stageFlags) adapters() *llm.LoRA {
	if f.rank == 0 {
		return nil
	}
	return &llm.LoRA{Rank: f.rank, Alpha: cmp.Or(f.alpha, 2*float64(f.rank)), Targets: f.targets, Seed: f.Options.Seed}
}

// ready checks the flags and starts the workers; who calls it closes Pool. show tells what the run does.
func (f *stageFlags) ready(a *app, show *stageProgress) (err error) {
	o := &f.Options
	switch {
	case o.Parent == "":
		return cli.Usage("%s", a.Lang.T("give --model, the model to go on from", "请给出 --model，即起始模型"))
	case o.Out == "":
		return cli.Usage("%s", a.Lang.T("give --out, the folder for the model", "请给出 --out，即模型文件夹"))
	}
	if err := a.modelAt("--model", o.Parent); err != nil {
		return err
	}
	if o.Steps > 0 {
		o.Epochs = 0
	}
	if err := o.Check(); err != nil {
		return cli.ExitWith(cli.ExitUsage, err)
	}
	if o.Pool, err = llm.NewPool(f.Threads, f.Kernel); err != nil {
		return cli.ExitWith(cli.ExitUsage, err)
	}
	o.LoRA, o.NoMerge = f.adapters(), !f.merge
	o.Program, o.Tell = cli.Version(), show.event
	return nil
}

// modelAt looks whether a flag names a model.
func (a *app) modelAt(flag, path string) error {
	if checkpoint.IsReward(path) {
		return cli.Usage(a.Lang.T("%s %s: this is a reward model, which judges answers and writes none (policies take it by --reward-model)",
			"%s %s：这是奖励模型，只评判回答而不生成（请用于策略训练的 --reward-model）"), flag, path)
	}
	for _, file := range []string{path, filepath.Join(path, "config.json"), filepath.Join(path, "adapter_config.json")} {
		if info, err := os.Stat(file); err == nil && !info.IsDir() {
			return nil
		}
	}
	return cli.Usage(a.Lang.T("%s %s: there is no model: a folder with config.json, an adapter's folder, or a .gguf file", "%s %s：没有模型：应为含 config.json 的文件夹、适配器文件夹或 .gguf 文件"), flag, path)
}

// filesAt looks whether what a flag names are files.
func (a *app) filesAt(flag string, paths ...string) error {
	for _, path := range paths {
		switch info, err := os.Stat(path); {
		case err != nil:
			return cli.Usage("%s %v", flag, err)
		case info.IsDir():
			return cli.Usage(a.Lang.T("%s %s: this is a folder: name its files", "%s %s：这是文件夹：请指明其中的文件"), flag, path)
		}
	}
	return nil
}

// tuned is the end of every method's command: it says what a user can do about an error, or what came of the run. Before a run has
// begun, every error is one of what was asked for.
func (a *app) tuned(show *stageProgress, r *tune.Result, err error) error {
	show.Close()
	if err := a.Refused(err); err != nil {
		return err
	}
	var template *tune.TemplateError
	var foreign *tune.ForeignError
	var token *chat.TokenError
	switch {
	case errors.As(err, &token):
		return cli.ExitWith(cli.ExitUsage, fmt.Errorf(a.Lang.T("%w\n(--template plain needs none but the end of a text)", "%w\n（--template plain 只需要文本结束 token）"), err))
	case errors.As(err, &template):
		return cli.ExitWith(cli.ExitUsage, fmt.Errorf(a.Lang.T("%w\n(name one with --template: %s; plain needs no special tokens)", "%w\n（请用 --template 指定：%s；其中 plain 不需要特殊 token）"), err, strings.Join(chat.Names(), ", ")))
	case errors.As(err, &foreign):
		return cli.ExitWith(cli.ExitUsage, fmt.Errorf(a.Lang.T("%w\n(every stage reads with the tokenizer of the first)", "%w\n（各阶段必须使用同一分词器）"), err))
	}
	var own *cli.ExitError
	switch {
	case errors.As(err, &own):
		return err
	case err != nil && !show.begun && !errors.Is(err, context.Canceled):
		return cli.ExitWith(cli.ExitUsage, err)
	}
	if err := a.Stopped(err); err != nil {
		return err
	}
	if err := a.stagePage(r.Out); err != nil {
		return err
	}
	return a.printStage(r)
}

// printStage shows what came of a run.
func (a *app) printStage(r *tune.Result) error {
	if a.JSON {
		return a.Line(r)
	}
	kept := a.Lang.T("the last step's", "最后一步")
	if r.Best > 0 {
		kept = fmt.Sprintf(a.Lang.T("the best, of step %d", "第 %d 步，验证最佳"), r.Best)
	}
	if r.Stopped {
		kept += a.Lang.T("; stopped early", "；提前停止")
	}
	fmt.Fprintf(a.Out, a.Lang.T("%s: %d steps, %s targets, loss %.3f; weights: %s\n", "%s：%d 步，%s 个学习目标，损失 %.3f；权重：%s\n"), r.Out, r.Steps, report.Count(r.Tokens), r.Loss, kept)
	if len(r.Eval) > 0 {
		fmt.Fprintln(a.Out, a.Lang.T("held out: ", "留出数据：")+measured(a.App, r.Eval))
	}
	if len(r.Seconds) > 0 {
		fmt.Fprintln(a.Out, a.Lang.T("time: ", "用时：")+a.split(r.Seconds))
	}
	a.Say("%.0f positions/s", "%.0f 位置/秒", r.Speed)
	if r.Kind != checkpoint.KindReward {
		a.Say("    next: winnow chat %s", "    接着：winnow chat %s", r.Model)
	}
	return nil
}
