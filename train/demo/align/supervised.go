package align

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"winnow/train/chat"
	"winnow/train/demo"
	"winnow/train/llm"
	"winnow/train/sft"
)

// answering asks the base model, in turns and behind examples, and the same after fine-tuning.
func answering(ctx context.Context, l *Lab, seed uint64) ([]demo.Measure, error) {
	dir, err := l.base(ctx, l.main())
	if err != nil {
		return nil, err
	}
	base, err := l.load(dir)
	if err != nil {
		return nil, err
	}
	c := l.course(seed)
	out, err := l.examine(ctx, "base", base, c.exam)
	if err != nil {
		return nil, err
	}
	random := rand.New(rand.NewPCG(seed, 32))
	replies, err := l.answers(ctx, base, l.shots(random, c.exam.items, c.learn), 0, 1)
	if err != nil {
		return nil, err
	}
	for i := range replies { // a line is an answer here
		text, _, line := strings.Cut(strings.TrimLeft(replies[i].text, " \n"), "\n")
		replies[i].text, replies[i].ended = text, line
	}
	out = append(out, exam{items: c.exam.items}.mark("base behind two examples", replies)...)
	tuned, err := l.tune(ctx, lesson{parent: dir, learn: lessons(random, c.learn, l.steps(800)), steps: l.steps(240), seed: seed})
	if err != nil {
		return nil, err
	}
	m, err := l.graded(ctx, "fine-tuned", tuned, c.exam)
	return append(out, m...), err
}

// graded examines what a lesson gave.
func (l *Lab) graded(ctx context.Context, arm string, t *learnt, e exam) ([]demo.Measure, error) {
	m, err := l.load(t.dir)
	if err != nil {
		return nil, err
	}
	return l.examine(ctx, arm, m, e)
}

// parameters fine-tunes the base model and a model of random parameters on the same few examples; the latter also until it overfits.
func parameters(ctx context.Context, l *Lab, seed uint64) (out []demo.Measure, err error) {
	base, err := l.base(ctx, l.main())
	if err != nil {
		return nil, err
	}
	fresh, err := l.random(seed)
	if err != nil {
		return nil, err
	}
	c := l.course(seed)
	random := rand.New(rand.NewPCG(seed, 33))
	learn, held := lessons(random, c.learn, 160), lessons(random, c.held, 120)
	steps := l.steps(100)
	for _, arm := range []struct {
		name, parent string
		steps        int
	}{{"pretrained", base, steps}, {"random, equal steps", fresh, steps}, {"random, 6 times the steps", fresh, 6 * steps}} {
		t, err := l.tune(ctx, lesson{parent: arm.parent, learn: learn, held: held, steps: arm.steps, seed: seed})
		if err != nil {
			return nil, err
		}
		out = append(out,
			demo.Measure{Arm: arm.name, Metric: "validation loss at the end, nats a token", Better: -1, Value: t.held[len(t.held)-1]},
			demo.Measure{Arm: arm.name, Metric: "least validation loss, nats a token", Better: -1, Value: slices.Min(t.held)},
			demo.Measure{Arm: arm.name, Metric: "training loss at the end, nats a token", Value: t.loss})
		m, err := l.graded(ctx, arm.name, t, c.exam)
		if err != nil {
			return nil, err
		}
		out = append(out, m...)
	}
	return out, nil
}

// variant is one way to choose or spoil what is learnt from.
type variant struct {
	name  string
	learn []*chat.Conversation
	more  func(c *sft.Config)
}

// variants fine-tunes the base model on each, for equal steps, and examines what came of it.
func (l *Lab) variants(ctx context.Context, seed uint64, c course, steps int, list []variant) (out []demo.Measure, err error) {
	base, err := l.base(ctx, l.main())
	if err != nil {
		return nil, err
	}
	random := rand.New(rand.NewPCG(seed, 34))
	held := lessons(random, c.held, 120)
	for _, v := range list {
		t, err := l.tune(ctx, lesson{parent: base, learn: v.learn, held: held, steps: steps, seed: seed, more: v.more})
		if err != nil {
			return nil, fmt.Errorf("%s: %w", v.name, err)
		}
		m, err := l.graded(ctx, v.name, t, c.exam)
		if err != nil {
			return nil, err
		}
		out = append(append(out, demo.Measure{Arm: v.name, Metric: "validation loss at the end, nats a token", Better: -1, Value: t.held[len(t.held)-1]}), m...)
	}
	return out, nil
}

// curated compares few right examples with many of which four in ten are spoilt, and with as many right ones.
func curated(ctx context.Context, l *Lab, seed uint64) ([]demo.Measure, error) {
	c := l.course(seed)
	random := rand.New(rand.NewPCG(seed, 35))
	many := lessons(random, c.learn, 1600)
	return l.variants(ctx, seed, c, l.steps(160), []variant{
		{name: "1,600 noisy", learn: spoilt(random, many, .4)},
		{name: "160 curated", learn: many[:160]},
		{name: "400 curated", learn: many[:400]},
		{name: "1,600 curated", learn: many},
	})
}

// spoilt gives examples of which a share has an answer of another question, a cut one, none, or one in the other language.
func spoilt(random *rand.Rand, list []*chat.Conversation, share float64) []*chat.Conversation {
	out := slices.Clone(list)
	for _, i := range random.Perm(len(out))[:int(share*float64(len(out)))] {
		c := *out[i]
		c.Messages = slices.Clone(c.Messages)
		answer := &c.Messages[1].Content
		other := func(same bool) string {
			for {
				if o := list[random.IntN(len(list))]; o.Messages[0].Content != c.Messages[0].Content && same == (ascii(o.Messages[0].Content) == ascii(c.Messages[0].Content)) {
					return o.Messages[1].Content
				}
			}
		}
		switch random.IntN(4) {
		case 0:
			*answer = other(true)
		case 1:
			*answer = other(false)
		case 2:
			letters := []rune(*answer)
			*answer = string(letters[:1+len(letters)/4])
		case 3:
			*answer = []string{"?", "...", "-"}[random.IntN(3)] // an answer of nothing at all is refused; these say as little
		}
		out[i] = &c
	}
	return out
}

// ascii tells English from Chinese.
func ascii(s string) bool { return !strings.ContainsFunc(s, func(r rune) bool { return r > 127 }) }

// longestFirst chooses a tenth of a mixed pool by length, or at random.
func longestFirst(ctx context.Context, l *Lab, seed uint64) ([]demo.Measure, error) {
	c := l.course(seed)
	random := rand.New(rand.NewPCG(seed, 36))
	list := tasks(random, c.learn, 1200)
	var pool []*chat.Conversation
	for i, text := range mixed(random, list, c.learn, .4) {
		pool = append(pool, talk(i, list[i].question(), text))
	}
	c.exam.items = nil
	selected := func(how string) func(*sft.Config) {
		return func(c *sft.Config) { c.Select = sft.Selection{How: how, N: 120} }
	}
	return l.variants(ctx, seed, c, l.steps(120), []variant{{"random 120", pool, selected(sft.Random)}, {"longest 120", pool, selected(sft.Longest)}, {"all 1,200", pool, nil}})
}

// responseOnly leaves the questions away, or deals them anew.
func responseOnly(ctx context.Context, l *Lab, seed uint64) ([]demo.Measure, error) {
	c := l.course(seed)
	random := rand.New(rand.NewPCG(seed, 37))
	learn := lessons(random, c.learn, 800)
	var dealt []*chat.Conversation
	for i, k := range random.Perm(len(learn)) {
		dealt = append(dealt, talk(i, learn[k].Messages[0].Content, learn[i].Messages[1].Content))
	}
	return l.variants(ctx, seed, c, l.steps(200), []variant{
		{name: "questions and answers", learn: learn},
		{name: "answers alone", learn: learn, more: func(c *sft.Config) { c.ResponseOnly = true }},
		{name: "answers to other questions", learn: dealt},
	})
}

// distilled lets a smaller model learn from few right examples, from a teacher's answers to many questions, and from the teacher's
// distributions over the same answers, each for equal steps.
func distilled(ctx context.Context, l *Lab, seed uint64) (out []demo.Measure, err error) {
	base, err := l.base(ctx, l.main())
	if err != nil {
		return nil, err
	}
	p := l.main()
	p.Depth, p.Tokens = 1, p.Tokens/2
	small, err := l.base(ctx, p)
	if err != nil {
		return nil, err
	}
	c := l.course(seed)
	random := rand.New(rand.NewPCG(seed, 45))
	right := lessons(random, c.learn, 1600)
	held := lessons(random, c.held, 120)
	teacher, err := l.tune(ctx, lesson{parent: base, learn: right, held: held, steps: l.steps(300), seed: seed})
	if err != nil {
		return nil, err
	}
	told, err := l.teach(ctx, teacher.dir, right)
	if err != nil {
		return nil, err
	}
	steps := l.steps(200)
	for _, v := range []struct {
		arm   string
		learn []*chat.Conversation
		by    *sft.Teaching
	}{{"student, 160 right examples", right[:160], nil}, {"student, 1,600 answers of the teacher", told, nil},
		{"student, its distributions over them", told, &sft.Teaching{Divergence: llm.Divergence{Temperature: 1}, Most: longest, Sampling: 1}},
		{"student, 1,600 right examples", right, nil}} {

		t, err := l.tune(ctx, lesson{parent: small, learn: v.learn, steps: steps, seed: seed, teacher: teacher.dir, by: v.by})
		if err != nil {
			return nil, err
		}
		m, err := l.heldLoss(ctx, v.arm, t, held, c.exam)
		if err != nil {
			return nil, err
		}
		out = append(out, m...)
	}
	m, err := l.heldLoss(ctx, "teacher", teacher, held, c.exam)
	return append(out, m...), err
}

// teach lets a model answer the questions of examples, greedily.
func (l *Lab) teach(ctx context.Context, dir string, list []*chat.Conversation) (out []*chat.Conversation, err error) {
	m, err := l.load(dir)
	if err != nil {
		return nil, err
	}
	var questions []string
	for _, c := range list {
		questions = append(questions, c.Messages[0].Content)
	}
	prompts, err := l.prompts(questions)
	if err != nil {
		return nil, err
	}
	replies, err := l.answers(ctx, m, prompts, 0, 1)
	if err != nil {
		return nil, err
	}
	for i, r := range replies {
		if r.formed() {
			out = append(out, talk(i, questions[i], r.text))
		}
	}
	return out, nil
}

// heldLoss examines a model, and measures its loss on right examples that it has not learnt from.
func (l *Lab) heldLoss(ctx context.Context, arm string, t *learnt, held []*chat.Conversation, e exam) ([]demo.Measure, error) {
	m, err := l.load(t.dir)
	if err != nil {
		return nil, err
	}
	nats, err := l.nats(m, held)
	if err != nil {
		return nil, err
	}
	out, err := l.examine(ctx, arm, m, e)
	return append([]demo.Measure{{Arm: arm, Metric: "loss on right answers held out, nats a token", Better: -1, Value: nats}}, out...), err
}

// nats is the mean loss over the answers of examples.
func (l *Lab) nats(m *llm.Model, list []*chat.Conversation) (float64, error) {
	t, sum, counted := llm.NewTrainer(m, l.Pool), 0., 0.
	for from := 0; from < len(list); from += 16 {
		var all []drawn
		for _, c := range list[from:min(from+16, len(list))] {
			s, err := l.template.Encode(c)
			if err != nil {
				return 0, err
			}
			answer := s.Turns[len(s.Turns)-1]
			all = append(all, drawn{s.IDs[:answer.From], reply{ids: s.IDs[answer.From:answer.To], ended: true}})
		}
		b := l.asBatch(all)
		nats, err := t.Nats(b)
		if err != nil {
			return 0, err
		}
		for i, target := range b.Targets {
			if target >= 0 {
				sum += float64(nats[i])
				counted++
			}
		}
	}
	return sum / max(counted, 1), nil
}
