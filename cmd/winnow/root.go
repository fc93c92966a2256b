package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"winnow/cmd/winnow/arrays"
	"winnow/cmd/winnow/cli"
	"winnow/cmd/winnow/look"
	"winnow/cmd/winnow/quality"
	"winnow/cmd/winnow/talk"
	"winnow/report"
	"winnow/text"
)

// app is the program, with the commands of this room.
type app struct{ *cli.App }

func (a *app) root(args []string) *cobra.Command {
	a.Lang = report.LangOf(cli.Locale())
	if l := cli.LangArg(args); l != "" {
		a.Lang = l
	}
	root := &cobra.Command{
		Use:   "winnow",
		Short: a.Lang.T("raw web crawl in, clean training data out, and a reason for every document", "输入原始网页爬取数据，输出干净的训练数据；每篇文档的去留都有理由"),
		Long: a.Lang.T(`winnow takes raw web crawl to clean training data, and says of every document why it was kept or dropped.

  winnow run pipelines/quickstart.yaml    the whole road once, on the sample crawl
  winnow report                           what was retained, and why the rest was dropped
  winnow sample --rule gopher.words       read what a rule dropped
  winnow explain URL                      why one page was kept or dropped
`, `winnow 把原始网页爬取数据变成干净的训练数据，并说明每篇文档为何保留或丢弃。

  winnow run pipelines/quickstart.yaml    用样例数据走完全程
  winnow report                           保留了多少，其余为何丢弃
  winnow sample --rule gopher.words       看看某条规则丢弃了什么
  winnow explain URL                      某个网页为何保留或丢弃
`) + cli.ExitCodes,
		SilenceErrors: true, SilenceUsage: true,
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error { return a.Prepare(cmd) },
	}
	f := root.PersistentFlags()
	f.BoolVar(&a.JSON, "json", false, a.Lang.T("JSON on stdout, events as JSON lines on stderr", "以 JSON 输出"))
	f.BoolVarP(&a.Quiet, "quiet", "q", false, a.Lang.T("no progress", "不显示进度"))
	f.StringVar(&a.LangFlag, "lang", "auto", a.Lang.T("language of messages: en, zh, auto (from LC_ALL, LANG)", "消息语言：en、zh、auto"))
	f.StringVar(&a.Runs, "runs", "runs", a.Lang.T("folder in which runs are looked up, on the disk or as s3://bucket/folder", "运行结果所在文件夹：磁盘路径或 s3://桶/文件夹"))
	f.StringVar(&a.Scratch, "scratch", "", a.Lang.T("folder for what is on its way to or from a URL; the system's for temporary files", "与 URL 交换文件时的临时文件夹；默认为系统的临时文件夹"))
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error { return cli.ExitWith(cli.ExitUsage, a.flagError(cmd, err)) })
	root.AddCommand(
		a.newCmd(), a.crawlCmd(), a.runCmd(), a.checkCmd(), a.planCmd(),
		a.trainCmd(),
		a.benchCmd(), a.versionCmd(),
	)
	root.AddCommand(look.Commands(a.App)...)
	root.AddCommand(arrays.Commands(a.App)...)
	root.AddCommand(quality.Commands(a.App)...)
	root.AddCommand(talk.Commands(a.App)...)
	return root
}

// flagError tells of a mistake in a flag, and of the nearest that there is.
func (a *app) flagError(cmd *cobra.Command, err error) error {
	var unknown *pflag.NotExistError
	if !errors.As(err, &unknown) || unknown.GetSpecifiedShortnames() != "" {
		return err
	}
	var known []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) { known = append(known, f.Name) })
	name := unknown.GetSpecifiedName()
	if near := text.Nearest(name, known); near != "" {
		return fmt.Errorf(a.Lang.T("unknown flag --%s: did you mean --%s?", "没有选项 --%s：是否想写 --%s？"), name, near)
	}
	return fmt.Errorf(a.Lang.T("unknown flag --%s", "没有选项 --%s"), name)
}
