package align

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"winnow/train/chat"
	"winnow/train/demo"
	"winnow/train/sft"
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
		known, err := l.recited(ctx, base, c.exam.items, arm.wordings)
		if err != nil {
			return nil, err
		}
		out = append(out, only(factsRight, m)[0], seen[0], share(arm.name, "facts right as the base tells them, %", float64(known), len(c.exam.items)))
	}
	return out, nil
}

// recited is how many facts a base model goes on with rightly behind the begin of a sentence that it has read; where it has read one
// wording alone, always in the same order, the sentences before that one stand before it.
func (l *Lab) recited(ctx context.Context, dir string, items []item, wordings []int) (right int, err error) {
	m, err := l.load(dir)
	if err != nil {
		return 0, err
	}
	var prompts [][]int32
	for _, it := range items {
		var told []string
		for f := range it.fact {
			if len(wordings) == 1 {
				told = append(told, it.person.Sentence(f, wordings[0]))
			}
		}
		told = append(told, it.person.Cloze(it.fact, wordings[0]))
		prompts = append(prompts, l.tok.Encode([]int32{l.tok.BOS()}, strings.TrimRight(join(it.lang, told), " ")))
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

// unknown finds out what a base model knows, fine-tunes it on facts of one kind at a time, and asks for facts of others that it knows.
func unknown(ctx context.Context, l *Lab, seed uint64) (out []demo.Measure, err error) {
	p := l.main()
	p.Sheets = true
	base, err := l.base(ctx, p)
	if err != nil {
		return nil, err
	}
	c := l.course(seed)
	random := rand.New(rand.NewPCG(seed, 39))
	untold, _ := halves(random, l.world.untold)
	pool := slices.Concat(facts(random, slices.Concat(c.learn, c.held)), facts(random, untold))
	groups, all, err := l.known(ctx, base, pool, seed)
	if err != nil {
		return nil, err
	}
	for _, s := range sft.Shares(all) {
		out = append(out, demo.Measure{Arm: "base", Metric: "facts " + strings.ReplaceAll(string(s.Class), "_", " ") + ", told and not, %", Value: 100 * s.Rate.Rate, Trials: s.Rate.N})
	}
	tested, _, err := l.known(ctx, base, facts(random, c.test), seed)
	if err != nil {
		return nil, err
	}
	known := slices.Concat(tested[sft.Highly], tested[sft.Maybe])
	heard := slices.Concat(groups[sft.Highly], groups[sft.Maybe], groups[sft.Weakly])
	random.Shuffle(len(heard), func(i, j int) { heard[i], heard[j] = heard[j], heard[i] })
	strange := groups[sft.Unknown]
	many, few := min(len(heard), len(strange), 320), min(len(groups[sft.Highly]), len(groups[sft.Maybe]))
	if few < 8 || many < 8 || len(known) < 8 {
		return nil, fmt.Errorf("the base knows %d facts highly, %d maybe, and %d of those that are asked: too few to compare", len(groups[sft.Highly]), len(groups[sft.Maybe]), len(known))
	}
	const fewer = "fewer lessons, "
	for _, arm := range []struct {
		name, metric string
		learn        []item
	}{{"known", "", heard[:many]}, {"half unknown", "", slices.Concat(heard[:many/2], strange[:many-many/2])}, {"unknown", "", strange[:many]},
		{"highly known", fewer, groups[sft.Highly][:few]}, {"maybe known", fewer, groups[sft.Maybe][:few]}} {

		for _, when := range []struct {
			name  string
			steps int
		}{{"early", 50}, {"late", 200}} {
			m, err := l.taught(ctx, base, arm.name, arm.learn, known, l.steps(when.steps), seed)
			if err != nil {
				return nil, err
			}
			for _, x := range m {
				x.Metric = arm.metric + when.name + ": " + x.Metric
				out = append(out, x)
			}
		}
	}
	return out, nil
}

// taught fine-tunes on items and asks others.
func (l *Lab) taught(ctx context.Context, base, arm string, learn, ask []item, steps int, seed uint64) ([]demo.Measure, error) {
	t, err := l.tune(ctx, lesson{parent: base, learn: conversations(learn), steps: steps, seed: seed})
	if err != nil {
		return nil, err
	}
	m, err := l.graded(ctx, arm, t, exam{items: ask})
	if err != nil {
		return nil, err
	}
	m = only(factsRight, m)
	m[0].Metric = "facts right of those that the base knows, %"
	return append(m, demo.Measure{Arm: arm, Metric: "training loss at the end, nats a token", Value: t.loss}), nil
}

// known asks a base model closed-book, and sorts items by what it knows of them.
func (l *Lab) known(ctx context.Context, dir string, items []item, seed uint64) (map[sft.Class][]item, []sft.Known, error) {
	m, err := l.load(dir)
	if err != nil {
		return nil, nil, err
	}
	k := sft.Asking()
	k.Shots, k.Prompts, k.Samples, k.Seed = 2, 4, 4, seed
	all, err := k.Ask(ctx, m, l.tok, l.Pool, k.Questions(conversations(items), l.tok))
	if err != nil {
		return nil, nil, err
	}
	if len(all) != len(items) {
		return nil, nil, fmt.Errorf("knowledge: %d of %d questions can be asked", len(all), len(items))
	}
	groups := map[sft.Class][]item{}
	for i, it := range items {
		groups[all[i].Class] = append(groups[all[i].Class], it)
	}
	return groups, all, nil
}
