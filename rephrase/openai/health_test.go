package openai

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

var errBad = errors.New("bad")

func TestHealthWindow(t *testing.T) {
	h := health{share: 0.5, last: make([]bool, 4)}
	for i, step := range []struct {
		err  error
		stop bool
	}{{errBad, false}, {errBad, false}, {nil, false}, {nil, false}, {nil, false}, {errBad, false}, {errBad, false}, {errBad, true}} {
		h.record(step.err)
		if _, err := h.enter(t.Context()); (err != nil) != step.stop || err != nil && !errors.Is(err, ErrFailing) {
			t.Errorf("step %d: %v, want a stop %v", i, err, step.stop)
		}
	}
}

// The clock of a synctest bubble jumps to the next moment for which anything waits.
func TestHalfOpen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := health{share: 0.5, last: make([]bool, 2), pause: 10 * time.Second, probes: 3}
		begin := time.Now()
		at := func(want time.Duration, probe bool) {
			t.Helper()
			got, err := h.enter(t.Context())
			if err != nil || got != probe || time.Since(begin) != want {
				t.Fatalf("at %v: probe %v, %v; want at %v: %v", time.Since(begin), got, err, want, probe)
			}
		}
		open := func() { h.record(errBad); h.record(errBad) }
		at(0, false)
		open()
		at(10*time.Second, true)
		h.record(nil) // of a request sent before the pause: changes nothing
		waits := make(chan bool)
		go func() { probe, _ := h.enter(t.Context()); waits <- probe }()
		synctest.Wait()
		select {
		case <-waits:
			t.Fatal("a second attempt went along with the one that was let through")
		default:
		}
		h.report(unanswerable, errBad)
		if probe := <-waits; !probe || time.Since(begin) != 30*time.Second { // a pause twice as long, from the failure on
			t.Fatalf("after a failure: probe %v at %v", probe, time.Since(begin))
		}
		h.report(abandoned, nil) // the next in line takes its place at once
		at(30*time.Second, true)
		h.report(answered, nil)
		at(30*time.Second, false)
		h.record(nil)
		at(30*time.Second, false)
		h.record(errBad) // half of a full window: in health, so the count of pauses begins again
		open()
		for _, after := range []time.Duration{40, 60, 100} { // pauses of 10, 20, 40
			at(after*time.Second, true)
			h.report(unanswerable, errBad)
		}
		if _, err := h.enter(t.Context()); !errors.Is(err, ErrFailing) || !errors.Is(err, errBad) || !strings.Contains(err.Error(), "3 pauses") {
			t.Errorf("after the last pause: %v", err)
		}
	})
}

// wire answers requests without a network, which has no place in a bubble.
type wire func(n int) (status int)

type counted struct {
	mu   sync.Mutex
	n    int
	when []time.Duration
	from time.Time
	wire wire
}

func (c *counted) RoundTrip(r *http.Request) (*http.Response, error) {
	io.Copy(io.Discard, r.Body)
	r.Body.Close()
	c.mu.Lock()
	n := c.n
	c.n++
	c.when = append(c.when, time.Since(c.from))
	c.mu.Unlock()
	status, body := c.wire(n), `{"error":{"message":"away"}}`
	if status == 200 {
		body = `{"id":"1","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"finish_reason":"stop","message":{"role":"assistant","content":"ok"}}]}`
	}
	return &http.Response{StatusCode: status, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
}

// TestEndpointComesBack sends many requests to an endpoint that is away for a while: after it failed four, one attempt is made at a time,
// with pauses that grow, and when it is back all others are answered.
func TestEndpointComesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		from := time.Now()
		c := &counted{from: from, wire: func(int) int {
			if time.Since(from) < time.Minute {
				return 503
			}
			return 200
		}}
		o := Defaults()
		o.BaseURL, o.APIKey, o.Retries, o.ErrorWindow, o.InFlight, o.Pause, o.HTTPClient = "http://away/v1", "none", 0, 4, 4, 10*time.Second, &http.Client{Transport: c}
		client, err := New(o)
		if err != nil {
			t.Fatal(err)
		}
		var reqs []Request
		for i := range 40 {
			reqs = append(reqs, ask(fmt.Sprint("question ", i)))
		}
		answers, err := client.CompleteAll(t.Context(), reqs)
		if err != nil {
			t.Fatal(err)
		}
		failed := 0
		for _, a := range answers {
			if a.Err != nil {
				failed++
			}
		}
		// Four fail at once, and with them those that began before the fourth was counted; one after 10 s, one after another 20 s; the
		// rest are answered after another 40 s.
		at := map[time.Duration]int{}
		for _, w := range c.when {
			at[w]++
		}
		first := at[0]
		if first < 4 || first > 7 || at[10*time.Second] != 1 || at[30*time.Second] != 1 || at[70*time.Second] != 40-first-2 {
			t.Errorf("requests by time: %v", at)
		}
		if failed != first+2 || c.n != 40 || time.Since(c.from) != 70*time.Second {
			t.Errorf("%d of %d failed, in %v", failed, c.n, time.Since(c.from))
		}
	})
}
