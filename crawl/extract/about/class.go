package about

import "strings"

// pairs is a set of pairs of neighbouring letters, as bits of a hash: a class without those of a word does not hold the word.
type pairs uint64

func pairsOf(s string) (p pairs) {
	for i := 1; i < len(s); i++ {
		p |= 1 << ((uint32(s[i-1]|0x20)*31 + uint32(s[i]|0x20)) & 63)
	}
	return p
}

// wordSet is a list of words in lower case, each with its pairs.
type wordSet []struct {
	word  string
	pairs pairs
}

func wordSetOf(words ...string) (set wordSet) {
	for _, w := range words {
		set = append(set, struct {
			word  string
			pairs pairs
		}{w, pairsOf(w)})
	}
	return set
}

// in tells whether a class with pairs p holds one of the words.
func (set wordSet) in(class string, p pairs) bool {
	lower := ""
	for i := range set {
		w := &set[i]
		if p&w.pairs != w.pairs {
			continue
		}
		if lower == "" {
			lower = strings.ToLower(class)
		}
		if strings.Contains(lower, w.word) {
			return true
		}
	}
	return false
}

// Words in the classes of elements with a name, and with the day of publication; and words that say it is another one. They are
// read only.
var (
	authorWords   = wordSetOf("author", "byline", "writer", "p-name", "fn n", "autor", "contributor")
	noAuthorWords = wordSetOf("comment", "avatar", "box", "bio", "image", "img", "photo", "icon", "social", "card", "list", "quote", "review", "testimonial")
	dateWords     = wordSetOf("date", "published", "pubtime", "posted-on", "post-time", "byline", "post-meta", "entry-meta", "article-meta", "article-info", "pub_time",
		"datum", "fecha")
	noDateWords = wordSetOf("update", "modif", "comment", "event")
)
