package cut

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"unicode/utf8"

	"winnow"
	"winnow/dedup/fold"
)

func TestBloom(t *testing.T) {
	long := "one two three four five six seven eight nine ten eleven twelve thirteen fourteen"
	for _, c := range []struct {
		name     string
		o        Options
		in, want []string
	}{
		{"paragraphs", Options{Method: Dolma}, []string{"menu\nsame line\nx", "menu\ny"}, []string{"menu\nsame line\nx", "y"}},
		{"the order of the input decides", Options{Method: Dolma}, []string{"menu\ny", "menu\nsame line\nx"}, []string{"menu\ny", "same line\nx"}},
		{"within one text", Options{Method: Dolma}, []string{"a\nb\na"}, []string{"a\nb\n"}},
		{"n-grams", Options{Method: Dolma, Bloom: Bloom{NGram: 3, Threshold: .5}}, []string{long, "zero " + long + "\nshort one"}, []string{long, "short one"}},
		{"bff takes most of it", Options{Method: BFF}, []string{long + " tail", long + " tail\nall that is new stands here"}, []string{long + " tail", "all that is new stands here"}},
		{"bff takes the document", Options{Method: BFF}, []string{long + " tail", long + " tail"}, []string{long + " tail", "-"}},
		{"bff does not know a document by itself", Options{Method: BFF}, []string{long + "\n" + long}, []string{long + "\n"}},
	} {
		c.o.Bloom.Expected = 1000
		if got := after(t, mustNew(t, c.o), texts(c.in...), 1<<20); !slices.Equal(got, c.want) {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}

func TestFilter(t *testing.T) {
	const n = 20000
	f := newFilter(n, .01)
	if got := float64(f.size) / n; got < 9.58 || got > 9.6 || f.k != 7 {
		t.Errorf("%.2f bits for each hash and %d functions, want 9.59 and 7", got, f.k)
	}
	var in, out []uint64
	for i := range uint64(n) {
		in, out = append(in, fold.Mix(i)), append(out, fold.Mix(i+n))
	}
	f.enter(in)
	if f.count(in) != n {
		t.Error("a hash that was entered is not known")
	}
	if wrong := f.count(out); wrong > n*13/1000 {
		t.Errorf("%d of %d unknown hashes are taken for known", wrong, n)
	}
}

func gunzipped[T any](t *testing.T, path string) (all []T) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	in := bufio.NewScanner(z)
	in.Buffer(nil, 16<<20)
	for in.Scan() {
		var x T
		if err := json.Unmarshal(in.Bytes(), &x); err != nil {
			t.Fatal(err)
		}
		all = append(all, x)
	}
	return all
}

// The inputs and outputs of Dolma's own tests of its deduper. Its places are code points, of lines with their line ends, and so
// are compared with ours after conversion. Its filter by n-grams is given 6 words, a stride of 3 and a share of one half.
func TestDolmasOwnTests(t *testing.T) {
	dir := os.Getenv("WINNOW_DATA")
	if dir == "" {
		t.Skip("WINNOW_DATA is not set: no real data to test with")
	}
	dir = filepath.Join(dir, "dedup", "dolma_io")
	type document struct{ ID, Text string }
	type spans struct {
		ID         string
		Attributes struct {
			Spans [][3]float64 `json:"bff_duplicate_paragraph_spans"`
		}
	}
	docs := gunzipped[document](t, filepath.Join(dir, "provided", "deduper", "documents", "000.json.gz"))
	for _, c := range []struct {
		file  string
		bloom Bloom
		more  int // documents of which ours may cut more
	}{
		{"dedupe-paragraphs", Bloom{Expected: 1000, FalseRate: .001}, 0},
		{"dedupe-paragraph-ngrams", Bloom{Expected: 100_000, FalseRate: .001, NGram: 6, Stride: 3, Threshold: .5}, 4},
	} {
		var in []*winnow.Document
		for _, d := range docs {
			in = append(in, &winnow.Document{ID: d.ID, Text: d.Text})
		}
		out := outcomes(t, mustNew(t, Options{Method: Dolma, Bloom: c.bloom}), in, 1<<20)
		total, more := 0, 0
		for i, want := range gunzipped[spans](t, filepath.Join(dir, "expected", c.file+".json.gz")) {
			if want.ID != docs[i].ID {
				t.Fatalf("%s: document %s, want %s", c.file, docs[i].ID, want.ID)
			}
			expected, got := make([]bool, len(docs[i].Text)), make([]bool, len(docs[i].Text))
			for _, s := range want.Attributes.Spans {
				total++
				mark(expected, byteAt(docs[i].Text, int(s[0])), byteAt(docs[i].Text, int(s[1])))
			}
			for _, e := range out[i].Edits {
				mark(got, e.Start, e.End)
			}
			for at := range got {
				if expected[at] && !got[at] {
					t.Fatalf("%s: %s: byte %d is Dolma's alone: ours %v, Dolma's %v", c.file, want.ID, at, out[i].Edits, want.Attributes.Spans)
				}
			}
			if !slices.Equal(got, expected) {
				more++
				t.Logf("%s: %s: more than Dolma's expectation: %v", c.file, want.ID, out[i].Edits)
			}
		}
		if more > c.more {
			t.Errorf("%s: %d documents with more cut than Dolma expects", c.file, more)
		}
		if total == 0 {
			t.Errorf("%s: no spans expected", c.file)
		}
		t.Logf("%s: %d documents, all of %d spans", c.file, len(docs), total)
	}
}

func mark(bytes []bool, start, end int) {
	for at := start; at < end; at++ {
		bytes[at] = true
	}
}

// byteAt is the byte at which a code point begins.
func byteAt(s string, point int) int {
	at := 0
	for ; point > 0 && at < len(s); point-- {
		_, n := utf8.DecodeRuneInString(s[at:])
		at += n
	}
	return at
}
