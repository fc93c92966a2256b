package monitor

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// steps repeats a step's values.
func steps(n int, v Values) []Values { return slices.Repeat([]Values{v}, n) }

// then joins parts of a run.
func then(parts ...[]Values) []Values { return slices.Concat(parts...) }

var alarms = []struct {
	id     string
	method Method
	limits Limits
	run    []Values
	says   string // in the English text
}{
	{"loss_is_zero", GRPO, Limits{}, steps(1, Values{Loss: 1e-9, Norm: 2}), "is right"},
	{"all_groups_dead", GRPO, Limits{}, steps(1, Values{Dead: 1, Reward: .5, Entropy: 1}), "same reward (mean 0.5)"},
	{"many_groups_dead", RLOO, Limits{Group: 4}, steps(5, Values{Dead: .8}), "80% of groups"},
	{"never_ends", PPO, Limits{MaxTokens: 24}, steps(2, Values{Ended: 0}), "within 24 tokens"},
	{"length_runs_away", GRPO, Limits{}, then(steps(3, Values{Length: 10, Reward: .1, Ended: .9}), steps(3, Values{Length: 30, Reward: .4, Ended: .5})), "30 tokens, 10 at first"},
	{"length_collapses", GRPO, Limits{}, then(steps(3, Values{Length: 20}), steps(3, Values{Length: 4})), "shrink to 4"},
	{"entropy_collapses", PPO, Limits{}, then(steps(3, Values{Entropy: 2}), steps(3, Values{Entropy: .1})), "0.100 nats"},
	{"kl_budget", PPO, Limits{KLBudget: 10}, steps(1, Values{KL: 10.5}), "budget is 10.00"},
	{"kl_jumps", RLOO, Limits{}, then(steps(5, Values{KL: .5}), steps(1, Values{KL: 4})), "jumped to 4.00"},
	{"kl_negative", GRPO, Limits{}, steps(5, Values{KL: -.5}), "top-k"},
	{"k3_negative", GRPO, Limits{}, steps(1, Values{K3: -.01}), "cannot be"},
	{"first_ratio", PPO, Limits{}, steps(1, Values{RatioGap: 1e-6}), "old log-probabilities come from elsewhere"},
	{"much_is_clipped", PPO, Limits{}, steps(3, Values{ClipShare: .5}), "50% of tokens"},
	{"update_too_large", PPO, Limits{}, steps(1, Values{ApproxKL: .5}), "0.50 nats a token"},
	{"no_gradient", SFT, Limits{}, steps(3, Values{Norm: 0, Loss: 1}), "nothing is learnt"},
	{"gradient_jumps", SFT, Limits{}, then(steps(10, Values{Norm: 1}), steps(1, Values{Norm: 50})), "ten times"},
	{"reward_is_gamed", PPO, Limits{}, then(steps(3, Values{Reward: .1, True: .2}), steps(3, Values{Reward: .5, True: .6}), steps(3, Values{Reward: .9, True: .3})), "fell to 0.400 from 0.600"},
	{"values_explain_nothing", PPO, Limits{}, steps(25, Values{Explained: -.5}), "worse than a constant"},
	{"kl_cost_at_bound", PPO, Limits{}, then(steps(3, Values{KLCost: .05, KL: 1}), steps(3, Values{KLCost: .9, KL: 8})), "tenfold"},
	{"chosen_falls", DPO, Limits{}, then(steps(3, Values{Chosen: 0, Margin: .01}), steps(3, Values{Chosen: -1, Margin: 1})), "no error"},
	{"both_fall_far", DPO, Limits{}, then(steps(3, Values{ChosenLogP: -40}), steps(3, Values{ChosenLogP: -70})), "lost 30 nats"},
	{"starts_apart", DPO, Limits{}, steps(1, Values{Margin: .001}), "another model, template or truncation"},
	{"pairs_not_learnt", RewardFit, Limits{}, steps(25, Values{Accuracy: .4}), "swapped"},
	{"pairs_trivial", DPO, Limits{}, steps(10, Values{Accuracy: 1}), "known by heart"},
	{"rewards_drift", RewardFit, Limits{}, steps(3, Values{Chosen: 14, Rejected: 12}), "mean of 13.0"},
	{"baseline_is_zero", KTO, Limits{}, steps(12, Values{Baseline: 0}), "method's rule"},
	{"overfits", SFT, Limits{}, then(steps(4, Values{Loss: 2, HeldLoss: 2}), steps(4, Values{Loss: 1, HeldLoss: 2.5})), "by heart"},
}

// raise runs a watch over a run.
func raise(w *Watch, run []Values) (list []Alarm) {
	for i, v := range run {
		list = append(list, w.Look(i+1, v)...)
	}
	return list
}

func TestAlarmsNameTheCause(t *testing.T) {
	covered := map[string]bool{}
	for _, c := range alarms {
		t.Run(c.id, func(t *testing.T) {
			list := raise(New(c.method, c.limits), c.run)
			i := slices.IndexFunc(list, func(a Alarm) bool { return a.ID == c.id })
			if i < 0 {
				t.Fatalf("not raised; raised: %v", list)
			}
			a := list[i]
			if !strings.Contains(a.EN, c.says) || a.ZH == "" || strings.Contains(a.EN+a.ZH, "%!") || strings.Contains(a.ZH, "(EXTRA") {
				t.Errorf("it says %q, %q; want %q", a.EN, a.ZH, c.says)
			}
			if a.Level == Stop {
				return
			}
			for _, b := range list[i+1:] {
				if b.ID == c.id {
					t.Errorf("raised again at step %d after %d", b.Step, a.Step)
				}
			}
		})
		covered[c.id] = true
	}
	for _, r := range rules() {
		if !covered[r.id] {
			t.Errorf("alarm %s has no test", r.id)
		}
	}
}

// TestHealthyRunsAreQuiet: runs as they should be raise nothing that warns.
func TestHealthyRunsAreQuiet(t *testing.T) {
	for _, m := range []Method{Reinforce, RLOO, GRPO, PPO} {
		w := New(m, Limits{KLBudget: 10, MaxTokens: 64, Group: 8})
		for i := range 60 {
			x := float64(i) / 60
			for _, a := range w.Look(i+1, Values{Loss: .01 * x, Norm: 1 + x, KL: 4 * x, K3: 4.1 * x, Reward: .2 + .6*x, RewardSD: .3, True: .2 + .5*x, Length: 20 + 2*x,
				Ended: .95, Entropy: 1.5 - .8*x, Dead: .3, ClipShare: .05, ApproxKL: .01, RatioGap: 0, Explained: .4 * x, KLCost: .05}) {
				if a.Level != Note {
					t.Errorf("%s step %d: %s: %s", m, a.Step, a.ID, a.EN)
				}
			}
		}
	}
	for _, m := range []Method{SFT, RewardFit, DPO, KTO} {
		w := New(m, Limits{KLBudget: 10})
		for i := range 60 {
			x := float64(i) / 60
			for _, a := range w.Look(i+1, Values{Loss: .69 - .4*x, HeldLoss: .69 - .3*x, Norm: 1, KL: x, Chosen: .5 * x, Rejected: -.5 * x, Margin: x, Accuracy: .6 + .2*x, ChosenLogP: -40, Baseline: .1 * x}) {
				if a.Level != Note {
					t.Errorf("%s step %d: %s: %s", m, a.Step, a.ID, a.EN)
				}
			}
		}
	}
}

// TestGoesOnAsIfItNeverStopped: a watch that was stored and read again raises what an unbroken one does.
func TestGoesOnAsIfItNeverStopped(t *testing.T) {
	for _, c := range alarms {
		for cut := range len(c.run) {
			whole := raise(New(c.method, c.limits), c.run)
			w := New(c.method, c.limits)
			broken := raise(w, c.run[:cut])
			b, err := json.Marshal(w)
			if err != nil {
				t.Fatal(err)
			}
			read := new(Watch)
			if err := json.Unmarshal(b, read); err != nil {
				t.Fatal(err)
			}
			for i, v := range c.run[cut:] {
				broken = append(broken, read.Look(cut+i+1, v)...)
			}
			if !reflect.DeepEqual(whole, broken) {
				t.Fatalf("%s cut at %d: %v, want %v", c.id, cut, broken, whole)
			}
		}
	}
}

func TestLineAndMeasures(t *testing.T) {
	line := Line(Values{KL: 1.25, Ended: .875, Reward: .5, Length: 12, "unknown": 1})
	if line.EN != "reward 0.500  KL 1.250  length 12.0  ended 88%" || line.ZH != "奖励 0.500  KL 1.250  长度 12.0  自行结束 88%" {
		t.Errorf("line: %q, %q", line.EN, line.ZH)
	}
	if one := Line(Values{KL: 1, Reward: 2}, KL); one.EN != "KL 1.000" {
		t.Errorf("one measure: %q", one.EN)
	}
	seen := map[string]bool{}
	for _, m := range Measures() {
		if seen[m.ID] || m.Name.EN == "" || m.Name.ZH == "" || m.Healthy.EN == "" || m.Healthy.ZH == "" || m.Share == (m.Format != "") {
			t.Errorf("measure %+v", m)
		}
		seen[m.ID] = true
		if got, ok := Of(m.ID); !ok || got.ID != m.ID {
			t.Errorf("%s is not found", m.ID)
		}
	}
	if _, ok := Of("none"); ok {
		t.Error("a measure of no id")
	}
}
