package fasttext

import (
	"math/bits"
	"strings"
)

// modulus divides 32-bit numbers by one divisor with two multiplications (Lemire, Kaser and Kurz 2019).
type modulus struct {
	inverse uint64
	divisor uint32
}

func newModulus(divisor uint32) modulus {
	if divisor == 0 {
		return modulus{}
	}
	return modulus{^uint64(0)/uint64(divisor) + 1, divisor}
}

func (m modulus) of(h uint32) uint32 {
	high, _ := bits.Mul64(m.inverse*uint64(h), uint64(m.divisor))
	return uint32(high)
}

// features are the rows of the input matrix that a line is the mean of.
type features struct {
	rows   []int32
	hashes []uint32 // of the line's words
	framed []byte   // a word between < and >
}

// separator tells the bytes that end a token.
func separator(c byte) bool { return c <= ' ' && (c == ' ' || c >= '\t' && c <= '\r' || c == 0) }

// line lists the features of s up to its first LF, and of the end of line.
func (m *Model) line(f *features, s string) {
	f.rows, f.hashes = f.rows[:0], f.hashes[:0]
	i, ended := 0, false
	for i < len(s) && !ended {
		if c := s[i]; separator(c) {
			if c == '\n' {
				break
			}
			i++
			continue
		}
		start, h := i, uint32(2166136261)
		for i < len(s) && !separator(s[i]) {
			h = (h ^ uint32(int8(s[i]))) * 16777619
			i++
		}
		ended = m.token(f, s[start:i], h)
	}
	if !ended {
		m.token(f, endOfLine, m.endHash)
	}
	m.wordGrams(f)
}

// token adds a token's features, and tells whether it is the end of line, which a text may spell out.
func (m *Model) token(f *features, token string, h uint32) (end bool) {
	id := m.dict.slots[m.dict.find(token, h)].id
	end = token == endOfLine
	switch {
	case id >= 0 && !m.dict.isWord[id], id < 0 && strings.HasPrefix(token, labelPrefix):
		return end // a label
	case id >= 0:
		f.rows = append(f.rows, id)
	}
	if m.args.MaxN > 0 && !end {
		m.characterGrams(f, token)
	}
	f.hashes = append(f.hashes, h)
	return end
}

// characterGrams adds the n-grams of <token> in UTF-8 characters, minn to maxn long, but for the lone < and >.
func (m *Model) characterGrams(f *features, token string) {
	f.framed = append(append(append(f.framed[:0], '<'), token...), '>')
	word, shortest, longest := f.framed, int(m.args.MinN), int(m.args.MaxN)
	for i := range word {
		if word[i]&0xc0 == 0x80 {
			continue
		}
		h := uint32(2166136261)
		for j, n := i, 1; j < len(word) && n <= longest; n++ {
			h = (h ^ uint32(int8(word[j]))) * 16777619
			for j++; j < len(word) && word[j]&0xc0 == 0x80; j++ {
				h = (h ^ uint32(int8(word[j]))) * 16777619
			}
			if n >= shortest && (n > 1 || i > 0 && j < len(word)) {
				m.bucket(f, m.modulus.of(h))
			}
		}
	}
}

// wordGrams adds the n-grams of words, from pairs to wordNgrams. Hashes are extended by their sign.
func (m *Model) wordGrams(f *features) {
	n := int(m.args.WordNgrams)
	if n < 2 {
		return
	}
	buckets := uint64(m.args.Bucket)
	for i, first := range f.hashes {
		h := uint64(int64(int32(first)))
		for _, next := range f.hashes[i+1 : min(i+n, len(f.hashes))] {
			h = h*116049371 + uint64(int64(int32(next)))
			m.bucket(f, uint32(h%buckets))
		}
	}
}

func (m *Model) bucket(f *features, b uint32) {
	if m.dict.pruned == nil {
		f.rows = append(f.rows, int32(m.dict.words)+int32(b))
		return
	}
	if row := m.dict.pruned.get(int32(b)); row >= 0 {
		f.rows = append(f.rows, int32(m.dict.words)+row)
	}
}
