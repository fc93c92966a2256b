package shard

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"winnow"
)

var testSignals = []winnow.Signal{
	{ID: "test.words", EN: "words", ZH: "词数", Langs: []string{"en"}, Default: winnow.AtLeast(50)},
	{ID: "test.ratio", EN: "ratio", ZH: "比例", Default: winnow.Between(0.1, 0.3)},
	{ID: "test.never", EN: "never measured", ZH: "从不测量", Default: winnow.Any},
}

// testRow makes the i-th of a series of rows in which each field is set now and empty then.
func testRow(i int) *Row {
	r := &Row{
		Doc: winnow.Document{
			Text: strings.Repeat(fmt.Sprintf("第%d篇文章，写给测试用。An essay about number %d. 𠮷😀\n", i, i), 1+i%7),
			ID:   fmt.Sprintf("urn:uuid:%08d", i), Dump: "CC-MAIN-2026-30", URL: fmt.Sprintf("https://www.site%d.example.co.uk/%d", i%9, i),
			Date: "2026-03-04T05:06:07Z", File: "crawl/a.warc.gz", Language: []string{"zh", "en", "und"}[i%3], LangScore: 1 / float64(i+1),
			TokenCount: int64(i) * 3, TokensEstimated: i%2 == 0, Offset: int64(i) << 20, RawBytes: int64(i) << 33,
			Signals: []float32{float32(i), float32(i) / 7, winnow.NotMeasured},
		},
		Seq: i, DropStage: -1, EditStage: -1, Bytes: int64(i) * 40, Chars: int64(i) * 30,
	}
	if i%2 == 1 {
		r.Doc.LanguageScript, r.Doc.Title, r.Doc.Origin = "zho_Hans", "标题 "+r.Doc.ID, "urn:origin"
		r.Doc.Meta = map[string]string{"content_type": "text/html", "b": "二", "a": "", "c": "三"}
		r.Edits = []winnow.Edit{{Rule: "pii.email", Start: 3, End: 9, With: "email@example.com"}, {Rule: "pii.ip", Start: 20, End: 30}}[:1+i/2%2]
	}
	if i%3 == 1 {
		r.Verdict = winnow.Verdict{Drop: true, Stage: "filter", Rule: "test.words", Value: float32(i), Bound: winnow.AtLeast(50), Detail: "第一行"}
	}
	if i%5 == 1 {
		r.Verdict = winnow.Verdict{Drop: true, Stage: "extract", Rule: "error.charset", Value: winnow.NotMeasured, Bound: winnow.Any}
	}
	if i%4 == 1 {
		r.Cluster, r.ClusterSize, r.Similarity = "urn:uuid:survivor", 3, 0.75
	}
	return r
}

// show makes values comparable that hold NaN.
func show(v any) string { return fmt.Sprintf("%+v", v) }

func write(t testing.TB, path string, fill func(f *os.File) error) string {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := fill(f); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestSpoolRoundTrip(t *testing.T) {
	rows := []*Row{{}}
	for i := range 300 {
		rows = append(rows, testRow(i))
	}
	odd := testRow(1)
	odd.Doc.Text, odd.Doc.HTML = "nul \x00, half a character \xe4\xb8", []byte{}
	odd.Doc.Signals = []float32{float32(math.Inf(1)), 0, float32(math.Copysign(0, -1)), winnow.NotMeasured}
	odd.Doc.Meta = map[string]string{}
	big := testRow(2)
	big.Doc.Text, big.Doc.HTML = strings.Repeat("长", 1<<20), bytes.Repeat([]byte("<p>"), 1<<19)
	rows = append(rows, odd, big, testRow(3))
	path := write(t, filepath.Join(t.TempDir(), "spool"), func(f *os.File) error {
		w := NewSpoolWriter(f)
		for _, r := range rows {
			if err := w.Write(r); err != nil {
				return err
			}
		}
		return w.Close()
	})
	n := 0
	for r, err := range ReadSpool(nil, path) {
		if err != nil {
			t.Fatal(err)
		}
		if show(r) != show(rows[n]) || (r.Doc.HTML == nil) != (rows[n].Doc.HTML == nil) || (r.Doc.Meta == nil) != (rows[n].Doc.Meta == nil) {
			t.Fatalf("row %d: got %.500s\nwant %.500s", n, show(r), show(rows[n]))
		}
		n++
	}
	if n != len(rows) {
		t.Fatalf("%d rows, want %d", n, len(rows))
	}
}

func TestDataRoundTrip(t *testing.T) {
	var docs []*winnow.Document
	for i := range 3000 {
		d := testRow(i).Doc
		docs = append(docs, &d)
	}
	docs = append(docs, &winnow.Document{}, &winnow.Document{Text: "nul \x00 in the text", ID: "x"})
	path := write(t, filepath.Join(t.TempDir(), "data.parquet"), func(f *os.File) error {
		w := NewDataWriter(f, map[string]string{"winnow.run": "r"})
		for _, d := range docs {
			if err := w.Write(d); err != nil {
				return err
			}
		}
		return w.Close()
	})
	n := 0
	for d, err := range ReadData(nil, path) {
		if err != nil {
			t.Fatal(err)
		}
		want := *docs[n]
		want.Signals, want.TokensEstimated, want.Offset, want.RawBytes = nil, false, 0, 0
		if !reflect.DeepEqual(*d, want) {
			t.Fatalf("row %d: got %+v\nwant %+v", n, *d, want)
		}
		n++
	}
	if n != len(docs) {
		t.Fatalf("%d rows, want %d", n, len(docs))
	}
}

func TestLedgerRoundTrip(t *testing.T) {
	const rows = 70000 // more than a row group
	path := writeLedger(t, filepath.Join(t.TempDir(), "ledger.parquet"), rows)
	signals, err := LedgerSignals(nil, path)
	if err != nil || !reflect.DeepEqual(signals, testSignals) {
		t.Fatalf("signals %+v, %v", signals, err)
	}
	n := 0
	for r, err := range ReadLedger(nil, path) {
		if err != nil {
			t.Fatal(err)
		}
		want := testRow(n)
		want.Doc.Text = ""
		if want.Doc.Meta != nil {
			want.Doc.Meta = map[string]string{"content_type": "text/html"}
		}
		if show(r) != show(want) {
			t.Fatalf("row %d: got %s\nwant %s", n, show(r), show(want))
		}
		n++
	}
	if n != rows {
		t.Fatalf("%d rows, want %d", n, rows)
	}
}

func writeLedger(t testing.TB, path string, rows int) string {
	return write(t, path, func(f *os.File) error {
		w, err := NewLedgerWriter(f, testSignals, nil)
		for i := 0; err == nil && i < rows; i++ {
			err = w.Write(testRow(i))
		}
		if err != nil {
			return err
		}
		return w.Close()
	})
}

func TestDroppedRoundTrip(t *testing.T) {
	path := write(t, filepath.Join(t.TempDir(), "dropped.parquet"), func(f *os.File) error {
		w := NewDroppedWriter(f, nil)
		for i := range 2000 {
			if err := w.Write(testRow(i)); err != nil {
				return err
			}
		}
		return w.Close()
	})
	n := 0
	for r, err := range ReadDropped(nil, path) {
		if err != nil {
			t.Fatal(err)
		}
		want := testRow(n)
		if r.Doc.Text != want.Doc.Text || r.Verdict.Rule != want.Verdict.Rule || r.Verdict.Detail != want.Verdict.Detail ||
			r.Verdict.Stage != want.Verdict.Stage || r.Doc.Meta["b"] != want.Doc.Meta["b"] {
			t.Fatalf("row %d: got %+v", n, r)
		}
		n++
	}
	if n != 2000 {
		t.Fatalf("%d rows", n)
	}
}

func TestReadColumns(t *testing.T) {
	path := writeLedger(t, filepath.Join(t.TempDir(), "ledger.parquet"), 10000)
	n := 0
	for c, err := range ReadColumns(nil, path, []string{"language", "rule"}, []string{"test.words", "kept", "raw_bytes", "test.never"}) {
		if err != nil {
			t.Fatal(err)
		}
		for i := range c.Rows {
			want := testRow(n)
			kept := 1.0
			if want.Verdict.Drop {
				kept = 0
			}
			if c.Text[0][i] != want.Doc.Language || c.Text[1][i] != want.Verdict.Rule || c.Numbers[0][i] != float64(n) ||
				c.Numbers[1][i] != kept || c.Numbers[2][i] != float64(want.Doc.RawBytes) || !math.IsNaN(c.Numbers[3][i]) {
				t.Fatalf("row %d", n)
			}
			n++
		}
	}
	if n != 10000 {
		t.Fatalf("%d rows", n)
	}
	for _, err := range ReadColumns(nil, path, []string{"kept"}, nil) {
		if err == nil || !strings.Contains(err.Error(), "column kept") {
			t.Fatalf("a number as text: %v", err)
		}
	}
}
