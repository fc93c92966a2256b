package lean

import (
	"strings"

	"golang.org/x/net/html/atom"

	"winnow/crawl/extract/blocks"
)

// attributes goes behind the '>' of a tag, notes which attributes to keep, and tells whether the tag closes itself.
func (l *Leaner) attributes(tag atom.Atom) (selfClosed bool) {
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
	if len(key) < 2 {
		return false
	}
	is := func(name string) bool { return len(key) == len(name) && strings.EqualFold(key, name) }
	switch key[0] | 0x20 {
	case 'a':
		return is("alt") && tag == atom.Img && value != "" || is("alttext") || is("aria-hidden")
	case 'c':
		return is("class") && (tag != atom.Img || blocks.MathImage(value)) && tag != atom.Link || is("content") || is("colspan") || is("close")
	case 'd':
		return is("datetime") || is("display") || is("data-lang") || is("data-language")
	case 'e':
		return is("encoding")
	case 'h':
		return is("href") || is("hidden") || is("http-equiv")
	case 'i':
		return is("id") || is("itemprop")
	case 'l':
		return is("lang") || is("linethickness")
	case 'm':
		return is("mathvariant")
	case 'n':
		return is("name") && tag == atom.Meta
	case 'o':
		return is("open")
	case 'p':
		return is("property")
	case 'r':
		return is("role") || is("rowspan") || is("rel") && tag != atom.Img
	case 's':
		return is("src") && tag == atom.Img && blocks.MathImage(value) || is("style") && blocks.NotShown(value) || is("start") && tag == atom.Ol || is("separators")
	case 'x':
		return is("xml:lang")
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
func (l *Leaner) matters() bool {
	for _, s := range l.spans {
		key, value, _ := strings.Cut(l.page[s[0]:s[1]], "=")
		switch strings.ToLower(strings.TrimSpace(key)) {
		case "class", "id":
			if blocks.WordHints(value)&(blocks.Negative|blocks.Comments|blocks.FormulaWords|blocks.BylineWords) != 0 || l.pre > 0 && blocks.NumbersLines(value) {
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
