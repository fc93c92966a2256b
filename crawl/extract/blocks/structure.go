package blocks

import (
	"strconv"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// SpanKind is what a span of text is marked as.
type SpanKind uint8

// The kinds of spans.
const (
	StrongSpan   SpanKind = iota // bold
	EmphasisSpan                 // slanted
	CodeSpan                     // program text within a line
	LinkSpan                     // a link whose address is noted
	FormulaSpan                  // LaTeX with its dollar signs
	ImageSpan                    // empty, but for its alternative text
)

// Span is a marked part of Walker.Text, bytes From..To. Spans lie in the order of their starts, outer ones first.
type Span struct {
	From, To int32
	Kind     SpanKind
	Arg      string // address of a link; of an image alternative text, line feed, address
}

// Structure is what Markdown needs to know beyond blocks and elements; nothing of it has a part in what is kept.
type Structure struct {
	Spans    []Span
	Cells    map[int32]Cell   // by element: td, th
	Rows     map[int32][]Part // by the start of a row's block: what its cells hold
	Numbers  map[int32]int    // by element: of an item of an ordered list, and the next one of the list
	Language map[int32]string // by element: of a pre
	Tabular  map[int32]bool   // by element: whether a table can be written as one
	pending  []int            // of columns of the table at hand: rows that a cell above still takes
	column   int              // of the next cell
}

// Cell is the place of a cell in its row, in columns of the table.
type Cell struct{ Column, width int }

// Part is a run of text in a cell, as it lay before the row was joined.
type Part struct {
	From, To int32 // bytes in Walker.Text
	Owner    int32 // the element right above
}

func newStructure() *Structure {
	return &Structure{Cells: map[int32]Cell{}, Rows: map[int32][]Part{}, Numbers: map[int32]int{}, Language: map[int32]string{}, Tabular: map[int32]bool{}}
}

// begin opens a span here, and gives its number; -1 where nobody asks for it.
func (w *Walker) begin() int {
	if w.Structure == nil {
		return -1
	}
	w.Structure.Spans = append(w.Structure.Spans, Span{From: int32(len(w.Text))})
	return len(w.Structure.Spans) - 1
}

// close ends the span that begin opened.
func (w *Walker) close(number int, kind SpanKind, arg string) {
	if number >= 0 {
		s := &w.Structure.Spans[number]
		s.To, s.Kind, s.Arg = int32(len(w.Text)), kind, arg
	}
}

// inline visits an element within a line.
func (w *Walker) inline(n *html.Node, parent int32) {
	kind, arg := StrongSpan, ""
	switch n.DataAtom {
	case atom.B, atom.Strong:
	case atom.I, atom.Em:
		kind = EmphasisSpan
	case atom.Code, atom.Kbd, atom.Samp, atom.Tt:
		kind = CodeSpan
	case atom.A:
		kind, arg = LinkSpan, attr(n, "href")
		if !w.targets || arg == "" || strings.HasPrefix(arg, "#") || strings.HasPrefix(arg, "javascript:") {
			w.Walk(n, parent)
			return
		}
	default:
		w.Walk(n, parent)
		return
	}
	number := w.begin()
	w.Walk(n, parent)
	w.close(number, kind, arg)
}

// image notes the alternative text of an image.
func (w *Walker) image(n *html.Node) {
	if alt := oneLine(attr(n, "alt")); w.images && alt != "" {
		w.close(w.begin(), ImageSpan, alt+"\n"+strings.TrimSpace(attr(n, "src")))
	}
}

// opens notes of a block element what Markdown needs: places of cells, numbers of items, languages of code.
func (w *Walker) opens(n *html.Node, id, parent int32) {
	s := w.Structure
	switch n.DataAtom {
	case atom.Ol:
		first, err := strconv.Atoi(attr(n, "start"))
		if err != nil || first < 0 || first > 1e8 {
			first = 1
		}
		s.Numbers[id] = first
	case atom.Li:
		if parent >= 0 && w.Elements[parent].Tag == atom.Ol {
			s.Numbers[id] = s.Numbers[parent]
			s.Numbers[parent]++
		}
	case atom.Pre, atom.Listing, atom.Xmp:
		if l := languageOf(n); l != "" {
			s.Language[id] = l
		}
	case atom.Tr:
		s.column = 0
		for i := range s.pending {
			s.pending[i] = max(0, s.pending[i]-1)
		}
	case atom.Td, atom.Th:
		s.place(n, id)
	}
}

// maxColumns bounds tables: cells further right come in the order of the page.
const maxColumns = 64

// place finds the column of a cell, beside those that reach down from rows above.
func (s *Structure) place(n *html.Node, id int32) {
	for s.column < len(s.pending) && s.pending[s.column] > 0 {
		s.column++
	}
	width := limited(attr(n, "colspan"))
	height := limited(attr(n, "rowspan"))
	if s.column >= maxColumns {
		return
	}
	s.Cells[id] = Cell{s.column, width}
	for i := 0; i < width && s.column < maxColumns; i++ {
		for len(s.pending) <= s.column {
			s.pending = append(s.pending, 0)
		}
		s.pending[s.column] = height
		s.column++
	}
}

// limited reads a number of rows or columns.
func limited(s string) int {
	n, err := strconv.Atoi(strings.TrimSpace(s))
	if err != nil || n < 1 {
		return 1
	}
	return min(n, maxColumns)
}

// languageOf is the language that the classes of a pre, of what is close around it and of the code within name.
func languageOf(n *html.Node) string {
	candidates := []*html.Node{n}
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		if c.DataAtom == atom.Code {
			candidates = append([]*html.Node{c}, n)
		}
	}
	for up, i := n.Parent, 0; up != nil && i < 3 && up.DataAtom != atom.Body; up, i = up.Parent, i+1 {
		candidates = append(candidates, up)
	}
	for i, c := range candidates {
		for _, a := range c.Attr {
			switch a.Key {
			case "data-lang", "data-language":
				if l := languageName(a.Val); l != "" {
					return l
				}
			case "lang":
				if i < 2 && len(a.Val) != 2 && !strings.Contains(a.Val, "-") || a.Val == "go" || a.Val == "js" || a.Val == "sh" {
					if l := languageName(a.Val); l != "" && i < 2 {
						return l
					}
				}
			case "class":
				if l := classLanguage(a.Val); l != "" {
					return l
				}
			}
		}
	}
	return ""
}

// classLanguage finds a language among classes: language-go, lang-go, highlight-source-go, highlight-python3, brush: js.
func classLanguage(class string) string {
	fields := strings.Fields(class)
	for i, f := range fields {
		for _, prefix := range [...]string{"language-", "lang-", "highlight-source-", "highlight-text-", "highlight-", "brush:", "src-", "code-"} {
			name, ok := strings.CutPrefix(strings.TrimSuffix(f, ";"), prefix)
			if ok && name == "" && i+1 < len(fields) {
				name = strings.TrimSuffix(fields[i+1], ";")
			}
			if l := languageName(name); ok && l != "" {
				return l
			}
		}
		if (f == "sourceCode" || f == "hljs" || f == "prettyprint" || f == "highlight" || f == "src") && i+1 < len(fields) && known[strings.ToLower(fields[i+1])] {
			return strings.ToLower(fields[i+1])
		}
		if i+1 < len(fields) && fields[i+1] == "hljs" && known[strings.ToLower(f)] {
			return strings.ToLower(f)
		}
	}
	return ""
}

// known are languages that stand alone in a class. It is read only.
var known = func() map[string]bool {
	m := map[string]bool{}
	for l := range strings.FieldsSeq(`bash c cpp csharp css diff go haskell html ini java javascript js json kotlin lisp lua makefile markdown
		matlab objectivec perl php python r ruby rust scala scheme sh shell sql swift toml typescript ts xml yaml`) {
		m[l] = true
	}
	return m
}()

// languageName is a language in lower case; "" for what is none.
func languageName(s string) string {
	s = strings.ToLower(strings.TrimSpace(s))
	if len(s) > 20 {
		return ""
	}
	switch s {
	case "none", "text", "plain", "plaintext", "default", "auto", "nohighlight", "notranslate", "block", "box", "wrapper", "container", "example":
		return ""
	}
	for i := 0; i < len(s); i++ {
		if c := s[i]; (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '+' && c != '#' && c != '.' && c != '_' && c != '-' {
			return ""
		}
	}
	return s
}
