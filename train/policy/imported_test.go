package policy_test

import (
	"context"
	"fmt"
	"math"
	"path/filepath"
	"testing"
	"unicode"

	"winnow/train/checkpoint"
	"winnow/train/llm"
	"winnow/train/monitor"
	"winnow/train/policy"
	"winnow/train/reward"
	"winnow/train/tune"
	"winnow/train/tune/tunetest"
)

// TestImportedShapes: 20 updates of each method on models of others' shapes, whole or by adapters. Their answers are noise, of which the
// share of letters is rewarded.
func TestImportedShapes(t *testing.T) {
	letters := reward.Func(func(a reward.Answer) float64 {
		n := 0
		for _, r := range a.Text {
			if unicode.IsLetter(r) {
				n++
			}
		}
		return float64(n) / float64(max(len([]rune(a.Text)), 1))
	})
	pool := tunetest.Pool(t)
	for i, m := range []monitor.Method{monitor.Reinforce, monitor.RLOO, monitor.GRPO, monitor.PPO} {
		for k, shape := range []string{"smollm2", "qwen2", "headdim"} {
			t.Run(fmt.Sprint(m, " ", shape), func(t *testing.T) {
				s := small(m)
				s.Prompts, s.Samples, s.Held, s.MaxTokens, s.Passes, s.Minibatches = 4, 4, 4, 8, 1, 1
				o := options(t, s, 20, 1e-3)
				o.Parent, o.Template, o.Pool = filepath.Join("..", "checkpoint", "testdata", shape), "plain", pool
				if (i+k)%2 == 1 {
					o.LoRA = &llm.LoRA{Rank: 2, Alpha: 4}
				}
				moved := false
				o.Tell = func(e tune.Event) {
					if e.Type == "step" {
						moved = moved || e.Metric.Norm > 0 && e.Metric.Values[monitor.KL] != 0
						if e.Metric.Values[monitor.RatioGap] != 0 {
							t.Errorf("step %d: first ratio %g", e.Metric.Step, e.Metric.Values[monitor.RatioGap])
						}
					}
				}
				r, err := run(context.Background(), o, s, policy.Work{Prompts: prompts(20), Reward: letters})
				if err != nil {
					t.Fatal(err)
				}
				if r.Steps != 20 || math.IsNaN(r.Loss) || !moved {
					t.Errorf("%+v, moved %v", r, moved)
				}
				_, _, info, err := checkpoint.LoadModel(o.Out)
				if err != nil || info.Parents[0].Kind != checkpoint.KindImport {
					t.Errorf("lineage %+v, %v", info, err)
				}
			})
		}
	}
}
