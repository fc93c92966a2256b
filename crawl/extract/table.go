package extract

import (
	"slices"
	"strings"

	"golang.org/x/net/html/atom"
)

// table writes the table whose first block is i, and gives the last block of it; less than i where i begins none.
func (m *markdown) table(i int, keep []bool) int {
	w := m.w
	of := w.nearest(w.blocks[i].owner, atom.Table)
	if of < 0 || w.blocks[i].kind != row && !w.tabular(of, keep) {
		if w.blocks[i].kind == row { // of no table: cells without one
			m.paragraph(&w.blocks[i])
			return i
		}
		return i - 1
	}
	mixed := w.tabular(of, keep)
	var rows [][]string
	last, at := i-1, int32(-1)
	m.inTable = true
	for j := i; j < int(w.elements[of].end); j++ {
		b := &w.blocks[j]
		if !keep[j] {
			continue
		}
		if w.nearest(b.owner, atom.Table) != of || b.kind != row && (!mixed || w.nearest(b.owner, atom.Td, atom.Th) < 0) {
			break
		}
		if tr := w.nearest(b.owner, atom.Tr); len(rows) == 0 || tr != at {
			rows, at = append(rows, nil), tr
		}
		rows[len(rows)-1] = m.cells(rows[len(rows)-1], b, len(rows) == 1)
		last = j
	}
	m.inTable = false
	if last >= i {
		m.put(w.elements[of].parent, grid(rows))
	}
	return last
}

// cells adds what a block holds to the cells of its row.
func (m *markdown) cells(cells []string, b *block, head bool) []string {
	parts := m.w.structure.rows[b.start]
	if b.kind != row || parts == nil {
		parts = []part{{b.start, b.end, b.owner}}
	}
	for _, p := range parts {
		text := m.inline(p.from, p.to, " ", head)
		at := len(cells)
		if c, ok := m.w.structure.cells[m.w.nearest(p.owner, atom.Td, atom.Th)]; ok {
			at = c.column
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
func (w *walker) nearest(at int32, tags ...atom.Atom) int32 {
	for ; at >= 0; at = w.elements[at].parent {
		tag := w.elements[at].tag
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
func (w *walker) tabular(of int32, keep []bool) bool {
	if t, known := w.structure.tabular[of]; known {
		return t
	}
	rows, others, good := 0, 0, true
	at, run := int32(-1), 0 // the cell that blocks lie in, one behind the other
	for i := w.elements[of].first; i < w.elements[of].end && good; i++ {
		b := &w.blocks[i]
		switch {
		case !keep[i] || w.nearest(b.owner, atom.Caption) >= 0:
		case w.nearest(b.owner, atom.Table) != of:
			good = false // a table within
		case b.kind == row:
			rows++
		case b.kind == plain && w.nearest(b.owner, atom.Td, atom.Th) >= 0 && b.size <= 2*maxCell:
			others++
			if c := w.nearest(b.owner, atom.Td, atom.Th); c == at {
				run++
			} else {
				at, run = c, 1
			}
			good = run <= 8
		default:
			good = false
		}
	}
	w.structure.tabular[of] = good && rows > 1 && others <= rows
	return w.structure.tabular[of]
}
