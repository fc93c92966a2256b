package tree

// closeTemplate closes the innermost open template.
func (b *Builder) closeTemplate() {
	b.closeImplied(unknown)
	for i := len(b.open) - 1; i >= 0; i-- {
		if b.open[i].tag.id == tTemplate {
			b.pop(i)
			break
		}
	}
	b.clearFormats()
	if len(b.templates) == 0 {
		b.hard = true
		return
	}
	b.templates = b.templates[:len(b.templates)-1]
	b.resetMode()
}

// inTemplate follows the rules for what stands in a template: its first element says what it is a part of.
func (b *Builder) inTemplate() bool {
	switch b.tok.kind {
	case text, comment, doctype:
		return b.body()
	case endTag:
		return b.tok.tag.id != tTemplate || b.inHead()
	case endOfPage:
		if b.count[tTemplate] == 0 {
			b.done = true
			return true
		}
		b.closeTemplate()
		return false
	}
	switch t := b.tok.tag; {
	case t.start == headTag || t.id == tTemplate:
		return b.inHead()
	case t.id == tCaption || t.id == tColgroup || t.groups&sections != 0:
		b.mode = inTable
	case t.id == tCol:
		b.mode = inColumns
	case t.id == tTr:
		b.mode = inSection
	case t.id == tTd || t.id == tTh:
		b.mode = inRow
	default:
		b.mode = inBody
	}
	if len(b.templates) == 0 {
		b.hard = true
		return true
	}
	b.templates[len(b.templates)-1] = b.mode
	return false
}
