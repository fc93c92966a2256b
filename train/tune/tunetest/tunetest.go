// Package tunetest tests that a method of fine-tuning goes on exactly. A function that runs the method flows in; test failures flow
// out where a run that was killed or stopped, and begun again with the same options, leaves other bytes than one that was not. A small
// parent for such tests is there too.
package tunetest

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"winnow/train/bpe"
	"winnow/train/chat"
	"winnow/train/checkpoint"
	"winnow/train/llm"
	"winnow/train/tune"
)

// Method runs a method with the same options each time, but for Out and Tell.
type Method func(ctx context.Context, out string, tell func(tune.Event)) error

// errKilled is what a run that is to be killed panics with.
var errKilled = errors.New("killed")

// Resume runs a method to its end, then again in other folders: killed behind random events as often as kills says, and stopped by its
// context in the same way. What lies in Out must be the same bytes. Options.Save should be small, such as 2, and there should be at least
// one validation.
func Resume(t *testing.T, kills int, run Method) {
	t.Helper()
	straight, events := t.TempDir(), 0
	var step int
	if err := run(context.Background(), straight, func(e tune.Event) {
		events++
		if e.Type == "step" {
			step = e.Metric.Step
		}
	}); err != nil {
		t.Fatal(err)
	}
	if step < 4 {
		t.Fatalf("a run of %d steps tells nothing about going on", step)
	}
	want := Bytes(t, straight)
	rng := rand.New(rand.NewPCG(3, 5))
	for _, how := range []string{"killed", "stopped"} {
		out := t.TempDir()
		var at []int
		for range kills {
			n := 1 + rng.IntN(max(events*2/3, 2))
			at = append(at, n)
			if err := interrupted(run, out, how, n); err != nil && !errors.Is(err, errKilled) && !errors.Is(err, context.Canceled) {
				t.Fatalf("%s behind %d events: %v", how, at, err)
			}
		}
		if err := run(context.Background(), out, nil); err != nil {
			t.Fatalf("%s behind %d events, then begun again: %v", how, at, err)
		}
		compare(t, fmt.Sprintf("%s behind %v events", how, at), want, Bytes(t, out))
	}
}

// interrupted runs a method until it has told n events.
func interrupted(run Method, out, how string, n int) (err error) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	if how == "killed" {
		defer func() {
			if v := recover(); v == errKilled {
				err = errKilled
			} else if v != nil {
				panic(v)
			}
		}()
	}
	return run(ctx, out, func(tune.Event) {
		if n--; n > 0 {
			return
		}
		if how == "killed" {
			panic(errKilled)
		}
		cancel()
	})
}

// Bytes are the files of a folder that must not depend on how a run went: all but checkpoints, locks and TensorBoard's, which has times.
func Bytes(t testing.TB, out string) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(out, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(out, path)
		if err != nil {
			return err
		}
		if d.IsDir() {
			if name == "checkpoints" || name == "best" {
				return filepath.SkipDir
			}
			return nil
		}
		if strings.HasPrefix(name, ".") || strings.Contains(name, "tfevents") {
			return nil
		}
		b, err := os.ReadFile(path)
		all[filepath.ToSlash(name)] = string(b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func compare(t testing.TB, what string, want, got map[string]string) {
	t.Helper()
	for name := range want {
		if want[name] != got[name] {
			t.Errorf("%s: other %s (%d bytes, want %d)", what, name, len(got[name]), len(want[name]))
		}
	}
	for name := range got {
		if _, ok := want[name]; !ok {
			t.Errorf("%s: %s is left over", what, name)
		}
	}
}

// Pool is one thread.
func Pool(t testing.TB) *llm.Pool {
	t.Helper()
	p, err := llm.NewPool(1, "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p
}

// Parent writes a small model folder with random weights, whose tokenizer knows the words of texts. With a template's name it is stamped
// with that template.
func Parent(t testing.TB, context int, template string, texts ...string) string {
	t.Helper()
	dir := t.TempDir()
	tok, err := bpe.Train(slices.Values(append(texts, texts...)), bpe.TrainOptions{Vocab: 340})
	if err != nil {
		t.Fatal(err)
	}
	m, err := llm.New(llm.Config{Vocab: tok.Size(), Context: context, Dim: 32, FFN: 64, Layers: 2, Heads: 2, KVHeads: 2, HeadDim: 16, NormEps: 1e-5,
		RopeTheta: 10000}, 5)
	if err != nil {
		t.Fatal(err)
	}
	info := &checkpoint.Info{Kind: checkpoint.KindBase, Seed: 5}
	if template != "" {
		w, err := chat.New(template, tok)
		if err != nil {
			t.Fatal(err)
		}
		w.Stamp(info)
	}
	if err := checkpoint.SaveModel(dir, m, tok, info); err != nil {
		t.Fatal(err)
	}
	return dir
}
