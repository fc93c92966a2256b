package crawl

import (
	"fmt"
	"maps"
	"strings"
	"testing"
)

// recordOf is a record of a plain WARC file, with lines of its header beside type and length.
func recordOf(kind, header, block string) string {
	return fmt.Sprintf("WARC/1.1\r\nWARC-Type: %s\r\n%sContent-Length: %d\r\n\r\n%s\r\n\r\n", kind, header, len(block), block)
}

// Every kind of archive and of record gives its documents, or is counted, or is declined with a reason.
func TestKinds(t *testing.T) {
	const isHTTP = "Content-Type: application/http;msgtype=response\r\nWARC-Target-URI: http://a.example/\r\n"
	const page = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<p>page"
	arc := fmt.Sprintf("filedesc://a.arc 0.0.0.0 20260101000000 text/plain 15\n1 0 InternetAr\n\nhttp://a.example/ 10.0.0.1 20260101000000 text/html %d\n%s\n", len(page), page)
	response := recordOf("response", isHTTP, page)
	for _, c := range []struct {
		name, content string
		records       map[string]int64
		docs          []string // page or text
		rule, reason  string
	}{
		{"response", response, map[string]int64{"response": 1}, []string{"<p>page"}, "", ""},
		{"in capitals", strings.Replace(response, "response\r\n", "RESPONSE\r\n", 1), map[string]int64{"response": 1}, []string{"<p>page"}, "", ""},
		{"resource", recordOf("resource", "Content-Type: text/html\r\n", "<p>page"), map[string]int64{"resource": 1}, []string{"<p>page"}, "", ""},
		{"wet", recordOf("warcinfo", "", "a: b\r\n") + recordOf("conversion", "Content-Type: text/plain\r\n", "text"), map[string]int64{"warcinfo": 1, "conversion": 1}, []string{"text"}, "", ""},
		{"wat", recordOf("metadata", "Content-Type: application/json\r\n", `{"Container":{}}`), map[string]int64{"metadata": 1}, nil, "", ""},
		{"request", recordOf("request", "", "GET / HTTP/1.1\r\n\r\n"), map[string]int64{"request": 1}, nil, "", ""},
		{"revisit", response + recordOf("revisit", isHTTP+"WARC-Profile: http://netpreserve.org/warc/1.1/revisit/identical-payload-digest\r\n", page[:len(page)-7]),
			map[string]int64{"response": 1, "revisit": 1}, []string{"<p>page"}, "", ""},
		{"segments", recordOf("response", isHTTP+"WARC-Segment-Number: 1\r\n", page) + recordOf("continuation", "WARC-Segment-Number: 2\r\nWARC-Segment-Total-Length: 90\r\n", "more") + response,
			map[string]int64{"response": 2, "continuation": 1}, []string{"<p>page", "<p>page"}, "error.truncated", "not joined"},
		{"arc", arc, map[string]int64{"warcinfo": 1, "response": 1}, []string{"<p>page"}, "", ""},
		{"wacz", "PK\x03\x04" + strings.Repeat("\x00", 5000), map[string]int64{}, nil, "error.record", "WACZ"},
	} {
		forms := map[string][]byte{".warc": []byte(c.content), ".warc.gz": gzipOf([]byte(c.content)), ".warc.zst": zstdOf([]byte(c.content))}
		if c.name == "wacz" {
			forms = map[string][]byte{".wacz": []byte(c.content)}
		}
		for ext, b := range forms {
			_, r := readAll(t, WARC([]string{write(t, "x"+ext, b)}, Options{}))
			if !maps.Equal(r.records, c.records) || len(r.docs) != len(c.docs) {
				t.Errorf("%s%s: %v, %d documents", c.name, ext, r.records, len(r.docs))
				continue
			}
			for i, d := range r.docs {
				if got := string(d.HTML) + d.Text; got != c.docs[i] {
					t.Errorf("%s%s: %q", c.name, ext, got)
				}
			}
			if (c.rule == "") != (len(r.flaws) == 0) || c.rule != "" && (r.flaws[0].Rule != c.rule || !strings.Contains(r.flaws[0].Error(), c.reason)) {
				t.Errorf("%s%s: %v", c.name, ext, r.flaws)
			}
		}
	}
}
