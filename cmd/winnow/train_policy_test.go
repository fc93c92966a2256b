package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"winnow/train/tune/tunetest"
)

// TestRewardsOfOthers: a policy is tuned by an HTTP endpoint that fails at first, and by a judge behind an OpenAI-compatible one.
func TestRewardsOfOthers(t *testing.T) {
	parent := tunetest.Parent(t, 64, "chatml", "what is the sky and the grass and the sea")
	file := filepath.Join(t.TempDir(), "prompts.jsonl")
	var rows strings.Builder
	for i := range 12 {
		fmt.Fprintf(&rows, "{\"prompt\": \"what is %d\", \"gold\": %d}\n", i, i)
	}
	if err := os.WriteFile(file, []byte(rows.String()), 0o666); err != nil {
		t.Fatal(err)
	}
	scored, graded := 0, 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/v1/chat/completions" {
			graded++
			w.Header().Set("Content-Type", "application/json")
			fmt.Fprint(w, `{"id": "1", "object": "chat.completion", "model": "judge", "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "7"}}], "usage": {"prompt_tokens": 9, "completion_tokens": 1, "total_tokens": 10}}`)
			return
		}
		if scored++; scored == 1 {
			http.Error(w, "busy", http.StatusServiceUnavailable)
			return
		}
		var body struct {
			Completions []string
			Columns     []map[string]any
		}
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil || body.Columns[0]["gold"] == nil {
			http.Error(w, "bad body", http.StatusBadRequest)
			return
		}
		rewards := make([]int, len(body.Completions))
		for i, c := range body.Completions {
			rewards[i] = len(c)
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"rewards": rewards})
	}))
	defer server.Close()
	for _, c := range []struct {
		name, says string
		flags      []string
	}{
		{"endpoint", "reward: endpoint http", []string{"--reward-url", server.URL + "/score"}},
		{"judge", "reward: AI judge judge at http", []string{"--endpoint", server.URL + "/v1", "--endpoint-model", "judge"}},
	} {
		var out, told bytes.Buffer
		dir := filepath.Join(t.TempDir(), c.name)
		args := append([]string{"train", "rloo", "--model", parent, "--prompts", file, "--out", dir, "--batch", "2", "--samples", "2", "--max-tokens", "6", "--rounds", "2", "--held-prompts", "2", "--threads", "1"}, c.flags...)
		if code := run(args, strings.NewReader(""), &out, &told); code != 0 || !strings.Contains(told.String(), c.says) {
			t.Errorf("%s: code %d\n%s%s", c.name, code, out.String(), told.String())
		}
	}
	if scored < 4 || graded < 4 {
		t.Errorf("%d requests for scores, %d to the judge", scored, graded)
	}
}
