package markdown

import (
	"bytes"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"winnow/crawl/extract/blocks"
)

// spansIn gives the spans within text from..to, cut to it and put right: no space at their edges, no emphasis within
// itself or within code, edges where Markdown takes them for edges. Calls come with growing from.
func (m *writer) spansIn(from, to int32, inHeading bool) (out []blocks.Span) {
	all := m.w.Structure.Spans
	m.open = slices.DeleteFunc(m.open, func(s blocks.Span) bool { return s.To <= from })
	for m.next < len(all) && all[m.next].From < to {
		if s := all[m.next]; s.To > from && s.Kind != blocks.ImageSpan {
			m.open = append(m.open, s)
		}
		m.next++
	}
	var around []blocks.Span // of out, those that reach beyond the next one's start
	for _, s := range m.open {
		if s.From >= to || inHeading && s.Kind == blocks.StrongSpan {
			continue
		}
		s.From, s.To = max(s.From, from), min(s.To, to)
		m.fit(&s, from, to)
		if s.From >= s.To {
			continue
		}
		nested := func(o blocks.Span) bool {
			return o.Kind == s.Kind || o.Kind == blocks.CodeSpan || o.Kind == blocks.FormulaSpan || s.To > o.To
		}
		for len(around) > 0 && around[len(around)-1].To <= s.From {
			around = around[:len(around)-1]
		}
		if !slices.ContainsFunc(around, nested) {
			out, around = append(out, s), append(around, s)
		}
	}
	return out
}

// fit moves the edges of a span inwards, from spaces, and from punctuation with a letter on the other side: there a run of
// asterisks would not open or close.
func (m *writer) fit(s *blocks.Span, from, to int32) {
	text := m.w.Text
	for s.From < s.To && text[s.From] <= ' ' {
		s.From++
	}
	for s.To > s.From && text[s.To-1] <= ' ' {
		s.To--
	}
	if s.Kind != blocks.StrongSpan && s.Kind != blocks.EmphasisSpan {
		return
	}
	for s.From < s.To && s.From > from {
		before, _ := utf8.DecodeLastRune(text[from:s.From])
		r, n := utf8.DecodeRune(text[s.From:s.To])
		if unicode.IsSpace(before) || punctuation(before) || !punctuation(r) && !unicode.IsSpace(r) {
			break
		}
		s.From += int32(n)
	}
	for s.To > s.From && s.To < to {
		after, _ := utf8.DecodeRune(text[s.To:to])
		r, n := utf8.DecodeLastRune(text[s.From:s.To])
		if unicode.IsSpace(after) || punctuation(after) || !punctuation(r) && !unicode.IsSpace(r) {
			break
		}
		s.To -= int32(n)
		if opening, ok := quotes[r]; ok && bytes.HasPrefix(text[s.From:s.To], []byte(opening)) {
			s.From += int32(len(opening))
		}
	}
}

// quotes are pairs that are left out of emphasis together. It is read only.
var quotes = map[rune]string{'”': "“", '’': "‘", '）': "（", '》': "《", '」': "「", '』': "『", '】': "【", ')': "(", '"': "\""}

func punctuation(r rune) bool { return unicode.IsPunct(r) || unicode.IsSymbol(r) }

// inline writes text from..to with its spans. Lines end as glue says: "  \n" in a paragraph, a space in a heading or a cell.
func (m *writer) inline(from, to int32, glue string, inHeading bool) string {
	m.buf.Reset()
	spans := m.spansIn(from, to, inHeading)
	var open []blocks.Span
	at := from
	write := func(until int32) {
		if until > at {
			raw := len(open) > 0 && (open[len(open)-1].Kind == blocks.CodeSpan || open[len(open)-1].Kind == blocks.FormulaSpan)
			m.write(m.w.Text[at:until], raw, glue)
			at = until
		}
	}
	for _, s := range append(spans, blocks.Span{From: to, To: to + 1}) {
		for len(open) > 0 && open[len(open)-1].To <= s.From {
			last := open[len(open)-1]
			write(last.To)
			m.close(last)
			open = open[:len(open)-1]
		}
		write(s.From)
		if s.From < to {
			m.start(s)
			open = append(open, s)
		}
	}
	return m.buf.String()
}

func (m *writer) start(s blocks.Span) {
	switch s.Kind {
	case blocks.StrongSpan:
		m.buf.WriteString("**")
	case blocks.EmphasisSpan:
		m.buf.WriteString("*")
	case blocks.LinkSpan:
		m.buf.WriteByte('[')
	case blocks.CodeSpan:
		f := fence(m.w.Text[s.From:s.To], 1)
		m.buf.WriteString(f)
		if m.w.Text[s.From] == '`' || m.w.Text[s.To-1] == '`' {
			m.buf.WriteByte(' ')
		}
	}
}

func (m *writer) close(s blocks.Span) {
	switch s.Kind {
	case blocks.StrongSpan:
		m.buf.WriteString("**")
	case blocks.EmphasisSpan:
		m.buf.WriteString("*")
	case blocks.LinkSpan:
		m.buf.WriteString("](" + m.address(s.Arg) + ")")
	case blocks.CodeSpan:
		if m.w.Text[s.From] == '`' || m.w.Text[s.To-1] == '`' {
			m.buf.WriteByte(' ')
		}
		m.buf.WriteString(fence(m.w.Text[s.From:s.To], 1))
	}
}

// address makes a link's target whole, and fit to stand in parentheses.
func (m *writer) address(target string) string {
	target = strings.Join(strings.Fields(target), "%20")
	if u := resolve(m.base, target); u != "" {
		target = u
	}
	return targetSigns.Replace(target)
}

// targetSigns writes what would end a link's target. It is read only.
var targetSigns = strings.NewReplacer("(", "%28", ")", "%29", "<", "%3C", ">", "%3E", "|", "%7C")

// fence is a run of backticks longer than any in text, and not shorter than least.
func fence(text []byte, least int) string {
	longest, run := 0, 0
	for _, c := range text {
		if c != '`' {
			run = 0
			continue
		}
		run++
		longest = max(longest, run)
	}
	if least == 1 && longest == 0 {
		return "`"
	}
	return strings.Repeat("`", max(least, longest+1))
}

// write appends text; unless it is raw, what Markdown would take for its own gets a backslash.
func (m *writer) write(text []byte, raw bool, glue string) {
	for i := 0; i < len(text); i++ {
		c := text[i]
		switch {
		case c == '\n':
			m.buf.WriteString(glue)
			continue
		case raw:
			if c == '|' && m.inTable {
				m.buf.WriteByte('\\')
			}
		case c == '$' || c == '\\':
			if end := m.formulaEnd(text[i:]); end > 0 {
				m.write(text[i:i+end], true, glue)
				i += end - 1
				continue
			}
			if c == '\\' && i+1 < len(text) && asciiPunctuation(text[i+1]) {
				m.buf.WriteByte('\\')
			}
		case m.special(text, i):
			m.buf.WriteByte('\\')
		}
		m.buf.WriteByte(c)
	}
}

func asciiPunctuation(c byte) bool {
	return c > ' ' && c < 0x7f && !(c >= '0' && c <= '9') && !(c|0x20 >= 'a' && c|0x20 <= 'z')
}

// special tells whether text[i] would be markup.
func (m *writer) special(text []byte, i int) bool {
	next, before := byte(' '), byte(' ')
	if i+1 < len(text) {
		next = text[i+1]
	}
	if i > 0 {
		before = text[i-1]
	}
	switch c := text[i]; c {
	case '`':
		return true
	case '*':
		return next > ' ' || before > ' '
	case '_':
		return !(letter(before) && letter(next)) && (next > ' ' || before > ' ')
	case '[':
		return bytes.Contains(text[i:min(len(text), i+200)], []byte("](")) || bytes.Contains(text[i:min(len(text), i+200)], []byte("]:"))
	case ']':
		return next == '(' || next == '[' || next == ':'
	case '<':
		return letter(next) && next != '_' || next == '/' || next == '!' || next == '?'
	case '&':
		end := bytes.IndexByte(text[i:min(len(text), i+12)], ';')
		return end > 1 && (next == '#' || letter(next))
	case '~':
		return next == '~' || before == '~'
	case '|':
		return m.inTable
	}
	return false
}

func letter(c byte) bool {
	return c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z' || c >= utf8.RuneSelf || c == '_'
}

// formulaEnd is mathEnd, until it was asked in vain too often.
func (m *writer) formulaEnd(text []byte) int {
	if m.guesses >= maxGuesses {
		return 0
	}
	end := mathEnd(text)
	if end == 0 {
		m.guesses++
	}
	return end
}

// mathEnd gives the length of the formula that text begins with: $...$, $$...$$, \(...\), \[...\]; 0 where there is none.
func mathEnd(text []byte) int {
	const most = 2000
	head := text[:min(len(text), most)]
	for _, pair := range [...][2]string{{"$$", "$$"}, {`\(`, `\)`}, {`\[`, `\]`}} {
		if bytes.HasPrefix(head, []byte(pair[0])) {
			if n := bytes.Index(head[2:], []byte(pair[1])); n > 0 {
				return n + 4
			}
			return 0
		}
	}
	if head[0] != '$' || len(head) < 3 || head[1] <= ' ' {
		return 0
	}
	n := bytes.IndexByte(head[1:], '$')
	if n < 1 || head[n] <= ' ' || bytes.IndexByte(head[1:n+1], '\n') >= 0 || n+2 < len(head) && head[n+2] >= '0' && head[n+2] <= '9' {
		return 0
	}
	if inner := head[1 : n+1]; n > 2 && !bytes.ContainsAny(inner, `\^_{}=<>+-/`) {
		return 0 // two sums of money
	}
	return n + 2
}
