package blocks

import (
	"strings"
	"unicode/utf8"
)

// maxBlocks is the most blocks of a page: further ones are lines of the last.
const maxBlocks = 1 << 18

// fold is white space with a line end of the source in it: a space, but nothing between two wide characters.
const fold = 'f'

// add appends text, white space collapsed as a browser does it, or as it is within pre.
func (w *Walker) add(s string) {
	if w.pre > 0 {
		w.addPre(s)
		return
	}
	for i := 0; i < len(s); {
		c := s[i]
		if c >= utf8.RuneSelf {
			r, n := utf8.DecodeRuneInString(s[i:])
			w.addRune(r, s[i:i+n])
			i += n
			continue
		}
		if c <= ' ' {
			w.pad()
			if c == '\n' && w.space == ' ' {
				w.space = fold
			}
			i++
			continue
		}
		j := i + 1
		for j < len(s) && s[j] > ' ' && s[j] < utf8.RuneSelf {
			j++
		}
		w.addASCII(s[i:j])
		i = j
	}
}

// addASCII appends a run of characters without white space.
func (w *Walker) addASCII(s string) {
	w.due(false)
	w.Text = append(w.Text, s...)
	w.count(int32(len(s)))
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c >= '0' && c <= '9':
			w.cur.Digits++
		case c >= 'A' && c <= 'Z':
			w.cur.Upper++
		}
	}
	switch s[len(s)-1] {
	case '.', ',', '!', '?', ';', ':':
		w.cur.Stops++
	}
}

// addRune appends a character beyond ASCII. Other spaces become a space; what is invisible is left out.
func (w *Walker) addRune(r rune, s string) {
	switch {
	case r == '\u00a0' || r == '\u3000' || r >= '\u2000' && r <= '\u200a' || r == '\u202f' || r == '\u2028' || r == '\u2029' || r == '\u0085':
		w.pad()
	case r == '\u200b' || r == '\ufeff' || r == '\u00ad' || r == '\u2060':
	case r < 0x2e80:
		w.due(false)
		w.Text = append(w.Text, s...)
		w.count(1)
	default:
		w.due(true)
		w.Text = append(w.Text, s...)
		w.count(2)
		switch r {
		case '。', '！', '？', '，', '；', '：', '、':
			w.cur.Stops++
		}
	}
}

// addPre appends preformatted text.
func (w *Walker) addPre(s string) {
	for _, r := range s {
		switch {
		case r == '\r' || r < ' ' && r != '\n' && r != '\t':
			continue
		case r == '\u00a0':
			r = ' '
		}
		if r > ' ' {
			w.count(1)
		}
		w.Text = utf8.AppendRune(w.Text, r)
	}
}

func (w *Walker) count(units int32) {
	w.cur.Size += units
	if w.links > 0 {
		w.cur.Link += units
	}
}

// due writes the white space that is due.
func (w *Walker) due(wide bool) {
	if w.space != 0 || w.cur.Words == 0 {
		w.cur.Words++
	}
	switch {
	case w.space == 0 || w.space == fold && wide && w.wide:
	case w.space == fold:
		w.Text = append(w.Text, ' ')
	default:
		w.Text = append(w.Text, w.space)
	}
	w.space, w.wide = 0, wide
}

// pad makes a space due between two words of a block.
func (w *Walker) pad() {
	if w.pre == 0 && w.space == 0 && int(w.cur.Start) < len(w.Text) {
		w.space = ' '
	}
}

// newline makes a line break within a block.
func (w *Walker) newline() {
	switch {
	case int(w.cur.Start) == len(w.Text):
	case w.pre > 0:
		if w.Text[len(w.Text)-1] != '\n' {
			w.Text = append(w.Text, '\n')
		}
	case w.space == '\n' && len(w.Blocks) < maxBlocks: // a second one sets paragraphs apart
		w.flush()
	default:
		w.space = '\n'
	}
}

// flush ends the block that is being filled.
func (w *Walker) flush() {
	if len(w.Blocks) >= maxBlocks {
		w.newlineOnly()
		return
	}
	w.End()
}

// newlineOnly goes on in the same block, on another line.
func (w *Walker) newlineOnly() {
	if int(w.cur.Start) < len(w.Text) {
		w.space = '\n'
	}
}

// End ends the block that is being filled.
func (w *Walker) End() {
	b := w.cur
	b.End = int32(len(w.Text))
	for b.Start < b.End && w.Text[b.Start] == '\n' {
		b.Start++
	}
	for b.End > b.Start && w.Text[b.End-1] <= ' ' {
		b.End--
	}
	if b.Size > 0 && !(b.Kind == Code && lineNumbers(w.Text[b.Start:b.End])) {
		if w.bullet && b.Kind == Plain {
			b.Kind = Item
		}
		w.bullet = false
		w.Blocks = append(w.Blocks, b)
	}
	w.cur.Start = int32(len(w.Text))
	w.cur.Size, w.cur.Link, w.cur.Stops, w.cur.Words, w.cur.Digits, w.cur.Upper = 0, 0, 0, 0, 0, 0
	w.space, w.wide = 0, false
}

// lineNumbers tells whether text is numbers alone: the gutter beside code.
func lineNumbers(text []byte) bool {
	for _, c := range text {
		if c > ' ' && (c < '0' || c > '9') {
			return false
		}
	}
	return true
}

// Render joins the blocks that are kept, one line each; preformatted ones and those with line breaks take more.
func (w *Walker) Render(keep []bool) string {
	var out strings.Builder
	n := 0
	for i, b := range w.Blocks {
		if keep[i] {
			n += int(b.End-b.Start) + len("- \n")
		}
	}
	out.Grow(n)
	for i, b := range w.Blocks {
		if !keep[i] {
			continue
		}
		if out.Len() > 0 {
			out.WriteByte('\n')
		}
		if b.Kind == Item {
			out.WriteString("- ")
		}
		out.Write(w.Text[b.Start:b.End])
	}
	return out.String()
}

// oneLine collapses white space.
func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }
