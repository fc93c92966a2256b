package about

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Author takes the name out of a byline; "" where there is none.
func Author(line string) string { return authors([]string{line}) }

// authors makes one line of names: without what stands before names, without addresses, each once.
func authors(names []string) string {
	var out []string
	for _, n := range names {
		n = byline(n)
		if n != "" && !slices.ContainsFunc(out, func(o string) bool { return strings.EqualFold(o, n) }) && len(out) < 10 {
			out = append(out, n)
		}
	}
	return strings.Join(out, "; ")
}

// before are words in front of names.
var before = []string{
	"written by ", "posted by ", "published by ", "reviewed by ", "submitted by ", "article by ", "words by ", "by: ", "by ", "von ", "autor: ", "autor ", "autorin: ",
	"author: ", "author ", "verfasst von ", "geschrieben von ", "veröffentlicht von ", "por ", "par ", "di ", "作者：", "作者:", "作者 ", "文/", "文／", "撰文：", "记者 ", "责任编辑：",
}

// byline takes a name out of a line that has one; "" for what is none.
func byline(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	for again := true; again; {
		again = false
		for _, b := range before {
			if len(s) > len(b) && strings.EqualFold(s[:len(b)], b) {
				s, again = strings.TrimSpace(s[len(b):]), true
			}
		}
	}
	for _, end := range [...]string{" | ", " · ", " • ", " – ", " — ", " - ", " am ", " on ", " / ", " @", "|", "•", "·", " Updated", " Published", " Posted", " Last ", " Follow", "　"} {
		if i := strings.Index(s, end); i > 0 {
			s = s[:i]
		}
	}
	if i := strings.IndexFunc(s, unicode.IsDigit); i > 0 { // a date
		s = s[:i]
		if j := strings.LastIndexAny(s, ",|"); j > 0 {
			s = s[:j]
		}
		s = trimMonth(s)
	}
	s = strings.Trim(s, " ,;:|-–—·•()[]：，")
	n := utf8.RuneCountInString(s)
	if strings.IndexFunc(s, unicode.IsLetter) < 0 {
		return ""
	}
	if n < 2 || n > 80 || strings.Contains(s, "://") || strings.Contains(s, "@") || strings.HasPrefix(s, "www.") || strings.ContainsAny(s, "{}<>=") || nobody(s) ||
		strings.Count(s, " ") > 9 {
		return ""
	}
	return s
}

// trimMonth takes off the name of a month at the end.
func trimMonth(s string) string {
	s = strings.TrimSpace(s)
	i := strings.LastIndexByte(s, ' ')
	if word := strings.ToLower(strings.Trim(s[i+1:], ".,")); i > 0 && len(word) >= 3 {
		for _, m := range [...]string{"january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december", "märz", "mai", "juni",
			"juli", "oktober", "dezember", "januar", "februar", "sept"} {
			if m == word || len(word) == 3 && strings.HasPrefix(m, word) {
				return s[:i]
			}
		}
	}
	return s
}

// nobody tells of names that say nothing.
func nobody(s string) bool {
	switch strings.ToLower(s) {
	case "admin", "administrator", "author", "authors", "editor", "unknown", "anonymous", "staff", "n/a", "none", "null", "undefined", "about the author", "share", "home", "user",
		"more", "webmaster", "wordpress", "name", "profile", "view all posts", "follow", "autor", "about":
		return true
	}
	return false
}
