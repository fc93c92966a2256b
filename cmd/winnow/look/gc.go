package look

import (
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"winnow/cmd/winnow/cli"
	"winnow/report"
	"winnow/shard/garbage"
)

func (a *app) gcCmd() *cobra.Command {
	o := garbage.Options{}
	var dry bool
	cmd := &cobra.Command{
		Use: "gc RUN...", Args: cli.ExactArgs(1, 1<<20),
		Short: a.Lang.T("remove from runs what nothing names any more", "清除运行中不再被引用的文件"),
		Long: a.Lang.T(`Remove what lost: files of attempts that no manifest names, as tasks leave that were killed, failed, or were done twice.
What a manifest or run.json names stays. What changed within --older stays too: it may be at work.
With --intermediate, also what tasks left for one another, of runs that are done: data, ledger and report stay, but
bounds can no longer be changed without reading the input again, and later runs can not deduplicate against this one.`,
			`清除未被任何清单引用的文件：被终止、失败或重复执行的任务所留。清单或 run.json 引用的文件保留；--older 之内改动过的也保留，因为可能正在写入。
--intermediate 还清除已完成运行中任务之间的中间文件：数据、账本与报告保留，但之后改界限须重读输入，也不能再用 against 与它去重。`),
		RunE: func(_ *cobra.Command, args []string) error {
			if o.Older < 0 {
				return cli.Usage(a.Lang.T("--older %v: write a duration such as 1h", "--older %v：应写时长，如 1h"), o.Older)
			}
			for _, name := range args {
				if err := a.gc(name, o, dry); err != nil {
					return err
				}
			}
			return nil
		},
	}
	fl := cmd.Flags()
	fl.BoolVarP(&dry, "dry-run", "n", false, a.Lang.T("only list them, with their sizes", "只列出文件及大小"))
	fl.DurationVar(&o.Older, "older", time.Hour, a.Lang.T("leave what changed within this time", "保留此时间内改动过的文件"))
	fl.BoolVar(&o.Intermediate, "intermediate", false, a.Lang.T("also what only resuming, re-judging and later deduplication read", "也清除仅供续跑、重新裁决与后续去重使用的文件"))
	return cmd
}

func (a *app) gc(name string, o garbage.Options, dry bool) error {
	folder, err := a.Find(name)
	if err != nil {
		return err
	}
	o.Now = time.Now()
	files, young, err := garbage.Find(a.Store, folder.Dir, o)
	if errors.Is(err, garbage.ErrAtWork) {
		return cli.Usage(a.Lang.T("run %s is %s, and could not go on without them: --intermediate is for runs that are done", "运行 %s 的状态为 %s，仍需要这些文件：--intermediate 只用于已完成的运行"), folder.Run.ID, folder.Run.State)
	}
	if err != nil {
		return err
	}
	var sum int64
	for _, f := range files {
		sum += f.Bytes
		if a.JSON {
			err = a.Line(f)
		} else if dry {
			_, err = fmt.Fprintf(a.Out, "%10s  %-12s  %s\n", report.Bytes(f.Bytes), f.Why, f.Name)
		}
		if err != nil {
			return err
		}
	}
	if !dry {
		if err := garbage.Remove(a.Store, folder.Dir, files); err != nil {
			return err
		}
	}
	if dry {
		a.Say("%s: %d files, %s, would go; %d are too young (--older)", "%s：将清除 %d 个文件，共 %s；%d 个因过新而保留（--older）", folder.Run.ID, len(files), report.Bytes(sum), young)
	} else {
		a.Say("%s: %d files, %s, removed; %d are too young (--older)", "%s：已清除 %d 个文件，共 %s；%d 个因过新而保留（--older）", folder.Run.ID, len(files), report.Bytes(sum), young)
	}
	return nil
}
