// Command winnow takes raw web crawl to clean training data, and says of every document why it was kept or dropped.
//
// This package is flags, terminal and wiring; the work is done by the packages that it imports.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"winnow/cmd/winnow/cli"
	"winnow/pipelines"
)

func main() {
	os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// run is the program but for os.Exit, so that tests can call it.
func run(args []string, in io.Reader, out, errOut io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), stops...)
	defer stop()
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends the program at once
	a := &app{&cli.App{In: in, Out: out, Err: errOut}}
	root := a.root(args)
	root.SetArgs(args)
	root.SetIn(in)
	root.SetOut(out)
	root.SetErr(errOut)
	return a.exit(ctx, root.ExecuteContext(ctx))
}

// exit tells the error and gives the exit code for it.
func (a *app) exit(ctx context.Context, err error) int {
	if err == nil {
		return 0
	}
	code := cli.ExitFailed
	if errors.Is(err, syscall.ENOSPC) {
		err = fmt.Errorf(a.Lang.T("the disk is full: free some space, then run the same command again: it goes on where it stopped (`winnow plan` says what a run takes): %w",
			"磁盘已满：腾出空间后重新运行同一命令，即从断点继续（winnow plan 可估计所需空间）：%w"), err)
	}
	var own *cli.ExitError
	var recipe *pipelines.RecipeError
	switch {
	case errors.Is(err, syscall.ENOSPC):
	case errors.As(err, &own):
		code = own.Code
	case errors.As(err, &recipe), strings.HasPrefix(err.Error(), "unknown command"):
		code = cli.ExitUsage
	case ctx.Err() != nil || errors.Is(err, context.Canceled):
		code = cli.ExitStopped
		err = errors.New(a.Lang.T("stopped; run the same command again to go on", "已停止；重新运行同一命令即可继续"))
	}
	if a.JSON {
		b, _ := json.Marshal(map[string]any{"type": "error", "code": code, "error": err.Error()})
		fmt.Fprintln(a.Err, string(b))
	} else {
		fmt.Fprintln(a.Err, "winnow: "+err.Error())
	}
	return code
}
