package extract

import (
	"context"
	"strings"
	"testing"

	"winnow"
)

func TestStage(t *testing.T) {
	long := "<html lang=zh><title>茶</title><p>" + strings.Repeat("茶馆还是那个茶馆，桌子没有换。", 20)
	gbk := "<meta charset=gbk><p>\xd6\xd0\xce\xc4\xcd\xf8\xd2\xb3"
	tests := []struct {
		name     string
		o        Options
		doc      winnow.Document
		rule     string
		measured bool
		text     string // how it begins
	}{
		{name: "kept", doc: winnow.Document{HTML: []byte(long)}, measured: true, text: "茶馆"},
		{name: "charset of the page", doc: winnow.Document{HTML: []byte(gbk)}, measured: true, text: "中文网页"},
		{name: "text passes", doc: winnow.Document{Text: " as it is\n"}, measured: true, text: " as it is\n"},
		{name: "short text", o: Options{MinChars: 20}, doc: winnow.Document{Text: "short"}, rule: "extract.min_chars", measured: true, text: "short"},
		{name: "exactly enough", o: Options{MinChars: 5}, doc: winnow.Document{Text: "五个字符！"}, measured: true, text: "五"},
		{name: "status", doc: meta(long, winnow.MetaStatus, "404"), rule: "crawl.status"},
		{name: "odd status", doc: meta(long, winnow.MetaStatus, "OK"), rule: "crawl.status"},
		{name: "good status", doc: meta(long, winnow.MetaStatus, "203"), measured: true, text: "茶馆"},
		{name: "picture", doc: meta("\x89PNG\x0d\x0a\x1a\x0a", winnow.MetaContentType, "image/png"), rule: "crawl.media_type"},
		{name: "PDF sent as HTML", doc: meta("%PDF-1.7 ...", winnow.MetaContentType, "text/html"), rule: "crawl.media_type"},
		{name: "style sheet", doc: meta("a{}", winnow.MetaContentType, "text/css; charset=utf-8"), rule: "crawl.media_type"},
		{name: "HTML sent as text", doc: meta("<!doctype html>"+long, winnow.MetaContentType, "text/plain"), measured: true, text: "茶馆"},
		{name: "XHTML", doc: meta(long, winnow.MetaContentType, "application/xhtml+xml;charset=UTF-8"), measured: true, text: "茶馆"},
		{name: "text file", doc: meta("one\r\ntwo < three", winnow.MetaContentType, "text/plain"), measured: true, text: "one\ntwo < three"},
		{name: "large", o: Options{MaxBytes: 10}, doc: winnow.Document{HTML: []byte(long)}, rule: "error.size"},
		{name: "no text", doc: winnow.Document{HTML: []byte("<html><body><img src=x></body></html>")}, rule: "extract.empty", measured: true},
		{name: "nothing", doc: meta("", winnow.MetaContentType, "text/html"), rule: "extract.empty", measured: true},
		{name: "binary", doc: meta(strings.Repeat("\x01\x02\x81", 99), winnow.MetaContentType, "text/html"), rule: "error.charset"},
		{name: "deep, no text", doc: meta(strings.Repeat("<div>", 2000), winnow.MetaContentType, "text/html"), rule: "error.depth"},
		{name: "deep", doc: meta(strings.Repeat("<div>", 2000)+"text", winnow.MetaContentType, "text/html"), measured: true, text: "text"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, d := New(tt.o), tt.doc
			v, edits, err := s.Apply(context.Background(), &d)
			if err != nil || edits != nil {
				t.Fatal(edits, err)
			}
			if v.Rule != tt.rule || v.Drop != (tt.rule != "") {
				t.Errorf("verdict %+v, want %q", v, tt.rule)
			}
			if !strings.HasPrefix(d.Text, tt.text) || tt.text == "" && d.Text != "" {
				t.Errorf("text %q", d.Text)
			}
			if d.HTML != nil {
				t.Error("the page was kept")
			}
			if len(d.Signals) != len(s.Signals()) || winnow.Measured(d.Signals[0]) != tt.measured {
				t.Errorf("signals %v", d.Signals)
			}
		})
	}
}

// meta makes a page with one fact beside it.
func meta(page, key, value string) winnow.Document {
	return winnow.Document{HTML: []byte(page), Meta: map[string]string{key: value}}
}

func TestStageFacts(t *testing.T) {
	page := `<html lang="en"><head><title>T</title><meta name="date" content="2025-01-02"></head><p>text`
	d := meta(page, winnow.MetaContentType, "text/html; charset=iso-8859-1")
	if _, _, err := New(Options{}).Apply(context.Background(), &d); err != nil {
		t.Fatal(err)
	}
	if d.Title != "T" || d.Meta[winnow.MetaPublished] != "2025-01-02" || d.Meta[winnow.MetaLangHint] != "en" || d.Meta[winnow.MetaCharset] != "utf-8" {
		t.Errorf("title %q, meta %v", d.Title, d.Meta)
	}
}
