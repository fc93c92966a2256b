package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"winnow/report"
	"winnow/train/demo"
	"winnow/train/llm"
)

// demoFlags say what is shown, and on what.
type demoFlags struct {
	data, kernel    string
	only            []string
	seeds, threads  int
	quick, markdown bool
}

func (a *app) trainDemo() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "demo",
		Short: a.lang.T("show on small models what is said of large ones, with the noise of seeds", "在小模型上检验关于大模型的说法，并给出种子噪声"),
	}
	cmd.AddCommand(a.demoPretrain())
	return cmd
}

func (a *app) demoPretrain() *cobra.Command {
	var f demoFlags
	about := ""
	for _, e := range demo.Pretrain() {
		about += fmt.Sprintf("  %-10s %s\n", e.Name, a.lang.T(e.EN, e.ZH))
	}
	cmd := &cobra.Command{
		Use: "pretrain --data RUN", Args: exactArgs(0, 0),
		Short: a.lang.T("experiments about pretraining", "关于预训练的实验"),
		Long: a.lang.T(`Experiments about pretraining on the prose of a run, each for some seeds. A difference that is not greater than the range
of the seeds, or whose sign differs between them, is called no measurable difference.

`, `在某次运行的文本上做预训练实验，每个实验用多个种子。差异不大于种子间的极差、或各种子符号不一时，记为无可测差异。

`) + about,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.demo(cmd.Context(), demo.Pretrain(), f) },
	}
	fl := cmd.Flags()
	fl.StringVar(&f.data, "data", "latest", a.lang.T("run whose prose is used; some megabytes, with dropped: all", "取文本的运行；需数 MB，且 dropped: all"))
	fl.StringSliceVar(&f.only, "only", nil, a.lang.T("only these experiments", "只做这些实验"))
	fl.IntVar(&f.seeds, "seeds", 2, a.lang.T("seeds of each experiment", "每个实验的种子数"))
	fl.IntVar(&f.threads, "threads", 0, a.lang.T("threads; 0: one for each core", "线程数；0 为核数"))
	fl.StringVar(&f.kernel, "kernel", "", a.lang.T("arithmetic: avx512, avx2, portable; empty: the best here", "运算内核：avx512、avx2、portable；空为本机最佳"))
	fl.BoolVar(&f.quick, "quick", false, a.lang.T("a sixteenth of the tokens: shows that it works, not what it says", "十六分之一的词元：只验证能运行"))
	fl.BoolVar(&f.markdown, "markdown", false, a.lang.T("as the tables of BENCHMARKS.md", "输出 BENCHMARKS.md 的表格"))
	return cmd
}

// demo runs experiments and prints each as it is done.
func (a *app) demo(ctx context.Context, all []demo.Experiment, f demoFlags) error {
	if f.seeds < 1 {
		return usage("--seeds %d: write 1 or more", f.seeds)
	}
	for _, name := range f.only {
		if !slices.ContainsFunc(all, func(e demo.Experiment) bool { return e.Name == name }) {
			return usage("--only %s: there is no such experiment", name)
		}
	}
	lab, err := a.laboratory(f)
	if err != nil {
		return err
	}
	defer os.RemoveAll(lab.Dir)
	defer lab.Pool.Close()
	for _, e := range all {
		if len(f.only) > 0 && !slices.Contains(f.only, e.Name) {
			continue
		}
		a.say("%s: %s", "%s：%s", e.Name, a.lang.T(e.EN, e.ZH))
		began := time.Now()
		o, err := e.Run(ctx, lab, f.seeds)
		if err != nil {
			return err
		}
		if err := a.demonstrated(e, o, time.Since(began), f); err != nil {
			return err
		}
	}
	return nil
}

func (a *app) laboratory(f demoFlags) (*demo.Lab, error) {
	run, err := a.find(f.data)
	if err != nil {
		return nil, err
	}
	prose, err := demo.ReadProse(run)
	if err != nil {
		return nil, err
	}
	pool, err := llm.NewPool(f.threads, f.kernel)
	if err != nil {
		return nil, &exitError{exitUsage, err}
	}
	dir, err := os.MkdirTemp("", "winnow-demo-")
	if err != nil {
		return nil, err
	}
	lab := &demo.Lab{Prose: prose, Pool: pool, Dir: dir, Quick: f.quick}
	lab.Say = func(format string, args ...any) { a.say("  "+format, "  "+format, args...) }
	return lab, lab.Open()
}

// demonstrated prints what an experiment gave.
func (a *app) demonstrated(e demo.Experiment, o *demo.Outcome, took time.Duration, f demoFlags) error {
	if a.json {
		return json.NewEncoder(a.out).Encode(o)
	}
	t := report.Table{Head: []string{a.lang.T("arm", "组"), a.lang.T("measure", "度量"), a.lang.T(">mean", ">均值"), a.lang.T(">least", ">最小"), a.lang.T(">greatest", ">最大"), a.lang.T("against the first", "与首组相比")}}
	for _, l := range o.Lines {
		t.Add(l.Arm, l.Metric, figure(l.Mean), figure(l.Min), figure(l.Max), a.against(l.Against))
	}
	title := fmt.Sprintf(a.lang.T("%s: %s (%d seeds, %.0f s)", "%s：%s（%d 个种子，%.0f 秒）"), e.Name, a.lang.T(e.EN, e.ZH), o.Seeds, took.Seconds())
	if f.markdown {
		_, err := fmt.Fprintf(a.out, "### %s\n\n%s\n", title, t.Markdown())
		return err
	}
	_, err := fmt.Fprintf(a.out, "%s\n%s\n", title, t.Text())
	return err
}

// against says how an arm compares with the first.
func (a *app) against(d *demo.Difference) string {
	switch {
	case d == nil:
		return ""
	case d.Gain > 0:
		return fmt.Sprintf(a.lang.T("better by %s", "更好，差 %s"), figure(d.Mean))
	case d.Gain < 0:
		return fmt.Sprintf(a.lang.T("worse by %s", "更差，差 %s"), figure(d.Mean))
	}
	return a.lang.T("no measurable difference", "无可测差异")
}

// figure has three places, or as many digits as matter.
func figure(x float64) string {
	s := fmt.Sprintf("%.3f", x)
	if x >= 100 || x <= -100 {
		s = fmt.Sprintf("%.0f", x)
	}
	return strings.TrimSuffix(s, ".000")
}
