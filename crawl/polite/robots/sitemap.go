package robots

import (
	"bytes"
	"encoding/xml"
	"io"
	"strings"

	"github.com/klauspost/compress/gzip"
	"golang.org/x/net/html/charset"
)

// Limits of a sitemap by the protocol of sitemaps.org.
const (
	MaxSitemap     = 50 << 20 // bytes, unpacked
	maxSitemapURLs = 50_000
	maxAddress     = 2048
	MaxNest        = 3 // an index in an index is not allowed by the protocol, and met all the same
)

// Sitemap is the addresses in a sitemap as they stand there.
type Sitemap struct {
	Pages []string
	Maps  []string // of an index
}

// ParseSitemap reads a sitemap, an index of sitemaps, an RSS or Atom feed, or a list of lines; plain or packed with gzip. Of a
// damaged one it gives what it could read. ok is false where it is nothing of this kind.
func ParseSitemap(body []byte) (s Sitemap, ok bool) {
	if bytes.HasPrefix(body, []byte{0x1f, 0x8b}) {
		z, err := gzip.NewReader(bytes.NewReader(body))
		if err != nil {
			return s, false
		}
		body, _ = io.ReadAll(io.LimitReader(z, MaxSitemap)) // what was read before damage counts
	}
	body = bytes.TrimSpace(bytes.TrimPrefix(body[:min(len(body), MaxSitemap)], []byte("\ufeff")))
	if !bytes.HasPrefix(body, []byte("<")) {
		for line := range strings.Lines(string(body)) {
			if line = strings.TrimSpace(line); len(s.Pages) < maxSitemapURLs && isAddress(line) {
				s.Pages = append(s.Pages, line)
			}
		}
		return s, len(s.Pages) > 0
	}
	return parseSitemapXML(body)
}

func isAddress(s string) bool {
	return len(s) <= maxAddress && (strings.HasPrefix(s, "http://") || strings.HasPrefix(s, "https://"))
}

// parseSitemapXML takes tokens as they come: their nesting is not checked, so that deep or unclosed elements cost no memory.
func parseSitemapXML(body []byte) (s Sitemap, ok bool) {
	d := xml.NewDecoder(bytes.NewReader(body))
	d.Strict, d.CharsetReader = false, charset.NewReaderLabel
	var inMap, take bool
	var text strings.Builder
	for len(s.Pages)+len(s.Maps) < maxSitemapURLs {
		token, err := d.RawToken()
		if err != nil {
			return s, ok
		}
		switch t := token.(type) {
		case xml.StartElement:
			take = false
			switch t.Name.Local {
			case "sitemapindex", "urlset", "rss", "feed":
				ok = true
			case "sitemap", "url":
				inMap = t.Name.Local == "sitemap"
			case "loc", "link":
				take = ok && t.Name.Space == ""
				text.Reset()
				if href := attribute(t, "href"); take && href != "" { // Atom
					s.add(href, false)
				}
			}
		case xml.CharData:
			if take && text.Len() < maxAddress {
				text.Write(t)
			}
		case xml.EndElement:
			if take {
				s.add(text.String(), inMap)
			}
			take = false
		}
	}
	return s, ok
}

func (s *Sitemap) add(address string, isMap bool) {
	address = strings.TrimSpace(address)
	switch {
	case !isAddress(address):
	case isMap:
		s.Maps = append(s.Maps, address)
	default:
		s.Pages = append(s.Pages, address)
	}
}

func attribute(t xml.StartElement, name string) string {
	for _, a := range t.Attr {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}
