package extract

import (
	"strings"

	"golang.org/x/net/html/atom"
)

// attributes goes behind the '>' of a tag, notes which attributes to keep, and tells whether the tag closes itself.
func (l *leaner) attributes(tag atom.Atom) (selfClosed bool) {
	l.spans = l.spans[:0]
	s, i := l.page, l.at
	for i < len(s) {
		for i < len(s) && (s[i] <= ' ' || s[i] == '/') {
			selfClosed = s[i] == '/'
			i++
		}
		if i >= len(s) || s[i] == '>' {
			break
		}
		selfClosed = false
		from := i
		i++ // a '=' in front is part of the name
		for i < len(s) && s[i] > ' ' && s[i] != '=' && s[i] != '>' && s[i] != '/' {
			i++
		}
		key := s[from:i]
		end := i
		for i < len(s) && s[i] <= ' ' {
			i++
		}
		value := ""
		if i < len(s) && s[i] == '=' {
			i++
			for i < len(s) && s[i] <= ' ' {
				i++
			}
			value, i = attributeValue(s, i)
			end = i
		}
		if len(l.spans) < maxAttributes && (counts(tag, key, value) || l.images && tag == atom.Img && strings.EqualFold(key, "src")) {
			l.spans = append(l.spans, [2]int{from, min(end, len(s))})
		}
	}
	l.at = min(i+1, len(s))
	return selfClosed
}

// attributeValue reads a value that begins at s[i], and gives what is behind it.
func attributeValue(s string, i int) (string, int) {
	if i < len(s) && (s[i] == '"' || s[i] == '\'') {
		n := strings.IndexByte(s[i+1:], s[i])
		if n < 0 {
			return s[i+1:], len(s)
		}
		return s[i+1 : i+1+n], i + n + 2
	}
	from := i
	for i < len(s) && s[i] > ' ' && s[i] != '>' {
		i++
	}
	return s[from:i], i
}

// counts tells whether an attribute says something about text, links, or the page.
func counts(tag atom.Atom, key, value string) bool {
	switch len(key) {
	case 2:
		return strings.EqualFold(key, "id")
	case 3:
		return tag == atom.Img && (strings.EqualFold(key, "alt") && value != "" || strings.EqualFold(key, "src") && mathImage(value)) || strings.EqualFold(key, "rel") && tag != atom.Img
	case 4:
		return strings.EqualFold(key, "role") || strings.EqualFold(key, "href") || strings.EqualFold(key, "lang") ||
			tag == atom.Meta && strings.EqualFold(key, "name") || strings.EqualFold(key, "open")
	case 5:
		return strings.EqualFold(key, "class") && (tag != atom.Img || mathImage(value)) && tag != atom.Link ||
			strings.EqualFold(key, "style") && notShown(value) || strings.EqualFold(key, "start") && tag == atom.Ol || strings.EqualFold(key, "close")
	case 6:
		return strings.EqualFold(key, "hidden")
	case 7:
		return strings.EqualFold(key, "content") || strings.EqualFold(key, "alttext") || strings.EqualFold(key, "colspan") || strings.EqualFold(key, "rowspan") || strings.EqualFold(key, "display")
	}
	switch strings.ToLower(key) {
	case "aria-hidden", "itemprop", "property", "http-equiv", "datetime", "xml:lang", "encoding", "data-lang", "data-language", "mathvariant", "linethickness", "separators":
		return true
	}
	return false
}

// innerCount is how many names of inline elements innerOf tells apart.
const innerCount = 13

// innerOf numbers the inline elements that are left out where nothing depends on them; -1 for others.
func innerOf(tag atom.Atom) int {
	switch tag {
	case atom.Span:
		return 0
	case atom.B:
		return 1
	case atom.I:
		return 2
	case atom.U:
		return 3
	case atom.Em:
		return 4
	case atom.Strong:
		return 5
	case atom.Font:
		return 6
	case atom.Small:
		return 7
	case atom.Big:
		return 8
	case atom.S:
		return 9
	case atom.Strike:
		return 10
	case atom.Tt:
		return 11
	case atom.Nobr:
		return 12
	}
	return -1
}

// matters tells whether the attributes of an inline element make a block of it, or hide it.
func (l *leaner) matters() bool {
	for _, s := range l.spans {
		key, value, _ := strings.Cut(l.page[s[0]:s[1]], "=")
		switch strings.ToLower(strings.TrimSpace(key)) {
		case "class", "id":
			if wordHints(value)&(negative|comments|formulaWords|bylineWords) != 0 || l.pre > 0 && numbersLines(value) {
				return true
			}
		case "style", "hidden", "aria-hidden", "role", "itemprop":
			return true
		}
	}
	return false
}

// push notes an element, and tells whether it is to be copied. Beyond 64 within each other all are.
func (s *innerStack) push(keep bool) bool {
	s.depth++
	if s.depth > 64 {
		return true
	}
	s.kept <<= 1
	if keep {
		s.kept |= 1
	}
	return keep
}

// pop tells whether the end tag of the innermost element is to be copied.
func (s *innerStack) pop() bool {
	if s.depth == 0 {
		return false
	}
	s.depth--
	if s.depth >= 64 {
		return true
	}
	kept := s.kept&1 != 0
	s.kept >>= 1
	return kept
}

// emphatic tells of the inline elements that Markdown writes.
func emphatic(tag atom.Atom) bool {
	switch tag {
	case atom.B, atom.I, atom.Em, atom.Strong, atom.Tt:
		return true
	}
	return false
}
