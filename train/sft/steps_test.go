package sft_test

import (
	"context"
	"math"
	"testing"

	"winnow/train/sft"
	"winnow/train/tune"
	"winnow/train/tune/tunetest"
)

// TestMicroBatches: a step over rows that differ has one loss and one gradient, however it is cut.
func TestMicroBatches(t *testing.T) {
	base := parent(t, "")
	var want tune.Metric
	for _, cut := range [][2]int{{4, 1}, {2, 2}, {1, 4}} {
		o := options(t, base, t.TempDir())
		o.Steps, o.Holdout, o.Batch, o.Accumulate = 1, 0, cut[0], cut[1]
		var got tune.Metric
		o.Tell = func(e tune.Event) {
			if e.Type == "step" {
				got = *e.Metric
			}
		}
		if _, err := sft.Run(context.Background(), o); err != nil {
			t.Fatal(err)
		}
		if cut[1] == 1 {
			want = got
			continue
		}
		if got.Tokens != want.Tokens || math.Abs(got.Loss-want.Loss) > 1e-6 || math.Abs(got.Norm-want.Norm) > 1e-6*want.Norm {
			t.Errorf("%d times %d rows: %d targets, loss %g, norm %g; as one batch %d, %g, %g", cut[1], cut[0], got.Tokens, got.Loss, got.Norm, want.Tokens, want.Loss, want.Norm)
		}
	}
}

// TestValidationDoesNotDisturb: what is validated and answered on the way, and how often, leaves the weights as they are.
func TestValidationDoesNotDisturb(t *testing.T) {
	base := parent(t, "")
	var hashes []string
	for _, c := range []struct{ every, samples int }{{12, 0}, {12, 3}, {6, 2}} {
		o := options(t, base, t.TempDir())
		o.Eval, o.Samples, o.Rate = c.every, c.samples, 1e-4 // slow enough for the last weights to be the best
		r, err := sft.Run(context.Background(), o)
		if err != nil {
			t.Fatal(err)
		}
		if r.Best != 12 {
			t.Fatalf("the best is of step %d: this compares the last", r.Best)
		}
		hashes = append(hashes, r.Hash)
	}
	if hashes[0] != hashes[1] || hashes[0] != hashes[2] {
		t.Errorf("weights %.12s", hashes)
	}
}

// TestEarlyStopResumes: a run that stops early stops at the same step, with the same best weights, after it was killed.
func TestEarlyStopResumes(t *testing.T) {
	base, pool := parent(t, ""), tunetest.Pool(t)
	stopped := 0
	tunetest.Resume(t, 3, func(ctx context.Context, out string, tell func(tune.Event)) error {
		o := options(t, base, out)
		o.Pool, o.Tell, o.Save, o.Steps, o.Eval, o.Patience, o.Rate, o.Warmup = pool, tell, 2, 200, 2, 2, 2e-2, 0
		r, err := sft.Run(ctx, o)
		if err == nil {
			if !r.Stopped || r.Best == 0 || r.Best >= r.Steps || r.Steps >= 200 {
				t.Errorf("stopped %v at step %d, best %d", r.Stopped, r.Steps, r.Best)
			}
			stopped++
		}
		return err
	})
	if stopped < 3 {
		t.Errorf("%d runs came to their end", stopped)
	}
}
