package polite

import (
	"strings"

	"github.com/PuerkitoBio/goquery"

	"winnow/crawl/polite/robots"
)

// maxLinks is the most links that are taken from a page.
const maxLinks = 10_000

// Links is what a page says of others and of itself.
type Links struct {
	Out       []Address // in scope, in the order of the page, each once
	All       []string  // outlinks for the archive, in scope or not
	Canonical *Address  // rel=canonical where it is not the page itself
	robots.Directives
	Refused map[string]int64 // links that are not followed, by rule
}

// refuse counts a link that is not followed.
func (l *Links) refuse(rule string) {
	if l.Refused == nil {
		l.Refused = map[string]int64{}
	}
	l.Refused[rule]++
}

// readPage finds the links of a page at address, whose root is sel. Links with rel=nofollow are not taken.
func readPage(sel *goquery.Selection, address, agent string, scope *Scope) *Links {
	l := &Links{}
	base := address
	if href, ok := sel.Find("base[href]").First().Attr("href"); ok {
		if a, err := Normalise(address, href); err == nil {
			base = a.URL
		}
	}
	seen := map[string]bool{}
	sel.Find("a[href], area[href], link[href], iframe[src], frame[src], meta[name], meta[http-equiv]").EachWithBreak(func(_ int, s *goquery.Selection) bool {
		href, _ := s.Attr("href")
		rel := " " + strings.ToLower(s.AttrOr("rel", "")) + " "
		switch goquery.NodeName(s) {
		case "meta":
			href = l.meta(s, agent)
		case "iframe", "frame":
			href, _ = s.Attr("src")
		case "link":
			if strings.Contains(rel, " canonical ") {
				if a, err := Normalise(base, href); err == nil && a.URL != address && l.Canonical == nil {
					l.Canonical = &a
				}
			}
			if !strings.Contains(rel, " next ") && !strings.Contains(rel, " prev ") {
				href = ""
			}
		}
		href = strings.TrimSpace(href)
		if href == "" || strings.HasPrefix(href, "#") {
			return true
		}
		if strings.Contains(rel, " nofollow ") {
			l.refuse("nofollow")
			return true
		}
		l.take(base, href, scope, seen)
		return len(l.All) < maxLinks
	})
	return l
}

// take adds one link.
func (l *Links) take(base, href string, scope *Scope, seen map[string]bool) {
	a, err := Normalise(base, href)
	if err != nil {
		l.refuse("scheme")
		return
	}
	if seen[a.URL] {
		return
	}
	seen[a.URL] = true
	rule := refused(a, scope)
	if len(a.URL) <= maxAddress {
		l.All = append(l.All, a.URL)
	}
	if rule != "" {
		l.refuse(rule)
		return
	}
	l.Out = append(l.Out, a)
}

// refused gives the rule by which an address is not followed; empty where it is.
func refused(a Address, scope *Scope) string {
	if trap := a.trap(); trap != "" {
		return trap
	}
	if a.isMedia() {
		return "media"
	}
	if !scope.Contains(a) {
		return "scope"
	}
	return ""
}

// meta reads a meta element: directives, or the address of a refresh.
func (l *Links) meta(s *goquery.Selection, agent string) string {
	content := s.AttrOr("content", "")
	if name := strings.TrimSpace(s.AttrOr("name", "")); strings.EqualFold(name, "robots") || strings.EqualFold(name, agent) {
		l.Add(content)
	}
	if !strings.EqualFold(strings.TrimSpace(s.AttrOr("http-equiv", "")), "refresh") {
		return ""
	}
	_, target, ok := strings.Cut(content, "=")
	if !ok {
		return ""
	}
	return strings.Trim(strings.TrimSpace(target), `'"`)
}
