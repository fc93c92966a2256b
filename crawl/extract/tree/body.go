package tree

import (
	"slices"
	"strings"

	"golang.org/x/net/html"
)

// find gives the innermost open element of a tag, unless one of the groups in between hides it; -1 for none.
func (b *Builder) find(id uint8, hiding group) int {
	if b.count[id] == 0 {
		return -1
	}
	for i := len(b.open) - 1; i >= 0; i-- {
		switch t := b.open[i].tag; {
		case t.id == id:
			return i
		case t.groups&hiding != 0:
			return -1
		}
	}
	return -1
}

// closeTag closes the innermost open element of a tag, and tells whether there was one.
func (b *Builder) closeTag(id uint8, hiding group) bool {
	i := b.find(id, hiding)
	if i >= 0 {
		b.pop(i)
	}
	return i >= 0
}

// closeGroup closes the innermost open element of a group.
func (b *Builder) closeGroup(g, hiding group) bool {
	for i := len(b.open) - 1; i >= 0; i-- {
		switch t := b.open[i].tag; {
		case t.groups&g != 0:
			b.pop(i)
			return true
		case t.groups&hiding != 0:
			return false
		}
	}
	return false
}

// closeImplied closes the elements whose end tags may be left out, but for one tag.
func (b *Builder) closeImplied(but uint8) {
	i := len(b.open)
	for i > 0 && b.open[i-1].tag.groups&implied != 0 && b.open[i-1].tag.id != but {
		i--
	}
	b.pop(i)
}

func (b *Builder) closeParagraph() { b.closeTag(tP, scope|buttons) }

// body follows the rules for what stands in a body, and tells whether the token is done with.
func (b *Builder) body() bool {
	switch b.tok.kind {
	case text:
		b.bodyText()
	case startTag:
		return b.bodyStart()
	case endTag:
		return b.bodyEnd()
	case comment:
		n := b.node(html.CommentNode)
		n.Data = b.tok.data
		b.add(n)
	case endOfPage:
		if len(b.templates) > 0 {
			b.mode = inTemplate
			return false
		}
		b.done = true
	}
	return true
}

func (b *Builder) bodyText() {
	s := b.tok.data
	if t := b.topTag(); t.start == preBlock && b.top().FirstChild == nil {
		s = strings.TrimPrefix(strings.TrimPrefix(s, "\r"), "\n")
	}
	if s != "" {
		b.reopen()
		b.addText(s)
	}
}

func (b *Builder) bodyStart() bool {
	switch t := b.tok.tag; t.start {
	case block:
		b.closeParagraph()
		b.element()
	case formatting:
		b.reopen()
		b.addFormat()
	case anchor:
		b.closeAnchor()
		b.reopen()
		b.addFormat()
	case paragraph:
		b.closeParagraph()
		b.element()
	case listItem, term:
		b.closeItem(t)
		b.closeParagraph()
		b.element()
	case void, lineBreak:
		b.reopen()
		b.empty()
	case heading:
		b.closeParagraph()
		if b.topTag().groups&titles != 0 {
			b.pop(len(b.open) - 1)
		}
		b.element()
	case headTag, templateTag:
		return b.inHead()
	case tableTag:
		if !b.quirks {
			b.closeParagraph()
		}
		b.element()
		b.mode = inTable
	case nothing:
	case other:
		b.reopen()
		b.element()
	default:
		return b.rareStart(t)
	}
	return true
}

// rareStart follows the rules for the other start tags.
func (b *Builder) rareStart(t *tag) bool {
	switch t.start {
	case htmlTag:
		if b.count[tTemplate] == 0 {
			b.addAttributes(b.open[0].node)
		}
	case bodyTag:
		if b.count[tTemplate] == 0 && len(b.open) >= 2 && b.open[1].tag.id == tBody {
			b.addAttributes(b.open[1].node)
		}
	case preBlock:
		b.closeParagraph()
		b.element()
	case formBlock:
		if b.form == nil || b.count[tTemplate] > 0 {
			b.closeParagraph()
			if n := b.element(); b.count[tTemplate] == 0 {
				b.form = n
			}
		}
	case buttonTag:
		if b.find(tButton, scope) >= 0 {
			b.closeImplied(unknown)
			b.closeTag(tButton, scope)
		}
		b.reopen()
		b.element()
	case noBreak:
		b.reopen()
		if b.find(tNobr, scope) >= 0 {
			b.endFormat(&tags[tNobr], "nobr")
			b.reopen()
		}
		b.addFormat()
	case boundary:
		b.reopen()
		b.element()
		b.formats = append(b.formats, entry{})
	case voidInput:
		b.closeTag(tSelect, scope)
		b.reopen()
		b.empty()
	case voidPlain:
		b.empty()
	case voidBlock:
		if b.find(tP, scope|buttons) >= 0 {
			b.closeImplied(tP)
			b.closeTag(tP, scope)
		}
		if b.find(tSelect, scope) >= 0 {
			b.closeImplied(unknown)
		}
		b.empty()
	case imageTag:
		b.tok.tag, b.tok.name = &tags[tImg], "img"
		return false
	case noscriptTag:
		b.reopen()
		b.element()
	case textareaTag, rawText:
		b.element()
		b.back, b.mode = b.mode, inText
	case xmpTag:
		b.closeParagraph()
		b.reopen()
		b.element()
		b.back, b.mode = b.mode, inText
	case foreign:
		b.hard = true
	default:
		b.choices(t)
	}
	return true
}

// choices follows the rules for what stands in a select or a ruby.
func (b *Builder) choices(t *tag) {
	switch t.start {
	case selectTag:
		if b.closeTag(tSelect, scope) {
			return
		}
		b.reopen()
	case optionTag, optgroupTag:
		if b.find(tSelect, scope) >= 0 {
			but := uint8(unknown)
			if t.start == optionTag {
				but = tOptgroup
			}
			b.closeImplied(but)
		} else if b.topTag().id == tOption {
			b.pop(len(b.open) - 1)
		}
		b.reopen()
	case rubyBase, rubyText:
		if b.find(tRuby, scope) >= 0 {
			but := uint8(unknown)
			if t.start == rubyText {
				but = tRtc
			}
			b.closeImplied(but)
		}
	}
	b.element()
}

// closeItem closes the item or term that another one ends.
func (b *Builder) closeItem(t *tag) {
	if t.start == listItem && b.count[tLi] == 0 || t.start == term && b.count[tDd] == 0 && b.count[tDt] == 0 {
		return
	}
	for i := len(b.open) - 1; i >= 0; i-- {
		switch e := b.open[i].tag; {
		case e.start == t.start:
			b.pop(i)
			return
		case e.id == tAddress || e.id == tDiv || e.id == tP:
		case e.groups&special != 0:
			return
		}
	}
}

// addAttributes adds the attributes of the tag at hand that a node does not have.
func (b *Builder) addAttributes(n *html.Node) {
	for _, a := range b.tok.attr {
		if len(n.Attr) >= 4*maxAttributes {
			b.hard = true
		}
		if !slices.ContainsFunc(n.Attr, func(have html.Attribute) bool { return have.Key == a.Key }) {
			n.Attr = append(n.Attr, a)
		}
	}
}

func (b *Builder) bodyEnd() bool {
	switch t := b.tok.tag; t.end {
	case block:
		if b.find(t.id, scope) >= 0 {
			b.closeImplied(unknown)
			b.closeTag(t.id, scope)
		}
	case formatting:
		b.endFormat(t, b.tok.name)
	case paragraph:
		if b.find(tP, scope|buttons) < 0 {
			b.imply(startTag, tP)
		}
		b.closeParagraph()
	case listItem:
		b.closeTag(tLi, scope|lists)
	case term:
		b.closeTag(t.id, scope)
	case heading:
		b.closeGroup(titles, scope)
	case other, nothing:
		b.endOther(t, b.tok.name)
	case formBlock:
		b.closeForm()
	case boundary:
		if b.closeTag(t.id, scope) {
			b.clearFormats()
		}
	case lineBreak:
		b.tok.kind = startTag
		return false
	case bodyTag:
		if b.find(tBody, scope) >= 0 {
			b.mode = afterBody
		}
	case htmlTag:
		if b.find(tBody, scope) >= 0 {
			b.imply(endTag, tBody)
			return false
		}
	case templateTag:
		return b.inHead()
	case foreign:
		b.hard = true
	}
	return true
}

// closeForm closes the form, but not what was opened within.
func (b *Builder) closeForm() {
	i := b.find(tForm, scope)
	if b.count[tTemplate] > 0 {
		if i >= 0 {
			if b.closeImplied(unknown); i < len(b.open) {
				b.closeTag(tForm, scope)
			}
		}
		return
	}
	n := b.form
	b.form = nil
	if i >= 0 && n != nil && b.open[i].node == n {
		b.closeImplied(unknown)
		if i = b.indexOf(n); i >= 0 {
			b.count[tForm]--
			b.open = slices.Delete(b.open, i, i+1)
		}
	}
}

// endOther closes the innermost open element of a tag, unless a special one is open within.
func (b *Builder) endOther(t *tag, name string) {
	if b.count[t.id] == 0 {
		return
	}
	for i := len(b.open) - 1; i >= 0; i-- {
		e := b.open[i]
		if e.tag == t && (t.id != unknown || e.node.Data == name) {
			b.pop(i)
			return
		}
		if e.tag.groups&special != 0 {
			return
		}
	}
}

// indexOf is where a node lies among the open elements; -1 for a closed one.
func (b *Builder) indexOf(n *html.Node) int {
	for i := len(b.open) - 1; i >= 0; i-- {
		if b.open[i].node == n {
			return i
		}
	}
	return -1
}
