package policy_test

import (
	"context"
	"testing"

	"winnow/train/checkpoint"
	"winnow/train/llm"
	"winnow/train/monitor"
	"winnow/train/policy"
	"winnow/train/tune"
)

// TestValueHeadBeginsWithZeros: in the first round a head that is given nothing foretells nothing of the returns, and one from chance
// something else.
func TestValueHeadBeginsWithZeros(t *testing.T) {
	model, _, _, err := checkpoint.LoadModel(parent)
	if err != nil {
		t.Fatal(err)
	}
	explained := func(head *llm.Head) float64 {
		t.Helper()
		s := small(monitor.PPO)
		o := options(t, s, 1, 2e-4)
		if _, err := policy.PPO(context.Background(), o, s, policy.Work{Prompts: prompts(60), Reward: red, Head: head}); err != nil {
			t.Fatal(err)
		}
		metrics, err := tune.ReadMetrics(o.Out)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range metrics {
			if v, ok := m.Values[monitor.Explained]; ok {
				return v
			}
		}
		t.Fatal("no explained variance was measured")
		return 0
	}
	if v := explained(nil); v != 0 {
		t.Errorf("explained variance %g", v)
	}
	if v := explained(llm.NewHead(model.Config, 1)); v == 0 {
		t.Error("a head from chance foretells nothing either: the test sees no difference")
	}
}
