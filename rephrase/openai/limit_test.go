package openai

import (
	"encoding/hex"
	"math"
	"net/http"
	"testing"
	"time"
)

func hexOf(k key) string { return hex.EncodeToString(k[:]) }

func TestPacer(t *testing.T) {
	p := pacer{perMinute: 60}
	now := time.Unix(1000, 0)
	for i, want := range []time.Duration{0, 1, 2, 3} {
		if got := p.take(now, 1); got != want*time.Second {
			t.Errorf("take %d waits %v, want %v", i, got, want*time.Second)
		}
	}
	p.give(2)
	if got := p.take(now, 10); got != 2*time.Second {
		t.Errorf("after giving 2 back: waits %v, want 2s", got)
	}
	if got := p.take(now.Add(time.Hour), 1); got != 0 {
		t.Errorf("after an idle hour: waits %v", got)
	}
	if got := new(pacer).take(now, 1e6); got != 0 {
		t.Errorf("without a limit: waits %v", got)
	}
}

func TestBackoff(t *testing.T) {
	a, b := mustKey(t, "a"), mustKey(t, "b")
	if backoff(a, 3, time.Second, time.Minute) == backoff(b, 3, time.Second, time.Minute) {
		t.Error("two requests come back together")
	}
	for attempt, full := range []time.Duration{1, 2, 4, 8, 16, 32, 60, 60} {
		got := backoff(a, attempt, time.Second, time.Minute)
		if full *= time.Second; got < full/2 || got > full || got != backoff(a, attempt, time.Second, time.Minute) {
			t.Errorf("attempt %d waits %v, want %v to %v, always the same", attempt, got, full/2, full)
		}
	}
	if got := backoff(a, 1000, time.Second, time.Minute); got > time.Minute {
		t.Errorf("attempt 1000 waits %v", got)
	}
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for value, want := range map[string]time.Duration{
		"7": 7 * time.Second, "0.5": 500 * time.Millisecond, "0": 0, "": -1, "-3": -1, "soon": -1, "NaN": -1,
		"Fri, 02 Jan 2026 03:04:15 GMT": 10 * time.Second, "Fri, 02 Jan 2026 03:04:00 GMT": 0,
	} {
		got, ok := retryAfter(http.Header{"Retry-After": {value}}, now)
		if ok != (want >= 0) || ok && got != want {
			t.Errorf("%q: got %v, %v, want %v", value, got, ok, want)
		}
	}
	if got, _ := retryAfter(http.Header{"Retry-After-Ms": {"20"}, "Retry-After": {"9"}}, now); got != 20*time.Millisecond {
		t.Errorf("milliseconds: got %v", got)
	}
	if got, _ := retryAfter(http.Header{"Retry-After": {"1e300"}}, now); got < time.Hour {
		t.Errorf("a huge wait became %v", got)
	}
}

func TestKey(t *testing.T) {
	bad := ask("x")
	bad.TopP = math.NaN()
	if _, err := bad.key(); err == nil {
		t.Error("NaN has a key")
	}
	seen := map[key]string{}
	for name, change := range map[string]func(*Request){
		"same": func(*Request) {}, "model": func(r *Request) { r.Model = "n" }, "template": func(r *Request) { r.Template = "t" },
		"temperature": func(r *Request) { r.Temperature = 0 }, "top_p": func(r *Request) { r.TopP = 1 },
		"seed": func(r *Request) { r.Seed = 1 }, "max": func(r *Request) { r.MaxTokens = 1 },
		"role": func(r *Request) { r.Messages[0].Role = "system" }, "content": func(r *Request) { r.Messages[0].Content = "y" },
	} {
		r := ask("x")
		change(&r)
		k, err := r.key()
		if err != nil || seen[k] != "" {
			t.Errorf("%s: same key as %s, %v", name, seen[k], err)
		}
		seen[k] = name
	}
}

func TestEstimateTokens(t *testing.T) {
	for s, want := range map[string]int{"": 0, "word": 1, "words": 2, "改写": 2, "改写。": 3, "改写 text": 4, "한글": 2, "\xff\xff": 1, "𠀀𠀁": 2} {
		if got := EstimateTokens(s); got != want {
			t.Errorf("%q: %d tokens, want %d", s, got, want)
		}
	}
}
