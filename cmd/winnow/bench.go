package main

import (
	"errors"
	"fmt"
	"os"
	"runtime/pprof"

	"github.com/spf13/cobra"

	"winnow/bench"
	"winnow/bench/meter"
	"winnow/cmd/winnow/cli"
)

// benchAnswers is the bench's own endpoint for rephrase, which runs it in a process of its own.
const benchAnswers = "answers"

func (a *app) benchCmd() *cobra.Command {
	var o meter.Options
	var markdown bool
	var profile string
	about := ""
	for _, b := range bench.All() {
		about += fmt.Sprintf("  %-10s %s\n", b.Name, a.Lang.T(b.EN, b.ZH))
	}
	cmd := &cobra.Command{
		Use: "bench NAME|all [INPUT...]", Args: cli.ExactArgs(1, 1<<20),
		Short: a.Lang.T("measure speed and memory on this machine", "在本机测量速度与内存"),
		Long: a.Lang.T(`Measure speed and memory. INPUT is any file, folder or glob that a recipe reads; without it, the sample crawl.

`, `测量速度与内存。INPUT 为配方可读的任何文件、文件夹或通配；不给则用样例爬取数据。

`) + about + a.Lang.T(`
Speeds are for one second of processor time, with garbage collection; MB is 1,000,000 bytes.
`, `
速度按处理器时间一秒计，含垃圾回收；MB 为 1,000,000 字节。
`) + cli.ExitCodes,
		RunE: func(cmd *cobra.Command, args []string) error {
			if args[0] == benchAnswers {
				return bench.Answers(cmd.InOrStdin(), a.Out)
			}
			o.Inputs, o.Program = args[1:], cli.Version()
			if exe, err := os.Executable(); err == nil {
				o.Answers = []string{exe, "bench", benchAnswers}
			}
			return profiled(profile, func() error { return a.bench(cmd, args[0], o, markdown) })
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.Recipe, "recipe", "quickstart", a.Lang.T("what the bench run runs", "run 所用的配方"))
	f.IntVar(&o.Repeat, "repeat", 1, a.Lang.T("repetitions; median, least and greatest are shown", "重复次数；显示中位数、最小与最大"))
	f.IntVar(&o.Docs, "docs", 1_000_000, a.Lang.T("documents of dedup-scale", "dedup-scale 的文档数"))
	f.Int64Var(&o.Memory, "sort-memory", 256<<20, a.Lang.T("bytes in which dedup-scale sorts", "dedup-scale 排序可用的字节数"))
	f.BoolVar(&markdown, "markdown", false, a.Lang.T("as the tables of BENCHMARKS.md", "输出 BENCHMARKS.md 的表格"))
	f.StringVar(&profile, "profile", "", a.Lang.T("file for a CPU profile, for go tool pprof", "CPU 剖析文件，供 go tool pprof 使用"))
	return cmd
}

func (a *app) bench(cmd *cobra.Command, name string, o meter.Options, markdown bool) error {
	if o.Repeat < 1 {
		return cli.Usage(a.Lang.T("--repeat %d: write 1 or more", "--repeat %d：至少为 1"), o.Repeat)
	}
	if markdown {
		fmt.Fprintln(a.Out, bench.Machine(a.Lang)+"\n")
	}
	found := false
	for _, b := range bench.All() {
		if name != "all" && name != b.Name {
			continue
		}
		found = true
		if !a.JSON {
			a.Say("%s: %s", "%s：%s", b.Name, a.Lang.T(b.EN, b.ZH))
		}
		figures, err := bench.Run(cmd.Context(), b.Name, o)
		if err != nil {
			return err
		}
		if err := a.benched(b, figures, markdown); err != nil {
			return err
		}
	}
	if !found {
		return cli.ExitWith(cli.ExitUsage, &bench.UnknownError{Name: name})
	}
	return nil
}

func (a *app) benched(b bench.Bench, figures []meter.Figure, markdown bool) (err error) {
	switch {
	case a.JSON:
		for _, f := range figures {
			err = errors.Join(err, a.Line(f))
		}
	case markdown:
		_, err = fmt.Fprint(a.Out, bench.Markdown(b, figures, a.Lang))
	default:
		_, err = fmt.Fprintln(a.Out, bench.Table(figures, a.Lang).Text())
	}
	return err
}

// profiled calls f, with a CPU profile of it where a file is named.
func profiled(file string, f func() error) error {
	if file == "" {
		return f()
	}
	out, err := os.Create(file)
	if err != nil {
		return err
	}
	if err := pprof.StartCPUProfile(out); err != nil {
		return errors.Join(err, out.Close())
	}
	err = f()
	pprof.StopCPUProfile()
	return errors.Join(err, out.Close())
}
