package main

import (
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/spf13/cobra"

	"winnow/cmd/winnow/cli"
	"winnow/cmd/winnow/tuning"
	"winnow/train/chat"
	"winnow/train/chat/source"
	"winnow/train/judge"
)

func judgedLines(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `{"prompt":"What follows %d?","answers":["The number %d.","第%d回"]}`+"\n", i, i+1, i)
	}
	return b.String()
}

// TestJudgeByServe judges by `winnow serve`, which tells log-probabilities, and by the same model in this process: the verdicts are the
// same where the labels are among the tokens that HTTP tells.
func TestJudgeByServe(t *testing.T) {
	model := chatModel(t, "chatml", true)
	url, _ := served(t, model)
	data, dir := writeFile(t, "answers.jsonl", judgedLines(12)), t.TempDir()
	var remote, local judge.Report
	out := filepath.Join(dir, "remote.jsonl")
	winnowJSON(t, &remote, "train", "judge", "--data", data, "--endpoint", url+"v1", "--out", out, "-q")
	winnowJSON(t, &local, "train", "judge", "--data", data, "--judge", model, "--out", filepath.Join(dir, "local.jsonl"), "-q")
	if remote.Model != "talker" || remote.Likelihood != 12 || remote.Text != 0 || remote.Rows == 0 || local.Likelihood != 12 || local.Rows == 0 || !strings.HasPrefix(local.Model, "talker@") {
		t.Fatalf("by the endpoint %+v, in this process %+v", remote, local)
	}
	n := 0
	for p, err := range source.Pairs([]string{out}, source.Options{}) {
		if err != nil || len(p.Prompt) != 1 || len(p.Chosen) != 1 {
			t.Fatalf("%+v %v", p, err)
		}
		n++
	}
	b, err := os.ReadFile(out)
	if err != nil || n != remote.Rows || strings.Count(string(b), `"by":"likelihood"`) != n || strings.Count(string(b), `"feedback":"ai"`) != n {
		t.Errorf("%d of %d rows: %s", n, remote.Rows, b)
	}
	var again judge.Report // all from the cache
	_, told := said(t, 0, "", "train", "judge", "--data", data, "--endpoint", url+"v1", "--out", out)
	if !strings.Contains(told, "0 requests") {
		t.Errorf("asked again: %s", told)
	}
	winnowJSON(t, &again, "train", "judge", "--data", out, "--judge", model, "--out", filepath.Join(dir, "again.jsonl"), "-q")
	if again.Known != n {
		t.Errorf("of %d pairs with a verdict %d are known", n, again.Known)
	}
	var scored judge.Report
	winnowJSON(t, &scored, "train", "judge", "--data", data, "--judge", model, "--scores", "points", "--out", filepath.Join(dir, "scored.jsonl"), "-q")
	if scored.Score <= 0 || scored.Score >= 5 || scored.Gap <= 0 || scored.Likelihood != 24 {
		t.Errorf("%+v", scored)
	}
	for _, bad := range [][]string{{"--data", data}, {"--data", data, "--judge", model, "--endpoint", url}, {"--data", data, "--judge", model, "--scores", "stars"}, {"--judge", model}, {"--data", "nowhere", "--judge", model}} {
		said(t, 2, "", append([]string{"train", "judge", "--out", filepath.Join(dir, "x")}, bad...)...)
	}
}

// TestExactAndTold compares the exact log-probabilities of labels with those that HTTP tells of the 20 likeliest tokens.
func TestExactAndTold(t *testing.T) {
	model := chatModel(t, "chatml", true)
	url, _ := served(t, model)
	a := &app{&cli.App{Err: &strings.Builder{}, Out: &strings.Builder{}, Quiet: true}}
	var f cli.EndpointFlags
	f.Add(a.App, &cobra.Command{})
	f.BaseURL = url + "v1"
	e, err := f.Open(a.App, t.Context(), filepath.Join(t.TempDir(), "out"))
	if err != nil {
		t.Fatal(err)
	}
	defer e.Client.Close()
	local, _, pool, err := tuning.LocalJudge(a.App, model, cli.MachineFlags{})
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	compared := 0
	for i := range 10 {
		q := judge.Question{Messages: []chat.Message{{Role: chat.User, Content: fmt.Sprint("question ", i)}}, MaxTokens: 4}
		for c := range 10 {
			q.Labels = append(q.Labels, fmt.Sprint(c))
		}
		exact, err := local.Ask(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		told, err := e.Ask(t.Context(), q)
		if err != nil || told.First == nil {
			t.Fatalf("%+v %v", told, err)
		}
		for _, c := range told.First {
			for _, x := range exact.First {
				if c.Token == x.Token {
					compared++
					if math.Abs(c.Logprob-x.Logprob) > 1e-4 {
						t.Errorf("question %d, %q: told %g, exactly %g", i, c.Token, c.Logprob, x.Logprob)
					}
				}
			}
		}
	}
	if compared < 3 {
		t.Errorf("only %d labels were told", compared)
	}
}

// wordy is an endpoint that fails as real ones do: the first request of each kind gets a 429, log-probabilities are refused or passed
// over in silence, and one prompt is refused for good.
func wordy(t *testing.T, refuses bool) (*httptest.Server, *atomic.Int64) {
	var n atomic.Int64
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if strings.HasSuffix(r.URL.Path, "/models") {
			fmt.Fprint(w, `{"data":[{"id":"talks"}]}`)
			return
		}
		var q struct {
			Logprobs bool
			Messages []struct{ Content string }
			Max      int `json:"max_tokens"`
		}
		if err := json.NewDecoder(r.Body).Decode(&q); err != nil {
			t.Error(err)
		}
		said := q.Messages[len(q.Messages)-1].Content
		switch {
		case n.Add(1) == 1:
			w.Header().Set("Retry-After", "0.01")
			w.WriteHeader(429)
			fmt.Fprint(w, `{"error":{"message":"slow down","type":"rate","code":"rate"}}`)
			return
		case refuses && q.Logprobs:
			w.WriteHeader(400)
			fmt.Fprint(w, `{"error":{"message":"logprobs are not supported","type":"invalid_request_error","code":null}}`)
			return
		case strings.Contains(said, "What follows 3?"):
			w.WriteHeader(400)
			fmt.Fprint(w, `{"error":{"message":"refused","type":"invalid_request_error","code":null}}`)
			return
		}
		answer, _ := json.Marshal("Answer 1 is wrong.\nThe better one is: 2")
		if first, _, _ := strings.Cut(said, "--- Answer 2 ---"); strings.Contains(first, "The number") {
			answer = []byte(`"1, since it is right"`)
		}
		if q.Max == 1 {
			answer = []byte(`"The"`)
		}
		fmt.Fprintf(w, `{"choices":[{"index":0,"finish_reason":"stop","message":{"role":"assistant","content":%s}}],"usage":{"prompt_tokens":9,"completion_tokens":3,"total_tokens":12}}`, answer)
	}))
	t.Cleanup(s.Close)
	return s, &n
}

// TestJudgeByText: where no log-probabilities come the verdict is read, and that is said.
func TestJudgeByText(t *testing.T) {
	for _, refuses := range []bool{false, true} {
		s, n := wordy(t, refuses)
		data, out := writeFile(t, "answers.jsonl", judgedLines(8)), filepath.Join(t.TempDir(), "pairs.jsonl")
		table, told := said(t, 3, "", "train", "judge", "--data", data, "--endpoint", s.URL+"/v1", "--in-flight", "1", "--out", out)
		b, err := os.ReadFile(out)
		if err != nil || strings.Count(string(b), `"by":"text"`) != 7 || strings.Count(string(b), `"chosen":[{"role":"assistant","content":"The number`) != 7 || !strings.Contains(string(b), `"model":"talks"`) {
			t.Errorf("%v %s", err, b)
		}
		if !strings.Contains(table, "0 by likelihood, 7 by what the judge said") || !strings.Contains(told, "1 not judged") {
			t.Errorf("%s %s", table, told)
		}
		if got := n.Load(); got > 20 { // asked in vain for log-probabilities once, not each time
			t.Errorf("%d requests", got)
		}
	}
}

// TestTeachByServe has the served model answer, stops it by a budget, and goes on.
func TestTeachByServe(t *testing.T) {
	run, _ := smallRun(t, 30)
	url, _ := served(t, chatModel(t, "chatml", false))
	list, out := writeFile(t, "list.txt", "What is one?\nWhat is two?\n第三是什么？\n"), filepath.Join(t.TempDir(), "answers.jsonl")
	args := []string{"train", "teach", "--endpoint", url + "v1", "--instructions", list, "--out", out, "--max-tokens", "12", "--keep-cut"}
	_, told := said(t, 3, "", append(args, "--token-budget", "60", "--in-flight", "1")...)
	if !strings.Contains(told, "--token-budget goes on") {
		t.Errorf("%s", told)
	}
	said(t, 0, "", args...)
	var c checked
	winnowJSON(t, &c, "check", out, "--as", "chat")
	if c.Used != 3 || c.Shapes["prompt-completion"] != 3 {
		t.Errorf("%+v", c)
	}
	b, _ := os.ReadFile(out)
	if strings.Count(string(b), `"teacher":{"model":"talker"`) != 3 || !strings.Contains(string(b), `"completion_tokens":12`) || !strings.Contains(string(b), `list.txt:3"`) {
		t.Errorf("%s", b)
	}
	halves := filepath.Join(t.TempDir(), "halves.jsonl")
	said(t, 0, "", "train", "teach", "--endpoint", url+"v1", "--continue", "--data", run, "--least", "20", "--limit", "5", "--out", halves, "--max-tokens", "12", "--keep-cut")
	n := 0
	for c, err := range source.Conversations([]string{halves}, source.Options{}) {
		if err != nil || strings.Contains(c.Messages[0].Content, "Below is") || strings.HasPrefix(c.Messages[0].Content, "下面") {
			t.Errorf("%+v %v", c, err)
		}
		n++
	}
	if n != 5 {
		t.Errorf("%d second halves", n)
	}
	said(t, 2, "", "train", "teach", "--endpoint", url+"v1", "--out", out)
	said(t, 1, "", "train", "teach", "--endpoint", "http://127.0.0.1:1/v1", "--instructions", list, "--out", out)
	said(t, 1, "", "train", "teach", "--endpoint", url+"v1", "--endpoint-model", "another", "--instructions", list, "--out", filepath.Join(t.TempDir(), "x"))
}

// TestSelfReward runs one round, and then a second behind it, by the command.
func TestSelfReward(t *testing.T) {
	model, out := chatModel(t, "chatml", true), filepath.Join(t.TempDir(), "self")
	prompts := writeFile(t, "prompts.jsonl", `{"prompt":"What follows 3?","next":4}`+"\n"+`{"prompt":"第五回之后？","next":6}`+"\n")
	args := []string{"train", "self", "--model", model, "--prompts", prompts, "--out", out, "--candidates", "3", "--max-tokens", "8", "--steps", "2", "--lr", "1e-6", "--batch", "2", "--true-reward-expr", "length + next"}
	table, told := said(t, 0, "", append(args, "--rounds", "1")...)
	if !strings.Contains(table, "truly better") || !strings.Contains(told, "round 1: judging") || !strings.Contains(told, "round-1/model") {
		t.Errorf("%s %s", table, told)
	}
	table, told = said(t, 0, "", append(args, "--rounds", "2")...)
	if strings.Contains(told, "round 1: judging") || !strings.Contains(told, "round 2: judging") || strings.Count(table, "\n") < 3 {
		t.Errorf("%s %s", table, told)
	}
	lineage, _ := said(t, 0, "", "lineage", filepath.Join(out, "round-2", "model"))
	if strings.Count(lineage, "dpo") != 2 {
		t.Errorf("%s", lineage)
	}
	for _, bad := range [][]string{{"--candidates", "1"}, {"--scores", "stars"}, {"--true-reward-expr", "lenth"}, {"--temperature", "0.3"}, {"--merge=false"}} {
		said(t, 2, "", append(args, bad...)...)
	}
	said(t, 2, "", "train", "self", "--model", model, "--out", out)
}
