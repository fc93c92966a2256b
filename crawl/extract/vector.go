package extract

import (
	"bytes"

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
	b := &w.blocks[i]
	e := &w.elements[b.owner]
	text := w.text[b.start:b.end]
	all := &w.elements[0]
	words := max(b.words, b.size/8, 1)
	v[fSize], v[fWords], v[fLink] = float32(b.size), float32(words), share(b.link, b.size)
	v[fStops], v[fDigits], v[fUpper] = share(b.stops, words), share(b.digits, b.size), share(b.upper, b.size)
	v[fEnd], v[fBegin] = endOf(text[len(text)-1]), endOf(text[0])
	if end := string(text[max(0, len(text)-3):]); end == "。" || end == "！" || end == "？" || end == "”" || end == "…" {
		v[fEnd] = 1
	}
	v[fKind] = float32(b.kind)
	var marks int32
	for _, c := range text[:min(len(text), 400)] {
		if c == '|' || c == '/' || c == '>' || c == '@' || c == '+' {
			marks++
		}
	}
	v[fMarks] = share(marks, words)
	s.wording(b, text, words, v)
	v[fWordSize] = float32(min(b.size/max(b.words, 1), 60))
	if b.drop == sure {
		v[fUnseen] = 1
	}
	v[fCopies] = float32(min(s.copies[s.hash[i]], 5))
	if s.aside[i] {
		v[fAside] = 1
	}
	s.around(e, v)
	s.place(i, v)
	at := b.owner
	for _, f := range [...]int{fL0, fL1, fL2, fL3} {
		a := &w.elements[at]
		v[f], v[f+1], v[f+2], v[f+3] = float32(a.size), share(a.link, a.size), share(a.good, a.size), float32(a.end-a.first)
		v[f+4], v[f+5] = share(a.good, all.good), share(a.size, all.size)
		at = max(a.parent, 0)
	}
	s.repeat(i, v)
	s.neighbours(i, v)
}

// around measures the tags and classes around element e.
func (s *survey) around(e *element, v *vector) {
	w := s.w
	v[fTag] = tagOrder(e.tag)
	if e.parent >= 0 {
		up := &w.elements[e.parent]
		v[fTagUp] = tagOrder(up.tag)
		if up.parent >= 0 {
			v[fTagUp2] = tagOrder(w.elements[up.parent].tag)
		}
	}
	for k := range 13 {
		if e.area&(1<<k) != 0 {
			v[fArea0+k] = 1
		}
	}
	own := e.hint
	for up, k := e.parent, 0; up >= 0 && k < 2; up, k = w.elements[up].parent, k+1 {
		own |= w.elements[up].hint
	}
	for k := range hintCount {
		if e.within&(1<<k) != 0 {
			v[fHint0+k] = 1
		}
		if own&(1<<k) != 0 {
			v[fOwn0+k] = 1
		}
	}
	v[fNegativeUp] = 30
	if e.negative >= 0 {
		neg := &w.elements[e.negative]
		v[fNegativeUp], v[fNegativeSize] = float32(e.depth-neg.depth), share(neg.good, w.elements[0].good)
	}
	v[fDepth] = float32(e.depth)
}

func (s *survey) place(i int32, v *vector) {
	w := s.w
	all := &w.elements[0]
	n := int32(len(w.blocks))
	v[fPlace], v[fBefore], v[fProseBefore] = share(i, n), share(s.size[i], all.size), share(s.good[i], all.good)
	v[fAfterH1] = -100
	if s.h1 >= 0 {
		v[fAfterH1] = float32(min(max(i-s.h1, -50), 200))
	}
	v[fAfterHeading], v[fHeadingLevel] = 50, 9
	for j := i; j >= 0 && i-j < 50; j-- {
		if w.blocks[j].kind == heading {
			v[fAfterHeading], v[fHeadingLevel] = float32(i-j), tagOrder(w.elements[w.blocks[j].owner].tag)
			break
		}
	}
	v[fSinceProse], v[fUntilProse] = 20, 20
	for j := i; j >= 0 && i-j < 20; j-- {
		if w.blocks[j].prose() {
			v[fSinceProse] = float32(i - j)
			break
		}
	}
	for j := i; j < n && j-i < 20; j++ {
		if w.blocks[j].prose() {
			v[fUntilProse] = float32(j - i)
			break
		}
	}
	steps, to := s.climb(s.root, i)
	v[fRootUp], v[fRootShare] = float32(steps), share(w.elements[s.root].size, w.elements[to].size)
	v[fRootGap] = gap(&w.elements[s.root], i)
	steps, to = s.climb(s.best, i)
	v[fBestUp], v[fBestShare] = float32(steps), share(w.elements[s.best].size, w.elements[to].size)
	v[fBestGap] = gap(&w.elements[s.best], i)
}

// gap is how many blocks lie between block i and an element: below 0 before, above 0 behind.
func gap(e *element, i int32) float32 {
	switch {
	case i < e.first:
		return -float32(min(e.first-i, 100))
	case i >= e.end:
		return float32(min(i-e.end+1, 100))
	}
	return 0
}

func (s *survey) repeat(i int32, v *vector) {
	w := s.w
	b := &w.blocks[i]
	all := &w.elements[0]
	for k, at := range [...]int32{s.near[b.owner], s.far[b.owner]} {
		f := fNearCount + k*6
		if at < 0 {
			continue
		}
		e := &w.elements[at]
		g := s.siblings[[2]uint32{uint32(e.parent), e.sign}]
		v[f], v[f+1], v[f+2], v[f+3], v[f+4] = float32(min(g.count, 60)), float32(g.size/g.count), share(g.good, g.size), share(g.link, g.size), share(g.size, all.size)
		v[f+5] = float32(min(s.order[at], 60))
	}
	g := s.signs[w.signOf(b)]
	v[fSignCount], v[fSignSize], v[fSignLink], v[fSignPart] = float32(min(g.count, 100)), float32(g.size/g.count), share(g.link, g.size), share(g.size, all.size)
}

func (s *survey) neighbours(i int32, v *vector) {
	w := s.w
	n := int32(len(w.blocks))
	up := w.elements[w.blocks[i].owner].parent
	for k, j := range [...]int32{i - 1, i - 2, i + 1, i + 2} {
		f := fPrev1 + k*5
		if j < 0 || j >= n {
			v[f+3] = -1
			continue
		}
		b := &w.blocks[j]
		v[f], v[f+1], v[f+2], v[f+3] = float32(b.size), share(b.link, b.size), share(b.stops, max(b.words, b.size/8, 1)), float32(b.kind)
		if w.elements[b.owner].parent == up {
			v[f+4] = 1
		}
	}
	from, to := max(i-4, 0), min(i+5, n)
	size := s.size[to] - s.size[from]
	v[fAround], v[fAroundLink], v[fAroundGood] = float32(size), share(s.link[to]-s.link[from], size), share(s.good[to]-s.good[from], size)
}

// wording compares the words of a block with those of the page's title and descriptions, and with those that the buttons
// and links of a site's frame are made of.
func (s *survey) wording(b *block, text []byte, words int32, v *vector) {
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
	if b.size < 200 {
		v[fTitle], v[fTitleShare] = share(title, all), share(title, s.titleWords)
		if text[0] >= 0x80 && b.size < 120 {
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
	if b.size >= 20 {
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
	s.aside = make([]bool, len(w.blocks))
	for i := range w.blocks {
		b := &w.blocks[i]
		if s.aside[i] || b.size > 60 || b.kind == item || b.kind == code || !titlesAside(string(w.text[b.start:b.end])) {
			continue
		}
		for j := int32(i); j < w.asideEnd(int32(i)); j++ {
			s.aside[j] = true
		}
	}
}

// asideEnd is where the section ends that block i opens.
func (w *walker) asideEnd(i int32) int32 {
	b := &w.blocks[i]
	at := b.owner
	for up := w.elements[at].parent; up >= 0; up = w.elements[up].parent {
		if w.elements[up].first != i || w.holds(&w.elements[up], 30) {
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
	return end
}
