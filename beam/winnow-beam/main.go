// Command winnow-beam runs recipes on Apache Beam. A recipe flows in; jobs go to a runner, whose workers are this same program;
// the run folder that flows out is the one that `winnow run` makes. `winnow run --engine beam` starts it.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/spf13/cobra"

	"winnow/beam/jobs"
	"winnow/beam/tasks"
	"winnow/pipelines"
	"winnow/report"
)

// Exit codes, as those of winnow.
const (
	exitFailed  = 1
	exitUsage   = 2
	exitStopped = 130
)

// usageError is a mistake in the command line or the recipe: nothing was started.
type usageError struct{ error }

func main() {
	tasks.Register()
	beam.Init()
	slog.SetDefault(slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError}))) // Beam's own talk
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends the program at once
	if jobs.IsWorker() {
		if err := jobs.Work(context.WithoutCancel(ctx), os.Args[1:]); err != nil {
			fmt.Fprintln(os.Stderr, "winnow-beam: "+err.Error())
			os.Exit(exitFailed)
		}
		return
	}
	a := &app{out: os.Stdout, err: os.Stderr}
	os.Exit(a.exit(ctx, a.root(os.Args[1:]).ExecuteContext(ctx)))
}

// app is what the commands share.
type app struct {
	out, err io.Writer
	lang     report.Lang
	json     bool
	quiet    bool
}

func (a *app) root(args []string) *cobra.Command {
	a.lang = language(args)
	root := &cobra.Command{
		Use: "winnow-beam", SilenceErrors: true, SilenceUsage: true,
		Short: a.lang.T("run winnow's recipes on Apache Beam", "在 Apache Beam 上运行 winnow 的配方"),
		Long: a.lang.T(`winnow-beam runs winnow's recipes on a Beam runner: Prism inside this program, or any runner with a portable job service, such as
Flink. Install the same file at the same place on every machine: it submits jobs, and it is the worker that the runner starts.`,
			`winnow-beam 在 Beam 运行器上执行 winnow 的配方：本程序内置的 Prism，或任何提供可移植作业服务的运行器，如 Flink。
请在每台机器的相同位置安装同一个文件：它既提交作业，也是运行器启动的工作进程。`),
	}
	f := root.PersistentFlags()
	f.BoolVar(&a.json, "json", false, a.lang.T("events as JSON lines on stderr", "事件以 JSON 行写到标准错误"))
	f.BoolVarP(&a.quiet, "quiet", "q", false, a.lang.T("no progress", "不显示进度"))
	f.String("lang", "auto", a.lang.T("language of messages: en, zh, auto (from LC_ALL, LANG)", "消息语言：en、zh、auto"))
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	root.AddCommand(a.runCmd(), a.poolCmd(), a.versionCmd())
	return root
}

// language finds --lang before flags are parsed: their own texts are in that language.
func language(args []string) report.Lang {
	locale := ""
	for _, name := range []string{"LANG", "LC_MESSAGES", "LC_ALL", "WINNOW_LANG"} {
		if v := os.Getenv(name); v != "" {
			locale = v
		}
	}
	for i, s := range args {
		v, ok := strings.CutPrefix(s, "--lang=")
		if s == "--lang" && i+1 < len(args) {
			v, ok = args[i+1], true
		}
		if ok && v != "auto" {
			locale = v
		}
	}
	return report.LangOf(locale)
}

// exit tells the error and gives the exit code for it.
func (a *app) exit(ctx context.Context, err error) int {
	if err == nil {
		return 0
	}
	code := exitFailed
	var mistake usageError
	var recipe *pipelines.RecipeError
	switch {
	case ctx.Err() != nil:
		code = exitStopped
		err = errors.New(a.lang.T("stopped; run the same command again to go on", "已停止；重新运行同一命令即可继续"))
	case errors.As(err, &mistake), errors.As(err, &recipe):
		code = exitUsage
	}
	if a.json {
		if b, e := json.Marshal(map[string]any{"type": "error", "code": code, "error": err.Error()}); e == nil {
			fmt.Fprintln(a.err, string(b))
		}
		return code
	}
	fmt.Fprintln(a.err, "winnow-beam: "+err.Error())
	return code
}

// say writes one line for people; with --json, as an event.
func (a *app) say(en, zh string, args ...any) {
	if a.quiet {
		return
	}
	text := fmt.Sprintf(a.lang.T(en, zh), args...)
	if a.json {
		if b, err := json.Marshal(map[string]string{"type": "message", "text": text}); err == nil {
			text = string(b)
		}
	}
	fmt.Fprintln(a.err, text)
}

func (a *app) poolCmd() *cobra.Command {
	var port int
	cmd := &cobra.Command{
		Use: "pool", Args: cobra.NoArgs,
		Short: a.lang.T("serve as a pool of workers beside a runner, for --environment external", "在运行器旁提供工作进程池，配合 --environment external"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			a.say("pool of workers at localhost:%d", "工作进程池：localhost:%d", port)
			return jobs.Pool(cmd.Context(), port)
		},
	}
	cmd.Flags().IntVar(&port, "port", 50000, a.lang.T("port of localhost to listen at", "监听的本机端口"))
	return cmd
}

func (a *app) versionCmd() *cobra.Command {
	return &cobra.Command{
		Use: "version", Args: cobra.NoArgs,
		Short: a.lang.T("the build, as submitter and workers compare it", "构建标识，提交方与工作进程以此核对"),
		RunE: func(*cobra.Command, []string) error {
			build, err := tasks.Build()
			if err == nil {
				_, err = fmt.Fprintf(a.out, "winnow-beam %s build %.12s\n", version(), build)
			}
			return err
		},
	}
}

// version is the revision that the program was built from, where it is known.
func version() string {
	const number = "0.1.0"
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" && len(s.Value) >= 12 {
				return number + "+" + s.Value[:12]
			}
		}
	}
	return number
}
