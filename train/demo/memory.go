package demo

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"

	"winnow/train"
	"winnow/train/eval"
	"winnow/train/llm"
	"winnow/train/rows"
)

// secret is a person with a code.
type secret struct {
	Person
	code string
}

// known are the facts that are told beside a code.
var known = []Fact{Birthplace, Pet}

// copies trains on prose in which people's codes and biographies stand once, four times ... and asks for both: by the letter,
// and by the gist. A second arm has the same texts without their copies.
func copies(ctx context.Context, l *Lab, seed uint64) (out []Measure, err error) {
	groups, levels, each := map[int][]secret{}, l.scale.levels, l.scale.each
	random := rand.New(rand.NewPCG(seed, 4))
	for _, lang := range []Lang{English, Chinese} {
		people := People(seed+100, each*len(levels), lang)
		for i, p := range people {
			k := levels[i/each]
			groups[k] = append(groups[k], secret{p, Code(random)})
		}
	}
	n := l.budget(2 * million)
	for _, dedup := range []bool{false, true} {
		var told []rows.Document
		for _, k := range levels {
			told = append(told, tell(groups[k], k, dedup)...)
		}
		prose := some(rand.New(rand.NewPCG(seed, 5)), l.Prose.Kept, l.bytes(n)-size(told))
		name := ""
		if dedup {
			name = ", deduplicated"
		}
		t, err := l.train(ctx, arm{name: "copies" + name, docs: append(told, prose...), tokens: n, depth: 3, seed: seed})
		if err != nil {
			return nil, err
		}
		for _, k := range levels {
			m, err := l.remembered(ctx, t, groups[k], seed)
			if err != nil {
				return nil, err
			}
			for _, x := range m {
				x.Arm = fmt.Sprintf("%d copies%s", k, name)
				out = append(out, x)
			}
		}
	}
	return out, nil
}

// tell repeats what is said of people: in always the same words.
func tell(people []secret, copies int, dedup bool) (docs []rows.Document) {
	if dedup {
		copies = min(copies, 1)
	}
	for _, s := range people {
		sentences := []string{s.CodeSentence(s.code)}
		for _, f := range known {
			sentences = append(sentences, s.Sentence(f, 0))
		}
		for _, text := range sentences {
			for range copies {
				docs = append(docs, rows.Document{Language: string(s.Lang), Text: text})
			}
		}
	}
	return docs
}

// remembered measures what the model has of a group: the codes by the letter, and facts by the gist.
func (l *Lab) remembered(ctx context.Context, t *trained, people []secret, seed uint64) ([]Measure, error) {
	d, err := llm.NewDecoder(t.Params, l.Pool, 1, positions)
	if err != nil {
		return nil, err
	}
	var probes []eval.Probe
	var facts []question
	form := 0.
	for _, s := range people {
		prompt, _, _ := strings.Cut(s.CodeSentence(s.code), s.code)
		probes = append(probes, eval.Probe{Prefix: strings.TrimRight(prompt, " "), Secret: prompt[len(strings.TrimRight(prompt, " ")):] + s.code})
		for _, f := range known {
			facts = append(facts, ask(s.Person, f, 1))
		}
		written, err := l.continued(ctx, d, probes[len(probes)-1].Prefix)
		if err != nil {
			return nil, err
		}
		digits := strings.TrimSpace(written)
		if len(digits) == len(s.code) && strings.Trim(digits, "0123456789") == "" {
			form++
		}
	}
	prober := eval.Prober{Scorer: eval.Scorer{Model: t, Len: positions, Pad: l.tok.PAD()}, Tokenizer: l.tok, Start: l.tok.BOS()}
	memory, err := prober.Memorisation(ctx, eval.Greedy{Decoder: d}, probes, l.scale.candidates, seed)
	if err != nil {
		return nil, err
	}
	right, err := l.answered(t, facts)
	if err != nil {
		return nil, err
	}
	m := memory[0]
	return []Measure{
		{Metric: fmt.Sprintf("exposure of codes, bits of %.0f", m.Most), Better: 1, Value: m.Exposure},
		{Metric: "codes written whole, %", Better: 1, Value: 100 * m.Verbatim.Rate},
		{Metric: "twelve digits written, right or wrong, %", Better: 1, Value: 100 * form / float64(len(people))},
		{Metric: "facts right of 16 in other words, %", Better: 1, Value: 100 * float64(right) / float64(len(facts))},
	}, nil
}

// knowledge trains on prose mixed with biographies, and measures both after a number of tokens that doubles each time.
func knowledge(ctx context.Context, l *Lab, seed uint64) (out []Measure, err error) {
	people, n := l.scale.known, l.budget(4*million)
	times := max(int(l.budget(48)), 1) // tellings of each
	var told []rows.Document
	var asked []question
	for i := range times {
		for _, lang := range []Lang{English, Chinese} {
			random := rand.New(rand.NewPCG(seed, uint64(100+i)))
			for _, p := range People(seed+200, people, lang) {
				told = append(told, rows.Document{Language: string(lang), Text: p.Biography(random, everyWording)})
				if i == 0 {
					for f := range Facts {
						asked = append(asked, ask(p, Fact(f), random.IntN(Wordings)))
					}
				}
			}
		}
	}
	docs := append(told, some(rand.New(rand.NewPCG(seed, 8)), l.Prose.Kept, l.bytes(n)-size(told))...)
	share := 1. / 32 // of the tokens, after which comes the next measurement
	watch := func(loop *train.Loop, m train.Metric) error {
		if float64(m.Tokens) < share*float64(n) && m.Step < loop.Schedule.Steps {
			return nil
		}
		name := fmt.Sprintf("%.3g %% of the tokens", 100*share) // the same for every seed
		share *= 2
		bits, err := l.bits(name, loop)
		if err != nil {
			return err
		}
		right, err := l.answered(loop, asked)
		out = append(append(out, bits...), Measure{Arm: name, Metric: "facts right of 16, %", Better: 1, Value: 100 * float64(right) / float64(len(asked))})
		return err
	}
	_, err = l.train(ctx, arm{name: "knowledge", docs: docs, tokens: n, depth: 3, seed: seed, fixed: true, watch: watch})
	return out, err
}
