package judge

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"winnow/train/chat"
	"winnow/train/chat/source"
	"winnow/train/reward"
)

// fake is a Client that answers by a function.
type fake func(q Question) (Reply, error)

func (f fake) Ask(_ context.Context, q Question) (Reply, error) { return f(q) }

func ask(s string) []chat.Message { return []chat.Message{{Role: chat.User, Content: s}} }

// between cuts out what stands between two marks of a question.
func between(s, from, to string) string {
	_, s, _ = strings.Cut(s, from)
	s, _, _ = strings.Cut(s, to)
	return strings.TrimSpace(s)
}

func answersOf(q Question) (string, string) {
	s := q.Messages[0].Content
	if strings.Contains(s, "--- 回答 1 ---") {
		return between(s, "--- 回答 1 ---", "--- 回答 2 ---"), between(s, "--- 回答 2 ---", "--- 结束 ---")
	}
	return between(s, "--- Answer 1 ---", "--- Answer 2 ---"), between(s, "--- Answer 2 ---", "--- End ---")
}

// likes is a judge with a taste, its log-odds for the longer answer, and a bias, its log-odds for the first place.
func likes(taste, bias float64) fake {
	return func(q Question) (Reply, error) {
		a, b := answersOf(q)
		odds := taste*float64(len(a)-len(b)) + bias
		p := 1 / (1 + math.Exp(-odds))
		return Reply{First: []Candidate{{"1", math.Log(.6 * p)}, {" 1", math.Log(.2 * p)}, {"2", math.Log(.8 * (1 - p))}, {"The", math.Log(.2)}}}, nil
	}
}

// TestBiasCancels: whatever a judge thinks of the first place, log-odds of both orders give the same winner, and the bias is reported.
func TestBiasCancels(t *testing.T) {
	for _, bias := range []float64{0, .5, 3, -3} {
		j := &Judge{Client: likes(.1, bias), Model: "m"}
		v, err := j.Compare(t.Context(), ask("q"), "long answer", "short")
		if err != nil || !(v.First > .5) || v.By != ByLikelihood || math.Abs(v.Mass[0]-.8) > 1e-9 {
			t.Errorf("bias %g: %+v %v", bias, v, err)
		}
		w, err := j.Compare(t.Context(), ask("q"), "short", "long answer")
		if err != nil || math.Abs(v.First+w.First-1) > 1e-12 {
			t.Errorf("bias %g: the order in which they are given matters: %g and %g", bias, v.First, w.First)
		}
		if want := bias == 0; (math.Abs(v.Bias()) < 1e-12) != want || bias > 0 && v.Bias() <= 0 || v.Steady() != (math.Abs(bias) < .6) {
			t.Errorf("bias %g: reported %g, steady %v", bias, v.Bias(), v.Steady())
		}
	}
	// by hand: 0.9 for the first place with A there, 0.6 with B there: (0.9 + 0.4) / 2
	n := 0
	j := &Judge{Client: fake(func(Question) (Reply, error) {
		p := []float64{.9, .6}[n]
		n++
		return Reply{First: []Candidate{{"1", math.Log(p)}, {"2", math.Log(1 - p)}}}, nil
	})}
	if v, _ := j.Compare(t.Context(), ask("q"), "a", "b"); math.Abs(v.First-.65) > 1e-12 || math.Abs(v.Bias()-.25) > 1e-12 || v.Steady() {
		t.Errorf("%+v", v)
	}
}

func TestRead(t *testing.T) {
	for text, want := range map[string]string{
		"1": "1", " 2\n": "2", "**2**": "2", "1.": "1", "Answer 2 is better.": "2", "2: because it is true.": "2", "回答1更好。": "1", "更好的是 2。": "2",
		"Answer 1 is wrong, answer 2 is right.\nSo: 2": "2", "1 is bad, 2 is bad": "1", "Both 1 and 2 are fine": "", "12": "", "1.5 points": "", "neither": "", "": "", "v1 is x2": "",
		"I would give it 8/10 overall": "", "They are\n1 or 2": "",
	} {
		o := read(text, pairLabels)
		got := ""
		if o.mass == 1 {
			got = pairLabels[0]
			if o.share[1] == 1 {
				got = pairLabels[1]
			}
		}
		if got != want || o.by != ByText {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

func items(n int) (out []Item) {
	for i := range n {
		it := Item{Prompt: ask(fmt.Sprint("question ", i)), Answers: []string{strings.Repeat("x", 3+i%5), strings.Repeat("y", 1+i*7%11)}, Better: 0}
		if len(it.Answers[1]) > len(it.Answers[0]) {
			it.Better = 1
		}
		out = append(out, it)
	}
	return out
}

// TestPairs judges and reads the rows back as training does.
func TestPairs(t *testing.T) {
	list := items(40)
	list[3].Answers = []string{"same", "same"}
	list[5].Answers, list[5].Better = []string{"a", "ccc {{x}}", "bb"}, -1
	rows, r, err := (&Judge{Client: likes(1, 2), Model: "tiny"}).Pairs(t.Context(), list, .5)
	if err != nil {
		t.Fatal(err)
	}
	equal := 0
	for i, it := range list {
		if i != 5 && len(it.Answers[0]) == len(it.Answers[1]) {
			equal++
		}
	}
	if r.Rows != len(rows) || r.Rows != 40-equal || r.Ties != equal || r.Known != 39 || r.Agrees != 39-equal || r.Likelihood != 42 || r.Text != 0 || r.Bias <= 0 || r.Longer != 1 || r.Chosen <= r.Other {
		t.Errorf("%d rows, %d of equal length: %+v", len(rows), equal, r)
	}
	path := filepath.Join(t.TempDir(), "pairs.jsonl")
	f, _ := os.Create(path)
	for _, row := range rows {
		if row.Feedback != AI || row.Judge != (Source{"tiny", pairWording.hash(), ByLikelihood}) || !(row.Probability > .5) {
			t.Errorf("%+v", row)
		}
		json.NewEncoder(f).Encode(row)
	}
	f.Close()
	n := 0
	for p, err := range source.Pairs([]string{path}, source.Options{}) {
		if err != nil || len(p.Chosen[0].Content) <= len(p.Rejected[0].Content) || !reflect.DeepEqual(p.Prompt, rows[n].Prompt) || p.Margin != nil {
			t.Fatalf("%+v %v", p, err)
		}
		n++
	}
	three := rows[slices.IndexFunc(rows, func(r Row) bool { return r.Prompt[0].Content == "question 5" })]
	if n != len(rows) || three.Chosen[0].Content != "ccc {{x}}" || three.Rejected[0].Content != "a" {
		t.Errorf("%d of %d rows read; of three answers %+v", n, len(rows), three)
	}
	again, _, err := (&Judge{Client: likes(1, 2), Model: "tiny", Parallel: 1}).Pairs(t.Context(), list, .5)
	if err != nil || !reflect.DeepEqual(again, rows) {
		t.Error("one question at a time gives other rows")
	}
	some, r, _ := (&Judge{Client: likes(.1, 0)}).Pairs(t.Context(), list, .6)
	if len(some) == 0 || len(some) >= len(rows) || r.Ties != 40-len(some) {
		t.Errorf("from 0.6 on %d rows, %d ties", len(some), r.Ties)
	}
}

// TestByText: a judge that tells no log-probabilities is read, and every row and the report say so.
func TestByText(t *testing.T) {
	j := &Judge{Model: "talker", Client: fake(func(q Question) (Reply, error) {
		if q.MaxTokens < 10 {
			t.Errorf("room for %d tokens", q.MaxTokens)
		}
		a, b := answersOf(q)
		switch {
		case len(a) > len(b):
			return Reply{Text: "Answer 1 is better."}, nil
		case len(a) < len(b):
			return Reply{Text: "2"}, nil
		}
		return Reply{Text: "1"}, nil // a bias alone
	})}
	rows, r, err := j.Pairs(t.Context(), items(40), .5)
	if err != nil || r.Text != 40 || r.Likelihood != 0 || r.Ties == 0 || r.Ties+len(rows) != 40 || r.Unsteady != r.Ties {
		t.Errorf("%+v %v", r, err)
	}
	for _, row := range rows {
		if row.Judge.By != ByText || row.Probability != 1 {
			t.Errorf("%+v", row)
		}
	}
	mute := &Judge{Client: fake(func(Question) (Reply, error) { return Reply{Text: "I cannot say."}, nil })}
	if rows, r, err := mute.Pairs(t.Context(), items(5), .5); err != nil || len(rows) != 0 || r.Failed != 5 {
		t.Errorf("a judge without a verdict: %d rows, %+v, %v", len(rows), r, err)
	}
}

func TestFailures(t *testing.T) {
	var n atomic.Int64
	some := &Judge{Client: fake(func(q Question) (Reply, error) {
		if strings.Contains(q.Messages[0].Content, "question 7\n") {
			return Reply{}, fmt.Errorf("status 400: %w", ErrUnanswered)
		}
		return likes(1, 0)(q)
	})}
	if rows, r, err := some.Pairs(t.Context(), items(10), .5); err != nil || r.Unanswered != 1 || len(rows)+r.Ties != 9 {
		t.Errorf("%+v %v", r, err)
	}
	down := errors.New("the endpoint refuses all requests")
	dead := &Judge{Parallel: 2, Client: fake(func(q Question) (Reply, error) { n.Add(1); return Reply{}, down })}
	if _, _, err := dead.Pairs(t.Context(), items(1000), .5); !errors.Is(err, down) || n.Load() > 20 {
		t.Errorf("%d questions, %v", n.Load(), err)
	}
	if _, err := (Reward{some, Grades}).Score(t.Context(), []reward.Answer{{Messages: ask("question 7\n"), Text: "x"}}); !errors.Is(err, ErrUnanswered) {
		t.Errorf("a score of nothing: %v", err)
	}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if _, _, err := some.Pairs(ctx, items(10), .5); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

func TestScores(t *testing.T) {
	uniform := fake(func(q Question) (r Reply, _ error) {
		for _, l := range q.Labels {
			r.First = append(r.First, Candidate{l, math.Log(.05)})
		}
		return r, nil
	})
	for scale, want := range map[Scale]float64{Grades: 5.5, Points: 2.5} {
		s, err := (&Judge{Client: uniform}).Score(t.Context(), scale, ask("q"), "a")
		if err != nil || math.Abs(s.Value-want) > 1e-9 || s.By != ByLikelihood || math.Abs(s.Mass-map[Scale]float64{Grades: .5, Points: .3}[scale]) > 1e-9 {
			t.Errorf("%s: %+v %v", scale, s, err)
		}
	}
	reads := fake(func(q Question) (Reply, error) {
		return Reply{Text: fmt.Sprint(min(9, len(between(q.Messages[0].Content, "--- Answer ---", "--- End ---"))))}, nil
	})
	var scorer reward.Scorer = Reward{&Judge{Client: reads}, Grades}
	got, err := scorer.Score(t.Context(), []reward.Answer{{Messages: ask("q"), Text: "four"}, {Messages: ask("q"), Text: "much longer than that"}})
	if err != nil || !reflect.DeepEqual(got, []float64{5, 10}) || reward.Check(got, make([]reward.Answer, 2)) != nil {
		t.Errorf("%v %v", got, err)
	}
	if Grades.Question() == Points.Question() || Grades.Question() == pairWording.hash() {
		t.Error("two questions have one hash")
	}
}

// TestQuestions: the question is in the prompt's language or the one that is named, and what stands in an answer changes no other place.
func TestQuestions(t *testing.T) {
	var last string
	keep := fake(func(q Question) (Reply, error) { last = q.Messages[0].Content; return Reply{First: []Candidate{}}, nil })
	for _, c := range []struct{ prompt, lang, want string }{
		{"What is two and two?", "", "Answer 1"}, {"二加二等于几？", "", "回答 1"}, {"用 Go 写一个函数", "", "回答 1"}, {"What does 你好 mean in English?", "", "Answer 1"}, {"What?", "zh", "回答 1"}, {"为什么", "en", "Answer 1"},
	} {
		v, err := (&Judge{Client: keep, Lang: c.lang}).Compare(t.Context(), ask(c.prompt), "a", "b")
		if err != nil || !strings.Contains(last, "--- "+c.want+" ---") || v.First != .5 || v.Mass[0] != 0 {
			t.Errorf("%q: %+v %v %s", c.prompt, v, err, last)
		}
	}
	long := append([]chat.Message{{Role: chat.System, Content: "{first}"}}, ask("{second} {answer}")...)
	(&Judge{Client: keep}).Compare(t.Context(), long, "{conversation}", "{first}")
	if !strings.Contains(last, "System: {first}\nPerson: {second} {answer}") || !strings.Contains(last, "Answer 1 ---\n{first}\n") || !strings.Contains(last, "Answer 2 ---\n{conversation}\n") {
		t.Errorf("%s", last)
	}
}

func TestItems(t *testing.T) {
	const text = `{"prompt":"q","answers":["a","b"]}` + "\n\n" + `{"prompt":[{"role":"system","content":"s"},{"role":"user","content":"q"}],"answers":["a","b","c"],"better":2}`
	var got []Item
	for it, err := range Items(strings.NewReader(text)) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, it)
	}
	if len(got) != 2 || got[0].Better != -1 || got[1].Better != 2 || len(got[1].Prompt) != 2 || len(got[1].Answers) != 3 {
		t.Errorf("%+v", got)
	}
	for _, bad := range []string{`{"prompt":"q","answers":["a"]}`, `{"prompt":"","answers":["a","b"]}`, `{"prompt":3,"answers":["a","b"]}`, `{"answers":["a","b"]}`, `{`, `{"prompt":"q","answers":["a","b"],"better":2}`} {
		var last error
		for _, err := range Items(strings.NewReader("\n" + bad)) {
			last = err
		}
		if last == nil || !strings.Contains(last.Error(), "line 2") {
			t.Errorf("%s: %v", bad, last)
		}
	}
	pair := &chat.Pair{Prompt: ask("q"), Chosen: said("good"), Rejected: said("bad")}
	made := OfPairs([]*chat.Pair{pair, pair, {Prompt: ask("q"), Chosen: append(said("x"), said("y")...), Rejected: said("z")}})
	if len(made) != 2 || made[0].Answers[made[0].Better] != "good" || made[1].Answers[made[1].Better] != "good" || made[0].Better == made[1].Better {
		t.Errorf("%+v", made)
	}
}

// TestRank pairs the best with the worst by score, and skips what is equal or failed.
func TestRank(t *testing.T) {
	client := fake(func(q Question) (Reply, error) {
		a := between(q.Messages[0].Content, "--- Answer ---", "--- End ---")
		if a == "broken" {
			return Reply{}, &LongError{9, 8}
		}
		n := min(len(a), 5)
		return Reply{First: []Candidate{{fmt.Sprint(n), math.Log(.5)}, {"x", math.Log(.5)}}}, nil
	})
	list := []Item{ItemOf(ask("a"), "1234", "1", "123"), ItemOf(ask("b"), "12", "ab"), ItemOf(ask("c"), "broken", "1"), {ask("d"), []string{"1", "123"}, 0}}
	rows, scores, r, err := (&Judge{Client: client, Model: "m"}).Rank(t.Context(), Points, list, 0)
	if err != nil || len(rows) != 2 || rows[0].Chosen[0].Content != "1234" || rows[0].Rejected[0].Content != "1" || !reflect.DeepEqual(rows[0].Scores, []float64{4, 1}) || rows[0].Feedback != AI || rows[0].Judge.By != ByLikelihood {
		t.Fatalf("%+v %v", rows, err)
	}
	if r.Ties != 1 || r.Unanswered != 1 || scores[2] != nil || scores[0][2].Value != 3 || r.Gap != 2.5 || r.Known != 1 || r.Agrees != 0 || math.Abs(r.Mass-.5) > 1e-12 || math.Abs(r.Score-16.0/7) > 1e-12 {
		t.Errorf("%+v %v", r, scores)
	}
	if rows, _, r, _ := (&Judge{Client: client}).Rank(t.Context(), Points, list, 2.5); len(rows) != 1 || r.Ties != 2 {
		t.Errorf("more than 2.5 points: %d rows, %+v", len(rows), r)
	}
}
