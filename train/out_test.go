package train

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"winnow/train/checkpoint"
)

// TestBaseDiverges leaves the model of the last checkpoint, names the documents of the batch, and tells both.
func TestBaseDiverges(t *testing.T) {
	run, out := smallRun(t), t.TempDir()
	o := smallOptions(out, run, pool(t, 1))
	o.Rate, o.Warmup, o.Clip, o.Save = 1e38, 0, 0, 1
	_, err := Base(context.Background(), o)
	var d *DivergedError
	if !errors.As(err, &d) || d.Step < 2 || len(d.Documents) == 0 || !strings.HasPrefix(d.Documents[0], "doc-") {
		t.Fatalf("%v", err)
	}
	s, _, err := checkpoint.Latest(out, o.Pool.Kernel())
	must(t, err)
	if int(s.Step) != d.Step-1 || d.Saved != d.Step-1 {
		t.Errorf("diverged at step %d, the last checkpoint is of step %d, %d is told", d.Step, s.Step, d.Saved)
	}
	_, _, info, err := checkpoint.LoadModel(out)
	must(t, err)
	if info.Hash != s.Model || info.Steps != s.Step {
		t.Errorf("the model of step %d is not that of the checkpoint", info.Steps)
	}
}

func TestBaseDivergesBeforeItsFirstCheckpoint(t *testing.T) {
	out := t.TempDir()
	o := smallOptions(out, smallRun(t), pool(t, 1))
	o.Rate, o.Warmup, o.Clip, o.Save = 1e38, 0, 0, 20
	_, err := Base(context.Background(), o)
	var d *DivergedError
	if !errors.As(err, &d) || d.Saved != 0 {
		t.Fatalf("%v", err)
	}
	if _, _, _, err := checkpoint.LoadModel(out); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a model that diverged was left: %v", err)
	}
}

// TestBaseDivergesOnWhatIsHeldOut evaluates and samples behind each step, so that the first number that is none is not a loss of training.
func TestBaseDivergesOnWhatIsHeldOut(t *testing.T) {
	for _, holdout := range []float64{.1, 0} {
		o := smallOptions(t.TempDir(), smallRun(t), pool(t, 1))
		o.Rate, o.Warmup, o.Clip, o.Eval, o.Sample, o.Holdout = 1e38, 0, 0, 1, 1, holdout
		_, err := Base(context.Background(), o)
		var d *DivergedError
		if !errors.As(err, &d) || (d.Rows == 0) != (holdout > 0) {
			t.Errorf("holdout %g: %v", holdout, err)
		}
	}
}

// TestBaseIsAlone tries to train in a folder in which another does, and again when that has ended.
func TestBaseIsAlone(t *testing.T) {
	run, out, p := smallRun(t), t.TempDir(), pool(t, 1)
	o := smallOptions(out, run, p)
	second := smallOptions(out, run, p)
	second.Fresh = true
	tried := 0
	o.Tell = func(e Event) {
		if e.Type != "save" {
			return
		}
		tried++
		var busy *BusyError
		if _, err := Base(context.Background(), second); !errors.As(err, &busy) || busy.Out != out {
			t.Errorf("a second process: %v", err)
		}
		if _, err := Sweep(context.Background(), second, []int{1}, []float64{1e-3}, func(Arm) {}); !errors.As(err, &busy) {
			t.Errorf("a sweep: %v", err)
		}
	}
	first, err := Base(context.Background(), o)
	must(t, err)
	again, err := Base(context.Background(), smallOptions(out, run, p))
	must(t, err)
	if tried == 0 || first.Hash != again.Hash {
		t.Errorf("%d tries, weights %s and %s", tried, first.Hash, again.Hash)
	}
	var changed *ChangedError
	if _, err := Sweep(context.Background(), second, []int{1}, []float64{1e-3}, func(Arm) {}); !errors.As(err, &changed) {
		t.Errorf("a sweep in the folder of a model: %v", err)
	}
}

// TestOneAtATime lets many take and leave one folder: never are two in it, though who leaves removes it.
func TestOneAtATime(t *testing.T) {
	out := filepath.Join(t.TempDir(), "out")
	var inside, entered atomic.Int32
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 200 {
				lock, err := Occupy(out)
				var busy *BusyError
				if errors.As(err, &busy) {
					continue
				} else if err != nil {
					t.Error(err)
					return
				}
				if n := inside.Add(1); n != 1 {
					t.Errorf("%d at once", n)
				}
				entered.Add(1)
				runtime.Gosched()
				inside.Add(-1)
				if err := lock.Close(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	if entered.Load() < 8 {
		t.Errorf("%d came in", entered.Load())
	}
	alone := filepath.Join(t.TempDir(), "out")
	lock, err := Occupy(alone)
	must(t, err)
	must(t, lock.Close())
	if _, err := os.Stat(alone); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%s is left: %v", alone, err)
	}
	kept := t.TempDir() // which was there before
	lock, err = Occupy(kept)
	must(t, err)
	must(t, lock.Close())
	if list, err := os.ReadDir(kept); err != nil || len(list) != 0 {
		t.Errorf("%v, %v", list, err)
	}
}

// TestBaseLeavesOthersModelsAlone finds a model that it did not make.
func TestBaseLeavesOthersModelsAlone(t *testing.T) {
	out := t.TempDir()
	o := smallOptions(out, smallRun(t), pool(t, 1))
	o.Asked.Tokens = 1
	name := filepath.Join(out, "model.safetensors")
	must(t, os.WriteFile(name, []byte("precious"), 0o644))
	_, err := Base(context.Background(), o)
	var changed *ChangedError
	if !errors.As(err, &changed) || !strings.Contains(err.Error(), "did not make") {
		t.Fatalf("%v", err)
	}
	if b, err := os.ReadFile(name); err != nil || string(b) != "precious" {
		t.Errorf("%q %v", b, err)
	}
	if left, err := filepath.Glob(filepath.Join(out, "*")); err != nil || len(left) != 2 { // and the lock
		t.Errorf("%v is left", left)
	}
	o.Fresh = true
	_, err = Base(context.Background(), o)
	must(t, err)
}
