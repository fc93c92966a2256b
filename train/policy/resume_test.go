package policy_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"winnow/train/llm"
	"winnow/train/monitor"
	"winnow/train/policy"
	"winnow/train/reward"
	"winnow/train/tune"
	"winnow/train/tune/tunetest"
)

// TestResume: each method, killed or stopped at random events, and stopped within a round by its reward, leaves the bytes of a run that was not.
func TestResume(t *testing.T) {
	for _, m := range []monitor.Method{monitor.Reinforce, monitor.RLOO, monitor.GRPO, monitor.PPO} {
		t.Run(string(m), func(t *testing.T) {
			s := small(m)
			s.Prompts, s.Held = 4, 6
			if m == monitor.PPO {
				s.Passes, s.Minibatches, s.Target = 2, 2, 1
			}
			pool := tunetest.Pool(t)
			tunetest.Resume(t, 3, func(ctx context.Context, out string, tell func(tune.Event)) error {
				o := options(t, s, 6, 1e-3)
				o.Out, o.Pool, o.Tell, o.Save, o.Eval = out, pool, tell, 2, 2*s.Updates()
				_, err := run(ctx, o, s, policy.Work{Prompts: prompts(20), Reward: red, True: red})
				return err
			})
		})
	}
}

// waits is a reward that ends a context when it is asked for the nth time.
type waits struct {
	n    int
	stop func()
}

func (w *waits) Score(ctx context.Context, answers []reward.Answer) ([]float64, error) {
	if w.n--; w.n == 0 {
		w.stop()
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return red.Score(ctx, answers)
}

func TestStoppedWithinARound(t *testing.T) {
	s := small(monitor.GRPO)
	s.Held = 6
	o := options(t, s, 6, 1e-3)
	if _, err := run(context.Background(), o, s, policy.Work{Prompts: prompts(20), Reward: red}); err != nil {
		t.Fatal(err)
	}
	want := tunetest.Bytes(t, o.Out)
	o.Out = t.TempDir()
	for n := 2; n < 6; n++ {
		ctx, cancel := context.WithCancel(context.Background())
		_, err := run(ctx, o, s, policy.Work{Prompts: prompts(20), Reward: &waits{n, cancel}})
		cancel()
		if !errors.Is(err, context.Canceled) {
			t.Fatalf("stopped at the reward's call %d: %v", n, err)
		}
	}
	if _, err := run(context.Background(), o, s, policy.Work{Prompts: prompts(20), Reward: red}); err != nil {
		t.Fatal(err)
	}
	got := tunetest.Bytes(t, o.Out)
	for name := range want {
		if got[name] != want[name] {
			t.Errorf("other %s", name)
		}
	}
}

// TestAdapters: with low-rank adapters the reference is the model without them, at no cost in memory, and the reward rises too.
func TestAdapters(t *testing.T) {
	s := small(monitor.GRPO)
	o := options(t, s, 20, 3e-2)
	o.LoRA = &llm.LoRA{Rank: 4, Alpha: 8, Seed: 1}
	var first map[string]float64
	o.Tell = func(e tune.Event) {
		if e.Type == "eval" && first == nil {
			first = e.Eval
		}
	}
	r, err := run(context.Background(), o, s, policy.Work{Prompts: prompts(60), Reward: red})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("reward %.3f -> %.3f, KL %.2f", first["reward"], r.Eval["reward"], r.Eval["kl"])
	if first["kl"] != 0 || r.Eval["reward"] < first["reward"]+.1 || r.Eval["kl"] <= 0 || r.Eval["kl"] > 10 {
		t.Errorf("reward %.3f -> %.3f, KL %.2f", first["reward"], r.Eval["reward"], r.Eval["kl"])
	}
}

// TestBudget: a policy that would leave its reference stops, and the model that is left is within the budget.
func TestBudget(t *testing.T) {
	s := small(monitor.RLOO)
	s.Beta, s.Budget = 0, 1.5
	o := options(t, s, 200, 1e-3)
	o.Eval = 3
	var alarms []monitor.Alarm
	o.Tell = func(e tune.Event) {
		if e.Type == "alarm" {
			alarms = append(alarms, e.More.(monitor.Alarm))
		}
	}
	r, err := run(context.Background(), o, s, policy.Work{Prompts: prompts(60), Reward: red})
	if err != nil {
		t.Fatal(err)
	}
	last := alarms[len(alarms)-1]
	if !r.Stopped || r.Steps >= 200 || r.Eval["kl"] > s.Budget || r.Eval["reward"] < .2 || last.ID != "kl_budget" || last.Level != monitor.Stop {
		t.Errorf("%+v, alarms %v", r, alarms)
	}
	s.Budget = 1e-9
	o = options(t, s, 200, 2e-3)
	var over *policy.BudgetError
	if _, err := run(context.Background(), o, s, policy.Work{Prompts: prompts(60), Reward: red}); !errors.As(err, &over) {
		t.Errorf("a budget that the first update breaks: %v", err)
	}
}

// TestDeadGroups: a reward that does not depend on the answer teaches nothing, and the alarm says so.
func TestDeadGroups(t *testing.T) {
	s := small(monitor.GRPO)
	s.Missing = 0
	o := options(t, s, 2, 1e-3)
	var ids []string
	o.Tell = func(e tune.Event) {
		if e.Type == "alarm" {
			ids = append(ids, e.More.(monitor.Alarm).ID)
		}
	}
	begin := time.Now()
	if _, err := run(context.Background(), o, s, policy.Work{Prompts: prompts(60), Reward: reward.Func(func(reward.Answer) float64 { return .5 })}); err != nil {
		t.Fatal(err)
	}
	if len(ids) == 0 || ids[len(ids)-1] != "all_groups_dead" {
		t.Errorf("alarms %v after %s", ids, time.Since(begin))
	}
}
