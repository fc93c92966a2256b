package align

import (
	"math"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"winnow/train/demo"
)

func TestScore(t *testing.T) {
	var en, zh demo.Person
	for _, p := range newWorld(4).told {
		if p.Lang == demo.English {
			en = p
		} else {
			zh = p
		}
	}
	a, b := en.Sentence(demo.Pet, 0), en.Sentence(demo.Dish, 1)
	lied := strings.Replace(a, en.Value(demo.Pet), "a dragon", 1)
	c, d := zh.Sentence(demo.Pet, 2), zh.Sentence(demo.Instrument, 3)
	for _, x := range []struct {
		name string
		task
		text string
		want float64
	}{
		{"right", task{en, 2}, a + " " + b, 1},
		{"right, Chinese", task{zh, 2}, c + d, 1},
		{"one of two sentences", task{en, 2}, a, (.5 + 1 + 1 + 1) / 4},
		{"two of one", task{zh, 1}, c + d, (0 + 1 + 1 + 1) / 4.},
		{"said twice", task{en, 2}, a + " " + a, .75},
		{"untrue", task{en, 1}, lied, .75},
		{"of nobody", task{en, 1}, "The sea is blue.", .5},
		{"cut", task{en, 1}, a[:len(a)-2], .5}, // neither whole nor a sentence that is true
		{"nothing", task{zh, 1}, "", 0},
		{"much too long", task{zh, 1}, strings.Repeat(c, 5), .5},
	} {
		if got := x.score(x.text); math.Abs(got-x.want) > 1e-9 {
			t.Errorf("%s: %q has %g, want %g", x.name, x.text, got, x.want)
		}
	}
}

// TestFlaws holds every flaw to cost something, in both languages, and its absence to cost nothing.
func TestFlaws(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 1))
	people := newWorld(12).told
	for f := range flaws {
		for _, x := range tasks(random, people, 300) {
			text := x.answer(random, people, f)
			if got := x.score(text); (f == flawless) != (got == 1) {
				t.Errorf("flaw %d: %s: %q has %g", f, x.question(), text, got)
			}
		}
	}
}

func TestChoicesAndFlips(t *testing.T) {
	random := rand.New(rand.NewPCG(2, 1))
	people := newWorld(8).told
	list := choices(random, tasks(random, people, 200), people)
	for _, c := range list {
		if c.score(c.chosen()) <= c.score(c.rejected()) {
			t.Fatalf("%q is not better than %q", c.chosen(), c.rejected())
		}
	}
	wrong := 0
	for i, c := range flipped(random, list, .2) {
		if c.better != list[i].better {
			wrong++
		}
	}
	if wrong != 40 {
		t.Errorf("%d of 200 labels were flipped, want 40", wrong)
	}
}

func TestItems(t *testing.T) {
	people := newWorld(6).told
	items := facts(rand.New(rand.NewPCG(3, 1)), people)
	if len(items) != len(people)*demo.Facts {
		t.Fatalf("%d questions about %d people", len(items), len(people))
	}
	for _, it := range items {
		if !strings.Contains(it.question, it.person.Name) || strings.Contains(it.question, "{") {
			t.Errorf("question %q", it.question)
		}
		value := it.person.Value(it.fact)
		for text, want := range map[string]bool{it.answer: true, value: true, value + "?": false, "": false, it.person.Name: false} {
			if it.right(text) != want {
				t.Errorf("%q: %q is right: %v", it.question, text, !want)
			}
		}
	}
	again := facts(rand.New(rand.NewPCG(3, 1)), people)
	if !reflect.DeepEqual(items, again) {
		t.Error("one seed gave two lists")
	}
}

func TestHalvesAreOfBothLanguages(t *testing.T) {
	w := newWorld(10)
	a, b := halves(rand.New(rand.NewPCG(4, 1)), w.told)
	names, english := map[string]bool{}, 0
	for _, p := range append(append([]demo.Person{}, a...), b...) {
		names[p.Name] = true
	}
	for _, p := range a {
		if p.Lang == demo.English {
			english++
		}
	}
	if len(a) != 10 || len(b) != 10 || len(names) != 20 || english != 5 {
		t.Errorf("%d and %d people, %d names, %d of them English in the first half", len(a), len(b), len(names), english)
	}
	for _, p := range w.untold {
		if names[p.Name] {
			t.Errorf("%s is told of and is not", p.Name)
		}
	}
}

func TestSpoilt(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 1))
	list := lessons(random, newWorld(8).told, 200)
	wrong := 0
	for i, c := range spoilt(random, list, .4) {
		if !reflect.DeepEqual(c.Messages[0], list[i].Messages[0]) {
			t.Fatal("a question was changed")
		}
		if c.Messages[1].Content != list[i].Messages[1].Content {
			wrong++
		}
	}
	// A swapped answer can happen to be the same.
	if wrong < 70 || wrong > 80 {
		t.Errorf("%d of 200 answers are spoilt, want about 80", wrong)
	}
}
