package dedup

import (
	"encoding/binary"
	"math/bits"

	"winnow/dedup/fold"
)

// sketcher holds the memory that making one signature takes. It is not for concurrent use.
type sketcher struct {
	text   fold.Text
	units  []uint64 // the hash of each word or character
	hashes []uint64 // one for each shingle, repeats included
	sig    []uint64
	round  []uint16 // of fast signatures
	words  []string
	plain  []byte
}

// shingles hashes every run of n units of s: Han characters, or words where most words of s are not written in a script
// without spaces. The script is the document's own matter, not its language's, for mixed pages and wrong labels. A text of
// fewer units is one shingle, so that equal short texts are found; a text of none has no shingle. Each unit is hashed once.
func (k *sketcher) shingles(s string, size Shingle) []uint64 {
	k.text.Fold(s)
	n := size.Latin
	k.units = k.units[:0]
	if 2*k.text.Dense >= k.text.Words {
		n = size.Han
		for i := 0; i < len(k.text.Buf); {
			i = k.character(i)
		}
	} else {
		k.wordUnits()
	}
	k.hashes = fold.Roll(k.hashes[:0], k.units, min(n, len(k.units)))
	return k.hashes
}

// character adds the unit at byte i of the folded text, unless it is a space, and gives the next one's place.
func (k *sketcher) character(i int) int {
	buf := k.text.Buf
	v := uint64(buf[i])
	end := i + 1
	for end < len(buf) && buf[end]&0xc0 == 0x80 {
		v = v<<8 | uint64(buf[end])
		end++
	}
	if v != ' ' {
		k.units = append(k.units, fold.Mix(v))
	}
	return end
}

func (k *sketcher) wordUnits() {
	start := 0
	for i, c := range k.text.Buf {
		if c == ' ' {
			k.units = append(k.units, hashWord(k.text.Buf[start:i]))
			start = i + 1
		}
	}
	if len(k.text.Buf) > 0 {
		k.units = append(k.units, hashWord(k.text.Buf[start:]))
	}
}

// hashWord hashes a short string by products of 128 bits, as wyhash and xxh3 do, without their care for long ones.
func hashWord(b []byte) uint64 {
	h := uint64(len(b)) * 0xd6e8feb86659fd93
	for ; len(b) > 8; b = b[8:] {
		h = fold128(h^binary.LittleEndian.Uint64(b), fold.Factor) + h
	}
	var tail uint64
	switch n := len(b); {
	case n >= 4:
		tail = uint64(binary.LittleEndian.Uint32(b)) | uint64(binary.LittleEndian.Uint32(b[n-4:]))<<32
	case n > 0:
		tail = uint64(b[0]) | uint64(b[n/2])<<8 | uint64(b[n-1])<<16
	}
	return fold128(h^tail, 0xa0761d6478bd642f) ^ h
}

// fold128 multiplies to 128 bits and folds the halves.
func fold128(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a, b)
	return hi ^ lo
}
