package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	pipepb "github.com/apache/beam/sdks/v2/go/pkg/beam/model/pipeline_v1"
	"github.com/spf13/cobra"

	"winnow/beam/drive"
	"winnow/beam/jobs"
	"winnow/beam/tasks"
	"winnow/pipelines"
	"winnow/pipelines/engine"
	"winnow/report"
	"winnow/report/page"
	"winnow/shard"
	"winnow/shard/store"
)

// runFlags are those of run.
type runFlags struct {
	input       []string
	dropped     string
	runs        string
	memory      string
	jobs        int
	fresh       bool
	runner      string
	endpoint    string
	environment string
	command     string
	pool        string
	options     []string
	parallelism int
	deadline    time.Duration
	attempts    int
	noReport    bool
}

func (a *app) runCmd() *cobra.Command {
	var f runFlags
	cmd := &cobra.Command{
		Use: "run RECIPE", Args: cobra.ExactArgs(1),
		Short: a.lang.T("run a recipe on Beam; run it again to go on where it stopped", "在 Beam 上运行配方；中断后再运行即从断点继续"),
		Long: a.lang.T(`Run a recipe on Beam, one job for each wide stage. What it gives is what "winnow run" gives, byte for byte, and a run that was begun
by one can be finished by the other. The folder of runs, the input and the recipe's files must be at the same paths on all machines.

  winnow-beam run quickstart                                                    Prism, inside this program
  winnow-beam run RECIPE --runner flink --endpoint HOST:8099 --environment process --parallelism 64`,
			`在 Beam 上运行配方，每个宽阶段一个作业。结果与 winnow run 逐字节相同；一方开始的运行可由另一方完成。
运行文件夹、输入和配方所用文件在所有机器上的路径必须相同。

  winnow-beam run quickstart                                                    内置 Prism
  winnow-beam run RECIPE --runner flink --endpoint HOST:8099 --environment process --parallelism 64`),
		RunE: func(cmd *cobra.Command, args []string) error { return a.run(cmd.Context(), args[0], f) },
	}
	l, v := a.lang, cmd.Flags()
	v.StringArrayVar(&f.input, "input", nil, l.T("files to read instead of the recipe's; may be given more than once", "用这些文件代替配方的输入；可多次给出"))
	v.StringVar(&f.dropped, "dropped", "", l.T("texts of dropped documents: all, sample, none", "保存哪些被丢弃的文本：all、sample、none"))
	v.StringVar(&f.runs, "runs", "runs", l.T("folder of runs, on the disk or at an s3, gs or azblob URL", "运行文件夹：磁盘路径或 s3、gs、azblob 的 URL"))
	v.StringVar(&f.memory, "memory", "256MB", l.T("what the deduplication of one worker may sort in", "每个工作进程去重排序可用的内存"))
	v.IntVarP(&f.jobs, "jobs", "j", 0, l.T("documents that a worker works on at once; 0: one for each core", "每个工作进程同时处理的文档数；0 为核数"))
	v.BoolVar(&f.fresh, "fresh", false, l.T("begin anew", "从头开始"))
	v.StringVar(&f.runner, "runner", "prism", l.T("prism: inside this program; flink, or any other with --endpoint", "prism：内置；flink 或其他运行器须给出 --endpoint"))
	v.StringVar(&f.endpoint, "endpoint", "", l.T("host:port of the runner's job service", "运行器作业服务的 host:port"))
	v.StringVar(&f.environment, "environment", "loopback", l.T("where workers are: loopback (in this program), process (started by the runner), external (a pool)", "工作进程在何处：loopback（本程序内）、process（由运行器启动）、external（进程池）"))
	v.StringVar(&f.command, "command", "", l.T("process: path of winnow-beam on the runner's machines; this program's by default", "process：运行器各机器上 winnow-beam 的路径，默认为本程序的路径"))
	v.StringVar(&f.pool, "pool", "localhost:50000", l.T("external: where winnow-beam pool listens, as the runner's machines see it", "external：进程池地址，以运行器机器所见为准"))
	v.StringArrayVar(&f.options, "option", nil, l.T("name=value, an option of the runner; may be given more than once", "name=value，运行器选项；可多次给出"))
	v.IntVar(&f.parallelism, "parallelism", 0, l.T("tasks at once, all workers together; 0: as the runner likes", "所有工作进程同时执行的任务数；0 由运行器决定"))
	v.DurationVar(&f.deadline, "deadline", 24*time.Hour, l.T("after which a job is cancelled", "作业超过此时长即取消"))
	v.IntVar(&f.attempts, "attempts", 1, l.T("how often a job that fails is submitted", "失败的作业共提交几次"))
	v.BoolVar(&f.noReport, "no-report", false, l.T("leave the report to whoever started this", "不写报告"))
	return cmd
}

// load reads a recipe and makes its plan, shards included.
func (f *runFlags) load(ctx context.Context, path string) (*engine.Plan, error) {
	r, raw, err := pipelines.Load(path)
	if err == nil && len(f.input) > 0 {
		if raw, err = pipelines.WithInput(raw, f.input); err == nil {
			r, err = pipelines.Parse(path, raw)
		}
	}
	if err != nil {
		return nil, usageError{err}
	}
	switch f.dropped {
	case "":
	case "all", "sample", "none":
		r.Output.Dropped = f.dropped
	default:
		return nil, usageError{fmt.Errorf("--dropped %s: write all, sample or none", f.dropped)}
	}
	if r.Output.Dir == "" || f.runs != "runs" {
		r.Output.Dir = f.runs
	}
	p, err := pipelines.Build(r, raw, version())
	if err != nil {
		return nil, usageError{err}
	}
	if p.Shards, err = p.Source.Shards(ctx); err != nil {
		return nil, usageError{fmt.Errorf("%s: input: %w", path, err)}
	}
	return p, nil
}

// service connects to the runner.
func (f *runFlags) service(ctx context.Context) (*jobs.Service, error) {
	switch {
	case f.endpoint != "":
		return jobs.Dial(f.endpoint)
	case f.runner == "prism":
		return jobs.Embedded(ctx, 0)
	}
	return nil, usageError{fmt.Errorf("--runner %s needs --endpoint host:port, where its job service listens", f.runner)}
}

// place says where the workers are.
func (f *runFlags) place(ctx context.Context) (env *pipepb.Environment, stop func() error, err error) {
	stop = func() error { return nil }
	switch f.environment {
	case "loopback":
		return jobs.Loopback(context.WithoutCancel(ctx))
	case "external":
		env, err = jobs.External(ctx, f.pool)
		return env, stop, err
	case "process":
	default:
		return nil, nil, usageError{fmt.Errorf("--environment %s: write loopback, process or external", f.environment)}
	}
	if f.command == "" {
		if f.command, err = os.Executable(); err != nil {
			return nil, nil, err
		}
	}
	folder, err := os.Getwd()
	if err != nil {
		return nil, nil, err
	}
	env, err = jobs.Process(ctx, f.command, folder)
	return env, stop, err
}

// settings are the options of the runner.
func (f *runFlags) settings() (map[string]any, error) {
	out := map[string]any{}
	if f.parallelism > 0 {
		out["parallelism"] = f.parallelism
	}
	for _, o := range f.options {
		name, value, ok := strings.Cut(o, "=")
		if !ok {
			return nil, usageError{fmt.Errorf("--option %s: write name=value", o)}
		}
		out[name] = value
	}
	return out, nil
}

func (a *app) run(ctx context.Context, path string, f runFlags) (err error) {
	size, err := pipelines.ParseSize(f.memory)
	if err != nil || size < 1<<20 {
		return usageError{fmt.Errorf("--memory %s: write a size of at least 1MB", f.memory)}
	}
	settings, err := f.settings()
	if err != nil {
		return err
	}
	p, err := f.load(ctx, path)
	if err != nil {
		return err
	}
	if p.Store = tasks.Store(p.Root); p.Store == nil {
		if p.Root, err = filepath.Abs(p.Root); err != nil {
			return err
		}
	}
	service, err := f.service(ctx)
	if err != nil {
		return errors.Join(err, p.Close())
	}
	env, stop, err := f.place(ctx)
	if err != nil {
		return errors.Join(err, service.Close(), p.Close())
	}
	show := &progress{app: a}
	info, err := drive.Run(ctx, p, drive.Options{
		Service: service, Environment: env, Runner: settings, Deadline: f.deadline, Attempts: f.attempts,
		Engine: engine.Options{Jobs: f.jobs, Memory: int64(size), Fresh: f.fresh, Events: show.event},
	})
	if ctx.Err() == nil { // workers in this process end with it
		err = errors.Join(err, stop(), service.Close())
	}
	if err == nil && !f.noReport {
		err = a.report(store.Join(p.Root, info.ID), p)
	}
	return errors.Join(err, tasks.Close(), p.Close(), p.Store.Close())
}

// report writes and shows what winnow run does.
func (a *app) report(dir string, p *engine.Plan) error {
	folder, err := shard.Open(p.Store, dir)
	if err != nil {
		return err
	}
	rep, err := report.New(folder)
	if err != nil {
		return err
	}
	if err := errors.Join(rep.WriteFiles(folder, p.Recipe), page.WriteFile(folder, rep, a.lang)); err != nil {
		return err
	}
	if a.json {
		return rep.JSON(a.out)
	}
	return rep.Text(a.out, report.Page{Lang: a.lang, Top: 12})
}

// progress shows what the driver tells: JSON with --json, else a line for each stage and every ten seconds.
type progress struct {
	app   *app
	stage string
	last  time.Time
}

const plainEvery = 10 * time.Second

func (p *progress) event(e engine.Event) {
	a := p.app
	switch {
	case a.quiet:
	case a.json:
		if b, err := json.Marshal(e); err == nil {
			fmt.Fprintln(a.err, string(b))
		}
	case e.Type == "start":
		word := a.lang.T("begins", "开始")
		if e.Resumed {
			word = a.lang.T("goes on where it stopped", "从断点继续")
		}
		a.say("%s  %s  %d shards", "%s  %s  %d 个分片", e.Run, word, e.Shards)
	case e.Type == "status" && (e.Stage != p.stage || time.Since(p.last) >= plainEvery):
		p.stage, p.last = e.Stage, time.Now()
		a.say("[%d/%d] %s  %d tasks  %s docs  %.0f s", "[%d/%d] %s  %d 个任务  %s 篇  %.0f 秒", e.Pass, e.Passes, e.Stage, e.Counts["tasks"], report.Count(e.Docs), e.Seconds)
	}
}
