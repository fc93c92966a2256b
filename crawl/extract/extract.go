// Package extract turns web pages into plain text: an HTML page goes in, its main text and what it says of itself (title,
// date, language) come out; navigation, advertising, comments beside an article and all that is not shown stay behind.
//
// One walk over the parse tree makes a flat list of blocks (paragraphs, headings, list items, table rows, code) and of the
// elements around them, with sums of text, links and prose for each. All choices are made on these two lists: which
// elements are boilerplate by their class, place or wording, which element holds the text, which blocks of it are kept.
// Nothing depends on the host, on other pages or on a clock.
//
// The text has one line for each block, and "\n" between them; line breaks, and the lines of code, are lines too.
package extract

import (
	"bytes"
	"errors"
	"strings"
	"sync"
	"time"
	"unsafe"

	"golang.org/x/net/html"

	"winnow/crawl/extract/about"
	"winnow/crawl/extract/score"
	"winnow/crawl/extract/tree"
)

// Options of Extract and of the stage. The zero value is the default.
type Options struct {
	MinChars int    // least code points of main text; fewer drop the document (extract.min_chars)
	MaxBytes int64  // most bytes of a page as fetched; more drop it unread (error.size); 0: 16 MiB
	Mode     Mode   // what a doubtful block is worth; balanced
	Format   Format // how the main text is written; text
	Links    bool   // write the addresses of links; for Markdown
	Images   bool   // write the alternative texts of images; for Markdown
	URL      string // of the page, against which addresses are resolved; the stage sets it for each document

	Scorer *score.Model // for measuring on pages that the shipped one, nil, has learned from
}

// Page is what a page says.
type Page struct {
	Title string // may be empty
	Text  string // the main text; empty where none was found
	Date  string // of publication as YYYY-MM-DD; may be empty
	Lang  string // as the page claims, for instance zh-CN; may be empty

	Author    string // names, with "; " between them; may be empty, as all that follow
	Canonical string // address, as the page gives it
	Site      string // name
	License   string // Creative Commons as "CC BY-SA 4.0"; else an address, or words

	declared          declared
	description       string // in its meta elements
	linkedDescription string // in its JSON-LD
	linked            string // the article in its JSON-LD, where there is little other text
}

// ErrDepth says that elements are nested deeper than the parser goes, 512, and that there is no text between the tags.
var ErrDepth = errors.New("elements nested deeper than 512")

// Extract finds the main text of a page in UTF-8. A page that nests elements too deep for the parser is read tag by tag
// instead, with less precision, as is one with more nodes than a tree can have; the error is ErrDepth where that finds
// nothing, and ErrTime after 30 seconds. For many pages, an Extractor takes less time.
func Extract(page string, o Options) (Page, error) { return new(Extractor).Extract(page, o) }

// Extractor extracts page after page, and keeps what one leaves behind for the next. The zero value is ready. It is safe for
// concurrent use.
type Extractor struct{ left sync.Pool } // of *scratch

// Extract is the function of that name.
func (x *Extractor) Extract(page string, o Options) (Page, error) {
	s, ok := x.left.Get().(*scratch)
	if !ok {
		s = new(scratch)
	}
	p, err := s.extract(page, o, &watch{until: time.Now().Add(maxTime), cpu: processTime() + maxTime})
	if s.small() {
		x.left.Put(s)
	}
	return p, err
}

// scratch is what extraction works in. Nothing of it outlives the page.
type scratch struct {
	leaner  leaner
	builder tree.Builder
	walker  walker
}

// mostScratch is how many bytes of text are kept for the next page.
const mostScratch = 4 << 20

func (s *scratch) small() bool {
	return cap(s.leaner.out) <= mostScratch && cap(s.walker.text) <= mostScratch && cap(s.walker.blocks)+cap(s.walker.elements) <= mostScratch/64
}

func (s *scratch) extract(page string, o Options, watched *watch) (Page, error) {
	w, p, err := s.read(page, o, watched)
	if err != nil && !watched.over {
		return flat(page, o, watched) // the parser fails on depth alone: reading from memory does not
	}
	if err == nil {
		p.Text = w.finish(o, &p)
	}
	if watched.over {
		return Page{}, ErrTime
	}
	if len(p.Text) < shortText && len(p.linked) > 2*len(p.Text) {
		p.Text = p.linked
	}
	return p.own(), nil
}

// own is what the page says, without what is only looked at on the way there, in strings of its own: those of a tree are parts of
// the scratch.
func (p *Page) own() Page {
	c := strings.Clone
	return Page{Title: c(p.Title), Text: p.Text, Date: c(p.Date), Lang: c(p.Lang), Author: c(p.Author), Canonical: c(p.Canonical), Site: c(p.Site), License: c(p.License)}
}

// read parses a page into blocks and facts.
func read(page string, o Options, watched *watch) (*walker, Page, error) {
	return new(scratch).read(page, o, watched)
}

func (s *scratch) read(page string, o Options, watched *watch) (*walker, Page, error) {
	if err := s.leaner.lean(page, o); err != nil {
		return nil, Page{}, err
	}
	root, err := s.parse(watched)
	if err != nil {
		return nil, Page{}, err
	}
	f := about.Read(root)
	p := factsOf(f)
	w := &s.walker
	w.reset(len(page), o, watched)
	w.walk(root, -1)
	w.end()
	w.hide()
	if len(w.elements) > 0 && w.elements[0].good < shortText {
		p.linked = strings.TrimSpace(articleBody(f.Linked))
	}
	return w, p, nil
}

// parse makes the tree of what is left of a page. It lies in the scratch, as do the strings in it.
func (s *scratch) parse(watched *watch) (*html.Node, error) {
	short := s.leaner.out
	root, err := s.builder.Parse(unsafe.String(unsafe.SliceData(short), len(short)))
	if errors.Is(err, tree.ErrRare) {
		root, err = html.ParseWithOptions(watchedReader{bytes.NewReader(short), watched}, html.ParseOptionEnableScripting(false))
	}
	return root, err
}

// shortText is the bytes of main text up to which the article in a page's JSON-LD is looked for: pages that scripts fill
// in often carry it there.
const shortText = 500

func newWalker(pageBytes int, o Options, watched *watch) *walker {
	w := &walker{}
	w.reset(pageBytes, o, watched)
	return w
}

// reset makes a walker ready for a page.
func (w *walker) reset(pageBytes int, o Options, watched *watch) {
	*w = walker{watch: watched, text: w.text[:0], blocks: w.blocks[:0], elements: w.elements[:0]}
	if cap(w.text) == 0 {
		w.text, w.blocks, w.elements = make([]byte, 0, pageBytes/8), make([]block, 0, 256), make([]element, 0, 512)
	}
	if o.Format == Markdown {
		w.structure, w.targets, w.images = newStructure(), o.Links, o.Images
	}
}

// finish chooses among the blocks and writes the text.
func (w *walker) finish(o Options, p *Page) string {
	if len(w.elements) == 0 {
		return ""
	}
	keep := w.choose(o, p).keep
	w.dateline(keep, p)
	if w.structure != nil {
		return w.markdown(keep, o)
	}
	return w.render(keep)
}
