// Package about reads what a page says of itself outside of its text: a parse tree goes in; title, authors, day of
// publication, canonical address, name of the site, license and language come out. It looks, in this order, at JSON-LD, at
// meta elements (Open Graph, Dublin Core, those of newspapers and blogs), at microdata, and at the classes of HTML.
package about

import (
	"net/url"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// Facts are what a page says of itself; each may be empty.
type Facts struct {
	Title     string
	Author    string   // names, with "; " between them
	Date      string   // of publication, YYYY-MM-DD
	Canonical string   // address, as the page gives it
	Site      string   // name
	License   string   // Creative Commons as "CC BY-SA 4.0"; else an address, or words
	Lang      string   // as the page claims, for instance zh-CN
	Kind      []string // og:type and generator, in lower case

	Description string   // the longest of the meta elements
	Linked      []string // JSON-LD, as it stands
}

// reader collects candidates in one pass over the tree.
type reader struct {
	f                                    Facts
	og, h1, metaLang, ogURL, application string
	published, modified, classDate       string
	metaAuthors, itemAuthors, relAuthors []string
	classAuthors                         []string
	labels, data                         [2]string // twitter:label1.. and their values
	itemDate, publisher                  string
	relLicense, commons, rights          string
	bytes                                int // of text read for candidates
}

// Read collects the facts of a page.
func Read(root *html.Node) Facts {
	r := &reader{}
	r.walk(root, false)
	l := readLinked(r.f.Linked)
	f := r.f
	f.Title = first(f.Title, r.og, r.h1)
	f.Lang = first(strings.TrimSpace(f.Lang), strings.TrimSpace(r.metaLang))
	f.Date = first(r.published, l.date, r.itemDate, r.modified, r.classDate)
	for i, label := range r.labels {
		if writtenBy(label) {
			r.metaAuthors = append(r.metaAuthors, r.data[i])
		}
	}
	for _, names := range [...][]string{l.authors, r.metaAuthors, r.itemAuthors, r.relAuthors, r.classAuthors} {
		if f.Author = authors(names); f.Author != "" {
			break
		}
	}
	f.Canonical = first(f.Canonical, r.ogURL)
	f.Site = first(f.Site, l.site, r.publisher, r.application)
	f.License = first(license(r.relLicense), license(r.commons), license(l.license), r.rights)
	return f
}

// Resolve makes an address whole, relative to that of its page; "" for what is no web address.
func Resolve(page, address string) string {
	base, err := url.Parse(page)
	if err != nil {
		base = &url.URL{}
	}
	u, err := base.Parse(strings.TrimSpace(address))
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return ""
	}
	return u.String()
}

// walk visits the elements below n; the parser bounds the depth.
func (r *reader) walk(n *html.Node, head bool) {
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		if c.Type != html.ElementNode {
			continue
		}
		r.element(c, head)
		if c.FirstChild != nil {
			r.walk(c, head || c.DataAtom == atom.Head)
		}
	}
}

func (r *reader) element(n *html.Node, head bool) {
	switch n.DataAtom {
	case atom.Html:
		r.f.Lang = first(attr(n, "lang"), attr(n, "xml:lang"))
	case atom.Title:
		if r.f.Title == "" && head && n.Parent.DataAtom == atom.Head {
			r.f.Title = r.text(n, 1000)
		}
	case atom.H1:
		if r.h1 == "" {
			r.h1 = r.text(n, 1000)
		}
	case atom.Time:
		if r.modified == "" {
			r.modified = day(attr(n, "datetime"))
		}
	case atom.Meta:
		r.meta(n)
		return
	case atom.Link:
		r.link(n)
		return
	case atom.Script:
		if strings.Contains(attr(n, "type"), "ld+json") && n.FirstChild != nil {
			r.f.Linked = append(r.f.Linked, n.FirstChild.Data)
		}
		return
	case atom.A:
		r.link(n)
	}
	if len(n.Attr) > 0 && n.DataAtom != atom.Html && n.DataAtom != atom.Body {
		r.attributes(n)
	}
}

// link reads what an address and its rel say.
func (r *reader) link(n *html.Node) {
	rel, href := strings.ToLower(attr(n, "rel")), attr(n, "href")
	if rel == "" && n.DataAtom == atom.Link {
		return
	}
	switch {
	case href == "":
	case n.DataAtom == atom.Link && rel == "canonical":
		r.f.Canonical = first(r.f.Canonical, href)
	case hasWord(rel, "license"):
		r.relLicense = first(r.relLicense, href)
	case r.commons == "" && strings.Contains(href, "creativecommons.org/") && license(href) != href:
		r.commons = href
	}
	if n.DataAtom == atom.A && len(r.relAuthors) == 0 && (hasWord(rel, "author") || strings.Contains(href, "/author/") || strings.Contains(href, "/authors/")) {
		if name := r.text(n, 80); name != "" {
			r.relAuthors = append(r.relAuthors, name)
		}
	}
}

// hasWord tells whether one of the words of s is word.
func hasWord(s, word string) bool {
	for f := range strings.FieldsSeq(s) {
		if f == word {
			return true
		}
	}
	return false
}

// mostText is how many bytes of text are read for candidates on one page, beside title and heading.
const mostText = 1 << 16

// text is the text below an element in one line, of which most bytes count.
func (r *reader) text(n *html.Node, most int) string {
	var out strings.Builder
	steps := 0
	var walk func(*html.Node)
	walk = func(n *html.Node) {
		for c := n.FirstChild; c != nil && out.Len() <= most && steps < most; c = c.NextSibling {
			steps++
			switch {
			case c.Type == html.TextNode:
				out.WriteString(c.Data[:min(len(c.Data), most+1)])
			case c.DataAtom != atom.Script && c.DataAtom != atom.Style:
				walk(c)
				out.WriteByte(' ')
			}
		}
	}
	walk(n)
	r.bytes += steps
	return strings.ToValidUTF8(strings.Join(strings.Fields(out.String()), " "), "")
}

func attr(n *html.Node, key string) string {
	for i := range n.Attr {
		if n.Attr[i].Key == key {
			return n.Attr[i].Val
		}
	}
	return ""
}

func first(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}
