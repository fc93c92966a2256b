// Package markdown writes main text as Markdown: the blocks of a page with the choice among them go in, CommonMark with tables
// comes out, formulas between dollar signs.
package markdown

import (
	"net/url"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/net/html/atom"

	"winnow/crawl/extract/blocks"
)

// Limits of what is written.
const (
	maxContainers = 16      // quotes and lists within each other
	maxGrid       = 1 << 20 // cells of a table that are written with the empty ones at the ends of rows
	maxGuesses    = 10000   // beginnings of formulas in a text without an end, from which on no more are looked for
)

// writer writes the blocks that are kept as Markdown.
type writer struct {
	w       *blocks.Walker
	base    *url.URL // of the page; nil where it is not known
	out     strings.Builder
	buf     strings.Builder
	open    []blocks.Span // that have begun
	next    int           // in the walker's spans: the first that has not begun
	image   int           // in the walker's spans: the first that was not looked at for its image
	inTable bool
	guesses int           // beginnings of formulas without an end
	begun   map[int32]int // by list item that has its marker: the marker's width
	stack   []int32       // the quotes and begun items around the last block
	item    bool          // the last block began an item
}

// Write writes the blocks of a page that are kept, by a walker that noted their structure. Addresses are resolved against the
// page's own, where it is known.
func Write(w *blocks.Walker, keep []bool, pageURL string) string {
	m := writer{w: w, begun: map[int32]int{}}
	m.out.Grow(len(w.Text))
	m.base, _ = url.Parse(pageURL)
	for i := 0; i < len(w.Blocks); i++ {
		if !keep[i] {
			continue
		}
		m.images(i, w.Blocks[i].Start)
		i = m.block(i, keep)
		m.images(i, w.Blocks[i].End)
	}
	return m.out.String()
}

// block writes block i, with a table all of its rows, and gives the last one written.
func (m *writer) block(i int, keep []bool) int {
	b := &m.w.Blocks[i]
	switch b.Kind {
	case blocks.Row:
		return m.table(i, keep)
	case blocks.Code:
		text := m.w.Text[b.Start:b.End]
		f := fence(text, 3)
		m.spansIn(b.Start, b.End, false)
		m.put(b.Owner, f+m.w.Structure.Language[b.Owner]+"\n"+string(text)+"\n"+f)
	case blocks.Heading:
		text := m.inline(b.Start, b.End, " ", true)
		if strings.HasSuffix(text, "#") {
			text = text[:len(text)-1] + `\#`
		}
		m.put(b.Owner, strings.Repeat("#", max(1, int(b.Rank)))+" "+text)
	default:
		if last := m.table(i, keep); last >= i {
			return last
		}
		m.paragraph(b)
	}
	return i
}

// paragraph writes a block of text; one that is code from end to end, on more than one line, is written as such.
func (m *writer) paragraph(b *blocks.Block) {
	spans := m.w.Structure.Spans
	for i := m.next; i < len(spans) && spans[i].From <= b.Start; i++ {
		if s := spans[i]; s.Kind == blocks.CodeSpan && s.From == b.Start && s.To >= b.End && slices.Contains(m.w.Text[b.Start:b.End], '\n') {
			f := fence(m.w.Text[b.Start:b.End], 3)
			m.put(b.Owner, f+"\n"+string(m.w.Text[b.Start:b.End])+"\n"+f)
			return
		}
	}
	lines := strings.Split(m.inline(b.Start, b.End, "\n", false), "\n")
	for i, line := range lines {
		lines[i] = safeStart(line)
	}
	m.put(b.Owner, strings.Join(lines, "  \n"))
}

// safeStart puts a backslash where a line would begin a heading, a list, a quote or a rule.
func safeStart(line string) string {
	if line == "" {
		return line
	}
	digits := 0
	for digits < len(line) && digits < 9 && line[digits] >= '0' && line[digits] <= '9' {
		digits++
	}
	rest := line[digits:]
	ends := func(n int) bool { return len(rest) == n || rest[n] == ' ' }
	switch {
	case digits > 0:
		if rest != "" && (rest[0] == '.' || rest[0] == ')') && ends(1) {
			return line[:digits] + `\` + rest
		}
	case rest[0] == '>', rest[0] == '#' && (ends(1) || strings.Contains(rest[:min(len(rest), 7)], "# ") || strings.Trim(rest, "#") == ""),
		(rest[0] == '-' || rest[0] == '+' || rest[0] == '*') && ends(1),
		strings.Trim(rest, "- ") == "", strings.Trim(rest, "= ") == "", strings.HasPrefix(rest, "~~~"):
		return `\` + line
	}
	return line
}

// put writes the lines of a block behind the marks of the quotes and items that it stands in.
func (m *writer) put(owner int32, body string) {
	around, begins := m.around(owner)
	shared := 0
	for shared < len(around) && shared < len(m.stack) && around[shared] == m.stack[shared] {
		shared++
	}
	if m.out.Len() > 0 {
		m.out.WriteByte('\n')
		if !begins || !m.item {
			m.out.WriteString(strings.TrimRight(m.prefix(around[:shared]), " ") + "\n")
		}
	}
	first := m.prefix(around)
	if begins {
		e := around[len(around)-1]
		marker := "- "
		if n, ordered := m.w.Structure.Numbers[e]; ordered {
			marker = strconv.Itoa(n) + ". "
		}
		first = m.prefix(around[:len(around)-1]) + marker
		m.begun[e] = len(marker)
	}
	rest := m.prefix(around)
	for i, line := range strings.Split(body, "\n") {
		switch {
		case i == 0:
			m.out.WriteString(first + line)
		case line == "":
			m.out.WriteString("\n" + strings.TrimRight(rest, " "))
		default:
			m.out.WriteString("\n" + rest + line)
		}
	}
	m.stack, m.item = around, begins
}

// around lists the quotes and begun items around an element, outermost first; the last may be an item that begins now.
func (m *writer) around(owner int32) (list []int32, begins bool) {
	innermost := true
	for e := owner; e >= 0; e = m.w.Elements[e].Parent {
		switch m.w.Elements[e].Tag {
		case atom.Blockquote:
			list = append(list, e)
		case atom.Li:
			_, begun := m.begun[e]
			if !begun && innermost {
				begins = len(list) == 0 // a quote within an item that has not begun stands for itself
			}
			if begun || innermost && begins {
				list = append(list, e)
			}
			innermost = false
		}
	}
	slices.Reverse(list)
	if len(list) > maxContainers {
		return list[:maxContainers], false
	}
	return list, begins
}

func (m *writer) prefix(around []int32) string {
	var out strings.Builder
	for _, e := range around {
		if m.w.Elements[e].Tag == atom.Blockquote {
			out.WriteString("> ")
		} else {
			out.WriteString(strings.Repeat(" ", m.begun[e]))
		}
	}
	return out.String()
}

// images writes the images up to a place in the text, where they stand next to block i.
func (m *writer) images(i int, until int32) {
	spans, from := m.w.Structure.Spans, int32(0)
	if i > 0 {
		from = m.w.Blocks[i-1].End
	}
	for ; m.image < len(spans) && spans[m.image].From <= until; m.image++ {
		if s := spans[m.image]; s.Kind == blocks.ImageSpan && s.From >= from {
			alt, address, _ := strings.Cut(s.Arg, "\n")
			m.buf.Reset()
			m.write([]byte(alt), false, " ")
			m.put(m.w.Blocks[i].Owner, "!["+m.buf.String()+"]("+m.address(address)+")")
		}
	}
}

// resolve makes an address whole; "" where that fails.
func resolve(base *url.URL, target string) string {
	u, err := url.Parse(target)
	if err != nil {
		return ""
	}
	if base != nil {
		u = base.ResolveReference(u)
	}
	return u.String()
}
