package align

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"

	"winnow/train/chat"
	"winnow/train/demo"
	"winnow/train/judge"
)

// pointed are questions about single answers, with the points that the true score would give them, 0 to 5.
func pointed(ctx context.Context, list []task, texts []string) (out []*chat.Conversation, err error) {
	v := &verdicts{}
	j := &judge.Judge{Client: v, Model: "verdicts", Parallel: 1}
	for i, t := range list {
		v.label = strconv.Itoa(int(math.Round(5 * t.score(texts[i]))))
		v.asked = v.asked[:0]
		if _, err := j.Score(ctx, judge.Points, asks(t), texts[i]); err != nil {
			return nil, err
		}
		c := v.asked[0]
		c.File, c.Row = "points", int64(i)
		out = append(out, c)
	}
	return out, nil
}

// rounds is how often a model learns from its own judgement.
const rounds = 2

// selfRewarding fine-tunes a model to answer and to judge, and lets it learn from its own judgement of its own answers. Each round is
// audited by the true score, which it never sees; beside it stands a round by true labels.
func selfRewarding(ctx context.Context, l *Lab, seed uint64) ([]demo.Measure, error) {
	random := rand.New(rand.NewPCG(seed, 46))
	s, err := l.schoolWith(ctx, seed, func(s *school) ([]*chat.Conversation, error) {
		list := tasks(random, s.learn, l.steps(1600))
		return pointed(ctx, list, mixed(random, list, s.learn, flawed))
	})
	if err != nil {
		return nil, err
	}
	out, err := l.start(ctx, s)
	if err != nil {
		return nil, err
	}
	parent := s.sft
	for round := range rounds {
		arm := fmt.Sprintf("round %d", round+1)
		m, err := l.load(parent)
		if err != nil {
			return nil, err
		}
		texts, err := l.sampled(ctx, m, s.train, 4, seed+uint64(10*round))
		if err != nil {
			return nil, err
		}
		if round == 0 {
			dir, err := l.preferring(ctx, parent, extremes(s.train, texts, task.score), seed)
			if err != nil {
				return nil, err
			}
			m, err := l.policy(ctx, "by true labels", dir, s)
			if err != nil {
				return nil, err
			}
			out = append(out, m...)
		}
		pairs, agreed, err := l.selfPairs(ctx, parent, s.train, texts)
		if err != nil {
			return nil, err
		}
		if parent, err = l.preferring(ctx, parent, pairs, seed); err != nil {
			return nil, err
		}
		measures, err := l.policy(ctx, arm, parent, s)
		if err != nil {
			return nil, err
		}
		out = append(append(out, measures...), agreed.named(arm))
	}
	return out, nil
}

// agreement is how often two ways to judge prefer the same answer.
type agreement struct{ same, of int }

func (a agreement) named(arm string) demo.Measure {
	return share(arm, "pairs of which the truth says the same, %", float64(a.same), a.of)
}

// selfPairs are the best and the worst answer to each task by a model's own points.
func (l *Lab) selfPairs(ctx context.Context, dir string, list []task, texts [][]string) (pairs []choice, a agreement, err error) {
	j, err := l.judgeOf(dir)
	if err != nil {
		return nil, a, err
	}
	var prompts [][]chat.Message
	var answers []string
	for i, t := range list {
		for _, text := range texts[i] {
			prompts, answers = append(prompts, asks(t)), append(answers, text)
		}
	}
	scores, err := j.Scores(ctx, judge.Points, prompts, answers)
	if err != nil {
		return nil, a, err
	}
	at := map[string]float64{}
	for i := range answers {
		at[prompts[i][0].Content+"\x00"+answers[i]] = scores[i].Value
	}
	pairs = extremes(list, texts, func(t task, text string) float64 { return at[t.question()+"\x00"+text] })
	for _, c := range pairs {
		if good, bad := c.score(c.chosen()), c.score(c.rejected()); good != bad {
			a.of++
			if good > bad {
				a.same++
			}
		}
	}
	return pairs, a, nil
}
