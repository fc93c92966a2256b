package polite

import (
	"fmt"
	"io"
	"os"
	"strings"

	"winnow/crawl/charset"
	"winnow/crawl/polite/frontier"
	"winnow/crawl/warc"
)

// previous is the archive of an earlier crawl. It is safe for concurrent use.
type previous struct {
	file *os.File
	size int64
}

func openPrevious(path string) (*previous, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("previous crawl: %w", err)
	}
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("previous crawl: %w", err)
	}
	return &previous{f, info.Size()}, nil
}

// load puts what the archive has of each page into the frontier: the last response of an address counts.
func (p *previous) load(s *frontier.Store) (pages int, err error) {
	r := warc.NewReader(p.file, p.size, warc.Options{MaxRecord: 1 << 20})
	defer r.Close()
	var parse warc.HTTP
	for {
		rec, err := r.Next()
		if err == io.EOF {
			return pages, nil
		}
		if rec == nil || rec.Type != "response" {
			continue
		}
		a, bad := Normalise("", strings.Trim(rec.Header.Get("WARC-Target-URI"), "<>"))
		if bad != nil {
			continue
		}
		resp, _ := parse.Parse(rec.Body) // the head is enough
		if !ok(resp.Status) {
			continue
		}
		pages++
		if err := s.SetPrevious(a.URL, frontier.Stored{URL: a.URL, Date: rec.Header.Get("WARC-Date"), ID: rec.Header.Get("WARC-Record-ID"),
			Digest: rec.Header.Get("WARC-Payload-Digest"), ETag: resp.Header.Get("ETag"), Modified: resp.Header.Get("Last-Modified"), Offset: rec.Offset}); err != nil {
			return pages, err
		}
	}
}

// links reads the links of a page that the server says has not changed.
func (p *previous) links(of *frontier.Stored, agent string, scope *Scope) *Links {
	r := warc.NewReader(p.file, p.size, warc.Options{Start: of.Offset, End: of.Offset + 1})
	defer r.Close()
	for {
		rec, err := r.Next()
		if err == io.EOF {
			return &Links{}
		}
		if rec == nil || rec.Header.Get("WARC-Record-ID") != of.ID {
			continue
		}
		var parse warc.HTTP
		resp, _ := parse.Parse(rec.Body)
		kind := resp.Header.Get("Content-Type")
		if !strings.Contains(kind, "html") && kind != "" {
			return &Links{}
		}
		text, _, _ := charset.Decode(resp.Body, kind)
		return linksOf(strings.NewReader(text), of.URL, agent, scope)
	}
}
