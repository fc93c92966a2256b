package pretrain

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"winnow/bench/meter"
	"winnow/cmd/winnow/cli"
	"winnow/report"
	"winnow/train/demo"
	"winnow/train/demo/align"
	"winnow/train/llm"
)

// demoFlags say what is shown, and on what.
type demoFlags struct {
	data, kernel    string
	cache           string
	only            []string
	seeds, threads  int
	quick, markdown bool
}

func (a *app) trainDemo() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "demo",
		Short: a.Lang.T("show on small models what is said of large ones, with the noise of seeds", "在小模型上检验关于大模型的说法，并给出种子噪声"),
	}
	cmd.AddCommand(a.demoPretrain(), a.demoAlign())
	return cmd
}

// shown is an experiment and how it is run for some seeds.
type shown struct {
	name, en, zh string
	run          func(ctx context.Context, seeds int) (*demo.Outcome, error)
}

func (a *app) demoPretrain() *cobra.Command {
	var f demoFlags
	about := ""
	for _, e := range demo.Pretrain() {
		about += fmt.Sprintf("  %-10s %s\n", e.Name, a.Lang.T(e.EN, e.ZH))
	}
	cmd := &cobra.Command{
		Use: "pretrain --data RUN", Args: cli.ExactArgs(0, 0),
		Short: a.Lang.T("experiments about pretraining", "关于预训练的实验"),
		Long: a.Lang.T(`Experiments about pretraining on the prose of a run, each for some seeds. A difference that is not greater than the range
of the seeds, or whose sign differs between them, is called no measurable difference.

`, `在某次运行的文本上做预训练实验，每个实验用多个种子。差异不大于种子间的极差、或各种子符号不一时，记为无可测差异。

`) + about,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var names []string
			for _, e := range demo.Pretrain() {
				names = append(names, e.Name)
			}
			if err := f.check(names); err != nil {
				return err
			}
			lab, err := a.laboratory(f)
			if err != nil {
				return err
			}
			defer os.RemoveAll(lab.Dir)
			defer lab.Pool.Close()
			var all []shown
			for _, e := range demo.Pretrain() {
				all = append(all, shown{e.Name, e.EN, e.ZH, func(ctx context.Context, seeds int) (*demo.Outcome, error) { return e.Run(ctx, lab, seeds) }})
			}
			return a.demo(cmd.Context(), all, f)
		},
	}
	fl := cmd.Flags()
	fl.StringVar(&f.data, "data", "latest", a.Lang.T("run whose prose is used; some megabytes, with dropped: all", "取文本的运行；需数 MB，且 dropped: all"))
	f.add(a, cmd, 2)
	fl.BoolVar(&f.quick, "quick", false, a.Lang.T("a sixteenth of the tokens: shows that it works, not what it says", "十六分之一的词元：只验证能运行"))
	return cmd
}

// add adds the flags that all experiments have.
func (f *demoFlags) add(a *app, cmd *cobra.Command, seeds int) {
	fl := cmd.Flags()
	fl.StringSliceVar(&f.only, "only", nil, a.Lang.T("only these experiments", "只做这些实验"))
	fl.IntVar(&f.seeds, "seeds", seeds, a.Lang.T("seeds of each experiment", "每个实验的种子数"))
	fl.IntVar(&f.threads, "threads", 0, a.Lang.T("threads; 0: one for each core", "线程数；0 为核数"))
	fl.StringVar(&f.kernel, "kernel", "", a.Lang.T("arithmetic: avx512, avx2, portable; empty: the best here", "运算内核：avx512、avx2、portable；空为本机最佳"))
	fl.BoolVar(&f.markdown, "markdown", false, a.Lang.T("as the tables of BENCHMARKS.md", "输出 BENCHMARKS.md 的表格"))
}

// check looks for what cannot be done among the names that there are.
func (f *demoFlags) check(names []string) error {
	if f.seeds < 1 {
		return cli.Usage("--seeds %d: write 1 or more", f.seeds)
	}
	for _, name := range f.only {
		if !slices.Contains(names, name) {
			return cli.Usage("--only %s: there is no such experiment", name)
		}
	}
	return nil
}

// demoAlign is the experiments about fine-tuning and feedback.
func (a *app) demoAlign() *cobra.Command {
	var f demoFlags
	about := ""
	for _, e := range align.Experiments() {
		about += fmt.Sprintf("  %-13s %s\n", e.Name, a.Lang.T(e.EN, e.ZH))
	}
	cmd := &cobra.Command{
		Use: "align", Args: cli.ExactArgs(0, 0),
		Short: a.Lang.T("experiments about fine-tuning and feedback", "关于微调与反馈的实验"),
		Long: a.Lang.T(`Experiments about fine-tuning and learning from feedback, on people, questions, instructions and preferences that are made from
a seed, in English and Chinese. Base models are made once and kept in --dir; each seed does the stage under test anew. A difference
that is not greater than the range of the seeds, or whose sign differs between them, is called no measurable difference. Intervals
are of 95 %: Wilson's for shares, of a mean for gains, over the prompts of all seeds.

`, `微调与反馈学习的实验，所用人物、问题、指令与偏好均由种子生成，含中英文。基座模型只训练一次，存于 --dir；每个种子重做被检验的阶段。
差异不大于种子间的极差、或各种子符号不一时，记为无可测差异。区间为 95 %：比例用 Wilson 区间，增益用均值区间，合并所有种子的提示。

`) + about,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if f.quick && !cmd.Flags().Changed("seeds") {
				f.seeds = 1
			}
			return a.aligned(cmd.Context(), f)
		},
	}
	f.add(a, cmd, 3)
	cmd.Flags().StringVar(&f.cache, "dir", "", a.Lang.T("folder of base models; empty: winnow/demo in the user's cache", "基座模型目录；空为用户缓存下的 winnow/demo"))
	cmd.Flags().BoolVar(&f.quick, "quick", false, a.Lang.T("one seed unless --seeds is given, fewer people and steps: shows that it works, not what it says", "未给 --seeds 时用一个种子，人物与步数更少：只验证能运行"))
	return cmd
}

func (a *app) aligned(ctx context.Context, f demoFlags) error {
	var names []string
	for _, e := range align.Experiments() {
		names = append(names, e.Name)
	}
	if err := f.check(names); err != nil {
		return err
	}
	if f.cache == "" {
		dir, err := os.UserCacheDir()
		if err != nil {
			return cli.Usage(a.Lang.T("--dir: %v", "--dir：%v"), err)
		}
		f.cache = filepath.Join(dir, "winnow", "demo")
	}
	pool, err := llm.NewPool(f.threads, f.kernel)
	if err != nil {
		return cli.ExitWith(cli.ExitUsage, err)
	}
	defer pool.Close()
	work, err := os.MkdirTemp("", "winnow-demo-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	lab := &align.Lab{Pool: pool, Cache: f.cache, Work: work, Quick: f.quick, Say: func(format string, args ...any) { a.Say("  "+format, "  "+format, args...) }}
	if err := lab.Open(); err != nil {
		return err
	}
	var all []shown
	for _, e := range align.Experiments() {
		all = append(all, shown{e.Name, e.EN, e.ZH, func(ctx context.Context, seeds int) (*demo.Outcome, error) { return e.Run(ctx, lab, seeds) }})
	}
	return a.demo(ctx, all, f)
}

// demo runs experiments and prints each as it is done.
func (a *app) demo(ctx context.Context, all []shown, f demoFlags) error {
	for _, e := range all {
		if len(f.only) > 0 && !slices.Contains(f.only, e.name) {
			continue
		}
		a.Say("%s: %s", "%s：%s", e.name, a.Lang.T(e.en, e.zh))
		began := meter.ProcessorTime()
		o, err := e.run(ctx, f.seeds)
		if err != nil {
			return err
		}
		if err := a.demonstrated(e, o, meter.ProcessorTime()-began, f); err != nil {
			return err
		}
	}
	return nil
}

func (a *app) laboratory(f demoFlags) (*demo.Lab, error) {
	run, err := a.Find(f.data)
	if err != nil {
		return nil, err
	}
	prose, err := demo.ReadProse(run)
	if err != nil {
		return nil, err
	}
	pool, err := llm.NewPool(f.threads, f.kernel)
	if err != nil {
		return nil, cli.ExitWith(cli.ExitUsage, err)
	}
	dir, err := os.MkdirTemp("", "winnow-demo-")
	if err != nil {
		return nil, err
	}
	lab := &demo.Lab{Prose: prose, Pool: pool, Dir: dir, Quick: f.quick}
	lab.Say = func(format string, args ...any) { a.Say("  "+format, "  "+format, args...) }
	return lab, lab.Open()
}

// demonstrated prints what an experiment gave.
func (a *app) demonstrated(e shown, o *demo.Outcome, took time.Duration, f demoFlags) error {
	if a.JSON {
		return json.NewEncoder(a.Out).Encode(o)
	}
	t := report.Table{Head: []string{a.Lang.T("arm", "组"), a.Lang.T("measure", "度量"), a.Lang.T(">mean", ">均值"), a.Lang.T(">least", ">最小"), a.Lang.T(">greatest", ">最大")}}
	ranged := slices.ContainsFunc(o.Lines, func(l demo.Line) bool { return l.Interval != nil })
	if ranged {
		t.Head = append(t.Head, a.Lang.T("interval", "区间"))
	}
	t.Head = append(t.Head, a.Lang.T("against the first", "与首组相比"))
	for _, l := range o.Lines {
		cells := []string{l.Arm, l.Metric, figure(l.Mean), figure(l.Min), figure(l.Max)}
		if ranged {
			cells = append(cells, between(l.Interval))
		}
		t.Add(append(cells, a.against(l.Against))...)
	}
	title := fmt.Sprintf(a.Lang.T("%s: %s (%d seeds, %.0f s of processor time)", "%s：%s（%d 个种子，处理器时间 %.0f 秒）"), e.name, a.Lang.T(e.en, e.zh), o.Seeds, took.Seconds())
	if f.markdown {
		_, err := fmt.Fprintf(a.Out, "### %s\n\n%s\n", title, t.Markdown())
		return err
	}
	_, err := fmt.Fprintf(a.Out, "%s\n%s\n", title, t.Text())
	return err
}

// between writes an interval.
func between(i *demo.Interval) string {
	if i == nil {
		return ""
	}
	return figure(i.Low) + " to " + figure(i.High)
}

// against says how an arm compares with the first.
func (a *app) against(d *demo.Difference) string {
	switch {
	case d == nil:
		return ""
	case d.Gain > 0:
		return fmt.Sprintf(a.Lang.T("better by %s", "更好，差 %s"), figure(d.Mean))
	case d.Gain < 0:
		return fmt.Sprintf(a.Lang.T("worse by %s", "更差，差 %s"), figure(d.Mean))
	}
	return a.Lang.T("no measurable difference", "无可测差异")
}

// figure has three places, or as many digits as matter.
func figure(x float64) string {
	s := fmt.Sprintf("%.3f", x)
	if x >= 100 || x <= -100 {
		s = fmt.Sprintf("%.0f", x)
	}
	return strings.TrimSuffix(s, ".000")
}
