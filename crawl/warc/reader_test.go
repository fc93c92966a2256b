package warc

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"

	"winnow"
)

// records packs n small records of a type.
func records(t testing.TB, c Compression, n int) []byte {
	t.Helper()
	var b bytes.Buffer
	w := NewWriter(&b, c)
	for i := range n {
		h := Header{{"WARC-Type", "resource"}, {"WARC-Record-ID", fmt.Sprintf("<urn:test:%d>", i)}}
		if err := w.Write(h, []byte(strings.Repeat(fmt.Sprintf("记录 %d\n", i), 20))); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// read gives the ids of the records of b, ! after those that are flawed, and the rules of all damage.
func read(t testing.TB, b []byte, o Options) (ids, rules string) {
	t.Helper()
	r := NewReader(bytes.NewReader(b), int64(len(b)), o)
	defer r.Close()
	for n := 0; ; n++ {
		if n > len(b)+10 {
			t.Fatal("it does not come to an end")
		}
		rec, err := r.Next()
		if err == io.EOF {
			return ids, rules
		}
		var flaw *winnow.ReadError
		if err != nil && !errors.As(err, &flaw) {
			t.Fatal(err)
		}
		if rec != nil {
			ids += strings.TrimSuffix(strings.TrimPrefix(rec.Header.Get("WARC-Record-ID"), "<urn:test:"), ">")
		}
		if flaw != nil {
			rules += strings.TrimPrefix(flaw.Rule, "error.") + " "
			if rec != nil {
				ids += "!"
			}
		}
	}
}

func joined(parts ...[]byte) []byte { return slices.Concat(parts...) }

func gzipped1(b []byte) []byte { return []byte(gzipOf(string(b))) }

func lz4Of(b []byte) []byte {
	return []byte(packed(func(w io.Writer) io.WriteCloser { return lz4.NewWriter(w) }, string(b)))
}

// flipped changes one byte.
func flipped(b []byte, at int) []byte {
	b = slices.Clone(b)
	b[at] ^= 0x55
	return b
}

// blocks packs b in gzip members of n bytes each, wherever records begin.
func blocks(b []byte, n int) (out []byte) {
	for part := range slices.Chunk(b, n) {
		out = append(out, gzipped1(part)...)
	}
	return out
}

func TestRoundTrip(t *testing.T) {
	for _, c := range []Compression{Plain, Gzip, Zstd} {
		b := records(t, c, 9)
		if !bytes.Equal(b, records(t, c, 9)) {
			t.Errorf("packing %d: the same records gave other bytes", c)
		}
		if ids, rules := read(t, b, Options{}); ids != "012345678" || rules != "" {
			t.Errorf("packing %d: %s %s", c, ids, rules)
		}
	}
	w := NewWriter(io.Discard, Plain)
	for _, f := range []Field{{"A", "b\r\nC: d"}, {"A:", "b"}, {"", "b"}, {"content-length", "3"}} {
		if w.Write(Header{f}, nil) == nil {
			t.Errorf("%q was written", f)
		}
	}
}

func TestDamage(t *testing.T) {
	plain, gz, zs := records(t, Plain, 9), records(t, Gzip, 9), records(t, Zstd, 9)
	member := len(records(t, Gzip, 1))
	sized := func(from, to string) []byte {
		return bytes.Replace(plain, []byte("urn:test:4>\r\nContent-Length: 180"), []byte("urn:test:4>\r\nContent-Length: "+to), 1)
	}
	if bytes.Equal(sized("", "7"), plain) {
		t.Fatal("record 4 is not as the table supposes")
	}
	for _, c := range []struct {
		name       string
		b          []byte
		ids, rules string
	}{
		{"nothing", nil, "", ""},
		{"one byte", []byte("x"), "", "record "},
		{"no archive", []byte("one line\nand another\n"), "", "record "},
		{"empty member", gzipped1(nil), "", ""},
		{"one member", gzipped1(plain), "012345678", ""},
		{"blocks", blocks(plain, 97), "012345678", ""},
		{"lz4", lz4Of(plain), "012345678", ""},
		{"lz4 frames", joined(lz4Of(plain[:500]), lz4Of(plain[500:])), "012345678", ""},
		{"newlines alone", bytes.ReplaceAll(plain, []byte("\r\n"), []byte("\n")), "012345678", ""},
		{"no line ends between", bytes.ReplaceAll(plain, []byte("\r\n\r\nWARC"), []byte("WARC")), "012345678", ""},
		{"length too small", sized("180", "7"), "01234!5678", "length "},
		{"length too large", sized("180", "400"), "01234!5678", "length "},
		{"length absurd", sized("180", "99999999999"), "01234!5678", "length "},
		{"length no number", sized("180", "many"), "01234!5678", "length "},
		{"length in one member", gzipped1(sized("180", "4000")), "01234!5678", "length "},
		{"length in blocks", blocks(sized("180", "4000"), 100), "01234!5678", "length "},
		{"cut off", plain[:len(plain)-50], "012345678!", "truncated "},
		{"cut off in a header", plain[:len(plain)-210], "01234567", "truncated "},
		{"garbage between", bytes.Replace(plain, []byte("WARC/1.0\r\nWARC-Type: resource\r\nWARC-Record-ID: <urn:test:5>"),
			[]byte("garbage\r\nmore of it\r\n"), 1), "01234!678", "length "},
		{"gzip cut off", gz[:len(gz)-20], "012345678!", "truncated "},
		{"gzip flipped", flipped(gz, 4*member+60), "", "gzip "},
		{"gzip checksum", flipped(gz, member-6), "0!12345678", "gzip "},
		{"gzip first magic", flipped(gz, 0), "12345678", "gzip "},
		{"gzip garbage between", joined(gz[:member], []byte("garbage"), gz[member:]), "012345678", "gzip "},
		{"gzip padded", joined(gz, make([]byte, 4096)), "012345678", "gzip "},
		{"gzip no record between", joined(gz, gzipped1([]byte("no record\n")), gz[:member]), "0123456780", "record "},
		{"zstd cut off", zs[:len(zs)-20], "01234567", "truncated "},
		{"zstd magic", flipped(zs, 0), "12345678", "zstd "},
		{"zstd garbage", joined(zs, []byte("garbage!")), "012345678", "zstd "},
		{"lz4 cut off", lz4Of(plain)[:len(lz4Of(plain))/2], "", "truncated "},
		{"lz4 garbage", joined(lz4Of(plain), []byte("garbage!")), "012345678", "lz4 "},
	} {
		ids, rules := read(t, c.b, Options{})
		if c.name == "gzip flipped" { // what a flipped bit does to its own record is up to the bit
			ids, c.ids = strings.NewReplacer("4!", "", "4", "").Replace(ids), "01235678"
		}
		if ids != c.ids || rules != c.rules {
			t.Errorf("%s: records %s, want %s; damage %s, want %s", c.name, ids, c.ids, rules, c.rules)
		}
	}
}

func TestLimit(t *testing.T) {
	var b bytes.Buffer
	w := NewWriter(&b, Gzip)
	for i, n := range []int{10, 5 << 20, 20} {
		w.Write(Header{{"WARC-Type", "resource"}, {"WARC-Record-ID", fmt.Sprintf("<urn:test:%d>", i)}}, bytes.Repeat([]byte("a"), n))
	}
	if ids, rules := read(t, b.Bytes(), Options{MaxRecord: 1000}); ids != "01!2" || rules != "size " {
		t.Errorf("%s %s", ids, rules)
	}
}

func TestDictionary(t *testing.T) {
	var samples [][]byte
	for i := range 200 {
		samples = append(samples, records(t, Plain, i%7+1))
	}
	dict, err := zstd.BuildDict(zstd.BuildDictOptions{ID: 7, Contents: samples, History: records(t, Plain, 3), Offsets: [3]int{1, 4, 8}})
	if err != nil {
		t.Fatal(err)
	}
	enc, err := zstd.NewWriter(nil, zstd.WithEncoderDict(dict))
	if err != nil {
		t.Fatal(err)
	}
	plain := records(t, Plain, 9)
	var frames []byte
	start := 0
	for i := range 9 {
		end := len(records(t, Plain, i+1))
		frames = append(frames, enc.EncodeAll(plain[start:end], nil)...)
		start = end
	}
	for name, content := range map[string][]byte{"as it is": dict, "compressed": []byte(zstdOf(string(dict)))} {
		head := binary.LittleEndian.AppendUint32(binary.LittleEndian.AppendUint32(nil, dictMagic), uint32(len(content)))
		b := joined(head, content, frames)
		for _, bad := range [][]byte{flipped(b, 9), b[:20], joined(head, b)} {
			if ids, rules := read(t, bad, Options{}); ids != "" || rules == "" {
				t.Errorf("dictionary %s, damaged: %s %q", name, ids, rules)
			}
		}
		if ids, rules := read(t, b, Options{}); ids != "012345678" || rules != "" {
			t.Errorf("dictionary %s: %s %s", name, ids, rules)
		}
		cuts := Cut(bytes.NewReader(b), int64(len(b)), int64(len(b)-len(frames)/2), 0)
		if len(cuts) != 1 {
			t.Fatalf("cuts %v", cuts)
		}
		a, _ := read(t, b, Options{End: cuts[0]})
		if z, _ := read(t, b, Options{Start: cuts[0]}); a == "" || z == "" || a+z != "012345678" {
			t.Errorf("dictionary %s, cut: %s and %s", name, a, z)
		}
	}
}

// TestCutPassesInnerArchives packs an archive into a record of another, where its members stand verbatim, and cuts there.
func TestCutPassesInnerArchives(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	noise := make([]byte, 3000)
	var inner, outer bytes.Buffer
	w := NewWriter(&inner, Gzip)
	for i := range 300 {
		for j := range noise {
			noise[j] = byte(rng.Uint32())
		}
		w.Write(Header{{"WARC-Type", "resource"}, {"WARC-Record-ID", fmt.Sprintf("<urn:test:inner%d>", i)}}, noise)
	}
	w = NewWriter(&outer, Gzip)
	for i := range 3 {
		w.Write(Header{{"WARC-Type", "resource"}, {"WARC-Record-ID", fmt.Sprintf("<urn:test:%d>", i)}}, inner.Bytes())
	}
	if !bytes.Contains(outer.Bytes(), inner.Bytes()[:100]) {
		t.Skip("the compressor does not store what it cannot compress")
	}
	b := outer.Bytes()
	for _, target := range []int64{1000, 100_000, 700_000} {
		var ids, rules string
		start := int64(0)
		for _, end := range append(Cut(bytes.NewReader(b), int64(len(b)), target, 0), int64(len(b))) {
			i, r := read(t, b, Options{Start: start, End: end})
			ids, rules, start = ids+i, rules+r, end
		}
		if ids != "012" || rules != "" {
			t.Errorf("cut at %d: %s %s", target, ids, rules)
		}
	}
}
