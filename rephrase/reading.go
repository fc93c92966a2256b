package rephrase

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/zeebo/xxh3"

	"winnow"
	"winnow/rephrase/openai"
	"winnow/text"
)

// reading is a text and what guards measure on it, found out once.
type reading struct {
	text, lower string
	tokens      int
	scripts     [len(scripts)]float64 // share of the letters in each
	words       []uint64              // hashes of the words in lower case, in order
	runs        grams                 // of copyRun words
	figures     []string              // numbers in digits, in order, but for marks of lists
	numbers     map[string]bool       // all, those written in words too
	dates, urls map[string]bool

	named bool // names is known
	names map[string]bool
}

func read(s string) *reading {
	r := &reading{text: s, lower: strings.ToLower(s), tokens: openai.EstimateTokens(s), scripts: scriptShares(s)}
	for _, w := range text.Words(make([]string, 0, len(s)/5), r.lower) {
		r.words = append(r.words, xxh3.HashString(w))
	}
	r.runs = gramsOf(r.words, copyRun)
	plain := narrowed(s)
	r.figures, r.numbers = numbersOf(plain, r.lower)
	r.dates, r.urls = datesOf(plain), urlsOf(s)
	return r
}

// namesOf are the text's names, see namesIn.
func (r *reading) namesOf() map[string]bool {
	if !r.named {
		r.names, r.named = namesIn(r.text), true
	}
	return r.names
}

// copyRun is how many words in a row make a copy, shingle how many are compared between rewritings. A Han character is a
// word (text.Words).
const (
	copyRun = 8
	shingle = 5
)

// grams are hashes of runs of words, sorted, each as often as it stands in the text.
type grams []uint64

// gramsOf hashes all runs of n words by a polynomial in an odd number, modulo 2^64, that rolls along.
func gramsOf(words []uint64, n int) grams {
	if len(words) < n {
		return nil
	}
	const base = 0x9e3779b97f4a7c15 // odd, with bits all over
	out := make(grams, 0, len(words)-n+1)
	first := uint64(1) // base^(n-1): weight of the word that leaves
	for range n - 1 {
		first *= base
	}
	h := uint64(0)
	for i, w := range words {
		if i >= n {
			h -= words[i-n] * first
		}
		if h = h*base + w; i >= n-1 {
			out = append(out, h)
		}
	}
	slices.Sort(out)
	return out
}

// share is the share of a's runs that stand in b; 0 for a text too short to have one.
func share(a, b grams) float32 {
	same, at := 0, 0
	for _, h := range a {
		for at < len(b) && b[at] < h {
			at++
		}
		if at < len(b) && b[at] == h {
			same++
		}
	}
	return float32(same) / float32(max(len(a), 1))
}

// repeated is the share of runs that stood before.
func repeated(all grams) float32 {
	again := 0
	for i := 1; i < len(all); i++ {
		if all[i] == all[i-1] {
			again++
		}
	}
	return float32(again) / float32(max(len(all), 1))
}

// shinglesOf is a text as the set of its runs of words; one too short for a run is its own.
func shinglesOf(s string) grams {
	var words []uint64
	for _, w := range text.Words(nil, strings.ToLower(s)) {
		words = append(words, xxh3.HashString(w))
	}
	return slices.Compact(gramsOf(words, max(1, min(shingle, len(words)))))
}

// jaccard is the share of shingles that two texts have in common, 0..1. Two texts without a word are the same.
func jaccard(a, b grams) float32 {
	if len(a)+len(b) == 0 {
		return 1
	}
	same := int(share(a, b)*float32(len(a)) + .5)
	return float32(same) / float32(max(len(a)+len(b)-same, 1))
}

// earlier are the accepted rewritings of one text. The first has nothing to be compared with, and most texts have but one.
type earlier struct {
	texts []string
	sets  []grams // of the first len(sets) texts
}

// near is the greatest similarity of s to any of them; not measured where there are none.
func (e *earlier) near(s string) (v float32) {
	v = winnow.NotMeasured
	if len(e.texts) == 0 {
		return v
	}
	for _, t := range e.texts[len(e.sets):] {
		e.sets = append(e.sets, shinglesOf(t))
	}
	own := shinglesOf(s)
	for _, set := range e.sets {
		if j := jaccard(own, set); !winnow.Measured(v) || j > v {
			v = j
		}
	}
	return v
}

func (e *earlier) add(s string) { e.texts = append(e.texts, s) }

var scripts = [...]func(rune) bool{
	text.IsHan,
	text.IsKana,
	text.IsHangul,
	func(r rune) bool { return unicode.Is(unicode.Latin, r) },
	func(r rune) bool { return unicode.In(r, unicode.Cyrillic, unicode.Greek) },
	func(r rune) bool { return unicode.In(r, unicode.Arabic, unicode.Hebrew) },
	func(r rune) bool { return true },
}

const latin = 3 // of scripts

// scriptShares gives the share of the letters of s in each of scripts.
func scriptShares(s string) (shares [len(scripts)]float64) {
	all := 0.0
	for _, r := range s {
		if r < utf8.RuneSelf {
			if c := r | 0x20; c >= 'a' && c <= 'z' {
				all++
				shares[latin]++
			}
			continue
		}
		if !unicode.IsLetter(r) {
			continue
		}
		all++
		for i, is := range scripts {
			if is(r) {
				shares[i]++
				break
			}
		}
	}
	for i := range shares {
		shares[i] /= max(all, 1)
	}
	return shares
}

// scripted compares the scripts of two texts: the sum over scripts of the smaller share, 1 for the same, 0 for none in common.
func scripted(a, b *reading) (sum float64) {
	for i := range a.scripts {
		sum += min(a.scripts[i], b.scripts[i])
	}
	return sum
}
