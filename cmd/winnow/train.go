package main

import (
	"winnow/cmd/winnow/pretrain"
	"winnow/cmd/winnow/tuning"

	"github.com/spf13/cobra"
)

func (a *app) trainCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "train",
		Short: a.Lang.T("train a tokenizer and a model on the kept texts of a run", "用运行保留的文本训练分词器与模型"),
	}
	cmd.AddCommand(pretrain.Commands(a.App)...)
	cmd.AddCommand(tuning.Commands(a.App)...)
	return cmd
}
