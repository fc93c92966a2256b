package extract

import (
	"errors"
	"io"
	"time"

	"golang.org/x/net/html/atom"
)

// Limits of one page. All but the last depend on the page alone, so that it is read alike on any machine. A page beyond
// maxNodes or the parser's 512 open elements is read tag by tag instead, and its text is not lost.
const (
	maxNodes      = 1 << 19 // of the parse tree: elements, texts, and elements that the parser would open anew
	maxBlocks     = 1 << 18 // further ones are lines of the last
	maxAttributes = 24      // of an element, of those that count; further ones are not read
	maxHint       = 512     // bytes of a class, id or role that are read
	maxContainers = 16      // quotes and lists within each other that Markdown writes
	maxGrid       = 1 << 20 // cells of a table that are written with the empty ones at the ends of rows
	maxGuesses    = 10000   // beginnings of formulas in a text without an end, from which on no more are looked for
	maxTime       = 30 * time.Second
)

// ErrTime says that a page took longer than 30 seconds: the last resort, where no other limit held.
var ErrTime = errors.New("page took longer than 30 s")

// errNodes says that a page has too many nodes for a tree.
var errNodes = errors.New("too many nodes")

// watch tells when the time of a page is over, by the clock and by what the process has worked since. The zero value never does.
type watch struct {
	until time.Time
	cpu   time.Duration // of the process, from which on the time may be over
	over  bool
	asked uint
}

// late is asked often, and looks at the clock at every 1024th time.
func (w *watch) late() bool {
	if w.asked++; w.asked&1023 == 0 && !w.over && !w.until.IsZero() {
		w.over = time.Now().After(w.until) && processTime() >= w.cpu
	}
	return w.over
}

// watchedReader ends a read when the time is over.
type watchedReader struct {
	io.Reader
	w *watch
}

func (r watchedReader) Read(b []byte) (int, error) {
	r.w.asked |= 1023
	r.w.asked--
	if r.w.late() {
		return 0, ErrTime
	}
	return r.Reader.Read(b)
}

// formatting tells of the inline elements that the parser opens anew in each block until they are closed.
func formatting(tag atom.Atom) bool {
	switch tag {
	case atom.B, atom.Big, atom.Code, atom.Em, atom.Font, atom.I, atom.S, atom.Small, atom.Strike, atom.Strong, atom.Tt, atom.U:
		return true
	}
	return false
}

// opened counts what a start tag costs the parser.
func (l *leaner) opened(tag atom.Atom, block bool) {
	l.nodes++
	switch {
	case formatting(tag):
		l.formats = min(l.formats+1, 512)
	case block || tag == atom.A || tag == atom.Object:
		l.nodes += l.formats
	}
}

// ended counts what an end tag costs the parser.
func (l *leaner) ended(tag atom.Atom, block bool) {
	switch {
	case formatting(tag):
		l.formats = max(l.formats-1, 0)
	case block:
		l.nodes += l.formats
	}
}
