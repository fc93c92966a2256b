// Package tree makes the parse tree of a page: a page in UTF-8 goes in, html.Nodes come out, those that x/net/html makes of it
// with scripting off, in a fraction of the time.
//
// Tags, names of attributes and texts are parts of the page, nodes and attributes come out of slabs that the next page
// uses again, and elements that are open are counted by name, so that no search for one that is not open takes place. It
// follows the rules of tree construction of the HTML standard (WHATWG, 13.2.6), and the library where that differs. What is
// rare (drawings, formulas, frames) is left to the library.
package tree

import (
	"errors"
	"strings"

	"golang.org/x/net/html"
)

// Builder makes trees. The zero value is ready; it serves one page at a time.
type Builder struct {
	page    string
	at      int
	returns bool // the page has carriage returns
	tok     token
	rawTag  *tag // what comes next is its content, as text
	hard    bool // the library has to do it
	deep    bool // more than maxOpen elements are open
	done    bool

	nodes  [][]html.Node // slabs
	used   int           // slabs
	attr   []html.Attribute
	slabs  [][]html.Attribute // of attributes; the last one used is attr
	taken  int
	own    int // in attr: the first one of the tag at hand
	text   []byte
	joined map[*html.Node][]byte // texts of several pieces

	doc        *html.Node
	head       *html.Node
	form       *html.Node
	mode, back mode // back is where text leads back to
	quirks     bool
	foster     bool // what is added goes in front of the table
	open       []entry
	count      [tagCount]int32 // open elements by tag
	templates  []mode          // of the open templates
	formats    []entry         // active formatting elements; nil nodes are markers
}

// entry is an element and what its tag means.
type entry struct {
	node *html.Node
	tag  *tag
}

// maxOpen is how many elements can be open, as the library has it.
const maxOpen = 512

// MaxNodes is how many nodes a tree may have.
const MaxNodes = 1 << 20

// ErrDepth says that more than 512 elements are open.
var ErrDepth = errors.New("elements nested deeper than 512")

// ErrNodes says that the tree has more than MaxNodes nodes.
var ErrNodes = errors.New("too many nodes")

// ErrRare says that the page has what is left to the library.
var ErrRare = errors.New("drawings, formulas or frames")

// Parse makes the tree of a page. It holds until the next call, as long as the bytes of page do.
func (b *Builder) Parse(page string) (*html.Node, error) {
	b.reset(page)
	for !b.done && !b.hard && b.used*nodeSlab <= MaxNodes {
		b.next()
		b.construct()
	}
	switch {
	case b.deep:
		return nil, ErrDepth
	case b.hard:
		return nil, ErrRare
	case !b.done:
		return nil, ErrNodes
	}
	for n, data := range b.joined {
		n.Data = string(data)
	}
	return b.doc, nil
}

// Sizes of slabs.
const (
	nodeSlab = 256
	attrSlab = 256
)

// reset takes back what the last page used.
func (b *Builder) reset(page string) {
	for _, s := range b.nodes[:b.used] {
		clear(s)
	}
	for _, s := range b.slabs[:b.taken] {
		clear(s[:cap(s)])
	}
	b.nodes, b.slabs = b.nodes[:min(len(b.nodes), keptSlabs)], b.slabs[:min(len(b.slabs), keptSlabs)]
	clear(b.joined)
	clear(b.open[:cap(b.open)])
	clear(b.formats[:cap(b.formats)])
	*b = Builder{page: page, returns: strings.IndexByte(page, '\r') >= 0, hard: strings.IndexByte(page, 0) >= 0,
		nodes: b.nodes, slabs: b.slabs, text: b.text[:0], joined: b.joined, open: b.open[:0], formats: b.formats[:0], templates: b.templates[:0]}
	if len(b.slabs) == 0 {
		b.slabs = append(b.slabs, make([]html.Attribute, 0, attrSlab))
	}
	b.attr, b.taken = b.slabs[0][:0], 1
	b.doc = b.node(html.DocumentNode)
}

// keptSlabs is how many slabs are kept for the next page: some 2 MiB.
const keptSlabs = 64

// node takes a node out of a slab.
func (b *Builder) node(t html.NodeType) *html.Node {
	if b.used == 0 || len(b.nodes[b.used-1]) == cap(b.nodes[b.used-1]) {
		if b.used == len(b.nodes) {
			b.nodes = append(b.nodes, make([]html.Node, 0, nodeSlab))
		}
		b.nodes[b.used] = b.nodes[b.used][:0]
		b.used++
	}
	s := &b.nodes[b.used-1]
	*s = (*s)[:len(*s)+1]
	n := &(*s)[len(*s)-1]
	n.Type = t
	return n
}

// attributeSlab gives room for the attributes of more elements.
func (b *Builder) attributeSlab() []html.Attribute {
	if b.taken == len(b.slabs) {
		b.slabs = append(b.slabs, make([]html.Attribute, 0, max(attrSlab, maxAttributes+1)))
	}
	b.taken++
	return b.slabs[b.taken-1][:0]
}

// appendChild makes n the last child of parent.
func appendChild(parent, n *html.Node) {
	n.Parent = parent
	if last := parent.LastChild; last != nil {
		last.NextSibling, n.PrevSibling = n, last
	} else {
		parent.FirstChild = n
	}
	parent.LastChild = n
}

// top is the node that what comes next belongs to.
func (b *Builder) top() *html.Node {
	if n := len(b.open); n > 0 {
		return b.open[n-1].node
	}
	return b.doc
}

// topTag is the tag of the innermost open element.
func (b *Builder) topTag() *tag {
	if n := len(b.open); n > 0 {
		return b.open[n-1].tag
	}
	return &tags[unknown]
}

// add makes n the last child of the innermost open element, or puts it in front of a table.
func (b *Builder) add(n *html.Node) {
	if b.foster && b.topTag().groups&outside != 0 {
		b.fosterParent(n)
		return
	}
	appendChild(b.top(), n)
}

// push opens an element.
func (b *Builder) push(n *html.Node, t *tag) {
	b.open = append(b.open, entry{n, t})
	b.count[t.id]++
	if len(b.open) > maxOpen {
		b.deep, b.done = true, true
	}
}

// pop closes all elements from the i-th on.
func (b *Builder) pop(i int) {
	for _, e := range b.open[i:] {
		b.count[e.tag.id]--
	}
	b.open = b.open[:i]
}

// element adds an element for the tag at hand, and opens it.
func (b *Builder) element() *html.Node {
	n := b.node(html.ElementNode)
	n.DataAtom, n.Data, n.Attr = b.tok.atomOf(), b.tok.name, b.tok.attr
	b.add(n)
	b.push(n, b.tok.tag)
	return n
}

// empty adds an element without content.
func (b *Builder) empty() {
	b.element()
	b.pop(len(b.open) - 1)
}

// imply reads a tag that the page does not have.
func (b *Builder) imply(k kind, id uint8) {
	tok := b.tok
	b.tok = token{kind: k, tag: &tags[id], name: tags[id].name}
	b.construct()
	b.tok = tok
}

// addText adds text, to the text before it if there is one.
func (b *Builder) addText(s string) {
	if s == "" {
		return
	}
	if b.foster && b.topTag().groups&outside != 0 {
		b.fosterText(s)
		return
	}
	if last := b.top().LastChild; last != nil && last.Type == html.TextNode {
		b.join(last, s)
		return
	}
	n := b.node(html.TextNode)
	n.Data = s
	appendChild(b.top(), n)
}

// join adds to a text.
func (b *Builder) join(n *html.Node, s string) {
	if b.joined == nil {
		b.joined = map[*html.Node][]byte{}
	}
	all, ok := b.joined[n]
	if !ok {
		all = []byte(n.Data)
		n.Data = ""
	}
	b.joined[n] = append(all, s...)
}

// addComment adds a comment to a node.
func (b *Builder) addComment(parent *html.Node) {
	n := b.node(html.CommentNode)
	n.Data = b.tok.data
	appendChild(parent, n)
}

// fosterPlace is where what does not belong into a table goes: the parent, and the node behind it.
func (b *Builder) fosterPlace() (parent, before *html.Node) {
	for i := len(b.open) - 1; i >= 0; i-- {
		if b.open[i].tag.id == tTemplate {
			return b.open[i].node, nil
		}
		if b.open[i].tag.id == tTable {
			table := b.open[i].node
			if table.Parent == nil {
				return b.open[i-1].node, nil
			}
			return table.Parent, table
		}
	}
	return b.open[0].node, nil
}

// fosterParent puts a node in front of the table.
func (b *Builder) fosterParent(n *html.Node) {
	parent, before := b.fosterPlace()
	if before == nil {
		appendChild(parent, n)
		return
	}
	n.Parent, n.NextSibling, n.PrevSibling = parent, before, before.PrevSibling
	if n.PrevSibling != nil {
		n.PrevSibling.NextSibling = n
	} else {
		parent.FirstChild = n
	}
	before.PrevSibling = n
}

// fosterText puts text in front of the table.
func (b *Builder) fosterText(s string) {
	parent, before := b.fosterPlace()
	last := parent.LastChild
	if before != nil {
		last = before.PrevSibling
	}
	if last != nil && last.Type == html.TextNode {
		b.join(last, s)
		return
	}
	n := b.node(html.TextNode)
	n.Data = s
	b.fosterParent(n)
}
