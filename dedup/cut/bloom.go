package cut

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"math"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/zeebo/xxh3"

	"winnow"
	"winnow/text"
)

// Bloom is what the compatibility modes dolma and bff take. The zero value of each field stands for its default.
type Bloom struct {
	NGram     int     // words in an n-gram; dolma: 0, whole paragraphs; bff: 13
	Stride    int     // dolma: words from one n-gram to the next; 1
	Threshold float64 // share of an n-gram's paragraph (bff: and document) that must be known for it to go; dolma 1, bff 0.8
	Expected  int64   // hashes that the filter is laid out for; 10 million
	FalseRate float64 // share of unknown hashes that it takes for known then; 0.01
}

// bloom removes paragraphs (and, as bff, documents) whose n-grams a Bloom filter has seen, in the order of the input: what
// stands first stays. It is one task, and its result depends on the order of the input; it is there to repeat what Dolma and
// DCLM did. It does not repeat their mistakes: places are bytes throughout (Dolma mixes bytes and characters), short
// paragraphs are judged too (Dolma's min_words), the filter's hash functions are fixed (Dolma's are drawn), its size is its
// number of bits (datatrove), and nothing is entered twice before it is judged (bff's naive mode).
type bloom struct{ policy }

func newBloom(p policy) (*bloom, error) {
	b := &p.o.Bloom
	whole := 1.
	if p.o.Method == BFF {
		b.NGram, whole = cmp.Or(b.NGram, 13), .8
	}
	b.Stride, b.Threshold = cmp.Or(b.Stride, 1), cmp.Or(b.Threshold, whole)
	b.Expected, b.FalseRate = cmp.Or(b.Expected, 10_000_000), cmp.Or(b.FalseRate, .01)
	if b.NGram < 0 || b.Stride < 1 || b.Threshold < 0 || b.Threshold > 1 || b.Expected < 1 || b.FalseRate <= 0 || b.FalseRate >= 1 {
		return nil, fmt.Errorf("dedup: %s: ngram %d, stride %d, threshold %g, expected %d, false_rate %g: out of range", p.o.Method, b.NGram, b.Stride, b.Threshold, b.Expected, b.FalseRate)
	}
	return &bloom{p}, nil
}

// Version names the code and the parameters.
func (b *bloom) Version() string {
	o := b.o.Bloom
	return fmt.Sprintf("%s threshold=%g expected=%d rate=%g %s", b.Layout().Records, o.Threshold, o.Expected, o.FalseRate, b.version())
}

// Layout has one key for all records: they come in the order of the input. Data[0] is the paragraph's number, with 0 for its
// place or the n-gram's number from 1; Data[1] the place, or the n-gram's hash.
func (b *bloom) Layout() winnow.Layout {
	return winnow.Layout{Records: fmt.Sprintf("%s/1 ngram=%d stride=%d", b.o.Method, b.o.Bloom.NGram, b.o.Bloom.Stride), Partitions: 1, Keys: 1, Data: 2, Cuts: true}
}

// Sketch emits a record for each paragraph, which is a line, and for each of its n-grams.
func (b *bloom) Sketch(d *winnow.Document, emit func(winnow.Record)) (winnow.Rank, error) {
	number := uint64(0)
	for start := 0; start < len(d.Text); number++ {
		end := lineEnd(d.Text, start)
		emit(winnow.Record{Data: [2]uint64{number << 32, place(start, end)}})
		n := number << 32
		for h := range b.grams(strings.TrimSuffix(d.Text[start:end], "\n")) {
			n++
			emit(winnow.Record{Data: [2]uint64{n, h}})
		}
		start = end
	}
	return winnow.Rank{ID: d.ID, Data: sizes(len(d.Text), len(d.Text))}, nil
}

// grams yields the hashes of a paragraph's n-grams; that of the whole paragraph where it is shorter, or no n-grams are asked for.
func (b *bloom) grams(s string) iter.Seq[uint64] {
	return func(yield func(uint64) bool) {
		n := b.o.Bloom.NGram
		var words []string
		if n > 0 {
			words = boundaryWords(s)
		}
		if n == 0 || len(words) < n {
			if s != "" {
				yield(xxh3.HashString(s))
			}
			return
		}
		for i := 0; i+n <= len(words); i += b.o.Bloom.Stride {
			if !yield(xxh3.HashString(strings.Join(words[i:i+n], " "))) {
				return
			}
		}
	}
}

// boundaryWords cuts words nearly as Unicode's word boundaries (UAX 29) do: runs of letters, digits and marks, with an
// apostrophe or full stop between two of them. Characters of scripts without spaces stand alone.
func boundaryWords(s string) (out []string) {
	var k tokens
	k.cut(s)
	joined := -1
	for i := range k.starts {
		start, end := int(k.starts[i]), int(k.ends[i])
		r, _ := utf8.DecodeRuneInString(s[start:end])
		if !unicode.IsLetter(r) && !unicode.IsNumber(r) && !unicode.IsMark(r) {
			joined = -1
			if between := s[start:end]; (between == "'" || between == "’" || between == ".") && len(out) > 0 && i > 0 && int(k.ends[i-1]) == start {
				joined = end
			}
			continue
		}
		if joined == start && !text.IsHan(r) {
			last := out[len(out)-1]
			out[len(out)-1] = last + s[joined-1:end]
		} else {
			out = append(out, s[start:end])
		}
		joined = -1
	}
	return out
}

// paragraph is a paragraph of the document that is being judged.
type paragraph struct {
	start, end int
	hashes     []uint64
}

// Group judges one document after the other.
func (b *bloom) Group(_ context.Context, sorted iter.Seq2[winnow.Record, error], emit func(winnow.Edge) error) error {
	f := newFilter(b.o.Bloom.Expected, b.o.Bloom.FalseRate)
	var doc []paragraph
	var id winnow.DocID
	judge := func() error {
		defer func() { doc = doc[:0] }()
		if b.o.Method == BFF {
			return b.whole(f, id, doc, emit)
		}
		for _, p := range doc {
			if b.known(f, p.hashes) {
				if err := emit(winnow.Edge{A: id, B: id, Start: p.start, End: p.end, From: p.start}); err != nil {
					return err
				}
			}
			f.enter(p.hashes)
		}
		return nil
	}
	for r, err := range sorted {
		if err != nil {
			return err
		}
		if r.Doc != id && len(doc) > 0 {
			if err := judge(); err != nil {
				return err
			}
		}
		id = r.Doc
		if uint32(r.Data[0]) == 0 {
			doc = append(doc, paragraph{start: int(r.Data[1] >> 32), end: int(uint32(r.Data[1]))})
		} else {
			last := &doc[len(doc)-1]
			last.hashes = append(last.hashes, r.Data[1])
		}
	}
	return judge()
}

// known tells whether enough of the hashes have been seen.
func (b *bloom) known(f *filter, hashes []uint64) bool {
	return len(hashes) > 0 && float64(f.count(hashes)) >= b.o.Bloom.Threshold*float64(len(hashes))
}

// whole judges paragraphs, then the document, as DCLM's "old-both": the document goes where enough of all its n-grams were
// known before. What stays is entered.
func (b *bloom) whole(f *filter, id winnow.DocID, doc []paragraph, emit func(winnow.Edge) error) error {
	var all []uint64
	for _, p := range doc {
		all = append(all, p.hashes...)
	}
	if len(doc) > 0 && b.known(f, all) {
		return emit(winnow.Edge{A: id, B: id, End: doc[len(doc)-1].end})
	}
	for _, p := range doc {
		if b.known(f, p.hashes) {
			if err := emit(winnow.Edge{A: id, B: id, Start: p.start, End: p.end, From: p.start}); err != nil {
				return err
			}
			continue
		}
		f.enter(p.hashes)
	}
	return nil
}

// filter is a Bloom filter (Bloom 1970) over 64-bit hashes, with two hash functions made into k (Kirsch and Mitzenmacher 2006).
type filter struct {
	bits []uint64
	size uint64 // in bits
	k    int
}

// newFilter makes a filter of -n ln(p) / ln(2)^2 bits.
func newFilter(n int64, p float64) *filter {
	size := math.Ceil(-float64(n) * math.Log(p) / (math.Ln2 * math.Ln2))
	words := uint64(size)/64 + 1
	return &filter{make([]uint64, words), 64 * words, max(1, int(math.Round(size/float64(n)*math.Ln2)))}
}

func (f *filter) has(h uint64) bool {
	step := mix(h) | 1
	for range f.k {
		if at := h % f.size; f.bits[at>>6]>>(at&63)&1 == 0 {
			return false
		}
		h += step
	}
	return true
}

func (f *filter) count(hashes []uint64) (n int) {
	for _, h := range hashes {
		if f.has(h) {
			n++
		}
	}
	return n
}

func (f *filter) enter(hashes []uint64) {
	for _, h := range hashes {
		step := mix(h) | 1
		for range f.k {
			at := h % f.size
			f.bits[at>>6] |= 1 << (at & 63)
			h += step
		}
	}
}
