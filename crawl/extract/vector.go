package extract

import (
	"bytes"

	"winnow/crawl/extract/blocks"

	"golang.org/x/net/html/atom"
)

// tagOrder numbers tags by how text-like they are.
func tagOrder(t atom.Atom) float32 {
	switch t {
	case atom.P:
		return 1
	case atom.H1:
		return 2
	case atom.H2:
		return 3
	case atom.H3:
		return 4
	case atom.H4, atom.H5, atom.H6:
		return 5
	case atom.Pre, atom.Blockquote:
		return 6
	case atom.Dd, atom.Dt:
		return 7
	case atom.Li:
		return 8
	case atom.Ul, atom.Ol, atom.Dl:
		return 9
	case atom.Td, atom.Th, atom.Tr:
		return 10
	case atom.Article, atom.Main, atom.Section:
		return 11
	case atom.Div, atom.Center:
		return 12
	case atom.Header:
		return 13
	case atom.Figure, atom.Figcaption, atom.Caption:
		return 14
	case atom.Form, atom.Fieldset, atom.Legend:
		return 15
	case atom.Aside, atom.Nav, atom.Footer:
		return 16
	case atom.Body:
		return 17
	}
	return 18
}

func endOf(c byte) float32 {
	switch {
	case c == '.' || c == '!' || c == '?' || c == '"':
		return 1
	case c == ':':
		return 2
	case c == ',' || c == ';':
		return 3
	case c >= '0' && c <= '9':
		return 4
	case c >= 'a' && c <= 'z':
		return 5
	case c >= 'A' && c <= 'Z':
		return 6
	case c >= 0x80:
		return 7
	}
	return 8
}

// vector measures block i.
func (s *survey) vector(i int32, v *vector) {
	w := s.w
	*v = s.page
	b := &w.Blocks[i]
	e := &w.Elements[b.Owner]
	text := w.Text[b.Start:b.End]
	all := &w.Elements[0]
	words := max(b.Words, b.Size/8, 1)
	v[fSize], v[fWords], v[fLink] = float32(b.Size), float32(words), share(b.Link, b.Size)
	v[fStops], v[fDigits], v[fUpper] = share(b.Stops, words), share(b.Digits, b.Size), share(b.Upper, b.Size)
	v[fEnd], v[fBegin] = endOf(text[len(text)-1]), endOf(text[0])
	if end := string(text[max(0, len(text)-3):]); end == "。" || end == "！" || end == "？" || end == "”" || end == "…" {
		v[fEnd] = 1
	}
	v[fKind] = float32(b.Kind)
	var marks int32
	for _, c := range text[:min(len(text), 400)] {
		if c == '|' || c == '/' || c == '>' || c == '@' || c == '+' {
			marks++
		}
	}
	v[fMarks] = share(marks, words)
	s.wording(b, text, words, v)
	v[fWordSize] = float32(min(b.Size/max(b.Words, 1), 60))
	if b.Drop == blocks.Sure {
		v[fUnseen] = 1
	}
	v[fCopies] = float32(min(s.copies[s.hash[i]], 5))
	if s.aside[i] {
		v[fAside] = 1
	}
	s.around(e, v)
	s.place(i, v)
	at := b.Owner
	for _, f := range [...]int{fL0, fL1, fL2, fL3} {
		a := &w.Elements[at]
		v[f], v[f+1], v[f+2], v[f+3] = float32(a.Size), share(a.Link, a.Size), share(a.Good, a.Size), float32(a.End-a.First)
		v[f+4], v[f+5] = share(a.Good, all.Good), share(a.Size, all.Size)
		at = max(a.Parent, 0)
	}
	s.repeat(i, v)
	s.neighbours(i, v)
}

// around measures the tags and classes around element e.
func (s *survey) around(e *blocks.Element, v *vector) {
	w := s.w
	v[fTag] = tagOrder(e.Tag)
	if e.Parent >= 0 {
		up := &w.Elements[e.Parent]
		v[fTagUp] = tagOrder(up.Tag)
		if up.Parent >= 0 {
			v[fTagUp2] = tagOrder(w.Elements[up.Parent].Tag)
		}
	}
	for k := range 13 {
		if e.Area&(1<<k) != 0 {
			v[fArea0+k] = 1
		}
	}
	own := e.Hint
	for up, k := e.Parent, 0; up >= 0 && k < 2; up, k = w.Elements[up].Parent, k+1 {
		own |= w.Elements[up].Hint
	}
	for k := range blocks.HintCount {
		if e.Within&(1<<k) != 0 {
			v[fHint0+k] = 1
		}
		if own&(1<<k) != 0 {
			v[fOwn0+k] = 1
		}
	}
	v[fNegativeUp] = 30
	if e.Negative >= 0 {
		neg := &w.Elements[e.Negative]
		v[fNegativeUp], v[fNegativeSize] = float32(e.Depth-neg.Depth), share(neg.Good, w.Elements[0].Good)
	}
	v[fDepth] = float32(e.Depth)
}

func (s *survey) place(i int32, v *vector) {
	w := s.w
	all := &w.Elements[0]
	n := int32(len(w.Blocks))
	v[fPlace], v[fBefore], v[fProseBefore] = share(i, n), share(s.size[i], all.Size), share(s.good[i], all.Good)
	v[fAfterH1] = -100
	if s.h1 >= 0 {
		v[fAfterH1] = float32(min(max(i-s.h1, -50), 200))
	}
	v[fAfterHeading], v[fHeadingLevel] = 50, 9
	for j := i; j >= 0 && i-j < 50; j-- {
		if w.Blocks[j].Kind == blocks.Heading {
			v[fAfterHeading], v[fHeadingLevel] = float32(i-j), tagOrder(w.Elements[w.Blocks[j].Owner].Tag)
			break
		}
	}
	v[fSinceProse], v[fUntilProse] = 20, 20
	for j := i; j >= 0 && i-j < 20; j-- {
		if w.Blocks[j].Prose() {
			v[fSinceProse] = float32(i - j)
			break
		}
	}
	for j := i; j < n && j-i < 20; j++ {
		if w.Blocks[j].Prose() {
			v[fUntilProse] = float32(j - i)
			break
		}
	}
	steps, to := s.climb(s.root, i)
	v[fRootUp], v[fRootShare] = float32(steps), share(w.Elements[s.root].Size, w.Elements[to].Size)
	v[fRootGap] = gap(&w.Elements[s.root], i)
	steps, to = s.climb(s.best, i)
	v[fBestUp], v[fBestShare] = float32(steps), share(w.Elements[s.best].Size, w.Elements[to].Size)
	v[fBestGap] = gap(&w.Elements[s.best], i)
}

// gap is how many blocks lie between block i and an element: below 0 before, above 0 behind.
func gap(e *blocks.Element, i int32) float32 {
	switch {
	case i < e.First:
		return -float32(min(e.First-i, 100))
	case i >= e.End:
		return float32(min(i-e.End+1, 100))
	}
	return 0
}

func (s *survey) repeat(i int32, v *vector) {
	w := s.w
	b := &w.Blocks[i]
	all := &w.Elements[0]
	for k, at := range [...]int32{s.near[b.Owner], s.far[b.Owner]} {
		f := fNearCount + k*6
		if at < 0 {
			continue
		}
		e := &w.Elements[at]
		g := s.siblings[[2]uint32{uint32(e.Parent), e.Sign}]
		v[f], v[f+1], v[f+2], v[f+3], v[f+4] = float32(min(g.count, 60)), float32(g.size/g.count), share(g.good, g.size), share(g.link, g.size), share(g.size, all.Size)
		v[f+5] = float32(min(s.order[at], 60))
	}
	g := s.signs[w.signOf(b)]
	v[fSignCount], v[fSignSize], v[fSignLink], v[fSignPart] = float32(min(g.count, 100)), float32(g.size/g.count), share(g.link, g.size), share(g.size, all.Size)
}

func (s *survey) neighbours(i int32, v *vector) {
	w := s.w
	n := int32(len(w.Blocks))
	up := w.Elements[w.Blocks[i].Owner].Parent
	for k, j := range [...]int32{i - 1, i - 2, i + 1, i + 2} {
		f := fPrev1 + k*5
		if j < 0 || j >= n {
			v[f+3] = -1
			continue
		}
		b := &w.Blocks[j]
		v[f], v[f+1], v[f+2], v[f+3] = float32(b.Size), share(b.Link, b.Size), share(b.Stops, max(b.Words, b.Size/8, 1)), float32(b.Kind)
		if w.Elements[b.Owner].Parent == up {
			v[f+4] = 1
		}
	}
	from, to := max(i-4, 0), min(i+5, n)
	size := s.size[to] - s.size[from]
	v[fAround], v[fAroundLink], v[fAroundGood] = float32(size), share(s.link[to]-s.link[from], size), share(s.good[to]-s.good[from], size)
}

// wording compares the words of a block with those of the page's title and descriptions, and with those that the buttons
// and links of a site's frame are made of.
func (s *survey) wording(b *blocks.Block, text []byte, words int32, v *vector) {
	var all, frame, title, description, linked, legal int32
	eachWord(text[:min(len(text), 1000)], func(word uint32) {
		all++
		from := int32(s.words.get(word))
		frame += from & 1
		title += from >> 1 & 1
		description += from >> 2 & 1
		linked += from >> 3 & 1
		legal += from >> 4 & 1
	})
	if b.Size < 200 {
		v[fTitle], v[fTitleShare] = share(title, all), share(title, s.titleWords)
		if text[0] >= 0x80 && b.Size < 120 {
			for _, phrase := range framePhrases {
				if bytes.Contains(text, []byte(phrase)) {
					frame += 2
				}
			}
		}
		v[fUI] = share(frame, words)
	} else {
		v[fUI] = share(frame, all)
	}
	v[fLegal] = share(legal, all)
	if b.Size >= 20 {
		v[fDescription], v[fLinked] = share(description, all), share(linked, all)
	}
}

// frameWords and framePhrases are read only.
var frameWords = setOf(`login log sign register subscribe cart checkout wishlist share tweet reply follow cookie cookies privacy terms
	policy policies copyright rights reserved menu search home contact careers help sitemap newsletter download app view load next
	previous back top close skip accept filter sort click here more show hide edit report posted likes views account join buy now
	anmelden impressum datenschutz kontakt startseite mehr teilen kommentar kommentare agb suche
	connexion partager accueil mentions compartir inicio contacto privacidad facebook twitter instagram youtube linkedin pinterest
	whatsapp email print rss`, noticeWords)

var framePhrases = []string{
	"登录", "注册", "分享", "首页", "关于我们", "联系我们", "版权", "备案", "返回", "更多", "上一", "下一", "评论", "收藏", "点击", "编辑", "来源", "责任",
	"打印", "关闭", "广告", "推荐", "热门", "微信", "微博", "客服", "举报", "浏览", "作者", "发布", "导航", "登錄", "註冊", "關於", "聯絡",
}

// noticeWords are those of notices about cookies and data, which are prose like the text.
const noticeWords = `cookie cookies privacy consent personal information data third party parties policy advertising advertisers marketing
	preferences website websites services purposes processing legitimate gdpr partners terms conditions browser settings opt
	datenschutz einwilligung confidentialité consentement privacidad consentimiento`

func setOf(frame, legal string) map[uint32]uint8 {
	m := make(map[uint32]uint8)
	eachWord([]byte(frame), func(word uint32) { m[word] |= ofFrame })
	eachWord([]byte(legal), func(word uint32) { m[word] |= ofLegal })
	return m
}

// asides marks the blocks of sections that begin with a line announcing something beside the text.
func (s *survey) findAsides() {
	w := s.w
	s.aside = make([]bool, len(w.Blocks))
	for i := range w.Blocks {
		b := &w.Blocks[i]
		if s.aside[i] || b.Size > 60 || b.Kind == blocks.Item || b.Kind == blocks.Code || !titlesAside(string(w.Text[b.Start:b.End])) {
			continue
		}
		for j := int32(i); j < w.asideEnd(int32(i)); j++ {
			s.aside[j] = true
		}
	}
}

// asideEnd is where the section ends that block i opens.
func (w *walked) asideEnd(i int32) int32 {
	b := &w.Blocks[i]
	at := b.Owner
	for up := w.Elements[at].Parent; up >= 0; up = w.Elements[up].Parent {
		if w.Elements[up].First != i || w.Holds(&w.Elements[up], 30) {
			break
		}
		at = up
	}
	end := w.Elements[at].End
	if up := w.Elements[at].Parent; up >= 0 && b.Kind == blocks.Heading {
		for end < w.Elements[up].End && w.Blocks[end].Kind != blocks.Heading && !w.Blocks[end].Prose() {
			end++
		}
	}
	return end
}
