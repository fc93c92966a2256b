package tree

import (
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// kind of a token.
type kind uint8

const (
	endOfPage kind = iota
	text
	startTag
	endTag
	comment
	doctype
)

// token is what was read last. Strings are parts of the page where nothing in them had to be resolved.
type token struct {
	kind kind
	tag  *tag
	name string // of a tag, in lower case
	data string // of text, comment, doctype
	attr []html.Attribute
}

func isSpace(c byte) bool { return c == ' ' || c == '\n' || c == '\t' || c == '\r' || c == '\f' }

func skipSpace(s string, i int) int {
	for i < len(s) && isSpace(s[i]) {
		i++
	}
	return i
}

// trimSpace is s without the white space in front.
func trimSpace(s string) string { return s[skipSpace(s, 0):] }

// next reads a token.
func (b *Builder) next() {
	b.tok = token{tag: &tags[unknown]}
	if b.rawTag != nil {
		body := b.rawBody()
		b.rawTag = nil
		if body != "" {
			b.tok.kind, b.tok.data = text, body
			return
		}
	}
	page, from := b.page, b.at
	for i := from; i < len(page); {
		n := strings.IndexByte(page[i:], '<')
		if n < 0 || i+n+1 == len(page) {
			break
		}
		i += n
		c := page[i+1]
		if c|0x20 < 'a' || c|0x20 > 'z' {
			if c != '/' && c != '!' && c != '?' {
				i++
				continue
			}
			if c == '/' && i+2 == len(page) && i == from {
				break
			}
		}
		if i > from {
			b.at = i
			b.tok.kind, b.tok.data = text, b.decode(page[from:i], false)
			return
		}
		b.at = i + 2
		switch c {
		case '/':
			b.endTag()
		case '!':
			b.declaration()
		case '?':
			b.at--
			b.bogus()
		default:
			b.at--
			b.startTag()
		}
		return
	}
	b.at = len(page)
	if from < len(page) {
		b.tok.kind, b.tok.data = text, b.decode(page[from:], false)
	}
}

// bogus reads a comment that ends with the next '>'.
func (b *Builder) bogus() {
	rest := b.page[b.at:]
	n := strings.IndexByte(rest, '>')
	if n < 0 {
		b.at = len(b.page)
	} else {
		rest = rest[:n]
		b.at += n + 1
	}
	b.tok.kind, b.tok.data = comment, b.decode(rest, false)
}

// declaration reads what begins with "<!".
func (b *Builder) declaration() {
	rest := b.page[b.at:]
	switch {
	case len(rest) < len("doctype>"):
		b.hard = true // unfinished ones
	case rest[0] == '-' && rest[1] == '-':
		b.comment(rest)
	case equalFold("doctype", rest[:7]):
		at := skipSpace(rest, 7)
		n := strings.IndexByte(rest[at:], '>')
		if n < 0 {
			b.hard = true
			return
		}
		b.tok.kind, b.tok.data = doctype, b.decode(rest[at:at+n], false)
		b.at += at + n + 1
	default:
		b.bogus()
	}
}

// comment reads a comment; rest begins with its two dashes.
func (b *Builder) comment(rest string) {
	b.tok.kind = comment
	if rest[2] == '>' {
		b.at += 3
		return
	}
	if rest[2] == '-' && rest[3] == '>' {
		b.at += 4
		return
	}
	for i := 2; ; {
		n := strings.Index(rest[i:], "--")
		if n < 0 {
			break
		}
		i += n
		end := i + 2
		for end < len(rest) && rest[end] == '-' {
			end++
		}
		if end < len(rest) && rest[end] == '>' {
			b.tok.data = b.decode(rest[2:end-2], false)
			b.at += end + 1
			return
		}
		if end+1 < len(rest) && rest[end] == '!' && rest[end+1] == '>' {
			b.tok.data = b.decode(rest[2:end-2], false)
			b.at += end + 2
			return
		}
		i = end
	}
	b.hard = true // one without an end
}

// startTag reads a start tag, the page being at its name. One that the page ends in is none.
func (b *Builder) startTag() {
	b.name()
	if !b.attributes(true) {
		b.tok.kind, b.at = endOfPage, len(b.page)
		return
	}
	b.tok.kind = startTag
	if b.tok.tag.groups&raw != 0 {
		b.rawTag = b.tok.tag
	}
}

func (b *Builder) endTag() {
	c := byte(0)
	if b.at < len(b.page) {
		c = b.page[b.at]
	}
	switch {
	case c == '>':
		b.at++
		b.tok.kind = comment
	case c|0x20 >= 'a' && c|0x20 <= 'z':
		b.name()
		b.tok.kind = endTag
		if !b.attributes(false) {
			b.tok.kind, b.at = endOfPage, len(b.page)
		}
	case b.at >= len(b.page):
		b.hard = true
	default:
		b.bogus()
	}
}

// name reads the name of a tag.
func (b *Builder) name() {
	s, i, key := b.page, b.at, uint64(0)
	for i < len(s) {
		c := s[i]
		if c <= '>' && (isSpace(c) || c == '/' || c == '>') {
			break
		}
		if c >= 'A' && c <= 'Z' {
			c |= 0x20
		}
		key = keyOf(key, c)
		i++
	}
	name := s[b.at:i]
	b.at = i
	b.tok.tag = find(name, key)
	if b.tok.tag.id == unknown {
		b.tok.name = lower(name)
	} else {
		b.tok.name = b.tok.tag.name
	}
}

// atomOf is the atom of a tag.
func (t *token) atomOf() atom.Atom {
	if t.tag.id != unknown || len(t.name) > 32 {
		return t.tag.atom
	}
	return atom.Lookup([]byte(t.name))
}

// maxAttributes is how many attributes of an element are read here; a page with more is for the library.
const maxAttributes = 256

// attributes goes behind the '>' of a tag, and keeps its attributes; false where the page ends before.
func (b *Builder) attributes(keep bool) bool {
	s, i := b.page, b.at
	b.own = len(b.attr)
	for {
		i = skipSpace(s, i)
		if i >= len(s) {
			return false
		}
		if s[i] == '>' {
			break
		}
		from := i
		for i < len(s) {
			if c := s[i]; c <= '>' && (isSpace(c) || c == '/' || c == '>' || c == '=' && i > from) {
				break
			}
			i++
		}
		key, value, ok := s[from:i], "", true
		if value, i, ok = attributeValue(s, i); !ok {
			return false
		}
		if keep && key != "" {
			b.addAttribute(lower(key), value)
		}
	}
	b.at = i + 1
	if own := b.attr[b.own:]; len(own) > 0 {
		b.tok.attr = own[:len(own):len(own)]
	}
	return true
}

// addAttribute keeps an attribute that its element does not have yet.
func (b *Builder) addAttribute(key, value string) {
	own := b.attr[b.own:]
	for i := range own {
		if own[i].Key == key {
			return
		}
	}
	if len(own) >= maxAttributes {
		b.hard = true
		return
	}
	if len(b.attr) == cap(b.attr) { // those of other elements stay where they are
		b.attr, b.own = append(b.attributeSlab(), own...), 0
	}
	b.attr = append(b.attr, html.Attribute{Key: key, Val: b.decode(value, true)})
}

// attributeValue reads what follows a key, and gives where it ends; false where the page ends before.
func attributeValue(s string, i int) (value string, end int, ok bool) {
	i = skipSpace(s, i)
	if i >= len(s) {
		return "", i, false
	}
	switch s[i] {
	case '/':
		return "", i + 1, true
	case '=':
	default:
		return "", i, true
	}
	i = skipSpace(s, i+1)
	if i >= len(s) {
		return "", i, false
	}
	from := i
	switch s[i] {
	case '>':
		return "", i, true
	case '"', '\'':
		n := strings.IndexByte(s[i+1:], s[i])
		if n < 0 {
			return "", i, false
		}
		return s[i+1 : i+1+n], i + n + 2, true
	}
	for i++; i < len(s) && s[i] != '>' && !isSpace(s[i]); i++ {
	}
	return s[from:i], i, i < len(s)
}
