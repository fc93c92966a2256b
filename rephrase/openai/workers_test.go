package openai

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestWorkersShareAnswers has two clients on one cache, both opened while it was empty: what the one was answered the other need not ask.
func TestWorkersShareAnswers(t *testing.T) {
	dir := t.TempDir()
	e := serve(t, says("ok"))
	cached := func(o *Options) { o.CacheDir = dir }
	a, b := e.client(t, cached), e.client(t, cached)
	reqs := make([]Request, 100)
	for i := range reqs {
		reqs[i] = ask(fmt.Sprint("question ", i))
	}
	for _, step := range []struct {
		c        *Client
		from, to int
		hits     int32
	}{{a, 0, 40, 40}, {b, 0, 60, 60}, {a, 20, 80, 80}, {b, 0, 100, 100}, {a, 0, 100, 100}} {
		if _, err := step.c.CompleteAll(t.Context(), reqs[step.from:step.to]); err != nil {
			t.Fatal(err)
		}
		if got := e.hits.Load(); int32(got) != step.hits {
			t.Errorf("%d to %d: %d requests so far, want %d", step.from, step.to, got, step.hits)
		}
	}
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	b.cache.refresh()
	for name, s := range b.cache.others {
		if !s.closed {
			t.Errorf("%s is still watched", name)
		}
	}
}

// TestOneAnswerCounts has two clients ask the same at the same time, and answers them differently: both go by the same answer, now and
// later.
func TestOneAnswerCounts(t *testing.T) {
	dir := t.TempDir()
	var both sync.WaitGroup
	both.Add(2)
	answer := func(text string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) { both.Done(); both.Wait(); says(text)(w, r) }
	}
	e := serve(t, answer("one"), answer("other"))
	texts := make([]string, 2)
	var g sync.WaitGroup
	for i := range texts {
		c := e.client(t, func(o *Options) { o.CacheDir = dir })
		g.Go(func() {
			r, err := c.Complete(t.Context(), ask("hello"))
			if err != nil {
				t.Error(err)
			}
			texts[i] = r.Text
		})
	}
	g.Wait()
	r, ok, err := mustOpen(t, dir).get(mustKey(t, "hello"))
	if texts[0] == "" || texts[0] != texts[1] || !ok || err != nil || r.Text != texts[0] {
		t.Errorf("answers %q, and %q in the cache, %v", texts, r.Text, err)
	}
}

func TestRatesAreDivided(t *testing.T) {
	e := serve(t, says("ok"))
	c := e.client(t, func(o *Options) { o.Workers, o.InFlight, o.RequestsPerMinute, o.TokensPerMinute = 4, 10, 600, 6000 })
	if cap(c.slots) != 2 || c.attempts.perMinute != 150 || c.tokens.perMinute != 1500 {
		t.Errorf("%d in flight, %g requests and %g tokens a minute", cap(c.slots), c.attempts.perMinute, c.tokens.perMinute)
	}
	if c := e.client(t, func(o *Options) { o.Workers, o.InFlight = 16, 8 }); cap(c.slots) != 1 {
		t.Errorf("%d in flight of a worker, want 1", cap(c.slots))
	}
}

const (
	workerVar = "WINNOW_TEST_WORKER" // address, folder and seed of a worker
	questions = 300
)

// TestWorker is a process of TestManyProcesses: it asks all questions in an order of its own, and says what it was told when.
func TestWorker(t *testing.T) {
	url, rest, ok := strings.Cut(os.Getenv(workerVar), " ")
	if !ok {
		t.Skip("a part of TestManyProcesses")
	}
	dir, seed, _ := strings.Cut(rest, " ")
	n, _ := strconv.Atoi(seed)
	o := Defaults()
	o.BaseURL, o.APIKey, o.CacheDir, o.InFlight, o.Workers = url, "none", dir, 16, 4
	c, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	var said sync.Mutex
	var g sync.WaitGroup
	todo := make(chan int)
	for range 4 {
		g.Go(func() {
			for q := range todo {
				r, err := c.Complete(t.Context(), ask(fmt.Sprint("question ", q)))
				if err != nil {
					t.Error(err)
				}
				said.Lock()
				fmt.Printf("told %d %s %d\n", q, r.Text, time.Now().UnixNano())
				said.Unlock()
			}
		})
	}
	for _, q := range rand.New(rand.NewPCG(uint64(n), 1)).Perm(questions) {
		todo <- q
	}
	close(todo)
	g.Wait()
}

// counting is an endpoint that never gives the same answer twice, and notes when it was asked what.
type counting struct {
	mu      sync.Mutex
	asked   map[string][]time.Time
	answers int
}

func (c *counting) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var req struct{ Messages []struct{ Content string } }
	json.NewDecoder(r.Body).Decode(&req)
	q := strings.TrimPrefix(req.Messages[0].Content, "question ")
	c.mu.Lock()
	c.asked[q] = append(c.asked[q], time.Now())
	c.answers++
	n := c.answers
	c.mu.Unlock()
	time.Sleep(5 * time.Millisecond)
	says(fmt.Sprint("answer-", n))(w, r)
}

// TestManyProcesses has four processes ask the same questions of an endpoint, with one cache and in orders of their own, and kills one
// of them in the middle: all are told the same, nothing is asked once an answer to it was on disk, and no line is torn for others.
func TestManyProcesses(t *testing.T) {
	c := &counting{asked: map[string][]time.Time{}}
	server := httptest.NewServer(c)
	defer server.Close()
	dir := t.TempDir()
	start := func(seed int) (*exec.Cmd, *bytes.Buffer) {
		cmd := exec.Command(os.Args[0], "-test.run=^TestWorker$", "-test.v")
		cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%s/v1 %s %d", workerVar, server.URL, dir, seed))
		var out bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, os.Stderr
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		return cmd, &out
	}
	var outs []*bytes.Buffer
	var cmds []*exec.Cmd
	for seed := range 4 {
		cmd, out := start(seed)
		cmds, outs = append(cmds, cmd), append(outs, out)
	}
	for n := 0; n < questions/3; time.Sleep(time.Millisecond) {
		c.mu.Lock()
		n = c.answers
		c.mu.Unlock()
	}
	cmds[3].Process.Kill()
	cmds[3].Wait()
	cmd, out := start(3)
	cmds[3], outs = cmd, append(outs, out)
	for _, cmd := range cmds {
		if err := cmd.Wait(); err != nil {
			t.Error(err)
		}
	}
	told, first := map[string]string{}, map[string]time.Time{}
	for i, out := range outs {
		n := 0
		for s := bufio.NewScanner(out); s.Scan(); {
			var q, answer string
			var when int64
			if _, err := fmt.Sscanf(s.Text(), "told %s %s %d", &q, &answer, &when); err != nil {
				continue
			}
			n++
			if told[q] != "" && told[q] != answer {
				t.Errorf("question %s: %s and %s", q, told[q], answer)
			}
			told[q] = answer
			if at := time.Unix(0, when); first[q].IsZero() || at.Before(first[q]) {
				first[q] = at
			}
		}
		if n != questions && i != 3 {
			t.Errorf("process %d was told %d answers", i, n)
		}
	}
	const way = time.Second // from a look into the cache to the endpoint, on a busy machine
	for q, times := range c.asked {
		for _, at := range times {
			if at.After(first[q].Add(way)) {
				t.Errorf("question %s was asked %v after its answer was there", q, at.Sub(first[q]))
			}
		}
	}
	if len(told) != questions || c.answers < questions || c.answers > questions*3/2 {
		t.Errorf("%d questions answered, %d times", len(told), c.answers)
	}
	t.Logf("%d questions by 4 processes and one kill: %d answers given", questions, c.answers)
}
