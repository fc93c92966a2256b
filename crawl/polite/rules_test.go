package polite

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

func TestNormalise(t *testing.T) {
	cases := []struct{ base, raw, want string }{
		{"", "HTTP://Example.COM:80/a/../b#frag", "http://example.com/b"},
		{"http://a.example/x/y", "z?q=1", "http://a.example/x/z?q=1"},
		{"http://a.example/x", "//b.example", "http://b.example/"},
		{"", "https://user:pass@a.example/", "https://a.example/"},
		{"", "http://a.example/p;jsessionid=AB12?x=1", "http://a.example/p?x=1"},
		{"", "http://a.example/p?PHPSESSID=1&b=2&utm_source=z&a=3", "http://a.example/p?b=2&a=3"},
		{"", "http://a.example/p?utm_source=z", "http://a.example/p"},
		{"", "http://bücher.example/ü ü", "http://xn--bcher-kva.example/%C3%BC%20%C3%BC"},
		{"", "http://a.example./", "http://a.example./"},
		{"", "http://0x7f.1/", "http://127.0.0.1/"},
		{"", "http://[::FFFF:127.0.0.1]/", "http://[::ffff:7f00:1]/"},
		{"http://a.example/", "javascript:alert(1)", ""},
		{"http://a.example/", "mailto:a@b.example", ""},
		{"", "ftp://a.example/", ""},
		{"", "http://", ""},
	}
	for _, c := range cases {
		a, err := Normalise(c.base, c.raw)
		if a.URL != c.want || (err != nil) != (c.want == "") {
			t.Errorf("%q on %q: %q, %v; want %q", c.raw, c.base, a.URL, err, c.want)
		}
	}
}

func TestScope(t *testing.T) {
	cases := []struct {
		kind, seed, address string
		want                bool
	}{
		{ScopeHost, "https://a.example/x", "http://www.a.example/", true},
		{ScopeHost, "https://a.example/x", "http://b.a.example/", false},
		{ScopeHost, "http://a.example:8080/", "http://a.example/", false},
		{ScopeDomain, "https://www.a.co.uk/", "http://b.a.co.uk/", true},
		{ScopeDomain, "https://a.co.uk/", "http://b.co.uk/", false},
		{ScopeDomain, "http://127.0.0.1/", "http://1.127.0.0.1.example/", false},
		{ScopeDomain, "https://one.github.io/", "https://two.github.io/", false},
		{ScopePrefix, "https://a.example/docs/index.html", "http://a.example/docs/b", true},
		{ScopePrefix, "https://a.example/docs/", "http://a.example/docs", false},
		{ScopePrefix, "https://a.example/docs", "https://a.example/other", true},
	}
	for _, c := range cases {
		seed, err := Normalise("", c.seed)
		if err != nil {
			t.Fatal(err)
		}
		address, err := Normalise("", c.address)
		if err != nil {
			t.Fatal(err)
		}
		s, err := NewScope(c.kind, []Address{seed})
		if err != nil {
			t.Fatal(err)
		}
		if got := s.Contains(address); got != c.want {
			t.Errorf("%s of %s: %s %v", c.kind, c.seed, c.address, got)
		}
	}
}

func TestTraps(t *testing.T) {
	for address, want := range map[string]string{
		"http://a.example/a/b/a/b/a/b":                        "",
		"http://a.example/a/b/a/b/a/b/a/b":                    "trap.repeat",
		"http://a.example/" + strings.Repeat("x", maxAddress): "trap.length",
	} {
		a, err := Normalise("", address)
		if err != nil {
			t.Fatal(err)
		}
		if got := a.trap(); got != want {
			t.Errorf("%.60s: %q", address, got)
		}
	}
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for value, want := range map[string]time.Duration{
		"120": 2 * time.Minute, " 0 ": 0, "Fri, 02 Jan 2026 03:04:35 GMT": 30 * time.Second, "Fri, 02 Jan 2026 03:04:00 GMT": 0,
		"9223372036854775807": maxRetryAfter, "-5": -1, "soon": -1, "": -1, "1.5": -1, "18446744073709551616": -1,
	} {
		got, ok := RetryAfter(value, now)
		if ok != (want >= 0) || ok && got != want {
			t.Errorf("%q: %v %v, want %v", value, got, ok, want)
		}
	}
}

func FuzzRetryAfter(f *testing.F) {
	f.Add("120")
	f.Add("Fri, 02 Jan 2026 03:04:35 GMT")
	f.Fuzz(func(t *testing.T, value string) {
		if wait, ok := RetryAfter(value, time.Unix(1.7e9, 0)); wait < 0 || wait > maxRetryAfter || !ok && wait != 0 {
			t.Fatalf("%q: %v %v", value, wait, ok)
		}
	})
}

// TestScheduleIsPolite runs a day of random answers against a clock of its own, and holds every host to its pace.
func TestScheduleIsPolite(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	pace := Pace{Delay: time.Second, Backoff: 10 * time.Second, MaxWait: 10 * time.Minute, Failures: 5}
	s := NewSchedule(pace)
	now := time.Unix(0, 0)
	names := []string{"a", "b", "c", "d"}
	earliest := map[string]time.Time{}
	busy := map[string]bool{}
	failures := map[string]int{}
	aside := map[string]bool{}
	asked := 0
	for range 20_000 {
		for _, n := range names {
			s.Add(n)
		}
		if s.hosts["d"].delay == 0 {
			s.Slow("d", 5*time.Second)
		}
		name, wait := s.Take(now)
		if name == "" {
			if wait > 0 {
				now = now.Add(wait)
			}
		} else {
			if busy[name] || aside[name] || now.Before(earliest[name]) {
				t.Fatalf("%s asked at %v, before %v, or while busy (%v) or aside (%v)", name, now, earliest[name], busy[name], aside[name])
			}
			busy[name] = true
			asked++
		}
		for _, n := range names {
			if !busy[n] || r.IntN(2) == 0 {
				continue
			}
			now = now.Add(time.Duration(r.IntN(500)) * time.Millisecond)
			busy[n] = false
			delay := pace.Delay
			if n == "d" {
				delay = 5 * time.Second
			}
			switch k := r.IntN(100); {
			case k < 3:
				failures[n]++
				after := time.Duration(r.IntN(3)) * 30 * time.Second
				stays := s.Failed(n, now, after)
				earliest[n] = now.Add(max(after, delay))
				if after == 0 {
					earliest[n] = now.Add(max(delay, 10*time.Second<<(failures[n]-1)))
				}
				if aside[n] = failures[n] == 5; stays == aside[n] {
					t.Fatalf("%s after %d failures: stays %v", n, failures[n], stays)
				}
			default:
				failures[n] = 0
				s.Done(n, now)
				earliest[n] = now.Add(delay)
			}
		}
	}
	if asked < 1000 {
		t.Errorf("only %d requests", asked)
	}
	s2 := NewSchedule(pace)
	s2.Add("x")
	s2.Take(now)
	if s2.Failed("x", now, time.Hour) || s2.Aside() != 1 {
		t.Error("a host that asks for an hour is not set aside")
	}
}

func TestContact(t *testing.T) {
	for contact, good := range map[string]bool{"me@example.org": true, "https://example.org/bot": true, "": false, "me": false, "me@localhost": false,
		"http://x y.z": false, "Me <me@example.org>": false, "mailto:me@example.org": true, "me@example.org\r\nX: y": false} {
		if err := checkContact(contact); (err == nil) != good {
			t.Errorf("%q: %v", contact, err)
		}
	}
}
