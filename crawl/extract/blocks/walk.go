// Package blocks cuts a page into blocks: a parse tree goes in, a flat list of blocks (paragraphs, headings, list items, table
// rows, code) comes out, and one of the elements around them, with what tags, classes and ids hint at and sums of text,
// links and prose. For Markdown it notes emphasis, links, cells and the like too.
package blocks

import (
	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// Element is a block-level element of the page, or an inline one with a hint. Elements lie in the order of their start tags.
type Element struct {
	Parent     int32     // index; -1 for the first
	First, End int32     // its blocks are [First, End)
	Tag        atom.Atom // 0 for an unknown one
	Hint       Hint      // of its own
	Within     Hint      // hints of the elements around it, and its own
	Area       Area      // kinds of elements around it, and its own
	Depth      int16     // elements above it
	Negative   int32     // the nearest element around it with a negative hint, or itself; -1 for none
	Sign       uint32    // hash of tag and classes: alike for elements that one template made
	Size, Link int32     // units of text below it, and of them within links
	Good       int32     // units of text below it in blocks of prose
}

// Area says what kinds of elements stand around a block.
type Area uint16

const (
	inItem Area = 1 << iota
	inTable
	inForm
	inArticle
	inMain
	inAside
	inNav
	inFooter
	inHeader
	inQuote
	inFigure
	inSection
	inTerms
)

// areaOf is the area that an element opens.
func areaOf(tag atom.Atom) Area {
	switch tag {
	case atom.Li:
		return inItem
	case atom.Table:
		return inTable
	case atom.Form, atom.Fieldset:
		return inForm
	case atom.Article:
		return inArticle
	case atom.Main:
		return inMain
	case atom.Aside:
		return inAside
	case atom.Nav, atom.Menu:
		return inNav
	case atom.Footer:
		return inFooter
	case atom.Header:
		return inHeader
	case atom.Blockquote:
		return inQuote
	case atom.Figure, atom.Figcaption:
		return inFigure
	case atom.Section:
		return inSection
	case atom.Dl:
		return inTerms
	}
	return 0
}

// Block is a run of text that no block-level element interrupts. Sizes are units: a code point other than space is one, a
// wide one (Han, kana, hangul) two, so that a Chinese and an English sentence weigh alike.
type Block struct {
	Start, End int32 // bytes in Walker.Text
	Owner      int32 // the element right above
	Size, Link int32 // units, and those within links
	Stops      int32 // signs that end or divide sentences
	Words      int32 // runs of characters between spaces; a wide character counts half
	Digits     int32 // of ASCII
	Upper      int32 // capitals of ASCII
	Kind       Kind  // how it is written
	Rank       uint8 // of a heading, 1 to 6
	Drop       Level // how surely it is no main text
}

// Kind is how a block is written.
type Kind uint8

// The kinds of blocks.
const (
	Plain   Kind = iota // a paragraph, or a part of one
	Heading             // h1 to h6
	Item                // the first block of a list item
	Row                 // of a table
	Code                // preformatted
)

// Level says how surely a block is no main text.
type Level uint8

// The levels, from the least sure on.
const (
	Kept    Level = iota // may be main text
	Guessed              // by class, place or wording; taken back where too little is left
	Sure                 // not shown on the page
)

// Prose tells whether a block reads like sentences, or is code.
func (b *Block) Prose() bool {
	return b.Size >= ProseSize && b.Link*3 < b.Size && b.Stops > 0 || b.Kind == Code
}

// ProseSize is the least units of a block of prose: about a dozen English words, thirty Chinese characters.
const ProseSize = 60

// Walker turns a parse tree into blocks and elements in one pass: Reset, Walk, End, Hide. It may be used for one page after
// the other.
type Walker struct {
	Text     []byte    // of all blocks
	Blocks   []Block   // in the order of the page
	Elements []Element // likewise; the first is around all others

	cur    Block // being filled
	space  byte  // white space due before the next character: 0, space, fold (a line of the source ends), or line feed
	wide   bool  // the last character written was a wide one
	links  int   // open links
	pre    int   // open pre elements
	bullet bool  // a list item was opened and has no text yet

	Structure       *Structure // nil for plain text
	Watch           *Watch     // ends the walk
	classes         classes
	targets, images bool // of links, and images, are to be noted
}

// Walk visits all below n. The parser lets no more than 512 elements be open, so the recursion is bounded.
func (w *Walker) Walk(n *html.Node, parent int32) {
	for c := n.FirstChild; c != nil && !w.Watch.Late(); c = c.NextSibling {
		switch c.Type {
		case html.TextNode:
			w.add(c.Data)
		case html.ElementNode:
			w.element(c, parent)
		}
	}
}

func (w *Walker) element(n *html.Node, parent int32) {
	tag := n.DataAtom
	switch {
	case skipped(tag):
		if (tag == atom.Img || tag == atom.Script) && w.formula(n, 0) {
			return
		}
		w.pad()
		if tag == atom.Img && w.images {
			w.image(n)
		}
		return
	case tag == atom.Br && w.pre > 0:
		w.Text = append(w.Text, '\n')
		return
	case tag == atom.Br:
		w.newline()
		return
	case w.pre > 0: // the classes of highlighted code speak of syntax
		if gutter(n) {
			return
		}
		if IsBlock(tag) {
			w.newline()
		}
		w.Walk(n, parent)
		return
	}
	h, sign := w.classes.hints(n)
	if (h&FormulaWords != 0 || tag == atom.Math || tag == 0) && w.formula(n, h) {
		return
	}
	link := tag == atom.A && hasTarget(n)
	if link {
		w.links++
	}
	if IsBlock(tag) || h&(Negative|Comments|hidden) != 0 {
		w.block(n, parent, h, sign)
	} else if w.Structure != nil {
		w.inline(n, parent)
	} else {
		w.Walk(n, parent)
	}
	if link {
		w.links--
	}
}

// block visits an element that starts a new line.
func (w *Walker) block(n *html.Node, parent int32, h Hint, sign uint32) {
	w.flush()
	id := w.open(n.DataAtom, parent, h, sign)
	if w.Structure != nil {
		w.opens(n, id, parent)
	}
	owner, k, rank := w.cur.Owner, w.cur.Kind, w.cur.Rank
	w.cur.Owner = id
	switch n.DataAtom {
	case atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6:
		w.cur.Kind, w.cur.Rank = Heading, n.Data[1]-'0'
	case atom.Li:
		w.bullet = true
	case atom.Pre, atom.Listing, atom.Xmp:
		w.cur.Kind = Code
		w.pre++
	}
	w.Walk(n, id)
	w.flush()
	switch n.DataAtom {
	case atom.Li:
		w.bullet = false
	case atom.Pre, atom.Listing, atom.Xmp:
		w.pre--
	case atom.Tr:
		w.joinRow(id)
	}
	w.Elements[id].End = int32(len(w.Blocks))
	w.cur.Owner, w.cur.Kind, w.cur.Rank = owner, k, rank
}

// open adds an element that begins with the next block.
func (w *Walker) open(tag atom.Atom, parent int32, h Hint, sign uint32) int32 {
	id := int32(len(w.Elements))
	e := Element{Parent: parent, Tag: tag, Hint: h, Within: h, Area: areaOf(tag), Sign: sign, First: int32(len(w.Blocks)), Negative: -1}
	if parent >= 0 {
		up := &w.Elements[parent]
		e.Within, e.Area, e.Depth, e.Negative = e.Within|up.Within, e.Area|up.Area, up.Depth+1, up.Negative
	}
	if h&Negative != 0 {
		e.Negative = id
	}
	w.Elements = append(w.Elements, e)
	return id
}

// joinRow makes one block of a table row whose cells are short and one block each: a row of data, not of a layout.
func (w *Walker) joinRow(id int32) {
	first := int(w.Elements[id].First)
	cells := w.Blocks[first:]
	if len(cells) < 2 {
		return
	}
	last := int32(-1)
	for _, b := range cells {
		cell := b.Owner
		if t := w.Elements[cell].Tag; t != atom.Td && t != atom.Th { // one wrapper within a cell is fine
			cell = w.Elements[cell].Parent
		}
		if t := w.Elements[cell].Tag; t != atom.Td && t != atom.Th || cell == last || b.Size > MaxCell || b.Kind >= Row {
			return
		}
		last = cell
	}
	joined := cells[0]
	joined.Kind, joined.Owner = Row, id
	joined.Start = int32(len(w.Text))
	joined.Size, joined.Link, joined.Stops, joined.Words, joined.Digits, joined.Upper = 0, 0, 0, 0, 0, 0
	for i, b := range cells {
		if i > 0 {
			w.Text = append(w.Text, " | "...)
		}
		for _, c := range w.Text[b.Start:b.End] {
			if c == '\n' {
				c = ' '
			}
			w.Text = append(w.Text, c)
		}
		joined.Size, joined.Link, joined.Stops = joined.Size+b.Size, joined.Link+b.Link, joined.Stops+b.Stops
		joined.Words, joined.Digits, joined.Upper = joined.Words+b.Words, joined.Digits+b.Digits, joined.Upper+b.Upper
	}
	joined.End = int32(len(w.Text))
	if w.Structure != nil {
		parts := make([]Part, len(cells))
		for i, b := range cells {
			parts[i] = Part{b.Start, b.End, b.Owner}
		}
		w.Structure.Rows[joined.Start] = parts
	}
	w.cur.Start = joined.End
	w.Blocks = append(w.Blocks[:first], joined)
	for i := int(id) + 1; i < len(w.Elements); i++ {
		e := &w.Elements[i]
		e.First, e.End = min(e.First, int32(first)), min(e.End, int32(first+1))
	}
}

// MaxCell is the most units of a cell of data; longer ones are columns of a page's layout.
const MaxCell = 400

// Notes says what is noted of a page beside its blocks and elements.
type Notes struct {
	Structure     bool // what Markdown needs
	Links, Images bool // with it, the targets of links, and images
}

// Reset makes a walker ready for a page of so many bytes.
func (w *Walker) Reset(pageBytes int, n Notes, watched *Watch) {
	*w = Walker{Watch: watched, Text: w.Text[:0], Blocks: w.Blocks[:0], Elements: w.Elements[:0]}
	if cap(w.Text) == 0 {
		w.Text, w.Blocks, w.Elements = make([]byte, 0, pageBytes/8), make([]Block, 0, 256), make([]Element, 0, 512)
	}
	if n.Structure {
		w.Structure, w.targets, w.images = newStructure(), n.Links, n.Images
	}
}
