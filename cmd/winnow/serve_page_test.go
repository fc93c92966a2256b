package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"winnow/cmd/winnow/cli"
	"winnow/train/bpe"
	"winnow/train/chat"
	"winnow/train/chat/source"
	"winnow/train/checkpoint"
	"winnow/train/judge"
	"winnow/train/llm"
	"winnow/train/serve/feedback"
)

// chatModel makes a folder with a model of random weights that reads conversations by a template. Such a model hardly ends a turn; one that
// judges is made so that it likes to say 1 or 2 when it is asked which answer is better.
func chatModel(t *testing.T, template string, judges bool) string {
	t.Helper()
	_, texts := smallRun(t, 120)
	tok, err := bpe.Train(slices.Values(texts), bpe.TrainOptions{Vocab: 400})
	if err != nil {
		t.Fatal(err)
	}
	c, err := chat.New(template, tok)
	if err != nil {
		t.Fatal(err)
	}
	pool, err := llm.NewPool(0, "")
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	info := &checkpoint.Info{Kind: "base"}
	c.Stamp(info)
	dir := filepath.Join(t.TempDir(), "talker")
	for seed := range uint64(40) {
		m, err := llm.New(llm.Config{Vocab: tok.Size(), Context: 8192, Dim: 192, FFN: 512, Layers: 6, Heads: 6, KVHeads: 3, HeadDim: 32, NormEps: 1e-5, RopeTheta: 1e4}, seed+1)
		if err != nil {
			t.Fatal(err)
		}
		bend(m, tok, c, judges)
		if judges {
			local, err := judge.NewLocal(m, tok, c, pool)
			if err != nil {
				t.Fatal(err)
			}
			v, err := (&judge.Judge{Client: local}).Compare(t.Context(), []chat.Message{{Role: chat.User, Content: "What follows 3?"}}, "The number 4.", "第3回")
			if err != nil {
				t.Fatal(err)
			}
			if v.Mass[0] < .1 {
				continue
			}
		}
		if err := checkpoint.SaveModel(dir, m, tok, info); err != nil {
			t.Fatal(err)
		}
		return dir
	}
	t.Fatal("no model likes to say 1 or 2")
	return ""
}

// bend scales the rows of the head: with judges, only digits matter, and 1 and 2 are likely together.
func bend(m *llm.Model, tok *bpe.Tokenizer, c *chat.Template, judges bool) {
	for _, p := range m.Params() {
		if p.Name != "head" {
			continue
		}
		row := func(id int) []float32 { return p.Value[id*m.Dim : (id+1)*m.Dim] }
		digits := map[string][]float32{}
		for id := range tok.Size() {
			by := float32(10)
			text := string(tok.Token(int32(id)))
			switch digit := len(text) == 1 && text >= "0" && text <= "9"; {
			case int32(id) == c.End() || int32(id) == tok.EOS() || strings.TrimSpace(text) == "": // an answer of white space alone cannot be judged
				by = 0
			case digit:
				digits[text] = row(id)
			case judges:
				by = .1
			}
			for i := range row(id) {
				row(id)[i] *= by
			}
		}
		if judges {
			for i, v := range digits["1"] {
				digits["2"][i] = v + .1*digits["2"][i]
			}
		}
	}
}

// served runs `winnow serve` with a free port until the test ends and gives its address; stop ends it earlier.
func served(t testing.TB, args ...string) (url string, stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	in, out := io.Pipe()
	a := &app{&cli.App{In: strings.NewReader(""), Out: io.Discard, Err: out}}
	args = append([]string{"serve", "--addr", "127.0.0.1:0", "--json", "--lang", "en", "--grace", "1s"}, args...)
	root := a.root(args)
	root.SetArgs(args)
	done := make(chan int, 1)
	go func() { done <- a.exit(ctx, root.ExecuteContext(ctx)); out.Close() }()
	lines := bufio.NewReader(in)
	line, err := lines.ReadBytes('\n')
	go io.Copy(io.Discard, lines)
	var serving struct{ URL string }
	if err != nil || json.Unmarshal(line, &serving) != nil {
		t.Fatalf("%q %v", line, err)
	}
	ended := false
	stop = func() {
		if ended {
			return
		}
		ended = true
		cancel()
		if code := <-done; code != 0 {
			t.Errorf("serve: exit code %d", code)
		}
	}
	t.Cleanup(stop)
	return strings.TrimSuffix(serving.URL, "v1"), stop
}

// TestChatPage serves the page and judges over HTTP; the files are then checked as training data by the command.
func TestChatPage(t *testing.T) {
	model, dir := chatModel(t, "chatml", false), filepath.Join(t.TempDir(), "said")
	url, stop := served(t, model, "--chat", "--feedback", dir)
	r, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	b, _ := io.ReadAll(r.Body)
	r.Body.Close()
	if !strings.Contains(string(b), "talker") || !strings.Contains(r.Header.Get("Content-Security-Policy"), "default-src 'none'") {
		t.Errorf("%v %s", r.Header, b)
	}
	bodies := []string{
		`{"kind":"thumb","subject":"1","prompt":[{"role":"user","content":"{{a}}"}],"completion":"Human: x\n\nAssistant: y","label":false,"sampling":{"temperature":1,"top_p":1,"seed":4294967295}}`,
		`{"kind":"pick","subject":"2","prompt":[{"role":"user","content":"q"}],"chosen":"x","rejected":"y"}`,
		`{"kind":"edit","subject":"3","prompt":[{"role":"user","content":"q"}],"completion":"x","rejected":"y"}`,
	}
	for i := range 6 {
		bodies = append(bodies, fmt.Sprintf(`{"kind":"thumb","subject":"t%d","prompt":[{"role":"user","content":"number %d?"}],"completion":"The number %d.","label":%v}`, i, i, i, i%2 == 0),
			fmt.Sprintf(`{"kind":"pick","subject":"p%d","prompt":[{"role":"user","content":"number %d?"}],"chosen":"The number %d.","rejected":"no %d"}`, i, i, i, i))
	}
	for _, body := range bodies {
		r, err := http.Post(url+"feedback", "application/json", strings.NewReader(body))
		if err != nil || r.StatusCode != 200 {
			t.Fatalf("%v %v", r, err)
		}
		r.Body.Close()
	}
	said(t, 2, "", "serve", model, "--addr", "127.0.0.1:0", "--chat", "--feedback", dir) // one writer
	stop()
	for file, as := range map[string]string{"thumbs.jsonl": "feedback", "pairs.jsonl": "preference", "edits.jsonl": "chat"} {
		var c checked
		winnowJSON(t, &c, "check", filepath.Join(dir, file), "--as", as)
		if want := map[string]int{"thumbs.jsonl": 7, "pairs.jsonl": 8, "edits.jsonl": 1}[file]; c.Used != want || c.Refused != 0 {
			t.Errorf("%s: %+v", file, c)
		}
	}
	said(t, 2, "", "serve", model, "--feedback", dir)
	for method, file := range map[string]string{"kto": "thumbs.jsonl", "dpo": "pairs.jsonl", "reward": "pairs.jsonl", "sft": "edits.jsonl"} { // as it is
		args := []string{"train", method, "--model", model, "--data", filepath.Join(dir, file), "--steps", "2", "--out", filepath.Join(t.TempDir(), method), "-q"}
		if method == "sft" {
			args = append(args, "--holdout", "0")
		} else {
			args = append(args, "--batch", "2", "--holdout", "0.3", "--length", "256")
		}
		said(t, 0, "", args...)
	}
}

// held is a server behind a proxy that lets few events of every stream through, and more for each POST to more: an answer never ends before
// it is stopped, however fast the model and however slow the browser is.
func held(t *testing.T, target string) string {
	t.Helper()
	to, err := url.Parse(target)
	if err != nil {
		t.Fatal(err)
	}
	more := make(chan struct{})
	proxy := &httputil.ReverseProxy{
		FlushInterval: -1,
		ErrorLog:      log.New(io.Discard, "", 0), // of browsers that leave
		Rewrite:       func(r *httputil.ProxyRequest) { r.SetURL(to) },
		ModifyResponse: func(r *http.Response) error {
			if strings.HasPrefix(r.Header.Get("Content-Type"), "text/event-stream") {
				r.Body = &heldBody{ReadCloser: r.Body, lines: bufio.NewReader(r.Body), ctx: r.Request.Context(), more: more, free: heldEvents}
			}
			return nil
		},
	}
	mux := http.NewServeMux()
	mux.Handle("/", proxy)
	mux.HandleFunc("POST /more", func(_ http.ResponseWriter, r *http.Request) {
		select {
		case more <- struct{}{}:
		case <-r.Context().Done():
		}
	})
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s.URL + "/"
}

const heldEvents = 12 // of a stream that come at once

// heldBody is a stream of events of which free may pass.
type heldBody struct {
	io.ReadCloser
	lines *bufio.Reader
	ctx   context.Context // of the one who asked
	more  chan struct{}
	free  int
	line  []byte // what is left of a line
}

func (h *heldBody) Read(p []byte) (int, error) {
	if len(h.line) == 0 {
		if h.free == 0 {
			select {
			case <-h.more:
				h.free = heldEvents
			case <-h.ctx.Done():
				return 0, h.ctx.Err()
			}
		}
		line, err := h.lines.ReadBytes('\n')
		if err != nil {
			return 0, err
		}
		if h.line = line; len(line) == 1 { // an empty line ends an event
			h.free--
		}
	}
	n := copy(p, h.line)
	h.line = h.line[n:]
	return n, nil
}

// TestChatInBrowser works the page in the browser that WINNOW_BROWSER names (a Chromium); WINNOW_NODE is the folder with the packages of
// .ci/browser/package.json. Screenshots go to WINNOW_SHOTS, if set.
func TestChatInBrowser(t *testing.T) {
	if os.Getenv("WINNOW_BROWSER") == "" || os.Getenv("WINNOW_NODE") == "" {
		t.Skip("WINNOW_BROWSER and WINNOW_NODE are not set: see .ci/browser/run")
	}
	model, dir := chatModel(t, "chatml", false), filepath.Join(t.TempDir(), "said")
	at, _ := served(t, model, "--slots", "2", "--chat", "--feedback", dir)
	slow := held(t, at)
	shots := os.Getenv("WINNOW_SHOTS")
	if shots == "" {
		shots = t.TempDir()
	}
	cmd := exec.Command("node", "../../.ci/browser/chat.mjs", at, shots, slow)
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, &said)
	}
	var got struct {
		Asked, First, A, B, Second string
		Faults                     []string
	}
	if err := json.Unmarshal(out, &got); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for _, f := range got.Faults {
		t.Error(f)
	}
	thumbs := judgedRows(t, dir)
	if len(thumbs) != 2 {
		t.Fatalf("%d thumbs", len(thumbs))
	}
	one, two := thumbs[0], thumbs[1]
	if n := len(one.Prompt); one.Good || one.Answer[0].Content != got.First || one.Prompt[0].Role != chat.System || one.Prompt[1].Content != got.Asked || one.Prompt[n-1].Content != "And now?" {
		t.Errorf("first thumb: %+v", one)
	}
	if two.Good || two.Answer[0].Content != got.Second || two.Prompt[1].Content != got.B || two.Prompt[0].Content != "第一行\n第二行" {
		t.Errorf("second thumb: %+v", two)
	}
	var pairs []*chat.Pair
	for p, err := range source.Pairs([]string{filepath.Join(dir, feedback.PairsName)}, source.Options{}) {
		if err != nil {
			t.Fatal(err)
		}
		pairs = append(pairs, p)
	}
	if len(pairs) != 3 || pairs[0].Chosen[0].Content != "What it should have said: {{name}} <b>bold</b>" || pairs[0].Rejected[0].Content != got.First ||
		pairs[1].Chosen[0].Content != got.B || pairs[1].Rejected[0].Content != got.A || pairs[2].Chosen[0].Content != "应当这样回答。" || pairs[2].Rejected[0].Content != got.Second {
		t.Errorf("pairs: %+v", pairs)
	}
	b, err := os.ReadFile(filepath.Join(dir, feedback.LogName))
	if err != nil || strings.Count(string(b), "\n") != 10 || strings.Contains(string(b), "evil") || strings.Count(string(b), `"undone":true`) != 2 || strings.Count(string(b), `"template":"chatml","template_hash":"`) != 10 {
		t.Errorf("%v: the log: %s", err, b)
	}
}

func judgedRows(t *testing.T, dir string) (out []*chat.Judged) {
	t.Helper()
	for j, err := range source.Feedback([]string{filepath.Join(dir, feedback.ThumbsName)}, source.Options{}) {
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, j)
	}
	return out
}
