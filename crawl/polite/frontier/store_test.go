package frontier

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestStore compares a frontier with a slice, over random work, commits, and ends without a commit.
func TestStore(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	s, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(3, 4))
	type state struct {
		queue []Entry
		seen  map[string]bool
	}
	clone := func(x state) state {
		y := state{append([]Entry(nil), x.queue...), map[string]bool{}}
		for k := range x.seen {
			y.seen[k] = true
		}
		return y
	}
	now := state{seen: map[string]bool{}}
	kept := clone(now)
	first := func(host string) int {
		best := -1
		for i, e := range now.queue {
			if e.Host == host && (best < 0 || e.Kind < now.queue[best].Kind || e.Kind == now.queue[best].Kind && e.Depth < now.queue[best].Depth) {
				best = i
			}
		}
		return best
	}
	for i := range 5000 {
		e := Entry{URL: fmt.Sprintf("http://h%d/%d", i%3, r.IntN(2000)), Host: fmt.Sprintf("h%d", i%3), Kind: Kind(1 + r.IntN(2)), Depth: r.IntN(4)}
		switch k := r.IntN(100); {
		case k < 55:
			key := fmt.Sprint(e.Kind, e.URL)
			if s.Seen(e) != now.seen[key] {
				t.Fatalf("%v seen: %v", e, s.Seen(e))
			}
			if !now.seen[key] {
				now.seen[key], now.queue = true, append(now.queue, e)
				if err := s.Add(e); err != nil {
					t.Fatal(err)
				}
			}
		case k < 97:
			got, ok, err := s.First(e.Host)
			at := first(e.Host)
			if err != nil || ok != (at >= 0) {
				t.Fatalf("first of %s: %v %v, want %d", e.Host, ok, err, at)
			}
			if !ok {
				continue
			}
			if want := now.queue[at]; got.URL != want.URL || got.Kind != want.Kind || got.Depth != want.Depth || got.Tries != want.Tries {
				t.Fatalf("first of %s: %+v, want %+v", e.Host, got, want)
			}
			if k < 70 {
				got.Tries++
				now.queue[at].Tries++
				err = s.Update(got)
			} else {
				now.queue = append(now.queue[:at:at], now.queue[at+1:]...)
				err = s.Remove(got)
			}
			if err != nil {
				t.Fatal(err)
			}
		case k < 99:
			if err := s.Commit(); err != nil {
				t.Fatal(err)
			}
			kept = clone(now)
		default:
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			if s, err = Open(path); err != nil {
				t.Fatal(err)
			}
			now = clone(kept)
		}
	}
	hosts, n := s.Hosts()
	if int(n) != len(now.queue) || len(hosts) != 3 {
		t.Errorf("%d entries at %v, want %d", n, hosts, len(now.queue))
	}
	if _, err := Open(path); !errors.Is(err, ErrLocked) {
		t.Errorf("opened twice: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

// memory is what the process holds of its own, and what of its memory are pages of files, which the system takes back when it needs
// them; bytes.
func memory(t testing.TB) (own, files int64) {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Skip("the memory of a process is measured on Linux alone")
	}
	for line := range strings.Lines(string(status)) {
		var kind string
		var kb int64
		_, _ = fmt.Sscanf(line, "%s %d", &kind, &kb)
		switch kind {
		case "RssAnon:":
			own = kb << 10
		case "RssFile:":
			files = kb << 10
		}
	}
	return own, files
}

// fill adds n addresses of 100 hosts, and commits when it should. It gives the most memory.
func fill(t testing.TB, s *Store, n int) (own, files int64) {
	t.Helper()
	for i := range n {
		e := Entry{URL: fmt.Sprintf("https://host-%02d.example/section/%d/a-page-with-a-usual-name-%d.html", i%100, i%977, i), Host: fmt.Sprintf("host-%02d.example", i%100), Kind: Page, Depth: i / 100_000}
		if err := s.Add(e); err != nil {
			t.Fatal(err)
		}
		if !s.Full() {
			continue
		}
		o, f := memory(t)
		own, files = max(own, o), max(files, f)
		if err := s.Commit(); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Commit(); err != nil {
		t.Fatal(err)
	}
	if _, found := s.Hosts(); found != int64(n) {
		t.Fatal(found)
	}
	return own, files
}

// TestFull holds that so much may be added between two commits, and no more.
func TestFull(t *testing.T) {
	s, err := Open(filepath.Join(t.TempDir(), "f"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	for range 2 {
		for i := range batch {
			if s.Full() {
				t.Fatalf("full after %d", i)
			}
			if err := s.Add(Entry{URL: fmt.Sprint("http://a.example/", i), Host: "a.example", Kind: Page}); err != nil {
				t.Fatal(err)
			}
		}
		if !s.Full() {
			t.Errorf("not full after %d", batch)
		}
		if err := s.Commit(); err != nil {
			t.Fatal(err)
		}
	}
}

// BenchmarkFrontier adds a million addresses, committing as a crawl does, and says what that takes in the process's own memory, in
// pages of the file and on disk.
func BenchmarkFrontier(b *testing.B) {
	const million = 1_000_000
	for range b.N {
		s, err := Open(filepath.Join(b.TempDir(), "f"))
		if err != nil {
			b.Fatal(err)
		}
		own, files := fill(b, s, million)
		b.ReportMetric(float64(own)/1e6, "own-MB")
		b.ReportMetric(float64(files)/1e6, "file-MB")
		b.ReportMetric(float64(s.tx.Size())/1e6, "disk-MB")
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(million)*float64(b.N)/b.Elapsed().Seconds(), "addresses/s")
}
