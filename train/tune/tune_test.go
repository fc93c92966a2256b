package tune_test

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"winnow/train"
	"winnow/train/checkpoint"
	"winnow/train/llm"
	"winnow/train/tune"
	"winnow/train/tune/tunetest"
)

const length = 16

const words = "the sky above a small river is blue and green grass grows beside old stones where people walk slowly every morning before work begins again"

// toy is a method in small: it learns to count, keeps a state of its own, and updates twice in a turn.
func toy(ctx context.Context, o tune.Options, config any, scores []float64) (*tune.Result, error) {
	r, err := tune.Open(o, "toy", config)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	var state struct{ Turns int }
	head := llm.Param{Name: "toy.bias", Value: make([]float32, 3), Grad: make([]float32, 3)}
	if err := r.Begin(tune.Work{Epoch: 4, Extra: &state, Join: []llm.Param{head}}); err != nil {
		return nil, err
	}
	b := &llm.Batch{Rows: 1, Len: length, IDs: make([]int32, length), Targets: make([]int32, length), Pos: make([]int32, length)}
	for r.Next(ctx) {
		state.Turns++
		for range 2 {
			for i := range length {
				b.IDs[i], b.Targets[i], b.Pos[i] = int32(r.Row%100)+int32(i), int32(r.Row%100)+int32(i)+1, int32(i)
			}
			r.Row += 7
			nats, err := r.Trainer.Accumulate(b, 1./length)
			if err != nil {
				return nil, err
			}
			head.Grad[0] = float32(state.Turns)
			if _, err := r.Update(tune.Metric{Loss: nats / length, Tokens: length, Positions: length, Values: map[string]float64{"turn": float64(state.Turns)}}); err != nil {
				return nil, err
			}
		}
		if !r.Due() {
			continue
		}
		score := 100 - float64(r.Step)
		if scores != nil {
			score = scores[min(r.Step/4, len(scores))-1]
		}
		if err := errors.Join(r.Sample("count", "on"), r.Validated(map[string]float64{"loss": score})); err != nil {
			return nil, err
		}
	}
	return r.Finish()
}

func options(t testing.TB, parent, out string) tune.Options {
	o := tune.Options{Settings: tune.Defaults(), Out: out, Parent: parent, Pool: tunetest.Pool(t), Save: 3}
	o.Steps, o.Rate, o.Eval = 16, 1e-3, 4
	return o
}

func TestResume(t *testing.T) {
	parent := tunetest.Parent(t, length, "chatml", "one two three")
	pool := tunetest.Pool(t)
	for _, scores := range [][]float64{nil, {5, 3, 4, 6}} { // the best is the last one; the best is older than the last two checkpoints
		tunetest.Resume(t, 4, func(ctx context.Context, out string, tell func(tune.Event)) error {
			o := options(t, parent, out)
			o.Pool, o.Tell = pool, tell
			_, err := toy(ctx, o, struct{}{}, scores)
			return err
		})
	}
}

// TestBestIsKept compares the weights left with those that stood when the best was validated.
func TestBestIsKept(t *testing.T) {
	parent := tunetest.Parent(t, length, "chatml", "one two three")
	short := options(t, parent, t.TempDir())
	short.Shape, short.Warmup = "wsd", 0
	long := short
	long.Out, long.Patience = t.TempDir(), 2
	var told []bool
	long.Tell = func(e tune.Event) {
		if e.Type == "eval" {
			told = append(told, e.Best)
		}
	}
	short.Steps, long.Steps = 8, 40 // at a steady rate both do the same up to step 8
	a, err := toy(context.Background(), short, none, []float64{5, 3})
	if err != nil {
		t.Fatal(err)
	}
	b, err := toy(context.Background(), long, none, []float64{5, 3, 3, 9, 1})
	if err != nil {
		t.Fatal(err)
	}
	if b.Best != 8 || !b.Stopped || b.Steps != 16 || b.Eval["loss"] != 3 {
		t.Errorf("%+v", b)
	}
	if len(told) != 4 || !told[0] || !told[1] || told[2] || told[3] {
		t.Errorf("told as best: %v", told)
	}
	if a.Best != 8 || a.Hash != b.Hash {
		t.Errorf("%+v", a)
	}
	m, _, info, err := checkpoint.LoadModel(long.Out)
	if err != nil {
		t.Fatal(err)
	}
	if got := checkpoint.Hash(checkpoint.Weights(m)); got != b.Hash || info.Hash != b.Hash || info.Steps != 8 || info.Kind != "toy" || len(info.Parents) != 1 || info.Template == nil {
		t.Errorf("%s: %+v", got, info)
	}
}

var none = struct{}{}

func TestRefuses(t *testing.T) {
	bare := tunetest.Parent(t, length, "", words)
	o := options(t, bare, t.TempDir())
	var template *tune.TemplateError
	if _, err := toy(context.Background(), o, none, nil); !errors.As(err, &template) {
		t.Errorf("no template: %v", err)
	}
	o.Template = "plain"
	if _, err := toy(context.Background(), o, map[string]int{"beta": 1}, nil); err != nil {
		t.Fatal(err)
	}
	var changed *train.ChangedError
	_, err := toy(context.Background(), o, map[string]int{"beta": 2}, nil)
	if !errors.As(err, &changed) || len(changed.Fields) != 1 || !strings.HasPrefix(changed.Fields[0], "beta: 1") {
		t.Errorf("other config: %v", err)
	}
	again := o
	again.Seed = 1 << 60
	if _, err = toy(context.Background(), again, map[string]int{"beta": 1}, nil); !errors.As(err, &changed) || len(changed.Fields) != 1 {
		t.Errorf("other seed: %v", err)
	}
	again.Out = again.Parent
	if _, err = toy(context.Background(), again, none, nil); !errors.As(err, &changed) {
		t.Errorf("out is parent: %v", err)
	}
	onto := options(t, o.Out, t.TempDir())
	onto.Template = "chatml"
	if _, err := toy(context.Background(), onto, none, nil); err == nil || !strings.Contains(err.Error(), "plain") {
		t.Errorf("another template than the parent's: %v", err)
	}
	other := tunetest.Parent(t, length, "", strings.ToUpper(words))
	b, err := os.ReadFile(filepath.Join(other, "tokenizer.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(bare, "tokenizer.json"), b, 0o644); err != nil {
		t.Fatal(err)
	}
	onto = options(t, bare, t.TempDir())
	onto.Template = "plain"
	var foreign *tune.ForeignError
	if _, err := toy(context.Background(), onto, none, nil); !errors.As(err, &foreign) {
		t.Errorf("another's tokenizer: %v", err)
	}
}

// TestRefusedLeavesNothing: what is wrong is told before anything is written; a folder of something else is not written into.
func TestRefusedLeavesNothing(t *testing.T) {
	parent := tunetest.Parent(t, length, "plain", "one two three")
	out := filepath.Join(t.TempDir(), "out")
	o := options(t, parent, out)
	o.Score = "reward"
	if _, err := toy(context.Background(), o, none, nil); err == nil || !strings.Contains(err.Error(), "validates loss") {
		t.Errorf("a score that is not measured: %v", err)
	}
	o.Score = ""
	if _, err := toy(context.Background(), o, map[string]float64{"beta": math.NaN()}, nil); err == nil || !strings.Contains(err.Error(), "NaN") {
		t.Errorf("a setting that is no number: %v", err)
	}
	if _, err := os.Stat(out); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("something is left: %v", err)
	}
	for _, name := range []string{"run.json", "one/run.json", "config.json"} {
		o.Out = t.TempDir()
		file := filepath.Join(o.Out, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o777), os.WriteFile(file, nil, 0o666)); err != nil {
			t.Fatal(err)
		}
		var changed *train.ChangedError
		if _, err := toy(context.Background(), o, none, nil); !errors.As(err, &changed) {
			t.Errorf("a folder with %s: %v", name, err)
		}
	}
}

func TestDiverges(t *testing.T) {
	o := options(t, tunetest.Parent(t, length, "plain", "one two three"), t.TempDir())
	o.Rate, o.Warmup, o.Clip, o.Save = 1e38, 0, 0, 2
	_, err := toy(context.Background(), o, none, nil)
	var d *train.DivergedError
	if !errors.As(err, &d) || d.Saved != 0 || d.Step != 2 {
		t.Fatalf("%v", err)
	}
	o.Fresh, o.Rate, o.Clip = true, 1e-3, 1
	if _, err := toy(context.Background(), o, none, []float64{math.NaN()}); !errors.As(err, &d) || d.Saved != 2 {
		t.Errorf("a validation that is no number: %v", err)
	}
	if _, _, info, err := checkpoint.LoadModel(o.Out); err != nil || info.Steps != int64(d.Saved) {
		t.Errorf("%v %v", info, err)
	}
}

func TestPlanSaysAll(t *testing.T) {
	o := options(t, tunetest.Parent(t, length, "plain", "one two three"), t.TempDir())
	o.Steps, o.Epochs = 0, 2.5
	result, err := toy(context.Background(), o, none, nil)
	if err != nil || result.Steps != 10 {
		t.Fatalf("%+v %v", result, err)
	}
	b, err := os.ReadFile(filepath.Join(o.Out, "train.json"))
	if err != nil {
		t.Fatal(err)
	}
	var p tune.Plan
	if err := json.Unmarshal(b, &p); err != nil || p.Asked.Kind != "toy" || p.Schedule.Steps != 10 || p.Asked.Epochs != 2.5 || len(p.Asked.Parent) != 64 || len(p.Asked.Template) != 64 {
		t.Errorf("%+v %v", p, err)
	}
}
