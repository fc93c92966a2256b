package shard

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"winnow"
)

func readAll(t *testing.T, s winnow.Source, shards []winnow.Shard) (docs []*winnow.Document, damage []*winnow.ReadError) {
	t.Helper()
	for _, shard := range shards {
		var tally winnow.Tally
		for d, err := range s.Read(context.Background(), shard, &tally) {
			var e *winnow.ReadError
			switch {
			case errors.As(err, &e):
				damage = append(damage, e)
			case err != nil:
				t.Fatal(err)
			default:
				docs = append(docs, d)
			}
		}
		if got := tally.Bytes.Load(); got != shard.Bytes() {
			t.Errorf("tally has %d bytes, shard %d", got, shard.Bytes())
		}
		for _, p := range shard.Parts {
			if p.Whole && len(damage) == 0 && len(tally.Content[p.File]) != 64 {
				t.Errorf("%s: no content hash", p.File)
			}
		}
	}
	return docs, damage
}

func shardsOf(t *testing.T, s winnow.Source) []winnow.Shard {
	t.Helper()
	shards, err := s.Shards(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return shards
}

func writeData(t testing.TB, path string, rows int) {
	write(t, path, func(f *os.File) error {
		w := NewDataWriter(f, nil)
		for i := range rows {
			if err := w.Write(&testRow(i).Doc); err != nil {
				return err
			}
		}
		return w.Close()
	})
}

func TestSourceCut(t *testing.T) {
	dir := t.TempDir()
	writeData(t, filepath.Join(dir, "a.parquet"), 5000)
	writeData(t, filepath.Join(dir, "b.parquet"), 10)
	writeData(t, filepath.Join(dir, "c.parquet"), 2500)
	pattern := []string{filepath.Join(dir, "**", "*.parquet"), filepath.Join(dir, "a.parquet")}
	whole := Source(pattern, SourceOptions{})
	one := shardsOf(t, whole)
	if len(one) != 1 || len(one[0].Parts) != 3 || !one[0].Parts[0].Whole {
		t.Fatalf("%+v", one)
	}
	want, damage := readAll(t, whole, one)
	if len(want) != 7510 || len(damage) != 0 {
		t.Fatalf("%d documents, %v", len(want), damage)
	}
	for i, d := range want[:5000] {
		w := testRow(i).Doc
		if d.Text != w.Text || d.ID != w.ID || d.Language != w.Language || d.LangScore != w.LangScore || d.Title != w.Title ||
			d.TokenCount != w.TokenCount || d.Offset != int64(i) || d.Meta["b"] != w.Meta["b"] || d.Meta["file_path"] != w.File {
			t.Fatalf("row %d: %+v", i, d)
		}
	}
	for _, size := range []int64{1, 10_000, 60_000, 200_000} {
		s := Source(pattern, SourceOptions{ShardBytes: size})
		shards := shardsOf(t, s)
		got, _ := readAll(t, s, shards)
		if !slices.EqualFunc(got, want, func(a, b *winnow.Document) bool { return show(a) == show(b) }) {
			t.Errorf("shards of %d bytes: %d documents in %d shards", size, len(got), len(shards))
		}
		prints := make(map[string]bool)
		for _, s := range shards {
			prints[s.Fingerprint] = true
		}
		if len(prints) != len(shards) {
			t.Errorf("two shards of one fingerprint")
		}
	}
}

func TestSourceDamage(t *testing.T) {
	dir := t.TempDir()
	good := filepath.Join(dir, "good.parquet")
	writeData(t, good, 3000)
	b, err := os.ReadFile(good)
	if err != nil {
		t.Fatal(err)
	}
	flipped := slices.Clone(b)
	for i := range 200 { // in the first row group's text
		flipped[100+i] ^= 0x55
	}
	footer := slices.Clone(b)
	copy(footer[len(footer)-8:], "\xff\xff\xff\xff")
	for name, content := range map[string][]byte{"flipped": flipped, "footer": footer, "cut": b[:len(b)/2], "empty": nil, "small": []byte("PAR1")} {
		if err := os.WriteFile(filepath.Join(dir, name+".parquet"), content, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	s := Source([]string{filepath.Join(dir, "*.parquet")}, SourceOptions{})
	docs, damage := readAll(t, s, shardsOf(t, s))
	var files []string
	for _, e := range damage {
		files = append(files, strings.TrimSuffix(filepath.Base(e.File), ".parquet")+" "+e.Rule)
	}
	want := []string{"cut error.parquet", "empty error.parquet", "flipped error.parquet", "footer error.parquet", "small error.parquet"}
	if len(docs) != 3000+3000-1024 || !slices.Equal(files, want) {
		t.Errorf("%d documents, damage %v", len(docs), damage)
	}
}

// TestSourceMutated changes a few bytes at a time, half of them in the footer: whatever comes of it is a *ReadError.
func TestSourceMutated(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.parquet")
	writeData(t, path, 50)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	random := rand.New(rand.NewPCG(3, 4))
	for range 500 {
		b := slices.Clone(whole)
		for range 1 + random.IntN(3) {
			at := random.IntN(len(b))
			if random.IntN(2) == 0 {
				at = len(b) - 1 - random.IntN(2000)
			}
			b[at] = byte(random.Uint32())
		}
		if err := os.WriteFile(path, b, 0o666); err != nil {
			t.Fatal(err)
		}
		s := Source([]string{path}, SourceOptions{})
		if shards, err := s.Shards(context.Background()); err == nil {
			readAll(t, s, shards)
		} else if !errors.Is(err, errNoColumn) {
			t.Fatal(err)
		}
	}
}

func TestSourceNoText(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.parquet")
	writeLedger(t, path, 10)
	_, err := Source([]string{path}, SourceOptions{}).Shards(context.Background())
	if err == nil || !strings.Contains(err.Error(), "content_type, raw_bytes, bytes") {
		t.Errorf("no text column: %v", err)
	}
	s := Source([]string{path}, SourceOptions{Text: "detail", ID: "offset"})
	docs, _ := readAll(t, s, shardsOf(t, s))
	if len(docs) != 10 || docs[4].Text != "第一行" || docs[4].ID != fmt.Sprint(4<<20) || docs[4].Meta["test.words"] != "4" || docs[4].Meta["kept"] != "false" {
		t.Errorf("other columns: %+v", docs[4])
	}
	_, err = Source([]string{path + "x*"}, SourceOptions{}).Shards(context.Background())
	if err == nil || !strings.Contains(err.Error(), "x*: no such file") {
		t.Errorf("no file: %v", err)
	}
}

// TestSourceOthers reads the files that parquet's projects keep for testing.
func TestSourceOthers(t *testing.T) {
	data := os.Getenv("WINNOW_DATA")
	if data == "" {
		t.Skip("WINNOW_DATA is not set")
	}
	for folder, want := range map[string]int{"parquet": 55, "parquet_bad": 8} {
		files, _ := filepath.Glob(filepath.Join(data, "formats", folder, "*.parquet"))
		if len(files) != want {
			t.Errorf("%s: %d files, want %d", folder, len(files), want)
		}
		for _, file := range files {
			f, err := open(nil, file)
			if err != nil {
				t.Logf("%s: open: %v", filepath.Base(file), err)
				continue
			}
			var names []string
			for _, p := range f.Schema().Columns() {
				names = append(names, p[0])
			}
			f.Close()
			for _, name := range slices.Compact(names) {
				s := Source([]string{file}, SourceOptions{Text: name})
				shards, err := s.Shards(context.Background())
				if err != nil {
					t.Logf("%s: %s: %v", filepath.Base(file), name, err)
					continue
				}
				docs, damage := readAll(t, s, shards)
				t.Logf("%s: %s: %d documents, damage %v", filepath.Base(file), name, len(docs), damage)
			}
		}
	}
}

func TestNormalDate(t *testing.T) {
	for in, want := range map[string]string{
		"2026-03-04T05:06:07+08:00": "2026-03-03T21:06:07Z", "2026-03-04 05:06:07": "2026-03-04T05:06:07Z",
		"2026-03-04": "2026-03-04T00:00:00Z", "昨天": "昨天", "": "",
	} {
		if got := normalDate(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

// A row group that is far larger than a shard is told of.
func TestSourceUncut(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.parquet")
	writeData(t, path, 3000)
	groups := 0
	for _, sh := range shardsOf(t, Source([]string{path}, SourceOptions{ShardBytes: 1000})) {
		for _, p := range sh.Parts {
			groups++
			if p.End-p.Start > 2000 != (p.Uncut == winnow.WhyGroup) {
				t.Errorf("%d bytes: %q", p.End-p.Start, p.Uncut)
			}
		}
	}
	for _, sh := range shardsOf(t, Source([]string{path}, SourceOptions{})) {
		if groups < 2 || len(sh.Parts) != 1 || sh.Parts[0].Uncut != "" {
			t.Errorf("%d groups; %+v", groups, sh.Parts)
		}
	}
}
