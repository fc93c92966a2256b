package serve

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

func server(t testing.TB, o Options, context int) (*Engine, string) {
	e := engine(t, o, context)
	h := httptest.NewServer(NewServer(e, "tiny", nil, "test"))
	t.Cleanup(h.Close)
	return e, h.URL
}

func post(t testing.TB, url, body string) (int, http.Header, string) {
	t.Helper()
	r, err := http.Post(url, "application/json", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return r.StatusCode, r.Header, string(b)
}

// TestEvents reads the stream byte by byte: each event is one data line and one empty line, and the last says [DONE].
func TestEvents(t *testing.T) {
	_, url := server(t, Options{}, 256)
	for path, body := range map[string]string{
		"/v1/completions":      `{"prompt":"The","max_tokens":12,"seed":1,"stream":true}`,
		"/v1/chat/completions": `{"messages":[{"role":"user","content":[{"type":"text","text":"The"}]}],"max_tokens":12,"seed":1,"stream":true}`,
	} {
		status, header, got := post(t, url+path, body)
		if status != 200 || header.Get("Content-Type") != "text/event-stream" || !strings.HasSuffix(got, "\n\ndata: [DONE]\n\n") {
			t.Errorf("%s: %d %s %q", path, status, header, got)
		}
		events := strings.Split(strings.TrimSuffix(got, "\n\n"), "\n\n")
		finished := 0
		for _, event := range events[:len(events)-1] {
			data, ok := strings.CutPrefix(event, "data: ")
			var chunk struct {
				Object  string
				Choices []struct {
					Finish *string `json:"finish_reason"`
				}
			}
			if err := json.Unmarshal([]byte(data), &chunk); !ok || err != nil || strings.Contains(data, "\n") || len(chunk.Choices) != 1 {
				t.Errorf("%s: event %q: %v", path, event, err)
				continue
			}
			if chunk.Choices[0].Finish != nil {
				finished++
			}
		}
		if finished != 1 || len(events) < 4 {
			t.Errorf("%s: %d events, %d of them with a reason to end", path, len(events), finished)
		}
	}
}

func TestErrors(t *testing.T) {
	_, url := server(t, Options{Slots: 1, Queue: 1}, 32)
	for _, c := range []struct {
		path, body string
		status     int
		say        string
	}{
		{"/v1/completions", `{`, 400, "not a JSON object"},
		{"/v1/completions", `[]`, 400, "not what belongs here"},
		{"/v1/completions", `{} {}`, 400, "more than one JSON value"},
		{"/v1/completions", `{"prompt":5}`, 400, "prompt: write a text"},
		{"/v1/completions", `{"prompt":[]}`, 400, "prompt: write a text"},
		{"/v1/completions", `{"prompt":[[1],[]]}`, 400, "empty"},
		{"/v1/completions", `{"prompt":[100000]}`, 400, "not in the vocabulary"},
		{"/v1/completions", `{"prompt":"` + strings.Repeat("word ", 100) + `"}`, 400, "the context of this model holds 32"},
		{"/v1/completions", `{"prompt":"a","max_tokens":-1}`, 400, "negative"},
		{"/v1/completions", `{"prompt":"a","max_tokens":"5"}`, 400, "max_tokens"},
		{"/v1/completions", `{"prompt":"a","temperature":-0.1}`, 400, "temperature"},
		{"/v1/completions", `{"prompt":"a","top_p":0}`, 400, "top_p"},
		{"/v1/completions", `{"prompt":"a","min_p":1.5}`, 400, "min_p"},
		{"/v1/completions", `{"prompt":"a","top_k":-1}`, 400, "top_k"},
		{"/v1/completions", `{"prompt":"a","n":0}`, 400, "n: 0"},
		{"/v1/completions", `{"prompt":["a","b"],"n":100}`, 400, "more than 128"},
		{"/v1/completions", `{"prompt":"a","n":3}`, 429, "queue is full"},
		{"/v1/completions", `{"prompt":"a","logprobs":99}`, 400, "logprobs"},
		{"/v1/completions", `{"prompt":"a","stop":[""]}`, 400, "stop"},
		{"/v1/completions", `{"prompt":"a","stop":7}`, 400, "stop"},
		{"/v1/completions", `{"prompt":"a","suffix":"b"}`, 400, "suffix"},
		{"/v1/completions", `{"prompt":"a","best_of":4}`, 400, "best_of"},
		{"/v1/completions", `{"prompt":"a","logit_bias":{"5":1}}`, 400, "logit_bias"},
		{"/v1/completions", `{"prompt":"a","model":"gpt"}`, 404, "not served here"},
		{"/v1/completions", `{"prompt":"` + strings.Repeat("a", maxBody) + `"}`, 413, "larger than"},
		{"/v1/chat/completions", `{"messages":[]}`, 400, "no messages"},
		{"/v1/chat/completions", `{"messages":[{"role":"cat","content":"a"}]}`, 400, "unknown role"},
		{"/v1/chat/completions", `{"messages":[{"role":"user","content":[{"type":"image_url"}]}]}`, 400, "image_url"},
		{"/v1/chat/completions", `{"messages":[{"role":"user","content":7}]}`, 400, "content"},
		{"/v1/chat/completions", `{"messages":[{"role":"user","content":"a"}],"tools":[{}]}`, 400, "tools"},
		{"/v1/chat/completions", `{"messages":[{"role":"user","content":"a"}],"top_logprobs":2}`, 400, "top_logprobs needs"},
		{"/v1/chat/completions", `{"messages":[{"role":"user","content":"a"}],"response_format":{"type":"json_object"}}`, 400, "response_format"},
		{"/v1/chat/completions", `{"messages":[{"role":"user","content":"a"}],"presence_penalty":1}`, 400, "presence_penalty"},
		{"/v1/embeddings", `{}`, 404, "no such path"},
		{"/v1/models", `{}`, 405, "takes GET"},
	} {
		status, _, got := post(t, url+c.path, c.body)
		var e struct {
			Error *struct {
				Message, Type string
				Param, Code   any
			}
		}
		if err := json.Unmarshal([]byte(got), &e); err != nil || e.Error == nil || e.Error.Type == "" || status != c.status || !strings.Contains(e.Error.Message, c.say) {
			t.Errorf("%s %.60s: %d %s", c.path, c.body, status, got)
		}
	}
}

func TestModelsAndHealth(t *testing.T) {
	_, url := server(t, Options{}, 64)
	for path, want := range map[string]string{"/v1/models": `{"data":[{"id":"tiny","object":"model"`, "/v1/models/tiny": `{"id":"tiny","object":"model"`,
		"/v1/models/other": `{"error":{`, "/health": `"status":"ok"`} {
		r, err := http.Get(url + path)
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(r.Body)
		r.Body.Close()
		if err != nil || !strings.Contains(string(b), want) || (r.StatusCode == 200) == (path == "/v1/models/other") {
			t.Errorf("%s: %d %s %v", path, r.StatusCode, b, err)
		}
	}
}

// TestManyClients sends the same requests one by one and all at once, with clients between them that hang up.
func TestManyClients(t *testing.T) {
	e, url := server(t, Options{Slots: 3, Queue: 100}, 256)
	body := func(i int) string {
		return fmt.Sprintf(`{"prompt":%q,"max_tokens":%d,"seed":%d,"temperature":0.9,"top_p":0.95,"logprobs":1}`, sample[:20+i], 10+i, i)
	}
	choices := func(got string) string {
		var v struct{ Choices json.RawMessage }
		if err := json.Unmarshal([]byte(got), &v); err != nil {
			t.Errorf("%v in %q", err, got)
		}
		return string(v.Choices)
	}
	var want [16]string
	for i := range want {
		_, _, got := post(t, url+"/v1/completions", body(i))
		want[i] = choices(got)
	}
	var wait sync.WaitGroup
	for i := range want {
		wait.Go(func() {
			_, _, got := post(t, url+"/v1/completions", body(i))
			if choices(got) != want[i] {
				t.Errorf("request %d: another answer among others", i)
			}
		})
		wait.Go(func() {
			ctx, cancel := context.WithCancel(context.Background())
			r, _ := http.NewRequestWithContext(ctx, http.MethodPost, url+"/v1/completions", strings.NewReader(`{"prompt":"a","max_tokens":250,"stream":true}`))
			answer, err := http.DefaultClient.Do(r)
			if err == nil {
				bufio.NewReader(answer.Body).ReadString('\n')
				cancel()
				answer.Body.Close()
			}
			cancel()
		})
	}
	wait.Wait()
	for end := time.Now().Add(5 * time.Second); e.Load() > 0; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%d texts hold slots though their clients are gone", e.Load())
		}
	}
}

func TestShutdown(t *testing.T) {
	for name, grace := range map[string]time.Duration{"waits": time.Minute, "cuts off": 20 * time.Millisecond} {
		e := engine(t, Options{}, 8192)
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(context.Background())
		served := make(chan error, 1)
		go func() { served <- NewServer(e, "tiny", nil, "").Serve(ctx, l, grace) }()
		most := 400
		if grace < time.Second {
			most = 8000
		}
		r, err := http.Post("http://"+l.Addr().String()+"/v1/completions", "application/json",
			strings.NewReader(fmt.Sprintf(`{"prompt":"a","max_tokens":%d,"stream":true,"temperature":0}`, most)))
		if err != nil {
			t.Fatal(err)
		}
		in := bufio.NewReader(r.Body)
		first, err := in.ReadString('\n')
		if err != nil || !strings.HasPrefix(first, "data: {") {
			t.Fatalf("%q %v", first, err)
		}
		stop()
		rest, err := io.ReadAll(in)
		if err != nil {
			t.Fatal(err)
		}
		r.Body.Close()
		if err := <-served; err != nil {
			t.Fatal(err)
		}
		done := bytes.HasSuffix(rest, []byte("data: [DONE]\n\n"))
		if grace > time.Second && !done || grace < time.Second && (done || !bytes.Contains(rest, []byte("shutting down"))) {
			t.Errorf("%s: the stream ends with %q", name, rest[max(0, len(rest)-200):])
		}
	}
}

// FuzzRequest holds every body to an answer or an error in OpenAI's shape.
func FuzzRequest(f *testing.F) {
	e := engine(f, Options{Slots: 2, Queue: 200}, 32)
	s := NewServer(e, "tiny", nil, "")
	for _, seed := range []string{
		`{"prompt":"a","max_tokens":3,"seed":1,"n":2,"logprobs":1,"echo":true,"stop":["a","b"]}`, `{"prompt":[1,2],"stream":true}`, `{"prompt":["a",""]}`,
		`{"messages":[{"role":"user","content":"a"}],"max_tokens":2,"logprobs":true,"top_logprobs":2}`, `{"prompt":[[1],[2]],"top_k":5,"min_p":0.1}`,
		`{"messages":[{"role":"user","content":[{"type":"text","text":"\ud800"}]}],"stream":true,"stream_options":{"include_usage":true}}`, `{"prompt":null,"temperature":1e308}`,
	} {
		f.Add(true, seed)
		f.Add(false, seed)
	}
	f.Fuzz(func(t *testing.T, chat bool, body string) {
		path := "/v1/completions"
		if chat {
			path = "/v1/chat/completions"
		}
		w := httptest.NewRecorder()
		s.ServeHTTP(w, httptest.NewRequest(http.MethodPost, path, strings.NewReader(body)))
		switch got := w.Body.String(); {
		case w.Code == 200 && w.Header().Get("Content-Type") == "text/event-stream":
			if !strings.HasSuffix(got, "data: [DONE]\n\n") {
				t.Errorf("%s: a stream without an end: %q", body, got)
			}
		case w.Code == 200:
			if !json.Valid(w.Body.Bytes()) || !strings.Contains(got, `"finish_reason":"`) {
				t.Errorf("%s: %s", body, got)
			}
		case w.Code == 400 || w.Code == 404 || w.Code == 413 || w.Code == 429:
			if !json.Valid(w.Body.Bytes()) || !strings.HasPrefix(got, `{"error":{"message":"`) {
				t.Errorf("%s: %d %s", body, w.Code, got)
			}
		default:
			t.Errorf("%s: %d %s", body, w.Code, got)
		}
	})
}
