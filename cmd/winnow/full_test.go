//go:build linux

package main

import (
	"errors"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"winnow/cmd/winnow/cli"
)

// TestDiskFull runs into the end of a small file system. The error says so; when there is room again, the same command gives
// the bytes of a run that had room all along.
func TestDiskFull(t *testing.T) {
	if testing.Short() {
		t.Skip("runs a recipe half a dozen times")
	}
	small := t.TempDir()
	if err := syscall.Mount("tmpfs", small, "tmpfs", 0, "size=1m"); err != nil {
		inOwnNamespace(t, err)
		return
	}
	defer syscall.Unmount(small, 0)
	recipe, whole, _ := undisturbed(t, everyPhase)
	failed := 0
	for _, size := range []string{"1m", "2m", "3m", "4m", "6m", "8m", "64m"} {
		if err := syscall.Mount("tmpfs", small, "tmpfs", syscall.MS_REMOUNT, "size="+size); err != nil {
			t.Fatal(err)
		}
		out, err := quietly(recipe, small).CombinedOutput()
		if err == nil {
			break
		}
		var ended *exec.ExitError
		if failed++; !strings.Contains(string(out), "the disk is full: free some space") || !errors.As(err, &ended) || ended.ExitCode() != cli.ExitFailed {
			t.Fatalf("with %s: %v: %s", size, err, out)
		}
	}
	if failed < 2 {
		t.Errorf("the disk was full only %d times", failed)
	}
	compareRuns(t, whole, small)
}

// inOwnNamespace runs the test once more where this user may mount file systems. A machine that allows neither cannot run it:
// where CI is set, that is a failure.
func inOwnNamespace(t *testing.T, denied error) {
	t.Helper()
	const inside = "WINNOW_TEST_OWN_NAMESPACE"
	cmd := exec.Command("/proc/self/exe", "-test.run=^TestDiskFull$", "-test.v")
	cmd.Env = append(os.Environ(), inside+"=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS,
		UidMappings: []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}},
	}
	out, err := []byte(nil), denied
	if os.Getenv(inside) == "" {
		out, err = cmd.CombinedOutput()
	}
	switch {
	case err == nil && !strings.Contains(string(out), "--- SKIP"):
	case cmd.Process != nil && strings.Contains(string(out), "--- FAIL"):
		t.Fatalf("in a namespace of its own: %s", out)
	case os.Getenv("CI") != "":
		t.Fatalf("no small file system to fill: %v; %v\n%s", denied, err, out)
	default:
		t.Skipf("NOT TESTED: a full disk. This user may not mount a small file system: %v; %v", denied, err)
	}
}
