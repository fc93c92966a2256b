package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"winnow"
	"winnow/pipelines"
	"winnow/pipelines/engine"
	"winnow/report"
	"winnow/report/page"
	"winnow/shard"
	"winnow/shard/store"
)

// recipeFlags change what a recipe says.
type recipeFlags struct {
	input   []string
	dropped string
}

func (f *recipeFlags) add(a *app, cmd *cobra.Command) {
	cmd.Flags().StringArrayVar(&f.input, "input", nil, a.lang.T("files to read instead of the recipe's; may be given more than once; globs know **", "用这些文件代替配方的输入；可多次给出；支持 **"))
	cmd.Flags().StringVar(&f.dropped, "dropped", "", a.lang.T("texts of dropped documents: all, sample, none", "保存哪些被丢弃的文本：all、sample、none"))
}

// load reads a recipe and makes its plan, shards included.
func (a *app) load(ctx context.Context, path string, f recipeFlags) (*pipelines.Recipe, *engine.Plan, error) {
	r, raw, err := pipelines.Load(path)
	if err == nil && len(f.input) > 0 {
		if raw, err = pipelines.WithInput(raw, f.input); err == nil {
			r, err = pipelines.Parse(path, raw)
		}
	}
	if err != nil {
		return nil, nil, &exitError{exitUsage, err}
	}
	if f.dropped != "" {
		if !slices.Contains([]string{"all", "sample", "none"}, f.dropped) {
			return nil, nil, usage("--dropped %s: write all, sample or none", f.dropped)
		}
		r.Output.Dropped = f.dropped
	}
	if r.Output.Dir == "" || a.runs != "runs" {
		r.Output.Dir = a.runs
	}
	if r.Output.Dir, err = cleaned(r.Output.Dir, nil); err != nil {
		return nil, nil, err
	}
	p, err := pipelines.Build(r, raw, version())
	if err != nil {
		return nil, nil, &exitError{exitUsage, err}
	}
	p.Store = a.store
	if p.Shards, err = p.Source.Shards(ctx); err != nil {
		return nil, nil, &exitError{exitUsage, fmt.Errorf("%s: input: %w", path, err)}
	}
	return r, p, nil
}

func (a *app) runCmd() *cobra.Command {
	var f recipeFlags
	var o engine.Options
	var memory, kind string
	cmd := &cobra.Command{
		Use: "run RECIPE [-- FLAGS OF winnow-beam]",
		Args: func(cmd *cobra.Command, args []string) error {
			if n := cmd.ArgsLenAtDash(); n >= 0 && kind == "beam" {
				args = args[:n]
			}
			return exactArgs(1, 1)(cmd, args)
		},
		Short: a.lang.T("run a recipe; run it again to go on where it stopped", "运行配方；中断后再运行即从断点继续"),
		Long: a.lang.T(`Run a recipe: a file, or the name of one that is part of the program (quickstart, fineweb, web-zh, web-en, wet).

The same command again goes on where it stopped. A recipe whose bounds alone changed takes over what other runs in the
same folder stored, and reads again only the documents whose verdict changes.

A recipe with train: goes on to models, in the run's folder under models/; each step is shown as the command that it is.`,
			`运行配方：文件，或内置配方的名字（quickstart、fineweb、web-zh、web-en、wet）。

中断后重新运行同一命令即可继续。若只改了界限，则沿用同一文件夹中其他运行已存的度量，只重读裁决改变的文档。

配方若有 train:，则接着训练模型，存于运行文件夹的 models/ 下；每一步都显示为等价的命令。`) + exitCodes,
		RunE: func(cmd *cobra.Command, args []string) error {
			size, err := pipelines.ParseSize(memory)
			if err != nil || size < 1<<20 {
				return usage("--memory %s: write a size of at least 1MB", memory)
			}
			if kind != "local" && kind != "beam" {
				return usage("--engine %s: write local or beam", kind)
			}
			o.Memory = int64(size)
			var more []string // of winnow-beam
			if kind == "beam" {
				more = append([]string{}, args[1:]...)
			}
			return a.run(cmd.Context(), args[0], f, o, more)
		},
	}
	f.add(a, cmd)
	cmd.Flags().IntVarP(&o.Jobs, "jobs", "j", 0, a.lang.T("documents worked on at once; 0: one for each core", "同时处理的文档数；0 为核数"))
	cmd.Flags().StringVar(&memory, "memory", "256MB", a.lang.T("what deduplication may sort in; more goes to disk meanwhile, and the result is the same", "去重排序可用的内存；超出部分暂存磁盘，结果不变"))
	cmd.Flags().StringVar(&kind, "engine", "local", a.lang.T("local: this machine; beam: Apache Beam, by the program winnow-beam, whose flags may follow --", "local：本机；beam：经 winnow-beam 程序使用 Apache Beam，其参数可写在 -- 之后"))
	cmd.Flags().BoolVar(&o.Fresh, "fresh", false, a.lang.T("begin anew: no resume, nothing taken over from other runs", "从头开始：不续跑，也不沿用其他运行"))
	return cmd
}

// run runs a recipe and what follows. Where onBeam is not nil, winnow-beam does the tasks, with these arguments behind the rest.
func (a *app) run(ctx context.Context, path string, f recipeFlags, o engine.Options, onBeam []string) error {
	r, p, err := a.load(ctx, path, f)
	if err != nil {
		return err
	}
	if len(r.Train) > 0 && winnow.IsURL(p.Root) {
		return usage(a.lang.T("%s: models are trained on the disk: take train: out, and train from the run's data by `winnow train`", "%s：模型只能在本地磁盘上训练：请去掉 train:，之后用 winnow train 训练"), p.Root)
	}
	if err := r.CheckTrain(trainer{a}); err != nil {
		return &exitError{exitUsage, errors.Join(err, p.Close())}
	}
	a.uncut(p.Shards)
	if err := a.foretell(ctx, r, p); err != nil {
		return errors.Join(err, p.Close())
	}
	show := a.newProgress()
	o.Events = show.event
	if onBeam != nil {
		err = a.beam(ctx, path, f, o, p, onBeam)
		o.Fresh = false // it is done, and only to be read
	}
	var info *shard.Run
	if err == nil {
		info, err = engine.Run(ctx, p, o)
	}
	show.close()
	if err = errors.Join(err, p.Close()); err != nil {
		return a.unasked(err)
	}
	if err := a.concluded(r, p, info); err != nil {
		return err
	}
	if err := a.train(ctx, r, p, info); err != nil {
		return err
	}
	return a.partial(p, info)
}

// concluded shows the report of a run that is done, and compares what it retained with what its recipe expects.
func (a *app) concluded(r *pipelines.Recipe, p *engine.Plan, info *shard.Run) error {
	dir := store.Join(p.Root, info.ID)
	rep, err := a.summary(dir, p)
	if err != nil {
		return err
	}
	if err := a.told(rep, dir, len(r.Train) > 0); err != nil {
		return err
	}
	a.empty(info)
	return a.expected(r, p)
}

// empty says what an input without a document holds instead.
func (a *app) empty(info *shard.Run) {
	if info.Totals.Documents > 0 || len(info.Records) == 0 {
		return
	}
	var kinds []string
	for _, kind := range slices.Sorted(maps.Keys(info.Records)) {
		kinds = append(kinds, fmt.Sprintf("%s %d", kind, info.Records[kind]))
	}
	a.say("no document: the records are of other kinds (%s); pages and texts are in response, resource and conversion records, of which a WAT file has none",
		"没有文档：输入只有其他类型的记录（%s）；网页与文本在 response、resource、conversion 记录中，WAT 文件没有这些", strings.Join(kinds, ", "))
}

// partial is the error of a run that could not read all of its input.
func (a *app) partial(p *engine.Plan, info *shard.Run) error {
	if n := len(info.Lost); n > 0 {
		return &exitError{exitPartial, fmt.Errorf(a.lang.T("finished, but %d places of the input could not be read; the first: %s: byte %d: %s (all: %s)",
			"已完成，但输入有 %d 处读不出；第一处：%s：第 %d 字节：%s（全部见 %s）"), n, info.Lost[0].File, info.Lost[0].Offset, info.Lost[0].Error, store.Join(p.Root, info.ID, "run.json"))}
	}
	return nil
}

// summary adds up the ledger, and leaves report.html, report.json and the dataset card in the run's folder.
func (a *app) summary(dir string, p *engine.Plan) (*report.Report, error) {
	folder, err := shard.Open(a.store, dir)
	if err != nil {
		return nil, err
	}
	rep, err := report.New(folder)
	if err != nil {
		return nil, err
	}
	return rep, errors.Join(rep.WriteFiles(folder, p.Recipe), page.WriteFile(folder, rep, a.lang))
}

// told shows the report. Where more is to follow, JSON is one line of several.
func (a *app) told(rep *report.Report, dir string, more bool) error {
	switch {
	case a.json && more:
		return a.line(rep)
	case a.json:
		return rep.JSON(a.out)
	}
	if err := rep.Text(a.out, report.Page{Lang: a.lang, Top: 12}); err != nil {
		return err
	}
	a.say("\n%s    next: winnow report   winnow sample --rule %s   winnow explain URL", "\n%s    接着：winnow report   winnow sample --rule %s   winnow explain URL", dir, topRule(rep))
	return nil
}

func topRule(rep *report.Report) string {
	if len(rep.Rules) == 0 {
		return "RULE"
	}
	return rep.Rules[0].ID
}

// expected compares what was retained with the recipe's expectations.
func (a *app) expected(r *pipelines.Recipe, p *engine.Plan) error {
	shares, err := engine.Shares(p)
	if err != nil {
		return err
	}
	for name, want := range r.Expect {
		if got, ok := shares[name]; ok && !want.Holds(got) {
			return &exitError{exitExpect, fmt.Errorf(a.lang.T("%s: %.1f%% kept, expected %s", "%s：保留 %.1f%%，期望 %s"), name, 100*got, want)}
		}
	}
	return nil
}
