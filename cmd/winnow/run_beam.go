package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"

	"winnow/cmd/winnow/cli"
	"winnow/pipelines/engine"
)

// beamProgram is the program that runs recipes on Apache Beam: a module of its own, for its weight.
const beamProgram = "winnow-beam"

// beam has winnow-beam do a run's tasks, and shows its progress. What it leaves is what engine.Run leaves. more are its own
// arguments: --runner, --endpoint, --environment.
func (a *app) beam(ctx context.Context, path string, f cli.RecipeFlags, o engine.Options, p *engine.Plan, more []string) error {
	program, err := findBeam()
	if err != nil {
		return cli.Usage(a.Lang.T("--engine beam: %s is neither in PATH nor beside winnow: build it by `cd beam && go build ./%s`", "--engine beam：PATH 与 winnow 所在文件夹中都没有 %s：请在 beam 目录执行 go build ./%s"), beamProgram, beamProgram)
	}
	args := []string{"run", path, "--json", "--no-report", "--lang", string(a.Lang), "--runs", p.Root, "--jobs", strconv.Itoa(o.Jobs), "--memory", strconv.FormatInt(o.Memory, 10)}
	for _, in := range f.Input {
		args = append(args, "--input", in)
	}
	if f.Dropped != "" {
		args = append(args, "--dropped", f.Dropped)
	}
	if o.Fresh {
		args = append(args, "--fresh")
	}
	cmd := exec.CommandContext(ctx, program, append(args, more...)...)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) } // it has a job to cancel
	cmd.Stdout = a.Err
	events, err := cmd.StderrPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	failure := a.follow(events, o.Events)
	err = cmd.Wait()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	var ended *exec.ExitError
	if errors.As(err, &ended) && failure != "" {
		return cli.ExitWith(max(ended.ExitCode(), cli.ExitFailed), errors.New(failure))
	}
	if err != nil {
		return fmt.Errorf("%s: %w", beamProgram, err)
	}
	return nil
}

// findBeam looks in PATH, then beside this program.
func findBeam() (string, error) {
	program, err := exec.LookPath(beamProgram)
	if err == nil {
		return program, nil
	}
	self, err := os.Executable()
	if err != nil {
		return "", err
	}
	return exec.LookPath(filepath.Join(filepath.Dir(self), beamProgram))
}

// follow passes on the events that winnow-beam writes, one to a line, and whatever else it says; it gives the error that it ended with.
func (a *app) follow(r io.Reader, show func(engine.Event)) (failure string) {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var e struct {
			engine.Event
			Error, Text string
		}
		switch err := json.Unmarshal(lines.Bytes(), &e); {
		case err != nil:
			fmt.Fprintln(a.Err, lines.Text())
		case e.Type == "error":
			failure = e.Error
		case e.Type == "message":
			a.Say("%s", "%s", e.Text)
		default:
			show(e.Event)
		}
	}
	return failure
}
