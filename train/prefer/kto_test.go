package prefer

import (
	"context"
	"strings"
	"testing"

	"winnow/train/monitor"
	"winnow/train/tune"
	"winnow/train/tune/tunetest"
)

func TestKTOLearns(t *testing.T) {
	parent, file, pool := toyParent(t), toyJudged(t, 80), tunetest.Pool(t)
	for _, weight := range []float64{0, 1} {
		var s seen
		o := toyOptions(parent, t.TempDir(), pool, 40, 3e-3)
		o.Tell = s.tell
		r := must[*tune.Result](t)(KTO(context.Background(), o, KTOConfig{Rows: toyRows(file, 8), Beta: .3, Good: weight, Bad: weight}))
		if weight > 0 && s.first.Loss != .5 {
			t.Errorf("first loss %v, must be .5", s.first.Loss)
		}
		if s.first.Values[monitor.Baseline] != 0 || s.first.Values[monitor.Margin] != 0 {
			t.Errorf("first step: %v", s.first.Values)
		}
		if r.Eval[monitor.Accuracy] < .65 || !(r.Eval[monitor.Margin]/.3 > 2) {
			t.Errorf("held out: %v", r.Eval)
		}
	}
}

func TestKTOResumes(t *testing.T) {
	parent, file, pool := toyParent(t), toyJudged(t, 30), tunetest.Pool(t)
	tunetest.Resume(t, 4, func(ctx context.Context, out string, tell func(tune.Event)) error {
		o := toyOptions(parent, out, pool, 12, 1e-3)
		o.Tell = tell
		_, err := KTO(ctx, o, KTOConfig{Rows: toyRows(file, 5), Beta: .1, Drift: Drift{Prompts: 2, Tokens: 8}})
		return err
	})
}

func TestKTORefuses(t *testing.T) {
	parent, pool := toyParent(t), tunetest.Pool(t)
	file := toyJudged(t, 30)
	one := written(t, "one.jsonl", 8, func(i int) []any {
		return []any{map[string]any{"prompt": "say the same", "completion": better(i), "label": i%2 == 0}}
	})
	for want, c := range map[string]KTOConfig{
		"at least 2":  {Rows: toyRows(file, 1), Beta: .1},
		"beta":        {Rows: toyRows(file, 4)},
		"both given":  {Rows: toyRows(file, 4), Beta: .1, Good: 1},
		"two prompts": {Rows: Rows{Files: []string{one}, Cut: "prompt", Batch: 4}, Beta: .1},
	} {
		if _, err := KTO(context.Background(), toyOptions(parent, t.TempDir(), pool, 4, 1e-3), c); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
}

// Each prompt gets the answer of the next in its batch, over one to the same prompt; no batch is of one answer.
func TestRotate(t *testing.T) {
	list := make([]*judged, 7)
	for i := range list {
		ids := []int32{int32(i / 2), 50 + int32(i), 9}
		list[i] = &judged{answer: newAnswer(sequence(ids, 1), uint64(i/2))}
	}
	batches := must[[][]*judged](t)(rotate(list, 3, 8))
	if len(batches) != 2 || len(batches[0]) != 3 || len(batches[1]) != 4 {
		t.Fatalf("batches: %v", batches)
	}
	want := []int32{52, 52, 50, 54, 56, 56, 53} // answers behind prompts 0 0 1 | 1 2 2 3
	for i, j := range list {
		if j.other == nil || j.other.IDs[0] != j.IDs[0] || j.other.IDs[1] != want[i] || j.other.tokens != 2 {
			t.Errorf("answer %d: %+v", i, j.other)
		}
	}
}
