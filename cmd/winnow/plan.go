package main

import (
	"encoding/json"
	"fmt"
	"sort"

	"github.com/spf13/cobra"

	"winnow/cmd/winnow/cli"
	"winnow/cmd/winnow/pretrain"
	"winnow/pipelines"
	"winnow/pipelines/engine"
	"winnow/report"
)

func (a *app) planCmd() *cobra.Command {
	var f cli.RecipeFlags
	var cluster clusterFlags
	var sample, jobs int
	cmd := &cobra.Command{
		Use: "plan RECIPE", Args: cli.ExactArgs(1, 1),
		Short: a.Lang.T("what a run would do: shards, tasks, time, disk, share kept; nothing is written", "预估一次运行：分片、任务、时间、磁盘、保留比例；不写任何东西"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if cluster.nodes != 0 {
				return a.planCluster(cmd.Context(), args[0], f, cluster)
			}
			r, p, err := a.Load(cmd.Context(), args[0], f)
			if err != nil {
				return err
			}
			if err := r.CheckTrain(trainer{a}); err != nil {
				return cli.ExitWith(cli.ExitUsage, err)
			}
			a.uncut(p.Shards)
			e, err := pipelines.Estimate(cmd.Context(), p, sample)
			if err != nil {
				return err
			}
			training, err := commands(r, p, e.Run)
			if err != nil {
				return err
			}
			return a.planned(p, e, jobs, training)
		},
	}
	f.Add(a.App, cmd)
	cluster.add(a, cmd.Flags())
	cmd.AddCommand(pretrain.Plan(a.App))
	cmd.Flags().IntVar(&sample, "sample", 2000, a.Lang.T("documents to measure on", "用多少篇文档测量"))
	cmd.Flags().IntVarP(&jobs, "jobs", "j", 0, a.Lang.T("cores that the run would use; 0: all", "假定使用的核数；0 为全部"))
	return cmd
}

// planned shows estimates of a run, and the commands of the training behind it, of which no time is estimated.
func (a *app) planned(p *engine.Plan, e *pipelines.Estimates, jobs int, training []string) error {
	e.Scale(jobs)
	if a.JSON {
		enc := json.NewEncoder(a.Out)
		enc.SetIndent("", "  ")
		return enc.Encode(struct {
			*pipelines.Estimates
			Training []string `json:"training,omitempty"`
		}{e, training})
	}
	l := a.Lang
	line := func(k, format string, args ...any) {
		fmt.Fprintf(a.Out, "%-11s "+format+"\n", append([]any{k}, args...)...)
	}
	line("run", "%s", e.Run)
	line("input", l.T("%d files, %s -> %d shards", "%d 个文件，%s -> %d 个分片"), e.Files, report.Bytes(e.Bytes), e.Shards)
	line("tasks", "%d", e.Tasks)
	for _, s := range e.Stages {
		line("stage", l.T("%-14s %8.3f ms a document, keeps %s", "%-14s 每篇 %8.3f 毫秒，保留 %s"), s.Label, s.MilliPerDoc, report.Percent(s.Kept, s.In))
	}
	line("measured", l.T("on %d documents; all that follows is an estimate from them", "基于 %d 篇文档；以下均为据此的估计"), e.Sampled)
	line("documents", "%s", report.Count(e.Documents))
	line("time", l.T("about %s with %d cores", "约 %s（%d 核）"), e.Duration(), e.Jobs)
	line("memory", l.T("about %s (of it %s to compare in, see --memory)", "约 %s（其中比较用 %s，见 --memory）"), report.Bytes(e.Memory), report.Bytes(e.Sort))
	line("disk", l.T("about %s (of it sketches %s)", "约 %s（其中签名 %s）"), report.Bytes(e.Disk), report.Bytes(e.Sketches))
	names := make([]string, 0, len(p.Params))
	for name := range p.Params {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		line(name, "%s", p.Params[name])
	}
	line("retained", l.T("about %.1f%% ± %.1f of documents before deduplication (95 %%)", "去重前约保留 %.1f%% ± %.1f 的文档（95 %%）"), 100*e.Retained, 100*e.Error)
	a.forecast(a.Out, e)
	for i, text := range training {
		line("train", "%d  %s", i+1, text)
	}
	if len(training) > 0 {
		line("", "%s", l.T("time and disk above are without training; `winnow plan train` measures what fits a time", "以上时间与磁盘不含训练；`winnow plan train` 可测算给定时间内适合的规模"))
	}
	a.Say("nothing was written", "没有写任何东西")
	return nil
}
