package policy_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"winnow/train/bpe"
	"winnow/train/chat"
	"winnow/train/checkpoint"
	"winnow/train/loss"
	"winnow/train/monitor"
	"winnow/train/policy"
	"winnow/train/prefer"
	"winnow/train/reward"
	"winnow/train/tune"
)

// TestRefuses: a reward model that reads with another tokenizer, prompts that leave no room, settings that mean nothing, a reward that is no
// number, another reward in a folder that has a run.
func TestRefuses(t *testing.T) {
	s := small(monitor.GRPO)
	tok, err := bpe.Train(slices.Values([]string{"other words than those", "and some more words"}), bpe.TrainOptions{Vocab: 300})
	if err != nil {
		t.Fatal(err)
	}
	foreign := &policy.RewardModel{Scorer: &prefer.Scorer{Info: &checkpoint.Info{Kind: checkpoint.KindReward}, Tokenizer: tok}, Folder: "reward"}
	var other *tune.ForeignError
	if _, err := run(context.Background(), options(t, s, 1, 1e-3), s, policy.Work{Prompts: prompts(60), Reward: foreign}); !errors.As(err, &other) {
		t.Errorf("a foreign reward model: %v", err)
	}
	long := prompts(10)
	for i := range 3 {
		long[i].Messages = []chat.Message{{Role: chat.User, Content: strings.Repeat("pick 1 ", 30)}}
	}
	var tooLong *policy.LongError
	if _, err := run(context.Background(), options(t, s, 1, 1e-3), s, policy.Work{Prompts: long, Reward: red}); !errors.As(err, &tooLong) || tooLong.Long != 3 {
		t.Errorf("long prompts: %v", err)
	}
	if _, err := run(context.Background(), options(t, s, 1, 1e-3), s, policy.Work{Reward: red}); err == nil {
		t.Error("no prompts are taken")
	}
	for name, change := range map[string]func(*policy.Settings){
		"one sample":          func(s *policy.Settings) { s.Samples = 1 },
		"no tokens":           func(s *policy.Settings) { s.MaxTokens = 0 },
		"too few answers":     func(s *policy.Settings) { s.Minibatches = 100 },
		"no such estimator":   func(s *policy.Settings) { s.Estimator = "k9" },
		"no such aggregation": func(s *policy.Settings) { s.Aggregation = "mean" },
		"no such method":      func(s *policy.Settings) { s.Method = "sft" },
		"a negative budget":   func(s *policy.Settings) { s.Budget = -1 },
		"lambda of 2":         func(s *policy.Settings) { s.Lambda = 2 },
	} {
		x := policy.Usual(monitor.GRPO)
		if change(&x); x.Check() == nil {
			t.Errorf("%s is taken", name)
		}
	}
	for _, m := range []monitor.Method{monitor.Reinforce, monitor.RLOO, monitor.GRPO, monitor.PPO} {
		if err := policy.Usual(m).Check(); err != nil {
			t.Errorf("%s: %v", m, err)
		}
	}
	none := reward.Func(func(a reward.Answer) float64 { var zero float64; return 1 / zero })
	if _, err := run(context.Background(), options(t, s, 1, 1e-3), s, policy.Work{Prompts: prompts(60), Reward: none}); err == nil || !strings.Contains(err.Error(), "+Inf") {
		t.Errorf("an infinite reward: %v", err)
	}
	o := options(t, s, 2, 1e-3)
	if _, err := run(context.Background(), o, s, policy.Work{Prompts: prompts(60), Reward: red}); err != nil {
		t.Fatal(err)
	}
	s.Reward, s.Advantage = "another", loss.DrGRPO
	if _, err := run(context.Background(), o, s, policy.Work{Prompts: prompts(60), Reward: red}); err == nil || !strings.Contains(err.Error(), "reward") || !strings.Contains(err.Error(), "advantage") {
		t.Errorf("another wish in the same folder: %v", err)
	}
}
