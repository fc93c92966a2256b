package crawl

import (
	"cmp"
	"errors"
	"io"
	"strconv"
	"strings"
	"time"

	"winnow"
	"winnow/crawl/warc"
)

// archive makes documents of the records of one part.
type archive struct {
	*part
	http warc.HTTP
	dump string
}

// errZip is what is said of a WACZ file.
var errZip = errors.New("a zip, as WACZ files are: unpack it and read archive/*.warc.gz")

// errSegment is what is said of a record whose block is only the first part of what was stored (WARC 1.1, section 7).
var errSegment = errors.New("a segment of a record that goes on in others, which are not joined to it")

func readWARC(p *part) bool {
	if p.Start == 0 && isZip(p) {
		return p.emit(nil, &winnow.ReadError{Rule: "error.record", Lost: p.End - p.Start, Err: errZip})
	}
	a := &archive{part: p, http: warc.HTTP{Limit: p.o.MaxRecord}, dump: p.dumpName()}
	r := warc.NewReader(p, p.size, warc.Options{Start: p.Start, End: p.End, MaxRecord: p.o.MaxRecord})
	defer r.Close()
	for p.broken() == nil {
		rec, err := r.Next()
		if err == io.EOF {
			return true
		}
		bad, _ := err.(*winnow.ReadError)
		var d *winnow.Document
		if rec != nil {
			p.count(rec.Type)
			var flaw *winnow.ReadError
			if d, flaw = a.document(rec); bad == nil && flaw != nil {
				bad = flaw
				bad.Offset = rec.Offset
			}
		}
		if !p.emit(d, bad) {
			return false
		}
	}
	return false
}

// isZip tells whether a file begins as zip files do.
func isZip(p *part) bool {
	var magic [4]byte
	n, _ := p.ReadAt(magic[:], 0)
	return string(magic[:n]) == "PK\x03\x04"
}

// count adds a record to the tally. What a hostile file calls its records must not fill the memory.
func (p *part) count(kind string) {
	kind = strings.ToLower(kind)
	if len(p.tally.Records) >= 64 && p.tally.Records[kind] == 0 || len(kind) > 64 {
		kind = "other"
	}
	p.tally.Count(strings.Clone(kind))
}

// document makes a document of a record, nil where the record is none.
func (a *archive) document(rec *warc.Record) (*winnow.Document, *winnow.ReadError) {
	kind := strings.ToLower(rec.Type)
	if kind != "response" && kind != "resource" && kind != "conversion" {
		return nil, nil
	}
	h := rec.Header
	d := &winnow.Document{
		ID:     unbracket(h.Get("WARC-Record-ID")),
		Dump:   a.dump,
		URL:    unbracket(h.Get("WARC-Target-URI")),
		Date:   rfc3339(h.Get("WARC-Date")),
		File:   a.File,
		Offset: rec.Offset,
	}
	if d.ID == "" {
		d.ID = a.id(rec.Offset, rec.Index)
	}
	d.SetMeta(winnow.MetaRecordType, kind)
	if why := h.Get("WARC-Truncated"); why != "" {
		d.SetMeta(MetaTruncated, why)
	}
	mime, known, body := h.Get("Content-Type"), h.Get("WARC-Identified-Payload-Type"), rec.Body
	if kind == "conversion" {
		d.SetMeta(winnow.MetaContentType, "text/plain; charset=utf-8")
		d.RawBytes, d.Text = int64(len(body)), strings.ToValidUTF8(string(body), "\ufffd")
		return d, segment(h)
	}
	var bad *winnow.ReadError
	if strings.HasPrefix(mime, "application/http") || mime == "" && strings.HasPrefix(string(body[:min(5, len(body))]), "HTTP/") {
		resp, err := a.http.Parse(body)
		bad, _ = err.(*winnow.ReadError)
		mime, body = strings.Clone(resp.Header.Get("Content-Type")), resp.Body
		if resp.Status > 0 {
			d.SetMeta(winnow.MetaStatus, strconv.Itoa(resp.Status))
		}
		if lang := resp.Header.Get("Content-Language"); lang != "" {
			d.SetMeta(winnow.MetaLangHint, strings.Clone(lang))
		}
	}
	if flaw := fill(d, body, mime, known); bad == nil {
		bad = flaw
	}
	return d, cmp.Or(segment(h), bad)
}

// segment declines a record that holds only a part of a page; nil where it is whole.
func segment(h warc.Header) *winnow.ReadError {
	if h.Get("WARC-Segment-Number") == "" {
		return nil
	}
	return &winnow.ReadError{Rule: "error.truncated", Err: errSegment}
}

// unbracket takes the angle brackets off that stand around identifiers, and in old files around addresses.
func unbracket(s string) string {
	return strings.TrimSuffix(strings.TrimPrefix(strings.TrimSpace(s), "<"), ">")
}

// rfc3339 gives a time as Document.Date wants it; empty where s is none.
func rfc3339(s string) string {
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05", "2006-01-02 15:04:05", "2006-01-02T15:04:05-0700",
		"2006-01-02 15:04:05-07:00", "2006-01-02 15:04:05 MST", "2006-01-02", "2006/01/02", time.RFC1123, time.RFC1123Z} {
		if t, err := time.Parse(layout, s); err == nil && t.Year() > 0 {
			return t.UTC().Format(time.RFC3339)
		}
	}
	return ""
}

// dumpName names the crawl of an archive: by the option, the path, or what the first record says it is part of. Every part of a
// file finds the same.
func (p *part) dumpName() string {
	if p.o.Dump != "" {
		return p.o.Dump
	}
	if name := commonCrawl(p.File); name != "" {
		return name
	}
	r := warc.NewReader(p, p.size, warc.Options{MaxRecord: 64 << 10})
	defer r.Close()
	if rec, _ := r.Next(); rec != nil && rec.Type == "warcinfo" {
		return warc.ParseFields(rec.Body).Get("isPartOf")
	}
	return ""
}

// commonCrawl finds the name of a crawl, CC-MAIN-2026-30 for instance, in a path.
func commonCrawl(path string) string {
	const prefix, form = "CC-MAIN-", "CC-MAIN-0000-00"
	for i := 0; i+len(form) <= len(path); i++ {
		if s := path[i : i+len(form)]; strings.HasPrefix(s, prefix) && shape(s[len(prefix):]) == "0000-00" {
			return s
		}
	}
	return ""
}

// shape puts 0 for every digit.
func shape(s string) string {
	return strings.Map(func(r rune) rune {
		if '0' <= r && r <= '9' {
			return '0'
		}
		return r
	}, s)
}
