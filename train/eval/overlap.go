package eval

import (
	"cmp"
	"iter"
	"slices"
	"unicode"
	"unicode/utf8"

	"github.com/zeebo/xxh3"

	"winnow/train/rows"
)

// Item is a text to evaluate on, as it is looked for in training texts.
type Item struct{ Set, Text string }

// Overlap is how much of a set of items stands in training texts. Words are runs of letters or digits, without case; each
// character of Han, Kana and Hangul is one word; everything else is a gap.
type Overlap struct {
	Set       string   `json:"set"`
	N         int      `json:"n"`         // words of an n-gram
	Items     Rate     `json:"items"`     // those of which at least one n-gram was seen
	Grams     Rate     `json:"grams"`     // different n-grams of the set that were seen
	Short     int      `json:"short"`     // items of fewer than N words that were looked for whole (MinWords at least)
	TooShort  int      `json:"too_short"` // items of fewer than MinWords words: not judged
	Documents []string `json:"documents"` // some training documents that hold one, in order
}

// MinWords is how long an item must be to be looked for at all.
const MinWords = 5

// DefaultWords is the length of n-grams where none is asked for, as in GPT-3's report (Brown et al. 2020, appendix C).
const DefaultWords = 13

const shownDocuments = 5

// FindOverlap looks for the items of each set in training texts, by n-grams of n words (0: DefaultWords). An item shorter than
// that is looked for whole. The first result is all sets, where there are several.
func FindOverlap(items []Item, train iter.Seq2[rows.Document, error], n int) ([]Overlap, error) {
	n = cmp.Or(n, DefaultWords)
	x := newItemIndex(items, n)
	for d, err := range train {
		if err != nil {
			return nil, err
		}
		x.look(d)
	}
	return x.results(), nil
}

// itemIndex holds the hashes of all n-grams of all items.
type itemIndex struct {
	n       int
	items   []Item
	lengths []int              // of n-grams that there are, rising
	grams   map[uint64][]int32 // hash -> items
	seen    map[uint64]bool
	count   []int               // words of each item
	docs    map[string][]string // by set
	first   []string            // documents of any set
	power   []uint64            // of the hash's base
	hashes  []uint64
}

// base of the polynomial hash of words, modulo 2^64.
const base = 0x9e3779b97f4a7c15

func newItemIndex(items []Item, n int) *itemIndex {
	x := &itemIndex{n: n, items: items, grams: map[uint64][]int32{}, seen: map[uint64]bool{}, count: make([]int, len(items)), docs: map[string][]string{}}
	x.power = make([]uint64, n+1)
	x.power[0] = 1
	for i := range n {
		x.power[i+1] = x.power[i] * base
	}
	has := map[int]bool{}
	for i, item := range items {
		x.words(item.Text)
		count := len(x.hashes) - 1
		length := min(n, count)
		x.count[i] = count
		if count < min(n, MinWords) {
			continue
		}
		has[length] = true
		for at := 0; at+length <= count; at++ {
			h := x.gram(at, length)
			if list := x.grams[h]; len(list) == 0 || list[len(list)-1] != int32(i) {
				x.grams[h] = append(list, int32(i))
			}
		}
	}
	for length := range has {
		x.lengths = append(x.lengths, length)
	}
	slices.Sort(x.lengths)
	return x
}

// words leaves in hashes the polynomial hash of each number of words from the text's beginning.
func (x *itemIndex) words(text string) {
	x.hashes = append(x.hashes[:0], 0)
	var word [128]byte
	n := 0
	end := func() {
		if n > 0 {
			x.hashes = append(x.hashes, x.hashes[len(x.hashes)-1]*base+xxh3.Hash(word[:n]))
			n = 0
		}
	}
	for _, r := range text {
		switch {
		case r < 0x80 && (r >= 'a' && r <= 'z' || r >= '0' && r <= '9'):
		case r >= 'A' && r <= 'Z':
			r += 'a' - 'A'
		case r < 0x80:
			end()
			continue
		case unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul):
			end()
			n = utf8.EncodeRune(word[:], r)
			end()
			continue
		case unicode.IsLetter(r), unicode.IsDigit(r), unicode.IsMark(r):
			r = unicode.ToLower(r)
		default:
			end()
			continue
		}
		if n+utf8.UTFMax > len(word) {
			end()
		}
		n += utf8.EncodeRune(word[n:], r)
	}
	end()
}

// gram is the hash of length words from at on; lengths differ in their hashes.
func (x *itemIndex) gram(at, length int) uint64 {
	return (x.hashes[at+length] - x.hashes[at]*x.power[length]) ^ uint64(length)<<58
}

// look marks the n-grams of a training text.
func (x *itemIndex) look(d rows.Document) {
	x.words(d.Text)
	for _, length := range x.lengths {
		for at := 0; at+length < len(x.hashes); at++ {
			h := x.gram(at, length)
			list, ok := x.grams[h]
			if !ok {
				continue
			}
			x.seen[h] = true
			if len(x.first) < shownDocuments && !slices.Contains(x.first, d.ID) {
				x.first = append(x.first, d.ID)
			}
			for _, i := range list {
				set := x.items[i].Set
				if docs := x.docs[set]; len(docs) < shownDocuments && !slices.Contains(docs, d.ID) {
					x.docs[set] = append(docs, d.ID)
				}
			}
		}
	}
}

// tally is what is counted for one set.
type tally struct {
	short, tooShort, items, hit, grams, gramsHit int
}

func (x *itemIndex) results() []Overlap {
	hit := make([]bool, len(x.items))
	all, sets := &tally{}, map[string]*tally{}
	var names []string
	for _, item := range x.items {
		if sets[item.Set] == nil {
			sets[item.Set] = &tally{}
			names = append(names, item.Set)
		}
	}
	for h, list := range x.grams {
		in := map[*tally]bool{all: true}
		for _, i := range list {
			hit[i] = hit[i] || x.seen[h]
			in[sets[x.items[i].Set]] = true
		}
		for t := range in {
			t.grams++
			if x.seen[h] {
				t.gramsHit++
			}
		}
	}
	for i, item := range x.items {
		for _, t := range []*tally{all, sets[item.Set]} {
			t.add(x.count[i], x.n, hit[i])
		}
	}
	row := func(name string, t *tally, docs []string) Overlap {
		return Overlap{name, x.n, NewRate(t.hit, t.items), NewRate(t.gramsHit, t.grams), t.short, t.tooShort, docs}
	}
	var out []Overlap
	if len(names) > 1 {
		out = append(out, row("all", all, x.first))
	}
	for _, name := range names {
		out = append(out, row(name, sets[name], x.docs[name]))
	}
	return out
}

// add counts an item of so many words.
func (t *tally) add(words, n int, hit bool) {
	if words < min(n, MinWords) {
		t.tooShort++
		return
	}
	if words < n {
		t.short++
	}
	t.items++
	if hit {
		t.hit++
	}
}
