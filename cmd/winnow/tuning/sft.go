package tuning

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"winnow/cmd/winnow/cli"
	"winnow/filter/quality"
	"winnow/filter/quality/classify"
	"winnow/report"
	"winnow/train/chat"
	"winnow/train/sft"
	"winnow/train/tune"
)

// sftFlags are those of train sft and train distill.
type sftFlags struct {
	stageFlags
	rows         cli.RowFlags
	config       sft.Config
	data, held   []string
	selection    string
	quality, cut string
	know         bool
	asking       knowFlags
}

func (a *app) trainSFT() *cobra.Command {
	f := sftFlags{stageFlags: stageFlags{Options: tune.Options{Settings: tune.Defaults()}}, config: sft.Usual()}
	f.Epochs, f.Patience = 3, 3
	cmd := &cobra.Command{
		Use: "sft --model MODEL --data FILE... --out DIR", Args: cli.ExactArgs(0, 1<<20),
		Short: a.Lang.T("teach a model to answer, by conversations", "用对话数据教模型回答（监督微调）"),
		Long: a.Lang.T(`Teach a model to answer. Only the assistant's turns and their ends are learnt. FILE is JSON lines, a JSON array or parquet, plain or
under gzip or zstd; winnow check FILE --as chat says what is in it. What becomes of every row is told, and a run in which more
rows are cut or dropped than --most-cut and --most-dropped allow does not start.

Conversations that share a prompt with held-out ones are not learnt from. The best model by validation is kept. The same command
again goes on where it stopped, to the same bytes.`,
			`用对话数据教模型回答。只学习助手的回合及其结束标记。FILE 为 JSON 行、JSON 数组或 parquet，可经 gzip 或 zstd 压缩；
winnow check FILE --as chat 可查看其内容。会说明每一行的去向；被截短或丢弃的行超过 --most-cut、--most-dropped 时不开始训练。

与留出对话提示相同的对话不参与训练。保留验证最佳的模型。中断后重新运行同一命令即可继续，结果逐字节相同。`) + cli.ExitCodes,
		RunE: func(cmd *cobra.Command, args []string) error { return a.sft(cmd.Context(), &f, args) },
	}
	f.add(a, cmd)
	f.addLoRA(a, cmd)
	t, fl := a.Lang.T, cmd.Flags()
	fl.BoolVar(&f.config.ResponseOnly, "response-only", false, t("leave instructions empty: learn how to answer, not to what (response tuning)", "指令留空：只学习如何回答（response tuning）"))
	fl.StringVar(&f.selection, "select", "", t("learn from some rows: random:N, longest:N, quality:N, maybe-known[:N]; Nt counts targets in place of rows", "只学习部分行：random:N、longest:N、quality:N、maybe-known[:N]；Nt 按学习目标数计"))
	fl.StringVar(&f.quality, "quality-model", "", t("with --select quality: a model of winnow quality train; default: the mean log-probability under MODEL", "配合 --select quality：winnow quality train 的模型；默认用 MODEL 下的平均对数概率"))
	fl.BoolVar(&f.know, "know", false, t("first ask the model the short questions of the data, and warn of what it does not know", "先向模型提问数据中的简短问题，并就未知比例给出警告"))
	f.asking.add(a, cmd)
	return cmd
}

// add makes the flags that all training on conversations has.
func (f *sftFlags) add(a *app, cmd *cobra.Command) {
	f.stageFlags.add(a, cmd)
	f.rows.Add(a.App, cmd)
	t, fl, c := a.Lang.T, cmd.Flags(), &f.config
	fl.StringArrayVar(&f.data, "data", nil, t("file of conversations; may be given more than once", "对话数据文件；可多次给出"))
	fl.StringArrayVar(&f.held, "eval-data", nil, t("file of conversations to validate on, in place of --holdout", "用于验证的对话数据文件，代替 --holdout"))
	fl.Float64Var(&c.Holdout, "holdout", c.Holdout, t("share of the prompts that are only validated on", "仅用于验证的提示的比例"))
	fl.IntVar(&c.HeldMost, "holdout-most", c.HeldMost, t("conversations to validate on, at most; 0: no limit", "验证对话数上限；0 为不限"))
	fl.IntVar(&c.Len, "length", 0, t("positions of a row; 0: the model's context, at most 512", "每行位置数；0 为模型上下文长度，至多 512"))
	fl.IntVar(&c.Batch, "batch", c.Batch, t("rows of a micro-batch", "微批的行数"))
	fl.IntVar(&c.Accumulate, "accumulate", c.Accumulate, t("micro-batches of a step", "每步的微批数"))
	fl.StringVar(&f.cut, "cut", string(c.Cut), t("what becomes of long conversations: turns leaves off turns at the end; prompt, answer also shorten those", "过长对话的处理：turns 去掉末尾轮次；prompt、answer 还会缩短提示或回答"))
	fl.Float64Var(&c.MostCut, "most-cut", c.MostCut, t("share of rows that may be cut", "允许被截短的行的比例"))
	fl.Float64Var(&c.MostDropped, "most-dropped", c.MostDropped, t("share of rows that may be dropped", "允许被丢弃的行的比例"))
	fl.IntVar(&c.Samples, "samples", c.Samples, t("held-out prompts that are answered after a validation", "每次验证后回答的留出提示数"))
}

// sft fine-tunes.
func (a *app) sft(ctx context.Context, f *sftFlags, more []string) error {
	show := a.newStageProgress(a.sftEvent)
	o, err := f.options(a, show, more)
	if err != nil {
		return err
	}
	defer o.Pool.Close()
	if o.Select, err = sft.ParseSelection(f.selection); err != nil {
		return cli.ExitWith(cli.ExitUsage, err)
	}
	if f.know || o.Select.How == sft.MaybeKnown {
		o.Know = f.asking.knowledge(a, o.Seed)
	}
	if f.quality != "" {
		if o.Rater, err = openRater(f.quality); err != nil {
			return err
		}
	}
	r, err := sft.Run(ctx, o)
	return a.tuned(show, r, err)
}

// options turns flags into options, and starts the workers.
func (f *sftFlags) options(a *app, show *stageProgress, more []string) (o sft.Options, err error) {
	if f.data = append(slices.Clip(f.data), more...); len(f.data) == 0 {
		return o, cli.Usage("%s", a.Lang.T("give --data, a file of conversations", "请给出 --data，即对话数据文件"))
	}
	if err := errors.Join(f.rows.Settle(), a.filesAt("--data", f.data...), a.filesAt("--eval-data", f.held...)); err != nil {
		return o, err
	}
	if err := f.ready(a, show); err != nil {
		return o, err
	}
	f.config.Cut = chat.Cut(f.cut)
	return sft.Options{Options: f.stageFlags.Options, Config: f.config, Train: sft.Data{Files: f.data, Rows: f.rows.Options}, Held: sft.Data{Files: f.held, Rows: f.rows.Options}}, nil
}

// sftEvent shows what only training on conversations tells.
func (a *app) sftEvent(e tune.Event) {
	switch v := e.More.(type) {
	case *chat.Account:
		if e.Type == "account held" {
			fmt.Fprintln(a.Out, a.Lang.T("validation:", "验证数据："))
		}
		if err := a.PrintAccount(v); err != nil {
			fmt.Fprintln(a.Err, err)
		}
		for _, line := range v.First {
			a.Say("  %s", "  %s", line)
		}
	case *sft.Found:
		a.printShares(v)
	}
}

// rater is the classifier of winnow quality as a sft.Scorer.
type rater struct {
	model *classify.Model
	name  string
}

func openRater(path string) (*rater, error) {
	m, err := quality.OpenModel(path)
	if err != nil {
		return nil, err
	}
	return &rater{m, "quality model " + m.Hash()[:12]}, nil
}

func (r *rater) Name() string { return r.name }

func (r *rater) Score(ctx context.Context, texts []string) (scores []float64, err error) {
	for _, s := range texts {
		scores = append(scores, float64(r.model.Score(s)))
	}
	return scores, ctx.Err()
}

// printShares says how many questions are known, and how well.
func (a *app) printShares(f *sft.Found) {
	names := map[sft.Class]string{sft.Highly: a.Lang.T("highly known: every greedy answer is right", "熟知：贪心回答全对"), sft.Maybe: a.Lang.T("maybe known: some greedy answers are", "可能知道：部分贪心回答正确"),
		sft.Weakly: a.Lang.T("weakly known: only sampled answers are", "略知：仅采样回答中有正确的"), sft.Unknown: a.Lang.T("unknown: none is", "未知：全部错误")}
	t := report.Table{Head: []string{a.Lang.T("closed-book questions", "闭卷问题"), a.Lang.T(">number", ">数量"), ">%", a.Lang.T(">95 % interval", ">95% 区间")}}
	for _, s := range f.Shares {
		t.Add(names[s.Class], report.Count(int64(s.Rate.Hits)), fmt.Sprintf("%.1f", 100*s.Rate.Rate), fmt.Sprintf("%.1f", 100*s.Rate.Low)+" – "+fmt.Sprintf("%.1f", 100*s.Rate.High))
	}
	fmt.Fprint(a.Out, t.Text())
	a.Say("%d of %d rows were asked; the others have no short answer", "共 %[2]d 行，其中 %[1]d 行可作闭卷提问；其余没有简短答案", f.Asked, f.Of)
}

// knowFlags say how a model is asked what it knows.
type knowFlags struct {
	shots, prompts, samples, most, limit int
}

func (k *knowFlags) add(a *app, cmd *cobra.Command) {
	t, fl, d := a.Lang.T, cmd.Flags(), sft.Asking()
	fl.IntVar(&k.shots, "know-shots", d.Shots, t("answered questions before the one that is asked", "提问前给出的示例问答数"))
	fl.IntVar(&k.prompts, "know-prompts", d.Prompts, t("different choices of these", "示例的不同组合数"))
	fl.IntVar(&k.samples, "know-samples", d.Samples, t("sampled answers to each prompt, beside the greedy one", "每个提示除贪心回答外的采样回答数"))
	fl.IntVar(&k.limit, "know-most", d.Limit, t("questions that are asked, at most; 0: all, as --select maybe-known always does", "最多提问数；0 为全部（--select maybe-known 总是全部提问）"))
	fl.IntVar(&k.most, "know-tokens", d.Most, t("longest answer, in tokens, that is asked for", "可提问的最长答案，按 token 计"))
}

func (k *knowFlags) knowledge(a *app, seed uint64) *sft.Knowledge {
	out := sft.Asking()
	out.Shots, out.Prompts, out.Samples, out.Most, out.Limit, out.Seed = k.shots, k.prompts, k.samples, k.most, k.limit, seed
	told := 0
	out.Progress = func(done, all int) {
		if percent := 100 * done / all; percent >= told+10 {
			told = percent - percent%10
			a.Say("asking what the model knows: %d %%", "正在询问模型所知：%d%%", told)
		}
	}
	return out
}
