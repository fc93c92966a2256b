package tree

import (
	"strings"
	"unicode/utf8"
	"unsafe"

	"golang.org/x/net/html"
)

// decode resolves character references and line ends. What has none stays a part of the page.
func (b *Builder) decode(s string, attribute bool) string {
	at := strings.IndexByte(s, '&')
	if at < 0 {
		if b.returns && strings.IndexByte(s, '\r') >= 0 {
			return b.lines(s)
		}
		return s
	}
	if b.returns && strings.IndexByte(s, '\r') >= 0 {
		s = b.lines(s)
		at = strings.IndexByte(s, '&')
	}
	out := b.room(len(s) + len(s)/2 + 16)
	for at >= 0 {
		out = append(out, s[:at]...)
		s = s[at:]
		n := 1
		if out, n = reference(out, s, attribute); n == 0 {
			out, n = append(out, '&'), 1
		}
		s = s[n:]
		at = strings.IndexByte(s, '&')
	}
	return b.keep(append(out, s...))
}

// lines makes every line end a line feed.
func (b *Builder) lines(s string) string {
	out := b.room(len(s))
	for {
		n := strings.IndexByte(s, '\r')
		if n < 0 {
			return b.keep(append(out, s...))
		}
		out = append(append(out, s[:n]...), '\n')
		s = s[n+1:]
		if s != "" && s[0] == '\n' {
			s = s[1:]
		}
	}
}

// room is where n bytes of text may be written; keep makes a string of them. Strings lie in slabs, which are not written again
// before the next page.
func (b *Builder) room(n int) []byte {
	if cap(b.text)-len(b.text) < n {
		b.text = make([]byte, 0, max(n, min(textSlab, len(b.page)/16)))
	}
	return b.text[len(b.text):]
}

// textSlab is the bytes of a slab of text.
const textSlab = 16 << 10

func (b *Builder) keep(s []byte) string {
	if used := len(b.text) + len(s); used <= cap(b.text) && len(s) > 0 && unsafe.SliceData(s) == unsafe.SliceData(b.text[len(b.text):used]) {
		b.text = b.text[:used]
	}
	return unsafe.String(unsafe.SliceData(s), len(s))
}

// common are the names that most references have. It is read only.
var common = map[string]string{
	"amp;": "&", "lt;": "<", "gt;": ">", "quot;": `"`, "apos;": "'", "nbsp;": "\u00a0", "hellip;": "…", "mdash;": "—", "ndash;": "–", "rsquo;": "’", "lsquo;": "‘",
	"rdquo;": "”", "ldquo;": "“", "copy;": "©", "reg;": "®", "middot;": "·", "bull;": "•", "raquo;": "»", "laquo;": "«", "times;": "×", "euro;": "€", "uuml;": "ü",
	"ouml;": "ö", "auml;": "ä", "szlig;": "ß", "eacute;": "é", "egrave;": "è", "agrave;": "à", "trade;": "™", "shy;": "\u00ad",
}

// reference appends what the reference means that s begins with, and gives its length; 0 for none.
func reference(out []byte, s string, attribute bool) ([]byte, int) {
	if len(s) > 1 && s[1] == '#' {
		return numeric(out, s)
	}
	i := 1
	for i < len(s) && (s[i]|0x20 >= 'a' && s[i]|0x20 <= 'z' || s[i] >= '0' && s[i] <= '9') {
		i++
	}
	if i == 1 {
		return out, 0
	}
	closed := i < len(s) && s[i] == ';'
	if closed {
		i++
	}
	if meaning, ok := common[s[1:i]]; ok {
		return append(out, meaning...), i
	}
	if i > maxName {
		if attribute {
			return out, 0
		}
		i, closed = maxName, false
	}
	meaning := html.UnescapeString(s[:i])
	if !attribute {
		if meaning == s[:i] {
			return out, 0
		}
		return append(out, meaning...), i
	}
	// In an attribute the whole name has to be one.
	n := utf8.RuneCountInString(meaning)
	whole := n == 1 || n == 2 && closed && meaning[len(meaning)-1] != ';'
	if !whole || meaning[0] == '&' && meaning == s[:i] || !closed && i < len(s) && s[i] == '=' {
		return out, 0
	}
	return append(out, meaning...), i
}

// maxName is more bytes than a name has with its ampersand and semicolon.
const maxName = 40

// numeric reads a reference by number.
func numeric(out []byte, s string) ([]byte, int) {
	i, base := 2, rune(10)
	if i < len(s) && s[i]|0x20 == 'x' {
		i, base = 3, 16
	}
	first, x := i, rune(0)
	for ; i < len(s); i++ {
		c, d := s[i], rune(0)
		switch {
		case c >= '0' && c <= '9':
			d = rune(c - '0')
		case base == 16 && c|0x20 >= 'a' && c|0x20 <= 'f':
			d = rune(c|0x20-'a') + 10
		default:
			d = -1
		}
		if d < 0 {
			break
		}
		if x <= utf8.MaxRune {
			x = x*base + d
		}
	}
	if i == first {
		return out, 0
	}
	if i < len(s) && s[i] == ';' {
		i++
	}
	switch {
	case x >= 0x80 && x <= 0x9f: // Windows-1252 was meant
		out = append(out, html.UnescapeString(s[:i])...)
	case x == 0 || x > utf8.MaxRune || x >= 0xd800 && x <= 0xdfff:
		out = append(out, "\ufffd"...)
	default:
		out = utf8.AppendRune(out, x)
	}
	return out, i
}
