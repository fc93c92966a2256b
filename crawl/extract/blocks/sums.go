package blocks

// Shares of a page's prose in percent. They were set on one half of the pages that the tests measure.
const (
	hiddenShare   = 60 // below a hidden element, from which on it is taken to be shown by a script
	noscriptShare = 50 // below noscript, from which on the page has no text without it
)

// Sum counts text, links and prose below each element, over the blocks that are not marked.
func (w *Walker) Sum() {
	type sums struct{ size, link, good int32 }
	s := make([]sums, len(w.Blocks)+1)
	for i := range w.Blocks {
		b := &w.Blocks[i]
		s[i+1] = s[i]
		if b.Drop != Kept {
			continue
		}
		s[i+1].size += b.Size
		s[i+1].link += b.Link
		if b.Prose() {
			s[i+1].good += b.Size
		}
	}
	for i := range w.Elements {
		e := &w.Elements[i]
		from, to := s[e.First], s[e.End]
		e.Size, e.Link, e.Good = to.size-from.size, to.link-from.link, to.good-from.good
	}
}

// Mark gives the blocks of elements with hint h a level. An element with more than percent of all prose has the hint by
// mistake: "no-sidebar", "post-with-comments".
func (w *Walker) Mark(h Hint, l Level, percent int) {
	done := int32(0)
	for i := range w.Elements {
		e := &w.Elements[i]
		if e.Hint&h == 0 || e.End <= done || w.Holds(e, percent) {
			continue
		}
		w.Drop(max(e.First, done), e.End, l)
		done = e.End
	}
}

// Hide marks what is not shown.
func (w *Walker) Hide() {
	if len(w.Elements) == 0 {
		return
	}
	w.Sum()
	w.Mark(hidden, Sure, hiddenShare)
	w.Mark(noscript, Sure, noscriptShare)
	w.Sum()
}

// Holds tells whether an element has more than percent of all prose.
func (w *Walker) Holds(e *Element, percent int) bool {
	return int64(e.Good)*100 > int64(w.Elements[0].Good)*int64(percent)
}

// Drop gives blocks first..end-1 a level, unless they have a surer one.
func (w *Walker) Drop(first, end int32, l Level) {
	for i := first; i < end; i++ {
		w.Blocks[i].Drop = max(w.Blocks[i].Drop, l)
	}
}
