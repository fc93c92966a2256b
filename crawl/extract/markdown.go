package extract

import (
	"net/url"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/net/html/atom"
)

// markdown writes the blocks that are kept as Markdown.
type markdown struct {
	w       *walker
	base    *url.URL // of the page; nil where it is not known
	out     strings.Builder
	buf     strings.Builder
	open    []span // that have begun
	next    int    // in the walker's spans: the first that has not begun
	image   int    // in the walker's spans: the first that was not looked at for its image
	inTable bool
	guesses int           // beginnings of formulas without an end
	begun   map[int32]int // by list item that has its marker: the marker's width
	stack   []int32       // the quotes and begun items around the last block
	item    bool          // the last block began an item
}

func (w *walker) markdown(keep []bool, o Options) string {
	m := markdown{w: w, begun: map[int32]int{}}
	m.out.Grow(len(w.text))
	m.base, _ = url.Parse(o.URL)
	for i := 0; i < len(w.blocks); i++ {
		if !keep[i] {
			continue
		}
		m.images(i, w.blocks[i].start)
		i = m.block(i, keep)
		m.images(i, w.blocks[i].end)
	}
	return m.out.String()
}

// block writes block i, with a table all of its rows, and gives the last one written.
func (m *markdown) block(i int, keep []bool) int {
	b := &m.w.blocks[i]
	switch b.kind {
	case row:
		return m.table(i, keep)
	case code:
		text := m.w.text[b.start:b.end]
		f := fence(text, 3)
		m.spansIn(b.start, b.end, false)
		m.put(b.owner, f+m.w.structure.language[b.owner]+"\n"+string(text)+"\n"+f)
	case heading:
		text := m.inline(b.start, b.end, " ", true)
		if strings.HasSuffix(text, "#") {
			text = text[:len(text)-1] + `\#`
		}
		m.put(b.owner, strings.Repeat("#", max(1, int(b.rank)))+" "+text)
	default:
		if last := m.table(i, keep); last >= i {
			return last
		}
		m.paragraph(b)
	}
	return i
}

// paragraph writes a block of text; one that is code from end to end, on more than one line, is written as such.
func (m *markdown) paragraph(b *block) {
	spans := m.w.structure.spans
	for i := m.next; i < len(spans) && spans[i].from <= b.start; i++ {
		if s := spans[i]; s.kind == codeSpan && s.from == b.start && s.to >= b.end && slices.Contains(m.w.text[b.start:b.end], '\n') {
			f := fence(m.w.text[b.start:b.end], 3)
			m.put(b.owner, f+"\n"+string(m.w.text[b.start:b.end])+"\n"+f)
			return
		}
	}
	lines := strings.Split(m.inline(b.start, b.end, "\n", false), "\n")
	for i, line := range lines {
		lines[i] = safeStart(line)
	}
	m.put(b.owner, strings.Join(lines, "  \n"))
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
func (m *markdown) put(owner int32, body string) {
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
		if n, ordered := m.w.structure.numbers[e]; ordered {
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
func (m *markdown) around(owner int32) (list []int32, begins bool) {
	innermost := true
	for e := owner; e >= 0; e = m.w.elements[e].parent {
		switch m.w.elements[e].tag {
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

func (m *markdown) prefix(around []int32) string {
	var out strings.Builder
	for _, e := range around {
		if m.w.elements[e].tag == atom.Blockquote {
			out.WriteString("> ")
		} else {
			out.WriteString(strings.Repeat(" ", m.begun[e]))
		}
	}
	return out.String()
}

// images writes the images up to a place in the text, where they stand next to block i.
func (m *markdown) images(i int, until int32) {
	spans, from := m.w.structure.spans, int32(0)
	if i > 0 {
		from = m.w.blocks[i-1].end
	}
	for ; m.image < len(spans) && spans[m.image].from <= until; m.image++ {
		if s := spans[m.image]; s.kind == imageSpan && s.from >= from {
			alt, address, _ := strings.Cut(s.arg, "\n")
			m.buf.Reset()
			m.write([]byte(alt), false, " ")
			m.put(m.w.blocks[i].owner, "!["+m.buf.String()+"]("+m.address(address)+")")
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
