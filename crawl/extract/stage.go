package extract

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"unicode/utf8"

	"winnow"
	"winnow/crawl/charset"
	"winnow/crawl/extract/about"
)

// maxPage is the default of Options.MaxBytes.
const maxPage = 16 << 20

// Stage is the stage "extract": from the page as fetched to Text, Title and Meta. Documents that carry text and no page pass
// as they are. It drops with these rules:
//
//	crawl.status       the server did not answer 2xx; value: the status
//	crawl.media_type   neither HTML nor plain text; detail: the media type
//	error.size         more than Options.MaxBytes; value: bytes
//	error.charset      more than charset.MaxBad of the page is no text; value: the share; detail: charset and counts
//	error.depth        elements nested too deep, and no text between the tags either
//	error.timeout      30 seconds were not enough, whatever the other limits say
//	extract.empty      no main text
//	extract.min_chars  less main text than Options.MinChars; value: code points
type Stage struct {
	o         Options
	extractor Extractor
}

var _ winnow.Each = (*Stage)(nil)

// New makes the stage.
func New(o Options) *Stage {
	if o.MaxBytes <= 0 {
		o.MaxBytes = maxPage
	}
	o.Mode, o.Format = cmp.Or(o.Mode, Balanced), cmp.Or(o.Format, Text)
	o.MaxBytes = min(o.MaxBytes, 1<<30) // offsets within a page are 32 bits wide
	return &Stage{o: o}
}

// Name is "extract".
func (s *Stage) Name() string { return "extract" }

// Version names the code and its options.
func (s *Stage) Version() string {
	return fmt.Sprintf("extract/4 min_chars=%d max_bytes=%d mode=%s format=%s links=%t images=%t",
		s.o.MinChars, s.o.MaxBytes, s.o.Mode, s.o.Format, s.o.Links, s.o.Images)
}

// Signals lists extract.chars alone.
func (s *Stage) Signals() []winnow.Signal {
	return []winnow.Signal{{ID: "extract.chars", EN: "main text (characters)", ZH: "正文（字符）", Default: winnow.Any}}
}

// Apply extracts the text of d.
func (s *Stage) Apply(_ context.Context, d *winnow.Document) (winnow.Verdict, []winnow.Edit, error) {
	chars, v := winnow.NotMeasured, s.judgeResponse(d)
	switch {
	case v.Drop:
	case d.HTML != nil:
		v = s.read(d)
	case d.Text == "":
		v = nothing(mediaType(d.Meta[winnow.MetaContentType], nil))
	}
	if !v.Drop || strings.HasPrefix(v.Rule, "extract.") {
		chars = float32(utf8.RuneCountInString(d.Text))
	}
	if bound := winnow.AtLeast(float64(s.o.MinChars)); !v.Drop && !bound.Holds(chars) {
		v = winnow.Verdict{Drop: true, Rule: "extract.min_chars", Value: chars, Bound: bound}
	}
	d.HTML = nil
	d.Signals = append(d.Signals, chars)
	return v, nil, nil
}

func drop(rule, detail string) winnow.Verdict {
	return winnow.Verdict{Drop: true, Rule: rule, Value: winnow.NotMeasured, Bound: winnow.Any, Detail: detail}
}

// judgeResponse judges a document by what surrounds the page.
func (s *Stage) judgeResponse(d *winnow.Document) winnow.Verdict {
	if status := d.Meta[winnow.MetaStatus]; status != "" {
		if n, err := strconv.Atoi(status); err != nil || n < 200 || n > 299 {
			return winnow.Verdict{Drop: true, Rule: "crawl.status", Value: float32(n), Bound: winnow.Between(200, 299), Detail: status}
		}
	}
	if n := int64(len(d.HTML)); n > s.o.MaxBytes {
		return winnow.Verdict{Drop: true, Rule: "error.size", Value: float32(n), Bound: winnow.AtMost(float64(s.o.MaxBytes))}
	}
	return winnow.Verdict{}
}

// read makes the text of d from its page.
func (s *Stage) read(d *winnow.Document) winnow.Verdict {
	media := mediaType(d.Meta[winnow.MetaContentType], d.HTML)
	if media != "text/html" && media != "text/plain" {
		return drop("crawl.media_type", media)
	}
	text, name, err := charset.Decode(d.HTML, d.Meta[winnow.MetaContentType])
	d.SetMeta(winnow.MetaCharset, name)
	if err != nil {
		return badCharset(err)
	}
	if media == "text/plain" {
		d.Text = strings.TrimSpace(strings.ReplaceAll(text, "\r\n", "\n"))
	} else {
		o := s.o
		o.URL = d.URL
		p, err := s.extractor.Extract(text, o)
		switch {
		case errors.Is(err, ErrTime):
			return winnow.Verdict{Drop: true, Rule: "error.timeout", Value: float32(maxTime.Seconds()), Bound: winnow.AtMost(maxTime.Seconds()), Detail: err.Error()}
		case err != nil:
			return drop("error.depth", err.Error())
		}
		d.Text, d.Title = p.Text, cmp.Or(p.Title, d.Title)
		setFacts(d, &p)
	}
	if d.Text == "" {
		return nothing(media)
	}
	return winnow.Verdict{}
}

// setFacts stores what a page says of itself.
func setFacts(d *winnow.Document, p *Page) {
	for _, f := range [...][2]string{
		{winnow.MetaPublished, p.Date}, {winnow.MetaLangHint, p.Lang}, {winnow.MetaAuthor, p.Author}, {winnow.MetaSite, p.Site},
		{winnow.MetaCanonical, about.Resolve(d.URL, p.Canonical)}, {winnow.MetaLicense, p.License},
	} {
		if f[1] != "" {
			d.SetMeta(f[0], f[1])
		}
	}
}

// nothing is the verdict on a document without text: its media type says why, or there was none to find.
func nothing(media string) winnow.Verdict {
	if media != "" && media != "text/html" && media != "text/plain" {
		return drop("crawl.media_type", media)
	}
	return winnow.Verdict{Drop: true, Rule: "extract.empty", Value: 0, Bound: winnow.AtLeast(1), Detail: media}
}

func badCharset(err error) winnow.Verdict {
	v := drop("error.charset", "")
	if e := (*charset.Error)(nil); errors.As(err, &e) {
		v.Value, v.Bound = float32(e.Share()), winnow.AtMost(charset.MaxBad)
		v.Detail = fmt.Sprintf("%s %d/%d", e.Charset, e.Bad, e.All)
	}
	return v
}

// mediaType is what a page is: text/html, text/plain, or another type that says why it is not read. The header is
// believed, but not for binary files, nor where it calls a page plain text.
func mediaType(header string, body []byte) string {
	declared, _, err := mime.ParseMediaType(header)
	if err != nil {
		declared, _, _ = strings.Cut(strings.ToLower(header), ";")
		declared = strings.TrimSpace(declared)
	}
	found, _, _ := strings.Cut(http.DetectContentType(body), ";")
	binary := !strings.HasPrefix(found, "text/") && found != "application/octet-stream"
	switch declared {
	case "text/html", "application/xhtml+xml":
		if binary {
			return found
		}
		return "text/html"
	case "text/plain", "application/xml", "text/xml", "", "application/octet-stream", "unknown/unknown":
		if head := bytes.ToLower(body[:min(len(body), 1024)]); found == "text/html" || bytes.Contains(head, []byte("<html")) {
			return "text/html"
		}
		if declared == "text/plain" && !binary {
			return "text/plain"
		}
		if declared == "" || declared == "unknown/unknown" {
			if bytes.HasPrefix(bytes.TrimLeft(body[:min(len(body), 1024)], "\t\n\f\r "), []byte("<")) {
				return "text/html"
			}
			return found
		}
	case "text/markdown":
		return "text/plain"
	}
	return declared
}
