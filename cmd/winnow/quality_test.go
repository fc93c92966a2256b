package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
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
	if _, told := said(t, 0, "", "quality", "agree", labels, labels); !strings.Contains(told, "12 texts: equal 1.000, kappa 1.000, quadratic kappa 1.000, Spearman 1.000") {
		t.Error(told)
	}
	if _, told := said(t, 0, "", "quality", "train", "--labels", labels, "--out", model); !strings.Contains(told, "6 bad, 6 good") {
		t.Error(told)
	}
}
