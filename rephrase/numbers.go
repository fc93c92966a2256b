package rephrase

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"winnow/text"
)

var numberWords = map[string]string{
	"one": "1", "two": "2", "three": "3", "four": "4", "five": "5", "six": "6", "seven": "7", "eight": "8", "nine": "9",
	"ten": "10", "eleven": "11", "twelve": "12", "twenty": "20", "thirty": "30", "forty": "40", "fifty": "50",
	"sixty": "60", "seventy": "70", "eighty": "80", "ninety": "90", "hundred": "100", "thousand": "1000", "million": "1000000",
}

// alienNumbers is the share of the numbers in an answer that its source does not have, 0 to 1; 0 for an answer without
// numbers. Numbers are runs of digits: 1,000 is 1000, full-width digits are digits, marks of lists are none. The source's
// Chinese numerals and small English number words count as well, as a model may write them in digits.
func alienNumbers(answer, source *reading) float64 {
	if len(answer.figures) == 0 {
		return 0
	}
	alien := 0
	for _, n := range answer.figures {
		if !source.numbers[n] {
			alien++
		}
	}
	return float64(alien) / float64(len(answer.figures))
}

// keptNumbersOf is the share of the source's different numbers in digits that the answer has in any form.
func keptNumbersOf(answer, source *reading) float32 {
	have := make(map[string]bool, len(source.figures))
	for _, n := range source.figures {
		have[n] = true
	}
	return kept(have, answer.numbers)
}

// numbersOf gives the numbers of a text in narrow digits: figures are those in digits that are no mark of a list, in order; all are
// these, the marks, Chinese numerals and small English number words, found in the text in lower case.
func numbersOf(s, lower string) (figures []string, all map[string]bool) {
	all = make(map[string]bool)
	for line := range strings.SplitSeq(s, "\n") {
		mark := listMark(line)
		for _, n := range appendNumbers(nil, line[:mark]) {
			all[n] = true
		}
		figures = appendNumbers(figures, line[mark:])
	}
	for _, n := range figures {
		all[n] = true
	}
	for i := 0; i < len(s); {
		if s[i] < utf8.RuneSelf {
			i++
			continue
		}
		n := numerals(s[i:])
		if n > 0 {
			all[hanNumber(s[i:i+n])] = true
		} else {
			_, n = utf8.DecodeRuneInString(s[i:])
		}
		i += n
	}
	eachWord(lower, func(w string) {
		if n := numberWords[w]; n != "" {
			all[n] = true
		}
	})
	return figures, all
}

// eachWord calls f for the runs of a to z, digits and '_' that could be a number word.
func eachWord(s string, f func(string)) {
	start := -1
	for i := 0; i <= len(s); i++ {
		if i < len(s) && (s[i] >= 'a' && s[i] <= 'z' || isDigit(s[i]) || s[i] == '_') {
			if start < 0 {
				start = i
			}
			continue
		}
		if n := i - start; start >= 0 && n >= 3 && n <= 8 {
			f(s[start:i])
		}
		start = -1
	}
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// digitsAt counts the digits that s begins with.
func digitsAt(s string) (n int) {
	for n < len(s) && isDigit(s[n]) {
		n++
	}
	return n
}

// appendNumbers finds runs of digits, with separators of thousands and a fraction, and writes them plain.
func appendNumbers(dst []string, s string) []string {
	for i := 0; i < len(s); i++ {
		n := digitsAt(s[i:])
		if n == 0 {
			continue
		}
		end := i + n
		for end+3 < len(s) && s[end] == ',' && digitsAt(s[end+1:min(end+4, len(s))]) == 3 {
			end += 4
		}
		if end < len(s) && s[end] == '.' {
			if n := digitsAt(s[end+1:]); n > 0 {
				end += 1 + n
			}
		}
		dst = append(dst, plain(s[i:end]))
		i = end - 1
	}
	return dst
}

// listMark is the length of the mark of a list that a line begins with, 0 where it has none: a number of one or two digits before
// ". " or ") " or 、, perhaps after a bullet and in brackets, or what numbers a question.
func listMark(line string) int {
	s := strings.TrimLeft(line, " \t\r\f\v")
	if s == "" {
		return 0
	}
	for _, bullet := range [...]string{"-", "*", "•"} {
		if rest, ok := strings.CutPrefix(s, bullet); ok {
			s = strings.TrimLeft(rest, " \t\r\f\v")
			break
		}
	}
	mark := numberMark(strings.TrimPrefix(s, "("))
	if mark > 0 && s[0] == '(' {
		mark++
	}
	if mark == 0 {
		mark = questionNumber(s)
	}
	if mark == 0 {
		return 0
	}
	return len(line) - len(strings.TrimLeft(s[mark:], " \t\r\f\v"))
}

// numberMark is the length of "1. ", "12) ", "3、" or "4）" that s begins with; a line that ends behind the point is no mark.
func numberMark(s string) int {
	n := digitsAt(s[:min(2, len(s))])
	if n == 0 {
		return 0
	}
	switch rest := s[n:]; {
	case len(rest) > 1 && (rest[0] == '.' || rest[0] == ')') && strings.IndexByte(" \t\r\f\v", rest[1]) >= 0:
		return n + 2
	case strings.HasPrefix(rest, "、"), strings.HasPrefix(rest, "）"):
		return n + len("、")
	}
	return 0
}

// questionNumber is the length of "Question 1", "Q2" or "问题 3" that s begins with.
func questionNumber(s string) int {
	for _, word := range [...]string{"Question", "问题", "問題", "Q"} {
		rest, ok := strings.CutPrefix(s, word)
		if !ok {
			continue
		}
		if rest != "" && (rest[0] == ' ' || rest[0] == '\t') {
			rest = rest[1:]
		}
		n := digitsAt(rest)
		if (n == 1 || n == 2) && !(n < len(rest) && isWord(rest[n])) {
			return len(s) - len(rest) + n
		}
	}
	return 0
}

// isWord tells whether c belongs to a word of ASCII.
func isWord(c byte) bool { return isDigit(c) || c == '_' || c|0x20 >= 'a' && c|0x20 <= 'z' }

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

// numerals is the length in bytes of the Chinese numerals that s begins with.
func numerals(s string) (n int) {
	for n < len(s) {
		r, width := utf8.DecodeRuneInString(s[n:])
		if !isNumeral(r) {
			break
		}
		n += width
	}
	return n
}

func isNumeral(r rune) bool {
	return (r == '〇' || text.IsHan(r)) && strings.ContainsRune("〇零一二两兩三四五六七八九十百千", r)
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
		unit := 0
		switch r {
		case '十':
			unit = 10
		case '百':
			unit = 100
		case '千':
			unit = 1000
		default:
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
