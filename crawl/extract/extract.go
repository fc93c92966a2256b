// Package extract turns web pages into plain text: an HTML page goes in, its main text and what it says of itself (title,
// date, language) come out; navigation, advertising, comments beside an article and all that is not shown stay behind.
//
// Package lean makes the markup smaller, package tree parses it, package blocks walks the tree, package markdown writes what
// is kept where Markdown is asked for; what is kept is chosen here.
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
	"winnow/crawl/extract/blocks"
	"winnow/crawl/extract/lean"
	"winnow/crawl/extract/markdown"
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

// Format says how the main text is written.
type Format string

// The formats. The empty Format is Text.
const (
	Text     Format = "text"     // a line for each block
	Markdown Format = "markdown" // CommonMark with tables, formulas between dollar signs
)

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

// maxTime is the most time that a page may take, by the clock and of the processor.
const maxTime = 30 * time.Second

// ErrTime says that a page took longer than 30 seconds: the last resort, where no other limit held.
var ErrTime = errors.New("page took longer than 30 s")

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
	p, err := s.extract(page, o, blocks.NewWatch(maxTime))
	if s.small() {
		x.left.Put(s)
	}
	return p, err
}

// walked is what the walk found on a page, to choose from.
type walked struct{ blocks.Walker }

// scratch is what extraction works in. Nothing of it outlives the page.
type scratch struct {
	leaner  lean.Leaner
	builder tree.Builder
	walked  walked
}

// mostScratch is how many bytes of text are kept for the next page.
const mostScratch = 4 << 20

func (s *scratch) small() bool {
	return cap(s.leaner.Out) <= mostScratch && cap(s.walked.Text) <= mostScratch && cap(s.walked.Blocks)+cap(s.walked.Elements) <= mostScratch/64
}

func (s *scratch) extract(page string, o Options, watched *blocks.Watch) (Page, error) {
	w, p, err := s.read(page, o, watched)
	if err != nil && !watched.Over {
		return flat(page, o, watched) // the parser fails on depth alone: reading from memory does not
	}
	if err == nil {
		p.Text = w.finish(o, &p)
	}
	if watched.Over {
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
func read(page string, o Options, watched *blocks.Watch) (*walked, Page, error) {
	return new(scratch).read(page, o, watched)
}

func (s *scratch) read(page string, o Options, watched *blocks.Watch) (*walked, Page, error) {
	if err := s.leaner.Lean(page, o.Format == Markdown, o.Format == Markdown && o.Images); err != nil {
		return nil, Page{}, err
	}
	root, err := s.parse(watched)
	if err != nil {
		return nil, Page{}, err
	}
	f := about.Read(root)
	p := factsOf(f)
	w := &s.walked
	w.Reset(len(page), o.notes(), watched)
	w.Walk(root, -1)
	w.End()
	w.Hide()
	if len(w.Elements) > 0 && w.Elements[0].Good < shortText {
		p.linked = strings.TrimSpace(articleBody(f.Linked))
	}
	return w, p, nil
}

// parse makes the tree of what is left of a page. It lies in the scratch, as do the strings in it.
func (s *scratch) parse(watched *blocks.Watch) (*html.Node, error) {
	short := s.leaner.Out
	root, err := s.builder.Parse(unsafe.String(unsafe.SliceData(short), len(short)))
	if errors.Is(err, tree.ErrRare) {
		root, err = html.ParseWithOptions(watched.Reader(bytes.NewReader(short)), html.ParseOptionEnableScripting(false))
	}
	return root, err
}

// shortText is the bytes of main text up to which the article in a page's JSON-LD is looked for: pages that scripts fill
// in often carry it there.
const shortText = 500

// notes is what is noted of a page for its format.
func (o Options) notes() blocks.Notes {
	return blocks.Notes{Structure: o.Format == Markdown, Links: o.Links, Images: o.Images}
}

// flat makes the text of a page that is nested too deep for a tree.
func flat(page string, o Options, watched *blocks.Watch) (Page, error) {
	var w walked
	w.Reset(len(page), o.notes(), watched)
	p := Page{Title: w.WalkTags(page)}
	if watched.Over {
		return Page{}, ErrTime
	}
	p.Text = w.finish(o, &p)
	if watched.Over {
		return Page{}, ErrTime
	}
	if p.Text == "" {
		return p, ErrDepth
	}
	return p, nil
}

// finish chooses among the blocks and writes the text.
func (w *walked) finish(o Options, p *Page) string {
	if len(w.Elements) == 0 {
		return ""
	}
	keep := w.choose(o, p).keep
	w.dateline(keep, p)
	if w.Structure != nil {
		return markdown.Write(&w.Walker, keep, o.URL)
	}
	return w.Render(keep)
}
