package extract

import (
	"golang.org/x/net/html/atom"

	"winnow/crawl/extract/blocks"
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
	fArea0                                   // 13 areas
	fHint0       = fArea0 + 13               // hints of all elements around
	fOwn0        = fHint0 + blocks.HintCount // of the nearest three
	fL0          = fOwn0 + blocks.HintCount  // levels: size, link, good, blocks, prose share, size share
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
	w                *walked
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

func (w *walked) survey(p *Page) *survey {
	s := &survey{w: w, h1: -1}
	s.sums()
	// sums over all blocks, dropped or not
	for i := range w.Elements {
		e := &w.Elements[i]
		e.Size, e.Link, e.Good = s.size[e.End]-s.size[e.First], s.link[e.End]-s.link[e.First], s.good[e.End]-s.good[e.First]
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
	n := len(w.Blocks)
	s.size, s.good, s.link = make([]int32, n+1), make([]int32, n+1), make([]int32, n+1)
	s.copies = make(map[uint64]int32, n)
	s.hash = make([]uint64, n)
	s.signs = make(map[uint32]group)
	var items, rows, headings, prices, dates, wide int32
	for i := range w.Blocks {
		b := &w.Blocks[i]
		s.size[i+1], s.link[i+1], s.good[i+1] = s.size[i]+b.Size, s.link[i]+b.Link, s.good[i]
		if b.Prose() {
			s.good[i+1] += b.Size
		}
		text := w.Text[b.Start:b.End]
		s.hash[i] = blocks.HashOf(text)
		s.copies[s.hash[i]]++
		sign := w.signOf(b)
		g := s.signs[sign]
		g.count, g.size, g.link = g.count+1, g.size+b.Size, g.link+b.Link
		s.signs[sign] = g
		switch b.Kind {
		case blocks.Item:
			items++
		case blocks.Row:
			rows++
		case blocks.Heading:
			headings++
			if s.h1 < 0 && w.Elements[b.Owner].Tag == atom.H1 {
				s.h1 = int32(i)
			}
		}
		if b.Size < 30 && b.Digits > 0 && price(text) {
			prices++
		}
		if b.Size < 40 && b.Digits > 0 && year(text) {
			dates++
		}
		wide += int32(len(text)) - b.Size
	}
	v := &s.page
	v[fPageItems], v[fPageRows], v[fPageHeadings] = share(items, int32(n)), share(rows, int32(n)), share(headings, int32(n))
	v[fPageWide], v[fPagePrices], v[fPageDates] = share(wide, int32(len(w.Text))), float32(prices), float32(dates)
}

// whole measures the page.
func (s *survey) whole(p *Page) {
	w := s.w
	var articles, comment, repeat int32
	for i := range w.Elements {
		e := &w.Elements[i]
		if e.Tag == atom.Article {
			articles++
		}
		if e.Hint&blocks.Comments != 0 {
			comment++
		}
	}
	for _, g := range s.siblings {
		if g.count >= 3 {
			repeat = max(repeat, g.good)
		}
	}
	v, all := &s.page, &w.Elements[0]
	v[fPageSize], v[fPageLink], v[fPageGood], v[fPageBlocks] = float32(all.Size), share(all.Link, all.Size), share(all.Good, all.Size), float32(len(w.Blocks))
	v[fPageBest], v[fPageArticles], v[fPageComments] = share(s.bestSize, all.Good), float32(articles), float32(comment)
	v[fPageRepeat] = share(repeat, all.Good)
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
func (w *walked) signOf(b *blocks.Block) uint32 {
	e := &w.Elements[b.Owner]
	s := e.Sign
	if e.Parent >= 0 {
		s = s*31 + w.Elements[e.Parent].Sign
	}
	return s
}

// findBest finds the element with most prose right below it or one further down.
func (s *survey) findBest() {
	w := s.w
	side := make([]int32, len(w.Elements))
	for i := range w.Blocks {
		b := &w.Blocks[i]
		if b.Drop == blocks.Sure || !b.Prose() {
			continue
		}
		at := b.Owner
		switch w.Elements[at].Tag {
		case atom.P, atom.Li, atom.Pre, atom.Blockquote, atom.Tr:
			at = max(w.Elements[at].Parent, 0)
		}
		side[at] += b.Size
		if side[at] > s.bestSize {
			s.best, s.bestSize = at, side[at]
		}
	}
}

// repeats finds the elements that stand among others of the same sign.
func (s *survey) repeats() {
	w := s.w
	s.siblings = make(map[[2]uint32]group, len(w.Elements))
	s.order = make([]int32, len(w.Elements))
	for i := range w.Elements {
		e := &w.Elements[i]
		if e.Parent < 0 || e.Size == 0 {
			continue
		}
		k := [2]uint32{uint32(e.Parent), e.Sign}
		g := s.siblings[k]
		g.count, g.size, g.link, g.good = g.count+1, g.size+e.Size, g.link+e.Link, g.good+e.Good
		s.siblings[k] = g
		s.order[i] = g.count
	}
	s.near, s.far = make([]int32, len(w.Elements)), make([]int32, len(w.Elements))
	for i := range w.Elements {
		e := &w.Elements[i]
		s.near[i], s.far[i] = -1, -1
		if e.Parent < 0 {
			continue
		}
		s.near[i], s.far[i] = s.near[e.Parent], s.far[e.Parent]
		if e.Tag == atom.P || e.Tag == atom.Td || e.Tag == atom.Tr || e.Tag == atom.Li && e.Size < 100 || e.Size < 20 {
			continue
		}
		if s.siblings[[2]uint32{uint32(e.Parent), e.Sign}].count >= 3 {
			s.near[i] = int32(i)
			if s.far[i] < 0 {
				s.far[i] = int32(i)
			}
		}
	}
}

// climb counts the steps from an element up to one that holds the block.
func (s *survey) climb(at int32, b int32) (steps, to int32) {
	for at > 0 && (b < s.w.Elements[at].First || b >= s.w.Elements[at].End) {
		at = s.w.Elements[at].Parent
		steps++
	}
	return steps, max(at, 0)
}
