package robots

import (
	"strings"
	"testing"
	"time"
)

// TestRobots holds the parser to RFC 9309, section by section.
func TestRobots(t *testing.T) {
	cases := []struct {
		name, robots, path string
		want               bool
	}{
		{"empty", "", "/a", true},
		{"2.2.1 own group before *", "User-agent: *\nDisallow: /\n\nUser-agent: winnow\nDisallow: /x", "/a", true},
		{"2.2.1 own group, any case, with version", "User-agent: Winnow/2.0\nDisallow: /a", "/a", false},
		{"2.2.1 a longer name is another crawler", "User-agent: winnow-news\nDisallow: /", "/a", true},
		{"2.2.1 a shorter name is another crawler", "User-agent: win\nDisallow: /", "/a", true},
		{"2.2.1 groups of one name are joined", "User-agent: winnow\nDisallow: /a\n\nUser-agent: winnow\nDisallow: /b", "/a", false},
		{"2.2.1 several names of one group", "User-agent: other\nUser-agent: winnow\nDisallow: /a", "/a", false},
		{"2.2.1 an empty own group allows all", "User-agent: winnow\n\nUser-agent: *\nDisallow: /", "/a", false}, // the lines follow each other: one group
		{"2.2.1 no group", "User-agent: other\nDisallow: /", "/a", true},
		{"2.2.1 rules before any group", "Disallow: /\nUser-agent: *\nDisallow: /x", "/a", true},
		{"2.2.2 longest match", "User-agent: *\nDisallow: /a\nAllow: /a/b", "/a/b/c", true},
		{"2.2.2 longest match, other order", "User-agent: *\nAllow: /a/b\nDisallow: /a", "/a/c", false},
		{"2.2.2 equal length: allow", "User-agent: *\nDisallow: /page\nAllow: /page", "/page", true},
		{"2.2.2 case matters", "User-agent: *\nDisallow: /A", "/a", true},
		{"2.2.2 empty disallow", "User-agent: *\nDisallow:", "/a", true},
		{"2.2.2 robots.txt itself", "User-agent: *\nDisallow: /", "/robots.txt", true},
		{"2.2.2 encoded alike", "User-agent: *\nDisallow: /caf%c3%a9", "/caf\u00e9", false},
		{"2.2.2 encoded alike, the other way", "User-agent: *\nDisallow: /caf\u00e9", "/caf%C3%A9", false},
		{"2.2.2 encoded letters", "User-agent: *\nDisallow: /%61b", "/ab", false},
		{"2.2.2 an encoded slash is no slash", "User-agent: *\nDisallow: /a%2Fb", "/a/b", true},
		{"2.2.3 wildcard", "User-agent: *\nDisallow: /*.gif", "/x/y.gif?z", false},
		{"2.2.3 end", "User-agent: *\nDisallow: /*.gif$", "/x/y.gif?z", true},
		{"2.2.3 end met", "User-agent: *\nDisallow: /*.gif$", "/x.gif/y.gif", false},
		{"2.2.3 end without wildcard", "User-agent: *\nDisallow: /a$", "/ab", true},
		{"2.2.3 several wildcards", "User-agent: *\nDisallow: /a*b*c", "/a1b2b3c4", false},
		{"2.2.3 wildcard last", "User-agent: *\nDisallow: /a*", "/ab", false},
		{"2.2.3 pieces do not overlap at the end", "User-agent: *\nDisallow: /ab*bc$", "/abc", true},
		{"2.2.3 comment", "User-agent: * # all\nDisallow: /a # not b", "/a", false},
		{"query", "User-agent: *\nDisallow: /*?sort=", "/a?sort=1", false},
		{"byte order mark", "\ufeffUser-agent: *\nDisallow: /", "/a", false},
		{"carriage returns alone", "User-agent: *\rDisallow: /a\r", "/a", false},
		{"2.2.4 unknown lines do not end a group", "User-agent: winnow\nNoise: 1\nSitemap: http://a/\nDisallow: /a", "/a", false},
		{"a bad line spoils no other", "User-agent: *\nCrawl-delay: soon\nDisallow: /a", "/a", false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if got := Parse([]byte(c.robots), "winnow").Allows(c.path); got != c.want {
				t.Errorf("%s: allowed %v, want %v, by\n%s", c.path, got, c.want, c.robots)
			}
		})
	}
}

func TestRobotsDelayAndSitemaps(t *testing.T) {
	r := Parse([]byte("Sitemap: https://a.example/1.xml\nUser-agent: *\nCrawl-delay: 7\nUser-agent: winnow\nCrawl-delay: 2.5\nDisallow: /x\nSITEMAP : /2.xml"), "winnow")
	if r.Delay != 2500*time.Millisecond {
		t.Errorf("delay %v", r.Delay)
	}
	if strings.Join(r.Sitemaps, " ") != "https://a.example/1.xml /2.xml" {
		t.Errorf("sitemaps %q", r.Sitemaps)
	}
	for _, s := range []string{"NaN", "-1", "x", "", "-Inf"} {
		if d := Parse([]byte("User-agent: *\nCrawl-delay: "+s), "winnow").Delay; d != 0 {
			t.Errorf("delay %q: %v", s, d)
		}
	}
	if d := Parse([]byte("User-agent: *\nCrawl-delay: 1e300"), "winnow").Delay; d != maxCrawlDelay {
		t.Errorf("endless delay: %v", d)
	}
}

func TestDirectives(t *testing.T) {
	cases := []struct {
		header string
		want   Directives
	}{
		{"noindex", Directives{NoIndex: true}}, {"NoFollow, noarchive", Directives{NoFollow: true}}, {"none", Directives{true, true}},
		{"otherbot: noindex", Directives{}}, {"winnow: noindex, nofollow", Directives{true, true}}, {"noai", Directives{NoIndex: true}},
		{"max-snippet: 20, noindex", Directives{NoIndex: true}}, {"unavailable_after: 25 Jun 2010 15:00:00 PST", Directives{}}, {"", Directives{}},
	}
	for _, c := range cases {
		var d Directives
		if d.AddHeader(c.header, "winnow"); d != c.want {
			t.Errorf("%q: %+v, want %+v", c.header, d, c.want)
		}
	}
}

func TestSitemap(t *testing.T) {
	const ns = ` xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"`
	cases := []struct{ name, body, pages, maps string }{
		{"urlset", `<?xml version="1.0"?><urlset` + ns + `><url><loc> http://a/1?x=1&amp;y=2 </loc></url><url><loc>http://a/2</loc><lastmod>x</lastmod></url></urlset>`, "http://a/1?x=1&y=2 http://a/2", ""},
		{"index", `<sitemapindex` + ns + `><sitemap><loc>http://a/s.xml.gz</loc></sitemap></sitemapindex>`, "", "http://a/s.xml.gz"},
		{"cdata", `<urlset><url><loc><![CDATA[http://a/1]]></loc></url></urlset>`, "http://a/1", ""},
		{"image extension", `<urlset><url><loc>http://a/1</loc><image:image><image:loc>http://a/i.png</image:loc></image:image></url></urlset>`, "http://a/1", ""},
		{"text", "\ufeffhttp://a/1\r\nhttps://b/2\nnot an address\n", "http://a/1 https://b/2", ""},
		{"rss", `<rss><channel><link>http://a/</link><item><link>http://a/1</link></item></channel></rss>`, "http://a/ http://a/1", ""},
		{"atom", `<feed><entry><link href="http://a/1"/></entry></feed>`, "http://a/1", ""},
		{"cut", `<urlset><url><loc>http://a/1</loc></url><url><loc>http://a/`, "http://a/1", ""},
		{"other schemes", `<urlset><url><loc>javascript:x</loc></url><url><loc>file:///etc/passwd</loc></url></urlset>`, "", ""},
		{"html", `<html><a href="http://a/1">x</a><link href="http://a/2"></html>`, "", ""},
		{"latin1", `<?xml version="1.0" encoding="iso-8859-1"?><urlset><url><loc>http://a/caf` + "\xe9" + `</loc></url></urlset>`, "http://a/café", ""},
		{"nothing", "", "", ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s, _ := ParseSitemap([]byte(c.body))
			if strings.Join(s.Pages, " ") != c.pages || strings.Join(s.Maps, " ") != c.maps {
				t.Errorf("got %q %q", s.Pages, s.Maps)
			}
		})
	}
	deep, ok := ParseSitemap([]byte("<urlset>" + strings.Repeat("<a>", 1<<20) + "<loc>http://a/1</loc>"))
	if !ok || len(deep.Pages) != 1 {
		t.Errorf("a million open elements: %v, %d pages", ok, len(deep.Pages))
	}
}

func FuzzRobots(f *testing.F) {
	f.Add("User-agent: *\nDisallow: /*a$\nAllow: /%e4\nCrawl-delay: 1", "/a%2fb?c")
	f.Fuzz(func(t *testing.T, body, path string) {
		r := Parse([]byte(body), "winnow")
		if r.Delay < 0 || r.Delay > maxCrawlDelay {
			t.Fatalf("delay %v", r.Delay)
		}
		if !r.Allows("/robots.txt") {
			t.Fatal("robots.txt is forbidden")
		}
		if r.Allows(path) != r.Allows(encodeAlike(path)) {
			t.Fatalf("%q is judged otherwise when encoded", path)
		}
		if Parse([]byte("User-agent: *\nDisallow: /\n"), "winnow").Allows("/"+path) && "/"+path != "/robots.txt" {
			t.Fatal("Disallow: / allows")
		}
	})
}

func FuzzSitemap(f *testing.F) {
	f.Add([]byte(`<urlset><url><loc>http://a/1</loc></url></urlset>`))
	f.Add([]byte("\x1f\x8b\x08\x00"))
	f.Fuzz(func(t *testing.T, body []byte) {
		s, _ := ParseSitemap(body)
		for _, list := range [][]string{s.Pages, s.Maps} {
			if len(list) > maxSitemapURLs {
				t.Fatalf("%d addresses", len(list))
			}
			for _, a := range list {
				if !isAddress(a) {
					t.Fatalf("%q", a)
				}
			}
		}
	})
}
