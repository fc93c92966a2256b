package tree

import "strings"

// clear closes elements down to a part of a table.
func (b *Builder) clear(stop func(t *tag) bool) {
	for i := len(b.open) - 1; i >= 0; i-- {
		if stop(b.open[i].tag) {
			b.pop(i + 1)
			return
		}
	}
}

func isTable(t *tag) bool   { return t.groups&tables != 0 }
func isRow(t *tag) bool     { return t.id == tHtml || t.id == tTr || t.id == tTemplate }
func isSection(t *tag) bool { return t.id == tHtml || t.groups&sections != 0 || t.id == tTemplate }

// startsPart tells of the start tags that end the cell or the row they stand in.
func startsPart(id uint8) bool {
	switch id {
	case tCaption, tCol, tColgroup, tTbody, tTfoot, tThead, tTr:
		return true
	}
	return false
}

// outsideTables tells of the end tags that mean nothing within a table.
func outsideTables(id uint8) bool {
	switch id {
	case tBody, tCaption, tCol, tColgroup, tHtml:
		return true
	}
	return false
}

// table follows the rules for what stands in a table.
func (b *Builder) table() bool {
	switch b.tok.kind {
	case text:
		if b.topTag().groups&outside != 0 && trimSpace(b.tok.data) == "" {
			b.addText(b.tok.data)
			return true
		}
	case startTag:
		if known, done := b.tableStart(b.tok.tag); known {
			return done
		}
	case endTag:
		switch id := b.tok.tag.id; {
		case id == tTable:
			if b.closeTag(tTable, tables) {
				b.resetMode()
			}
			return true
		case id == tTemplate:
			return b.inHead()
		case outsideTables(id) || id == tTbody || id == tTd || id == tTfoot || id == tTh || id == tThead || id == tTr:
			return true
		}
	case comment:
		b.addComment(b.top())
		return true
	case doctype:
		return true
	case endOfPage:
		return b.body()
	}
	b.foster = true
	done := b.body()
	b.foster = false
	return done
}

// tableStart deals with the start tags that a table knows.
func (b *Builder) tableStart(t *tag) (known, done bool) {
	switch t.id {
	case tCaption:
		b.clear(isTable)
		b.formats = append(b.formats, entry{})
		b.element()
		b.mode = inCaption
	case tColgroup:
		b.clear(isTable)
		b.element()
		b.mode = inColumns
	case tCol:
		b.imply(startTag, tColgroup)
		return true, false
	case tTbody, tTfoot, tThead:
		b.clear(isTable)
		b.element()
		b.mode = inSection
	case tTd, tTh, tTr:
		b.imply(startTag, tTbody)
		return true, false
	case tTable:
		if b.closeTag(tTable, tables) {
			b.resetMode()
			return true, false
		}
	case tStyle, tScript, tTemplate:
		return true, b.inHead()
	case tInput:
		for _, a := range b.tok.attr {
			if a.Key == "type" && strings.EqualFold(a.Val, "hidden") {
				b.empty()
				return true, true
			}
		}
		return false, false
	case tForm:
		if b.form == nil && b.count[tTemplate] == 0 {
			b.form = b.element()
			b.pop(len(b.open) - 1)
		}
	default:
		return false, false
	}
	return true, true
}

// resetMode finds the mode of what is open.
func (b *Builder) resetMode() {
	for i := len(b.open) - 1; i >= 0; i-- {
		switch b.open[i].tag.id {
		case tTd, tTh:
			b.mode = inCell
		case tTr:
			b.mode = inRow
		case tTbody, tThead, tTfoot:
			b.mode = inSection
		case tCaption:
			b.mode = inCaption
		case tColgroup:
			b.mode = inColumns
		case tTable:
			b.mode = inTable
		case tHead:
			b.mode = inHead
		case tTemplate:
			if len(b.templates) == 0 {
				b.hard = true
				return
			}
			b.mode = b.templates[len(b.templates)-1]
		case tBody:
			b.mode = inBody
		case tHtml:
			b.mode = afterHead
			if b.head == nil {
				b.mode = beforeHead
			}
		default:
			if i > 0 {
				continue
			}
			b.mode = inBody
		}
		return
	}
}

func (b *Builder) caption() bool {
	id := b.tok.tag.id
	switch b.tok.kind {
	case startTag:
		if startsPart(id) || id == tTd {
			return !b.closeCaption()
		}
	case endTag:
		switch {
		case id == tCaption:
			b.closeCaption()
			return true
		case id == tTable:
			return !b.closeCaption()
		case outsideTables(id) || id == tTbody || id == tTd || id == tTfoot || id == tTh || id == tThead || id == tTr:
			return true
		}
	}
	return b.body()
}

func (b *Builder) closeCaption() bool {
	if !b.closeTag(tCaption, tables) {
		return false
	}
	b.clearFormats()
	b.mode = inTable
	return true
}

func (b *Builder) columns() bool {
	switch b.tok.kind {
	case text:
		if b.onlySpace() {
			return true
		}
	case comment:
		b.addComment(b.top())
		return true
	case doctype:
		return true
	case startTag:
		switch b.tok.tag.id {
		case tHtml:
			return b.body()
		case tCol:
			b.empty()
			return true
		case tTemplate:
			return b.inHead()
		}
	case endTag:
		switch b.tok.tag.id {
		case tColgroup:
			if b.topTag().id == tColgroup {
				b.pop(len(b.open) - 1)
				b.mode = inTable
			}
			return true
		case tCol:
			return true
		case tTemplate:
			return b.inHead()
		}
	case endOfPage:
		return b.body()
	}
	if b.topTag().id != tColgroup {
		return true
	}
	b.pop(len(b.open) - 1)
	b.mode = inTable
	return false
}

func (b *Builder) section() bool {
	id := b.tok.tag.id
	switch b.tok.kind {
	case startTag:
		switch {
		case id == tTr:
			b.clear(isSection)
			b.element()
			b.mode = inRow
			return true
		case id == tTd || id == tTh:
			b.imply(startTag, tTr)
			return false
		case startsPart(id):
			return !b.closeSection()
		}
	case endTag:
		switch {
		case id == tTbody || id == tTfoot || id == tThead:
			if b.find(id, tables) >= 0 {
				b.clear(isSection)
				b.pop(len(b.open) - 1)
				b.mode = inTable
			}
			return true
		case id == tTable:
			return !b.closeSection()
		case outsideTables(id) || id == tTd || id == tTh || id == tTr:
			return true
		}
	case comment:
		b.addComment(b.top())
		return true
	}
	return b.table()
}

func (b *Builder) closeSection() bool {
	if !b.closeGroup(sections, tables) {
		return false
	}
	b.mode = inTable
	return true
}

func (b *Builder) row() bool {
	id := b.tok.tag.id
	switch b.tok.kind {
	case startTag:
		switch {
		case id == tTd || id == tTh:
			b.clear(isRow)
			b.element()
			b.formats = append(b.formats, entry{})
			b.mode = inCell
			return true
		case startsPart(id):
			return !b.closeRow()
		}
	case endTag:
		switch {
		case id == tTr:
			b.closeRow()
			return true
		case id == tTable:
			return !b.closeRow()
		case id == tTbody || id == tTfoot || id == tThead:
			return b.find(id, tables) < 0 || !b.closeRow()
		case outsideTables(id) || id == tTd || id == tTh:
			return true
		}
	}
	return b.table()
}

func (b *Builder) closeRow() bool {
	if b.find(tTr, tables) < 0 {
		return false
	}
	b.clear(isRow)
	b.pop(len(b.open) - 1)
	b.mode = inSection
	return true
}

func (b *Builder) cell() bool {
	id := b.tok.tag.id
	switch b.tok.kind {
	case startTag:
		if startsPart(id) || id == tTd || id == tTh {
			return !b.closeCell()
		}
	case endTag:
		switch {
		case id == tTd || id == tTh:
			if b.closeTag(id, tables) {
				b.clearFormats()
				b.mode = inRow
			}
			return true
		case outsideTables(id):
			return true
		case id == tTable || id == tTbody || id == tTfoot || id == tThead || id == tTr:
			if b.find(id, tables) < 0 {
				return true
			}
			b.closeCell()
			b.mode = inRow
			return false
		}
	}
	return b.body()
}

// closeCell closes the innermost open cell.
func (b *Builder) closeCell() bool {
	td, th := b.find(tTd, tables), b.find(tTh, tables)
	if max(td, th) < 0 {
		return false
	}
	b.pop(max(td, th))
	b.clearFormats()
	b.mode = inRow
	return true
}
