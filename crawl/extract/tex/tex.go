// Package tex writes formulas as LaTeX: an element math of a parsed page goes in, what stands between the dollar signs comes
// out. LaTeX that the page itself gives beside its MathML, as an annotation or as alternative text, is taken as it is.
package tex

import (
	"math"
	"strings"

	"golang.org/x/net/html"
)

// Of gives the LaTeX of a math element, and tells whether it stands on a line of its own. It is empty where there is none.
func Of(n *html.Node) (formula string, display bool) {
	display = attribute(n, "display") == "block" || attribute(n, "mode") == "display"
	if given := annotation(n); given != "" {
		return Clean(given), display
	}
	if alt := attribute(n, "alttext"); Likely(alt) {
		return Clean(alt), display
	}
	var w writer
	w.children(n)
	return Clean(w.out.String()), display
}

// Clean takes off what a formula is wrapped in: spaces, dollar signs, \( \), \[ \], {\displaystyle ...}.
func Clean(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	for _, pair := range [...][2]string{{"$$", "$$"}, {"$", "$"}, {`\(`, `\)`}, {`\[`, `\]`}, {`{\displaystyle `, "}"}, {`{\textstyle `, "}"}, {`\displaystyle `, ""}} {
		if len(s) >= len(pair[0])+len(pair[1]) && strings.HasPrefix(s, pair[0]) && strings.HasSuffix(s, pair[1]) {
			s = strings.TrimSpace(s[len(pair[0]) : len(s)-len(pair[1])])
		}
	}
	return s
}

// Likely tells whether a text looks like LaTeX: it has a command, a group, or an index.
func Likely(s string) bool {
	for i := 0; i+1 < len(s); i++ {
		switch c := s[i+1]; s[i] {
		case '\\':
			if c|0x20 >= 'a' && c|0x20 <= 'z' || strings.IndexByte(`{}[](),;!|`, c) >= 0 {
				return true
			}
		case '^', '_':
			if i > 0 && s[i-1] > ' ' && c > ' ' && !strings.Contains(s, "://") {
				return true
			}
		}
	}
	return false
}

func attribute(n *html.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}

// annotation is the LaTeX beside the MathML of a formula.
func annotation(n *html.Node) string {
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		if c.Type != html.ElementNode {
			continue
		}
		if c.Data == "annotation" {
			if e := strings.ToLower(attribute(c, "encoding")); strings.Contains(e, "tex") && e != "text/plain" {
				return textOf(c)
			}
			continue
		}
		if s := annotation(c); s != "" {
			return s
		}
	}
	return ""
}

func textOf(n *html.Node) string {
	var out strings.Builder
	appendText(&out, n, math.MaxInt)
	return out.String()
}

// brief is the text of an element that is a sign or a name; "" for one of more than mostSigns nodes. Elements around elements are
// all asked, so that reading all of them to the end would take their depth times their size.
func brief(n *html.Node) string {
	var out strings.Builder
	if appendText(&out, n, mostSigns) == 0 {
		return ""
	}
	return strings.TrimSpace(out.String())
}

// mostSigns is how many nodes of an element are looked at for a sign.
const mostSigns = 64

// appendText appends the text of an element of at most left nodes, and gives what is left of them.
func appendText(out *strings.Builder, n *html.Node, left int) int {
	for c := n.FirstChild; c != nil && left > 0; c = c.NextSibling {
		if c.Type == html.TextNode {
			out.WriteString(c.Data)
		}
		left = appendText(out, c, left-1)
	}
	return left
}

// elements are the child elements of n.
func elements(n *html.Node) (out []*html.Node) {
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		if c.Type == html.ElementNode {
			out = append(out, c)
		}
	}
	return out
}
