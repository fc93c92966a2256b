package classify

import (
	"cmp"
	"fmt"
	"unicode"
	"unicode/utf8"

	"winnow/filter/segment"
	"winnow/text"
)

// Features say how a text becomes n-grams. The zero value of each field stands for its default.
type Features struct {
	Bits     uint   `json:"bits"`               // 2^Bits buckets, 8 to 24; default 16
	Words    int    `json:"words"`              // longest n-gram of words, 1 to 5; default 2
	Shortest int    `json:"shortest,omitempty"` // n-gram of characters within a word and its two ends; 1 to Longest
	Longest  int    `json:"longest,omitempty"`  // up to 8; 0: no n-grams of characters
	Chinese  string `json:"chinese"`            // what a word of Chinese is: characters (default) or words, by the dictionary
}

const minBits, maxBits = 8, 24

func (o Features) withDefaults() Features {
	o.Bits, o.Words, o.Chinese = cmp.Or(o.Bits, 16), cmp.Or(o.Words, 2), cmp.Or(o.Chinese, "characters")
	if o.Longest > 0 {
		o.Shortest = cmp.Or(o.Shortest, min(3, o.Longest))
	}
	return o
}

func (o Features) check() error {
	switch {
	case o.Bits < minBits || o.Bits > maxBits:
		return fmt.Errorf("2^%d buckets, want 2^%d to 2^%d", o.Bits, minBits, maxBits)
	case o.Words < 1 || o.Words > 5:
		return fmt.Errorf("n-grams of %d words, want 1 to 5", o.Words)
	case o.Longest < 0 || o.Longest > 8 || o.Longest > 0 && (o.Shortest < 1 || o.Shortest > o.Longest) || o.Longest == 0 && o.Shortest != 0:
		return fmt.Errorf("n-grams of %d to %d characters, want 1 to 8", o.Shortest, o.Longest)
	case o.Chinese != "characters" && o.Chinese != "words":
		return fmt.Errorf("chinese %q, want characters or words", o.Chinese)
	}
	return nil
}

// features lists the n-grams of a text as bucket numbers. It is scratch memory, not for concurrent use.
type features struct {
	words   []string
	hashes  []uint64 // of the words
	longest []uint8  // by word: the longest n-gram of words that ends with it
	buckets []uint32
	runes   []rune // of the word at hand, with its ends
	cutter  *segment.Chinese
}

// of gives the bucket of every n-gram of s, repeats included: for each word the n-grams of words that it ends, shorter ones
// first, then those of its characters, by where they begin. Where words are single Han or Kana characters, their n-grams are
// one longer than those of other words. Case is ignored and every digit is 0.
func (f *features) of(s string, o *Features) []uint32 {
	f.split(s, o)
	f.hashes, f.longest, f.buckets = f.hashes[:0], f.longest[:0], f.buckets[:0]
	shift := 64 - o.Bits
	characters := 0 // how many words up to this one are characters, without a break
	for i, w := range f.words {
		h := hash(w)
		f.hashes = append(f.hashes, h)
		f.buckets = append(f.buckets, uint32(mix(h)>>shift))
		longest := min(i+1, o.Words)
		if characters++; !isCharacter(w) {
			characters = 0
		}
		if characters > o.Words {
			longest = o.Words + 1
		}
		for n := 2; n <= longest; n++ {
			gram := f.hashes[i+1-n]
			for _, next := range f.hashes[i+2-n:] {
				gram = pair(gram, next)
			}
			f.buckets = append(f.buckets, uint32(mix(gram)>>shift))
		}
		f.longest = append(f.longest, uint8(longest))
		if o.Longest > 0 && characters == 0 {
			for start := range f.spell(w) {
				gram := uint64(14695981039346656037) ^ 0xc4ceb9fe1a85ec53 // apart from words
				for n, r := range f.runes[start:min(start+o.Longest, len(f.runes))] {
					gram = (gram ^ uint64(r)) * 1099511628211
					if n+1 >= o.Shortest && (n > 0 || start > 0 && start < len(f.runes)-1) { // an end alone is nothing
						f.buckets = append(f.buckets, uint32(mix(gram)>>shift))
					}
				}
			}
		}
	}
	return f.buckets
}

// split finds the words. By the dictionary, runs of Han are cut again.
func (f *features) split(s string, o *Features) {
	f.words = text.Words(f.words[:0], s)
	if o.Chinese != "words" {
		return
	}
	if f.cutter == nil {
		f.cutter = new(segment.Chinese)
	}
	plain := f.words
	f.words = make([]string, 0, len(plain))
	at := 0 // in s, behind the word before
	for i := 0; i < len(plain); {
		at += index(s[at:], plain[i])
		if !isHan(plain[i]) {
			f.words = append(f.words, plain[i])
			at += len(plain[i])
			i++
			continue
		}
		end := at
		for ; i < len(plain) && isHan(plain[i]) && end+len(plain[i]) <= len(s) && s[end:end+len(plain[i])] == plain[i]; i++ {
			end += len(plain[i])
		}
		f.words = f.cutter.Words(f.words, s[at:end])
		at = end
	}
}

// index finds the next word, which is there: words share the memory of s and come in order.
func index(s, word string) int {
	for i := 0; i+len(word) <= len(s); i++ {
		if s[i:i+len(word)] == word {
			return i
		}
	}
	return 0
}

// spell puts the folded characters of a word between its ends.
func (f *features) spell(word string) []rune {
	f.runes = append(f.runes[:0], '<')
	for _, r := range word {
		f.runes = append(f.runes, fold(r))
	}
	f.runes = append(f.runes, '>')
	return f.runes
}

func isHan(word string) bool {
	r, _ := utf8.DecodeRuneInString(word)
	return r >= utf8.RuneSelf && text.IsHan(r)
}

func isCharacter(word string) bool {
	if word[0] < utf8.RuneSelf {
		return false
	}
	r, n := utf8.DecodeRuneInString(word)
	if !text.IsHan(r) && !text.IsKana(r) {
		return false
	}
	next, _ := utf8.DecodeRuneInString(word[n:])
	return n == len(word) || !text.IsHan(next) && !text.IsKana(next) // a mark may follow
}

// hash is FNV-1a of the word in lower case with its digits made 0.
func hash(word string) uint64 {
	h := uint64(14695981039346656037)
	for i := 0; i < len(word); i++ {
		c := word[i]
		switch {
		case c >= utf8.RuneSelf:
			for _, r := range word[i:] {
				h = (h ^ uint64(fold(r))) * 1099511628211
			}
			return h
		case c >= 'A' && c <= 'Z':
			c += 'a' - 'A'
		case c >= '0' && c <= '9':
			c = '0'
		}
		h = (h ^ uint64(c)) * 1099511628211
	}
	return h
}

// fold is a character in lower case, and 0 for a digit.
func fold(r rune) rune {
	switch {
	case r >= 0x3040 && r < 0xa000: // no case, no digits
		return r
	case unicode.IsDigit(r):
		return '0'
	}
	return unicode.ToLower(r)
}

func pair(a, b uint64) uint64 { return a*0x9e3779b97f4a7c15 + b }

// mix spreads a hash over its upper bits, of which the bucket is made (the finaliser of MurmurHash3).
func mix(h uint64) uint64 {
	h ^= h >> 33
	h *= 0xff51afd7ed558ccd
	h ^= h >> 33
	h *= 0xc4ceb9fe1a85ec53
	return h ^ h>>33
}
