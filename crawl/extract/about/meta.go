package about

import (
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// meta reads a meta element.
func (r *reader) meta(n *html.Node) {
	content := strings.TrimSpace(attr(n, "content"))
	key := strings.ToLower(first(attr(n, "property"), attr(n, "name"), attr(n, "itemprop"), attr(n, "http-equiv")))
	line := func() string { return strings.Join(strings.Fields(content), " ") }
	switch key {
	case "og:title":
		r.og = line()
	case "description", "og:description":
		if len(content) > len(r.f.Description) {
			r.f.Description = content
		}
	case "og:type", "generator":
		r.f.Kind = append(r.f.Kind, key+" "+strings.ToLower(content))
	case "content-language":
		r.metaLang = content
	case "article:published_time", "datepublished", "date", "dc.date", "dc.date.issued", "dcterms.date", "dc.date.created", "dcterms.created", "pubdate",
		"publishdate", "publish-date", "publish_date", "publication_date", "og:published_time", "sailthru.date", "parsely-pub-date",
		"citation_publication_date", "citation_date", "article.published", "apub:time", "bt:pubdate", "weibo:article:create_at", "publishtime":
		r.published = first(r.published, day(content))
	case "author", "article:author", "og:article:author", "dc.creator", "dcterms.creator", "dc.author", "citation_author", "parsely-author", "sailthru.author",
		"byl", "authors", "article:author_name":
		r.metaAuthors = append(r.metaAuthors, content)
	case "twitter:label1", "twitter:label2":
		r.labels[key[len(key)-1]-'1'] = content
	case "twitter:data1", "twitter:data2":
		r.data[key[len(key)-1]-'1'] = content
	case "og:site_name":
		r.f.Site = first(r.f.Site, line())
	case "application-name", "apple-mobile-web-app-title", "al:android:app_name":
		r.application = first(r.application, line())
	case "og:url":
		r.ogURL = first(r.ogURL, content)
	case "dc.rights", "dcterms.rights", "dcterms.license", "dc.rights.license", "license", "rights":
		if license(content) != content {
			r.commons = content
		} else if len(content) <= 200 {
			r.rights = first(r.rights, line())
		}
	}
}

// attributes reads microdata and classes.
func (r *reader) attributes(n *html.Node) {
	class, prop := "", ""
	for i := range n.Attr {
		switch n.Attr[i].Key {
		case "class":
			class = n.Attr[i].Val
		case "itemprop":
			prop = n.Attr[i].Val
		}
	}
	switch prop {
	case "author", "creator":
		if len(r.itemAuthors) < 8 && r.bytes < mostText {
			r.itemAuthors = append(r.itemAuthors, r.property(n, "name"))
		}
	case "publisher":
		if r.publisher == "" && r.bytes < mostText {
			r.publisher = r.property(n, "name")
		}
	case "datePublished":
		r.itemDate = first(r.itemDate, day(first(attr(n, "content"), attr(n, "datetime"), r.text(n, 60))))
	case "license":
		r.relLicense = first(r.relLicense, attr(n, "href"), attr(n, "content"))
	}
	if class == "" || len(class) > 200 || r.bytes > mostText || len(r.classAuthors) > 0 && r.classDate != "" {
		return
	}
	p := pairsOf(class)
	if len(r.classAuthors) == 0 && authorWords.in(class, p) && !noAuthorWords.in(class, p) {
		if name := byline(r.text(n, 160)); name != "" {
			r.classAuthors = append(r.classAuthors, name)
		}
	}
	if r.classDate == "" && dateWords.in(class, p) && !noDateWords.in(class, p) {
		r.classDate = DayIn(r.text(n, 100))
	}
}

// property is the value of a nested property, else of the element itself.
func (r *reader) property(n *html.Node, name string) string {
	if v := first(attr(n, "content")); v != "" {
		return v
	}
	var find func(n *html.Node, depth int) string
	find = func(n *html.Node, depth int) string {
		for c := n.FirstChild; c != nil && depth > 0; c = c.NextSibling {
			if c.Type != html.ElementNode {
				continue
			}
			if attr(c, "itemprop") == name {
				return first(attr(c, "content"), r.text(c, 100))
			}
			if v := find(c, depth-1); v != "" {
				return v
			}
		}
		return ""
	}
	if v := find(n, 5); v != "" {
		return v
	}
	if n.DataAtom == atom.Link || n.DataAtom == atom.Meta {
		return ""
	}
	return r.text(n, 100)
}

func writtenBy(label string) bool {
	switch strings.ToLower(strings.TrimSpace(label)) {
	case "written by", "verfasst von", "geschrieben von", "escrito por", "écrit par", "scritto da", "автор", "作者", "撰文", "author", "by":
		return true
	}
	return false
}
