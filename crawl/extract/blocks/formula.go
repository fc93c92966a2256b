package blocks

import (
	"strings"
	"unicode/utf8"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"winnow/crawl/extract/tex"
)

// FormulaWords marks the elements of KaTeX, MathJax and MediaWiki around a formula; no feature is made of it.
const FormulaWords Hint = 1 << 31

// formula writes the formula that n is, as LaTeX between dollar signs, and tells whether n is done with.
func (w *Walker) formula(n *html.Node, h Hint) bool {
	if w.pre > 0 {
		return false
	}
	switch n.DataAtom {
	case atom.Math:
		w.addFormula(tex.Of(n))
		return true
	case atom.Img:
		alt, ok := formulaAlt(n)
		if ok {
			w.addFormula(tex.Clean(alt), strings.HasPrefix(alt, "$$"))
		}
		return ok
	case atom.Script:
		source := strings.HasPrefix(attr(n, "type"), "math/tex")
		if source && n.FirstChild != nil {
			w.addFormula(tex.Clean(n.FirstChild.Data), strings.Contains(attr(n, "type"), "display"))
		}
		return source
	}
	if h&FormulaWords == 0 && n.Data != "mjx-container" {
		return false
	}
	class := attr(n, "class")
	if strings.Contains(class, "katex-html") || strings.Contains(class, "MathJax") && sourceBehind(n) {
		return true // what is drawn; its source stands beside it
	}
	source := within(n, 4)
	if source == nil || source.DataAtom == atom.Annotation || strings.Contains(class, "katex-error") {
		return false
	}
	display := strings.Contains(class, "display") || attr(n, "display") == "true"
	if source.DataAtom == atom.Math {
		s, block := tex.Of(source)
		w.addFormula(s, block || display)
	}
	return true
}

// within finds the math element below the wrappers of one formula.
func within(n *html.Node, depth int) *html.Node {
	for c := n.FirstChild; c != nil && depth > 0; c = c.NextSibling {
		if c.Type != html.ElementNode {
			continue
		}
		if c.DataAtom == atom.Math {
			return c
		}
		if found := within(c, depth-1); found != nil {
			return found
		}
	}
	return nil
}

// sourceBehind tells whether a script with LaTeX follows what MathJax drew of it.
func sourceBehind(n *html.Node) bool {
	for i, c := 0, n.NextSibling; c != nil && i < 4; i, c = i+1, c.NextSibling {
		if c.DataAtom == atom.Script && strings.HasPrefix(attr(c, "type"), "math/tex") {
			return true
		}
	}
	return false
}

// formulaAlt is the LaTeX in an image's alternative text.
func formulaAlt(n *html.Node) (alt string, ok bool) {
	alt = strings.TrimSpace(attr(n, "alt"))
	if len(alt) < 2 || !tex.Likely(alt) {
		return "", false
	}
	if strings.Contains(alt, `\`) && strings.ContainsAny(alt, "{}_^$=") {
		return alt, true
	}
	return alt, MathImage(attr(n, "class")) || MathImage(attr(n, "src"))
}

// MathImage tells whether the class or the address of an image says that it shows a formula.
func MathImage(s string) bool {
	for _, word := range [...]string{"latex", "math", "tex", "equation", "formula"} {
		if strings.Contains(s, word) {
			return true
		}
	}
	return false
}

// addFormula appends a formula, on a line of its own if displayed.
func (w *Walker) addFormula(s string, display bool) {
	if s == "" {
		return
	}
	sign := "$"
	if display {
		sign = "$$"
		w.newline()
	}
	w.due(false)
	from := w.begin()
	w.Text = append(append(append(w.Text, sign...), s...), sign...)
	w.close(from, FormulaSpan, "")
	w.count(int32(utf8.RuneCountInString(s)))
	if display {
		w.newline()
	}
}

// attr is the value of an attribute, "" for none.
func attr(n *html.Node, key string) string {
	for i := range n.Attr {
		if n.Attr[i].Key == key {
			return n.Attr[i].Val
		}
	}
	return ""
}

// gutter tells of the elements of highlighted code that hold the numbers of its lines.
func gutter(n *html.Node) bool {
	class := attr(n, "class")
	return class != "" && NumbersLines(class)
}

// NumbersLines tells whether a class is that of line numbers.
func NumbersLines(class string) bool {
	for _, word := range [...]string{"lineno", "line-number", "linenumber", "ln-number", "gutter", "line_number"} {
		if strings.Contains(class, word) {
			return !strings.Contains(class, "line-numbers") || strings.Contains(class, "line-numbers-rows")
		}
	}
	return false
}
