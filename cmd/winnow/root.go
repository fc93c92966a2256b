package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"winnow/crawl/remote"
	"winnow/report"
	"winnow/shard/store"
)

// app is what every command shares: where to read and write, and the flags that all have.
type app struct {
	in       io.Reader
	out, err io.Writer

	json     bool
	quiet    bool
	langFlag string
	runs     string // folder of runs
	scratch  string // folder for what is on its way to or from a URL
	lang     report.Lang
	store    *store.Store // where runs lie; nil: on the disk alone
}

const exitCodes = `
Exit codes: 0 done; 1 failed; 2 usage or recipe error, nothing was started; 3 finished, but some input could not be read;
4 an expectation of the recipe was not met; 130 stopped, run again to go on.
Every flag but --data can be set by WINNOW_<FLAG> in the environment; flags win over the environment, the environment over the
recipe. WINNOW_DATA is the folder of labelled data that tests and "winnow bench" measure on.`

func (a *app) root(args []string) *cobra.Command {
	a.lang = report.LangOf(locale())
	if l := langArg(args); l != "" {
		a.lang = l
	}
	root := &cobra.Command{
		Use:   "winnow",
		Short: a.lang.T("raw web crawl in, clean training data out, and a reason for every document", "输入原始网页爬取数据，输出干净的训练数据；每篇文档的去留都有理由"),
		Long: a.lang.T(`winnow takes raw web crawl to clean training data, and says of every document why it was kept or dropped.

  winnow run pipelines/quickstart.yaml    the whole road once, on the sample crawl
  winnow report                           what was retained, and why the rest was dropped
  winnow sample --rule gopher.words       read what a rule dropped
  winnow explain URL                      why one page was kept or dropped
`, `winnow 把原始网页爬取数据变成干净的训练数据，并说明每篇文档为何保留或丢弃。

  winnow run pipelines/quickstart.yaml    用样例数据走完全程
  winnow report                           保留了多少，其余为何丢弃
  winnow sample --rule gopher.words       看看某条规则丢弃了什么
  winnow explain URL                      某个网页为何保留或丢弃
`) + exitCodes,
		SilenceErrors: true, SilenceUsage: true,
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error { return a.prepare(cmd) },
	}
	f := root.PersistentFlags()
	f.BoolVar(&a.json, "json", false, a.lang.T("JSON on stdout, events as JSON lines on stderr", "以 JSON 输出"))
	f.BoolVarP(&a.quiet, "quiet", "q", false, a.lang.T("no progress", "不显示进度"))
	f.StringVar(&a.langFlag, "lang", "auto", a.lang.T("language of messages: en, zh, auto (from LC_ALL, LANG)", "消息语言：en、zh、auto"))
	f.StringVar(&a.runs, "runs", "runs", a.lang.T("folder in which runs are looked up, on the disk or as s3://bucket/folder", "运行结果所在文件夹：磁盘路径或 s3://桶/文件夹"))
	f.StringVar(&a.scratch, "scratch", "", a.lang.T("folder for what is on its way to or from a URL; the system's for temporary files", "与 URL 交换文件时的临时文件夹；默认为系统的临时文件夹"))
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return &exitError{exitUsage, err} })
	root.AddCommand(
		a.newCmd(), a.crawlCmd(), a.runCmd(), a.checkCmd(), a.planCmd(), a.runsCmd(), a.reportCmd(), a.explainCmd(), a.sampleCmd(), a.rulesCmd(),
		a.tuneCmd(), a.catCmd(), a.dedupCmd(), a.qualityCmd(), a.trainCmd(), a.generateCmd(), a.chatCmd(), a.serveCmd(), a.exportCmd(), a.lineageCmd(),
		a.taskCmd(), a.gcCmd(), a.launchCmd(), a.benchCmd(), a.versionCmd(),
	)
	return root
}

// prepare takes flags that were not given from the environment, refuses numbers that are none, and settles the language.
func (a *app) prepare(cmd *cobra.Command) (err error) {
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		name := "WINNOW_" + strings.ToUpper(strings.ReplaceAll(f.Name, "-", "_"))
		if v, ok := os.LookupEnv(name); ok && !f.Changed && err == nil && f.Name != "data" { // WINNOW_DATA is what tests and bench measure on
			if e := cmd.Flags().Set(f.Name, v); e != nil {
				err = usage("%s=%s: %v", name, v, e)
			}
		}
		if v, e := strconv.ParseFloat(f.Value.String(), 64); f.Value.Type() == "float64" && e == nil && (math.IsNaN(v) || math.IsInf(v, 0)) && err == nil {
			err = usage(a.lang.T("--%s %s: this is no finite number", "--%s %s：不是有限的数"), f.Name, f.Value)
		}
	})
	a.store = store.New(remote.New(remote.Options{TempDir: a.scratch}), a.scratch).With(cmd.Context())
	if a.runs, err = cleaned(a.runs, err); err != nil {
		return err
	}
	switch a.langFlag {
	case "auto":
	case "en", "zh":
		a.lang = report.Lang(a.langFlag)
	default:
		return usage("--lang %s: write en, zh or auto", a.langFlag)
	}
	return err
}

// cleaned is a folder's name in one form, unless something went wrong before.
func cleaned(name string, err error) (string, error) {
	if err != nil {
		return "", err
	}
	if name, err = store.Clean(name); err != nil {
		return "", &exitError{exitUsage, err}
	}
	return name, nil
}

// langArg finds --lang before flags are parsed: the texts of flags and commands themselves are in that language.
func langArg(args []string) report.Lang {
	for i, s := range args {
		v, ok := strings.CutPrefix(s, "--lang=")
		if s == "--lang" && i+1 < len(args) {
			v, ok = args[i+1], true
		}
		if ok && (v == "en" || v == "zh") {
			return report.Lang(v)
		}
	}
	return ""
}

func locale() string {
	return cmp.Or(os.Getenv("WINNOW_LANG"), os.Getenv("LC_ALL"), os.Getenv("LC_MESSAGES"), os.Getenv("LANG"))
}

// say writes one line for people to stderr; with --json, as an event like all others there.
func (a *app) say(en, zh string, args ...any) {
	if a.quiet {
		return
	}
	text := fmt.Sprintf(a.lang.T(en, zh), args...)
	if a.json {
		if b, err := json.Marshal(map[string]string{"type": "message", "text": strings.TrimSpace(text)}); err == nil {
			text = string(b)
		}
	}
	fmt.Fprintln(a.err, text)
}

// exactArgs is cobra.RangeArgs with this program's exit code.
func exactArgs(least, most int) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) < least || len(args) > most {
			return usage("%s", strings.TrimSpace(cmd.UseLine())+": wrong number of arguments")
		}
		return nil
	}
}
