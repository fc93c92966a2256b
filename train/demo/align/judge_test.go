package align

import (
	"context"
	"math/rand/v2"
	"strings"
	"testing"

	"winnow/train/chat"
)

// TestJudgesLearnFromWhatTheyWillBeAsked holds the lessons of judges to the questions of package judge, with the right labels.
func TestJudgesLearnFromWhatTheyWillBeAsked(t *testing.T) {
	random := rand.New(rand.NewPCG(6, 1))
	people := newWorld(8).told
	list := choices(random, tasks(random, people, 30), people)
	pairs, err := comparisons(context.Background(), list)
	if err != nil {
		t.Fatal(err)
	}
	places := map[chat.Place]bool{}
	for i, c := range pairs {
		asked, label := c.Messages[0].Content, c.Messages[1].Content
		first, second := strings.Index(asked, list[i].answers[0]), strings.LastIndex(asked, list[i].answers[1])
		if first < 0 || second <= first || !strings.Contains(asked, list[i].question()) || label != []string{"1", "2"}[list[i].better] {
			t.Errorf("pair %d: label %s of %q", i, label, asked)
		}
		places[c.Place] = true
	}
	two := tasks(random, people, 2)
	texts := []string{two[0].answer(random, people, flawless), ""}
	points, err := pointed(context.Background(), two, texts)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"5", "0"} {
		if got := points[i].Messages[1].Content; got != want || !strings.Contains(points[i].Messages[0].Content, two[i].question()) {
			t.Errorf("answer %q has %s points, want %s", texts[i], got, want)
		}
		places[points[i].Place] = true
	}
	if len(places) != len(pairs)+2 {
		t.Error("two lessons have one place")
	}
}

func TestExtremes(t *testing.T) {
	people := newWorld(4).told
	list := []task{{people[0], 1}, {people[1], 1}, {people[2], 1}}
	length := func(_ task, text string) float64 { return float64(len(text)) }
	got := extremes(list, [][]string{{"aa", "a", "", "aaa"}, {"b", "c"}, {"d"}}, length)
	if len(got) != 1 || got[0].chosen() != "aaa" || got[0].rejected() != "a" || got[0].Name != people[0].Name {
		t.Errorf("%+v", got)
	}
}

// TestDistance holds the divergence of a model from itself to nothing, and from another to more, by k3 for each answer.
func TestDistance(t *testing.T) {
	l := tiny(t, t.TempDir())
	one, err := l.random(1)
	if err != nil {
		t.Fatal(err)
	}
	two, err := l.random(2)
	if err != nil {
		t.Fatal(err)
	}
	a, err := l.load(one)
	if err != nil {
		t.Fatal(err)
	}
	b, err := l.load(two)
	if err != nil {
		t.Fatal(err)
	}
	prompts, err := l.prompts([]string{"Who?", "谁？", "Where was it?"})
	if err != nil {
		t.Fatal(err)
	}
	replies, err := l.answers(context.Background(), a, prompts, 1, 1)
	if err != nil {
		t.Fatal(err)
	}
	var all []drawn
	for i, r := range replies {
		all = append(all, drawn{prompts[i], r})
	}
	if k1, k3, err := l.distance(a, a, all); err != nil || k1 != 0 || k3 != 0 {
		t.Errorf("from itself: %g, %g, %v", k1, k3, err)
	}
	if _, k3, err := l.distance(a, b, all); err != nil || k3 <= 0 {
		t.Errorf("from another: %g, %v", k3, err)
	}
	again, err := l.answers(context.Background(), a, prompts[1:2], 0, 1)
	if err != nil {
		t.Fatal(err)
	}
	together, err := l.answers(context.Background(), a, prompts, 0, 1)
	if err != nil || together[1].text != again[0].text {
		t.Errorf("an answer depends on what is answered beside it: %q, %q, %v", together[1].text, again[0].text, err)
	}
}
