package tree

import (
	"strings"

	"golang.org/x/net/html"
)

// mode is the insertion mode: what a token means where it stands.
type mode uint8

const (
	initial mode = iota
	beforeHTML
	beforeHead
	inHead
	inNoscript // in the head
	afterHead
	inBody
	inText
	inTable
	inCaption
	inColumns
	inSection
	inRow
	inCell
	inTemplate
	afterBody
	afterAll
)

// construct deals with the token at hand.
func (b *Builder) construct() {
	for done := false; !done && !b.hard; {
		switch b.mode {
		case inBody:
			done = b.body()
		case inCell:
			done = b.cell()
		case inText:
			done = b.inText()
		case inTable:
			done = b.table()
		case inRow:
			done = b.row()
		case inSection:
			done = b.section()
		case inHead:
			done = b.inHead()
		case inCaption:
			done = b.caption()
		case inColumns:
			done = b.columns()
		default:
			done = b.around()
		}
	}
}

// around follows the rules for what stands around head and body.
func (b *Builder) around() bool {
	switch b.mode {
	case initial:
		return b.initial()
	case beforeHTML:
		return b.beforeHTML()
	case beforeHead:
		return b.beforeHead()
	case inNoscript:
		return b.inNoscript()
	case afterHead:
		return b.afterHead()
	case inTemplate:
		return b.inTemplate()
	}
	return b.after()
}

// space takes off the white space in front of a text, and tells whether that was all of it.
func (b *Builder) space() (space string, all bool) {
	rest := trimSpace(b.tok.data)
	space = b.tok.data[:len(b.tok.data)-len(rest)]
	b.tok.data = rest
	return space, rest == ""
}

// onlySpace puts the white space in front of a text into the tree, and tells whether that was all of it.
func (b *Builder) onlySpace() bool {
	space, all := b.space()
	b.addText(space)
	return all
}

func (b *Builder) initial() bool {
	switch b.tok.kind {
	case text:
		if _, all := b.space(); all {
			return true
		}
	case comment:
		b.addComment(b.doc)
		return true
	case doctype:
		b.doctype()
		b.mode = beforeHTML
		return true
	}
	b.quirks = true
	b.mode = beforeHTML
	return false
}

// doctype adds the document type. What it means for tables within paragraphs, the library knows.
func (b *Builder) doctype() {
	n := b.node(html.DoctypeNode)
	appendChild(b.doc, n)
	if b.tok.data == "html" {
		n.Data = "html"
		return
	}
	root, err := html.Parse(strings.NewReader("<!DOCTYPE " + html.EscapeString(b.tok.data) + "><p><table>"))
	if err != nil || root.FirstChild == nil || root.FirstChild.Type != html.DoctypeNode {
		b.hard = true
		return
	}
	n.Data, n.Attr = root.FirstChild.Data, root.FirstChild.Attr
	for e := range root.Descendants() {
		if e.Type == html.ElementNode && e.Data == "p" {
			b.quirks = e.FirstChild != nil
		}
	}
}

func (b *Builder) beforeHTML() bool {
	switch b.tok.kind {
	case doctype:
		return true
	case text:
		if _, all := b.space(); all {
			return true
		}
	case startTag:
		if b.tok.tag.id == tHtml {
			b.element()
			b.mode = beforeHead
			return true
		}
	case endTag:
		if !b.opensHead() {
			return true
		}
	case comment:
		b.addComment(b.doc)
		return true
	}
	b.imply(startTag, tHtml)
	return false
}

// opensHead tells of the end tags that are not passed over in front of a body.
func (b *Builder) opensHead() bool {
	switch b.tok.tag.id {
	case tHead, tBody, tHtml, tBr:
		return true
	}
	return false
}

func (b *Builder) beforeHead() bool {
	switch b.tok.kind {
	case text:
		if _, all := b.space(); all {
			return true
		}
	case startTag:
		switch b.tok.tag.id {
		case tHead:
			b.head = b.element()
			b.mode = inHead
			return true
		case tHtml:
			return b.body()
		}
	case endTag:
		if !b.opensHead() {
			return true
		}
	case comment:
		b.addComment(b.top())
		return true
	case doctype:
		return true
	}
	b.imply(startTag, tHead)
	return false
}

func (b *Builder) inHead() bool {
	switch b.tok.kind {
	case text:
		if b.onlySpace() {
			return true
		}
	case startTag:
		switch t := b.tok.tag; {
		case t.id == tHtml:
			return b.body()
		case t.id == tNoscript:
			b.element()
			b.mode = inNoscript
			return true
		case t.id == tHead:
			return true
		case t.id == tTemplate:
			b.element()
			b.formats = append(b.formats, entry{})
			b.mode = inTemplate
			b.templates = append(b.templates, inTemplate)
			return true
		case t.start == headTag && t.groups&raw == 0:
			b.empty()
			return true
		case t.start == headTag:
			b.element()
			b.back, b.mode = b.mode, inText
			return true
		}
	case endTag:
		switch {
		case b.tok.tag.id == tHead:
			b.pop(len(b.open) - 1)
			b.mode = afterHead
			return true
		case b.tok.tag.id == tTemplate:
			if b.count[tTemplate] > 0 {
				b.closeTemplate()
			}
			return true
		case !b.opensHead():
			return true
		}
	case comment:
		b.addComment(b.top())
		return true
	case doctype:
		return true
	}
	b.imply(endTag, tHead)
	return false
}

func (b *Builder) inNoscript() bool {
	t := b.tok.tag
	switch b.tok.kind {
	case doctype:
		return true
	case startTag:
		switch t.id {
		case tHtml:
			return b.body()
		case tBasefont, tBgsound, tLink, tMeta, tNoframes, tStyle:
			return b.inHead()
		case tHead, tNoscript:
			return true
		}
	case endTag:
		if t.id != tNoscript && t.id != tBr {
			return true
		}
	case text:
		if trimSpace(b.tok.data) == "" {
			return b.inHead()
		}
	case comment:
		return b.inHead()
	}
	b.pop(len(b.open) - 1)
	b.mode = inHead
	return b.tok.kind == endTag && t.id == tNoscript
}

func (b *Builder) afterHead() bool {
	switch b.tok.kind {
	case text:
		if b.onlySpace() {
			return true
		}
	case startTag:
		switch t := b.tok.tag; {
		case t.id == tHtml:
			return b.body()
		case t.id == tBody:
			b.element()
			b.mode = inBody
			return true
		case t.id == tHead:
			return true
		case t.id == tFrameset:
			b.hard = true
			return true
		case t.start == headTag || t.id == tTemplate:
			b.push(b.head, &tags[tHead])
			done := b.inHead()
			if i := b.indexOf(b.head); i >= 0 {
				b.open = append(b.open[:i], b.open[i+1:]...)
				b.count[tHead]--
			}
			return done
		}
	case endTag:
		if b.tok.tag.id == tTemplate {
			return b.inHead()
		}
		if !b.opensHead() || b.tok.tag.id == tHead {
			return true
		}
	case comment:
		b.addComment(b.top())
		return true
	case doctype:
		return true
	}
	b.imply(startTag, tBody)
	if b.tok.kind == endOfPage {
		b.done = true
		return true
	}
	return false
}

// inText follows the rules for elements that hold text alone.
func (b *Builder) inText() bool {
	switch b.tok.kind {
	case text:
		s := b.tok.data
		if b.topTag().id == tTextarea && b.top().FirstChild == nil {
			s = strings.TrimPrefix(strings.TrimPrefix(s, "\r"), "\n")
		}
		b.addText(s)
		return true
	case endOfPage, endTag:
		b.pop(len(b.open) - 1)
	}
	b.mode = b.back
	return b.tok.kind == endTag
}

// after follows the rules for what stands behind the body.
func (b *Builder) after() bool {
	switch b.tok.kind {
	case endOfPage:
		b.done = true
		return true
	case text:
		if trimSpace(b.tok.data) == "" {
			return b.body()
		}
	case startTag:
		if b.tok.tag.id == tHtml {
			return b.body()
		}
	case endTag:
		if b.mode == afterBody && b.tok.tag.id == tHtml {
			b.mode = afterAll
			return true
		}
	case comment:
		if b.mode == afterBody {
			b.addComment(b.open[0].node)
		} else {
			b.addComment(b.doc)
		}
		return true
	case doctype:
		if b.mode == afterAll {
			return true
		}
	}
	b.mode = inBody
	return false
}
