package arrays

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"winnow/cmd/winnow/cli"
	"winnow/pipelines"
	"winnow/pipelines/engine"
	"winnow/shard/store"
)

// taskFlags say which tasks of a run one process does.
type taskFlags struct {
	recipe               cli.RecipeFlags
	begin, wait, last    bool
	lost                 bool
	expect               string
	stage                string
	rank, world          int
	jobs                 int
	memory               string
	rankGiven, worldGive bool
}

func (a *app) taskCmd() *cobra.Command {
	var f taskFlags
	cmd := &cobra.Command{
		Use: "task RUN|RECIPE STAGE N | --stage STAGE [--rank R --world W] | --begin | --conclude", Args: cli.ExactArgs(1, 3),
		Short: a.Lang.T("do some tasks of a run, as a job of an array does", "执行一次运行中的部分任务，供作业阵列使用"),
		Long:  a.Lang.T(taskLongEN, taskLongZH),
		RunE: func(cmd *cobra.Command, args []string) error {
			f.rankGiven, f.worldGive = cmd.Flags().Changed("rank"), cmd.Flags().Changed("world")
			if cmd.Flags().Changed("stage") == (len(args) > 1) && !f.begin && !f.last || len(args) == 2 {
				return cli.Usage("%s", a.Lang.T("winnow task RUN STAGE N, or winnow task RUN --stage STAGE", "用法：winnow task RUN STAGE N，或 winnow task RUN --stage STAGE"))
			}
			return a.task(cmd.Context(), args, &f)
		},
	}
	f.recipe.Add(a.App, cmd)
	fl, t := cmd.Flags(), a.Lang.T
	fl.BoolVar(&f.begin, "begin", false, t("make the run's folder and list its tasks", "建立运行文件夹并列出任务"))
	fl.StringVar(&f.stage, "stage", "", t("do this rank's share of these tasks; all: of every wave, one after the other", "执行本 rank 在该阶段的份额；all：依次执行所有各波"))
	fl.IntVar(&f.rank, "rank", 0, t("which share, from 0; from SLURM_ARRAY_TASK_ID or JOB_COMPLETION_INDEX where it is not given", "第几份，从 0 起；缺省取自 SLURM_ARRAY_TASK_ID 或 JOB_COMPLETION_INDEX"))
	fl.IntVar(&f.world, "world", 1, t("how many shares; from SLURM_ARRAY_TASK_COUNT where it is not given", "共几份；缺省取自 SLURM_ARRAY_TASK_COUNT"))
	fl.BoolVar(&f.wait, "wait", false, t("wait until the tasks before are done, whoever does them", "等到前面的任务全部完成（无论由谁执行）再开始"))
	fl.BoolVar(&f.last, "conclude", false, t("sum up the run when all tasks are done", "所有任务完成后为运行收尾"))
	fl.BoolVar(&f.lost, "allow-lost", false, t("with --conclude: exit code 0 also where some of the input could not be read", "配合 --conclude：部分输入读不出时也返回 0"))
	fl.StringVar(&f.expect, "expect", "", t("refuse to work on any other run than this", "若不是此运行则拒绝执行"))
	fl.IntVarP(&f.jobs, "jobs", "j", 0, t("tasks and documents worked on at once; 0: one for each core", "同时处理的任务与文档数；0 为核数"))
	fl.StringVar(&f.memory, "memory", "256MB", t("what deduplication may sort in", "去重排序可用的内存"))
	return cmd
}

const (
	taskLongEN = `Do tasks of a run that lies in a shared folder, or behind a URL. A task that is done already is skipped.

  winnow task RECIPE --begin              make the run's folder; list the waves of tasks in the order in which they can be done:
                                          tasks of one line side by side, a line when those before it are done
  winnow task RUN map-0 17                one task
  winnow task RUN --stage map-0 --rank 3 --world 8     the fourth of eight shares: in an array, rank and world are known
  winnow task RUN --stage all --rank 3 --world 8       a share of every wave; eight such processes, all at once, do the whole run
  winnow task RUN --conclude              the last job: sums up, and writes the report

Shares are dealt by the shards' bytes and do not change, so that any rank can be started again, or twice. Without --world,
the rank in an array of Slurm is counted from the array's first index; with --world it is the index itself.
SIGTERM, SIGINT and SIGUSR1 stop it with exit code 130; the tasks in hand are lost, what was committed stays. Start it again,
or requeue it, to go on.`
	taskLongZH = `执行一次运行中的任务；运行位于共享文件夹或 URL 之下。已完成的任务会跳过。

  winnow task RECIPE --begin              建立运行文件夹，按可执行的次序列出各波任务：同一行可并行，前面各行完成后才轮到下一行
  winnow task RUN map-0 17                执行一个任务
  winnow task RUN --stage map-0 --rank 3 --world 8     八份中的第四份；在作业阵列里 rank 与 world 自动得知
  winnow task RUN --stage all --rank 3 --world 8       每一波的一份；八个这样的进程同时运行即可完成整个运行
  winnow task RUN --conclude              最后一个作业：汇总并写出报告

份额按分片字节数分配且固定不变，因此任何 rank 都可以重启或重复启动。不给 --world 时，Slurm 阵列中的 rank 从阵列的首个下标算起；
给出 --world 时，rank 就是下标本身。SIGTERM、SIGINT、SIGUSR1 会使其停止，退出码 130；手头的任务作废，已提交的保留。
再次启动或重新排队即可继续。`
)

// task does what the flags say.
func (a *app) task(ctx context.Context, args []string, f *taskFlags) error {
	size, err := pipelines.ParseSize(f.memory)
	if err != nil || size < 1<<20 {
		return cli.Usage(a.Lang.T("--memory %s: write a size of at least 1MB", "--memory %s：应写大小，至少 1MB"), f.memory)
	}
	rank, world, err := f.place(os.Getenv)
	if err != nil {
		return err
	}
	if f.wait {
		if err := a.waitBegun(ctx, args[0]); err != nil {
			return err
		}
	}
	p, err := a.planOf(ctx, args[0], f.recipe)
	if err != nil {
		return err
	}
	defer p.Close()
	if id := p.RunID(); f.expect != "" && id != f.expect {
		return cli.Usage(a.Lang.T("this would be run %s, not %s: recipe, input (names and sizes) and program must be the same here as where --expect was written", "这将是运行 %s，而非 %s：配方、输入（名称与大小）和程序须与写下 --expect 之处相同"), id, f.expect)
	}
	w, err := engine.OpenWork(p, engine.Options{Jobs: f.jobs, Memory: int64(size), Events: a.taskEvent})
	if err != nil {
		return err
	}
	switch {
	case f.begin:
		fmt.Fprintln(a.Out, w.Dir())
		for _, wave := range w.Waves() {
			fmt.Fprintln(a.Out, wave)
		}
		return nil
	case f.last:
		if f.wait {
			if err := a.waitBefore(ctx, w, ""); err != nil {
				return err
			}
		}
		return a.forgive(a.conclude(ctx, w, p), f.lost)
	case len(args) == 3:
		n, err := strconv.Atoi(args[2])
		if err != nil {
			return cli.Usage(a.Lang.T("%q is no task number", "%q 不是任务编号"), args[2])
		}
		return w.Do(ctx, args[1], n)
	case f.stage == "all":
		return a.forgive(a.allWaves(ctx, w, p, rank, world), f.lost)
	}
	if f.wait {
		if err := a.waitBefore(ctx, w, f.stage); err != nil {
			return err
		}
	}
	return a.share(ctx, w, f.stage, rank, world)
}

// forgive makes a warning of what could not be read, so that a scheduler takes the job for done.
func (a *app) forgive(err error, lost bool) error {
	var e *cli.ExitError
	if lost && errors.As(err, &e) && e.Code == cli.ExitPartial {
		a.Say("%v", "%v", err)
		return nil
	}
	return err
}

// waitBegun waits until a folder is a run's, where it is to become one.
func (a *app) waitBegun(ctx context.Context, folder string) error {
	for pause := pollFirst; ; pause = min(2*pause, pollMost) {
		if _, err := a.Find(folder); err == nil || !strings.Contains(folder, "/") {
			return nil
		}
		if info, err := os.Stat(folder); err == nil && !info.IsDir() {
			return nil
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// planOf opens a run that was begun, or makes the plan of a recipe.
func (a *app) planOf(ctx context.Context, name string, f cli.RecipeFlags) (*engine.Plan, error) {
	if info, err := os.Stat(name); err == nil && !info.IsDir() {
		_, p, err := a.Load(ctx, name, f)
		return p, err
	}
	folder, err := a.Find(name)
	if err != nil {
		if _, p, recipeErr := a.Load(ctx, name, f); recipeErr == nil { // one that is part of the program
			return p, nil
		}
		return nil, err
	}
	p, err := pipelines.Reopen(folder, cli.Version())
	if err != nil {
		return nil, err
	}
	if id := p.RunID(); id != folder.Run.ID {
		return nil, errors.Join(fmt.Errorf("%s was begun by another version of the program or with other models: this one would make %s", store.Base(folder.Dir), id), p.Close())
	}
	return p, nil
}

// place finds rank and world: the flags, else what Slurm or Kubernetes tell the processes of an array.
func (f *taskFlags) place(env func(string) string) (rank, world int, err error) {
	number := func(name string) (int, bool) {
		n, e := strconv.Atoi(env(name))
		if env(name) != "" && e != nil {
			err = cli.Usage("%s=%s is no number", name, env(name))
		}
		return n, env(name) != "" && e == nil
	}
	rank, world = f.rank, f.world
	if id, ok := number("SLURM_ARRAY_TASK_ID"); ok && !f.rankGiven {
		rank = id
		count, counted := number("SLURM_ARRAY_TASK_COUNT")
		if !f.worldGive && counted {
			first, _ := number("SLURM_ARRAY_TASK_MIN")
			rank, world = id-first, count
		}
	} else if index, ok := number("JOB_COMPLETION_INDEX"); ok && !f.rankGiven {
		rank = index
		if !f.worldGive && f.stage != "" {
			return 0, 0, errors.Join(err, cli.Usage("JOB_COMPLETION_INDEX is %d, but nothing says of how many: give --world, or WINNOW_WORLD in the environment", index))
		}
	}
	if f.stage != "" && err == nil && (world < 1 || rank < 0 || rank >= world) {
		err = cli.Usage("rank %d of %d: a rank is at least 0 and less than --world; with gaps in the array, give --world", rank, world)
	}
	return rank, world, err
}

// taskEvent tells of tasks that are done.
func (a *app) taskEvent(e engine.Event) {
	if e.Type != "task" {
		return
	}
	if a.JSON && !a.Quiet {
		(&cli.Progress{App: a.App}).Event(e)
		return
	}
	a.Say("%s  %s", "%s  %s", e.Task, (time.Duration(e.Seconds * float64(time.Second))).Round(10*time.Millisecond))
}
