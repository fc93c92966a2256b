package tuning

import (
	"github.com/spf13/cobra"

	"winnow/cmd/winnow/cli"
	"winnow/train/loss"
	"winnow/train/prefer"
	"winnow/train/tune"
)

func (a *app) trainDPO() *cobra.Command {
	var f preferFlags
	f.stage.Settings = tune.Defaults()
	f.stage.Epochs, f.stage.Share = 1, .1
	var c prefer.DPOConfig
	cmd := &cobra.Command{
		Use: "dpo --model MODEL --data FILE... --out DIR", Args: cli.ExactArgs(0, 1<<20),
		Short: a.Lang.T("tune a model on preferences (DPO, IPO, SimPO, ORPO ...)", "用偏好数据对齐模型（DPO、IPO、SimPO、ORPO 等）"),
		Long: a.Lang.T(`Tune a model so that it prefers the chosen answers. FILE has rows of a prompt with a chosen and a rejected answer in any of
the shapes of winnow check --as preference. The reference is --model itself: what it says of all answers is computed once and
kept in DIR. Both answers of a pair go through one pass; the first step's loss is checked (0.6931 for sigmoid).

--loss, what it compares (sums or means of an answer's log-probabilities), and its formula; Δ = rw - rl, log-ratios to the reference:
`, `调整模型，使其偏好优选回答。FILE 的每行含提示、优选回答与劣选回答，格式为 winnow check --as preference 所列的任意一种。
参考模型即 --model 本身：它对所有回答的对数概率只计算一次，存于 DIR。一对回答在同一次前向中计算；第一步的损失会被检查
（sigmoid 为 0.6931）。

--loss 的名称、比较的量（回答对数概率之和 sums 或均值 means）与公式；Δ = rw - rl，为相对参考模型的对数比：
`) + preferenceNames() + cli.ExitCodes,
		RunE: func(cmd *cobra.Command, files []string) error {
			show := a.newStageProgress(a.preferEvent)
			p, err := loss.PreferenceNamed(c.Loss)
			if err != nil {
				return cli.ExitWith(cli.ExitUsage, err)
			}
			changed := cmd.Flags().Changed
			for name, v := range map[string]struct {
				to   *float64
				from float64
			}{"beta": {&c.Beta, p.Defaults.Beta}, "label-smoothing": {&c.Smoothing, p.Defaults.Smoothing}, "gamma": {&c.Gamma, p.Defaults.Gamma}, "anchor": {&c.Anchor, p.Defaults.Anchor}} {
				if !changed(name) {
					*v.to = v.from
				}
			}
			if err := f.ready(a, files, show); err != nil {
				return err
			}
			defer f.stage.Pool.Close()
			c.Rows = f.rows
			r, err := prefer.DPO(cmd.Context(), f.stage.Options, c)
			return a.tuned(show, r, err)
		},
	}
	f.add(a, cmd, 8, a.Lang.T("pairs an update", "每次更新的偏好对数"))
	f.addDrift(a, cmd, &c.Drift)
	fl, t := cmd.Flags(), a.Lang.T
	fl.StringVar(&c.Loss, "loss", "sigmoid", t("one of those above", "上面列出的一种"))
	fl.Float64Var(&c.Beta, "beta", .1, t("how strongly the policy is held to the reference; default: by loss, mostly 0.1", "对参考模型的约束强度；默认随损失而定，多为 0.1"))
	fl.Float64Var(&c.Smoothing, "label-smoothing", 0, t("share of pairs whose label is wrong, for cdpo and robust; default 0.1", "标签有误的比例，用于 cdpo 与 robust；默认 0.1"))
	fl.Float64Var(&c.Gamma, "gamma", 0, t("margin of simpo; default 0.5", "simpo 的间隔；默认 0.5"))
	fl.Float64Var(&c.Anchor, "anchor", 0, t("weight of the cross entropy of the chosen answer, against its likelihood falling (RPO)", "优选回答交叉熵的权重，防止其似然下降（RPO）"))
	return cmd
}
