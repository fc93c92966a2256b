package rephrase

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"winnow"
	"winnow/text"
)

// faith measures how much of a segment's numbers, dates, addresses and names the answer keeps. A kind that the segment does not
// have stays unmeasured.
func faith(answer, source *reading, v *values) {
	v[keptNumbers] = keptNumbersOf(answer, source)
	v[keptDates] = kept(source.dates, answer.dates)
	v[keptURLs] = keptIn(source.urls, answer.lower)
	alien := 0
	for u := range answer.urls {
		if !strings.Contains(source.lower, u) {
			alien++
		}
	}
	v[newURLs] = float32(alien)
	v[keptNames] = keptIn(source.namesOf(), answer.lower)
}

// kept is the share of the members of have that said has too.
func kept(have, said map[string]bool) float32 {
	if len(have) == 0 {
		return winnow.NotMeasured
	}
	n := 0
	for x := range have {
		if said[x] {
			n++
		}
	}
	return float32(n) / float32(len(have))
}

var (
	url       = regexp.MustCompile(`(?i)\b(?:https?://|www\.)[^\s<>"'“”‘’，。；：！？、（）《》「」【】\p{Han}]+`)
	titleMark = regexp.MustCompile(`《([^《》\n]{1,40})》`)
)

// urlsOf are the addresses of a text without scheme, www and what a sentence puts behind them.
func urlsOf(s string) map[string]bool {
	out := map[string]bool{}
	if !mayLink(s) {
		return out
	}
	for _, u := range url.FindAllString(s, -1) {
		u = strings.ToLower(strings.TrimRight(u, ".,;:!?)]}*_/"))
		u = strings.TrimPrefix(strings.TrimPrefix(strings.TrimPrefix(u, "https://"), "http://"), "www.")
		out[u] = true
	}
	return out
}

// mayLink looks for what an address begins with, far cheaper than the expression.
func mayLink(s string) bool {
	for i := 0; i+3 < len(s); i++ {
		if c := s[i] | 0x20; (c == 'h' || c == 'w') && (strings.EqualFold(s[i:i+4], "http") || strings.EqualFold(s[i:i+4], "www.")) {
			return true
		}
	}
	return false
}

// namesIn are what looks like a name: capitalised words inside a sentence, words with a capital or a digit behind their first letter,
// words in Latin letters within Chinese, and Chinese titles between 《 and 》.
func namesIn(s string) map[string]bool {
	out := map[string]bool{}
	if strings.Contains(s, "《") {
		for _, m := range titleMark.FindAllStringSubmatch(s, -1) {
			out[strings.ToLower(m[1])] = true
		}
	}
	if mayLink(s) {
		s = url.ReplaceAllString(s, " ")
	}
	han := text.HanRatio(s) > .3
	begins := true // of a sentence
	for at := 0; at < len(s); {
		n, width := field(s[at:])
		f := s[at : at+n]
		at += n + width
		if n == 0 {
			continue
		}
		letters := true
		if han || !lowly(f) {
			bare := strings.TrimFunc(f, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
			if isName(bare, han, begins) {
				out[strings.ToLower(possessor(bare))] = true
			}
			letters = bare != ""
		}
		begins = !letters && begins || strings.IndexByte(".!?:;", f[len(f)-1]) >= 0 || strings.HasSuffix(f, "”") || f[len(f)-1] == '"'
	}
	return out
}

// lowly tells whether a word is of small ASCII letters, one at least, and marks: no name.
func lowly(f string) bool {
	some := false
	for i := range len(f) {
		c := f[i]
		if c >= utf8.RuneSelf || c >= 'A' && c <= 'Z' || isDigit(c) {
			return false
		}
		some = some || c >= 'a' && c <= 'z'
	}
	return some
}

// field is the length of the word that s begins with, and of the character that ends it: white space, a Han character, East Asian
// punctuation.
func field(s string) (n, width int) {
	for n < len(s) {
		r, width := rune(s[n]), 1
		if r >= utf8.RuneSelf {
			r, width = utf8.DecodeRuneInString(s[n:])
		}
		if text.IsSpace(r) || r >= 0x2e80 && (text.IsHan(r) || r >= 0x3000 && r <= 0x303f || r >= 0xff00 && r <= 0xffef) {
			return n, width
		}
		n += width
	}
	return n, 0
}

func possessor(word string) string { return strings.TrimSuffix(strings.TrimSuffix(word, "'s"), "’s") }

// isName judges a word without marks around it.
func isName(bare string, han, begins bool) bool {
	word := possessor(bare)
	first, width := utf8.DecodeRuneInString(word)
	if len(word) <= width || !unicode.IsLetter(first) {
		return false
	}
	return han || unicode.IsUpper(first) && !begins ||
		strings.ContainsFunc(word[width:], func(r rune) bool { return unicode.IsUpper(r) || unicode.IsDigit(r) })
}

// keptIn is the share of names that a text in lower case has somewhere.
func keptIn(names map[string]bool, lower string) float32 {
	if len(names) == 0 {
		return winnow.NotMeasured
	}
	n := 0
	for name := range names {
		if strings.Contains(lower, name) {
			n++
		}
	}
	return float32(n) / float32(len(names))
}
