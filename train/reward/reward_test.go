package reward

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"winnow/train/chat"
)

func TestExpression(t *testing.T) {
	a := Answer{Prompt: "2+3?", Text: "It is 5。", Ended: true, IDs: make([]int32, 9), From: 4, Columns: map[string]any{"gold": "5", "answer": "five", "n": 5.0, "list": []any{"5", "6"}}}
	columns := []string{"gold", "answer", "n", "list", "absent"}
	for _, c := range []struct {
		text string
		want float64
	}{
		{`answer contains gold`, 1},
		{`length < 5`, 0},
		{`length`, 8},
		{`len(answer)`, 8},
		{`tokens`, 5},
		{`ended ? 1 : -1`, 1},
		{`ended ? 0.5 : -1`, .5},
		{`answer contains row.gold && prompt startsWith "2"`, 1},
		{`row.answer == "five"`, 1},
		{`row["n"] * 2`, 10},
		{`n / 2`, 2.5},
		{`any(list, answer contains #)`, 1},
		{`(answer contains "5" ? 1 : 0) - 0.01 * tokens`, .95},
		{`float(split(answer, " ")[2])`, math.NaN()},
		{`absent == nil`, 1},
		{`answer matches "^It is [0-9]"`, 1},
	} {
		x, err := NewExpression(c.text, columns)
		if err != nil {
			t.Errorf("%s: %v", c.text, err)
			continue
		}
		scores, err := x.Score(context.Background(), []Answer{a})
		if math.IsNaN(c.want) {
			if err == nil {
				t.Errorf("%s: no error but %v", c.text, scores)
			}
			continue
		}
		if err != nil || math.Abs(scores[0]-c.want) > 1e-12 {
			t.Errorf("%s: %v, %v; want %g", c.text, scores, err, c.want)
		}
	}
}

func TestExpressionMistakes(t *testing.T) {
	for _, c := range []struct{ text, says string }{
		{`answr contains "x"`, "unknown name answr"},
		{`answer +`, "unexpected token"},
		{`answer`, "neither a number nor a condition"},
		{`now() > 1`, "now"},
		{`len(answer) && true`, "mismatched types"},
	} {
		_, err := NewExpression(c.text, []string{"gold"})
		var wrong *ExpressionError
		if !errors.As(err, &wrong) || !strings.Contains(err.Error(), c.says) || !slices.Contains(wrong.Names, "gold") || wrong.Column < 1 {
			t.Errorf("%s: %v", c.text, err)
		}
	}
	x, err := NewExpression(`gold`, []string{"gold"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := x.Score(context.Background(), []Answer{{Text: "hm", Columns: map[string]any{"gold": "five"}}}); err == nil || !strings.Contains(err.Error(), "neither a number") {
		t.Errorf("a text as score: %v", err)
	}
	x, err = NewExpression(`length / (tokens - tokens)`, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := x.Score(context.Background(), []Answer{{Text: "hm"}}); err == nil || !strings.Contains(err.Error(), "hm") {
		t.Errorf("an infinite score: %v", err)
	}
}

// answers are numbered, so that order shows.
func answers(n int) (list []Answer) {
	for i := range n {
		list = append(list, Answer{Prompt: "p", Messages: []chat.Message{{Role: chat.User, Content: "p"}}, Text: fmt.Sprint(i), Columns: map[string]any{"gold": i}})
	}
	return list
}

func TestEndpoint(t *testing.T) {
	calls := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		calls++
		if calls%2 == 1 {
			http.Error(w, "busy", http.StatusServiceUnavailable)
			return
		}
		var body struct {
			Prompts, Completions []string
			Ended                []bool
			Messages             [][]chat.Message
			Columns              []map[string]any
		}
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil || r.Header.Get("Authorization") != "Bearer x" || len(body.Prompts) != len(body.Messages) || body.Messages[0][0].Content != "p" {
			http.Error(w, "bad body", http.StatusBadRequest)
			return
		}
		var out []float64
		for _, c := range body.Columns {
			out = append(out, 2*c["gold"].(float64))
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"rewards": out})
	}))
	defer server.Close()
	e, err := NewEndpoint(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	e.Batch, e.Pause, e.Header = 4, time.Millisecond, http.Header{"Authorization": {"Bearer x"}}
	scores, err := e.Score(context.Background(), answers(10))
	if err != nil || !slices.Equal(scores, []float64{0, 2, 4, 6, 8, 10, 12, 14, 16, 18}) || calls != 6 {
		t.Errorf("scores %v, %v, %d calls", scores, err, calls)
	}
}

func TestEndpointFailures(t *testing.T) {
	for _, c := range []struct {
		status int
		body   string
		calls  int
		says   string
	}{
		{500, "broken", 3, "status 500 after 3 tries: broken"},
		{404, "no such page", 1, "status 404: no such page"},
		{200, `{"rewards": [1]}`, 1, "1 rewards for 2 answers"},
		{200, `{"rewards": [1, null]}`, 1, "reward 1 is null"},
		{200, `<html>`, 1, `is no {"rewards"`},
		{200, `[1, 2]`, 1, ""},
		{200, `{"scores": [1, 2]}`, 1, ""},
	} {
		calls := 0
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			calls++
			w.WriteHeader(c.status)
			fmt.Fprint(w, c.body)
		}))
		e := &Endpoint{URL: server.URL, Tries: 3, Pause: time.Microsecond}
		scores, err := e.Score(context.Background(), answers(2))
		server.Close()
		if calls != c.calls || c.says == "" && (err != nil || scores[1] != 2) || c.says != "" && (err == nil || !strings.Contains(err.Error(), c.says)) {
			t.Errorf("%d %s: %d calls, %v, %v", c.status, c.body, calls, scores, err)
		}
	}
	for _, address := range []string{"localhost:1", "ftp://x/", "http://"} {
		if _, err := NewEndpoint(address); err == nil {
			t.Errorf("%s is taken", address)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	e := &Endpoint{URL: "http://127.0.0.1:1/", Pause: time.Hour}
	if _, err := e.Score(ctx, answers(1)); !errors.Is(err, context.Canceled) {
		t.Errorf("ended context: %v", err)
	}
}

func FuzzScoresOf(f *testing.F) {
	for _, seed := range []string{`[1, 2]`, `{"rewards": [1, 2]}`, `{"scores": [1, null]}`, `[`, `{"rewards": {"a": 1}}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		scores, err := scoresOf(text, 2)
		if err == nil && (len(scores) != 2 || Check(scores, make([]Answer, 2)) != nil) {
			t.Fatalf("%q: %v", text, scores)
		}
	})
}
