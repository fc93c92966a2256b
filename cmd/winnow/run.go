package main

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"winnow"
	"winnow/cmd/winnow/cli"
	"winnow/pipelines"
	"winnow/pipelines/engine"
	"winnow/shard"
)

func (a *app) runCmd() *cobra.Command {
	var f cli.RecipeFlags
	var o engine.Options
	var memory, kind string
	cmd := &cobra.Command{
		Use: "run RECIPE [-- FLAGS OF winnow-beam]",
		Args: func(cmd *cobra.Command, args []string) error {
			if n := cmd.ArgsLenAtDash(); n >= 0 && kind == "beam" {
				args = args[:n]
			}
			return cli.ExactArgs(1, 1)(cmd, args)
		},
		Short: a.Lang.T("run a recipe; run it again to go on where it stopped", "运行配方；中断后再运行即从断点继续"),
		Long: a.Lang.T(`Run a recipe: a file, or the name of one that is part of the program (quickstart, fineweb, web-zh, web-en, wet).

The same command again goes on where it stopped. A recipe whose bounds alone changed takes over what other runs in the
same folder stored, and reads again only the documents whose verdict changes.

A recipe with train: goes on to models, in the run's folder under models/; each step is shown as the command that it is.`,
			`运行配方：文件，或内置配方的名字（quickstart、fineweb、web-zh、web-en、wet）。

中断后重新运行同一命令即可继续。若只改了界限，则沿用同一文件夹中其他运行已存的度量，只重读裁决改变的文档。

配方若有 train:，则接着训练模型，存于运行文件夹的 models/ 下；每一步都显示为等价的命令。`) + cli.ExitCodes,
		RunE: func(cmd *cobra.Command, args []string) error {
			size, err := pipelines.ParseSize(memory)
			if err != nil || size < 1<<20 {
				return cli.Usage(a.Lang.T("--memory %s: write a size of at least 1MB", "--memory %s：应写大小，至少 1MB"), memory)
			}
			if kind != "local" && kind != "beam" {
				return cli.Usage(a.Lang.T("--engine %s: write local or beam", "--engine %s：应写 local 或 beam"), kind)
			}
			o.Memory = int64(size)
			var more []string // of winnow-beam
			if kind == "beam" {
				more = append([]string{}, args[1:]...)
			}
			return a.run(cmd.Context(), args[0], f, o, more)
		},
	}
	f.Add(a.App, cmd)
	cmd.Flags().IntVarP(&o.Jobs, "jobs", "j", 0, a.Lang.T("documents worked on at once; 0: one for each core", "同时处理的文档数；0 为核数"))
	cmd.Flags().StringVar(&memory, "memory", "256MB", a.Lang.T("what deduplication may sort in; more goes to disk meanwhile, and the result is the same", "去重排序可用的内存；超出部分暂存磁盘，结果不变"))
	cmd.Flags().StringVar(&kind, "engine", "local", a.Lang.T("local: this machine; beam: Apache Beam, by the program winnow-beam, whose flags may follow --", "local：本机；beam：经 winnow-beam 程序使用 Apache Beam，其参数可写在 -- 之后"))
	cmd.Flags().BoolVar(&o.Fresh, "fresh", false, a.Lang.T("begin anew: no resume, nothing taken over from other runs", "从头开始：不续跑，也不沿用其他运行"))
	return cmd
}

// run runs a recipe and what follows. Where onBeam is not nil, winnow-beam does the tasks, with these arguments behind the rest.
func (a *app) run(ctx context.Context, path string, f cli.RecipeFlags, o engine.Options, onBeam []string) error {
	r, p, err := a.Load(ctx, path, f)
	if err != nil {
		return err
	}
	if len(r.Train) > 0 && winnow.IsURL(p.Root) {
		return cli.Usage(a.Lang.T("%s: models are trained on the disk: take train: out, and train from the run's data by `winnow train`", "%s：模型只能在本地磁盘上训练：请去掉 train:，之后用 winnow train 训练"), p.Root)
	}
	if err := r.CheckTrain(trainer{a}); err != nil {
		return cli.ExitWith(cli.ExitUsage, errors.Join(err, p.Close()))
	}
	a.uncut(p.Shards)
	if err := a.foretell(ctx, r, p); err != nil {
		return errors.Join(err, p.Close())
	}
	show := a.NewProgress()
	o.Events = show.Event
	if onBeam != nil {
		err = a.beam(ctx, path, f, o, p, onBeam)
		o.Fresh = false // it is done, and only to be read
	}
	var info *shard.Run
	if err == nil {
		info, err = engine.Run(ctx, p, o)
	}
	show.Close()
	if err = errors.Join(err, p.Close()); err != nil {
		return a.unasked(err)
	}
	if err := a.Concluded(r, p, info); err != nil {
		return err
	}
	if err := a.train(ctx, r, p, info); err != nil {
		return err
	}
	return a.Partial(p, info)
}
