package align

import (
	"context"
	"math/rand/v2"
	"slices"
	"strings"

	"winnow/train/chat"
	"winnow/train/demo"
)

// conversations are items as fine-tuning reads them.
func conversations(items []item) (out []*chat.Conversation) {
	for i, it := range items {
		out = append(out, it.conversation(i))
	}
	return out
}

// extraction fine-tunes base models that read of the same people in five wordings, and in one, on questions about half of them, and
// asks about the other half.
func extraction(ctx context.Context, l *Lab, seed uint64) (out []demo.Measure, err error) {
	c := l.course(seed)
	c.exam.tasks = nil
	random := rand.New(rand.NewPCG(seed, 38))
	learn := facts(random, c.learn)
	for _, arm := range []struct {
		name     string
		wordings []int
	}{{"one wording", []int{0}}, {"five wordings", everyWording}} {
		p := l.main()
		p.Wordings = arm.wordings
		base, err := l.base(ctx, p)
		if err != nil {
			return nil, err
		}
		t, err := l.tune(ctx, lesson{parent: base, learn: conversations(learn), steps: l.steps(160), seed: seed})
		if err != nil {
			return nil, err
		}
		m, err := l.graded(ctx, arm.name, t, c.exam)
		if err != nil {
			return nil, err
		}
		seen, err := l.graded(ctx, arm.name, t, exam{items: learn[:min(len(learn), len(c.exam.items))]})
		if err != nil {
			return nil, err
		}
		seen = only(factsRight, seen)
		seen[0].Metric = "facts right of people in the lessons, %"
		known, err := l.recited(ctx, base, c.exam.items, arm.wordings[:1])
		if err != nil {
			return nil, err
		}
		out = append(out, only(factsRight, m)[0], seen[0], share(arm.name, "facts right as the base tells them, %", float64(known), len(c.exam.items)))
	}
	return out, nil
}

// recited is how many facts a base model goes on with rightly behind the begin of a sentence that it has read.
func (l *Lab) recited(ctx context.Context, dir string, items []item, wordings []int) (right int, err error) {
	m, err := l.load(dir)
	if err != nil {
		return 0, err
	}
	var prompts [][]int32
	for _, it := range items {
		prompts = append(prompts, l.tok.Encode([]int32{l.tok.BOS()}, strings.TrimRight(it.person.Cloze(it.fact, wordings[0]), " ")))
	}
	replies, err := l.answers(ctx, m, prompts, 0, 1)
	if err != nil {
		return 0, err
	}
	for i, r := range replies {
		if sentences, _ := cut(items[i].lang, r.text); len(sentences) > 0 && items[i].right(sentences[0]) {
			right++
		}
	}
	return right, nil
}

// unknown fine-tunes on facts that the base knows, on such that it does not, and on a mixture, and asks for facts that it knows.
func unknown(ctx context.Context, l *Lab, seed uint64) (out []demo.Measure, err error) {
	base, err := l.base(ctx, l.main())
	if err != nil {
		return nil, err
	}
	c := l.course(seed)
	c.exam.tasks = nil
	random := rand.New(rand.NewPCG(seed, 39))
	told := facts(random, c.learn)
	untold, _ := halves(random, l.world.untold)
	strange := facts(random, untold)[:len(told)]
	half := slices.Concat(told[:len(told)/2], strange[:len(told)/2])
	for _, arm := range []struct {
		name  string
		learn []item
	}{{"told", told}, {"half told", half}, {"untold", strange}} {
		for _, steps := range []int{l.steps(60), l.steps(240)} {
			t, err := l.tune(ctx, lesson{parent: base, learn: conversations(arm.learn), steps: steps, seed: seed})
			if err != nil {
				return nil, err
			}
			name := arm.name + ", early"
			if steps > l.steps(60) {
				name = arm.name + ", late"
			}
			m, err := l.graded(ctx, name, t, c.exam)
			if err != nil {
				return nil, err
			}
			out = append(out, only(factsRight, m)[0], demo.Measure{Arm: name, Metric: "training loss at the end, nats a token", Value: t.loss})
		}
	}
	return out, nil
}
