//go:build unix

package bench

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"winnow/bench/meter"
)

// memoryLimit is what a run over 1 GB of WARC may have resident at most.
const memoryLimit = 600_000_000

// TestMemory runs a recipe over 1 GB of WARC, which bench/pack makes of the sample crawl repeated. It takes minutes, and
// runs only where WINNOW_MEMORY_TEST names recipes: WINNOW_MEMORY_TEST=quickstart,fineweb go test ./bench -run Memory -v
func TestMemory(t *testing.T) {
	recipes := os.Getenv("WINNOW_MEMORY_TEST")
	if recipes == "" {
		t.Skip("WINNOW_MEMORY_TEST is not set")
	}
	dir := t.TempDir()
	program := filepath.Join(dir, "winnow")
	command(t, "go", "build", "-o", program, "./cmd/winnow")
	command(t, "go", "run", "./bench/pack", "-repeat", "700", "-out", dir, "samples/crawl.warc.gz")
	for recipe := range strings.SplitSeq(recipes, ",") {
		t.Run(recipe, func(t *testing.T) {
			done := command(t, program, "run", recipe, "--input", filepath.Join(dir, "*.warc.gz"), "--runs", t.TempDir(), "--quiet", "--lang", "en")
			u := done.SysUsage().(*syscall.Rusage)
			t.Logf("peak memory %d MB, processor time %s", meter.Resident(u)/1e6, done.UserTime()+done.SystemTime())
			if got := meter.Resident(u); got > memoryLimit {
				t.Errorf("peak memory %d bytes, want at most %d", got, memoryLimit)
			}
		})
	}
}

// command runs a program in the root of the module. An expectation of the recipe that is not met (4) is no failure here: it
// was written for the sample crawl as it is.
func command(t *testing.T, name string, args ...string) *os.ProcessState {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Dir = ".."
	out, err := cmd.CombinedOutput()
	t.Logf("%s %s\n%s", filepath.Base(name), strings.Join(args, " "), out)
	if err != nil && cmd.ProcessState.ExitCode() != 4 {
		t.Fatal(err)
	}
	return cmd.ProcessState
}
