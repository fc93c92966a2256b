package main

import (
	"github.com/spf13/cobra"

	"winnow/train/monitor"
)

func (a *app) trainCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "train",
		Short: a.lang.T("train a tokenizer and a model on the kept texts of a run", "用运行保留的文本训练分词器与模型"),
	}
	cmd.AddCommand(
		a.trainBase(),
		a.trainDemo(),
		a.trainSFT(),
		a.trainKnow(),
		a.trainDistill(),
		a.trainJudge(),
		a.trainTeach(),
		a.trainSelf(),
		a.trainShow(),
		a.trainEval(),
		a.trainTokenizer(),
		a.trainSweep(),
		a.trainScaling(),
		a.trainReward(),
		a.trainDPO(),
		a.trainKTO(),
		a.trainMeasures(),
		a.trainPolicy(monitor.Reinforce),
		a.trainPolicy(monitor.RLOO),
		a.trainPolicy(monitor.GRPO),
		a.trainPolicy(monitor.PPO),
	)
	return cmd
}
