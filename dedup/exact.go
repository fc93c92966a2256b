package dedup

import (
	"strings"

	"github.com/zeebo/xxh3"
	"golang.org/x/text/unicode/norm"

	"winnow"
	"winnow/dedup/fold"
	"winnow/text"
)

// bytesKey hashes the text as it is to 128 bits; ok is false for a document without text.
func bytesKey(d *winnow.Document) (key [2]uint64, ok bool) {
	if strings.TrimSpace(d.Text) == "" {
		return key, false
	}
	return hash128([]byte(d.Text)), true
}

// textKey hashes the text without differences of white space and Unicode form to 128 bits; ok is false for a document without
// text.
func textKey(d *winnow.Document) (key [2]uint64, ok bool) {
	buf := squeeze(make([]byte, 0, len(d.Text)), d.Text)
	if len(buf) == 0 {
		return key, false
	}
	return hash128(buf), true
}

// foldedKey hashes the folded text to 128 bits: case, punctuation, accents and the values of numbers make no difference.
func foldedKey(d *winnow.Document) (key [2]uint64, ok bool) {
	var f fold.Text
	f.Fold(d.Text)
	if len(f.Buf) == 0 {
		return key, false
	}
	return hash128(f.Buf), true
}

func hash128(b []byte) [2]uint64 {
	h := xxh3.Hash128(b)
	return [2]uint64{h.Hi, h.Lo}
}

// squeeze appends s in Unicode normal form C, every run of white space made one space and none at the ends. Case,
// punctuation and digits stay: texts that differ in them are not exact duplicates.
func squeeze(dst []byte, s string) []byte {
	if !norm.NFC.IsNormalString(s) {
		s = norm.NFC.String(s)
	}
	for {
		s = text.TrimLeft(s)
		if s == "" {
			return dst
		}
		end := strings.IndexFunc(s, text.IsSpace)
		if end < 0 {
			end = len(s)
		}
		if len(dst) > 0 {
			dst = append(dst, ' ')
		}
		dst = append(dst, s[:end]...)
		s = s[end:]
	}
}
