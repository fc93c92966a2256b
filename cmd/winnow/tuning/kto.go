package tuning

import (
	"github.com/spf13/cobra"

	"winnow/cmd/winnow/cli"
	"winnow/train/prefer"
	"winnow/train/tune"
)

func (a *app) trainKTO() *cobra.Command {
	var f preferFlags
	f.stage.Settings = tune.Defaults()
	f.stage.Epochs, f.stage.Share = 1, .1
	var c prefer.KTOConfig
	cmd := &cobra.Command{
		Use: "kto --model MODEL --data FILE... --out DIR", Args: cli.ExactArgs(0, 1<<20),
		Short: a.Lang.T("tune a model on answers that are judged good or bad (KTO)", "用好评与差评对齐模型（KTO）"),
		Long: a.Lang.T(`Tune a model on single answers with a label, such as thumbs up and down, in any of the shapes of winnow check --as feedback; a
preference is two of them. The reference is --model itself. Answers are compared with a point that mismatched answers of the same
batch give, so a batch has at least 2. Without --weight-good and --weight-bad the rarer side is raised until good·n/(bad·n) lies in
[1, 4/3]; the first step's loss is checked (half of the weight).`,
			`用单个带标签的回答对齐模型，例如点赞与点踩，格式为 winnow check --as feedback 所列的任意一种；一条偏好数据相当于两个回答。
参考模型即 --model 本身。回答与同批错配回答给出的基点比较，因此每批至少 2 个。不给 --weight-good 与 --weight-bad 时，
提高较少一方的权重，使 好·数量/(差·数量) 落在 [1, 4/3]；第一步的损失会被检查（权重的一半）。`) + cli.ExitCodes,
		RunE: func(cmd *cobra.Command, files []string) error {
			show := a.newStageProgress(a.preferEvent)
			if err := f.ready(a, files, show); err != nil {
				return err
			}
			defer f.stage.Pool.Close()
			c.Rows = f.rows
			r, err := prefer.KTO(cmd.Context(), f.stage.Options, c)
			return a.tuned(show, r, err)
		},
	}
	f.add(a, cmd, 16, a.Lang.T("judged answers an update, at least 2", "每次更新的回答数，至少 2"))
	f.addDrift(a, cmd, &c.Drift)
	fl, t := cmd.Flags(), a.Lang.T
	fl.Float64Var(&c.Beta, "beta", .1, t("how strongly the policy is held to the reference", "对参考模型的约束强度"))
	fl.Float64Var(&c.Good, "weight-good", 0, t("of good answers; 0: by the rule", "好回答的权重；0 为按规则"))
	fl.Float64Var(&c.Bad, "weight-bad", 0, t("of bad answers; 0: by the rule", "差回答的权重；0 为按规则"))
	return cmd
}
