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
	"winnow/dedup/fold"
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
// stands first stays. It is one task, and its result depends on the order of the input; it is there to repeat what Dolma
// (src/deduper.rs) and DCLM (dedup/bff) did. It does not repeat their mistakes: places are bytes throughout (Dolma mixes bytes and characters), short
// paragraphs are judged too (Dolma's min_words), the filter's hash functions are fixed (Dolma's are drawn), its size is its
// number of bits (datatrove), and nothing is entered twice before it is judged (bff's naive mode).
type bloom struct{ policy }

func newBloom(p policy) (*bloom, error) {
	b := &p.o.Bloom
	least := 1.
	if p.o.Method == BFF {
		b.NGram, least = cmp.Or(b.NGram, 13), .8
	}
	b.Stride, b.Threshold = cmp.Or(b.Stride, 1), cmp.Or(b.Threshold, least)
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

// Sketch emits a record for each paragraph, which is a line, for each of its n-grams, and for the whole of it where that is what
// decides.
func (b *bloom) Sketch(d *winnow.Document, emit func(winnow.Record)) (winnow.Rank, error) {
	number := uint64(0)
	for start := 0; start < len(d.Text); number++ {
		end := lineEnd(d.Text, start)
		emit(winnow.Record{Data: [2]uint64{number << 32, place(start, end)}})
		s := strings.TrimSuffix(d.Text[start:end], "\n")
		n := uint64(0)
		for h := range b.grams(s) {
			n++
			emit(winnow.Record{Data: [2]uint64{number<<32 | n, h}})
		}
		if n < b.enough() && s != "" {
			emit(winnow.Record{Data: [2]uint64{number<<32 | whole, xxh3.HashString(s)}})
		}
		start = end
	}
	return winnow.Rank{ID: d.ID, Data: sizes(len(d.Text), len(d.Text))}, nil
}

// whole stands for an n-gram's number where the hash is that of a whole paragraph.
const whole = 1<<32 - 1

// enough is from how many n-grams on they decide; of fewer the whole paragraph does.
func (b *bloom) enough() uint64 {
	if b.o.Method == Dolma {
		return 2
	}
	return 1
}

// grams yields the hashes of a paragraph's n-grams. Dolma's begin at the words 0, 1, 1+stride, 1+2*stride and so on.
func (b *bloom) grams(s string) iter.Seq[uint64] {
	return func(yield func(uint64) bool) {
		n, step := b.o.Bloom.NGram, b.o.Bloom.Stride
		if n == 0 {
			return
		}
		words := boundaryWords(s, b.o.Method == Dolma)
		for i := 0; i+n <= len(words); {
			if !yield(xxh3.HashString(strings.Join(words[i:i+n], "\x00"))) {
				return
			}
			if i == 0 && b.o.Method == Dolma {
				i = 1
			} else {
				i += step
			}
		}
	}
}

// boundaryWords cuts words nearly as Unicode's word boundaries (UAX 29) do: runs of letters, digits and marks; a full stop or
// apostrophe between two letters or digits goes on, and so do comma and semicolon between digits. Characters of scripts without
// spaces stand alone. Where all is asked for, as Dolma does, white space and punctuation are words too.
func boundaryWords(s string, all bool) (out []string) {
	var k tokens
	k.cut(s)
	last := uint32(0)
	for i := 0; i < len(k.starts); i++ {
		start, end := k.starts[i], k.ends[i]
		for i+2 < len(k.starts) && k.starts[i+1] == end && k.starts[i+2] == k.ends[i+1] && joins(s[end:k.ends[i+1]], lastRune(s[start:end]), firstRune(s[k.starts[i+2]:])) {
			i += 2
			end = k.ends[i]
		}
		if all && start > last {
			out = append(out, s[last:start])
		}
		last = end
		if first := firstRune(s[start:]); all || word(first) || fold.IsDense(first) {
			out = append(out, s[start:end])
		}
	}
	return out
}

func firstRune(s string) rune { r, _ := utf8.DecodeRuneInString(s); return r }

func lastRune(s string) rune { r, _ := utf8.DecodeLastRuneInString(s); return r }

// joins tells whether a mark between two characters makes one word of them.
func joins(mark string, a, b rune) bool {
	digits := unicode.IsDigit(a) && unicode.IsDigit(b)
	letters := word(a) && word(b) && unicode.IsLetter(a) && unicode.IsLetter(b)
	switch mark {
	case ".", "'", "’":
		return digits || letters
	case ",", ";":
		return digits
	case ":", "·":
		return letters
	}
	return false
}

// paragraph is a paragraph of the document that is being judged.
type paragraph struct {
	start, end int
	hashes     []uint64
	whole      []uint64 // where it decides
}

// Group judges one document after the other.
func (b *bloom) Group(_ context.Context, sorted iter.Seq2[winnow.Record, error], emit func(winnow.Edge) error) error {
	f := newFilter(b.o.Bloom.Expected, b.o.Bloom.FalseRate)
	var doc []paragraph
	var id winnow.DocID
	judge := func() error {
		defer func() { doc = doc[:0] }()
		if b.o.Method == BFF {
			return b.documents(f, id, doc, emit)
		}
		for _, p := range doc {
			seen := f.meet(p.hashes)
			known := len(p.hashes) > 0 && float64(seen) >= b.o.Bloom.Threshold*float64(len(p.hashes))
			if len(p.whole) > 0 {
				known = f.meet(p.whole) == 1
			}
			if known {
				if err := emit(winnow.Edge{A: id, B: id, Start: p.start, End: p.end, From: p.start}); err != nil {
					return err
				}
			}
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
		switch uint32(r.Data[0]) {
		case 0:
			doc = append(doc, paragraph{start: int(r.Data[1] >> 32), end: int(uint32(r.Data[1]))})
		case whole:
			doc[len(doc)-1].whole = []uint64{r.Data[1]}
		default:
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

// documents judges paragraphs, then the document, as DCLM's "old-both": the document goes where enough of all its n-grams were
// known before. What stays is entered.
func (b *bloom) documents(f *filter, id winnow.DocID, doc []paragraph, emit func(winnow.Edge) error) error {
	var all []uint64
	for i := range doc {
		doc[i].hashes = append(doc[i].hashes, doc[i].whole...)
		all = append(all, doc[i].hashes...)
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
	step := fold.Mix(h) | 1
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

// meet enters the hashes one after the other, and counts those that were known when their turn came.
func (f *filter) meet(hashes []uint64) (known int) {
	for i, h := range hashes {
		if f.has(h) {
			known++
		} else {
			f.enter(hashes[i : i+1])
		}
	}
	return known
}

func (f *filter) enter(hashes []uint64) {
	for _, h := range hashes {
		step := fold.Mix(h) | 1
		for range f.k {
			at := h % f.size
			f.bits[at>>6] |= 1 << (at & 63)
			h += step
		}
	}
}
