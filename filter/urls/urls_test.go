package urls

import (
	"bytes"
	"compress/gzip"
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"winnow"
)

func list(t testing.TB, name, content string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), name)
	b := []byte(content)
	if strings.HasSuffix(name, ".gz") {
		var out bytes.Buffer
		z := gzip.NewWriter(&out)
		z.Write(b)
		z.Close()
		b = out.Bytes()
	}
	if err := os.WriteFile(file, b, 0o644); err != nil {
		t.Fatal(err)
	}
	return file
}

func sampleStage(t testing.TB) *Stage {
	t.Helper()
	s, err := New(Options{
		Domains:   list(t, "domains.txt.gz", "# hosts and domains\nblocked.com\nDanger.org\n\nbad.nice.com\ntrouble.co.uk\nblogspot.com\n坏.cn\n"),
		URLs:      list(t, "urls.txt", "good.example/one/page.html\nhttp://www.good.example/two/\n"),
		HardWords: list(t, "hard.txt", "casino\n"),
		SoftWords: list(t, "soft.txt", "bonus\nlottery\nwin\n"),
		Subwords:  list(t, "sub.txt", "freemoney\nbet365\n"),
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestRules(t *testing.T) {
	s := sampleStage(t)
	for _, c := range []struct{ url, rule, detail string }{
		{"", "", ""},
		{"https://nice.com/a?b=c", "", ""},
		{"https://blocked.com/a?b=c", "url.domain", "blocked.com"},
		{"http://www.hey.danger.org/", "url.domain", "danger.org"},
		{"http://DANGER.org:8080/", "url.domain", "danger.org"},
		{"http://a.b.trouble.co.uk/", "url.domain", "trouble.co.uk"},
		{"http://one.blogspot.com/", "url.domain", "blogspot.com"},
		{"http://坏.cn/新闻", "url.domain", "坏.cn"},
		{"https://bad.nice.com/x", "url.subdomain", "bad.nice.com"},
		{"https://very.bad.nice.com/x", "", ""},
		{"https://notblocked.com/x", "", ""},
		{"https://good.example/one/page.html", "url.exact", "good.example/one/page.html"},
		{"http://good.example/one/page.html?x", "", ""},
		{"https://good.example/two", "url.exact", "good.example/two"},
		{"https://nice.com/casino-night", "url.hard_words", "casino"},
		{"https://nice.com/Casino-night", "", ""},
		{"https://nice.com/casinos", "", ""},
		{"https://nice.com/bonus", "", ""},
		{"https://nice.com/bonus/bonus", "", ""},
		{"https://nice.com/bonus_win", "url.soft_words", "bonus win"},
		{"https://nice.com/Free-Money.html", "url.subwords", "freemoney"},
		{"https://nice.com/%zz/free/money", "url.subwords", "freemoney"},
		{"https://abet365.example/", "url.subwords", "bet365"},
		{"https://danger.org/casino", "url.domain", "danger.org"},
	} {
		v, edits, err := s.Apply(context.Background(), &winnow.Document{URL: c.url})
		if err != nil || edits != nil {
			t.Errorf("%s: %v %v", c.url, edits, err)
		}
		if v.Rule != c.rule || v.Detail != c.detail || v.Drop != (c.rule != "") {
			t.Errorf("%s: %+v, want %s %q", c.url, v, c.rule, c.detail)
		}
	}
}

func TestNoLists(t *testing.T) {
	s, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	if v, _, _ := s.Apply(context.Background(), &winnow.Document{URL: "http://casino.example/"}); v.Drop {
		t.Errorf("%+v", v)
	}
	if s.Version() != "url/2 min_soft=2" {
		t.Error(s.Version())
	}
}

func TestErrors(t *testing.T) {
	plain := list(t, "plain", "this is no gzip file at all\n")
	if err := os.Rename(plain, plain+".gz"); err != nil {
		t.Fatal(err)
	}
	for want, o := range map[string]Options{
		"url: domains: open":             {Domains: filepath.Join(t.TempDir(), "none")},
		"no entries":                     {URLs: list(t, "empty", "# nothing\n")},
		`line 2: "汉字" can match nothing`: {Subwords: list(t, "han", "word\n汉字\n")},
		"plain.gz: gzip":                 {HardWords: plain + ".gz"},
		"min_soft":                       {MinSoft: -1},
	} {
		if _, err := New(o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

func TestVersion(t *testing.T) {
	of := func(words string) string {
		s, err := New(Options{HardWords: list(t, "words", words)})
		if err != nil {
			t.Fatal(err)
		}
		return s.Version()
	}
	if first, again := of("a\nb\n"), of("a\nb\n"); first != again || of("a\n") == of("b\n") {
		t.Error("the version must follow the list's content")
	}
}

// The automaton finds a subword exactly where one is.
func FuzzSubwords(f *testing.F) {
	s := sampleStage(f)
	f.Add("http://x.example/free-money")
	f.Add("bet36bet365")
	f.Add("freefreemoney")
	f.Add("fr\xffeemoney")
	f.Fuzz(func(t *testing.T, url string) {
		text := squeeze(url)
		want := slices.ContainsFunc(s.subwords, func(w string) bool { return strings.Contains(text, w) })
		if m := s.find.Iter(text).Next(); (m != nil) != want {
			t.Errorf("%q: found %v, want %v", text, m != nil, want)
		}
		s.judge(url)
	})
}

func BenchmarkApply(b *testing.B) {
	s := sampleStage(b)
	d := &winnow.Document{URL: "https://www.nice-example.com/2026/07/a-long-title-about-nothing-much.html?id=1234567&ref=home"}
	b.SetBytes(int64(len(d.URL)))
	b.ReportAllocs()
	for b.Loop() {
		s.Apply(context.Background(), d)
	}
}
