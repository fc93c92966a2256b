package align

import (
	"context"
	"fmt"
	"math/rand/v2"
	"unicode/utf8"

	"winnow/train/chat"
	"winnow/train/demo"
	"winnow/train/loss"
	"winnow/train/monitor"
	"winnow/train/policy"
	"winnow/train/prefer"
	"winnow/train/reward"
	"winnow/train/tune"
)

// pairRows says how files of feedback are read; nothing is held out of them: what is tested are other people.
func pairRows(batch int, files ...string) prefer.Rows {
	return prefer.Rows{Files: files, Len: positions, Cut: chat.CutAnswer, Dropped: .1, Batch: batch}
}

// preferring runs DPO on choices.
func (l *Lab) preferring(ctx context.Context, parent string, list []choice, seed uint64) (string, error) {
	file, err := l.preferences(list)
	if err != nil {
		return "", err
	}
	out, err := l.out("dpo")
	if err != nil {
		return "", err
	}
	c := prefer.DPOConfig{Rows: pairRows(8, file), Loss: "sigmoid", PairOptions: loss.PairOptions{Beta: .5}}
	_, err = prefer.DPO(ctx, l.settings(parent, out, seed, l.steps(100), 1e-4), c)
	return out, err
}

// dpo learns from pairs of the school's own answers, labelled by the true score, and by labels of which a fifth is wrong.
func dpo(ctx context.Context, l *Lab, seed uint64) ([]demo.Measure, error) {
	s, err := l.school(ctx, seed)
	if err != nil {
		return nil, err
	}
	out, err := l.start(ctx, s)
	if err != nil {
		return nil, err
	}
	pairs, err := l.pairs(ctx, s, seed)
	if err != nil {
		return nil, err
	}
	random := rand.New(rand.NewPCG(seed, 42))
	for _, arm := range []struct {
		name  string
		pairs []choice
	}{{"DPO", pairs}, {"DPO, a fifth of the labels wrong", flipped(random, pairs, .2)}} {
		dir, err := l.preferring(ctx, s.sft, arm.pairs, seed)
		if err != nil {
			return nil, err
		}
		m, err := l.policy(ctx, arm.name, dir, s)
		if err != nil {
			return nil, err
		}
		out = append(out, m...)
	}
	return out, nil
}

// pairs are the best and the worst of four answers to each task of a school, by the true score.
func (l *Lab) pairs(ctx context.Context, s *school, seed uint64) ([]choice, error) {
	texts, err := l.sampled(ctx, s.reference, s.train, 4, seed)
	return extremes(s.train, texts, task.score), err
}

// kto learns from thumbs: single answers that were called good or bad, one in ten the wrong way round, with three good ones to each bad
// one; beside it the same by fine-tuning on the good ones alone.
func kto(ctx context.Context, l *Lab, seed uint64) ([]demo.Measure, error) {
	s, err := l.school(ctx, seed)
	if err != nil {
		return nil, err
	}
	out, err := l.start(ctx, s)
	if err != nil {
		return nil, err
	}
	list, err := l.thumbsOf(ctx, s, seed)
	if err != nil {
		return nil, err
	}
	file, err := l.thumbs(list)
	if err != nil {
		return nil, err
	}
	var good []*chat.Conversation
	for i, t := range list {
		if t.good {
			good = append(good, talk(i, t.question(), t.text))
		}
	}
	for _, arm := range []string{"KTO, weights by the rule", "KTO, weights 1 and 1", "fine-tuning on the good ones"} {
		var dir string
		if arm == "fine-tuning on the good ones" {
			t, err := l.tune(ctx, lesson{parent: s.sft, learn: good, steps: l.steps(100), rate: 2e-4, seed: seed})
			if err != nil {
				return nil, err
			}
			dir = t.dir
		} else {
			if dir, err = l.out("kto"); err != nil {
				return nil, err
			}
			c := prefer.KTOConfig{Rows: pairRows(16, file), Beta: .5}
			if arm == "KTO, weights 1 and 1" {
				c.Good, c.Bad = 1, 1
			}
			if _, err := prefer.KTO(ctx, l.settings(s.sft, dir, seed, l.steps(100), 1e-4), c); err != nil {
				return nil, err
			}
		}
		m, err := l.policy(ctx, arm, dir, s)
		if err != nil {
			return nil, err
		}
		out = append(out, m...)
	}
	return out, nil
}

// thumbsOf are answers of the school's model, good where the true score is that of an answer without a flaw. Labels are wrong for one in
// ten, and there are three good answers to each bad one at most.
func (l *Lab) thumbsOf(ctx context.Context, s *school, seed uint64) (out []thumb, err error) {
	texts, err := l.sampled(ctx, s.reference, s.train, 3, seed)
	if err != nil {
		return nil, err
	}
	random := rand.New(rand.NewPCG(seed, 43))
	var good, bad []thumb
	for i, t := range s.train {
		for _, text := range texts[i] {
			x := thumb{t, text, t.score(text) > .99}
			if text == "" {
				continue
			}
			if random.Float64() < .1 {
				x.good = !x.good
			}
			if x.good {
				good = append(good, x)
			} else {
				bad = append(bad, x)
			}
		}
	}
	bad = bad[:min(len(bad), max(len(good)/3, 1))]
	out = append(good, bad...)
	random.Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
	return out, nil
}

// rewarding fits reward models and tests them on pairs about people whom they have not learnt from.
func rewarding(ctx context.Context, l *Lab, seed uint64) (out []demo.Measure, err error) {
	c := l.course(seed)
	random := rand.New(rand.NewPCG(seed, 44))
	fresh, err := l.random(seed)
	if err != nil {
		return nil, err
	}
	base, err := l.base(ctx, l.main())
	if err != nil {
		return nil, err
	}
	sft, err := l.tune(ctx, lesson{parent: base, learn: lessons(random, c.learn, l.steps(1200)), steps: l.steps(240), seed: seed})
	if err != nil {
		return nil, err
	}
	learn := choices(random, tasks(random, c.learn, l.steps(2400)), c.learn)
	test := choices(random, tasks(random, c.test, l.steps(320)), c.test)
	for _, arm := range []struct {
		name, parent string
		wrong        float64
	}{{"from SFT", sft.dir, 0}, {"from SFT, a tenth of the labels wrong", sft.dir, .1}, {"from SFT, a fifth of the labels wrong", sft.dir, .2}, {"from random parameters", fresh, 0}} {
		file, err := l.preferences(flipped(random, learn, arm.wrong))
		if err != nil {
			return nil, err
		}
		dir, err := l.out("reward")
		if err != nil {
			return nil, err
		}
		if _, err := prefer.Reward(ctx, l.settings(arm.parent, dir, seed, l.steps(400), 5e-4), prefer.RewardConfig{Rows: pairRows(16, file), Centring: .01}); err != nil {
			return nil, err
		}
		m, err := l.accuracy(ctx, arm.name, dir, test)
		if err != nil {
			return nil, err
		}
		out = append(out, m...)
	}
	return out, nil
}

// accuracy tests a reward model on pairs: on all, and on those whose answers have about as many characters.
func (l *Lab) accuracy(_ context.Context, arm, dir string, test []choice) ([]demo.Measure, error) {
	s, err := prefer.OpenScorer(dir, l.Pool)
	if err != nil {
		return nil, err
	}
	var talks []*chat.Conversation
	for i, c := range test {
		talks = append(talks, talk(2*i, c.question(), c.chosen()), talk(2*i+1, c.question(), c.rejected()))
	}
	rewards, err := s.Score(talks)
	if err != nil {
		return nil, err
	}
	var right, alike, rightAlike float64
	for i, c := range test {
		long, short := utf8.RuneCountInString(c.chosen()), utf8.RuneCountInString(c.rejected())
		near := 10*max(long, short) <= 12*min(long, short)
		if near {
			alike++
		}
		if rewards[2*i] > rewards[2*i+1] {
			right++
			if near {
				rightAlike++
			}
		}
	}
	return []demo.Measure{share(arm, "held-out pairs right, %", right, len(test)), share(arm, "of those of like length, %", rightAlike, int(alike))}, nil
}

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
	return l.climb(ctx, seed, gradients{arm: "PPO", method: monitor.PPO, run: policy.PPO, rounds: 60, rate: 3e-4, set: func(s *policy.Settings) {
		s.Passes, s.Minibatches, s.Lambda, s.ValueCost, s.ValueClip, s.Beta = 2, 2, 1, .5, 10, .02
	}})
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
	for i, t := range s.train {
		w.Prompts = append(w.Prompts, policy.Prompt{Name: fmt.Sprintf("task %d", i), Messages: asks(t), Columns: map[string]any{"task": i}})
	}
	set := policy.Usual(g.method)
	set.Reward, set.MaxTokens, set.Slots = "the true score of tasks", longest, 32
	if g.set != nil {
		g.set(&set)
	}
	_, err = g.run(ctx, l.settings(s.sft, dir, seed, l.steps(g.rounds)*set.Updates(), g.rate), set, w)
	return dir, err
}
