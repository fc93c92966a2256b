//go:build linux

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestDiskFull runs into the end of a small file system. The error says so; when there is room again, the same command gives
// the bytes of a run that had room all along.
func TestDiskFull(t *testing.T) {
	small := t.TempDir()
	if err := syscall.Mount("tmpfs", small, "tmpfs", 0, "size=1m"); err != nil {
		t.Skipf("no small file system to fill, which takes the right to mount one: %v", err)
	}
	defer syscall.Unmount(small, 0)
	bin := filepath.Join(t.TempDir(), "winnow")
	if out, err := exec.Command("go", "build", "-o", bin, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	t.Chdir("../..")
	recipe := filepath.Join(t.TempDir(), "phases.yaml")
	if err := os.WriteFile(recipe, []byte(everyPhase), 0o644); err != nil {
		t.Fatal(err)
	}
	whole := t.TempDir()
	if out, err := exec.Command(bin, "run", "-q", "--runs", whole, recipe).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	failed := 0
	for _, size := range []string{"1m", "2m", "3m", "4m", "6m", "8m", "64m"} {
		if err := syscall.Mount("tmpfs", small, "tmpfs", syscall.MS_REMOUNT, "size="+size); err != nil {
			t.Fatal(err)
		}
		out, err := exec.Command(bin, "run", "-q", "--runs", small, recipe).CombinedOutput()
		if err == nil {
			break
		}
		if failed++; !strings.Contains(string(out), "the disk is full: free some space") {
			t.Fatalf("with %s: %s", size, out)
		}
	}
	if failed < 2 {
		t.Errorf("the disk was full only %d times", failed)
	}
	compareRuns(t, whole, small)
}
