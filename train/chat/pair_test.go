package chat

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

func TestEncodePair(t *testing.T) {
	for _, name := range Names() {
		made := template(t, name)
		p := &Pair{Prompt: []Message{{Role: User, Content: "One " + strings.Repeat("question ", 8)}, {Role: Assistant, Content: "Yes"}, {Role: User, Content: "Two"}}, Chosen: []Message{{Role: Assistant, Content: "Red, yellow, blue."}}, Rejected: []Message{{Role: Assistant, Content: ""}}}
		whole, err := made.EncodePair(p, 1000, CutPrompt)
		if err != nil {
			t.Fatal(err)
		}
		prompt, err := made.Prompt(nil, p.Prompt)
		if err != nil || whole.Left != 0 || whole.Prompt != len(prompt.IDs) || !slices.Equal(whole.Chosen.IDs[:whole.Prompt], prompt.IDs) {
			t.Errorf("%s: prompt of %d ids, not %d: %v", name, whole.Prompt, len(prompt.IDs), err)
		}
		most := len(whole.Chosen.IDs)
		kept := 0
		for n := range most {
			for _, cut := range []Cut{CutPrompt, CutAnswer} {
				two, err := made.EncodePair(p, n, cut)
				if err != nil {
					if n > most-5 {
						t.Errorf("%s %d: %v", name, n, err)
					}
					continue
				}
				kept++
				for _, s := range []*Sequence{two.Chosen, two.Rejected} {
					if len(s.IDs) > n || !slices.Equal(s.IDs[:two.Prompt], two.Chosen.IDs[:two.Prompt]) || slices.Contains(s.Targets[:two.Prompt], true) || slices.Contains(s.Targets[two.Prompt:], false) || s.IDs[len(s.IDs)-1] != made.End() {
						t.Fatalf("%s %d %s: %q", name, n, cut, spelled(made.tok, s))
					}
				}
				if left := len(whole.Chosen.IDs) + len(whole.Rejected.IDs) - len(two.Chosen.IDs) - len(two.Rejected.IDs); left != two.Left {
					t.Errorf("%s %d: %d left off, not %d", name, n, two.Left, left)
				}
			}
		}
		if kept == 0 {
			t.Errorf("%s: nothing was cut", name)
		}
		p.Rejected = p.Chosen
		if _, err := made.EncodePair(p, 1000, CutPrompt); err == nil {
			t.Errorf("%s: the same twice", name)
		}
	}
}

// TestEncodeJudged: a judged answer is what it is as a side of a pair, also where both are cut.
func TestEncodeJudged(t *testing.T) {
	w := template(t, "chatml")
	prompt := []Message{{Role: System, Content: "be brief and kind to everyone"}, {Role: User, Content: "tell me of the river and of the sea"}}
	p := &Pair{Prompt: prompt, Chosen: []Message{{Role: Assistant, Content: "both are water that moves a lot"}}, Rejected: []Message{{Role: Assistant, Content: "no"}}}
	whole, err := w.EncodePair(p, 1000, CutPrompt)
	if err != nil {
		t.Fatal(err)
	}
	for n := len(whole.Chosen.IDs) + 1; n > 5; n-- {
		for _, cut := range []Cut{CutPrompt, CutAnswer} {
			two, errPair := w.EncodePair(p, n, cut)
			s, left, err := w.EncodeJudged(&Judged{Prompt: prompt, Answer: p.Chosen, Good: true}, n, cut)
			if (err == nil) != (errPair == nil) {
				t.Fatalf("%s at %d: %v, of a pair %v", cut, n, err, errPair)
			}
			var bad Refused
			if err != nil {
				if !errors.As(err, &bad) || bad.Refused() != TooLong {
					t.Fatalf("%s at %d: %v", cut, n, err)
				}
				continue
			}
			if !slices.Equal(s.IDs, two.Chosen.IDs) || !slices.Equal(s.Targets, two.Chosen.Targets) || len(s.IDs)+left != len(whole.Chosen.IDs) {
				t.Fatalf("%s at %d: %v, of a pair %v; %d left off", cut, n, s.IDs, two.Chosen.IDs, left)
			}
		}
	}
}
