//go:build unix

package train

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"winnow/shard"
	"winnow/train/journal"
	"winnow/train/llm"
)

// killedEnv makes this test binary the process that is killed: its value is out, run and threads.
const killedEnv = "WINNOW_TEST_KILLED"

func TestMain(m *testing.M) {
	if v := os.Getenv(killedEnv); v != "" {
		if err := trainToBeKilled(v); err != nil {
			fmt.Println("error", err)
			os.Exit(1)
		}
		fmt.Println("done")
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func trainToBeKilled(v string) error {
	var threads int
	out, rest, _ := strings.Cut(v, "\n")
	run, n, _ := strings.Cut(rest, "\n")
	if _, err := fmt.Sscan(n, &threads); err != nil {
		return err
	}
	folder, err := shard.Open(run)
	if err != nil {
		return err
	}
	p, err := llm.NewPool(threads, "")
	if err != nil {
		return err
	}
	o := smallOptions(out, folder, p)
	o.Save = 2
	o.Tell = func(e Event) { fmt.Println(e.Type) }
	_, err = Base(context.Background(), o)
	return err
}

// TestKilledAndRunAgain trains 20 steps of 4 micro-batches with 1, 2 and 3 threads. Each is killed with SIGKILL ten times, at a
// random moment behind a random one of the next events: in steps, in evaluations, between and in saves. All end with the bytes of
// a run that was never disturbed.
func TestKilledAndRunAgain(t *testing.T) {
	if testing.Short() {
		t.Skip("starts itself forty times")
	}
	run, straight := smallRun(t), t.TempDir()
	_, err := Base(context.Background(), smallOptions(straight, run, pool(t, 1)))
	must(t, err)
	want := bytesOf(t, straight)
	rng := rand.New(rand.NewPCG(7, 7))
	for threads := 1; threads <= 3; threads++ {
		out := filepath.Join(t.TempDir(), "model")
		killed, places := 0, map[string]int{}
		for tries := 0; killed < 10; tries++ {
			if tries == 60 {
				t.Fatalf("only %d of %d processes could be killed", killed, tries)
			}
			place, done := startAndKill(t, fmt.Sprintf("%s\n%s\n%d", out, run.Dir, threads), rng)
			if !done {
				killed++
				places[place]++
			} else { // it was done before: begin anew
				must(t, os.RemoveAll(out))
			}
		}
		_, err := Base(context.Background(), smallOptions(out, run, pool(t, threads)))
		must(t, err)
		same(t, fmt.Sprintf("killed with %d threads behind %v", threads, places), want, bytesOf(t, out))
		steps, err := journal.Steps(filepath.Join(out, eventsName))
		must(t, err)
		seen := map[int]int{}
		for _, s := range steps {
			seen[s]++
		}
		for s := 1; s <= 20; s++ {
			if n := 1 + bool2int(s%5 == 0); seen[s] != n {
				t.Errorf("step %d stands %d times in the event file, want %d", s, seen[s], n)
			}
		}
	}
}

func bool2int(b bool) int {
	if b {
		return 1
	}
	return 0
}

// startAndKill starts a process and kills it; it tells the last event before that, and whether the process was done sooner.
func startAndKill(t *testing.T, value string, rng *rand.Rand) (last string, done bool) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), killedEnv+"="+value)
	stdout, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	left := 1 + rng.IntN(12)
	lines := bufio.NewScanner(stdout)
	for left > 0 && lines.Scan() {
		last = lines.Text()
		left--
	}
	time.Sleep(time.Duration(rng.IntN(4000)) * time.Microsecond)
	must(t, cmd.Process.Kill())
	for lines.Scan() {
		last = lines.Text()
	}
	cmd.Wait()
	if strings.HasPrefix(last, "error") {
		t.Fatal(last)
	}
	return last, cmd.ProcessState.ExitCode() != -1
}
