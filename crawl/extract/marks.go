package extract

import "golang.org/x/net/html/atom"

// sum counts text, links and prose below each element, over the blocks that are not marked.
func (w *walker) sum() {
	type sums struct{ size, link, good int32 }
	s := make([]sums, len(w.blocks)+1)
	for i := range w.blocks {
		b := &w.blocks[i]
		s[i+1] = s[i]
		if b.drop != kept {
			continue
		}
		s[i+1].size += b.size
		s[i+1].link += b.link
		if b.prose() {
			s[i+1].good += b.size
		}
	}
	for i := range w.elements {
		e := &w.elements[i]
		from, to := s[e.first], s[e.end]
		e.size, e.link, e.good = to.size-from.size, to.link-from.link, to.good-from.good
	}
}

// mark gives the blocks of elements with hint h a level. An element with more than percent of all prose has the hint by
// mistake: "no-sidebar", "post-with-comments".
func (w *walker) mark(h hint, l level, percent int) {
	done := int32(0)
	for i := range w.elements {
		e := &w.elements[i]
		if e.hint&h == 0 || e.end <= done || w.holds(e, percent) {
			continue
		}
		w.drop(max(e.first, done), e.end, l)
		done = e.end
	}
}

// hide marks what is not shown.
func (w *walker) hide() {
	if len(w.elements) == 0 {
		return
	}
	w.sum()
	w.mark(hidden, sure, hiddenShare)
	w.mark(noscript, sure, noscriptShare)
	w.sum()
}

// holds tells whether an element has more than percent of all prose.
func (w *walker) holds(e *element, percent int) bool {
	return int64(e.good)*100 > int64(w.elements[0].good)*int64(percent)
}

func (w *walker) drop(first, end int32, l level) {
	for i := first; i < end; i++ {
		w.blocks[i].drop = max(w.blocks[i].drop, l)
	}
}

// markWeak drops the short lines of elements that hold facts about the text: dates, users, counts.
func (w *walker) markWeak() {
	done := int32(0)
	for i := range w.elements {
		e := &w.elements[i]
		if e.hint&weak == 0 || e.end <= done || w.holds(e, 20) {
			continue
		}
		for i := max(e.first, done); i < e.end; i++ {
			if b := &w.blocks[i]; b.kind != heading && b.size < 60 && !b.prose() {
				b.drop = max(b.drop, guessed)
			}
		}
		done = e.end
	}
}

// markAsides drops sections that begin with a line announcing something beside the text.
func (w *walker) markAsides() {
	for i := range w.blocks {
		b := &w.blocks[i]
		if b.drop != kept || b.size > 60 || b.kind == item || b.kind == code || !titlesAside(string(w.text[b.start:b.end])) {
			continue
		}
		at := b.owner
		for up := w.elements[at].parent; up >= 0; up = w.elements[up].parent {
			if int(w.elements[up].first) != i || w.holds(&w.elements[up], 30) {
				break
			}
			at = up
		}
		end := w.elements[at].end
		if up := w.elements[at].parent; up >= 0 && b.kind == heading {
			for end < w.elements[up].end && w.blocks[end].kind != heading && !w.blocks[end].prose() {
				end++
			}
		}
		w.drop(int32(i), end, guessed)
	}
}

// unmark takes back the guesses but for those made by the tags of HTML 5.
func (w *walker) unmark() {
	for i := range w.blocks {
		if w.blocks[i].drop == guessed {
			w.blocks[i].drop = kept
		}
	}
	done := int32(0)
	for i := range w.elements {
		e := &w.elements[i]
		switch e.tag {
		case atom.Nav, atom.Footer, atom.Aside, atom.Dialog, atom.Menu:
			if e.end > done {
				w.drop(max(e.first, done), e.end, guessed)
				done = e.end
			}
		}
	}
}
