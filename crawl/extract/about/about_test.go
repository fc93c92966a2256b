package about

import (
	"strings"
	"testing"

	"golang.org/x/net/html"
)

func TestDates(t *testing.T) {
	for in, want := range map[string]string{
		"2026-11-23T08:00:00+08:00": "2026-11-23", "2026/1/3": "2026-01-03", "20261123": "2026-11-23", "20261123080000": "2026-11-23",
		"2026年11月3日 08:30": "2026-11-03", "March 4, 2021": "2021-03-04", "Mon, 02 Jan 2006 15:04:05 MST": "2006-01-02",
		"23.11.2026": "2026-11-23", "": "", "yesterday": "", "2026-13-40": "", "0001-01-01": "",
	} {
		if got := day(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

func TestRead(t *testing.T) {
	tests := []struct {
		name, page string
		want       Facts
	}{
		{"meta", `<meta name=author content="Ada L."><meta property="og:site_name" content="A  Site"><link rel=canonical href=/a>`, Facts{Author: "Ada L.", Site: "A Site", Canonical: "/a"}},
		{"Dublin Core", `<meta name="DC.creator" content="One"><meta name="dc.creator" content="Two"><meta name="DC.rights" content="All rights reserved">`, Facts{Author: "One; Two", License: "All rights reserved"}},
		{"graph", `<script type="application/ld+json">{"@graph":[{"@type":["NewsArticle"],"author":[{"@id":"#p"},{"@type":"Person","name":"Q \u00fc"}],"publisher":{"name":"P"},"datePublished":"2024-05-06T01:02"},{"@id":"#p","name":"Person One"}]}</script>`,
			Facts{Author: "Person One; Q ü", Site: "P", Date: "2024-05-06"}},
		{"broken JSON", "<script type=application/ld+json>//<![CDATA[\n[{\"@type\":\"Article\",,\"author\":{\"name\":\"A\nB\"},\"license\":\"https://creativecommons.org/licenses/by-sa/4.0/\"", Facts{Author: "A B", License: "CC BY-SA 4.0"}},
		{"microdata", `<div itemscope><p itemprop=author itemscope><span itemprop=name>M. D.</span></p><time itemprop=datePublished datetime=2020-01-02></time></div>`, Facts{Author: "M. D.", Date: "2020-01-02"}},
		{"classes", `<div class="byline">By <a>Jo Doe</a> on March 4, 2021</div><span class=date>March 4, 2021</span>`, Facts{Author: "Jo Doe", Date: "2021-03-04"}},
		{"license", `<p><a rel="license" href="http://creativecommons.org/licenses/by-nc-sa/2.0/de/">x</a>`, Facts{License: "CC BY-NC-SA 2.0 DE"}},
		{"public domain", `<p><a href="https://creativecommons.org/publicdomain/zero/1.0/">x</a>`, Facts{License: "CC0 1.0"}},
		{"no author", `<meta name=author content="admin"><meta name=author content="https://example.org/x">`, Facts{}},
	}
	for _, tt := range tests {
		root, err := html.Parse(strings.NewReader(tt.page))
		if err != nil {
			t.Fatal(err)
		}
		got := Read(root)
		got.Linked = nil
		if got.Author != tt.want.Author || got.Site != tt.want.Site || got.Canonical != tt.want.Canonical || got.License != tt.want.License || got.Date != tt.want.Date {
			t.Errorf("%s: got %+v, want %+v", tt.name, got, tt.want)
		}
	}
}

func TestResolve(t *testing.T) {
	for _, tt := range [][3]string{{"https://a.org/b/c", "d", "https://a.org/b/d"}, {"https://a.org/", "https://b.org/x", "https://b.org/x"}, {"", "/x", ""}, {"https://a.org/", "javascript:x", ""}} {
		if got := Resolve(tt[0], tt[1]); got != tt[2] {
			t.Errorf("%v: got %q", tt, got)
		}
	}
}

func FuzzLinked(f *testing.F) {
	f.Add(`{"@graph":[{"@type":"Article","author":[{"@id":"#p"}]},{"@id":"#p","name":"\\u00fc\\ud83d\\ude00"}]}`)
	f.Add(`[{"a":[[["b"]]],,]`)
	f.Fuzz(func(t *testing.T, s string) {
		l := readLinked([]string{s, s})
		for _, a := range l.authors {
			authors([]string{a})
		}
		DayIn(s)
	})
}
