package rephrase

import (
	"regexp"
	"strconv"
	"strings"
)

var (
	listMark = regexp.MustCompile(`(?m)^\s*(?:[-*•]\s*)?(?:\(?\d{1,2}(?:[.)]\s|[、）])|(?:Question|问题|問題|Q)\s?\d{1,2}\b)\s*`)
	digits   = regexp.MustCompile(`\d+(?:,\d{3})*(?:\.\d+)?`)
	hanDigit = regexp.MustCompile(`[〇零一二两兩三四五六七八九十百千]+`)
)

var numberWords = map[string]string{
	"one": "1", "two": "2", "three": "3", "four": "4", "five": "5", "six": "6", "seven": "7", "eight": "8", "nine": "9",
	"ten": "10", "eleven": "11", "twelve": "12", "twenty": "20", "thirty": "30", "forty": "40", "fifty": "50",
	"sixty": "60", "seventy": "70", "eighty": "80", "ninety": "90", "hundred": "100", "thousand": "1000", "million": "1000000",
}

// alienNumbers is the share of the numbers in an answer that its source does not have, 0 to 1; 0 for an answer without
// numbers. Numbers are runs of digits: 1,000 is 1000, full-width digits are digits, marks of lists are none. The source's
// Chinese numerals and small English number words count as well, as a model may write them in digits.
func alienNumbers(answer, source string) float64 {
	have := numbersOf(source)
	all := digits.FindAllString(unlisted(answer), -1)
	if len(all) == 0 {
		return 0
	}
	alien := 0
	for _, n := range all {
		if !have[plain(n)] {
			alien++
		}
	}
	return float64(alien) / float64(len(all))
}

// unlisted is a text with narrow digits and without marks of lists.
func unlisted(s string) string { return listMark.ReplaceAllString(narrowed(s), "") }

// digitsOf are the numbers that a text writes in digits.
func digitsOf(s string) map[string]bool {
	have := make(map[string]bool)
	for _, n := range digits.FindAllString(unlisted(s), -1) {
		have[plain(n)] = true
	}
	return have
}

// numbersOf are the numbers of a text, as digits: those written in digits, Chinese numerals and small English number words.
func numbersOf(s string) map[string]bool {
	have := make(map[string]bool)
	s = narrowed(s)
	for _, n := range digits.FindAllString(s, -1) {
		have[plain(n)] = true
	}
	if strings.ContainsAny(s, "〇零一二两兩三四五六七八九十百千") {
		for _, n := range hanDigit.FindAllString(s, -1) {
			have[hanNumber(n)] = true
		}
	}
	for w := range strings.FieldsFuncSeq(strings.ToLower(s), func(r rune) bool { return !(r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '_') }) {
		if n := numberWords[w]; n != "" {
			have[n] = true
		}
	}
	return have
}

var narrow = strings.NewReplacer("０", "0", "１", "1", "２", "2", "３", "3", "４", "4", "５", "5", "６", "6", "７", "7", "８", "8",
	"９", "9", "．", ".")

// narrowed is a text with narrow digits. All full-width ones begin with the same two bytes.
func narrowed(s string) string {
	if !strings.Contains(s, "\xef\xbc") {
		return s
	}
	return narrow.Replace(s)
}

// plain writes a number without separators of thousands and leading zeros.
func plain(n string) string {
	n = strings.ReplaceAll(n, ",", "")
	if t := strings.TrimLeft(n, "0"); t != "" && t[0] != '.' {
		return t
	}
	return n
}

// hanNumber reads a Chinese numeral below 10,000: 二〇二三 is 2023, 三百零五 is 305, 十二 is 12.
func hanNumber(s string) string {
	if !strings.ContainsAny(s, "十百千") {
		var b strings.Builder
		for _, r := range s {
			b.WriteByte('0' + hanValue(r))
		}
		return plain(b.String())
	}
	sum, digit := 0, 0
	for _, r := range s {
		unit := map[rune]int{'十': 10, '百': 100, '千': 1000}[r]
		if unit == 0 {
			digit = int(hanValue(r))
			continue
		}
		sum += max(digit, 1) * unit
		digit = 0
	}
	return strconv.Itoa(sum + digit)
}

func hanValue(r rune) byte {
	switch r {
	case '两', '兩':
		return 2
	case '零':
		return 0
	}
	return byte(strings.Index("〇一二三四五六七八九", string(r)) / 3)
}
