package extract

import (
	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// element is a block-level element of the page, or an inline one with a hint. Elements lie in the order of their start tags.
type element struct {
	parent     int32 // index; -1 for the first
	first, end int32 // its blocks are [first, end)
	tag        atom.Atom
	hint       hint
	within     hint   // hints of the elements around it, and its own
	area       area   // kinds of elements around it, and its own
	depth      int16  // elements above it
	negative   int32  // the nearest element around it with a negative hint, or itself; -1 for none
	sign       uint32 // hash of tag and classes: alike for elements that one template made
	size, link int32  // units of text below it, and of them within links
	good       int32  // units of text below it in blocks of prose
}

// area says what kinds of elements stand around a block.
type area uint16

const (
	inItem area = 1 << iota
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
func areaOf(tag atom.Atom) area {
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

// block is a run of text that no block-level element interrupts. Sizes are units: a code point other than space is one, a
// wide one (Han, kana, hangul) two, so that a Chinese and an English sentence weigh alike.
type block struct {
	start, end int32 // bytes in walker.text
	owner      int32 // the element right above
	size, link int32
	stops      int32 // signs that end or divide sentences
	words      int32 // runs of characters between spaces; a wide character counts half
	digits     int32
	upper      int32
	kind       kind
	rank       uint8 // of a heading, 1 to 6
	drop       level
}

// kind is how a block is written.
type kind uint8

const (
	plain kind = iota
	heading
	item // the first block of a list item
	row  // of a table
	code // preformatted
)

// level says how surely a block is no main text.
type level uint8

const (
	kept    level = iota
	guessed       // by class, place or wording; taken back where too little is left
	sure          // not shown on the page
)

// prose tells whether a block reads like sentences, or is code.
func (b *block) prose() bool {
	return b.size >= proseSize && b.link*3 < b.size && b.stops > 0 || b.kind == code
}

// proseSize is the least units of a block of prose: about a dozen English words, thirty Chinese characters.
const proseSize = 60

// walker turns a parse tree into blocks and elements in one pass.
type walker struct {
	text     []byte
	blocks   []block
	elements []element

	cur    block // being filled
	space  byte  // white space due before the next character: 0, space, fold (a line of the source ends), or line feed
	wide   bool  // the last character written was a wide one
	links  int   // open links
	pre    int   // open pre elements
	bullet bool  // a list item was opened and has no text yet

	structure       *structure // nil for plain text
	watch           *watch
	classes         classes
	targets, images bool // of links, and images, are to be noted
}

// walk visits all below n. The parser lets no more than 512 elements be open, so the recursion is bounded.
func (w *walker) walk(n *html.Node, parent int32) {
	for c := n.FirstChild; c != nil && !w.watch.late(); c = c.NextSibling {
		switch c.Type {
		case html.TextNode:
			w.add(c.Data)
		case html.ElementNode:
			w.element(c, parent)
		}
	}
}

func (w *walker) element(n *html.Node, parent int32) {
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
		w.text = append(w.text, '\n')
		return
	case tag == atom.Br:
		w.newline()
		return
	case w.pre > 0: // the classes of highlighted code speak of syntax
		if gutter(n) {
			return
		}
		if isBlock(tag) {
			w.newline()
		}
		w.walk(n, parent)
		return
	}
	h, sign := w.classes.hints(n)
	if (h&formulaWords != 0 || tag == atom.Math || tag == 0) && w.formula(n, h) {
		return
	}
	link := tag == atom.A && hasTarget(n)
	if link {
		w.links++
	}
	if isBlock(tag) || h&(negative|comments|hidden) != 0 {
		w.block(n, parent, h, sign)
	} else if w.structure != nil {
		w.inline(n, parent)
	} else {
		w.walk(n, parent)
	}
	if link {
		w.links--
	}
}

// block visits an element that starts a new line.
func (w *walker) block(n *html.Node, parent int32, h hint, sign uint32) {
	w.flush()
	id := w.open(n.DataAtom, parent, h, sign)
	if w.structure != nil {
		w.opens(n, id, parent)
	}
	owner, k, rank := w.cur.owner, w.cur.kind, w.cur.rank
	w.cur.owner = id
	switch n.DataAtom {
	case atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6:
		w.cur.kind, w.cur.rank = heading, n.Data[1]-'0'
	case atom.Li:
		w.bullet = true
	case atom.Pre, atom.Listing, atom.Xmp:
		w.cur.kind = code
		w.pre++
	}
	w.walk(n, id)
	w.flush()
	switch n.DataAtom {
	case atom.Li:
		w.bullet = false
	case atom.Pre, atom.Listing, atom.Xmp:
		w.pre--
	case atom.Tr:
		w.joinRow(id)
	}
	w.elements[id].end = int32(len(w.blocks))
	w.cur.owner, w.cur.kind, w.cur.rank = owner, k, rank
}

// open adds an element that begins with the next block.
func (w *walker) open(tag atom.Atom, parent int32, h hint, sign uint32) int32 {
	id := int32(len(w.elements))
	e := element{parent: parent, tag: tag, hint: h, within: h, area: areaOf(tag), sign: sign, first: int32(len(w.blocks)), negative: -1}
	if parent >= 0 {
		up := &w.elements[parent]
		e.within, e.area, e.depth, e.negative = e.within|up.within, e.area|up.area, up.depth+1, up.negative
	}
	if h&negative != 0 {
		e.negative = id
	}
	w.elements = append(w.elements, e)
	return id
}

// joinRow makes one block of a table row whose cells are short and one block each: a row of data, not of a layout.
func (w *walker) joinRow(id int32) {
	first := int(w.elements[id].first)
	cells := w.blocks[first:]
	if len(cells) < 2 {
		return
	}
	last := int32(-1)
	for _, b := range cells {
		cell := b.owner
		if t := w.elements[cell].tag; t != atom.Td && t != atom.Th { // one wrapper within a cell is fine
			cell = w.elements[cell].parent
		}
		if t := w.elements[cell].tag; t != atom.Td && t != atom.Th || cell == last || b.size > maxCell || b.kind >= row {
			return
		}
		last = cell
	}
	joined := cells[0]
	joined.kind, joined.owner = row, id
	joined.start = int32(len(w.text))
	joined.size, joined.link, joined.stops, joined.words, joined.digits, joined.upper = 0, 0, 0, 0, 0, 0
	for i, b := range cells {
		if i > 0 {
			w.text = append(w.text, " | "...)
		}
		for _, c := range w.text[b.start:b.end] {
			if c == '\n' {
				c = ' '
			}
			w.text = append(w.text, c)
		}
		joined.size, joined.link, joined.stops = joined.size+b.size, joined.link+b.link, joined.stops+b.stops
		joined.words, joined.digits, joined.upper = joined.words+b.words, joined.digits+b.digits, joined.upper+b.upper
	}
	joined.end = int32(len(w.text))
	if w.structure != nil {
		parts := make([]part, len(cells))
		for i, b := range cells {
			parts[i] = part{b.start, b.end, b.owner}
		}
		w.structure.rows[joined.start] = parts
	}
	w.cur.start = joined.end
	w.blocks = append(w.blocks[:first], joined)
	for i := int(id) + 1; i < len(w.elements); i++ {
		e := &w.elements[i]
		e.first, e.end = min(e.first, int32(first)), min(e.end, int32(first+1))
	}
}

// maxCell is the most units of a cell of data; longer ones are columns of a page's layout.
const maxCell = 400
