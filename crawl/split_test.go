package crawl

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"

	"winnow"
	"winnow/crawl/warc"
)

// members packs b in pieces of about size bytes, wherever they end.
func members(b []byte, size int, pack func([]byte) []byte) []byte {
	var out []byte
	for len(b) > 0 {
		n := min(size, len(b))
		out, b = append(out, pack(b[:n])...), b[n:]
	}
	return out
}

// manyRows are rows of many lengths, which do not pack well.
func manyRows(n int) []byte {
	rng := rand.New(rand.NewPCG(1, 2))
	var b bytes.Buffer
	for i := range n {
		fmt.Fprintf(&b, "{\"text\":\"%d ", i)
		for range 1 + rng.IntN(40) {
			fmt.Fprintf(&b, "%x", rng.Uint64())
		}
		b.WriteString("\"}\n")
		if i%50 == 0 {
			b.WriteString("\n")
		}
	}
	return b.Bytes()
}

// identity is what of a document must not depend on how its file is packed.
func identity(r *result, withID bool) (out []string) {
	for _, d := range r.docs {
		id := ""
		if withID {
			id = d.ID
		}
		out = append(out, fmt.Sprintf("%s %s %s %s %d %s %q %q %v", id, d.URL, d.Date, d.Dump, d.RawBytes, d.Title, d.HTML, d.Text, d.Meta))
	}
	return out
}

// Rows of a packed file that is cut at its members, which end anywhere within lines, are those of the plain file, under the same
// ids whatever the size of the shards.
func TestPackedRowsAreCut(t *testing.T) {
	plain := manyRows(6000)
	_, want := readAll(t, JSONL([]string{write(t, "x.jsonl", plain)}, Options{}))
	for name, content := range map[string][]byte{"x.jsonl.gz": members(plain, 50_000, gzipOf), "x.jsonl.zst": members(plain, 50_000, zstdOf)} {
		path := write(t, name, content)
		_, whole := readAll(t, JSONL([]string{path}, Options{}))
		if !slices.Equal(identity(whole, false), identity(want, false)) || len(whole.flaws) > 0 {
			t.Fatalf("%s: %d documents, want %d; %v", name, len(whole.docs), len(want.docs), whole.flaws)
		}
		ids := make(map[string]bool)
		for _, d := range whole.docs {
			ids[d.ID] = true
		}
		if len(ids) != len(whole.docs) {
			t.Errorf("%s: %d ids for %d rows", name, len(ids), len(whole.docs))
		}
		for _, size := range []int64{10_000, 100_000, 400_000} {
			shards, cut := readAll(t, JSONL([]string{path}, Options{ShardBytes: size}))
			if len(shards) < 2 {
				t.Errorf("%s: not cut at %d bytes", name, size)
			}
			if !slices.Equal(cut.lines(), whole.lines()) {
				t.Errorf("%s: cut into %d it reads otherwise", name, len(shards))
			}
		}
	}
}

// A damaged member costs its own rows alone.
func TestDamagedMemberOfRows(t *testing.T) {
	plain := manyRows(6000)
	packed := members(plain, 50_000, gzipOf)
	_, want := readAll(t, JSONL([]string{write(t, "x.jsonl.gz", packed)}, Options{}))
	packed[len(packed)/3] ^= 0x55
	path := write(t, "x.jsonl.gz", packed)
	_, got := readAll(t, JSONL([]string{path}, Options{}))
	if len(got.flaws) != 1 || got.flaws[0].Rule != "error.gzip" || got.flaws[0].Lost < 0 || got.flaws[0].Lost > 100_000 {
		t.Fatal(got.flaws)
	}
	if lost := len(want.docs) - len(got.docs); lost <= 0 || lost > 500 {
		t.Errorf("%d rows lost", lost)
	}
	known := make(map[string]bool)
	for _, d := range want.docs {
		known[d.Text] = true
	}
	for _, d := range got.docs {
		if !known[d.Text] {
			t.Fatalf("a row that is none: %q", d.Text)
		}
	}
}

// What cannot be cut says why.
func TestUncut(t *testing.T) {
	pages, rows := archiveOf(t, warc.Plain, 400), manyRows(2000)
	array := "[" + strings.ReplaceAll(strings.TrimSpace(strings.ReplaceAll(string(rows), "\n\n", "\n")), "\n", ",") + "]"
	for name, c := range map[string]struct {
		s   func([]string, Options) winnow.Source
		b   []byte
		why string
	}{
		"one.warc.gz":   {WARC, gzipOf(pages), winnow.WhyGzip},
		"one.warc.zst":  {WARC, zstdOf(pages), winnow.WhyZstd},
		"many.warc.gz":  {WARC, archiveOf(t, warc.Gzip, 4000), ""},
		"plain.warc":    {WARC, pages, ""},
		"one.jsonl.gz":  {JSONL, gzipOf(rows), winnow.WhyGzip},
		"one.jsonl.zst": {JSONL, zstdOf(rows), winnow.WhyZstd},
		"rows.jsonl":    {JSONL, rows, ""},
		"array.json":    {JSONL, []byte(array), winnow.WhyArray},
		"pages.tar":     {Tar, tarOf("a.html", strings.Repeat("x", 20_000)), winnow.WhyKind},
	} {
		shards, err := c.s([]string{write(t, name, c.b)}, Options{ShardBytes: 4000}).Shards(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range shards {
			if why := s.Parts[0].Uncut; why != c.why && (c.why != "" || len(shards) < 3) {
				t.Errorf("%s: %q, want %q (%d shards)", name, why, c.why, len(shards))
			}
		}
		if c.why != "" && len(shards) != 1 {
			t.Errorf("%s: %d shards", name, len(shards))
		}
	}
}

// Where no size is asked for, an input of some size makes several shards, and small files are gathered.
func TestShardsOfSomeSize(t *testing.T) {
	dir := t.TempDir()
	row := []byte("{\"text\":\"" + strings.Repeat("x", 1<<20-12) + "\"}\n")
	if err := os.WriteFile(filepath.Join(dir, "big.jsonl"), bytes.Repeat(row, 100), 0o666); err != nil {
		t.Fatal(err)
	}
	for i := range 40 {
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("small%02d.jsonl", i)), row, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	shards, err := JSONL([]string{dir}, Options{}).Shards(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	files := 0
	for _, s := range shards {
		files += len(s.Parts)
	}
	if len(shards) < 8 || len(shards) > 10 || files < 46 {
		t.Errorf("%d shards of %d parts", len(shards), files)
	}
}

// The plain, gzip and zstd forms of one archive give the same documents; so do those cut at members and those of one member.
func TestFormsOfOneArchive(t *testing.T) {
	data := os.Getenv("WINNOW_DATA")
	forms := map[string]string{}
	dir := t.TempDir()
	if data == "" {
		t.Log("WINNOW_DATA is not set: only an archive made here")
		for name, c := range map[string]warc.Compression{"a.warc": warc.Plain, "a.warc.gz": warc.Gzip, "a.warc.zst": warc.Zstd} {
			forms[name] = filepath.Join(dir, name)
			if err := os.WriteFile(forms[name], archiveOf(t, c, 50), 0o666); err != nil {
				t.Fatal(err)
			}
		}
	} else {
		for _, name := range []string{"chatnoir-eu+chatnoir-resiliparse/warcfile.warc", "chatnoir-eu+chatnoir-resiliparse/warcfile.warc.gz",
			"chatnoir-eu+chatnoir-resiliparse/warcfile.warc.lz4", "derived/one-member-whole-file.warc.gz", "derived/warcfile.per-record.warc.zst",
			"derived/warcfile.one-frame.warc.zst", "derived/warcfile.dict.warc.zst", "derived/warcfile.dict-compressed.warc.zst"} {
			forms[name] = filepath.Join(data, "warc", name)
		}
		plain, err := os.ReadFile(forms["chatnoir-eu+chatnoir-resiliparse/warcfile.warc"])
		if err != nil {
			t.Fatal(err)
		}
		for name, pack := range map[string]func([]byte) []byte{"blocks.warc.gz": gzipOf, "blocks.warc.zst": func(b []byte) []byte {
			w, _ := zstd.NewWriter(nil)
			return w.EncodeAll(b, nil)
		}} {
			forms[name] = filepath.Join(dir, name)
			if err := os.WriteFile(forms[name], members(plain, 10_000, pack), 0o666); err != nil {
				t.Fatal(err)
			}
		}
	}
	var first []string
	for name, path := range forms {
		for _, size := range []int64{0, 30_000} {
			_, r := readAll(t, WARC([]string{path}, Options{ShardBytes: size}))
			got := identity(r, true)
			if len(r.flaws) > 0 || len(got) < 16 {
				t.Fatalf("%s: %d documents, %v", name, len(got), r.flaws)
			}
			if first == nil {
				first = got
			}
			if !slices.Equal(got, first) {
				t.Errorf("%s in shards of %d gives other documents", name, size)
			}
		}
	}
}
