package drive

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"winnow/beam/jobs"
	"winnow/beam/tasks"
	"winnow/pipelines/engine"
	"winnow/shard"
)

// What the test program does when it is started with these in its environment.
const (
	envDie    = "WINNOW_BEAM_TEST_DIE"    // worker: a run's folder; dies once, after a few tasks
	envSubmit = "WINNOW_BEAM_TEST_SUBMIT" // submitter: corpus, folder of runs, port of a job service, recipe, by tabs
)

// tasksBeforeDeath is how many tasks a run has when a worker or a submitter is killed.
const tasksBeforeDeath = 5

// dieLater has a worker killed in the middle of a task, the first worker only.
func dieLater() {
	root := os.Getenv(envDie)
	if root == "" {
		return
	}
	f, err := os.OpenFile(filepath.Join(root, "died"), os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return
	}
	f.Close()
	go func() {
		for manifests(root) < tasksBeforeDeath {
			time.Sleep(time.Millisecond)
		}
		syscall.Kill(os.Getpid(), syscall.SIGKILL)
	}()
}

// manifests counts the tasks that are done in the run below root.
func manifests(root string) int {
	names, _ := filepath.Glob(filepath.Join(root, "*", "tasks", "*.json"))
	return len(names)
}

// attempts is which attempt committed each task, by manifest: what is done is not done again.
func attempts(t *testing.T, root string) map[string]string {
	t.Helper()
	out := map[string]string{}
	names, _ := filepath.Glob(filepath.Join(root, "*", "tasks", "*.json"))
	for _, name := range names {
		m, err := shard.ReadManifest(nil, name)
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range m.Outputs {
			out[filepath.Base(name)] += o.Name + " "
		}
	}
	return out
}

// keptTasks tells that what was done before was not done again.
func keptTasks(t *testing.T, before, after map[string]string) {
	t.Helper()
	if len(before) < tasksBeforeDeath || len(before) >= len(after) {
		t.Errorf("%d tasks before, %d after", len(before), len(after))
	}
	for name, outputs := range before {
		if after[name] != outputs {
			t.Errorf("task %s was done again", name)
		}
	}
}

func TestWorkerIsKilled(t *testing.T) {
	dir, root := t.TempDir(), t.TempDir()
	corpus(t, dir, 4, 1200)
	want := local(t, dir, "300KB")
	s := service(t)
	t.Setenv(envDie, root)
	p := plan(t, dir, root, "300KB")
	// Prism fails the job at once, or, now and then, waits for the dead worker until the deadline.
	_, err := Run(t.Context(), p, Options{Service: s, Environment: process(t), Deadline: 40 * time.Second})
	if err == nil {
		t.Fatal("a worker was killed, and the job did not fail")
	}
	t.Log(err)
	before := attempts(t, root)
	got := run(t, plan(t, dir, root, "300KB"), s, process(t))
	sameRun(t, "worker killed", got, want)
	keptTasks(t, before, attempts(t, root))
}

// With a second attempt the driver submits the job again by itself.
func TestJobIsSubmittedAgain(t *testing.T) {
	dir, root := t.TempDir(), t.TempDir()
	corpus(t, dir, 2, 600)
	want := local(t, dir, "300KB")
	t.Setenv(envDie, root)
	p := plan(t, dir, root, "300KB")
	info, err := Run(t.Context(), p, Options{Service: service(t), Environment: process(t), Deadline: 40 * time.Second, Attempts: 2})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(root, "died")); err != nil {
		t.Fatal(err)
	}
	sameRun(t, "submitted again", filepath.Join(root, info.ID), want)
}

// submit is the submitter that is to be killed.
func submit() error {
	arg := strings.SplitN(os.Getenv(envSubmit), "\t", 4)
	t := &standIn{}
	p := planOf(t, arg[3], arg[0], arg[1], "300KB")
	s, err := jobs.Dial("localhost:" + arg[2])
	if err != nil {
		return err
	}
	_, err = Run(context.Background(), p, Options{Service: s, Environment: process(t), Deadline: deadline})
	return err
}

// standIn is a testing.TB outside a test.
type standIn struct{ testing.TB }

func (*standIn) Helper()                  {}
func (*standIn) Context() context.Context { return context.Background() }
func (*standIn) Fatal(args ...any)        { end(errors.New(fmt.Sprint(args...))) }

// killSubmitter has another process submit a run to the job service at a port, and kills it in the middle.
func killSubmitter(t *testing.T, recipe, dir, root string, port int) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), envSubmit+"="+strings.Join([]string{dir, root, strconv.Itoa(port), recipe}, "\t"))
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(deadline); manifests(root) < tasksBeforeDeath; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("nothing is done")
		}
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	cmd.Wait()
}

// The submitter is killed; its job goes on without it. A second one is at work meanwhile: two attempts of some tasks at once.
func TestSubmitterIsKilled(t *testing.T) {
	dir, root := t.TempDir(), t.TempDir()
	corpus(t, dir, 4, 1200)
	want := local(t, dir, "300KB")
	port := freePort(t)
	s, err := jobs.Embedded(t.Context(), port)
	if err != nil {
		t.Fatal(err)
	}
	killSubmitter(t, recipe, dir, root, port)
	before := attempts(t, root)
	got := run(t, plan(t, dir, root, "300KB"), s, process(t))
	sameRun(t, "submitter killed", got, want)
	keptTasks(t, before, attempts(t, root))
}

func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "localhost:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// Two drivers do the same run at the same time, each with workers of its own: every task has two attempts.
func TestTwoAttemptsAtOnce(t *testing.T) {
	dir, root := t.TempDir(), t.TempDir()
	corpus(t, dir, 4, 1200)
	want := local(t, dir, "300KB")
	if _, err := engine.OpenWork(plan(t, dir, root, "300KB"), engine.Options{}); err != nil { // whose folder both find
		t.Fatal(err)
	}
	var both sync.WaitGroup
	dirs := make([]string, 2)
	for k := range dirs {
		p, s, env := plan(t, dir, root, "300KB"), service(t), process(t)
		both.Go(func() {
			info, err := Run(t.Context(), p, Options{Service: s, Environment: env, Deadline: deadline})
			if err != nil {
				t.Error(err)
				return
			}
			dirs[k] = filepath.Join(root, info.ID)
		})
	}
	both.Wait()
	if !t.Failed() {
		sameRun(t, "two attempts", dirs[0], want)
	}
}

// A worker that cannot work is not waited for for ever, and another build is told so.
func TestOtherBuildsAndDeadWorkers(t *testing.T) {
	dir := t.TempDir()
	corpus(t, dir, 1, 100)
	w, err := engine.OpenWork(plan(t, dir, t.TempDir(), "300KB"), engine.Options{})
	if err != nil {
		t.Fatal(err)
	}
	s := service(t)
	nobody := func(jobs.Counters) {}
	j := jobs.Job{Name: "other", Graph: tasks.Each(tasks.Spec{PlanURI: w.Dir(), Build: "another", Stage: "map-0"}, []int{0}), Environment: loopback(t), Deadline: deadline}
	if err := s.Run(t.Context(), j, nobody); err == nil || !strings.Contains(err.Error(), "another build") {
		t.Errorf("another build: %v", err)
	}
	if j.Environment, err = jobs.Process(t.Context(), "/bin/false", dir); err != nil {
		t.Fatal(err)
	}
	j.Graph, j.Deadline = tasks.Each(tasks.Spec{}, []int{0}), 3*time.Second
	if err := s.Run(t.Context(), j, nobody); err == nil {
		t.Error("a worker that ends at once did the job")
	}
	if _, err := os.Stat(filepath.Join(w.Dir(), "tasks", "map-0-00000.json")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a task was done: %v", err)
	}
}
