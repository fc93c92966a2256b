package bpe

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Sizes of the cache of pre-tokens: 2^cacheBits entries of one cache line, direct-mapped.
const (
	cacheBits = 14
	cacheKey  = 24 // longest pre-token in it, bytes
	cacheIDs  = 9  // most ids of one
)

// entry is a pre-token and its ids. Its length tells "a" from "a\x00"; length 0: empty.
type entry struct {
	key    [3]uint64
	length uint8
	n      uint8
	ids    [cacheIDs]int32
}

// encoder is what one call of Encode writes to.
type encoder struct {
	cache []entry
	ids   [maxShort]int32
	ranks [maxShort]uint32
	long  long
}

func newEncoder() *encoder { return &encoder{cache: make([]entry, 1<<cacheBits)} }

// Encode appends the ids of a text to dst. Special tokens written in the text are text; added tokens that are not special
// (runs of spaces, say) are found, as the model that has them expects.
func (t *Tokenizer) Encode(dst []int32, text string) []int32 { return t.encode(dst, text, t.always) }

// EncodeMarked is Encode, but special tokens written in the text become their ids. For templates and for comparison with
// others, never for text of unknown origin.
func (t *Tokenizer) EncodeMarked(dst []int32, text string) []int32 {
	return t.encode(dst, text, t.marked)
}

func (t *Tokenizer) encode(dst []int32, text string, m *matcher) []int32 {
	e := t.encoders.Get().(*encoder)
	defer t.encoders.Put(e)
	if t.unicode {
		text = strings.ToValidUTF8(text, "\uFFFD")
	}
	if m.none() && !t.nfc {
		return t.plain(e, dst, text)
	}
	m.cut(text, false, func(part string, id int32) { // first those that are looked for in the text as it is
		if id >= 0 {
			dst = append(dst, id)
			return
		}
		if t.nfc {
			part = norm.NFC.String(part)
		}
		m.cut(part, true, func(part string, id int32) {
			if id >= 0 {
				dst = append(dst, id)
				return
			}
			dst = t.plain(e, dst, part)
		})
	})
	return dst
}

// plain encodes text without added tokens.
func (t *Tokenizer) plain(e *encoder, dst []int32, text string) []int32 {
	next, classes := t.splitter.next, t.splitter.classes
	for i := 0; i < len(text); {
		end := next(classes, text, i)
		n := end - i
		switch {
		case n == 1:
			dst = append(dst, t.byteID[text[i]])
		case n <= cacheKey:
			dst = t.cached(e, dst, text, i, end)
		default:
			dst = t.piece(e, dst, text[i:end])
		}
		i = end
	}
	return dst
}

// cached encodes the pre-token text[i:end] of 2 to cacheKey bytes by the cache.
func (t *Tokenizer) cached(e *encoder, dst []int32, text string, i, end int) []int32 {
	n := end - i
	a, b, c := load(text, i, n), uint64(0), uint64(0)
	if n > 8 {
		b = load(text, i+8, n-8)
		if n > 16 {
			c = load(text, i+16, n-16)
		}
	}
	h := a*0x9E3779B97F4A7C15 ^ b*0xC2B2AE3D27D4EB4F ^ c*0x165667B19E3779F9
	h = (h ^ h>>29) * 0xBF58476D1CE4E5B9
	x := &e.cache[h>>(64-cacheBits)]
	if x.key == [3]uint64{a, b, c} && int(x.length) == n {
		return append(dst, x.ids[:x.n]...)
	}
	from := len(dst)
	dst = t.piece(e, dst, text[i:end])
	if made := dst[from:]; len(made) <= cacheIDs {
		x.key, x.length, x.n = [3]uint64{a, b, c}, uint8(n), uint8(len(made))
		copy(x.ids[:], made)
	}
	return dst
}

// piece encodes a pre-token of 2 bytes or more.
func (t *Tokenizer) piece(e *encoder, dst []int32, s string) []int32 {
	if t.whole != nil {
		if id, ok := t.whole[s]; ok {
			return append(dst, id)
		}
	}
	if len(s) <= maxShort {
		return t.mergeShort(e, dst, s)
	}
	return t.mergeLong(&e.long, dst, s)
}

// load gives up to eight of the n bytes from i, the first lowest, zeros after the last.
func load(s string, i, n int) uint64 {
	if i+8 <= len(s) {
		b := s[i : i+8]
		v := uint64(b[0]) | uint64(b[1])<<8 | uint64(b[2])<<16 | uint64(b[3])<<24 | uint64(b[4])<<32 | uint64(b[5])<<40 | uint64(b[6])<<48 | uint64(b[7])<<56
		if n < 8 {
			v &= 1<<(8*n&63) - 1
		}
		return v
	}
	v := uint64(0)
	for k := min(n, 8) - 1; k >= 0; k-- {
		v = v<<8 | uint64(s[i+k])
	}
	return v
}

// matcher finds added tokens in text: the leftmost, and of those that begin there the longest, as tokenizers does.
type matcher struct {
	raw, normal passOf // looked for before and after normalisation
}

// passOf is the tokens of one pass, by first byte, the longest first.
type passOf struct {
	first [256][]Added
	any   bool
}

func newMatcher(added []Added, want func(Added) bool) *matcher {
	m := &matcher{}
	for _, a := range added {
		if !want(a) {
			continue
		}
		p := &m.raw
		if a.Normalized {
			p = &m.normal
		}
		p.any = true
		p.first[a.Content[0]] = append(p.first[a.Content[0]], a)
	}
	for _, p := range []*passOf{&m.raw, &m.normal} {
		for _, list := range p.first {
			slices.SortStableFunc(list, func(a, b Added) int { return len(b.Content) - len(a.Content) })
		}
	}
	return m
}

func (m *matcher) none() bool { return !m.raw.any && !m.normal.any }

// cut gives the parts of a text in order: those between added tokens with id -1, and the tokens with their ids.
func (m *matcher) cut(text string, normalized bool, emit func(part string, id int32)) {
	p := &m.raw
	if normalized {
		p = &m.normal
	}
	if !p.any {
		if text != "" {
			emit(text, -1)
		}
		return
	}
	begin := 0 // of the text not given out yet
	for i := 0; i < len(text); {
		a, ok := p.at(text, i)
		if !ok {
			i++
			continue
		}
		from, to := i, i+len(a.Content)
		i = to
		if a.SingleWord && touched(text, from, to) {
			continue
		}
		if a.LStrip {
			for from > begin {
				r, n := utf8.DecodeLastRuneInString(text[begin:from])
				if !unicode.IsSpace(r) {
					break
				}
				from -= n
			}
		}
		if a.RStrip {
			for to < len(text) {
				r, n := utf8.DecodeRuneInString(text[to:])
				if !unicode.IsSpace(r) {
					break
				}
				to += n
			}
		}
		if from > begin {
			emit(text[begin:from], -1)
		}
		emit(text[from:to], a.ID)
		begin, i = to, to
	}
	if begin < len(text) {
		emit(text[begin:], -1)
	}
}

// at gives the longest token that begins at i.
func (p *passOf) at(text string, i int) (Added, bool) {
	for k := range p.first[text[i]] {
		a := &p.first[text[i]][k]
		if n := len(a.Content); n <= len(text)-i && text[i:i+n] == a.Content {
			return *a, true
		}
	}
	return Added{}, false
}

// touched reports whether a word character stands right before from or right after to.
func touched(text string, from, to int) bool {
	before, _ := utf8.DecodeLastRuneInString(text[:from])
	after, _ := utf8.DecodeRuneInString(text[to:])
	return from > 0 && isWord(before) || to < len(text) && isWord(after)
}

func isWord(r rune) bool {
	return r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r)
}
