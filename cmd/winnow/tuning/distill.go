package tuning

import (
	"github.com/spf13/cobra"

	"winnow/cmd/winnow/cli"
	"winnow/train/sft"
	"winnow/train/tune"
)

func (a *app) trainDistill() *cobra.Command {
	f := sftFlags{stageFlags: stageFlags{Options: tune.Options{Settings: tune.Defaults()}}, config: sft.Usual()}
	f.Epochs, f.Patience = 3, 3
	teaching, teacher := sft.UsualTeaching(), ""
	cmd := &cobra.Command{
		Use: "distill --teacher MODEL --model MODEL --data FILE... --out DIR", Args: cli.ExactArgs(0, 1<<20),
		Short: a.Lang.T("teach a model a teacher's distributions, token by token", "按词元级分布向教师模型学习（蒸馏）"),
		Long: a.Lang.T(`Teach a model the distributions of a local teacher with the same tokenizer, at the assistant's tokens of conversations. With --lambda,
a share of the steps is on answers that the model samples itself to the prompts of the data (GKD, arXiv 2306.13649).

--beta chooses between forward KL (0), which covers what the teacher may say, and reverse KL (1), which keeps to what it mostly says.`,
			`用同一分词器的本地教师模型，在对话中助手的 token 上学习教师的分布。--lambda 指定其中多大比例的步使用模型自己对数据中提示
采样的回答（GKD，arXiv 2306.13649）。

--beta 在前向 KL（0，覆盖教师可能的说法）与反向 KL（1，集中于教师的主要说法）之间选择。`) + cli.ExitCodes,
		RunE: func(cmd *cobra.Command, args []string) error {
			if teacher == "" {
				return cli.Usage("%s", a.Lang.T("give --teacher, a model folder", "请给出 --teacher，即教师模型文件夹"))
			}
			if err := a.modelAt("--teacher", teacher); err != nil {
				return err
			}
			show := a.newStageProgress(a.sftEvent)
			o, err := f.options(a, show, args)
			if err != nil {
				return err
			}
			defer o.Pool.Close()
			r, err := sft.Distill(cmd.Context(), sft.DistillOptions{Options: o, Teaching: teaching, Teacher: teacher})
			return a.tuned(show, r, err)
		},
	}
	f.add(a, cmd)
	f.addLoRA(a, cmd)
	t, fl := a.Lang.T, cmd.Flags()
	fl.StringVar(&teacher, "teacher", "", t("model folder or .gguf file of the teacher", "教师模型文件夹或 .gguf 文件"))
	fl.Float64Var(&teaching.Divergence.Beta, "beta", teaching.Divergence.Beta, t("0: forward KL, 1: reverse KL, between them Jensen-Shannon", "0 为前向 KL，1 为反向 KL，其间为广义 Jensen-Shannon"))
	fl.Float64Var(&teaching.Divergence.Temperature, "distill-temperature", teaching.Divergence.Temperature, t("divides the logits of both", "除以双方 logits 的温度"))
	fl.Float64Var(&teaching.Lambda, "lambda", teaching.Lambda, t("share of the steps on the model's own answers", "使用模型自身回答的步数比例"))
	fl.IntVar(&teaching.Most, "max-tokens", teaching.Most, t("most tokens of such an answer", "此类回答的最多 token 数"))
	fl.Float64Var(&teaching.Sampling, "temperature", teaching.Sampling, t("of such an answer", "此类回答的采样温度"))
	return cmd
}
