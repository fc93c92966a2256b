package align

import (
	"context"
	"math/rand/v2"
	"slices"
	"strings"

	"winnow/train/chat"
	"winnow/train/demo"
	"winnow/train/llm"
)

// exam is what models are asked after a stage, about people of whom the stage itself tells nothing.
type exam struct {
	items []item
	tasks []task
}

// course is the data of fine-tuning and its exam: half of the people are learnt from, a quarter is validated on, a quarter is asked for.
type course struct {
	learn, held, test []demo.Person
	exam              exam
}

// course divides the told people by a seed.
func (l *Lab) course(seed uint64) course {
	random := rand.New(rand.NewPCG(seed, 31))
	learn, rest := halves(random, l.world.told)
	held, test := halves(random, rest)
	items := facts(random, test)
	return course{learn, held, test, exam{items[:min(l.steps(200), len(items))], tasks(random, test, l.steps(64))}}
}

// lessons are fact questions and tasks about people, as many of both, answered right.
func lessons(random *rand.Rand, people []demo.Person, n int) (out []*chat.Conversation) {
	for len(out) < n {
		for _, it := range facts(random, people) {
			t := tasks(random, people, 1)[0]
			out = append(out, it.conversation(len(out)), talk(len(out)+1, t.question(), t.answer(random, people, flawless)))
			if len(out) >= n {
				return out[:n]
			}
		}
	}
	return out
}

// examine asks a model, and measures what it answers.
func (l *Lab) examine(ctx context.Context, arm string, m *llm.Model, e exam) ([]demo.Measure, error) {
	var questions []string
	for _, it := range e.items {
		questions = append(questions, it.question)
	}
	for _, t := range e.tasks {
		questions = append(questions, t.question())
	}
	prompts, err := l.prompts(questions)
	if err != nil {
		return nil, err
	}
	replies, err := l.answers(ctx, m, prompts, 0, 1)
	if err != nil {
		return nil, err
	}
	return e.mark(arm, replies), nil
}

// factsRight is the measure of answers that are right.
const factsRight = "facts right, %"

// only gives the measures of one name.
func only(metric string, list []demo.Measure) (out []demo.Measure) {
	for _, m := range list {
		if m.Metric == metric {
			out = append(out, m)
		}
	}
	return out
}

// mark measures replies: first those to items, then those to tasks.
func (e exam) mark(arm string, replies []reply) (out []demo.Measure) {
	var formed, kind, right, gold float64
	for i, r := range replies {
		if r.formed() {
			formed++
		}
		switch {
		case i >= len(e.items):
			gold += e.tasks[i-len(e.items)].score(r.text)
		case e.items[i].right(r.text):
			right++
			kind++
		case e.items[i].kind(r.text):
			kind++
		}
	}
	out = append(out, share(arm, "answers that end their turn, %", formed, len(replies)))
	if len(e.items) > 0 {
		out = append(out, share(arm, "answers of the kind asked for, right or wrong, %", kind, len(e.items)), share(arm, factsRight, right, len(e.items)))
	}
	if n := len(e.tasks); n > 0 {
		out = append(out, demo.Measure{Arm: arm, Metric: "score of tasks, 0 to 1", Better: 1, Value: gold / float64(n)})
	}
	return out
}

// formed tells whether a reply is an answer by its form: something, that ends by itself and begins no other turn.
func (r reply) formed() bool {
	marks := []string{"<|im_start|>", "user\n", "User:", "Q:", "问："}
	return r.ended && r.text != "" && !slices.ContainsFunc(marks, func(s string) bool { return strings.Contains(r.text, s) })
}

func share(arm, metric string, hits float64, n int) demo.Measure {
	return demo.Measure{Arm: arm, Metric: metric, Better: 1, Value: 100 * hits / float64(max(n, 1)), Trials: n}
}

// shots are questions behind examples of how questions are answered, for a model that knows no turns.
func (l *Lab) shots(random *rand.Rand, items []item, examples []demo.Person) (prompts [][]int32) {
	marks := map[demo.Lang][2]string{demo.English: {"Q: ", "\nA: "}, demo.Chinese: {"问：", "\n答："}}
	for _, it := range items {
		var b strings.Builder
		mark := marks[it.lang]
		for n := 0; n < 2; {
			if p := examples[random.IntN(len(examples))]; p.Lang == it.lang {
				x := asked(p, it.fact, random.IntN(ways))
				b.WriteString(mark[0] + x.question + mark[1] + x.answer + "\n")
				n++
			}
		}
		b.WriteString(mark[0] + it.question + strings.TrimRight(mark[1], " "))
		prompts = append(prompts, l.tok.Encode([]int32{l.tok.BOS()}, b.String()))
	}
	return prompts
}
