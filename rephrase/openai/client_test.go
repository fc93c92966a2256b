package openai

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// endpoint answers the n-th request, from 0, with the n-th handler, and every further one with the last.
type endpoint struct {
	*httptest.Server
	hits atomic.Int64

	mu   sync.Mutex
	last map[string]any // body of the last request
}

func serve(t *testing.T, handlers ...http.HandlerFunc) *endpoint {
	t.Helper()
	e := &endpoint{}
	e.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n := int(e.hits.Add(1)) - 1
		b, _ := io.ReadAll(r.Body)
		e.mu.Lock()
		e.last = nil
		json.Unmarshal(b, &e.last)
		e.mu.Unlock()
		handlers[min(n, len(handlers)-1)](w, r)
	}))
	t.Cleanup(e.Close)
	return e
}

func (e *endpoint) client(t *testing.T, change func(*Options)) *Client {
	t.Helper()
	o := Defaults()
	o.BaseURL, o.APIKey = e.URL+"/v1", "test"
	o.Backoff, o.Timeout, o.Retries = time.Millisecond, 10*time.Second, 3
	if change != nil {
		change(&o)
	}
	c, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func sendJSON(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		io.WriteString(w, body)
	}
}

func says(text string) http.HandlerFunc {
	return sendJSON(200, fmt.Sprintf(`{"id":"1","object":"chat.completion","model":"m","choices":[{"index":0,`+
		`"finish_reason":"stop","message":{"role":"assistant","content":%q}}],`+
		`"usage":{"prompt_tokens":7,"completion_tokens":3,"total_tokens":10}}`, text))
}

func after(seconds string, h http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Retry-After", seconds)
		h(w, r)
	}
}

func sse(lines ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		for _, l := range lines {
			fmt.Fprintf(w, "data: %s\n\n", l)
		}
	}
}

// An answer in a stream: two pieces and the count.
const (
	one   = `{"choices":[{"index":0,"delta":{"content":"早上"}}]}`
	two   = `{"choices":[{"index":0,"delta":{"content":"好"},"finish_reason":"stop"}]}`
	usage = `{"choices":[],"usage":{"prompt_tokens":7,"completion_tokens":3,"total_tokens":10}}`
)

// slow answers after the client has left.
func slow(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }

// cut promises more bytes than it sends.
func cut(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", "500")
	io.WriteString(w, `{"id":"1","choices":[{"index":0,"finish_rea`)
}

func html(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/html")
	io.WriteString(w, "<h1>Please log in</h1>")
}

func plain500(w http.ResponseWriter, _ *http.Request) { http.Error(w, "upstream is away", 500) }

func apiError(status int, code, message string) http.HandlerFunc {
	return sendJSON(status, fmt.Sprintf(`{"error":{"message":%q,"type":"t","param":null,"code":%q}}`, message, code))
}

func ask(text string) Request {
	return Request{Model: "m", Temperature: 0.5, TopP: 0.9, MaxTokens: 20, Messages: []Message{{"user", text}}}
}

func TestComplete(t *testing.T) {
	slowly := func(o *Options) { o.Timeout = 400 * time.Millisecond }
	stream := func(o *Options) { o.Stream = true }
	tests := map[string]struct {
		handlers []http.HandlerFunc
		change   func(*Options)
		hits     int64
		want     string // in the answer, or else in the error
		err      error
	}{
		"answer":               {[]http.HandlerFunc{says("早上好")}, nil, 1, "早上好", nil},
		"429, then answer":     {[]http.HandlerFunc{after("0.01", apiError(429, "rate", "slow down")), says("ok")}, nil, 2, "ok", nil},
		"429 asks for an hour": {[]http.HandlerFunc{after("3600", apiError(429, "rate", "slow down"))}, nil, 1, "slow down", new(RequestError)},
		"500s, then answer":    {[]http.HandlerFunc{plain500, plain500, says("ok")}, nil, 3, "ok", nil},
		"500 for good":         {[]http.HandlerFunc{plain500}, nil, 4, "status 500 Internal Server Error", new(RequestError)},
		"time-out":             {[]http.HandlerFunc{slow, says("ok")}, slowly, 2, "ok", nil},
		"cut body":             {[]http.HandlerFunc{cut, says("ok")}, nil, 2, "ok", nil},
		"cut body for good":    {[]http.HandlerFunc{cut}, nil, 4, "unexpected EOF", new(RequestError)},
		"broken JSON":          {[]http.HandlerFunc{sendJSON(200, `{"choices":[{]}`), says("ok")}, nil, 2, "ok", nil},
		"wrong content type":   {[]http.HandlerFunc{html, says("ok")}, nil, 2, "ok", nil},
		"login page for good":  {[]http.HandlerFunc{html}, nil, 4, `content type "text/html"`, new(RequestError)},
		"no choices":           {[]http.HandlerFunc{sendJSON(200, `{"choices":[]}`), says("ok")}, nil, 2, "ok", nil},
		"error in a 200":       {[]http.HandlerFunc{apiError(200, "x", "overloaded"), says("ok")}, nil, 2, "ok", nil},
		"400":                  {[]http.HandlerFunc{apiError(400, "x", "context too long")}, nil, 1, "context too long", new(RequestError)},
		"401":                  {[]http.HandlerFunc{apiError(401, "x", "wrong key sk-1")}, nil, 1, "401 Unauthorized", ErrSetup},
		"404":                  {[]http.HandlerFunc{apiError(404, "x", "no such model")}, nil, 1, "no such model", ErrSetup},
		"no credit":            {[]http.HandlerFunc{apiError(429, "insufficient_quota", "pay")}, nil, 1, "pay", ErrSetup},
		"stream":               {[]http.HandlerFunc{sse(one, two, usage, "[DONE]")}, stream, 1, "早上好", nil},
		"stream cut":           {[]http.HandlerFunc{sse(one), sse(one, two)}, stream, 2, "早上好", nil},
		"stream cut for good":  {[]http.HandlerFunc{sse(one)}, stream, 4, "before the answer did", new(RequestError)},
		"stream broken":        {[]http.HandlerFunc{sse(one, "{"), sse(one, two)}, stream, 2, "早上好", nil},
		"stream error":         {[]http.HandlerFunc{sse(one, `{"error":{"message":"gone"}}`), sse(one, two)}, stream, 2, "早上好", nil},
		"stream of HTML":       {[]http.HandlerFunc{html, sse(one, two)}, stream, 2, "早上好", nil},
		"stream timed out":     {[]http.HandlerFunc{slow, sse(one, two)}, func(o *Options) { slowly(o); stream(o) }, 2, "早上好", nil},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := serve(t, tt.handlers...)
			c := e.client(t, tt.change)
			r, err := c.Complete(t.Context(), ask("hello"))
			if hits := e.hits.Load(); hits != tt.hits || c.Usage().Requests != hits || c.Usage().Retries != hits-1 {
				t.Errorf("%d requests, want %d; usage %+v", hits, tt.hits, c.Usage())
			}
			if tt.err == nil {
				if err != nil || r.Text != tt.want || r.Finish != FinishStop || r.PromptTokens == 0 || r.CompletionTokens == 0 {
					t.Errorf("got %+v, %v", r, err)
				}
				return
			}
			var failed *RequestError
			if is := errors.As(err, &failed); is != (tt.err != ErrSetup) || !is && !errors.Is(err, tt.err) {
				t.Fatalf("got error %v, want a %T", err, tt.err)
			}
			if !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "sk-1") {
				t.Errorf("got error %q, want %q in it", err, tt.want)
			}
		})
	}
}

func TestRetryAfterIsHonoured(t *testing.T) {
	e := serve(t, after("0.2", apiError(429, "x", "slow down")), says("ok"))
	start := time.Now()
	if _, err := e.client(t, nil).Complete(t.Context(), ask("hello")); err != nil {
		t.Fatal(err)
	}
	if d := time.Since(start); d < 200*time.Millisecond {
		t.Errorf("came back after %v, was told 200 ms", d)
	}
}

func TestPaceIsKept(t *testing.T) {
	e := serve(t, says("ok"))
	c := e.client(t, func(o *Options) { o.RequestsPerMinute = 1200 })
	start := time.Now()
	if _, err := c.CompleteAll(t.Context(), []Request{ask("a"), ask("b"), ask("c"), ask("d")}); err != nil {
		t.Fatal(err)
	}
	if d := time.Since(start); d < 150*time.Millisecond {
		t.Errorf("4 requests in %v, want 50 ms between them", d)
	}
}

func TestParams(t *testing.T) {
	e := serve(t, says("ok"))
	req := ask("hello")
	req.Seed, req.Messages = 9, append([]Message{{"system", "be brief"}}, req.Messages...)
	if _, err := e.client(t, nil).Complete(t.Context(), req); err != nil {
		t.Fatal(err)
	}
	want := `{"max_tokens":20,"messages":[{"content":"be brief","role":"system"},{"content":"hello","role":"user"}],` +
		`"model":"m","seed":9,"temperature":0.5,"top_p":0.9}`
	if got, _ := json.Marshal(e.last); string(got) != want {
		t.Errorf("sent %s, want %s", got, want)
	}
	change := func(o *Options) { o.ServedModel, o.MaxCompletionTokens = "/models/m", true }
	if _, err := e.client(t, change).Complete(t.Context(), req); err != nil {
		t.Fatal(err)
	}
	if e.last["model"] != "/models/m" || e.last["max_completion_tokens"] != 20.0 || e.last["max_tokens"] != nil {
		t.Errorf("sent %v", e.last)
	}
}

func TestRefusalField(t *testing.T) {
	e := serve(t, sendJSON(200, `{"choices":[{"finish_reason":"stop","message":{"content":null,"refusal":"No."}}]}`))
	r, err := e.client(t, nil).Complete(t.Context(), ask("hello"))
	if err != nil || r.Finish != FinishFilter || r.Text != "No." {
		t.Errorf("got %+v, %v", r, err)
	}
}

func TestCompleteAll(t *testing.T) {
	var now, most atomic.Int64
	e := serve(t, func(w http.ResponseWriter, r *http.Request) {
		n := now.Add(1)
		for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
		}
		time.Sleep(10 * time.Millisecond)
		now.Add(-1)
		says("ok")(w, r)
	})
	c := e.client(t, func(o *Options) { o.InFlight = 3 })
	var reqs []Request
	for i := range 20 {
		reqs = append(reqs, ask(fmt.Sprint("question ", i)))
	}
	var wg sync.WaitGroup
	for range 2 { // the limit holds over all callers
		wg.Go(func() {
			if _, err := c.CompleteAll(t.Context(), reqs); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if m := most.Load(); m != 3 {
		t.Errorf("%d requests in flight, want 3", m)
	}
}

func TestCompleteAllKeepsOrder(t *testing.T) {
	e := serve(t, nil)
	e.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		for i := range 10 {
			if strings.Contains(string(b), fmt.Sprintf("question %d.", i)) {
				time.Sleep(time.Duration(10-i) * time.Millisecond)
				if i == 4 {
					apiError(400, "x", "too long")(w, r)
					return
				}
				says(fmt.Sprintf("answer %d", i))(w, r)
			}
		}
	})
	var reqs []Request
	for i := range 10 {
		reqs = append(reqs, ask(fmt.Sprintf("question %d.", i)))
	}
	answers, err := e.client(t, nil).CompleteAll(t.Context(), reqs)
	if err != nil {
		t.Fatal(err)
	}
	for i, a := range answers {
		if (a.Err != nil) != (i == 4) || a.Err == nil && a.Response.Text != fmt.Sprintf("answer %d", i) {
			t.Errorf("%d: got %+v", i, a)
		}
	}
}

func TestBudgetLeavesTheRunResumable(t *testing.T) {
	dir := t.TempDir()
	e := serve(t, says("ok"))
	var reqs []Request
	for i := range 12 {
		reqs = append(reqs, ask(fmt.Sprint("question ", i)))
	}
	limit := func(budget int64) func(*Options) {
		return func(o *Options) { o.CacheDir, o.TokenBudget, o.InFlight = dir, budget, 2 }
	}
	runs := 0
	for ; runs < 10; runs++ {
		c := e.client(t, limit(80)) // a request costs 10, and may cost 27
		_, err := c.CompleteAll(t.Context(), reqs)
		u := c.Usage()
		if u.PromptTokens+u.CompletionTokens > 80 {
			t.Errorf("run %d spent %+v of 80", runs, u)
		}
		if err == nil {
			break
		}
		if !errors.Is(err, ErrBudget) {
			t.Fatal(err)
		}
	}
	if runs == 0 || runs == 10 || e.hits.Load() != 12 {
		t.Errorf("%d runs and %d requests for 12 answers", runs+1, e.hits.Load())
	}
}

func TestEndpointThatIsDown(t *testing.T) {
	e := serve(t, plain500)
	c := e.client(t, func(o *Options) { o.Retries, o.ErrorWindow, o.InFlight, o.Pauses = 0, 6, 1, 0 })
	var reqs []Request
	for i := range 50 {
		reqs = append(reqs, ask(fmt.Sprint("question ", i)))
	}
	_, err := c.CompleteAll(t.Context(), reqs)
	if !errors.Is(err, ErrFailing) || !strings.Contains(err.Error(), "6 of the last 6") || e.hits.Load() != 6 {
		t.Errorf("%d requests, error %v", e.hits.Load(), err)
	}
}

func TestCancelled(t *testing.T) {
	e := serve(t, slow)
	c := e.client(t, nil)
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(50*time.Millisecond, cancel)
	_, err := c.CompleteAll(ctx, []Request{ask("a"), ask("b")})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got error %v", err)
	}
	if hits := e.hits.Load(); hits > 2 {
		t.Errorf("%d requests, want no retry", hits)
	}
}

func TestOptionsCheck(t *testing.T) {
	for name, change := range map[string]func(*Options){
		"in flight": func(o *Options) { o.InFlight = 0 },
		"timeout":   func(o *Options) { o.Timeout = 0 },
		"retries":   func(o *Options) { o.Retries = -1 },
		"share":     func(o *Options) { o.ErrorShare = 2 },
		"endpoint":  func(o *Options) { o.BaseURL = "localhost:8000" },
	} {
		o := Defaults()
		change(&o)
		if _, err := New(o); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
