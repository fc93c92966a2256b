package polite

import (
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"winnow/crawl/warc"
)

// site is a server that writes down what it was asked.
type site struct {
	*httptest.Server
	mu    sync.Mutex
	asked []string
	times []time.Time
	open  int
	most  int // requests at a time
}

func newSite(t *testing.T, handler func(w http.ResponseWriter, r *http.Request)) *site {
	t.Helper()
	s := &site{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		s.asked, s.times, s.open = append(s.asked, r.URL.RequestURI()), append(s.times, time.Now()), s.open+1
		s.most = max(s.most, s.open)
		s.mu.Unlock()
		defer func() { s.mu.Lock(); s.open--; s.mu.Unlock() }()
		handler(w, r)
	}))
	t.Cleanup(s.Close)
	return s
}

// options are quick ones for a site on loopback.
func options(t *testing.T, s *site) Options {
	t.Helper()
	return Options{Seeds: []string{s.URL + "/"}, Out: filepath.Join(t.TempDir(), "site.warc.gz"), Contact: "me@example.org", AllowPrivate: true, MaxDepth: -1,
		Timeout: 2 * time.Second, MaxPage: 64 << 10, MaxPages: 500, Pace: Pace{Backoff: 10 * time.Millisecond, MaxWait: 3 * time.Second}}
}

func run(t *testing.T, o Options) Summary {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	sum, err := Run(ctx, o)
	if err != nil {
		t.Fatal(err)
	}
	return sum
}

// record is a record of an archive, taken out of the reader's buffers.
type record struct {
	kind, url, truncated, profile string
	status                        int
	body                          string
}

// records reads an archive with the product's own reader and wants it without damage.
func records(t *testing.T, path string) (list []record) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	r := warc.NewReader(f, info.Size(), warc.Options{})
	defer r.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	head := make([]byte, 8)
	if _, err := io.ReadFull(z, head); err != nil || string(head) != "WARC/1.1" {
		t.Fatalf("%s begins with %q: %v", path, head, err)
	}
	ids := map[string]bool{}
	for {
		rec, err := r.Next()
		if err == io.EOF {
			return list
		}
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		got := record{kind: rec.Type, url: strings.Clone(rec.Header.Get("WARC-Target-URI")), truncated: strings.Clone(rec.Header.Get("WARC-Truncated")),
			profile: strings.Clone(rec.Header.Get("WARC-Profile")), body: string(rec.Body)}
		if id := rec.Header.Get("WARC-Record-ID"); ids[id] {
			t.Errorf("%s: record id %s twice", path, id)
		} else {
			ids[strings.Clone(id)] = true
		}
		if rec.Type == "response" || rec.Type == "revisit" {
			var h warc.HTTP
			resp, _ := h.Parse(rec.Body)
			got.status, got.body = resp.Status, string(resp.Body)
		}
		list = append(list, got)
	}
}

// paths are the paths that an archive has a response or revisit of, sorted.
func paths(list []record, base string) (p []string) {
	for _, r := range list {
		if r.kind == "response" || r.kind == "revisit" {
			p = append(p, strings.TrimPrefix(r.url, base))
		}
	}
	slices.Sort(p)
	return p
}

func html(w http.ResponseWriter, body string) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = io.WriteString(w, "<html><body>"+body)
}

// TestCrawl goes over a small site that says all that a site can say to crawlers.
func TestCrawl(t *testing.T) {
	pages := map[string]string{
		"/":          `<a href="/a">a</a> <a href="/a#x">a</a> <a href="//127.0.0.1:1/out">out</a> <a href="/secret/x">s</a> <a rel="nofollow" href="/nf">n</a> <a href="pic.JPG">p</a> <a href="mailto:x@y.example">m</a> <a href="/moved">m</a> <a href="/gone">g</a> <a href="/same?utm_source=q">s</a> <a href="/data.bin2">b</a>`,
		"/a":         `<head><base href="/deep/"></head><a href="b">b</a><a href="/same2">s</a><a href="/noindex">n</a><a href="/nofollow">n</a><a href="/header">h</a>`,
		"/deep/b":    `<link rel="canonical" href="/canon"> <meta http-equiv="refresh" content="3; url='/refreshed'">`,
		"/canon":     `canonical`,
		"/refreshed": `refreshed`,
		"/same":      `one text`,
		"/same2":     `one text`,
		"/noindex":   `<meta name="Robots" content="noindex"><a href="/via-noindex">x</a>`,
		"/nofollow":  `<meta name="winnow" content="nofollow"><a href="/not-this">x</a>`,
		"/header":    `header<a href="/not-that">x</a>`,
		"/target":    `target`, "/mapped": `mapped`, "/via-noindex": `via noindex`,
	}
	s := newSite(t, func(w http.ResponseWriter, r *http.Request) {
		if got := r.UserAgent(); got != "winnow/1 (+mailto:me@example.org)" {
			t.Errorf("User-Agent %q", got)
		}
		switch r.URL.Path {
		case "/robots.txt":
			_, _ = fmt.Fprintf(w, "User-agent: *\nDisallow: /\nUser-agent: winnow\nDisallow: /secret/\nSitemap: http://%s/map.xml\n", r.Host)
		case "/map.xml":
			_, _ = fmt.Fprintf(w, "<urlset><url><loc>http://%s/mapped</loc></url><url><loc>http://elsewhere.example/</loc></url></urlset>", r.Host)
		case "/moved":
			http.Redirect(w, r, "/target", http.StatusMovedPermanently)
		case "/data.bin2":
			w.Header().Set("Content-Type", "application/octet-stream")
			_, _ = io.WriteString(w, "\x00\x01")
		case "/header":
			w.Header().Add("X-Robots-Tag", "otherbot: noindex")
			w.Header().Add("X-Robots-Tag", "nofollow")
			html(w, pages[r.URL.Path])
		default:
			if body, ok := pages[r.URL.Path]; ok {
				html(w, body)
				return
			}
			http.NotFound(w, r)
		}
	})
	o := options(t, s)
	o.Version, o.Pace.Delay = "1", 5*time.Millisecond
	sum := run(t, o)
	list := records(t, o.Out)
	want := []string{"/", "/a", "/canon", "/deep/b", "/gone", "/header", "/mapped", "/moved", "/nofollow", "/refreshed", "/same", "/same2", "/target", "/via-noindex"}
	if got := paths(list, s.URL); !slices.Equal(got, want) {
		t.Errorf("in the archive\n%q, want\n%q", got, want)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	seen := map[string]bool{}
	for i, p := range s.asked {
		if seen[p] {
			t.Errorf("%s was asked twice", p)
		}
		seen[p] = true
		if strings.HasPrefix(p, "/secret") || strings.HasPrefix(p, "/not") || p == "/nf" {
			t.Errorf("%s was asked", p)
		}
		if i > 0 && s.times[i].Sub(s.times[i-1]) < o.Pace.Delay {
			t.Errorf("%s came %v after the request before", p, s.times[i].Sub(s.times[i-1]))
		}
	}
	if s.asked[0] != "/robots.txt" || s.most != 1 {
		t.Errorf("first %s, %d at a time", s.asked[0], s.most)
	}
	for key, pair := range map[string][2]int64{"disallow": {sum.Reasons["robots.disallow"], 1}, "noindex": {sum.Reasons["robots.noindex"], 1}, "type": {sum.Reasons["type"], 1},
		"scope": {sum.Links["scope"], 2}, "nofollow": {sum.Links["nofollow"], 3}, "media": {sum.Links["media"], 1}, "scheme": {sum.Links["scheme"], 1},
		"identical": {sum.Revisits["identical"], 1}, "301": {sum.Status["301"], 1}, "404": {sum.Status["404"], 1}, "queue": {sum.Queue, 0}, "map": {sum.Sitemaps["200"], 1}} {
		if pair[0] != pair[1] {
			t.Errorf("%s: %d, want %d", key, pair[0], pair[1])
		}
	}
	if sum.Ended != EndedDone {
		t.Errorf("ended: %s", sum.Ended)
	}
	for _, r := range list {
		if r.kind == "metadata" && r.url == s.URL+"/deep/b" && (!strings.Contains(r.body, "canonical: "+s.URL+"/canon\r\n") || !strings.Contains(r.body, "via: "+s.URL+"/a\r\n")) {
			t.Errorf("metadata %q", r.body)
		}
	}
	if again := run(t, o); again.Pages != sum.Pages || again.Ended != EndedDone {
		t.Errorf("a finished crawl, run again: %+v", again)
	}
}

// TestRecrawl asks again with conditions: unchanged pages become revisits, and their links are followed from the archive.
func TestRecrawl(t *testing.T) {
	changed := false
	s := newSite(t, func(w http.ResponseWriter, r *http.Request) {
		body := map[string]string{"/": `<a href="/tag">t</a><a href="/date">d</a><a href="/plain">p</a><a href="/new">n</a>`, "/tag": `<a href="/deep">d</a>`, "/date": "dated", "/plain": "no condition", "/deep": "deep", "/new": "one"}[r.URL.Path]
		if body == "" {
			http.NotFound(w, r)
			return
		}
		if changed && r.URL.Path == "/new" {
			body = "two"
		}
		switch r.URL.Path {
		case "/plain":
		case "/date":
			w.Header().Set("Last-Modified", "Fri, 02 Jan 2026 03:04:05 GMT")
			if r.Header.Get("If-Modified-Since") != "" {
				w.WriteHeader(304)
				return
			}
		default:
			tag := fmt.Sprintf(`"%x"`, body)
			w.Header().Set("ETag", tag)
			if r.Header.Get("If-None-Match") == tag {
				w.WriteHeader(304)
				return
			}
		}
		html(w, body)
	})
	first := options(t, s)
	run(t, first)
	changed = true
	second := options(t, s)
	second.Previous = first.Out
	sum := run(t, second)
	if sum.Status["304"] != 4 || sum.Revisits["not_modified"] != 4 || sum.Revisits["identical_to_previous"] != 1 || sum.Stored != 6 {
		t.Errorf("%+v", sum)
	}
	for _, r := range records(t, second.Out) {
		switch path := strings.TrimPrefix(r.url, s.URL); {
		case r.kind == "revisit" && path == "/plain" && r.profile != profileSame, r.kind == "revisit" && path != "/plain" && r.profile != profileNotModified,
			r.kind == "response" && path != "/new", r.kind == "revisit" && path == "/new":
			t.Errorf("%s is a %s of profile %s", path, r.kind, r.profile)
		}
	}
}

// TestBudgets stops at each budget and goes on when it is raised.
func TestBudgets(t *testing.T) {
	s := newSite(t, func(w http.ResponseWriter, r *http.Request) {
		var n int
		_, _ = fmt.Sscanf(r.URL.Path, "/%d", &n)
		html(w, fmt.Sprintf(`%d <a href="/%d">x</a><a href="/%d">y</a>`, n, 2*n+1, 2*n+2))
	})
	o := options(t, s)
	o.MaxPages = 7
	if sum := run(t, o); sum.Pages != 7 || sum.Ended != EndedPages || sum.Queue == 0 {
		t.Errorf("%+v", sum)
	}
	o.MaxPages = 20
	if sum := run(t, o); sum.Pages != 20 {
		t.Errorf("%+v", sum)
	}
	got := paths(records(t, o.Out), s.URL)
	if len(got) != 20 || len(slices.Compact(slices.Clone(got))) != 20 {
		t.Errorf("%q", got)
	}
	deep := options(t, s)
	deep.MaxDepth = 3
	if sum := run(t, deep); sum.Pages != 15 || sum.Ended != EndedDone || sum.Links["depth"] == 0 {
		t.Errorf("depth: %+v", sum)
	}
	small := options(t, s)
	small.MaxBytes, small.Rotate, small.commitEvery = 8000, 2000, time.Nanosecond
	sum := run(t, small)
	if sum.Ended != EndedBytes || sum.Bytes < 8000 || sum.Bytes > 10000 || sum.Files < 3 {
		t.Errorf("bytes: %+v", sum)
	}
	total := 0
	for n := range sum.Files {
		list := records(t, FileName(small.Out, n))
		if list[0].kind != "warcinfo" {
			t.Errorf("file %d begins with %s", n, list[0].kind)
		}
		total += len(paths(list, s.URL))
	}
	if int64(total) != sum.Pages {
		t.Errorf("%d pages in %d files, %d asked", total, sum.Files, sum.Pages)
	}
	other := o
	other.Scope = ScopeDomain
	if _, err := Run(context.Background(), other); err == nil || !strings.Contains(err.Error(), "scope") {
		t.Errorf("another scope on the same frontier: %v", err)
	}
}
