package openai

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func mustKey(t testing.TB, text string) key {
	t.Helper()
	k, err := ask(text).key()
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func mustOpen(t testing.TB, dir string) *cache {
	t.Helper()
	c, err := openCache(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.close() })
	return c
}

func TestCacheTornLine(t *testing.T) {
	dir := t.TempDir()
	c := mustOpen(t, dir)
	for _, text := range []string{"甲", "乙", "丙"} {
		if _, err := c.put(mustKey(t, text), "m", Response{Text: "答" + text, Finish: "stop"}); err != nil {
			t.Fatal(err)
		}
	}
	c.close()
	files, _ := filepath.Glob(filepath.Join(dir, "*.jsonl"))
	whole, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	first := strings.IndexByte(string(whole), '\n') + 1
	for size := len(whole); size >= 0; size-- { // whatever was on disk when the power went
		if err := os.Truncate(files[0], int64(size)); err != nil {
			t.Fatal(err)
		}
		c := mustOpen(t, dir)
		if want := min(3, strings.Count(string(whole[:size]), "\n")); len(c.index) != want {
			t.Fatalf("%d bytes: %d answers, want %d", size, len(c.index), want)
		}
		if r, ok, err := c.get(mustKey(t, "甲")); err != nil || ok != (size >= first) || ok && r.Text != "答甲" {
			t.Fatalf("%d bytes: %+v, %v, %v", size, r, ok, err)
		}
	}
	// A damaged line in the middle costs itself alone.
	damaged := append([]byte("{\"key\":\"zz\n"), whole...)
	if err := os.WriteFile(files[0], damaged, 0o644); err != nil {
		t.Fatal(err)
	}
	if c := mustOpen(t, dir); len(c.index) != 3 {
		t.Errorf("%d answers behind a damaged line, want 3", len(c.index))
	}
}

func TestCacheShared(t *testing.T) {
	dir := t.TempDir()
	a, b := mustOpen(t, dir), mustOpen(t, dir)
	put := func(c *cache, text, answer string) Response {
		t.Helper()
		r, err := c.put(mustKey(t, text), "m", Response{Text: answer})
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	put(a, "x", "from a")
	put(b, "y", "from b")
	put(a, "z", "again from a")
	if r := put(a, "x", "late"); r.Text != "from a" {
		t.Errorf("a second answer won: %q", r.Text)
	}
	c := mustOpen(t, dir)
	for text, want := range map[string]string{"x": "from a", "y": "from b", "z": "again from a"} {
		if r, ok, err := c.get(mustKey(t, text)); !ok || err != nil || r.Text != want || !r.Cached {
			t.Errorf("%s: %+v, %v, %v", text, r, ok, err)
		}
	}
	files, _ := filepath.Glob(filepath.Join(dir, "*.jsonl"))
	if len(files) != 2 {
		t.Errorf("%d segments of 2 writers", len(files))
	}
	for _, f := range files {
		os.Remove(f)
	}
	if _, ok, err := c.get(mustKey(t, "x")); ok || err != nil {
		t.Errorf("a removed segment: %v, %v", ok, err)
	}
}

func TestRerunIsFree(t *testing.T) {
	dir := t.TempDir()
	e := serve(t, says("改写"))
	cached := func(o *Options) { o.CacheDir = dir }
	reqs := []Request{ask("甲"), ask("乙"), ask("丙")}
	for run := range 3 {
		c := e.client(t, cached)
		answers, err := c.CompleteAll(t.Context(), reqs)
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range answers {
			if a.Response.Text != "改写" || a.Response.Cached != (run > 0) || a.Response.PromptTokens != 7 {
				t.Errorf("run %d: %+v", run, a)
			}
		}
		if u := c.Usage(); run > 0 && u != (Usage{CacheHits: 3}) {
			t.Errorf("run %d: %+v", run, u)
		}
		if _, err := c.Complete(t.Context(), ask("甲")); err != nil {
			t.Error(err)
		}
	}
	if e.hits.Load() != 3 {
		t.Errorf("%d requests, want 3", e.hits.Load())
	}
	files, _ := filepath.Glob(filepath.Join(dir, "*.jsonl"))
	if len(files) != 1 {
		t.Errorf("%d segments, want that of the first run alone", len(files))
	}
	changed := ask("甲")
	changed.Temperature = 0.7
	if r, err := e.client(t, cached).Complete(t.Context(), changed); err != nil || r.Cached {
		t.Errorf("other parameters took the same answer: %+v, %v", r, err)
	}
}

func TestCacheDiskFails(t *testing.T) {
	dir := t.TempDir()
	e := serve(t, says("ok"))
	c := e.client(t, func(o *Options) { o.CacheDir = dir })
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	var failed *RequestError
	if _, err := c.Complete(t.Context(), ask("hello")); err == nil || errors.As(err, &failed) {
		t.Errorf("got error %v, want one that stops the run", err)
	}
}

func FuzzParseLine(f *testing.F) {
	f.Add([]byte(`{"key":"` + strings.Repeat("0f", 32) + `","model":"m","text":"答","finish":"stop"}`))
	f.Add([]byte(`{"key":"zz"}`))
	f.Add([]byte(`{"key":"` + strings.Repeat("0f", 32) + `","failed":true}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		if _, r, ok := parse(b); r != nil && !(ok && r.Cached) {
			t.Errorf("%q: ok %v, response %+v", b, ok, r)
		}
	})
}

func BenchmarkOpenCache(b *testing.B) {
	dir := b.TempDir()
	c := mustOpen(b, dir)
	var lines strings.Builder
	for i := range 2000 {
		k := mustKey(b, time.Duration(i).String())
		lines.WriteString(`{"key":"` + hexOf(k) + `","model":"m","text":"` + strings.Repeat("改写 text ", 100) + `","finish":"stop"}` + "\n")
	}
	c.close()
	if err := os.WriteFile(filepath.Join(dir, "a.jsonl"), []byte(lines.String()), 0o644); err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(lines.Len()))
	for b.Loop() {
		mustOpen(b, dir)
	}
}

// A run in which the cache answers all but what failed before does not take the endpoint for broken.
func TestFailedBefore(t *testing.T) {
	e := serve(t, sendJSON(500, `{}`))
	dir := t.TempDir()
	change := func(o *Options) { o.CacheDir, o.Retries, o.ErrorWindow, o.InFlight, o.Pauses = dir, 0, 5, 1, 0 }
	ask := func(seeds int) error {
		reqs := make([]Request, seeds)
		for i := range reqs {
			reqs[i] = Request{Model: "m", TopP: 1, Seed: int64(i), Messages: []Message{{"user", "hi"}}}
		}
		_, err := e.client(t, change).CompleteAll(t.Context(), reqs)
		return err
	}
	if err := ask(5); err != nil {
		t.Fatal(err)
	}
	if err := ask(5); err != nil || e.hits.Load() != 10 {
		t.Errorf("%v after %d requests", err, e.hits.Load())
	}
	if err := ask(20); !errors.Is(err, ErrFailing) {
		t.Errorf("fifteen new failures: %v", err)
	}
}
