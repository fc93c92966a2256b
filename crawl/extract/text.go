package extract

import (
	"strings"
	"unicode/utf8"
)

// fold is white space with a line end of the source in it: a space, but nothing between two wide characters.
const fold = 'f'

// add appends text, white space collapsed as a browser does it, or as it is within pre.
func (w *walker) add(s string) {
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
func (w *walker) addASCII(s string) {
	w.due(false)
	w.text = append(w.text, s...)
	w.count(int32(len(s)))
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c >= '0' && c <= '9':
			w.cur.digits++
		case c >= 'A' && c <= 'Z':
			w.cur.upper++
		}
	}
	switch s[len(s)-1] {
	case '.', ',', '!', '?', ';', ':':
		w.cur.stops++
	}
}

// addRune appends a character beyond ASCII. Other spaces become a space; what is invisible is left out.
func (w *walker) addRune(r rune, s string) {
	switch {
	case r == '\u00a0' || r == '\u3000' || r >= '\u2000' && r <= '\u200a' || r == '\u202f' || r == '\u2028' || r == '\u2029' || r == '\u0085':
		w.pad()
	case r == '\u200b' || r == '\ufeff' || r == '\u00ad' || r == '\u2060':
	case r < 0x2e80:
		w.due(false)
		w.text = append(w.text, s...)
		w.count(1)
	default:
		w.due(true)
		w.text = append(w.text, s...)
		w.count(2)
		switch r {
		case '。', '！', '？', '，', '；', '：', '、':
			w.cur.stops++
		}
	}
}

// addPre appends preformatted text.
func (w *walker) addPre(s string) {
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
		w.text = utf8.AppendRune(w.text, r)
	}
}

func (w *walker) count(units int32) {
	w.cur.size += units
	if w.links > 0 {
		w.cur.link += units
	}
}

// due writes the white space that is due.
func (w *walker) due(wide bool) {
	if w.space != 0 || w.cur.words == 0 {
		w.cur.words++
	}
	switch {
	case w.space == 0 || w.space == fold && wide && w.wide:
	case w.space == fold:
		w.text = append(w.text, ' ')
	default:
		w.text = append(w.text, w.space)
	}
	w.space, w.wide = 0, wide
}

// pad makes a space due between two words of a block.
func (w *walker) pad() {
	if w.pre == 0 && w.space == 0 && int(w.cur.start) < len(w.text) {
		w.space = ' '
	}
}

// newline makes a line break within a block.
func (w *walker) newline() {
	switch {
	case int(w.cur.start) == len(w.text):
	case w.pre > 0:
		if w.text[len(w.text)-1] != '\n' {
			w.text = append(w.text, '\n')
		}
	case w.space == '\n' && len(w.blocks) < maxBlocks: // a second one sets paragraphs apart
		w.flush()
	default:
		w.space = '\n'
	}
}

// flush ends the block that is being filled.
func (w *walker) flush() {
	if len(w.blocks) >= maxBlocks {
		w.newlineOnly()
		return
	}
	w.end()
}

// newlineOnly goes on in the same block, on another line.
func (w *walker) newlineOnly() {
	if int(w.cur.start) < len(w.text) {
		w.space = '\n'
	}
}

// end ends the block that is being filled.
func (w *walker) end() {
	b := w.cur
	b.end = int32(len(w.text))
	for b.start < b.end && w.text[b.start] == '\n' {
		b.start++
	}
	for b.end > b.start && w.text[b.end-1] <= ' ' {
		b.end--
	}
	if b.size > 0 && !(b.kind == code && lineNumbers(w.text[b.start:b.end])) {
		if w.bullet && b.kind == plain {
			b.kind = item
		}
		w.bullet = false
		w.blocks = append(w.blocks, b)
	}
	w.cur.start = int32(len(w.text))
	w.cur.size, w.cur.link, w.cur.stops, w.cur.words, w.cur.digits, w.cur.upper = 0, 0, 0, 0, 0, 0
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

// render joins the blocks that are kept, one line each; preformatted ones and those with line breaks take more.
func (w *walker) render(keep []bool) string {
	var out strings.Builder
	n := 0
	for i, b := range w.blocks {
		if keep[i] {
			n += int(b.end-b.start) + len("- \n")
		}
	}
	out.Grow(n)
	for i, b := range w.blocks {
		if !keep[i] {
			continue
		}
		if out.Len() > 0 {
			out.WriteByte('\n')
		}
		if b.kind == item {
			out.WriteString("- ")
		}
		out.Write(w.text[b.start:b.end])
	}
	return out.String()
}
