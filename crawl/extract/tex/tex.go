// Package tex writes formulas as LaTeX: an element math of a parsed page goes in, what stands between the dollar signs comes
// out. LaTeX that the page itself gives beside its MathML, as an annotation or as alternative text, is taken as it is.
package tex

import (
	"strings"

	"golang.org/x/net/html"
)

// Of gives the LaTeX of a math element, and tells whether it stands on a line of its own. It is empty where there is none.
func Of(math *html.Node) (formula string, display bool) {
	display = attribute(math, "display") == "block" || attribute(math, "mode") == "display"
	if given := annotation(math); given != "" {
		return Clean(given), display
	}
	if alt := attribute(math, "alttext"); Likely(alt) {
		return Clean(alt), display
	}
	var w writer
	w.children(math)
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
	var walk func(*html.Node)
	walk = func(n *html.Node) {
		for c := n.FirstChild; c != nil; c = c.NextSibling {
			if c.Type == html.TextNode {
				out.WriteString(c.Data)
			}
			walk(c)
		}
	}
	walk(n)
	return out.String()
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
