// Package fold reduces texts to what comparisons look at. A text flows in; words in lower case without punctuation, accents
// and the values of numbers flow out, or what datatrove's simplify_text makes of it.
package fold

import (
	"bytes"
	"slices"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/language"
	"golang.org/x/text/unicode/norm"

	"winnow/text"
)

// Text is a text reduced to what shingles compare. It follows datatrove's simplify_text: lower case, every number made
// 0, all that is neither letter nor digit made a space, accents (category Mn) removed after canonical decomposition. It
// differs in that characters of scripts without spaces stand alone, as words do, and Hangul stays composed.
type Text struct {
	Buf   []byte // words, separated by single spaces
	Words int
	Dense int // words that are one character of a script without spaces
}

// Fold makes f the folded form of s, keeping f's memory.
func (f *Text) Fold(s string) {
	f.Buf, f.Words, f.Dense = f.Buf[:0], 0, 0
	open := false // a word is being written
	for i := 0; i < len(s); {
		c := s[i]
		if c < utf8.RuneSelf {
			lower := asciiLower[c]
			if lower == 0 {
				open = false
				i++
				continue
			}
			if !open {
				f.start()
				open = true
			}
			if lower == '0' {
				i = number(s, i)
				f.Buf = append(f.Buf, lower)
				continue
			}
			i = f.ascii(s, i)
			continue
		}
		if c >= 0xe4 && c <= 0xe9 && i+2 < len(s) && f.han(c, s[i+1], s[i+2]) {
			open = false
			i += 3
			continue
		}
		r, n := utf8.DecodeRuneInString(s[i:])
		switch {
		case IsDense(r):
			f.start()
			f.Dense++
			f.letters(r)
			open = false
		case unicode.IsDigit(r):
			n = number(s, i) - i
			if !open {
				f.start()
			}
			f.Buf = append(f.Buf, '0')
			open = true
		case unicode.Is(unicode.Mn, r):
		case unicode.IsLetter(r), unicode.IsMark(r), unicode.IsNumber(r):
			if !open {
				f.start()
			}
			f.letters(unicode.ToLower(r))
			open = true
		default:
			open = false
		}
		i += n
	}
}

// han appends a character of the block that most of Han is in, without decoding; false for others.
func (f *Text) han(a, b, c byte) bool {
	r := rune(a&15)<<12 | rune(b&63)<<6 | rune(c&63)
	if r < 0x4e00 || r > 0x9fff || b&0xc0 != 0x80 || c&0xc0 != 0x80 {
		return false
	}
	f.start()
	f.Dense++
	f.Buf = append(f.Buf, a, b, c)
	return true
}

// ascii appends a run of ASCII letters in lower case, and gives where it ends.
func (f *Text) ascii(s string, i int) int {
	f.Buf = slices.Grow(f.Buf, 16)
	for i < len(s) {
		at := len(f.Buf)
		room := f.Buf[at:cap(f.Buf)]
		run := s[i:min(len(s), i+len(room))]
		n := 0
		for n < len(run) && n < len(room) && run[n] < utf8.RuneSelf && asciiLower[run[n]] > '0' {
			room[n] = asciiLower[run[n]]
			n++
		}
		f.Buf = f.Buf[:at+n]
		if i += n; n < len(run) {
			return i
		}
		f.Buf = slices.Grow(f.Buf, 64)
	}
	return i
}

// start begins a word.
func (f *Text) start() {
	if f.Words++; f.Words > 1 {
		f.Buf = append(f.Buf, ' ')
	}
}

// letters appends the canonical decomposition of r without its accents.
func (f *Text) letters(r rune) {
	if r >= 0x4e00 && r <= 0x9fff {
		f.Buf = utf8.AppendRune(f.Buf, r)
		return
	}
	at := len(f.Buf)
	f.Buf = utf8.AppendRune(f.Buf, r)
	parts := norm.NFD.Properties(f.Buf[at:]).Decomposition()
	if parts == nil {
		return
	}
	f.Buf = f.Buf[:at]
	for i := 0; i < len(parts); {
		p, n := utf8.DecodeRune(parts[i:])
		if !unicode.Is(unicode.Mn, p) {
			f.Buf = append(f.Buf, parts[i:i+n]...)
		}
		i += n
	}
}

// asciiLower is the folded form of an ASCII character; 0 where it separates words.
var asciiLower = func() (t [256]byte) {
	for c := byte('a'); c <= 'z'; c++ {
		t[c], t[c-'a'+'A'] = c, c
	}
	for c := '0'; c <= '9'; c++ {
		t[c] = '0'
	}
	return t
}()

// number finds the end of the number that begins at s[i]: digits and, after one separator, more digits. As in
// simplify_text only one separator is taken, so that 1.2.3 is two numbers.
func number(s string, i int) int {
	i = digits(s, i)
	r, n := utf8.DecodeRuneInString(s[i:])
	switch r {
	case '.', ',', '،', '٫', '⎖', '⎗', '⎘':
		if end := digits(s, i+n); end > i+n {
			return end
		}
	}
	return i
}

func digits(s string, i int) int {
	for i < len(s) {
		r, n := utf8.DecodeRuneInString(s[i:])
		if !unicode.IsDigit(r) {
			break
		}
		i += n
	}
	return i
}

// IsDense tells whether r belongs to a script that is written without spaces between words.
func IsDense(r rune) bool {
	switch {
	case r < 0x0e00:
		return false
	case r >= 0x4e00 && r <= 0x9fff:
		return true
	}
	return text.IsHan(r) || text.IsKana(r) ||
		unicode.IsLetter(r) && unicode.In(r, unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar)
}

// Compact takes the spaces out, for text whose unit is the character.
func (f *Text) Compact() {
	kept := f.Buf[:0]
	for _, c := range f.Buf {
		if c != ' ' {
			kept = append(kept, c)
		}
	}
	f.Buf = kept
}

// Simplify makes f what datatrove's simplify_text makes of s: lower case, numbers made 0, punctuation made spaces, white space
// made one space each, then canonical decomposition without accents, Hangul left decomposed. Words and Dense are not set.
func (f *Text) Simplify(s string) {
	f.Buf, f.Words, f.Dense = f.Buf[:0], 0, 0
	s = cases.Lower(language.Und).String(s)
	space := false
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		if unicode.IsDigit(r) {
			r, n = '0', number(s, i)-i
		}
		if text.IsSpace(r) || unicode.Is(text.Punctuation, r) {
			space = true
		} else {
			if space && len(f.Buf) > 0 {
				f.Buf = append(f.Buf, ' ')
			}
			space = false
			f.Buf = utf8.AppendRune(f.Buf, r)
		}
		i += n
	}
	plain := norm.NFD.Bytes(f.Buf)
	f.Buf = f.Buf[:0]
	for i := 0; i < len(plain); {
		r, n := utf8.DecodeRune(plain[i:])
		if !unicode.Is(unicode.Mn, r) {
			f.Buf = append(f.Buf, plain[i:i+n]...)
		}
		i += n
	}
	f.Buf = bytes.TrimSpace(f.Buf)
}
