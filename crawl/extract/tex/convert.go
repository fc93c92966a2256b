package tex

import (
	"strings"
	"unicode/utf8"

	"golang.org/x/net/html"
)

// writer collects tokens; a command that ends in a letter is set apart from a letter behind it.
type writer struct {
	out  strings.Builder
	last byte
	word bool // the last token is a command of letters
}

func (w *writer) put(s string) {
	if s == "" {
		return
	}
	c := s[0] | 0x20
	if w.word && c >= 'a' && c <= 'z' {
		w.out.WriteByte(' ')
	}
	w.out.WriteString(s)
	w.last = s[len(s)-1]
	at := strings.LastIndexByte(s, '\\')
	w.word = at >= 0 && len(s) > at+1
	for i := at + 1; w.word && i < len(s); i++ {
		c := s[i] | 0x20
		w.word = c >= 'a' && c <= 'z'
	}
}

func (w *writer) children(n *html.Node) {
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		switch c.Type {
		case html.TextNode:
			w.put(symbols(strings.TrimSpace(c.Data)))
		case html.ElementNode:
			w.element(c)
		}
	}
}

// group writes an element within braces; nothing for a missing one.
func (w *writer) group(n *html.Node) {
	w.put("{")
	if n != nil {
		w.element(n)
	}
	w.put("}")
}

// base writes an element that carries indices, within braces where it is more than one token.
func (w *writer) base(n *html.Node) {
	switch {
	case n == nil:
		w.put("{}")
	case n.Data == "mi" || n.Data == "mn" || n.Data == "mo" || n.Data == "mrow" && len(elements(n)) == 1:
		w.element(n)
	default:
		w.group(n)
	}
}

func (w *writer) element(n *html.Node) {
	parts := elements(n)
	part := func(i int) *html.Node {
		if i < len(parts) {
			return parts[i]
		}
		return nil
	}
	switch n.Data {
	case "annotation", "annotation-xml", "none", "mprescripts":
	case "semantics", "maction":
		if p := part(0); p != nil {
			w.element(p)
		}
	case "mi":
		w.identifier(n)
	case "mn":
		w.put(symbols(strings.TrimSpace(textOf(n))))
	case "mo":
		w.operator(strings.TrimSpace(textOf(n)))
	case "mtext", "ms":
		if s := strings.Join(strings.Fields(textOf(n)), " "); s != "" {
			w.put(`\text{` + escaped(s) + "}")
		}
	case "mspace":
		w.put(`\,`)
	case "msup", "msub", "msubsup":
		w.base(part(0))
		for i, sign := range indices[n.Data] {
			w.put(string(sign))
			w.group(part(i + 1))
		}
	case "munder", "mover", "munderover":
		w.limits(n.Data, part)
	case "mfrac":
		command := `\frac`
		if attribute(n, "linethickness") == "0" {
			command = `\binom`
		}
		w.put(command)
		w.group(part(0))
		w.group(part(1))
	case "msqrt":
		w.put(`\sqrt{`)
		w.children(n)
		w.put("}")
	case "mroot":
		w.put(`\sqrt[`)
		if p := part(1); p != nil {
			w.element(p)
		}
		w.put("]")
		w.group(part(0))
	case "mphantom":
		w.put(`\phantom{`)
		w.children(n)
		w.put("}")
	case "mfenced":
		w.fenced(n, parts)
	case "mtable":
		w.table(parts)
	case "mmultiscripts":
		w.scripts(parts)
	default:
		w.children(n)
	}
}

var indices = map[string]string{"msup": "^", "msub": "_", "msubsup": "_^"}

func (w *writer) identifier(n *html.Node) {
	name := strings.TrimSpace(textOf(n))
	variant, styled := variants[attribute(n, "mathvariant")]
	switch {
	case utf8.RuneCountInString(name) <= 1 && !styled:
		w.put(symbols(name))
	case styled:
		w.put(variant + "{" + symbols(name) + "}")
	case functions[name]:
		w.put(`\` + name)
	default:
		w.put(`\mathrm{` + symbols(name) + "}")
	}
}

func (w *writer) operator(s string) {
	switch {
	case functions[s]:
		w.put(`\` + s)
	case s == "{" || s == "}" || s == "%" || s == "#" || s == "&" || s == "_" || s == "$":
		w.put(`\` + s)
	case len(s) > 1 && s[0] < utf8.RuneSelf && (s[0]|0x20 >= 'a' && s[0]|0x20 <= 'z'):
		w.put(`\operatorname{` + s + "}")
	default:
		w.put(symbols(s))
	}
}

// limits writes what stands under and over a base: an accent, limits of a sum, or other marks.
func (w *writer) limits(tag string, part func(int) *html.Node) {
	base, under, over := part(0), part(1), part(2)
	if tag == "mover" {
		under, over = nil, part(1)
	}
	mark := func(n *html.Node, accents map[string]string) string {
		if n == nil {
			return ""
		}
		return accents[brief(n)]
	}
	if accent := mark(over, overAccents); accent != "" && under == nil {
		w.put(accent)
		w.group(base)
		return
	}
	if accent := mark(under, underAccents); accent != "" && over == nil {
		w.put(accent)
		w.group(base)
		return
	}
	if base != nil && large[brief(base)] {
		w.element(base)
		if under != nil {
			w.put("_")
			w.group(under)
		}
		if over != nil {
			w.put("^")
			w.group(over)
		}
		return
	}
	if over != nil {
		w.put(`\overset`)
		w.group(over)
		w.put("{")
	}
	if under != nil {
		w.put(`\underset`)
		w.group(under)
	}
	w.group(base)
	if over != nil {
		w.put("}")
	}
}

// fenced writes the parts within their brackets, "(" and ")" by default.
func (w *writer) fenced(n *html.Node, parts []*html.Node) {
	open, closing, separators := "(", ")", ","
	for _, a := range n.Attr {
		switch a.Key {
		case "open":
			open = a.Val
		case "close":
			closing = a.Val
		case "separators":
			separators = strings.TrimSpace(a.Val)
		}
	}
	w.put(`\left`)
	w.fence(open)
	for i, p := range parts {
		if i > 0 && separators != "" {
			all := []rune(separators)
			w.put(string(all[min(i-1, len(all)-1)]))
		}
		w.element(p)
	}
	w.put(`\right`)
	w.fence(closing)
}

func (w *writer) fence(s string) {
	if s = strings.TrimSpace(s); s == "" {
		s = "."
	}
	w.operator(s)
}

func (w *writer) table(rows []*html.Node) {
	w.put(`\begin{matrix}`)
	for i, r := range rows {
		if i > 0 {
			w.put(` \\ `)
		}
		for j, cell := range elements(r) {
			if j > 0 {
				w.put(" & ")
			}
			w.children(cell)
		}
	}
	w.put(`\end{matrix}`)
}

// scripts writes indices behind and, after mprescripts, in front of a base.
func (w *writer) scripts(parts []*html.Node) {
	if len(parts) == 0 {
		return
	}
	before, after := []*html.Node(nil), parts[1:]
	for i, p := range after {
		if p.Data == "mprescripts" {
			before, after = after[i+1:], after[:i]
			break
		}
	}
	pairs := func(list []*html.Node) {
		for i, p := range list {
			if p.Data != "none" && p.FirstChild != nil {
				w.put(string("_^"[i%2]))
				w.group(p)
			}
		}
	}
	if len(before) > 0 {
		w.put("{}")
		pairs(before)
	}
	w.base(parts[0])
	pairs(after)
}

// symbols writes the characters of s as LaTeX.
func symbols(s string) string {
	plain := true
	for i := 0; i < len(s) && plain; i++ {
		plain = s[i] < utf8.RuneSelf && strings.IndexByte(`\{}%#&$`, s[i]) < 0
	}
	if plain {
		return s
	}
	var w writer
	for _, r := range s {
		switch command, known := commands[r]; {
		case known:
			w.put(command)
		case strings.ContainsRune(`{}%#&$`, r):
			w.put(`\` + string(r))
		case r == '\\':
			w.put(`\backslash`)
		default:
			w.put(string(r))
		}
	}
	return w.out.String()
}

// escaped is s within \text.
func escaped(s string) string {
	return strings.NewReplacer(`\`, `\textbackslash `, "{", `\{`, "}", `\}`, "%", `\%`, "#", `\#`, "&", `\&`, "$", `\$`, "_", `\_`).Replace(s)
}
