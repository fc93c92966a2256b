package dedup

import (
	"testing"

	"winnow"
)

func TestCanonicalURL(t *testing.T) {
	const want = "http://example.com/a/b?p=1&q=2"
	for _, c := range []struct{ in, want string }{
		{"", ""},
		{"http://example.com/a/b?p=1&q=2", want},
		{" HTTPS://Example.COM:443/a/./x/../b?q=2&utm_source=mail&p=1#top ", want},
		{"https://user:secret@example.com./a/b?&q=2&p=1&fbclid=x&UTM_Medium=y", want},
		{"https://example.com:80/", "http://example.com/"},
		{"http://example.com", "http://example.com/"},
		{"http://example.com?", "http://example.com/"},
		{"http://example.com/a/", "http://example.com/a/"},
		{"http://www.example.com/A", "http://www.example.com/A"},
		{"http://example.com/web/http://other.org/", "http://example.com/web/http://other.org/"},
		{"http://example.com/%7ejoe/%e4%b8%ad", "http://example.com/~joe/%E4%B8%AD"},
		{"http://example.com/~joe/中", "http://example.com/~joe/%E4%B8%AD"},
		{"http://example.com/a%2fb", "http://example.com/a%2Fb"},
		{"http://example.com/?q=%E4%B8%AD+x", "http://example.com/?q=%E4%B8%AD+x"},
		{"http://example.com/?q=中%20x", "http://example.com/?q=%E4%B8%AD+x"},
		{"http://example.com/?b&a=2&a=1", "http://example.com/?a=2&a=1&b"},
		{"http://[2001:DB8::1]:8080/x", "http://[2001:db8::1]:8080/x"},
		{"page.html#part", "page.html"},
		{"http://bad host/%zz", "http://bad host/%zz"},
	} {
		if got := canonicalURL(c.in); got != c.want {
			t.Errorf("%q: got %q, want %q", c.in, got, c.want)
		}
	}
}

func FuzzCanonicalURL(f *testing.F) {
	for _, s := range []string{"", "HTTP://A.b:80/../c?x=1&utm_a=2#f", "//host/p", "http://a/%2f%zz?%zz=%", "http://[::1]:/"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		once := canonicalURL(s)
		if twice := canonicalURL(once); twice != once {
			t.Fatalf("%q: %q, then %q", s, once, twice)
		}
	})
}

func TestSqueeze(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"", ""},
		{"\n\t\u3000 ", ""},
		{" One  two\r\n\n three ", "One two three"},
		{"今天\u3000天气", "今天 天气"},
		{"Cafe\u0301", "Café"},
	} {
		if got := string(squeeze(nil, c.in)); got != c.want {
			t.Errorf("%q: got %q, want %q", c.in, got, c.want)
		}
	}
}

func TestSameSaysNothingWithoutKey(t *testing.T) {
	for _, method := range Methods() {
		s := mustNew(t, Options{Method: method})
		_, err := s.Sketch(&winnow.Document{ID: "x", Text: " \n"}, func(winnow.Record) {
			t.Errorf("%s: a record of nothing", method)
		})
		if err != nil {
			t.Errorf("%s: %v", method, err)
		}
	}
}
