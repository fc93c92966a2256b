package remote

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"winnow"
)

// content is bytes that no two places of have in common.
func content(n int) []byte {
	b := make([]byte, n)
	rand.NewChaCha8([32]byte{1}).Read(b)
	return b
}

// quick are Options that do not wait long.
func quick(t testing.TB) Options {
	return Options{Pause: time.Millisecond, Stall: 300 * time.Millisecond, TempDir: t.TempDir(), Getenv: func(string) string { return "" }}
}

// faults are what a server does wrong, in turn with what it does right.
type faults struct {
	count              atomic.Int64
	busy, broken, hung atomic.Int64 // how often each happened
	bytes              atomic.Int64 // sent
	requests           atomic.Int64
}

// cutter ends a response after some bytes, or falls silent.
type cutter struct {
	http.ResponseWriter
	f    *faults
	left int
	hang bool
	r    *http.Request
}

func (c *cutter) Write(p []byte) (int, error) {
	n, err := c.ResponseWriter.Write(p[:min(len(p), c.left)])
	c.left -= n
	c.f.bytes.Add(int64(n))
	if c.left > 0 || err != nil {
		return n, err
	}
	c.ResponseWriter.(http.Flusher).Flush()
	if c.hang {
		c.f.hung.Add(1)
		<-c.r.Context().Done()
	} else {
		c.f.broken.Add(1)
	}
	panic(http.ErrAbortHandler)
}

// around makes requests fail: some are answered 503, some break off midway, some fall silent. A request that asks for one byte
// counts too.
func (f *faults) around(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f.requests.Add(1)
		left := 1 << 40
		hang := false
		switch f.count.Add(1) % 5 {
		case 1:
			f.busy.Add(1)
			http.Error(w, "slow down", http.StatusServiceUnavailable)
			return
		case 2:
			left = 100_001
		case 4:
			left, hang = 70_000, true
		}
		h.ServeHTTP(&cutter{ResponseWriter: w, f: f, left: left, hang: hang, r: r}, r)
	})
}

// server serves one file at /file, with or without ranges.
func server(t testing.TB, b []byte, ranges bool, f *faults) string {
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/file" {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("ETag", fmt.Sprintf(`"%x"`, sha256.Sum256(b)))
		if ranges {
			http.ServeContent(w, r, "file", time.Time{}, bytes.NewReader(b))
			return
		}
		w.Header().Set("Content-Length", fmt.Sprint(len(b)))
		io.Copy(w, bytes.NewReader(b))
	})
	s := httptest.NewServer(f.around(h))
	t.Cleanup(s.Close)
	return s.URL + "/file"
}

// readEverywhere compares a file with what it should hold: from end to end, and at places back and forth.
func readEverywhere(t *testing.T, f winnow.File, want []byte) {
	t.Helper()
	if f.Size() != int64(len(want)) {
		t.Fatalf("size %d, want %d", f.Size(), len(want))
	}
	got, err := io.ReadAll(io.NewSectionReader(f, 0, f.Size()))
	if err != nil || !bytes.Equal(got, want) {
		t.Fatalf("%d bytes, %v", len(got), err)
	}
	rng := rand.New(rand.NewPCG(3, 4))
	for range 20 {
		at, buf := rng.IntN(len(want)), make([]byte, 1+rng.IntN(200_000))
		n, err := f.ReadAt(buf, int64(at))
		if end := min(len(want), at+len(buf)); n != end-at || !bytes.Equal(buf[:n], want[at:end]) || (err == io.EOF) != (n < len(buf)) {
			t.Fatalf("%d bytes at %d: %v", n, at, err)
		}
	}
	if n, err := f.ReadAt(make([]byte, 1), f.Size()); n != 0 || err != io.EOF {
		t.Error(n, err)
	}
}

func TestHTTP(t *testing.T) {
	want := content(3 << 20)
	for _, ranges := range []bool{true, false} {
		f := new(faults)
		name := server(t, want, ranges, f)
		in, err := New(quick(t)).Open(context.Background(), name)
		if err != nil {
			t.Fatal(err)
		}
		if in.Ranged() != ranges || in.Tag() == "" {
			t.Error(in.Ranged(), in.Tag())
		}
		readEverywhere(t, in, want)
		in.Close()
		if ranges && (f.busy.Load() == 0 || f.broken.Load() == 0 || f.hung.Load() == 0) {
			t.Errorf("faults did not happen: %d busy, %d broken, %d silent", f.busy.Load(), f.broken.Load(), f.hung.Load())
		}
	}
}

// A transfer that breaks is taken up at the byte: little is sent twice.
func TestResumedAtTheByte(t *testing.T) {
	want := content(8 << 20)
	f := new(faults)
	in, err := New(quick(t)).Open(context.Background(), server(t, want, true, f))
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	got, err := io.ReadAll(io.NewSectionReader(in, 0, in.Size()))
	if err != nil || !bytes.Equal(got, want) {
		t.Fatal(len(got), err)
	}
	if sent := f.bytes.Load(); sent > int64(len(want))*5/4 {
		t.Errorf("%d bytes were sent for %d", sent, len(want))
	}
	if f.broken.Load()+f.hung.Load() < 3 {
		t.Error("nothing broke")
	}
}

func TestGivesUp(t *testing.T) {
	tries := int64(0)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		tries++
		switch r.URL.Path {
		case "/busy":
			http.Error(w, "", http.StatusServiceUnavailable)
		case "/gone":
			http.Error(w, "", http.StatusGone)
		case "/changes":
			w.Header().Set("ETag", fmt.Sprintf(`"%d"`, tries))
			http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(make([]byte, 1<<20)))
		}
	}))
	defer s.Close()
	o := quick(t)
	o.Tries = 3
	for _, c := range []struct {
		path, want string
		tries      int64
	}{{"/busy", "503 Service Unavailable (tried 3 times)", 3}, {"/gone", "410 Gone", 1}, {"/changes", "changed on its server", 2}} {
		tries = 0
		in, err := New(o).Open(context.Background(), s.URL+c.path)
		if err == nil {
			_, err = in.ReadAt(make([]byte, 10), 0)
		}
		if err == nil || !strings.Contains(err.Error(), c.want) || tries != c.tries {
			t.Errorf("%s: %v after %d tries", c.path, err, tries)
		}
	}
}

func TestStopped(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { http.Error(w, "", http.StatusBadGateway) }))
	defer s.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	if _, err := New(Options{Pause: time.Hour}).Open(ctx, s.URL+"/x"); err == nil || ctx.Err() == nil {
		t.Error(err)
	}
}

// No secret gets into a name, since names get into ledgers.
func TestSecretsAreRefused(t *testing.T) {
	f := New(quick(t))
	for _, name := range []string{"https://me:hush@host/x.warc.gz", "https://host/x.warc?X-Amz-Signature=hush", "https://host/x?sig=hush&sv=1",
		"https://me:hush@host:bad/x", "s3://me:hush@bucket/x", "s3:///x", "ftp://host/x", "https:///x", "https://host/*.warc"} {
		_, err := f.Glob(context.Background(), name, nil)
		if err == nil || strings.Contains(err.Error(), "hush") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestEmptyFile(t *testing.T) {
	for _, ranges := range []bool{true, false} {
		in, err := New(quick(t)).Open(context.Background(), server(t, nil, ranges, new(faults)))
		if err != nil {
			t.Fatal(ranges, err)
		}
		if n, err := in.ReadAt(make([]byte, 1), 0); in.Size() != 0 || n != 0 || err != io.EOF {
			t.Error(ranges, in.Size(), n, err)
		}
		in.Close()
	}
}
