//go:build unix

package main

import (
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"winnow/crawl/remote"
	"winnow/crawl/remote/remotetest"
	"winnow/shard"
	"winnow/shard/store"
)

// TestRunsAtS3 does a run on the disk, and the same in an object store behind a network that breaks: killed with SIGKILL some times,
// and by two processes at once that do the same tasks. Data, ledger, dropped texts and report are the same, and other commands work
// on it.
func TestRunsAtS3(t *testing.T) {
	if testing.Short() {
		t.Skip("runs a recipe several times")
	}
	raw, err := os.ReadFile("../../pipelines/quickstart.yaml")
	if err != nil {
		t.Fatal(err)
	}
	address, storm := remotetest.Behind(t, remotetest.Gateway(t, "bucket"), 40, time.Second)
	recipe, disk, _ := undisturbed(t, strings.Replace(string(raw), "input:\n", "input:\n  shard_size: 128KB\n", 1))
	const away = "s3://bucket/some runs"
	winnow := func(args ...string) *exec.Cmd {
		cmd := exec.Command("winnow", append(args, "--lang", "en", "--scratch", t.TempDir())...)
		cmd.Env = append(os.Environ(), remotetest.Env(address)...)
		return cmd
	}
	rng := rand.New(rand.NewPCG(3, 3))
	for range 3 {
		cmd := winnow("run", "-q", "--runs", away, recipe)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Duration(1+rng.IntN(3000)) * time.Millisecond)
		cmd.Process.Kill()
		cmd.Wait()
	}
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			if out, err := winnow("run", "-q", "--runs", away, recipe).CombinedOutput(); err != nil {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
	wg.Wait()
	t.Logf("%d requests: %d busy, %d cut, %d unheard, %d by half, %d slow", storm.Requests.Load(), storm.Busy.Load(), storm.Cut.Load(), storm.Unheard.Load(), storm.Half.Load(), storm.Silent.Load())
	s := store.New(remote.New(remote.Options{Getenv: remotetest.Getenv(address)}), t.TempDir())
	sameRun(t, s, away, disk)
	asked := func(where string, args ...string) string {
		out, err := winnow(append(args, "--runs", where)...).Output()
		if err != nil {
			t.Errorf("%v: %v", args, err)
		}
		text, _, _ := strings.Cut(string(out), "time by stage")
		if _, rest, ok := strings.Cut(text, " documents read"); ok {
			return rest // behind when it began
		}
		return text
	}
	for _, args := range [][]string{{"report"}, {"report", "latest", "--by", "language"}, {"sample", "--rule", "gopher.words", "-n", "2"}, {"explain", "http"}} {
		if got, want := asked(away, args...), asked(disk, args...); got != want || len(got) < 50 {
			t.Errorf("%v differs:\n%s\n%s", args, got, want)
		}
	}
	entries, err := s.List(away)
	if err != nil || len(entries) != 1 {
		t.Fatal(entries, err)
	}
	run := store.Join(away, entries[0].Name)
	if out := asked(disk, "report", run, "quickstart"); !strings.Contains(out, entries[0].Name) {
		t.Error(out)
	}
	if out := asked(away, "cat", run+"/data/00000.parquet", "-n", "1"); len(out) < 100 {
		t.Error(out)
	}
	asked(away, "gc", run, "--older", "0s")
	if out := asked(away, "gc", run, "--older", "0s", "--dry-run"); out != "" {
		t.Errorf("left by gc: %s", out)
	}
	sameRun(t, s, away, disk)
	if err := winnow("run", "-q", "--runs", "file://"+disk, recipe).Run(); err != nil { // done before
		t.Error(err)
	}
}

// sameRun compares the one run in a folder with the one in another.
func sameRun(t *testing.T, s *store.Store, away, disk string) {
	t.Helper()
	entries, err := s.List(away)
	if err != nil || len(entries) != 1 {
		t.Fatal(entries, err)
	}
	want := filepath.Join(disk, entries[0].Name)
	f, err := shard.Open(s, store.Join(away, entries[0].Name))
	if err != nil {
		t.Fatal(err)
	}
	g, err := shard.Open(nil, want)
	if err != nil {
		t.Fatal(err)
	}
	if f.Run.State != shard.Done || f.Run.Totals != g.Run.Totals || len(f.Data) != len(g.Data) || len(f.Ledger) != len(g.Ledger) || len(f.Dropped) != len(g.Dropped) || len(f.Data) == 0 {
		t.Fatalf("%+v %v, want %+v %v", f.Run.Totals, f.Data, g.Run.Totals, g.Data)
	}
	for _, folder := range []string{"data", "ledger", "dropped"} {
		names, err := os.ReadDir(filepath.Join(want, folder))
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range names {
			a, err := s.ReadFile(store.Join(f.Dir, folder, n.Name()))
			b, err2 := os.ReadFile(filepath.Join(want, folder, n.Name()))
			if err != nil || err2 != nil || string(a) != string(b) {
				t.Errorf("%s/%s differs: %v %v", folder, n.Name(), err, err2)
			}
		}
	}
}
