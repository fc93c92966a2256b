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
func long(c *sft.Config) { c.Len = judged }

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

// trainJudge fine-tunes the base model to judge: single answers first, which teaches what is good, then pairs.
func (l *Lab) trainJudge(ctx context.Context, c course, seed uint64) (string, error) {
	dir, err := l.base(ctx, l.main())
	if err != nil {
		return "", err
	}
	random := rand.New(rand.NewPCG(seed, 47))
	list := tasks(random, c.learn, l.steps(4000))
	points, err := pointed(ctx, list, mixed(random, list, c.learn, flawed))
	if err != nil {
		return "", err
	}
	pairs, err := comparisons(ctx, choices(random, tasks(random, c.learn, l.steps(4000)), c.learn))
	if err != nil {
		return "", err
	}
	for _, learn := range [][]*chat.Conversation{points, pairs} {
		t, err := l.tune(ctx, lesson{parent: dir, learn: learn, steps: l.steps(judgeSteps), seed: seed, more: long})
		if err != nil {
			return "", err
		}
		dir = t.dir
	}
	return dir, nil
}

// judgeSteps are for each kind of question.
const judgeSteps = 400

// judging lets a model that has learnt to compare answers label pairs for DPO, in place of the true labels, and tests its verdicts in one
// order and in both.
func judging(ctx context.Context, l *Lab, seed uint64) ([]demo.Measure, error) {
	s, err := l.school(ctx, seed)
	if err != nil {
		return nil, err
	}
	out, err := l.start(ctx, s)
	if err != nil {
		return nil, err
	}
	dir, err := l.trainJudge(ctx, s.course, seed)
	if err != nil {
		return nil, err
	}
	j, err := l.judgeOf(dir)
	if err != nil {
		return nil, err
	}
	random := rand.New(rand.NewPCG(seed, 48))
	test, err := verdictsOn(ctx, j, choices(random, tasks(random, s.course.test, l.steps(240)), s.course.test))
	if err != nil {
		return nil, err
	}
	out = append(out, test...)
	given, items, err := l.twos(ctx, s, seed)
	if err != nil {
		return nil, err
	}
	rows, _, err := j.Pairs(ctx, items, .5)
	if err != nil {
		return nil, err
	}
	for _, arm := range []struct {
		name string
		list []choice
	}{{"DPO, true labels", given}, {"DPO, the judge's labels", labelled(s.train, rows)}} {
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
	return out, nil
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
	return []demo.Measure{share("judge", "verdicts right in one order, %", one, len(list)), share("judge", "verdicts right by both orders, %", both, len(list)),
		{Arm: "judge", Metric: "position bias, -0.5 to 0.5", Value: bias}}, nil
}

// twos are two answers of a school's model to each task, as pairs with the true labels and as a judge gets them.
func (l *Lab) twos(ctx context.Context, s *school, seed uint64) (given []choice, items []judge.Item, err error) {
	texts, err := l.sampled(ctx, s.reference, s.train, 2, seed)
	if err != nil {
		return nil, nil, err
	}
	given = extremes(s.train, texts, task.score)
	for _, c := range given { // where the truth is a tie, nobody is asked
		items = append(items, judge.Item{Prompt: asks(c.task), Answers: c.answers[:], Better: c.better})
	}
	return given, items, nil
}

// labelled are a judge's rows as pairs.
func labelled(list []task, rows []judge.Row) (out []choice) {
	by := map[string]task{}
	for _, t := range list {
		by[t.question()] = t
	}
	for _, r := range rows {
		out = append(out, choice{by[r.Prompt[0].Content], [2]string{r.Chosen[0].Content, r.Rejected[0].Content}, 0})
	}
	return out
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
