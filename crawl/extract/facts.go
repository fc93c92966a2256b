package extract

import (
	"encoding/json"
	"strings"

	"github.com/PuerkitoBio/goquery"
	"golang.org/x/net/html/atom"
)

// facts reads what a page says of itself outside of its text.
func facts(doc *goquery.Document) (p Page) {
	var og, h1, modified, metaLang string
	doc.Find("html, title, meta, h1, time").Each(func(_ int, s *goquery.Selection) {
		switch s.Nodes[0].DataAtom {
		case atom.Html:
			p.Lang = s.AttrOr("lang", s.AttrOr("xml:lang", ""))
		case atom.Title:
			if p.Title == "" && s.Parent().Is("head") {
				p.Title = oneLine(s.Text())
			}
		case atom.H1:
			if h1 == "" {
				h1 = oneLine(s.Text())
			}
		case atom.Time:
			if modified == "" {
				modified = isoDate(s.AttrOr("datetime", ""))
			}
		case atom.Meta:
			content := s.AttrOr("content", "")
			switch strings.ToLower(s.AttrOr("property", s.AttrOr("name", s.AttrOr("itemprop", s.AttrOr("http-equiv", ""))))) {
			case "og:title":
				og = oneLine(content)
			case "description", "og:description":
				if len(content) > len(p.description) {
					p.description = content
				}
			case "og:type":
				p.declared |= ogType(content)
			case "generator":
				if lower := strings.ToLower(content); strings.Contains(lower, "discourse") || strings.Contains(lower, "phpbb") ||
					strings.Contains(lower, "vbulletin") || strings.Contains(lower, "xenforo") || strings.Contains(lower, "mybb") {
					p.declared |= saysForum
				}
			case "content-language":
				metaLang = content
			case "article:published_time", "datepublished", "date", "dc.date", "dc.date.issued", "dcterms.date", "pubdate",
				"publishdate", "publish-date", "publish_date", "publication_date", "og:published_time", "sailthru.date",
				"parsely-pub-date", "citation_publication_date", "article.published", "apub:time":
				if p.Date == "" {
					p.Date = isoDate(content)
				}
			}
		}
	})
	p.declared |= linkedTypes(doc)
	p.linkedDescription = linkedDescriptions(doc)
	p.Title = first(p.Title, og, h1)
	p.Lang = first(strings.TrimSpace(p.Lang), strings.TrimSpace(metaLang))
	if p.Date == "" {
		p.Date = first(linkedDate(doc), modified)
	}
	return p
}

// declared is what a page says to be.
type declared uint8

const (
	saysArticle declared = 1 << iota
	saysProduct
	saysForum
	saysList
	saysSite
)

func ogType(content string) declared {
	switch content = strings.ToLower(content); {
	case strings.HasPrefix(content, "article"):
		return saysArticle
	case strings.Contains(content, "product"):
		return saysProduct
	case strings.HasPrefix(content, "website"):
		return saysSite
	}
	return 0
}

// linkedTypes reads the types that the page's JSON-LD names, by its text alone.
func linkedTypes(doc *goquery.Document) (d declared) {
	doc.Find(jsonLD).Each(func(_ int, s *goquery.Selection) {
		text := s.Text()
		for {
			_, rest, ok := strings.Cut(text, `"@type"`)
			if !ok {
				return
			}
			text = rest
			name := strings.TrimLeft(rest[:min(len(rest), 64)], " \t\r\n:[\"")
			name, _, _ = strings.Cut(name, `"`)
			switch name {
			case "Article", "NewsArticle", "BlogPosting", "TechArticle", "ReportageNewsArticle", "Recipe":
				d |= saysArticle
			case "Product", "ProductGroup":
				d |= saysProduct
			case "DiscussionForumPosting", "QAPage":
				d |= saysForum
			case "CollectionPage", "ItemList", "SearchResultsPage":
				d |= saysList
			}
		}
	})
	return d
}

func first(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}

// oneLine collapses white space.
func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// jsonLD is where pages tell machines what they are.
const jsonLD = `script[type="application/ld+json"]`

// maxJSON is the most bytes of JSON-LD that are read.
const maxJSON = 1 << 20

// linkedDate finds the first datePublished in the page's JSON-LD, by its text alone: the JSON is often broken.
func linkedDate(doc *goquery.Document) (date string) {
	doc.Find(jsonLD).EachWithBreak(func(_ int, s *goquery.Selection) bool {
		_, rest, ok := strings.Cut(s.Text(), `"datePublished"`)
		if ok {
			rest = strings.TrimLeft(rest, " \t\r\n:")
			if value, quoted := strings.CutPrefix(rest, `"`); quoted {
				value, _, _ = strings.Cut(value, `"`)
				date = isoDate(value)
			}
		}
		return date == ""
	})
	return date
}

// articleBody finds the longest articleBody in the page's JSON-LD.
func articleBody(doc *goquery.Document) (body string) {
	doc.Find(jsonLD).Each(func(_ int, s *goquery.Selection) {
		text := s.Text()
		if len(text) > maxJSON || !strings.Contains(text, `"articleBody"`) {
			return
		}
		var v any
		if json.Unmarshal([]byte(text), &v) == nil {
			if b := longest(v, "articleBody"); len(b) > len(body) {
				body = b
			}
		}
	})
	if strings.Contains(body, "</") { // markup in a JSON string
		if p, err := goquery.NewDocumentFromReader(strings.NewReader(body)); err == nil {
			body = p.Text()
		}
	}
	return body
}

// linkedDescriptions collects the descriptions in the page's JSON-LD, by its text alone.
func linkedDescriptions(doc *goquery.Document) string {
	var out strings.Builder
	doc.Find(jsonLD).Each(func(_ int, s *goquery.Selection) {
		text := s.Text()
		for out.Len() < maxDescription {
			_, rest, ok := strings.Cut(text, `"description"`)
			if !ok {
				return
			}
			text = rest
			value, quoted := strings.CutPrefix(strings.TrimLeft(rest, " \t\r\n:"), `"`)
			if !quoted {
				continue
			}
			value, text, _ = strings.Cut(value, `"`)
			out.WriteString(value[:min(len(value), maxDescription)])
			out.WriteByte(' ')
		}
	})
	return out.String()
}

// maxDescription is the most bytes of descriptions that blocks are compared with.
const maxDescription = 4 << 10

// longest finds the longest string under a key, at any depth. The decoder bounds the depth.
func longest(v any, key string) (best string) {
	switch v := v.(type) {
	case []any:
		for _, e := range v {
			if s := longest(e, key); len(s) > len(best) {
				best = s
			}
		}
	case map[string]any:
		for k, e := range v {
			s, ok := e.(string)
			if !ok || k != key {
				s = longest(e, key)
			}
			if len(s) > len(best) || len(s) == len(best) && s < best { // maps have no order
				best = s
			}
		}
	}
	return best
}
