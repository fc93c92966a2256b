package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// annotator scores 5 where a text says lesson, 1 where it says casino, and gives no verdict on others.
func annotator(t *testing.T) (string, *atomic.Int64) {
	var asked atomic.Int64
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		var q struct{ Messages []struct{ Content string } }
		if err := json.NewDecoder(r.Body).Decode(&q); err != nil || len(q.Messages) != 1 {
			t.Errorf("%+v %v", q, err)
			return
		}
		_, page, _ := strings.Cut(q.Messages[0].Content, "<<<")
		answer := "I would say about three."
		if strings.Contains(page, "lesson") {
			answer = "Clear.\nScore: 5"
		} else if strings.Contains(page, "casino") {
			answer = "Advertising.\nScore: 1"
		}
		w.Header().Set("Content-Type", "application/json")
		json.NewEncoder(w).Encode(map[string]any{
			"id": "x", "object": "chat.completion", "created": 1, "model": "m",
			"choices": []any{map[string]any{"index": 0, "finish_reason": "stop", "message": map[string]any{"role": "assistant", "content": answer}}},
			"usage":   map[string]any{"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15},
		})
	}))
	t.Cleanup(s.Close)
	return s.URL + "/v1", &asked
}

func TestAnnotate(t *testing.T) {
	url, asked := annotator(t)
	var b strings.Builder
	for i := range 6 {
		fmt.Fprintf(&b, `{"id":"l%d","text":"This lesson explains leaves, part %d."}`+"\n", i, i)
		fmt.Fprintf(&b, `{"id":"c%d","text":"Best casino bonus number %d, click now."}`+"\n", i, i)
	}
	b.WriteString(`{"id":"n","text":"Something else."}` + "\n")
	data, dir := writeFile(t, "pages.jsonl", b.String()), t.TempDir()
	labels, model := filepath.Join(dir, "labels.jsonl"), filepath.Join(dir, "q.bin")
	annotate := []string{"quality", "annotate", "--data", data, "--endpoint", url, "--model", "m", "--out", labels}
	_, told := said(t, 0, "", annotate...)
	if asked.Load() != 13 || !strings.Contains(told, "12 texts labelled") || !strings.Contains(told, "1 without a verdict") || !strings.Contains(told, "130 + 65 tokens") {
		t.Errorf("%d asked: %s", asked.Load(), told)
	}
	if said(t, 0, "", annotate...); asked.Load() != 13 {
		t.Errorf("%d asked: the cache was not used", asked.Load())
	}
	if _, told := said(t, 0, "", "quality", "agree", labels, labels); !strings.Contains(told, "12 texts: equal 1.000, at most 1 apart 1.000, kappa 1.000 (linear 1.000, quadratic 1.000), Spearman 1.000") {
		t.Error(told)
	}
	if _, told := said(t, 0, "", "quality", "train", "--labels", labels, "--out", model); !strings.Contains(told, "6 bad, 6 good") {
		t.Error(told)
	}
}

// poorAnnotator fails as endpoints do: by what the text says, and by how often it was asked. Pages that say fair have scores of their own
// in a second reading.
type poorAnnotator struct {
	mu     sync.Mutex
	came   map[string]int
	whole  map[string]int
	tokens [2]int // of an answer
}

func (p *poorAnnotator) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var q struct {
		Seed     int64
		Messages []struct{ Content string }
	}
	json.NewDecoder(r.Body).Decode(&q)
	_, page, _ := strings.Cut(q.Messages[0].Content, "<<<\n")
	page, _, _ = strings.Cut(page, "\n>>>")
	key := fmt.Sprint(page, q.Seed)
	p.mu.Lock()
	n := p.came[page]
	p.came[page]++
	p.mu.Unlock()
	words := strings.Fields(page)
	kind, score := words[0], int(words[1][0]-'0')
	if q.Seed > 0 && kind == "fair" {
		score = min(5, score+1)
	}
	w.Header().Set("Content-Type", "application/json")
	answer, finish := fmt.Sprintf("It is about %s.\nScore: %d", kind, score), "stop"
	switch {
	case kind == "busy" && n == 0:
		w.Header().Set("Retry-After", "0")
		http.Error(w, `{"error":{"message":"slow down"}}`, http.StatusTooManyRequests)
		return
	case kind == "broken" && n == 0:
		http.Error(w, `{"error":{"message":"broken"}}`, http.StatusInternalServerError)
		return
	case kind == "json" && n == 0:
		w.Write([]byte(`{"id":"1",,`))
		return
	case kind == "halved" && n == 0:
		w.Header().Set("Content-Length", "4000")
		w.Write([]byte(`{"id":"1","choices":[`))
		return
	case kind == "refused":
		http.Error(w, `{"error":{"message":"no"}}`, http.StatusBadRequest)
		return
	case kind == "long":
		answer, finish = "It is about about about\nScore: 3", "length"
	case kind == "withheld":
		answer, finish = "", "content_filter"
	case kind == "vague":
		answer = "Score: 3 or perhaps 4"
	}
	p.mu.Lock()
	p.whole[key]++
	p.mu.Unlock()
	json.NewEncoder(w).Encode(map[string]any{
		"id": "x", "object": "chat.completion", "created": 1, "model": "m",
		"choices": []any{map[string]any{"index": 0, "finish_reason": finish, "message": map[string]any{"role": "assistant", "content": answer}}},
		"usage":   map[string]any{"prompt_tokens": p.tokens[0], "completion_tokens": p.tokens[1], "total_tokens": p.tokens[0] + p.tokens[1]},
	})
}

// asked is how many whole answers were given, and how many of them again.
func (p *poorAnnotator) asked() (whole, again int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, n := range p.whole {
		whole += n
		again += n - 1
	}
	return whole, again
}

func TestAnnotateFaults(t *testing.T) {
	p := &poorAnnotator{came: map[string]int{}, whole: map[string]int{}, tokens: [2]int{200, 20}}
	s := httptest.NewServer(p)
	t.Cleanup(s.Close)
	var pages strings.Builder
	kinds := []string{"plain", "fair", "busy", "broken", "json", "halved", "plain", "fair", "long", "withheld", "vague", "refused"}
	for i := range 240 {
		fmt.Fprintf(&pages, `{"id":"p%03d","text":"%s %d part %d"}`+"\n", i, kinds[i%len(kinds)], i%6, i)
	}
	data, dir := writeFile(t, "pages.jsonl", pages.String()), t.TempDir()
	first, cache := filepath.Join(dir, "first.jsonl"), filepath.Join(dir, "cache")
	annotate := func(out string, more ...string) string {
		t.Helper()
		_, told := said(t, 0, "", append([]string{"quality", "annotate", "--data", data, "--endpoint", s.URL + "/v1", "--model", "m", "--out", out, "--cache", cache,
			"--price-in", "1", "--price-out", "5", "--in-flight", "16"}, more...)...)
		return told
	}
	read := func(path string) string {
		t.Helper()
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	has := func(told string, all ...string) {
		t.Helper()
		for _, want := range all {
			if !strings.Contains(told, want) {
				t.Errorf("%q is not told: %s", want, told)
			}
		}
	}
	has(annotate(first, "--forecast"), "240 texts (0 of them answered already)", "at most 72,000 answer tokens", "at most about 0.")
	if whole, _ := p.asked(); whole != 0 {
		t.Errorf("a forecast asked for %d answers", whole)
	}
	has(annotate(first), "160 texts labelled (0 to 5: [40 40 20 20 20 20])", "20 without a verdict, 20 cut off, 20 withheld, 20 unanswered",
		"44000 + 4400 tokens", "the labels cost 0.0660 US dollars, 0.0660 of them now")
	if lines := strings.Count(read(first), "\n"); lines != 160 || strings.Count(read(first+".failed.jsonl"), "\n") != 80 {
		t.Errorf("%d labels", lines)
	}
	has(read(first), `"reason":"It is about busy."`, `"usd":0.0003`)
	has(read(first+".failed.jsonl"), `"why":"unclear","answer":"Score: 3 or perhaps 4"`)
	again := read(first)
	has(annotate(first), "the labels cost 0.0660 US dollars, 0.0000 of them now")
	if whole, twice := p.asked(); whole != 220 || twice != 0 || read(first) != again {
		t.Errorf("%d whole answers, %d asked for again, or other labels", whole, twice)
	}
	annotateBudget(t, p, s.URL+"/v1", annotate, read, again, dir)
	agreeFaults(t, annotate, first, dir)
}

// annotateBudget: labels end at a text, the same one each time, and are the beginning of those without a budget.
func annotateBudget(t *testing.T, p *poorAnnotator, endpoint string, annotate func(string, ...string) string, read func(string) string, all, dir string) {
	t.Helper()
	path := filepath.Join(dir, "poor.jsonl")
	told := annotate(path, "--pass", "2", "--budget", "0.02")
	poor := read(path)
	if !strings.Contains(told, "the budget ended the labels") || !strings.Contains(told, "the labels cost 0.0") {
		t.Error(told)
	}
	whole, _ := p.asked()
	if n := strings.Count(poor, "\n"); n < 30 || n > 66 {
		t.Errorf("0.02 dollars bought %d labels at 0.0003", n)
	}
	annotate(path, "--pass", "2", "--budget", "0.02")
	if now, _ := p.asked(); now != whole || read(path) != poor {
		t.Errorf("the same budget again: %d answers after %d, or other labels", now, whole)
	}
	rich := filepath.Join(dir, "second.jsonl")
	annotate(rich, "--pass", "2", "--budget", "50")
	if !strings.HasPrefix(read(rich), poor) {
		t.Error("labels of the smaller budget do not begin those of the larger")
	}
	// A sample does not depend on the order of the data, and a larger one holds the smaller; it is answered by the cache.
	small, large := filepath.Join(dir, "small.jsonl"), filepath.Join(dir, "large.jsonl")
	annotate(small, "--sample", "40")
	annotate(large, "--sample", "80")
	for line := range strings.Lines(read(small)) {
		if !strings.Contains(read(large), line) || !strings.Contains(all, line) {
			t.Errorf("%s is not in the larger sample", line)
		}
	}
	// Attempts that may have been charged for end the command; the answer is there when it goes on.
	data := writeFile(t, "broken.jsonl", `{"id":"x","text":"json 4 and more"}`)
	for _, code := range []int{3, 0} {
		_, told := said(t, code, "", "quality", "annotate", "--data", data, "--endpoint", endpoint, "--model", "m", "--out", filepath.Join(dir, "x.jsonl"), "--price-in", "1", "--price-out", "5", "--budget", "0.002")
		if code == 3 && !strings.Contains(told, "the same command goes on") || code == 0 && !strings.Contains(told, "1 texts labelled") {
			t.Error(told)
		}
	}
	if other := annotate(filepath.Join(dir, "other.jsonl"), "--sample", "40", "--seed", "2", "--forecast"); !strings.Contains(other, "40 texts (") {
		t.Error(other)
	}
}

// agreeFaults compares two passes, and a classifier trained on the one with the labels.
func agreeFaults(t *testing.T, annotate func(string, ...string) string, first, dir string) {
	t.Helper()
	out, told := said(t, 0, "", "quality", "agree", first, filepath.Join(dir, "second.jsonl"))
	// of 160 labels 40 are fair: 1, and 2 in the second reading
	for _, want := range []string{"160 texts: equal 0.750, at most 1 apart 1.000, kappa 0.704", "good from 3: precision 1.000, recall 1.000, F1 1.000", "labels 1: m, 32000 + 3200 tokens, 0.0480 US dollars"} {
		if !strings.Contains(told, want) {
			t.Errorf("%q is not told: %s", want, told)
		}
	}
	if !strings.Contains(out, "first") {
		t.Error(out)
	}
	model := filepath.Join(dir, "q.bin")
	said(t, 0, "", "quality", "train", "--labels", first, "--out", model, "--epochs", "20")
	_, told = said(t, 0, "", "quality", "agree", first, "--model", model)
	if !strings.Contains(told, "160 texts: Spearman 0.") || !strings.Contains(told, "highest F1 on these texts") || !strings.Contains(told, "the labels took 32000 + 3200 tokens") {
		t.Error(told)
	}
	// The same scores out of a run, and the run's kept texts as data.
	recipe := writeFile(t, "r.yaml", fmt.Sprintf("name: scored\ninput: {jsonl: [%q]}\nstages:\n  - quality: {model: %q, min_score: 0}\n", first, model))
	runs := filepath.Join(dir, "runs")
	said(t, 0, "", "run", "--runs", runs, recipe)
	_, byRun := said(t, 0, "", "quality", "agree", first, "scored", "--runs", runs)
	if byRun != told {
		t.Errorf("by the run: %s, by the model: %s", byRun, told)
	}
	if told := annotate(filepath.Join(dir, "kept.jsonl"), "--data", "scored", "--runs", runs, "--forecast"); !strings.Contains(told, "400 texts (380 of them") {
		t.Error(told)
	}
	said(t, 2, "", "quality", "agree", first)
	said(t, 2, "", "quality", "agree", first, first, "--model", model)
	said(t, 2, "", "quality", "agree", first, "scored", "--runs", runs, "--signal", "quality.tier")
	said(t, 2, "", "quality", "annotate", "--data", first, "--endpoint", "http://127.0.0.1:1/v1", "--model", "m", "--budget", "1")
}
