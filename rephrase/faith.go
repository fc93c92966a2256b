package rephrase

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"winnow"
	"winnow/text"
)

// faith measures how much of a segment's numbers, dates, addresses and names the answer keeps. A kind that the segment does not
// have stays unmeasured.
func faith(answer, source string, v *values) {
	v[keptNumbers] = kept(digitsOf(source), numbersOf(answer))
	v[keptDates] = kept(datesOf(source), datesOf(answer))
	v[keptURLs] = keptIn(urlsOf(source), answer)
	alien, given := 0, strings.ToLower(source)
	for u := range urlsOf(answer) {
		if !strings.Contains(given, u) {
			alien++
		}
	}
	v[newURLs] = float32(alien)
	v[keptNames] = keptIn(namesOf(source), answer)
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
	monthDay  = regexp.MustCompile(`(?i)\b(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?\s+(\d{1,2})(?:st|nd|rd|th)?\b(?:,?\s+(\d{4})\b)?`)
	dayMonth  = regexp.MustCompile(`(?i)\b(\d{1,2})(?:st|nd|rd|th)?\s+(?:of\s+)?(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?(?:,?\s+(\d{4})\b)?`)
	isoDate   = regexp.MustCompile(`\b(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})\b`)
	hanDate   = regexp.MustCompile(`(?:(\d{4}|[〇零一二三四五六七八九]{4})年)?(\d{1,2}|[一二三四五六七八九十]{1,3})月(\d{1,2}|[一二三四五六七八九十]{1,3})[日号號]`)
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

// datesOf are the dates with a day as month-day, beginning with the year where it stands there.
func datesOf(s string) map[string]bool {
	out := map[string]bool{}
	add := func(year, month, day string) {
		if year != "" {
			year += "-"
		}
		out[year+plain(month)+"-"+plain(day)] = true
	}
	s = narrowed(s)
	if lower := strings.ToLower(s); slices.ContainsFunc(months[:], func(m string) bool { return strings.Contains(lower, m) }) {
		for _, m := range monthDay.FindAllStringSubmatch(s, -1) {
			add(m[3], monthNumber(m[1]), m[2])
		}
		for _, m := range dayMonth.FindAllStringSubmatch(s, -1) {
			add(m[3], monthNumber(m[2]), m[1])
		}
	}
	if mayISO(s) {
		for _, m := range isoDate.FindAllStringSubmatch(s, -1) {
			add(m[1], m[2], m[3])
		}
	}
	if !strings.Contains(s, "月") {
		return out
	}
	for _, m := range hanDate.FindAllStringSubmatch(s, -1) {
		for i, p := range m {
			if p != "" && !unicode.IsDigit(rune(p[0])) {
				m[i] = hanNumber(p)
			}
		}
		add(m[1], m[2], m[3])
	}
	return out
}

// What a regular expression cannot match without; looking for it is far cheaper.
var months = [...]string{"jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"}

func mayLink(s string) bool {
	for i := 0; i+3 < len(s); i++ {
		if c := s[i] | 0x20; (c == 'h' || c == 'w') && (strings.EqualFold(s[i:i+4], "http") || strings.EqualFold(s[i:i+4], "www.")) {
			return true
		}
	}
	return false
}

// mayISO tells whether a digit stands on both sides of a separator somewhere.
func mayISO(s string) bool {
	digit := func(c byte) bool { return c >= '0' && c <= '9' }
	for i := 1; i+1 < len(s); i++ {
		if c := s[i]; (c == '-' || c == '/' || c == '.') && digit(s[i-1]) && digit(s[i+1]) {
			return true
		}
	}
	return false
}

func monthNumber(name string) string {
	return fmt.Sprint(strings.Index("janfebmaraprmayjunjulaugsepoctnovdec", strings.ToLower(name))/3 + 1)
}

// namesOf are what looks like a name: capitalised words inside a sentence, words with a capital or a digit behind their first letter,
// words in Latin letters within Chinese, and Chinese titles between 《 and 》.
func namesOf(s string) map[string]bool {
	out := map[string]bool{}
	if strings.Contains(s, "《") {
		for _, m := range titleMark.FindAllStringSubmatch(s, -1) {
			out[m[1]] = true
		}
	}
	if mayLink(s) {
		s = url.ReplaceAllString(s, " ")
	}
	han := text.HanRatio(s) > .3
	begins := true // of a sentence
	for _, f := range strings.FieldsFunc(s, func(r rune) bool {
		return text.IsSpace(r) || text.IsHan(r) || r >= 0x3000 && r <= 0x303f || r >= 0xff00 && r <= 0xffef
	}) {
		bare := strings.TrimFunc(f, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
		word := strings.TrimSuffix(strings.TrimSuffix(bare, "'s"), "’s")
		first, _ := utf8.DecodeRuneInString(word)
		if utf8.RuneCountInString(word) > 1 && unicode.IsLetter(first) {
			inner := strings.ContainsFunc(word[utf8.RuneLen(first):], func(r rune) bool { return unicode.IsUpper(r) || unicode.IsDigit(r) })
			if han || inner || unicode.IsUpper(first) && !begins {
				out[strings.ToLower(word)] = true
			}
		}
		begins = bare == "" && begins || strings.ContainsAny(f[len(f)-1:], ".!?:;") || strings.HasSuffix(f, "”") || strings.HasSuffix(f, `"`)
	}
	return out
}

// keptIn is the share of names that a text has somewhere.
func keptIn(names map[string]bool, answer string) float32 {
	if len(names) == 0 {
		return winnow.NotMeasured
	}
	answer = strings.ToLower(answer)
	n := 0
	for name := range names {
		if strings.Contains(answer, name) {
			n++
		}
	}
	return float32(n) / float32(len(names))
}
