package urls

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	whatwg "github.com/nlnwa/whatwg-url/url"

	"winnow"
)

func TestCanonical(t *testing.T) {
	for _, c := range []struct{ in, want, host string }{
		{"http://a.example", "http://a.example/", "a.example"},
		{"http://a.example?q", "http://a.example/?q", "a.example"},
		{"https://a.example/b/c.html#part", "https://a.example/b/c.html", "a.example"},
		{"HTTPS://User:pw@A.Example:443/b/../c/./d?x=1#y", "https://a.example/c/d?x=1", "a.example"},
		{"http://a.example:8080/", "http://a.example:8080/", "a.example"},
		{"http://坏.cn/新闻 1", "http://xn--7es.cn/%E6%96%B0%E9%97%BB%201", "xn--7es.cn"},
		{"http://xn--7es.cn/", "http://xn--7es.cn/", "xn--7es.cn"},
		{"http://0x7f.1/", "http://127.0.0.1/", "127.0.0.1"},
		{"http://3232235777/", "http://192.168.1.1/", "192.168.1.1"},
		{"http://[0:0::1]/", "http://[::1]/", "[::1]"},
		{"http:\\\\a.example\\b", "http://a.example/b", "a.example"},
		{" http://a.ex\tample/\n", "http://a.example/", "a.example"},
		{"http://a.example/%2e%2E/x", "http://a.example/x", "a.example"},
		{"http://a.example/it's?it's", "http://a.example/it's?it%27s", "a.example"},
	} {
		got, host, ok := Canonical(c.in)
		if !ok || got != c.want || host != c.host {
			t.Errorf("%q: %q %q %v, want %q", c.in, got, host, ok, c.want)
		}
	}
	for _, bad := range []string{"", "a.example", "http://", "http://a b/", "mailto:x@a.example", "http://[1/"} {
		if got, host, ok := Canonical(bad); ok {
			t.Errorf("%q: %q %q", bad, got, host)
		}
	}
}

// FuzzCanonical holds the short way for plain addresses to what the standard's parser says.
func FuzzCanonical(f *testing.F) {
	for _, s := range []string{"http://a.example", "https://a-b.example/x/.y/z?q=%41#f", "http://1.2.3/", "http://a.b1", "http://xn--7es.cn/", "http://a..b/",
		"http://a.example/%2", "http://-a.b-/", "http://a.example/..?..", "http://a.0x1/", "http://a.example./"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, address string) {
		got, host, ok := Canonical(address)
		if plainHost(address) > 0 {
			u, err := whatwg.Parse(address)
			if err != nil || u.Href(true) != got || u.Hostname() != host {
				t.Fatalf("%q: %q %q; the standard: %v %v", address, got, host, u, err)
			}
		}
		if ok {
			if again, same, ok := Canonical(got); !ok || again != got || same != host {
				t.Fatalf("%q: %q, and of that %q", address, got, again)
			}
		}
		registered(host)
	})
}

// category lists in the form of UT1.
func ut1(t testing.TB) string {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"adult/domains": "bad.example\n坏.cn\n10.1.2.3\n", "adult/urls": "nice.example/~bad\nwww.nice.example/cgi?show=bad\n",
		"games/domains": "play.example\nbad.example\nnot a host\n", "empty/usage": "black\n",
	} {
		file := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestCategories(t *testing.T) {
	s, err := New(Options{UT1: ut1(t), Categories: []string{"adult", "games"}})
	if err != nil {
		t.Fatal(err)
	}
	for address, want := range map[string]string{
		"http://bad.example/":                    "adult: bad.example",
		"https://WWW.very.Bad.example:444/x":     "adult: bad.example",
		"http://notbad.example/":                 "",
		"http://xn--7es.cn/":                     "adult: 坏.cn",
		"http://0xa.66051/":                      "adult: 10.1.2.3",
		"http://play.example/":                   "games: play.example",
		"https://www.nice.example/~bad/a/b?c=/d": "adult: nice.example/~bad",
		"https://nice.example/a/../~bad":         "adult: nice.example/~bad",
		"https://nice.example/~badly":            "",
		"http://nice.example/cgi?show=bad":       "adult: nice.example/cgi?show=bad",
		"http://nice.example/":                   "",
	} {
		v, _, _ := s.Apply(context.Background(), &winnow.Document{URL: address})
		if v.Detail != want || v.Drop != (want != "") || v.Drop && v.Rule != "url.category" {
			t.Errorf("%s: %+v, want %q", address, v, want)
		}
	}
	for want, o := range map[string]Options{
		"name the categories, of adult, empty, games": {UT1: ut1(t)},
		`neither domains nor urls of "empty"`:         {UT1: ut1(t), Categories: []string{"empty"}},
		`neither domains nor urls of "none"; it has`:  {UT1: ut1(t), Categories: []string{"none"}},
		"ut1 names no folder":                         {Categories: []string{"adult"}},
	} {
		if _, err := New(o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

// Hosts and addresses match however they are written.
func TestForms(t *testing.T) {
	s, err := New(Options{Domains: list(t, "domains", "XN--7ES.cn\nbücher.example\n"), URLs: list(t, "urls", "http://a.example:80/b/../c d\n")})
	if err != nil {
		t.Fatal(err)
	}
	for address, want := range map[string]string{
		"http://坏.cn/":                        "url.domain",
		"http://xn--bcher-kva.example/":       "url.domain",
		"http://BÜCHER.example./":             "url.domain",
		"https://www.a.example/./c%20d#later": "url.exact",
		"https://a.example/c":                 "",
	} {
		if v, _, _ := s.Apply(context.Background(), &winnow.Document{URL: address}); v.Rule != want {
			t.Errorf("%s: %+v, want %q", address, v, want)
		}
	}
}

// bigList is a list of n domains.
func bigList(t testing.TB, n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "host%07d-%d.example%d.org\n", i*7919%n, i%10, i)
	}
	return list(t, "domains.txt", b.String())
}

func heap() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// A list of a million domains costs little more than its text.
func TestMillionDomains(t *testing.T) {
	if testing.Short() {
		t.Skip("reads a million lines")
	}
	file := bigList(t, 1_000_000)
	before, begin := heap(), time.Now()
	s, err := New(Options{Domains: file})
	if err != nil {
		t.Fatal(err)
	}
	took, used := time.Since(begin), int64(heap()-before)
	info, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	if s.domains.len() != 1_000_000 || used > info.Size()+16<<20 {
		t.Errorf("%d domains of %d bytes take %d", s.domains.len(), info.Size(), used)
	}
	t.Logf("%d domains, %d MB of text: %.1f MB of memory, read in %v", s.domains.len(), info.Size()>>20, float64(used)/(1<<20), took.Round(time.Millisecond))
	if v, _, _ := s.Apply(context.Background(), &winnow.Document{URL: "http://host0000000-0.example0.org/x"}); v.Rule != "url.subdomain" {
		t.Errorf("%+v", v)
	}
	runtime.KeepAlive(s)
}

// BenchmarkMillion judges addresses by a list of a million domains, of which every tenth is in it.
func BenchmarkMillion(b *testing.B) {
	s, err := New(Options{Domains: bigList(b, 1_000_000)})
	if err != nil {
		b.Fatal(err)
	}
	var docs []*winnow.Document
	for i := range 100_000 {
		host := fmt.Sprintf("www.other%d.net", i)
		if i%10 == 0 {
			host = fmt.Sprintf("host%07d-%d.example%d.org", i*7919%1_000_000, i%10, i)
		}
		docs = append(docs, &winnow.Document{URL: fmt.Sprintf("https://%s/2026/07/a-long-title-about-nothing-much-%d.html", host, i)})
	}
	i := 0
	for b.Loop() {
		s.Apply(context.Background(), docs[i%len(docs)])
		i++
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "urls/s")
}

// BenchmarkCanonical is of a plain address, as most are, and of one with a name in Chinese.
func BenchmarkCanonical(b *testing.B) {
	for name, address := range map[string]string{"plain": "https://www.example.com/2026/07/a-long-title-about-nothing-much.html?id=1234567&ref=home",
		"other": "https://www.坏例子.example/2026/新闻/a-long-title.html?id=1234567"} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(address)))
			b.ReportAllocs()
			for b.Loop() {
				Canonical(address)
			}
		})
	}
}
