package dedup

import (
	"crypto/sha1"
	"encoding/binary"

	"winnow/text"
)

// datatroveShingles hashes every run of n words as datatrove's minhash.py does: simplify_text, the words of the language's
// tokenizer, joined by one space, under XXH64 or the first 8 bytes of SHA-1. A text of fewer words has none.
func (k *sketcher) datatroveShingles(s, language string, n int, hash func([]byte) uint64, words func(dst []string, language, s string) []string) []uint64 {
	k.hashes = k.hashes[:0]
	k.text.Simplify(s)
	k.words = words(k.words[:0], language, string(k.text.Buf))
	for i := n; i <= len(k.words); i++ {
		k.plain = k.plain[:0]
		for j, w := range k.words[i-n : i] {
			if j > 0 {
				k.plain = append(k.plain, ' ')
			}
			k.plain = append(k.plain, w...)
		}
		k.hashes = append(k.hashes, hash(k.plain))
	}
	return k.hashes
}

// sha1Hash is the first 8 bytes of SHA-1, little-endian, as FineWeb's run of datatrove.
func sha1Hash(b []byte) uint64 {
	sum := sha1.Sum(b)
	return binary.LittleEndian.Uint64(sum[:])
}

// spacyWords are the words of spaCy's blank pipelines, which datatrove uses for most languages written with spaces.
func spacyWords(dst []string, language, s string) []string {
	return text.Tokens(dst, s, language == "" || language == "en")
}
