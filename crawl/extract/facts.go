package extract

import (
	"encoding/json"
	"strings"

	"github.com/PuerkitoBio/goquery"

	"winnow/crawl/extract/about"
)

// factsOf makes a Page of what it says of itself.
func factsOf(f about.Facts) Page {
	p := Page{Title: f.Title, Date: f.Date, Lang: f.Lang, Author: f.Author, Canonical: f.Canonical, Site: f.Site, License: f.License}
	p.description = f.Description
	for _, kind := range f.Kind {
		switch key, value, _ := strings.Cut(kind, " "); key {
		case "og:type":
			p.declared |= ogType(value)
		case "generator":
			for _, forum := range [...]string{"discourse", "phpbb", "vbulletin", "xenforo", "mybb"} {
				if strings.Contains(value, forum) {
					p.declared |= saysForum
				}
			}
		}
	}
	for _, script := range f.Linked {
		p.declared |= linkedTypes(script)
	}
	p.linkedDescription = linkedDescriptions(f.Linked)
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

// linkedTypes reads the types that JSON-LD names, by its text alone.
func linkedTypes(text string) (d declared) {
	for {
		_, rest, ok := strings.Cut(text, `"@type"`)
		if !ok {
			return d
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
}

// maxJSON is the most bytes of JSON-LD that are read.
const maxJSON = 1 << 20

// articleBody finds the longest articleBody in the page's JSON-LD.
func articleBody(scripts []string) (body string) {
	for _, text := range scripts {
		if len(text) > maxJSON || !strings.Contains(text, `"articleBody"`) {
			continue
		}
		var v any
		if json.Unmarshal([]byte(text), &v) == nil {
			if b := longest(v, "articleBody"); len(b) > len(body) {
				body = b
			}
		}
	}
	if strings.Contains(body, "</") { // markup in a JSON string
		if p, err := goquery.NewDocumentFromReader(strings.NewReader(body)); err == nil {
			body = p.Text()
		}
	}
	return body
}

// linkedDescriptions collects the descriptions in the page's JSON-LD, by its text alone.
func linkedDescriptions(scripts []string) string {
	var out strings.Builder
	for _, text := range scripts {
		for out.Len() < maxDescription {
			_, rest, ok := strings.Cut(text, `"description"`)
			if !ok {
				break
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
	}
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
