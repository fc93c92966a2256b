package markdown

import (
	"slices"
	"strings"

	"golang.org/x/net/html/atom"

	"winnow/crawl/extract/blocks"
)

// table writes the table whose first block is i, and gives the last block of it; less than i where i begins none.
func (m *writer) table(i int, keep []bool) int {
	w := m.w
	of := nearest(w, w.Blocks[i].Owner, atom.Table)
	if of < 0 || w.Blocks[i].Kind != blocks.Row && !tabular(w, of, keep) {
		if w.Blocks[i].Kind == blocks.Row { // of no table: cells without one
			m.paragraph(&w.Blocks[i])
			return i
		}
		return i - 1
	}
	mixed := tabular(w, of, keep)
	var rows [][]string
	last, at := i-1, int32(-1)
	m.inTable = true
	for j := i; j < int(w.Elements[of].End); j++ {
		b := &w.Blocks[j]
		if !keep[j] {
			continue
		}
		if nearest(w, b.Owner, atom.Table) != of || b.Kind != blocks.Row && (!mixed || nearest(w, b.Owner, atom.Td, atom.Th) < 0) {
			break
		}
		if tr := nearest(w, b.Owner, atom.Tr); len(rows) == 0 || tr != at {
			rows, at = append(rows, nil), tr
		}
		rows[len(rows)-1] = m.cells(rows[len(rows)-1], b, len(rows) == 1)
		last = j
	}
	m.inTable = false
	if last >= i {
		m.put(w.Elements[of].Parent, grid(rows))
	}
	return last
}

// cells adds what a block holds to the cells of its row.
func (m *writer) cells(cells []string, b *blocks.Block, head bool) []string {
	parts := m.w.Structure.Rows[b.Start]
	if b.Kind != blocks.Row || parts == nil {
		parts = []blocks.Part{{From: b.Start, To: b.End, Owner: b.Owner}}
	}
	for _, p := range parts {
		text := m.inline(p.From, p.To, " ", head)
		at := len(cells)
		if c, ok := m.w.Structure.Cells[nearest(m.w, p.Owner, atom.Td, atom.Th)]; ok {
			at = c.Column
		}
		for len(cells) <= at {
			cells = append(cells, "")
		}
		if cells[at] != "" {
			cells[at] += " "
		}
		cells[at] += text
	}
	return cells
}

// grid lays out rows; columns in which no row has anything are left out. The first row is the head, as Markdown wants one.
func grid(rows [][]string) string {
	var used []bool
	for _, r := range rows {
		for c, text := range r {
			for len(used) <= c {
				used = append(used, false)
			}
			used[c] = used[c] || text != ""
		}
	}
	var out strings.Builder
	line := func(text func(c int) string) {
		out.WriteByte('|')
		for c, u := range used {
			if u {
				out.WriteString(" " + text(c) + " |")
			}
		}
	}
	width := len(used)
	for i, r := range rows {
		if i > 0 {
			out.WriteByte('\n')
			if width*len(rows) > maxGrid {
				used = used[:min(len(r), width)]
			}
		}
		line(func(c int) string {
			if c < len(r) {
				return r[c]
			}
			return ""
		})
		if i == 0 {
			out.WriteByte('\n')
			line(func(int) string { return "---" })
		}
	}
	return out.String()
}

// nearest is the closest element around at, or itself, with one of the tags; -1 for none. Cells and rows end at their table.
func nearest(w *blocks.Walker, at int32, tags ...atom.Atom) int32 {
	for ; at >= 0; at = w.Elements[at].Parent {
		tag := w.Elements[at].Tag
		if slices.Contains(tags, tag) {
			return at
		}
		if tag == atom.Table {
			break
		}
	}
	return -1
}

// tabular tells whether all of a table can be written as one: most of its rows are short, and the rest is plain text in
// cells.
func tabular(w *blocks.Walker, of int32, keep []bool) bool {
	if t, known := w.Structure.Tabular[of]; known {
		return t
	}
	rows, others, good := 0, 0, true
	at, run := int32(-1), 0 // the cell that blocks lie in, one behind the other
	for i := w.Elements[of].First; i < w.Elements[of].End && good; i++ {
		b := &w.Blocks[i]
		switch {
		case !keep[i] || nearest(w, b.Owner, atom.Caption) >= 0:
		case nearest(w, b.Owner, atom.Table) != of:
			good = false // a table within
		case b.Kind == blocks.Row:
			rows++
		case b.Kind == blocks.Plain && nearest(w, b.Owner, atom.Td, atom.Th) >= 0 && b.Size <= 2*blocks.MaxCell:
			others++
			if c := nearest(w, b.Owner, atom.Td, atom.Th); c == at {
				run++
			} else {
				at, run = c, 1
			}
			good = run <= 8
		default:
			good = false
		}
	}
	w.Structure.Tabular[of] = good && rows > 1 && others <= rows
	return w.Structure.Tabular[of]
}
