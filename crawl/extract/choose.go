package extract

import (
	"winnow/crawl/extract/blocks"

	"golang.org/x/net/html/atom"
)

// Shares are in percent, sizes in units. They were set on one half of the pages that the tests measure.
const (
	guessShare   = 70  // of the prose below an element with a negative hint, from which on the hint is no good
	commentShare = 50  // of the prose in comments, from which on they are the text: a forum
	rootShare    = 75  // of an element's prose in one child, up to which that child is not all of the text
	articleSize  = 600 // of prose side by side that makes an article
	shortSize    = 300 // that makes one where there is little else on the page
	besideShare  = 25  // of the root's text that lies outside of it, up to which that is little
	articleShare = 33  // of the root's prose that lies side by side in an article
	leastSize    = 300 // of main text, below which the guesses are taken back
	leastShare   = 20  // of the page's text outside of links that is main text, likewise
)

// rules marks the main text by rules alone.
func (w *walked) rules() (keep []bool) {
	keep = make([]bool, len(w.Blocks))
	w.Sum()
	prose, text := w.Elements[0].Good, w.Elements[0].Size-w.Elements[0].Link
	w.Mark(blocks.Negative, blocks.Guessed, guessShare)
	w.Mark(blocks.Comments, blocks.Guessed, commentShare)
	w.markWeak()
	w.markAsides()
	w.Sum()
	if w.Elements[0].Good*3 < prose {
		w.unmark()
		w.Sum()
	}
	if size := w.pick(keep); size < leastSize || int64(size)*100 < int64(text)*leastShare {
		w.unmark()
		w.Sum()
		clear(keep)
		w.pick(keep)
	}
	return keep
}

// pick marks the main text among the blocks that are not dropped, and gives its size.
func (w *walked) pick(keep []bool) (size int32) {
	root := w.root()
	scattered := w.scattered(root)
	if scattered {
		root = w.landing()
	}
	r := w.Elements[root]
	for i := r.First; i < r.End; i++ {
		b := &w.Blocks[i]
		keep[i] = b.Drop == blocks.Kept && (b.Link*10 < b.Size*7 || b.Size > 200 && b.Link*3 < b.Size*2 ||
			scattered && !w.linkList(b))
	}
	if !scattered {
		w.trim(keep, r)
		w.lead(keep, root)
	}
	for i, k := range keep {
		if k {
			size += w.Blocks[i].Size
		}
	}
	return size
}

// root descends to the smallest element that has most of the prose.
func (w *walked) root() int32 {
	heavy := make([]int32, len(w.Elements)) // the child with most prose; 0 for none
	for i := len(w.Elements) - 1; i > 0; i-- {
		if up := w.Elements[i].Parent; up >= 0 {
			if h := heavy[up]; h == 0 || w.Elements[i].Good >= w.Elements[h].Good {
				heavy[up] = int32(i)
			}
		}
	}
	at := int32(0)
	for {
		child := heavy[at]
		if child == 0 || w.Elements[child].Tag == atom.P || int64(w.Elements[child].Good)*100 < int64(w.Elements[at].Good)*rootShare {
			return at
		}
		at = child
	}
}

// scattered tells whether the prose below root forms no article, being little or in many places: a list of products, a
// landing page, a thread.
func (w *walked) scattered(root int32) bool {
	side := make(map[int32]int32) // prose right below an element, or one element further down
	best := int32(0)
	r := w.Elements[root]
	for i := r.First; i < r.End; i++ {
		b := &w.Blocks[i]
		if b.Drop != blocks.Kept || !b.Prose() {
			continue
		}
		at := b.Owner
		switch w.Elements[at].Tag {
		case atom.P, atom.Li, atom.Pre, atom.Blockquote, atom.Tr:
			at = max(w.Elements[at].Parent, 0)
		}
		for _, at := range [2]int32{at, w.Elements[at].Parent} {
			if at >= 0 {
				side[at] += b.Size
				best = max(best, side[at])
			}
		}
	}
	beside := int64(w.Elements[0].Size-r.Size)*100 > int64(r.Size)*besideShare
	return best < shortSize || best < articleSize && beside || int64(best)*100 < int64(r.Good)*articleShare
}

// landing finds the element that says to be the main one and holds most of the text, else the whole page.
func (w *walked) landing() int32 {
	for i := range w.Elements {
		e := &w.Elements[i]
		if (e.Tag == atom.Main || e.Tag == atom.Article) && e.Size*2 > w.Elements[0].Size {
			return int32(i)
		}
	}
	return 0
}

// linkList tells whether a linked block stands in a group of little else than links.
func (w *walked) linkList(b *blocks.Block) bool {
	e := &w.Elements[b.Owner]
	for up := 0; up < 3 && e.Parent >= 0 && e.End-e.First < 4; up++ {
		e = &w.Elements[e.Parent]
	}
	return int64(e.Link)*10 > int64(e.Size)*9
}

// trim drops short lines before the first prose of an article and after its last: bylines, dates, titles of what follows.
func (w *walked) trim(keep []bool, r blocks.Element) {
	first, last := r.End, r.First
	for i := r.First; i < r.End; i++ {
		if keep[i] && w.Blocks[i].Prose() {
			first, last = min(first, i), i
		}
	}
	if first == r.End {
		return
	}
	for i := r.First; i < first; i++ {
		if b := &w.Blocks[i]; b.Kind != blocks.Heading && b.Size < 40 {
			keep[i] = false
		}
	}
	for i := r.End - 1; i > last; i-- {
		b := &w.Blocks[i]
		if keep[i] && b.Kind != blocks.Heading && (b.Kind != blocks.Plain || b.Size >= blocks.ProseSize || b.Stops > 0) {
			break
		}
		keep[i] = false
	}
}

// lead keeps the prose between the page's heading and the root: a summary set apart from the article's body.
func (w *walked) lead(keep []bool, root int32) {
	first, top := w.Elements[root].First, root
	for up := 0; up < 4 && w.Elements[top].Parent > 0; up++ {
		top = w.Elements[top].Parent
	}
	from := first
	for i := first - 1; i >= w.Elements[top].First; i-- {
		if b := &w.Blocks[i]; b.Kind == blocks.Heading {
			from = i
			if w.Elements[b.Owner].Tag == atom.H1 {
				break
			}
		}
	}
	for i := from; i < first; i++ {
		b := &w.Blocks[i]
		keep[i] = b.Drop == blocks.Kept && b.Kind != blocks.Heading && b.Size >= 60 && b.Link*3 < b.Size && b.Stops > 0
	}
}

// once drops longer blocks that the page repeats, for narrow and wide screens for instance, and tells which.
func (w *walked) once(keep []bool) (repeats []bool) {
	repeats = make([]bool, len(keep))
	seen := make(map[uint64]bool)
	for i := range keep {
		b := &w.Blocks[i]
		if keep[i] && b.Size >= 60 && b.Kind != blocks.Code {
			h := blocks.HashOf(w.Text[b.Start:b.End])
			repeats[i] = seen[h]
			keep[i] = !repeats[i]
			seen[h] = true
		}
	}
	return repeats
}

// markWeak drops the short lines of elements that hold facts about the text: dates, users, counts.
func (w *walked) markWeak() {
	done := int32(0)
	for i := range w.Elements {
		e := &w.Elements[i]
		if e.Hint&blocks.Weak == 0 || e.End <= done || w.Holds(e, 20) {
			continue
		}
		for i := max(e.First, done); i < e.End; i++ {
			if b := &w.Blocks[i]; b.Kind != blocks.Heading && b.Size < 60 && !b.Prose() {
				b.Drop = max(b.Drop, blocks.Guessed)
			}
		}
		done = e.End
	}
}

// markAsides drops sections that begin with a line announcing something beside the text.
func (w *walked) markAsides() {
	for i := range w.Blocks {
		b := &w.Blocks[i]
		if b.Drop != blocks.Kept || b.Size > 60 || b.Kind == blocks.Item || b.Kind == blocks.Code || !titlesAside(string(w.Text[b.Start:b.End])) {
			continue
		}
		w.Drop(int32(i), w.asideEnd(int32(i)), blocks.Guessed)
	}
}

// unmark takes back the guesses but for those made by the tags of HTML 5.
func (w *walked) unmark() {
	for i := range w.Blocks {
		if w.Blocks[i].Drop == blocks.Guessed {
			w.Blocks[i].Drop = blocks.Kept
		}
	}
	done := int32(0)
	for i := range w.Elements {
		e := &w.Elements[i]
		switch e.Tag {
		case atom.Nav, atom.Footer, atom.Aside, atom.Dialog, atom.Menu:
			if e.End > done {
				w.Drop(max(e.First, done), e.End, blocks.Guessed)
				done = e.End
			}
		}
	}
}
