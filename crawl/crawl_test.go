package crawl

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"winnow"
	"winnow/crawl/warc"
)

// result is what reading a source gave.
type result struct {
	docs    []*winnow.Document
	flaws   []*winnow.ReadError // those with a document first have it at the same place in docs
	records map[string]int64
}

// readAll reads all shards of a source, and checks what holds for every one of them.
func readAll(t testing.TB, s winnow.Source) (shards []winnow.Shard, all *result) {
	t.Helper()
	ctx := context.Background()
	all = &result{records: make(map[string]int64)}
	shards, err := s.Shards(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for _, sh := range shards {
		var tally winnow.Tally
		for d, err := range s.Read(ctx, sh, &tally) {
			var flaw *winnow.ReadError
			if err != nil && !errors.As(err, &flaw) {
				t.Fatal(err)
			}
			if flaw != nil {
				all.flaws = append(all.flaws, flaw)
			}
			if d != nil {
				all.docs = append(all.docs, d)
			} else if flaw == nil {
				t.Fatal("neither document nor error")
			}
		}
		if tally.Bytes.Load() != sh.Bytes() {
			t.Errorf("tally of %d bytes, shard of %d", tally.Bytes.Load(), sh.Bytes())
		}
		for kind, n := range tally.Records {
			all.records[kind] += n
		}
	}
	return shards, all
}

// lines describes documents and damage, to compare two readings.
func (r *result) lines() []string {
	var out []string
	for _, d := range r.docs {
		out = append(out, fmt.Sprintf("%s %d %s %s %s %s %d %x %q %v", d.File, d.Offset, d.ID, d.URL, d.Date, d.Dump, d.RawBytes,
			len(d.HTML), d.Text, d.Meta))
	}
	for _, f := range r.flaws {
		out = append(out, f.Error())
	}
	return append(out, fmt.Sprint(r.records))
}

// write puts a file into a test's folder and returns its path.
func write(t testing.TB, name string, content []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, content, 0o666); err != nil {
		t.Fatal(err)
	}
	return path
}

// archiveOf packs n pages, with requests between them. Its records name themselves, so their ids are the same in every form.
func archiveOf(t testing.TB, c warc.Compression, n int) []byte {
	t.Helper()
	var buf bytes.Buffer
	w := warc.NewWriter(&buf, c)
	records := 0
	put := func(body string, h ...warc.Field) {
		records++
		id := warc.Field{Name: "WARC-Record-ID", Value: fmt.Sprintf("<urn:uuid:00000000-0000-4000-8000-%012d>", records)}
		if err := w.Write(append(h, id), []byte(body)); err != nil {
			t.Fatal(err)
		}
	}
	put("isPartOf: TEST-2026\r\nsoftware: none\r\n", warc.Field{Name: "WARC-Type", Value: "warcinfo"})
	for i := range n {
		url := fmt.Sprintf("http://site.example/%d", i)
		put("GET / HTTP/1.1\r\n\r\n", warc.Field{Name: "WARC-Type", Value: "request"}, warc.Field{Name: "WARC-Target-URI", Value: url})
		put("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<html><p>"+strings.Repeat(fmt.Sprint("第", i, "页 page "), i*7%50),
			warc.Field{Name: "WARC-Type", Value: "response"}, warc.Field{Name: "WARC-Target-URI", Value: url},
			warc.Field{Name: "WARC-Date", Value: "2026-07-01T00:00:00Z"})
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

func TestCutLosesNothing(t *testing.T) {
	var rows bytes.Buffer
	for i := range 200 {
		fmt.Fprintf(&rows, "{\"id\":%d,\"text\":%q}\n", i, strings.Repeat("文 text ", i%40))
	}
	plain := archiveOf(t, warc.Plain, 60)
	damaged := slices.Clone(plain)
	copy(damaged[len(damaged)/2:], "XXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXX")
	badGzip := archiveOf(t, warc.Gzip, 60)
	badGzip[len(badGzip)/2] ^= 0x55
	for _, c := range []struct {
		name    string
		content []byte
		of      func([]string, Options) winnow.Source
		shards  int // at least, when cut finely
	}{
		{"a.warc", plain, WARC, 60},
		{"damaged.warc", damaged, WARC, 20},
		{"a.warc.gz", archiveOf(t, warc.Gzip, 60), WARC, 60},
		{"damaged.warc.gz", badGzip, WARC, 20},
		{"a.warc.zst", archiveOf(t, warc.Zstd, 60), WARC, 60},
		{"a.jsonl", rows.Bytes(), JSONL, 100},
	} {
		path := write(t, c.name, c.content)
		_, whole := readAll(t, c.of([]string{path}, Options{}))
		if len(whole.docs) < 50 {
			t.Fatalf("%s: %d documents", c.name, len(whole.docs))
		}
		most := 0
		for _, size := range []int64{1, 2, 3, 50, 99, 100, 101, 500, 1000, 3000, 10000, 1 << 20} {
			shards, cut := readAll(t, c.of([]string{path}, Options{ShardBytes: size}))
			most = max(most, len(shards))
			if a, b := whole.lines(), cut.lines(); !slices.Equal(a, b) {
				t.Errorf("%s cut at %d: %d lines, whole: %d", c.name, size, len(b), len(a))
			}
		}
		if most < c.shards {
			t.Errorf("%s: at most %d shards, want %d", c.name, most, c.shards)
		}
	}
}

func TestDocumentFields(t *testing.T) {
	path := write(t, "CC-MAIN-2026-30-x.warc.gz", archiveOf(t, warc.Gzip, 2))
	_, r := readAll(t, WARC([]string{path}, Options{}))
	d := r.docs[1]
	if d.URL != "http://site.example/1" || d.Date != "2026-07-01T00:00:00Z" || d.Dump != "CC-MAIN-2026-30" || d.File != path ||
		d.ID != "urn:uuid:00000000-0000-4000-8000-000000000005" || d.Offset == 0 || !strings.HasPrefix(string(d.HTML), "<html><p>第1页") || d.RawBytes != int64(len(d.HTML)) ||
		d.Meta[winnow.MetaStatus] != "200" || d.Meta[winnow.MetaContentType] != "text/html" || d.Meta[winnow.MetaRecordType] != "response" {
		t.Errorf("%+v", d)
	}
	if got := fmt.Sprint(r.records); got != "map[request:2 response:2 warcinfo:1]" {
		t.Error(got)
	}
	nameless := bytes.ReplaceAll(archiveOf(t, warc.Plain, 2), []byte("WARC-Record-ID"), []byte("X-Record-ID"))
	_, r = readAll(t, WARC([]string{write(t, "x.warc", nameless)}, Options{}))
	if d := r.docs[0]; d.Dump != "TEST-2026" || len(d.ID) != 32 || d.ID == r.docs[1].ID {
		t.Errorf("dump %q, id %q", d.Dump, d.ID)
	}
}

func TestPatterns(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"b/2.html", "b/1.HTM", "a/c/3.txt", "a/skip.png"} {
		os.MkdirAll(filepath.Join(dir, filepath.Dir(name)), 0o777)
		os.WriteFile(filepath.Join(dir, name), []byte("<p>"+name), 0o666)
	}
	t.Chdir(dir)
	for _, c := range []struct {
		patterns []string
		want     string // files, or the error
	}{
		{[]string{"b"}, "b/1.HTM b/2.html"},
		{[]string{"."}, "a/c/3.txt b/1.HTM b/2.html"},
		{[]string{"b/2.html", "**/*.{html,txt}"}, "b/2.html a/c/3.txt"},
		{[]string{"a/*.png"}, "a/skip.png"},
		{[]string{"b", "none*"}, `input "none*": matches no file`},
	} {
		shards, err := HTML(c.patterns, Options{}).Shards(context.Background())
		got := ""
		if err != nil {
			got = err.Error()
		} else if len(shards) == 1 { // small files are joined
			for _, p := range shards[0].Parts {
				got += " " + p.File
			}
		}
		if strings.TrimSpace(got) != c.want {
			t.Errorf("%v: %s, want %s", c.patterns, got, c.want)
		}
	}
}

func TestFingerprint(t *testing.T) {
	path := write(t, "a.jsonl", []byte(`{"text":"a"}`))
	print := func(o Options) string {
		sh, err := JSONL([]string{path}, o).Shards(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		return sh[0].Fingerprint
	}
	first := print(Options{})
	if print(Options{Text: "text"}) != first {
		t.Error("the default spelled out is another fingerprint")
	}
	if print(Options{Text: "body"}) == first {
		t.Error("another column is the same fingerprint")
	}
	os.WriteFile(path, []byte(`{"text":"b"}`), 0o666)
	if print(Options{}) == first {
		t.Error("other bytes are the same fingerprint")
	}
}

func TestStopsAndOpens(t *testing.T) {
	path := write(t, "a.warc.gz", archiveOf(t, warc.Gzip, 20))
	s := WARC([]string{path}, Options{})
	shards, _ := s.Shards(context.Background())
	for range s.Read(context.Background(), shards[0], new(winnow.Tally)) {
		break
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	n := 0
	var last error
	for _, err := range s.Read(ctx, shards[0], new(winnow.Tally)) {
		if n++; n == 3 {
			cancel()
		}
		last = err
	}
	if n != 4 || !errors.Is(last, context.Canceled) {
		t.Errorf("%d steps, then %v", n, last)
	}
	gone := winnow.Shard{Parts: []winnow.Range{{File: path + ".gone", End: 9}, shards[0].Parts[0]}}
	var tally winnow.Tally
	n = 0
	for d, err := range s.Read(context.Background(), gone, &tally) {
		var flaw *winnow.ReadError
		if n++; n == 1 && (d != nil || !errors.As(err, &flaw) || flaw.Rule != "error.open") {
			t.Errorf("missing file: %v", err)
		}
	}
	if n != 21 || len(tally.Content[path]) != 64 {
		t.Errorf("%d steps, content %v", n, tally.Content)
	}
}
