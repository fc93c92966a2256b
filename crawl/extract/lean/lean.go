// Package lean makes a page's markup smaller before it is parsed: a page goes in, the same page comes out without what no text
// depends on. Which classes, styles and tags count is what package blocks makes something of.
package lean

import (
	"strings"

	"golang.org/x/net/html/atom"

	"winnow/crawl/extract/blocks"
)

// Lean copies a page without what no text depends on: scripts, styles, comments, drawings, most attributes, inline
// elements that change nothing but the looks, white space at the edges of blocks. The parser's time goes by tags,
// attributes and nodes, so what is left takes it half as long; its rules of nesting meet the same elements as before.
// Marking keeps emphasis, images their addresses: what Markdown writes. It fails where a page has too many nodes for a tree.
func (l *Leaner) Lean(page string, marking, images bool) error {
	*l = Leaner{page: page, marking: marking, images: images, Out: l.Out[:0], spans: l.spans}
	if l.Out == nil {
		l.Out = make([]byte, 0, len(page)/2+64)
	}
	for l.at < len(page) && l.nodes <= maxNodes {
		open := strings.IndexByte(page[l.at:], '<')
		if open < 0 {
			l.text(page[l.at:], false)
			break
		}
		text := page[l.at : l.at+open]
		l.at += open
		from := len(l.Out)
		l.text(text, true)
		to := len(l.Out)
		if l.tag() && l.pre == 0 && to > from && blank(l.Out[from:to]) { // nothing but space in front of a block
			l.Out = append(l.Out[:from], l.Out[to:]...)
		}
	}
	if l.nodes > maxNodes {
		return errNodes
	}
	return nil
}

func blank(b []byte) bool {
	for _, c := range b {
		if c > ' ' {
			return false
		}
	}
	return true
}

// Leaner is a pass over a page. The zero value is ready, and may be used for one page after the other.
type Leaner struct {
	page           string
	at             int    // in page
	Out            []byte // what is left of it; overwritten by the next page
	edge           bool   // a block was opened or closed, and no text came since
	pre            int    // open pre elements
	inner          [innerCount]innerStack
	marking        bool     // emphasis is copied
	images         bool     // their addresses are copied
	nodes, formats int      // what the parser will make at most; open formatting elements
	noEnd          bool     // an svg element without an end was met: no more are looked for
	spans          [][2]int // attributes to keep of the tag at hand
}

// innerStack remembers of the open inline elements of one name whether they were copied.
type innerStack struct {
	kept  uint64
	depth int
}

// text copies text. White space right behind the edge of a block is left out.
func (l *Leaner) text(s string, more bool) {
	if l.edge && l.pre == 0 {
		s = strings.TrimLeft(s, " \t\r\n\f")
		if s == "" {
			return
		}
	}
	if s != "" {
		l.nodes++
		l.edge = l.edge && more && strings.TrimLeft(s, " \t\r\n\f") == ""
		l.Out = append(l.Out, s...)
	}
}

// skipTo goes behind the next end, or to the end of the page.
func (l *Leaner) skipTo(end string) {
	if i := strings.Index(l.page[l.at:], end); i >= 0 {
		l.at += i + len(end)
	} else {
		l.at = len(l.page)
	}
}

// tag reads what begins with '<', and tells whether it starts or ends a block.
func (l *Leaner) tag() (block bool) {
	rest := l.page[l.at:]
	if len(rest) < 2 {
		l.copy(len(rest))
		return false
	}
	switch c := rest[1]; {
	case c == '!':
		l.declaration(rest)
	case c == '?':
		l.skipTo(">")
	case c == '/':
		return l.end(rest)
	case c|0x20 >= 'a' && c|0x20 <= 'z':
		return l.start(rest)
	default:
		l.edge = false
		l.copy(1)
	}
	return false
}

// gap leaves a space in place of an element that sets words apart.
func (l *Leaner) gap() {
	if n := len(l.Out); !l.edge && l.pre == 0 && n > 0 && l.Out[n-1] > ' ' {
		l.Out = append(l.Out, ' ')
	}
}

// copy copies n bytes.
func (l *Leaner) copy(n int) {
	l.Out = append(l.Out, l.page[l.at:l.at+n]...)
	l.at += n
}

// declaration leaves out comments and the like, but not the document type: it decides how tables nest.
func (l *Leaner) declaration(rest string) {
	if !strings.HasPrefix(rest, "<!--") {
		if len(rest) > 9 && strings.EqualFold(rest[2:9], "doctype") {
			from := l.at
			l.skipTo(">")
			l.Out = append(l.Out, l.page[from:l.at]...)
			return
		}
		l.skipTo(">")
		return
	}
	l.at += 2
	from := l.at
	l.skipTo("-->")
	if i := strings.Index(l.page[from:l.at], "--!>"); i >= 0 {
		l.at = from + i + len("--!>")
	}
}

// name reads the name of a tag from s[i:]: its length, and its atom, 0 for an unknown one.
func name(s string) (n int, a atom.Atom) {
	var lower [16]byte
	for n < len(s) {
		c := s[n]
		if c <= ' ' || c == '/' || c == '>' {
			break
		}
		if n < len(lower) {
			if c >= 'A' && c <= 'Z' {
				c |= 0x20
			}
			lower[n] = c
		}
		n++
	}
	if n > len(lower) {
		return n, 0
	}
	return n, atom.Lookup(lower[:n])
}

// end copies an end tag, without attributes.
func (l *Leaner) end(rest string) (block bool) {
	if len(rest) < 3 || rest[2]|0x20 < 'a' || rest[2]|0x20 > 'z' {
		l.skipTo(">")
		return false
	}
	n, tag := name(rest[2:])
	from := l.at
	l.at += 2 + n
	l.attributes(0)
	if k := innerOf(tag); k >= 0 {
		if !l.inner[k].pop() {
			return false
		}
	}
	switch tag {
	case atom.Script, atom.Style, atom.Iframe, atom.Noembed, atom.Noframes: // of none
		return false
	case atom.Pre, atom.Listing:
		l.pre = max(0, l.pre-1)
	}
	l.Out = append(append(l.Out, l.page[from:from+2+n]...), '>')
	block = blocks.IsBlock(tag)
	l.ended(tag, block)
	l.edge = l.edge || block
	return block
}

// start copies a start tag with the attributes that count.
func (l *Leaner) start(rest string) (block bool) {
	n, tag := name(rest[1:])
	from := l.at
	l.at += 1 + n
	selfClosed := l.attributes(tag)
	switch tag {
	case atom.Script:
		l.script(from)
		l.gap()
		return false
	case atom.Style, atom.Iframe, atom.Noembed, atom.Noframes:
		l.raw(rest[1 : 1+n])
		l.gap()
		return false
	case atom.Title, atom.Textarea, atom.Xmp:
		l.emit(from, n, false)
		body := l.at
		if end := l.raw(rest[1 : 1+n]); tag != atom.Textarea {
			l.Out = append(l.Out, l.page[body:end]...)
		}
		l.Out = append(append(append(l.Out, "</"...), rest[1:1+n]...), '>')
		l.edge = true
		return blocks.IsBlock(tag)
	case atom.Plaintext:
		l.emit(from, n, false)
		l.copy(len(l.page) - l.at)
		return true
	case atom.Svg:
		if l.drawing(selfClosed) {
			l.gap()
			return false
		}
	case atom.Source, atom.Track, atom.Wbr, atom.Param, atom.Base, atom.Area:
		return false
	case atom.Input, atom.Embed:
		l.gap()
		return false
	case atom.Img, atom.Link:
		if len(l.spans) == 0 {
			l.gap()
			return false
		}
	case atom.Pre, atom.Listing:
		l.pre++
	}
	if k := innerOf(tag); k >= 0 && !l.inner[k].push(l.matters() || l.marking && emphatic(tag)) {
		return false
	}
	l.emit(from, n, selfClosed)
	block = blocks.IsBlock(tag)
	l.opened(tag, block)
	l.edge = l.edge || block
	return block
}

// emit writes a start tag whose name has n bytes, with the attributes kept.
func (l *Leaner) emit(from, n int, selfClosed bool) {
	l.Out = append(l.Out, l.page[from:from+1+n]...)
	for _, s := range l.spans {
		l.Out = append(append(l.Out, ' '), l.page[s[0]:s[1]]...)
	}
	if selfClosed {
		l.Out = append(l.Out, " /"...)
	}
	l.Out = append(l.Out, '>')
}

// raw goes behind the end tag of an element whose content is no markup, and gives where the content ends.
func (l *Leaner) raw(name string) (end int) {
	for {
		i := strings.Index(l.page[l.at:], "</")
		if i < 0 {
			l.at = len(l.page)
			return l.at
		}
		end = l.at + i
		l.at = end + 2
		if rest := l.page[l.at:]; len(rest) > len(name) && strings.EqualFold(rest[:len(name)], name) {
			if c := rest[len(name)]; c <= ' ' || c == '/' || c == '>' {
				l.skipTo(">")
				return end
			}
		}
	}
}

// script copies a script of data, and leaves out others.
func (l *Leaner) script(from int) {
	head, body := l.page[from:l.at], l.at
	for tries := 0; ; tries++ {
		end := l.raw("script")
		if tries < maxNested && nestedScript(l.page[body:end]) && l.at < len(l.page) {
			continue // the end of a script within a comment within this one
		}
		if strings.Contains(head, "math/tex") {
			l.Out = append(append(append(l.Out, head...), l.page[body:end]...), "</script>"...)
		}
		if strings.Contains(head, "ld+json") {
			l.Out = append(append(append(l.Out, `<script type="application/ld+json">`...), l.page[body:end]...), "</script>"...)
		}
		return
	}
}

// maxNested is how often an end of a script is taken to be one within it.
const maxNested = 20

// nestedScript tells whether a script that would end here is within a comment that holds an open script element.
func nestedScript(s string) bool {
	open := strings.LastIndex(s, "<!--")
	if open < 0 || strings.Contains(s[open:], "-->") {
		return false
	}
	inner := s[open:]
	return strings.Count(inner, "<script") > strings.Count(inner, "</script")
}

// drawing leaves out an svg element that has an end, and tells whether it had.
func (l *Leaner) drawing(selfClosed bool) bool {
	if selfClosed || l.noEnd {
		return selfClosed
	}
	at := l.at
	for depth := 1; ; {
		end := strings.Index(l.page[at:], "</svg")
		if end < 0 {
			l.noEnd = true
			return false
		}
		depth += strings.Count(l.page[at:at+end], "<svg") - 1
		at += end + len("</svg")
		if depth <= 0 {
			l.at = at
			l.skipTo(">")
			return true
		}
	}
}
