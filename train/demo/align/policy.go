package align

import (
	"context"
	"fmt"

	"winnow/train/demo"
	"winnow/train/llm"
	"winnow/train/monitor"
	"winnow/train/policy"
	"winnow/train/reward"
	"winnow/train/tune"
)

// gradients is a method of policy gradients.
type gradients struct {
	arm    string
	method monitor.Method
	run    func(context.Context, tune.Options, policy.Settings, policy.Work) (*tune.Result, error)
	rounds int
	rate   float64
	set    func(s *policy.Settings) // what is not usual; may be nil
}

// grpo and ppo write answers and learn from their true score: a program is the reward, as a checker of sums or of code would be.
func grpo(ctx context.Context, l *Lab, seed uint64) ([]demo.Measure, error) {
	return l.climb(ctx, seed, gradients{arm: "GRPO", method: monitor.GRPO, run: policy.Free, rounds: 40, rate: 3e-4})
}

func ppo(ctx context.Context, l *Lab, seed uint64) ([]demo.Measure, error) {
	return l.climb(ctx, seed, gradients{arm: "PPO", method: monitor.PPO, run: policy.PPO, rounds: 40, rate: 1e-4})
}

// climb tunes a school's model by a method.
func (l *Lab) climb(ctx context.Context, seed uint64, g gradients) ([]demo.Measure, error) {
	s, err := l.school(ctx, seed)
	if err != nil {
		return nil, err
	}
	out, err := l.start(ctx, s)
	if err != nil {
		return nil, err
	}
	dir, err := l.gradient(ctx, s, g, seed)
	if err != nil {
		return nil, err
	}
	m, err := l.policy(ctx, g.arm, dir, s)
	return append(out, m...), err
}

// gradient runs a method on a school's tasks.
func (l *Lab) gradient(ctx context.Context, s *school, g gradients, seed uint64) (string, error) {
	dir, err := l.out("policy")
	if err != nil {
		return "", err
	}
	w := policy.Work{Reward: reward.Func(func(a reward.Answer) float64 { return s.train[a.Columns["task"].(int)].score(a.Text) })}
	if g.method == monitor.PPO { // a head of zeros expects nothing; one from chance would first have to be unlearnt
		w.Head = llm.NewHead(s.reference.Config, seed)
		for _, p := range w.Head.Params() {
			clear(p.Value)
		}
	}
	for i, t := range s.train {
		w.Prompts = append(w.Prompts, policy.Prompt{Name: fmt.Sprintf("task %d", i), Messages: asks(t), Columns: map[string]any{"task": i}})
	}
	set := policy.Usual(g.method)
	set.Reward, set.MaxTokens, set.Slots = "the true score of tasks", longest, 32
	if g.set != nil {
		g.set(&set)
	}
	o := l.settings(s.sft, dir, seed, l.steps(g.rounds)*set.Updates(), g.rate)
	o.Shape, o.Floor = "cosine", .1
	_, err = g.run(ctx, o, set, w)
	return dir, err
}
