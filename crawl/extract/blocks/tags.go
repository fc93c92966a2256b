package blocks

import (
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// WalkTags reads a page tag by tag, for pages that are nested too deep for a tree: one element holds all blocks. It gives the
// page's title.
func (w *Walker) WalkTags(page string) (title string) {
	w.cur.Owner = w.open(atom.Body, -1, 0, 0)
	z := html.NewTokenizer(strings.NewReader(page))
	var within atom.Atom // the element whose text is no text of the page; the tokenizer reads it raw, up to its end tag
	for !w.Watch.Late() {
		switch z.Next() {
		case html.ErrorToken:
			w.End()
			w.Elements[0].End = int32(len(w.Blocks))
			return title
		case html.TextToken:
			switch within {
			case 0:
				w.add(html.UnescapeString(string(z.Raw())))
			case atom.Title:
				title = oneLine(html.UnescapeString(string(z.Raw())))
			}
		case html.StartTagToken:
			name, _ := z.TagName()
			tag := atom.Lookup(name)
			switch tag {
			case atom.Script, atom.Style, atom.Title, atom.Textarea, atom.Noscript, atom.Iframe, atom.Noframes, atom.Noembed:
				within = tag
			}
			w.turn(tag, 1)
		case html.EndTagToken:
			name, _ := z.TagName()
			tag := atom.Lookup(name)
			if tag == within {
				within = 0
			}
			w.turn(tag, -1)
		}
	}
	return title
}

// turn is met with a start tag (by 1) or an end tag (by -1).
func (w *Walker) turn(tag atom.Atom, by int) {
	switch {
	case tag == atom.A:
		w.links = max(0, w.links+by)
		return
	case tag == atom.Br:
		w.newline()
		return
	case !IsBlock(tag):
		return
	}
	w.flush()
	w.cur.Kind = Plain
	switch tag {
	case atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6:
		if by > 0 {
			w.cur.Kind, w.cur.Rank = Heading, 2
		}
	case atom.Li:
		w.bullet = by > 0
	case atom.Pre:
		w.pre = max(0, w.pre+by)
	}
	if w.pre > 0 {
		w.cur.Kind = Code
	}
}
