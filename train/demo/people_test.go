package demo

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

func TestPeopleAreDifferentAndTheSameFromOneSeed(t *testing.T) {
	for _, lang := range []Lang{English, Chinese} {
		a, b := People(1, 500, lang), People(1, 500, lang)
		if !slices.Equal(a, b) {
			t.Errorf("%s: one seed gave two lists", lang)
		}
		names := map[string]bool{}
		for _, p := range a {
			names[p.Name] = true
		}
		if len(names) != 500 {
			t.Errorf("%s: %d names for 500 people", lang, len(names))
		}
		if slices.Equal(a, People(2, 500, lang)) {
			t.Errorf("%s: two seeds gave one list", lang)
		}
	}
}

// A cloze is answered by what comes next, so each wording has to end in the value.
func TestEveryWordingEndsInItsValue(t *testing.T) {
	for _, lang := range []Lang{English, Chinese} {
		p := People(3, 1, lang)[0]
		for f := range Facts {
			seen := map[string]bool{}
			for w := range Wordings {
				s, cloze := p.Sentence(Fact(f), w), p.Cloze(Fact(f), w)
				rest := strings.TrimRight(strings.TrimPrefix(s, cloze), ".。")
				if !strings.HasPrefix(s, cloze) || rest != p.Value(Fact(f)) || !strings.Contains(cloze, p.Name) {
					t.Errorf("%s fact %d wording %d: %q after %q", lang, f, w, s, cloze)
				}
				seen[s] = true
			}
			choices := slices.Clone(p.Choices(Fact(f)))
			slices.Sort(choices)
			if len(seen) != Wordings || len(slices.Compact(choices)) != 16 {
				t.Errorf("%s fact %d: %d wordings, choices %q", lang, f, len(seen), choices)
			}
		}
	}
}

func TestBiographyTellsEveryFact(t *testing.T) {
	for _, lang := range []Lang{English, Chinese} {
		p := People(4, 1, lang)[0]
		text := p.Biography(rand.New(rand.NewPCG(1, 1)), []int{0, 3})
		for f := range Facts {
			if !strings.Contains(text, p.Sentence(Fact(f), 0)) && !strings.Contains(text, p.Sentence(Fact(f), 3)) {
				t.Errorf("%s: fact %d is missing in %q", lang, f, text)
			}
		}
	}
}

func TestPoisonsHaveTheirSize(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	m := Letters(random, 5000)
	if len(m) < 5000 || len(m) > 5400 || strings.Trim(m, "Mm\n") != "" {
		t.Errorf("letters: %d bytes", len(m))
	}
	for _, lang := range []Lang{English, Chinese} {
		if b := Boilerplate(random, 5000, lang); len(b) < 5000 || len(b) > 5200 {
			t.Errorf("%s boilerplate: %d bytes", lang, len(b))
		}
	}
}
