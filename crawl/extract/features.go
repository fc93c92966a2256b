package extract

import (
	"encoding/binary"

	"golang.org/x/net/html/atom"

	"winnow/crawl/extract/score"
)

// Features of a block, by their place in a vector. Sizes are units, shares lie in 0..1.
const (
	fSize = iota
	fWords
	fLink
	fStops
	fDigits
	fUpper
	fEnd
	fBegin
	fKind
	fMarks
	fTitle
	fTitleShare
	fDescription
	fLinked
	fCopies
	fUI
	fAside
	fTag
	fTagUp
	fTagUp2
	fNegativeUp
	fNegativeSize
	fDepth
	fPlace
	fBefore
	fProseBefore
	fAfterH1
	fAfterHeading
	fHeadingLevel
	fSinceProse
	fUntilProse
	fRootUp
	fRootShare
	fRootGap
	fBestUp
	fBestShare
	fBestGap
	fNearCount // of the nearest repeated element: count, size, good, link, part, place among its like
	fNearSize
	fNearGood
	fNearLink
	fNearPart
	fNearPlace
	fFarCount
	fFarSize
	fFarGood
	fFarLink
	fFarPart
	fFarPlace
	fAround
	fAroundLink
	fAroundGood
	fSignCount
	fSignSize
	fSignLink
	fSignPart
	fPageSize
	fPageLink
	fPageGood
	fPageBlocks
	fPageBest
	fPageItems
	fPageRows
	fPageArticles
	fPageComments
	fPageWide
	fPageRepeat
	fPageHeadings
	fPagePrices
	fPageDates
	fPageArticle
	fPageProduct
	fPageForum
	fPageList
	fPageSite
	fWordSize
	fLegal
	fUnseen
	fArea0                            // 13 areas
	fHint0       = fArea0 + 13        // hints of all elements around
	fOwn0        = fHint0 + hintCount // of the nearest three
	fL0          = fOwn0 + hintCount  // levels: size, link, good, blocks, prose share, size share
	fL1          = fL0 + 6
	fL2          = fL1 + 6
	fL3          = fL2 + 6
	fPrev1       = fL3 + 6 // size, link, stops, kind, same parent
	fPrev2       = fPrev1 + 5
	fNext1       = fPrev2 + 5
	fNext2       = fNext1 + 5
	featureCount = fNext2 + 5
)

type vector = score.Vector

func share(part, whole int32) float32 {
	if whole <= 0 {
		return 0
	}
	return float32(part) / float32(whole)
}

// group is what the elements of one sign have together.
type group struct {
	count, size, link, good int32
}

// survey is what the features of all blocks of a page share.
type survey struct {
	w                *walker
	size, good       []int32 // units before each block
	link             []int32
	root, best       int32
	bestSize         int32
	order, near, far []int32             // by element: the nearest and the farthest repeated element around it; -1
	siblings         map[[2]uint32]group // by parent and sign
	signs            map[uint32]group    // blocks by the sign of their owner
	hash             []uint64
	copies           map[uint64]int32
	h1               int32
	page             vector    // the features of the page
	words            wordTable // words of the page's title and descriptions, and of frames
	titleWords       int32
	aside            []bool
}

func (w *walker) survey(p *Page) *survey {
	s := &survey{w: w, h1: -1}
	s.sums()
	// sums over all blocks, dropped or not
	for i := range w.elements {
		e := &w.elements[i]
		e.size, e.link, e.good = s.size[e.end]-s.size[e.first], s.link[e.end]-s.link[e.first], s.good[e.end]-s.good[e.first]
	}
	s.root = w.root()
	s.findBest()
	s.repeats()
	s.findAsides()
	s.whole(p)
	s.words.reset(frameTable)
	s.learn(p.Title, ofTitle)
	s.learn(p.description, ofDescription)
	s.learn(p.linkedDescription, ofLinked)
	return s
}

// sums goes over all blocks once, for what is summed up in front of each, of like ones and of the page.
func (s *survey) sums() {
	w := s.w
	n := len(w.blocks)
	s.size, s.good, s.link = make([]int32, n+1), make([]int32, n+1), make([]int32, n+1)
	s.copies = make(map[uint64]int32, n)
	s.hash = make([]uint64, n)
	s.signs = make(map[uint32]group)
	var items, rows, headings, prices, dates, wide int32
	for i := range w.blocks {
		b := &w.blocks[i]
		s.size[i+1], s.link[i+1], s.good[i+1] = s.size[i]+b.size, s.link[i]+b.link, s.good[i]
		if b.prose() {
			s.good[i+1] += b.size
		}
		text := w.text[b.start:b.end]
		s.hash[i] = hashOf(text)
		s.copies[s.hash[i]]++
		sign := w.signOf(b)
		g := s.signs[sign]
		g.count, g.size, g.link = g.count+1, g.size+b.size, g.link+b.link
		s.signs[sign] = g
		switch b.kind {
		case item:
			items++
		case row:
			rows++
		case heading:
			headings++
			if s.h1 < 0 && w.elements[b.owner].tag == atom.H1 {
				s.h1 = int32(i)
			}
		}
		if b.size < 30 && b.digits > 0 && price(text) {
			prices++
		}
		if b.size < 40 && b.digits > 0 && year(text) {
			dates++
		}
		wide += int32(len(text)) - b.size
	}
	v := &s.page
	v[fPageItems], v[fPageRows], v[fPageHeadings] = share(items, int32(n)), share(rows, int32(n)), share(headings, int32(n))
	v[fPageWide], v[fPagePrices], v[fPageDates] = share(wide, int32(len(w.text))), float32(prices), float32(dates)
}

// whole measures the page.
func (s *survey) whole(p *Page) {
	w := s.w
	var articles, comment, repeat int32
	for i := range w.elements {
		e := &w.elements[i]
		if e.tag == atom.Article {
			articles++
		}
		if e.hint&comments != 0 {
			comment++
		}
	}
	for _, g := range s.siblings {
		if g.count >= 3 {
			repeat = max(repeat, g.good)
		}
	}
	v, all := &s.page, &w.elements[0]
	v[fPageSize], v[fPageLink], v[fPageGood], v[fPageBlocks] = float32(all.size), share(all.link, all.size), share(all.good, all.size), float32(len(w.blocks))
	v[fPageBest], v[fPageArticles], v[fPageComments] = share(s.bestSize, all.good), float32(articles), float32(comment)
	v[fPageRepeat] = share(repeat, all.good)
	for k := range 5 {
		if p.declared&(1<<k) != 0 {
			v[fPageArticle+k] = 1
		}
	}
}

// Where a word is from.
const (
	ofFrame = 1 << iota
	ofTitle
	ofDescription
	ofLinked
	ofLegal
)

// learn notes the words of a text.
func (s *survey) learn(text string, from uint8) {
	eachWord([]byte(text), func(word uint32) {
		if s.words.add(word, from)&from == 0 && from == ofTitle {
			s.titleWords++
		}
	})
}

// hashOf is a hash of text, eight bytes at a time.
func hashOf(text []byte) uint64 {
	const prime = 0x9e3779b97f4a7c15
	h := uint64(len(text)) * prime
	for ; len(text) >= 8; text = text[8:] {
		h = (h ^ binary.LittleEndian.Uint64(text)) * prime
		h ^= h >> 29
	}
	for _, c := range text {
		h = (h ^ uint64(c)) * prime
	}
	return h ^ h>>32
}

// eachWord visits the hashes (FNV-1a) of the words of text in lower case (ASCII); a character beyond ASCII of three bytes
// or more begins a word.
func eachWord(text []byte, visit func(uint32)) {
	const start, prime = 2166136261, 16777619
	h, open := uint32(start), false
	for _, c := range text {
		switch {
		case c >= 'A' && c <= 'Z':
			c |= 0x20
		case c >= 0xe0:
			if open {
				visit(h)
			}
			h = start
		case c >= 0x80 || c >= 'a' && c <= 'z' || c >= '0' && c <= '9':
		default:
			if open {
				visit(h)
			}
			h, open = start, false
			continue
		}
		h, open = (h^uint32(c))*prime, true
	}
	if open {
		visit(h)
	}
}

// year tells whether text has a year from 1990 to 2039 in figures.
func year(text []byte) bool {
	for i := 0; i+4 <= len(text); i++ {
		if c := text[i+1]; text[i] == '1' && c == '9' && text[i+2] == '9' || text[i] == '2' && c == '0' && text[i+2] <= '3' && text[i+2] >= '0' {
			if d := text[i+3]; d >= '0' && d <= '9' {
				return true
			}
		}
	}
	return false
}

func price(text []byte) bool {
	for i, c := range text {
		switch {
		case c == '$':
			return true
		case c == 0xc2 && i+1 < len(text) && (text[i+1] == 0xa3 || text[i+1] == 0xa5): // £ ¥
			return true
		case c == 0xe2 && i+2 < len(text) && (text[i+1] == 0x82 && text[i+2] >= 0xa0 && text[i+2] < 0xc0): // €
			return true
		}
	}
	return false
}

// signOf is the sign of a block's surroundings.
func (w *walker) signOf(b *block) uint32 {
	e := &w.elements[b.owner]
	s := e.sign
	if e.parent >= 0 {
		s = s*31 + w.elements[e.parent].sign
	}
	return s
}

// findBest finds the element with most prose right below it or one further down.
func (s *survey) findBest() {
	w := s.w
	side := make([]int32, len(w.elements))
	for i := range w.blocks {
		b := &w.blocks[i]
		if b.drop == sure || !b.prose() {
			continue
		}
		at := b.owner
		switch w.elements[at].tag {
		case atom.P, atom.Li, atom.Pre, atom.Blockquote, atom.Tr:
			at = max(w.elements[at].parent, 0)
		}
		side[at] += b.size
		if side[at] > s.bestSize {
			s.best, s.bestSize = at, side[at]
		}
	}
}

// repeats finds the elements that stand among others of the same sign.
func (s *survey) repeats() {
	w := s.w
	s.siblings = make(map[[2]uint32]group, len(w.elements))
	s.order = make([]int32, len(w.elements))
	for i := range w.elements {
		e := &w.elements[i]
		if e.parent < 0 || e.size == 0 {
			continue
		}
		k := [2]uint32{uint32(e.parent), e.sign}
		g := s.siblings[k]
		g.count, g.size, g.link, g.good = g.count+1, g.size+e.size, g.link+e.link, g.good+e.good
		s.siblings[k] = g
		s.order[i] = g.count
	}
	s.near, s.far = make([]int32, len(w.elements)), make([]int32, len(w.elements))
	for i := range w.elements {
		e := &w.elements[i]
		s.near[i], s.far[i] = -1, -1
		if e.parent < 0 {
			continue
		}
		s.near[i], s.far[i] = s.near[e.parent], s.far[e.parent]
		if e.tag == atom.P || e.tag == atom.Td || e.tag == atom.Tr || e.tag == atom.Li && e.size < 100 || e.size < 20 {
			continue
		}
		if s.siblings[[2]uint32{uint32(e.parent), e.sign}].count >= 3 {
			s.near[i] = int32(i)
			if s.far[i] < 0 {
				s.far[i] = int32(i)
			}
		}
	}
}

// climb counts the steps from an element up to one that holds the block.
func (s *survey) climb(at int32, b int32) (steps, to int32) {
	for at > 0 && (b < s.w.elements[at].first || b >= s.w.elements[at].end) {
		at = s.w.elements[at].parent
		steps++
	}
	return steps, max(at, 0)
}
