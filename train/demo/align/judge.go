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
	"winnow/train/sft"
)

// verdicts writes down what a judge is asked, and answers with the label that is right: so a judge learns from exactly the questions that
// it will get.
type verdicts struct {
	label string
	asked []*chat.Conversation
}

// Ask is judge.Client's.
func (v *verdicts) Ask(_ context.Context, q judge.Question) (judge.Reply, error) {
	c := &chat.Conversation{Place: chat.Place{File: "verdicts", Row: int64(len(v.asked))}}
	c.Messages = append(append(c.Messages, q.Messages...), chat.Message{Role: chat.Assistant, Content: v.label})
	v.asked = append(v.asked, c)
	return judge.Reply{Text: v.label}, nil
}

// comparisons are questions about pairs of answers with the right verdicts, each pair in one order, as the pair has it.
func comparisons(ctx context.Context, list []choice) ([]*chat.Conversation, error) {
	v := &verdicts{}
	j := &judge.Judge{Client: v, Model: "verdicts", Parallel: 1}
	var out []*chat.Conversation
	for _, c := range list {
		v.label = []string{"1", "2"}[c.better]
		v.asked = v.asked[:0]
		if _, err := j.Compare(ctx, asks(c.task), c.answers[0], c.answers[1]); err != nil {
			return nil, err
		}
		first := v.asked[0] // the second has the answers in the other order
		first.Row = int64(len(out))
		out = append(out, first)
	}
	return out, nil
}

// long makes rows that hold the questions of judges.
func long(c *sft.Config) { c.Len, c.Batch = judged, judgeRows }

// asks is a task as a conversation.
func asks(t task) []chat.Message { return []chat.Message{{Role: chat.User, Content: t.question()}} }

// judgeOf is a judge that asks a model folder, by the likelihood of what it would say next.
func (l *Lab) judgeOf(dir string) (*judge.Judge, error) {
	m, err := l.load(dir)
	if err != nil {
		return nil, err
	}
	local, err := judge.NewLocal(m, l.tok, l.template, l.Pool)
	return &judge.Judge{Client: local, Model: "judge", Parallel: 1}, err
}

// trainJudge fine-tunes a model on questions of judges.
func (l *Lab) trainJudge(ctx context.Context, learn []*chat.Conversation, steps int, seed uint64) (*judge.Judge, error) {
	dir, err := l.base(ctx, l.main())
	if err != nil {
		return nil, err
	}
	t, err := l.tune(ctx, lesson{parent: dir, learn: learn, steps: steps, seed: seed, more: long})
	if err != nil {
		return nil, err
	}
	return l.judgeOf(t.dir)
}

// judgeSteps are those of a model that learns to judge, of judgeRows rows each.
const (
	judgeSteps = 500
	judgeRows  = 8
)

// points are questions about single answers to tasks about people.
func (l *Lab) points(ctx context.Context, random *rand.Rand, people []demo.Person) ([]*chat.Conversation, error) {
	list := tasks(random, people, l.steps(12000))
	return pointed(ctx, list, mixed(random, list, people, flawed))
}

// judging lets a model that has learnt to judge label pairs for DPO, in place of the true labels. It tests two kinds of judges about people
// whom they have not learnt of: by points for single answers, and by verdicts on pairs in both orders.
func judging(ctx context.Context, l *Lab, seed uint64) ([]demo.Measure, error) {
	s, err := l.school(ctx, seed)
	if err != nil {
		return nil, err
	}
	out, err := l.start(ctx, s)
	if err != nil {
		return nil, err
	}
	random := rand.New(rand.NewPCG(seed, 47))
	test := choices(random, tasks(random, s.course.test, l.steps(240)), s.course.test)
	learn, err := comparisons(ctx, choices(random, tasks(random, s.learn, l.steps(6000)), s.learn))
	if err != nil {
		return nil, err
	}
	pairwise, err := l.trainJudge(ctx, learn, l.steps(judgeSteps/2), seed)
	if err != nil {
		return nil, err
	}
	m, err := verdictsOn(ctx, pairwise, test)
	if err != nil {
		return nil, err
	}
	out = append(out, m...)
	if learn, err = l.points(ctx, random, s.learn); err != nil {
		return nil, err
	}
	pointwise, err := l.trainJudge(ctx, learn, l.steps(judgeSteps), seed)
	if err != nil {
		return nil, err
	}
	var texts [][]string
	var asked []task
	for _, c := range test {
		asked, texts = append(asked, c.task), append(texts, c.answers[:])
	}
	_, agreed, err := pairsOf(ctx, pointwise, asked, texts)
	if err != nil {
		return nil, err
	}
	m, err = l.labelled(ctx, s, pointwise, seed)
	return append(append(out, agreed.named("judge by points")), m...), err
}

// labelled compares DPO by true labels with DPO by a judge's, on the same answers of a school's model.
func (l *Lab) labelled(ctx context.Context, s *school, j *judge.Judge, seed uint64) (out []demo.Measure, err error) {
	texts, err := l.sampled(ctx, s.reference, s.train, 4, seed)
	if err != nil {
		return nil, err
	}
	pairs, agreed, err := pairsOf(ctx, j, s.train, texts)
	if err != nil {
		return nil, err
	}
	for _, arm := range []struct {
		name string
		list []choice
	}{{"DPO, true labels", extremes(s.train, texts, task.score)}, {"DPO, the judge's labels", pairs}} {
		dir, err := l.preferring(ctx, s.sft, arm.list, seed)
		if err != nil {
			return nil, err
		}
		m, err := l.policy(ctx, arm.name, dir, s)
		if err != nil {
			return nil, err
		}
		out = append(out, m...)
	}
	return append(out, agreed.named("DPO, the judge's labels")), nil
}

// verdictsOn compares a judge's verdicts with the truth, in the order of each pair alone, and by the mean of both orders.
func verdictsOn(ctx context.Context, j *judge.Judge, list []choice) ([]demo.Measure, error) {
	var one, both, bias float64
	for _, c := range list {
		v, err := j.Compare(ctx, asks(c.task), c.answers[0], c.answers[1])
		if err != nil {
			return nil, err
		}
		first := c.better == 0
		if v.Orders[0] > .5 == first {
			one++
		}
		if v.First > .5 == first {
			both++
		}
		bias += v.Bias() / float64(len(list))
	}
	return []demo.Measure{share("judge of pairs", "verdicts right in one order, %", one, len(list)), share("judge of pairs", "verdicts right by both orders, %", both, len(list)),
		{Arm: "judge of pairs", Metric: "position bias, -0.5 to 0.5", Value: bias}}, nil
}

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
		return l.points(ctx, random, s.learn)
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
		j, err := l.judgeOf(parent)
		if err != nil {
			return nil, err
		}
		pairs, agreed, err := pairsOf(ctx, j, s.train, texts)
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

// pairsOf are the best and the worst answer to each task by a judge's points, and how often the truth agrees.
func pairsOf(ctx context.Context, j *judge.Judge, list []task, texts [][]string) (pairs []choice, a agreement, err error) {
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
