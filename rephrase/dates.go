package rephrase

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// datesOf are the dates with a day in a text of narrow digits, as month-day, beginning with the year where it stands there: May 3rd,
// 2021; 3 of May; 2021-05-03; 二〇二一年五月三日.
func datesOf(s string) map[string]bool {
	out := map[string]bool{}
	for i := 0; i < len(s); {
		n := 1
		switch c := s[i]; {
		case isDigit(c):
			n = digitsAt(s[i:])
			dateByDigits(out, s[i:], n)
		case isWord(c):
			n = wordAt(s[i:])
			monthDay(out, s[i:i+n], s[i+n:])
		}
		i += n
	}
	for i := 0; ; i += len("月") {
		at := strings.Index(s[i:], "月")
		if at < 0 {
			return out
		}
		i += at
		hanDate(out, s[:i], s[i+len("月"):])
	}
}

func addDate(out map[string]bool, year string, month, day int) {
	if year != "" {
		year = plain(year) + "-"
	}
	out[year+strconv.Itoa(month)+"-"+strconv.Itoa(day)] = true
}

// wordAt is the length of the word of letters, digits and '_' that s begins with.
func wordAt(s string) (n int) {
	for n < len(s) && isWord(s[n]) {
		n++
	}
	return n
}

var months = [...]string{"january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december"}

// monthNamed is the number of the month that a word names, in full or by its first three letters, or sept; 0 for all others.
func monthNamed(w string) int {
	if len(w) < 3 || len(w) > len("september") {
		return 0
	}
	for i, name := range months {
		if strings.EqualFold(w, name) || strings.EqualFold(w, name[:3]) || i == 8 && strings.EqualFold(w, "sept") {
			return i + 1
		}
	}
	return 0
}

// spaceAt is the length of the white space that s begins with.
func spaceAt(s string) (n int) {
	for n < len(s) && strings.IndexByte(" \t\n\r\f", s[n]) >= 0 {
		n++
	}
	return n
}

// oneOrTwo reads a number of one or two digits that s begins with, and what stands behind it.
func oneOrTwo(s string) (v int, rest string, ok bool) {
	n := digitsAt(s)
	if n < 1 || n > 2 {
		return 0, s, false
	}
	v, _ = strconv.Atoi(s[:n])
	return v, s[n:], true
}

// ordinal takes st, nd, rd or th off.
func ordinal(s string) string {
	if len(s) >= 2 {
		switch strings.ToLower(s[:2]) {
		case "st", "nd", "rd", "th":
			return s[2:]
		}
	}
	return s
}

// yearAfter is the year of four digits that follows, perhaps behind a comma; empty where none does.
func yearAfter(s string) string {
	s = strings.TrimPrefix(s, ",")
	n := spaceAt(s)
	if s = s[n:]; n == 0 || digitsAt(s) != 4 || len(s) > 4 && isWord(s[4]) {
		return ""
	}
	return s[:4]
}

// monthDay reads a date that begins with a word: May, and behind it " 3rd, 2021".
func monthDay(out map[string]bool, word, s string) {
	s = strings.TrimPrefix(s, ".")
	n := spaceAt(s)
	if n == 0 {
		return
	}
	day, rest, ok := oneOrTwo(s[n:])
	rest = ordinal(rest)
	if !ok || rest != "" && isWord(rest[0]) {
		return
	}
	if month := monthNamed(word); month > 0 {
		addDate(out, yearAfter(rest), month, day)
	}
}

// dateByDigits reads a date that begins with a number of n digits: 2021-05-03, or 3rd of May 2021.
func dateByDigits(out map[string]bool, s string, n int) {
	switch {
	case n == 4 && len(s) > 4 && isMark(s[4]):
		month, rest, ok := oneOrTwo(s[5:])
		if !ok || rest == "" || !isMark(rest[0]) {
			return
		}
		if day, rest, ok := oneOrTwo(rest[1:]); ok && (rest == "" || !isWord(rest[0])) {
			addDate(out, s[:4], month, day)
		}
	case n <= 2:
		day, rest, _ := oneOrTwo(s)
		rest = ordinal(rest)
		space := spaceAt(rest)
		rest = rest[space:]
		if len(rest) > 3 && strings.EqualFold(rest[:2], "of") {
			if n := spaceAt(rest[2:]); n > 0 {
				rest = rest[2+n:]
			}
		}
		w := wordAt(rest)
		if m := monthNamed(rest[:w]); space > 0 && m > 0 {
			addDate(out, yearAfter(strings.TrimPrefix(rest[w:], ".")), m, day)
		}
	}
}

func isMark(c byte) bool { return c == '-' || c == '/' || c == '.' }

// hanDate reads a date in Chinese, from what stands before and behind its 月.
func hanDate(out map[string]bool, before, after string) {
	n := hanDay(after)
	if n == 0 {
		return
	}
	day := after[:n]
	switch r, _ := utf8.DecodeRuneInString(after[n:]); r {
	case '日', '号', '號':
	default:
		return
	}
	at := hanMonth(before)
	month := before[at:]
	if month == "" {
		return
	}
	year := ""
	if rest, ok := strings.CutSuffix(before[:at], "年"); ok {
		year = hanYear(rest)
	}
	addDate(out, year, hanValueOf(month), hanValueOf(day))
}

// hanValueOf reads digits or Chinese numerals.
func hanValueOf(s string) int {
	if !isDigit(s[0]) {
		s = hanNumber(s)
	}
	v, _ := strconv.Atoi(s)
	return v
}

// hanDay is the length of the one or two digits, or one to three numerals, that s begins with.
func hanDay(s string) int {
	if n := digitsAt(s); n > 0 {
		if n > 2 {
			return 0
		}
		return n
	}
	n := numerals(s)
	if n > 3*len("一") || strings.ContainsAny(s[:n], "百千两兩") {
		return 0
	}
	return n
}

// hanMonth is where the number that s ends with begins: at most two digits, or three numerals.
func hanMonth(s string) int {
	at := len(s)
	for at > 0 && len(s)-at < 2 && isDigit(s[at-1]) {
		at--
	}
	if at < len(s) {
		return at
	}
	for at > 0 && len(s)-at < 3*len("一") {
		r, width := utf8.DecodeLastRuneInString(s[:at])
		if !isNumeral(r) || strings.ContainsRune("百千两兩", r) {
			break
		}
		at -= width
	}
	return at
}

// hanYear is the year of four digits or numerals that s ends with, in digits; empty where there is none.
func hanYear(s string) string {
	if len(s) >= 4 && digitsAt(s[len(s)-4:]) == 4 {
		return s[len(s)-4:]
	}
	const numeral = len("一")
	if len(s) < 4*numeral {
		return ""
	}
	y := s[len(s)-4*numeral:]
	if numerals(y) < len(y) || strings.ContainsAny(y, "十百千两兩") {
		return ""
	}
	return hanNumber(y)
}
