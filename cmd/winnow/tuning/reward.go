package tuning

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"winnow/cmd/winnow/cli"
	"winnow/train/chat"
	"winnow/train/loss"
	"winnow/train/monitor"
	"winnow/train/prefer"
	"winnow/train/tune"
)

// preferFlags are those of the methods that learn from judged answers.
type preferFlags struct {
	stage stageFlags
	read  cli.RowFlags
	rows  prefer.Rows
	data  []string
	cut   string
}

// add makes the flags; what stands in stage's Settings already is their default.
func (f *preferFlags) add(a *app, cmd *cobra.Command, batch int, of string) {
	f.stage.add(a, cmd)
	f.stage.addLoRA(a, cmd)
	f.read.Add(a.App, cmd)
	t, fl, o := a.Lang.T, cmd.Flags(), &f.rows
	fl.StringArrayVar(&f.data, "data", nil, t("file of rows; may be given more than once", "数据文件；可多次给出"))
	fl.StringArrayVar(&o.Held, "eval-data", nil, t("file of rows to validate on, in place of --holdout", "用于验证的数据文件，代替 --holdout"))
	fl.Float64Var(&o.Share, "holdout", .05, t("share of the prompts that are only validated on", "仅用于验证的提示的比例"))
	fl.IntVar(&o.Len, "length", 0, t("tokens of a prompt with its answer; 0: the model's context", "提示连同回答的 token 数；0 为模型的上下文长度"))
	fl.StringVar(&f.cut, "cut", string(chat.CutPrompt), t("what becomes of longer rows: prompt leaves off the begin of their prompt, answer also the end of their answer", "过长数据的处理：prompt 去掉提示的开头，answer 还会去掉回答的末尾"))
	fl.Float64Var(&o.Dropped, "most-dropped", .05, t("share of rows that may be of no use", "允许无法使用的行的比例"))
	fl.IntVar(&o.Batch, "batch", batch, of)
}

// addDrift makes the flags of policies.
func (f *preferFlags) addDrift(a *app, cmd *cobra.Command, d *prefer.Drift) {
	*d = prefer.UsualDrift()
	t, fl := a.Lang.T, cmd.Flags()
	fl.IntVar(&d.Prompts, "kl-prompts", d.Prompts, t("held-out prompts that the policy answers at each validation, for its KL from the reference", "每次验证时由策略回答的留出提示数，用于测量其与参考模型的 KL"))
	fl.IntVar(&d.Tokens, "kl-tokens", d.Tokens, t("of such an answer, at most", "此类回答的 token 上限"))
	fl.Float64Var(&d.Budget, "kl-budget", 0, t("stop where the KL is above so many nats an answer; 0: never", "KL 超过每个回答这么多 nat 即停止；0 为从不"))
}

// ready is stageFlags.ready, with the rows' flags.
func (f *preferFlags) ready(a *app, files []string, show *stageProgress) error {
	if err := f.read.Settle(); err != nil {
		return err
	}
	if files = append(slices.Clip(f.data), files...); len(files) == 0 {
		return cli.Usage("%s", a.Lang.T("give --data, a file of rows", "请给出 --data，即数据文件"))
	}
	if err := errors.Join(a.filesAt("--data", files...), a.filesAt("--eval-data", f.rows.Held...)); err != nil {
		return err
	}
	f.rows.Files, f.rows.Read, f.rows.Cut = files, f.read.Options, chat.Cut(f.cut)
	return f.stage.ready(a, show)
}

// preferEvent shows what these methods tell beside what all do.
func (a *app) preferEvent(e tune.Event) {
	switch m := e.More.(type) {
	case *prefer.Account:
		a.Say("data: %s", "数据：%s", m)
		for _, why := range m.First {
			a.Say("  not used: %s", "  未使用：%s", why)
		}
	case prefer.Progress:
		if m.Done == m.All {
			a.Say("the reference's log-probabilities of %d answers are known", "参考模型对 %d 个回答的对数概率已算好", m.All)
		}
	case loss.KTOOptions:
		a.Say("weights: good %.3g, bad %.3g", "权重：好 %.3g，差 %.3g", m.Good, m.Bad)
	case monitor.Alarm:
		mark := "! "
		if m.Level == monitor.Note {
			mark = "i "
		}
		fmt.Fprintln(a.Err, mark+a.Lang.T(fmt.Sprintf("step %d: %s", m.Step, m.EN), fmt.Sprintf("第 %d 步：%s", m.Step, m.ZH)))
	case prefer.Card:
		a.card(m)
	}
}

// card shows how sure a reward model is, and how often it is right then.
func (a *app) card(c prefer.Card) {
	a.Say("rewards: mean %.3f, standard deviation %.3f over %d answers; both are taken out of what is published", "奖励：%[3]d 个回答的均值 %.3[1]f，标准差 %.3[2]f；发布的模型已归一化",
		c.Scale.Mean, c.Scale.SD, c.Scale.Answers)
	if c.Held == nil {
		return
	}
	a.Say("held out: %d pairs, accuracy %.1f %%, calibration error %.3f", "留出：%d 对，准确率 %.1f %%，校准误差 %.3f", c.Held.Pairs, 100*c.Held.Accuracy, c.Held.Error)
	for _, b := range c.Held.Bins {
		if b.Pairs > 0 {
			a.Say("  says %.0f to %.0f %%: right in %.0f %% of %d", "  自信 %.0f 至 %.0f %%：正确 %.0f %%，共 %d 对", 100*b.From, 100*b.To, 100*b.Right, b.Pairs)
		}
	}
}

func (a *app) trainReward() *cobra.Command {
	var f preferFlags
	f.stage.Settings = tune.Defaults()
	f.stage.Epochs = 1
	c := prefer.RewardConfig{Centring: .01}
	cmd := &cobra.Command{
		Use: "reward --model MODEL --data FILE... --out DIR", Args: cli.ExactArgs(0, 1<<20),
		Short: a.Lang.T("train a reward model on preferences", "用偏好数据训练奖励模型"),
		Long: a.Lang.T(`Train a reward model on preferences (Bradley-Terry): a scalar head on the model, read at the end of an answer. FILE has rows
of a prompt with a chosen and a rejected answer in any of the shapes of winnow check --as preference, with a margin where
there is one. Both answers of a pair go through one pass.

What is published gives rewards of mean 0 and standard deviation 1 on held-out answers; its accuracy and how sure it may be
are printed and stored. The folder loads in transformers as LlamaForSequenceClassification.`,
			`用偏好数据训练奖励模型（Bradley-Terry）：在模型上加一个标量头，于回答结束处读取。FILE 的每行含提示、优选回答与劣选回答，
格式为 winnow check --as preference 所列的任意一种，可带 margin。一对回答在同一次前向中计算。

发布的奖励在留出回答上均值为 0、标准差为 1；准确率与校准情况会打印并保存。该文件夹可由 transformers 以
LlamaForSequenceClassification 加载。`) + cli.ExitCodes,
		RunE: func(cmd *cobra.Command, files []string) error {
			show := a.newStageProgress(a.preferEvent)
			if err := f.ready(a, files, show); err != nil {
				return err
			}
			defer f.stage.Pool.Close()
			c.Rows = f.rows
			r, err := prefer.Reward(cmd.Context(), f.stage.Options, c)
			return a.tuned(show, r, err)
		},
	}
	f.add(a, cmd, 16, a.Lang.T("pairs an update", "每次更新的偏好对数"))
	fl, t := cmd.Flags(), a.Lang.T
	fl.Float64Var(&c.Centring, "centring", c.Centring, t("weight of (chosen + rejected)², which keeps rewards near 0", "(优选+劣选)² 的权重，使奖励保持在 0 附近"))
	fl.BoolVar(&c.Margin, "margin", true, t("a row's margin, where it has one, is how far its rewards must lie apart", "使用数据中的 margin，即两个奖励至少相差多少"))
	return cmd
}

// preferenceNames lists the losses with what they compare.
func preferenceNames() string {
	var list []string
	for _, p := range loss.Preferences() {
		list = append(list, fmt.Sprintf("  %-13s %-5s %s", p.Name, p.Reads, p.Text))
	}
	return strings.Join(list, "\n")
}
