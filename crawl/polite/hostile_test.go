package polite

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/andybalholm/brotli"

	"winnow/crawl/polite/frontier"
)

// hang takes over a connection.
func hang(w http.ResponseWriter) net.Conn {
	conn, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		panic(err)
	}
	return conn
}

// hostile answers as badly as servers can. What a crawl makes of each path is in TestHostile.
func hostile(w http.ResponseWriter, r *http.Request) {
	var n int
	switch path := r.URL.Path; {
	case path == "/":
		html(w, `<a href="/redirect/0">1</a><a href="/self">2</a><a href="/calendar?m=0">3</a><a href="/slow">4</a><a href="/bomb">5</a><a href="/short">6</a>
			<a href="/long">7</a><a href="/huge">8</a><a href="/cut">9</a><a href="/cookie">10</a><a href="/gbk">11</a><a href="/silent">12</a><a href="/garbage">13</a>
			<a href="/head">14</a><a href="/loris">15</a><a href="/private">16</a><a href="/deep/">17</a><a href="/badgzip">18</a><a href="/file">19</a><a href="/br">20</a>`)
	case strings.HasPrefix(path, "/redirect/"):
		_, _ = fmt.Sscanf(path, "/redirect/%d", &n)
		http.Redirect(w, r, fmt.Sprintf("/redirect/%d", n+1), http.StatusFound)
	case path == "/self":
		http.Redirect(w, r, "/self#again", http.StatusFound)
	case path == "/file":
		w.Header().Set("Location", "file:///etc/passwd")
		w.WriteHeader(302)
	case path == "/private":
		http.Redirect(w, r, "http://169.254.169.254/latest/meta-data/", http.StatusFound)
	case path == "/calendar":
		_, _ = fmt.Sscanf(r.URL.RawQuery, "m=%d", &n)
		html(w, fmt.Sprintf(`month %d <a href="?m=%d">next</a>`, n, n+1))
	case strings.HasPrefix(path, "/deep/"):
		html(w, path+`<a href="deep/">deeper</a>`)
	case path == "/slow": // the head comes, the body drips
		w.Header().Set("Content-Type", "text/html")
		for range 100 {
			if _, err := io.WriteString(w, "drip "); err != nil {
				return
			}
			w.(http.Flusher).Flush()
			time.Sleep(50 * time.Millisecond)
		}
	case path == "/bomb":
		w.Header().Set("Content-Type", "text/html")
		w.Header().Set("Content-Encoding", "gzip")
		_, _ = w.Write(bomb())
	case path == "/badgzip":
		w.Header().Set("Content-Type", "text/html")
		w.Header().Set("Content-Encoding", "gzip")
		_, _ = io.WriteString(w, "this is no gzip")
	case path == "/br":
		if !strings.Contains(r.Header.Get("Accept-Encoding"), "br") {
			panic("brotli is not asked for")
		}
		w.Header().Set("Content-Type", "text/html")
		w.Header().Set("Content-Encoding", "br")
		z := brotli.NewWriter(w)
		_, _ = io.WriteString(z, `<a href="/unpacked">a link within brotli</a>`)
		_ = z.Close()
	case path == "/unpacked":
		html(w, "found through brotli")
	case path == "/huge": // 100 MB
		w.Header().Set("Content-Type", "text/html")
		_, _ = io.Copy(w, io.LimitReader(zeros{}, 100<<20))
	case path == "/short": // more bytes than it says
		c := hang(w)
		_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 5\r\n\r\n12345HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil")
		_ = c.Close()
	case path == "/long", path == "/cut": // fewer than it says
		c := hang(w)
		_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 500\r\n\r\n"+path)
		_ = c.Close()
	case path == "/cookie": // a wall that only a cookie opens
		http.SetCookie(w, &http.Cookie{Name: "seen", Value: "1"})
		if r.Header.Get("Cookie") != "" {
			html(w, "a cookie was sent")
			return
		}
		http.Redirect(w, r, "/cookie?wall=1", http.StatusFound)
	case path == "/gbk":
		w.Header().Set("Content-Type", "text/html; charset=gbk")
		_, _ = w.Write([]byte("<a href=\"/\xd6\xd0\">\xd6\xd0\xce\xc4\xd2\xb3\xc3\xe6\xb5\xc4\xc4\xda\xc8\xdd</a>"))
	case path == "/silent":
		_ = hang(w).Close()
	case path == "/garbage":
		c := hang(w)
		_, _ = io.WriteString(c, "SSH-2.0-OpenSSH_9.2\r\n")
		_ = c.Close()
	case path == "/head": // a head without end
		c := hang(w)
		_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\n")
		for range 1000 {
			if _, err := io.WriteString(c, "X-Noise: "+strings.Repeat("x", 1000)+"\r\n"); err != nil {
				break
			}
		}
		_ = c.Close()
	case path == "/loris": // a head that drips
		c := hang(w)
		for range 200 {
			if _, err := io.WriteString(c, "H"); err != nil {
				break
			}
			time.Sleep(20 * time.Millisecond)
		}
		_ = c.Close()
	case path == "/中":
		html(w, "found through a charset")
	default:
		if r.Method != http.MethodGet {
			panic("only GET is used")
		}
		http.NotFound(w, r)
	}
}

// bomb is 50 MB of zeros in 50 KB, packed once.
var bomb = sync.OnceValue(func() []byte {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = io.Copy(z, io.LimitReader(zeros{}, 50<<20))
	_ = z.Close()
	return b.Bytes()
})

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func TestHostile(t *testing.T) {
	s := newSite(t, hostile)
	o := options(t, s)
	o.MaxQuery, o.Timeout, o.Tries = 12, time.Second, 2
	bomb()
	begun := time.Now()
	sum := run(t, o)
	if sum.Ended != EndedDone || time.Since(begun) > 40*time.Second {
		t.Errorf("after %v: %+v", time.Since(begun), sum)
	}
	list := records(t, o.Out)
	got := map[string]record{}
	for _, r := range list {
		if r.kind == "response" {
			got[strings.TrimPrefix(r.url, s.URL)] = r
		}
	}
	for path, want := range map[string]record{
		"/slow": {status: 200, truncated: "time"}, "/bomb": {status: 200, truncated: "length"}, "/huge": {status: 200, truncated: "length"},
		"/short": {status: 200}, "/long": {status: 200, truncated: "disconnect"}, "/cut": {status: 200, truncated: "disconnect"},
		"/cookie": {status: 302}, "/%E4%B8%AD": {status: 200}, "/redirect/10": {status: 302}, "/self": {status: 302}, "/badgzip": {status: 200},
		"/calendar?m=11": {status: 200}, "/br": {status: 200}, "/unpacked": {status: 200}, "/deep/deep/deep/": {status: 200},
	} {
		r, ok := got[path]
		if !ok || r.status != want.status || r.truncated != want.truncated {
			t.Errorf("%s: in the archive %v, status %d, truncated %q; want %d, %q", path, ok, r.status, r.truncated, want.status, want.truncated)
		}
	}
	for _, path := range []string{"/redirect/11", "/calendar?m=12", "/silent", "/garbage", "/head", "/loris", "/deep/deep/deep/deep/", "/etc/passwd"} {
		if _, ok := got[path]; ok {
			t.Errorf("%s is in the archive", path)
		}
	}
	if body := got["/short"].body; body != "12345" {
		t.Errorf("what lies behind a body is in it: %q", body)
	}
	if n := len(got["/huge"].body); n > int(o.MaxPage) {
		t.Errorf("a huge page takes %d bytes", n)
	}
	for rule, n := range map[string]int64{"redirect.limit": 1, "redirect.loop": 2, "redirect.bad": 1, "error.timeout": 1, "error.http": 2, "error.connect": 1, "scope": 1} {
		if sum.Reasons[rule] != n {
			t.Errorf("%s: %d, want %d", rule, sum.Reasons[rule], n)
		}
	}
	if sum.Links["trap.query"] == 0 || sum.Links["trap.repeat"] == 0 {
		t.Errorf("traps: %v", sum.Links)
	}
}

// TestPrivate refuses loopback, and counts it, without asking anything.
func TestPrivate(t *testing.T) {
	s := newSite(t, hostile)
	o := options(t, s)
	o.AllowPrivate = false
	o.Seeds = append(o.Seeds, "http://169.254.169.254/latest/", "http://[::1]/", "http://localhost:1/")
	sum := run(t, o)
	if sum.Reasons["address.private"] != 4 || sum.Pages != 0 || sum.Ended != EndedDone || len(s.asked) != 0 {
		t.Errorf("%+v, asked %v", sum, s.asked)
	}
}

// TestPatience has a server that is overloaded for a while, and robots.txt files of all kinds.
func TestPatience(t *testing.T) {
	busy := 0
	s := newSite(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/":
			html(w, `<a href="/busy">b</a><a href="/always">a</a><a href="/later">l</a>`)
		case "/busy":
			if busy++; busy == 1 {
				w.Header().Set("Retry-After", "1")
				w.WriteHeader(429)
				return
			}
			html(w, "at last")
		case "/always":
			w.WriteHeader(503)
		case "/later":
			html(w, "later")
		default:
			http.NotFound(w, r)
		}
	})
	o := options(t, s)
	begun := time.Now()
	sum := run(t, o)
	if got := paths(records(t, o.Out), s.URL); !slices.Equal(got, []string{"/", "/always", "/busy", "/later"}) || sum.Status["503"] != 1 {
		t.Errorf("%q %+v", got, sum)
	}
	if time.Since(begun) < time.Second {
		t.Error("Retry-After was not waited for")
	}
	for status, want := range map[int]string{404: EndedDone, 403: EndedDone, 500: EndedHosts, 503: EndedHosts, 429: EndedHosts} {
		s := newSite(t, func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/robots.txt" {
				w.WriteHeader(status)
				return
			}
			html(w, "page")
		})
		o := options(t, s)
		sum := run(t, o)
		if sum.Ended != want || (sum.Pages == 1) != (want == EndedDone) {
			t.Errorf("robots.txt %d: %+v", status, sum)
		}
	}
	patient := newSite(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Retry-After", "3600")
		w.WriteHeader(503)
	})
	o = options(t, patient)
	if sum := run(t, o); sum.Ended != EndedHosts || sum.Aside != 1 || sum.Queue != 1 || len(patient.asked) != 1 {
		t.Errorf("a host that asks for an hour: %+v", sum)
	}
}

// TestChild is the process that TestKill kills.
func TestChild(t *testing.T) {
	out, seed := os.Getenv("POLITE_OUT"), os.Getenv("POLITE_SEED")
	if out == "" {
		t.Skip("only as a child of TestKill")
	}
	_, err := Run(context.Background(), killOptions(out, seed))
	if err != nil {
		t.Fatal(err)
	}
}

func killOptions(out, seed string) Options {
	return Options{Seeds: []string{seed}, Out: out, Contact: "me@example.org", AllowPrivate: true, MaxDepth: -1, commitEvery: 15 * time.Millisecond, Pace: Pace{Delay: time.Millisecond}}
}

// TestKill kills a crawl again and again, with kill -9, and wants the same pages in the end as without, none twice, and no
// damage in the archive.
func TestKill(t *testing.T) {
	s := newSite(t, func(w http.ResponseWriter, r *http.Request) {
		var n int
		if _, err := fmt.Sscanf(r.URL.Path, "/p%d", &n); err != nil && r.URL.Path != "/" {
			http.NotFound(w, r)
			return
		}
		body := fmt.Sprintf("page %d", n)
		for i := range 3 {
			if next := 3*n + i + 1; next < 250 {
				body += fmt.Sprintf(`<a href="/p%d">x</a>`, next)
			}
		}
		html(w, body)
	})
	whole := killOptions(filepath.Join(t.TempDir(), "whole.warc.gz"), s.URL+"/")
	run(t, whole)
	want := paths(records(t, whole.Out), s.URL)
	if len(want) != 250 {
		t.Fatalf("%d pages", len(want))
	}
	out := filepath.Join(t.TempDir(), "killed.warc.gz")
	kills := 0
	for range 200 {
		cmd := exec.Command(os.Args[0], "-test.run", "^TestChild$")
		cmd.Env = append(os.Environ(), "POLITE_OUT="+out, "POLITE_SEED="+s.URL+"/")
		var said bytes.Buffer
		cmd.Stdout, cmd.Stderr = &said, &said
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		ended := make(chan error, 1)
		go func() { ended <- cmd.Wait() }()
		s.mu.Lock()
		before := len(s.asked)
		s.mu.Unlock()
		err := error(nil)
		alive := true
		for alive {
			select {
			case err = <-ended:
				alive = false
			case <-time.After(2 * time.Millisecond):
				s.mu.Lock()
				asked := len(s.asked) - before
				s.mu.Unlock()
				if asked > 20+kills*3 {
					_ = cmd.Process.Kill()
					err, alive = <-ended, false
				}
			}
		}
		if err == nil {
			break
		}
		var exit *exec.ExitError
		if !errors.As(err, &exit) || exit.ExitCode() > 0 {
			t.Fatalf("the child failed: %v\n%s", err, said.String())
		}
		kills++
	}
	if kills < 3 {
		t.Errorf("only %d kills", kills)
	}
	if got := paths(records(t, out), s.URL); !slices.Equal(got, want) {
		t.Errorf("after %d kills %d pages, want %d", kills, len(got), len(want))
	}
}

// TestLocked lets only one crawl at a frontier.
func TestLocked(t *testing.T) {
	s := newSite(t, hostile)
	o := options(t, s)
	held, err := frontier.Open(o.Out + ".frontier")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = held.Close() }()
	for _, o.Fresh = range []bool{false, true} {
		if _, err := Run(context.Background(), o); !errors.Is(err, frontier.ErrLocked) {
			t.Errorf("fresh %v: %v", o.Fresh, err)
		}
	}
}
