package lean

import (
	"errors"

	"golang.org/x/net/html/atom"
)

// Limits of one page. They depend on the page alone, so that it is read alike on any machine. A page beyond maxNodes, or the
// parser's 512 open elements, is read tag by tag instead, and its text is not lost.
const (
	maxNodes      = 1 << 19 // of the parse tree: elements, texts, and elements that the parser would open anew
	maxAttributes = 24      // of an element, of those that count; further ones are not read
)

// errNodes says that a page has too many nodes for a tree.
var errNodes = errors.New("too many nodes")

// formatting tells of the inline elements that the parser opens anew in each block until they are closed.
func formatting(tag atom.Atom) bool {
	switch tag {
	case atom.B, atom.Big, atom.Code, atom.Em, atom.Font, atom.I, atom.S, atom.Small, atom.Strike, atom.Strong, atom.Tt, atom.U:
		return true
	}
	return false
}

// opened counts what a start tag costs the parser.
func (l *Leaner) opened(tag atom.Atom, block bool) {
	l.nodes++
	switch {
	case formatting(tag):
		l.formats = min(l.formats+1, 512)
	case block || tag == atom.A || tag == atom.Object:
		l.nodes += l.formats
	}
}

// ended counts what an end tag costs the parser.
func (l *Leaner) ended(tag atom.Atom, block bool) {
	switch {
	case formatting(tag):
		l.formats = max(l.formats-1, 0)
	case block:
		l.nodes += l.formats
	}
}
