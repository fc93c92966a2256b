package extract

import (
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// flat reads a page tag by tag, for pages that are nested too deep for a tree: one element holds all blocks.
func flat(page string, o Options, watched *watch) (Page, error) {
	var p Page
	w := newWalker(len(page), o, watched)
	w.cur.owner = w.open(atom.Body, -1, 0, 0)
	z := html.NewTokenizer(strings.NewReader(page))
	var within atom.Atom // the element whose text is no text of the page; the tokenizer reads it raw, up to its end tag
	for {
		if watched.late() {
			return Page{}, ErrTime
		}
		switch z.Next() {
		case html.ErrorToken:
			w.end()
			w.elements[0].end = int32(len(w.blocks))
			p.Text = w.finish(o, &p)
			if watched.over {
				return Page{}, ErrTime
			}
			if p.Text == "" {
				return p, ErrDepth
			}
			return p, nil
		case html.TextToken:
			switch within {
			case 0:
				w.add(html.UnescapeString(string(z.Raw())))
			case atom.Title:
				p.Title = oneLine(html.UnescapeString(string(z.Raw())))
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
}

// turn is met with a start tag (by 1) or an end tag (by -1).
func (w *walker) turn(tag atom.Atom, by int) {
	switch {
	case tag == atom.A:
		w.links = max(0, w.links+by)
		return
	case tag == atom.Br:
		w.newline()
		return
	case !isBlock(tag):
		return
	}
	w.flush()
	w.cur.kind = plain
	switch tag {
	case atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6:
		if by > 0 {
			w.cur.kind, w.cur.rank = heading, 2
		}
	case atom.Li:
		w.bullet = by > 0
	case atom.Pre:
		w.pre = max(0, w.pre+by)
	}
	if w.pre > 0 {
		w.cur.kind = code
	}
}
