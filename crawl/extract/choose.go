package extract

import "golang.org/x/net/html/atom"

// Shares are in percent, sizes in units. They were set on one half of the pages that the tests measure.
const (
	hiddenShare   = 60  // of the prose below a hidden element, from which on it is taken to be shown by a script
	noscriptShare = 50  // of the prose below noscript, from which on the page has no text without it
	guessShare    = 70  // of the prose below an element with a negative hint, from which on the hint is no good
	commentShare  = 50  // of the prose in comments, from which on they are the text: a forum
	rootShare     = 75  // of an element's prose in one child, up to which that child is not all of the text
	articleSize   = 600 // of prose side by side that makes an article
	shortSize     = 300 // that makes one where there is little else on the page
	besideShare   = 25  // of the root's text that lies outside of it, up to which that is little
	articleShare  = 33  // of the root's prose that lies side by side in an article
	leastSize     = 300 // of main text, below which the guesses are taken back
	leastShare    = 20  // of the page's text outside of links that is main text, likewise
)

// rules marks the main text by rules alone.
func (w *walker) rules() (keep []bool) {
	keep = make([]bool, len(w.blocks))
	w.sum()
	prose, text := w.elements[0].good, w.elements[0].size-w.elements[0].link
	w.mark(negative, guessed, guessShare)
	w.mark(comments, guessed, commentShare)
	w.markWeak()
	w.markAsides()
	w.sum()
	if w.elements[0].good*3 < prose {
		w.unmark()
		w.sum()
	}
	if size := w.pick(keep); size < leastSize || int64(size)*100 < int64(text)*leastShare {
		w.unmark()
		w.sum()
		clear(keep)
		w.pick(keep)
	}
	return keep
}

// pick marks the main text among the blocks that are not dropped, and gives its size.
func (w *walker) pick(keep []bool) (size int32) {
	root := w.root()
	scattered := w.scattered(root)
	if scattered {
		root = w.landing()
	}
	r := w.elements[root]
	for i := r.first; i < r.end; i++ {
		b := &w.blocks[i]
		keep[i] = b.drop == kept && (b.link*10 < b.size*7 || b.size > 200 && b.link*3 < b.size*2 ||
			scattered && !w.linkList(b))
	}
	if !scattered {
		w.trim(keep, r)
		w.lead(keep, root)
	}
	for i, k := range keep {
		if k {
			size += w.blocks[i].size
		}
	}
	return size
}

// root descends to the smallest element that has most of the prose.
func (w *walker) root() int32 {
	heavy := make([]int32, len(w.elements)) // the child with most prose; 0 for none
	for i := len(w.elements) - 1; i > 0; i-- {
		if up := w.elements[i].parent; up >= 0 {
			if h := heavy[up]; h == 0 || w.elements[i].good >= w.elements[h].good {
				heavy[up] = int32(i)
			}
		}
	}
	at := int32(0)
	for {
		child := heavy[at]
		if child == 0 || w.elements[child].tag == atom.P || int64(w.elements[child].good)*100 < int64(w.elements[at].good)*rootShare {
			return at
		}
		at = child
	}
}

// scattered tells whether the prose below root forms no article, being little or in many places: a list of products, a
// landing page, a thread.
func (w *walker) scattered(root int32) bool {
	side := make(map[int32]int32) // prose right below an element, or one element further down
	best := int32(0)
	r := w.elements[root]
	for i := r.first; i < r.end; i++ {
		b := &w.blocks[i]
		if b.drop != kept || !b.prose() {
			continue
		}
		at := b.owner
		switch w.elements[at].tag {
		case atom.P, atom.Li, atom.Pre, atom.Blockquote, atom.Tr:
			at = max(w.elements[at].parent, 0)
		}
		for _, at := range [2]int32{at, w.elements[at].parent} {
			if at >= 0 {
				side[at] += b.size
				best = max(best, side[at])
			}
		}
	}
	beside := int64(w.elements[0].size-r.size)*100 > int64(r.size)*besideShare
	return best < shortSize || best < articleSize && beside || int64(best)*100 < int64(r.good)*articleShare
}

// landing finds the element that says to be the main one and holds most of the text, else the whole page.
func (w *walker) landing() int32 {
	for i := range w.elements {
		e := &w.elements[i]
		if (e.tag == atom.Main || e.tag == atom.Article) && e.size*2 > w.elements[0].size {
			return int32(i)
		}
	}
	return 0
}

// linkList tells whether a linked block stands in a group of little else than links.
func (w *walker) linkList(b *block) bool {
	e := &w.elements[b.owner]
	for up := 0; up < 3 && e.parent >= 0 && e.end-e.first < 4; up++ {
		e = &w.elements[e.parent]
	}
	return int64(e.link)*10 > int64(e.size)*9
}

// trim drops short lines before the first prose of an article and after its last: bylines, dates, titles of what follows.
func (w *walker) trim(keep []bool, r element) {
	first, last := r.end, r.first
	for i := r.first; i < r.end; i++ {
		if keep[i] && w.blocks[i].prose() {
			first, last = min(first, i), i
		}
	}
	if first == r.end {
		return
	}
	for i := r.first; i < first; i++ {
		if b := &w.blocks[i]; b.kind != heading && b.size < 40 {
			keep[i] = false
		}
	}
	for i := r.end - 1; i > last; i-- {
		b := &w.blocks[i]
		if keep[i] && b.kind != heading && (b.kind != plain || b.size >= proseSize || b.stops > 0) {
			break
		}
		keep[i] = false
	}
}

// lead keeps the prose between the page's heading and the root: a summary set apart from the article's body.
func (w *walker) lead(keep []bool, root int32) {
	first, top := w.elements[root].first, root
	for up := 0; up < 4 && w.elements[top].parent > 0; up++ {
		top = w.elements[top].parent
	}
	from := first
	for i := first - 1; i >= w.elements[top].first; i-- {
		if b := &w.blocks[i]; b.kind == heading {
			from = i
			if w.elements[b.owner].tag == atom.H1 {
				break
			}
		}
	}
	for i := from; i < first; i++ {
		b := &w.blocks[i]
		keep[i] = b.drop == kept && b.kind != heading && b.size >= 60 && b.link*3 < b.size && b.stops > 0
	}
}

// once drops longer blocks that the page repeats, for narrow and wide screens for instance, and tells which.
func (w *walker) once(keep []bool) (repeats []bool) {
	repeats = make([]bool, len(keep))
	seen := make(map[uint64]bool)
	for i := range keep {
		b := &w.blocks[i]
		if keep[i] && b.size >= 60 && b.kind != code {
			h := hashOf(w.text[b.start:b.end])
			repeats[i] = seen[h]
			keep[i] = !repeats[i]
			seen[h] = true
		}
	}
	return repeats
}
