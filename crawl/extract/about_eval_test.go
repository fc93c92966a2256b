package extract

import (
	"strings"
	"testing"

	"winnow/crawl/charset"
	"winnow/crawl/extract/about"
)

// fact is a text, or that of an object with one member.
func fact(v any) string {
	if m, ok := v.(map[string]any); ok {
		v = m["articleBody"]
	}
	s, _ := v.(string)
	return strings.TrimSpace(s)
}

// TestFactsOfRealPages compares title, author and day with what people wrote down.
func TestFactsOfRealPages(t *testing.T) {
	count := map[string]*[3]int{} // right, given, wanted
	note := func(what, got, want string, alike func(a, b string) bool) {
		c := count[what]
		if c == nil {
			c = &[3]int{}
			count[what] = c
		}
		if want == "" {
			return
		}
		c[2]++
		if got != "" {
			c[1]++
		}
		if got != "" && alike(strings.ToLower(got), strings.ToLower(want)) {
			c[0]++
		} else {
			t.Logf("%s: got %q, want %q", what, got, want)
		}
	}
	contains := func(a, b string) bool { return strings.Contains(a, b) || strings.Contains(b, a) }
	for _, set := range []string{"wcxb_dev340", "trafilatura_eval150", "zh_cwced_a"} {
		for _, g := range corpus(t, set) {
			page, _, err := charset.Decode(g.body, "")
			if err != nil {
				continue
			}
			p, err := Extract(page, Options{})
			if err != nil {
				continue
			}
			author, date := fact(g.Author), fact(g.Date)
			if set == "zh_cwced_a" {
				if date = about.DayIn(date); author == "UNKNOWN" {
					author = ""
				}
			}
			note(set+" author", p.Author, strings.TrimSpace(author), contains)
			note(set+" date", p.Date, date, func(a, b string) bool { return a == b })
			note(set+" title", p.Title, g.Title, contains)
			note(set+" license", p.License, strings.ReplaceAll(g.License, "CC-BY", "CC BY"), contains)
		}
	}
	for what, least := range map[string]float64{
		"wcxb_dev340 author": 0.81, "wcxb_dev340 date": 0.78, "wcxb_dev340 title": 0.86,
		"trafilatura_eval150 author": 0.64, "trafilatura_eval150 date": 0.83, "trafilatura_eval150 title": 0.73,
		"zh_cwced_a author": 0.4, "zh_cwced_a date": 0.8,
	} {
		c := count[what]
		t.Logf("%s: right %d of %d, given %d", what, c[0], c[2], c[1])
		if float64(c[0]) < least*float64(c[2]) {
			t.Errorf("%s: right %d of %d", what, c[0], c[2])
		}
	}
	t.Log("license", *count["trafilatura_eval150 license"])
}
