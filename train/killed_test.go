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
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"winnow/shard"
	"winnow/train/journal"
	"winnow/train/llm"
)

// killedEnv makes this test binary the process that is killed: its value is out, run and threads, and "save" where it is to kill
// itself in the midst of a save.
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
	field := strings.Split(v, "\n")
	out := field[0]
	threads, err := strconv.Atoi(field[2])
	if err != nil {
		return err
	}
	folder, err := shard.Open(nil, field[1])
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
	if field[3] == "save" {
		go killInSave(out)
	}
	_, err = Base(context.Background(), o)
	return err
}

// killInSave waits for a state that is being written, and kills this process.
func killInSave(out string) {
	for old := attempts(out); ; {
		n := attempts(out)
		if n > old {
			syscall.Kill(os.Getpid(), syscall.SIGKILL)
		}
		old = n // what was left is removed by the next save
	}
}

// attempts counts the states that were begun and not yet given their name.
func attempts(out string) int {
	found, _ := filepath.Glob(filepath.Join(out, "checkpoints", ".attempt-*"))
	return len(found)
}

// TestKilledAndRunAgain trains 20 steps of 4 micro-batches with 1, 2 and 3 threads. Each is killed with SIGKILL ten times: three
// times while a state is written, and else at a random moment behind a random one of the next events. All end with the bytes of a
// run that was never disturbed.
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
		killed, saving, places := 0, 0, map[string]int{}
		for tries := 0; killed < 10; tries++ {
			if tries == 60 {
				t.Fatalf("only %d of %d processes could be killed, %d of them in a save", killed, tries, saving)
			}
			where := ""
			if saving < 3 && killed%3 == 1 || killed-saving == 7 {
				where = "save"
			}
			begun := attempts(out)
			place, done := startAndKill(t, fmt.Sprintf("%s\n%s\n%d\n%s", out, run.Dir, threads, where), rng)
			switch {
			case done: // begin anew
				must(t, os.RemoveAll(out))
			case attempts(out) > begun:
				killed++
				saving++
				places["begun save"]++
			case where == "": // else the save was over by then
				killed++
				places[place]++
			}
		}
		if saving < 3 {
			t.Errorf("%d threads: %d of ten kills in a save: %v", threads, saving, places)
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
	if strings.HasSuffix(value, "save") {
		left = 1 << 20 // it does so itself
	}
	lines := bufio.NewScanner(stdout)
	for left > 0 && lines.Scan() {
		last = lines.Text()
		left--
	}
	time.Sleep(time.Duration(rng.IntN(4000)) * time.Microsecond)
	cmd.Process.Kill()
	for lines.Scan() {
		last = lines.Text()
	}
	cmd.Wait()
	if strings.HasPrefix(last, "error") {
		t.Fatal(last)
	}
	return last, cmd.ProcessState.ExitCode() != -1
}
