package extract

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"winnow/crawl/extract/about"
	"winnow/crawl/extract/blocks"
)

// Where the day and the author of a text are looked for that the page does not mark: in short lines from this many blocks
// above the first prose that is kept on, and in those right behind the last.
const (
	datelineReach = 12
	datelineBelow = 3
	datelineSize  = 130
)

// dateline fills in the day and the author from the lines around the text, where the page says them nowhere else: many
// Chinese pages write them there alone.
func (w *walked) dateline(keep []bool, p *Page) {
	if p.Date != "" && p.Author != "" {
		return
	}
	first, last := -1, -1
	for i := range w.Blocks {
		if keep[i] && w.Blocks[i].Prose() {
			if first < 0 {
				first = i
			}
			last = i
		}
	}
	if first < 0 {
		return
	}
	for i := first; i >= max(first-datelineReach, 0); i-- {
		b := &w.Blocks[i]
		if b.Size > datelineSize || b.Drop == blocks.Sure {
			continue
		}
		line := string(w.Text[b.Start:b.End])
		if p.Date == "" && b.Digits >= 6 {
			p.Date = about.DayIn(line)
		}
		if p.Author == "" {
			p.Author = about.Author(chineseAuthor(line))
		}
		if p.Author == "" && b.Link == 0 && i >= first-3 && i < first && chineseNames(line) {
			p.Author = line
		}
	}
	for i := last; p.Author == "" && i < min(last+1+datelineBelow, len(w.Blocks)); i++ {
		line := string(w.Text[w.Blocks[i].Start:w.Blocks[i].End])
		if _, signed, found := strings.Cut(line[max(strings.LastIndex(line, "（"), 0):], "（"); found && strings.HasSuffix(signed, "）") {
			if name := strings.TrimSpace(strings.TrimSuffix(signed, "）")); chineseNames(name) {
				p.Author = name
			}
		}
		if p.Author == "" && w.Blocks[i].Size <= datelineSize {
			p.Author = about.Author(chineseAuthor(line))
		}
	}
}

// authorWords stand before names: those of open before any name, with a sign between them, the others before names as they
// are usual. 编辑 (an editor) is not among them.
var authorWords = []struct {
	word string
	open bool
}{{"作者", true}, {"撰文", true}, {"文／", true}, {"文/", true}, {"执笔人", true}, {"楼主", true}, {"记者", false}, {"記者", false}, {"实习生", false}}

// chineseAuthor is the name that follows such a word in a line; "" where there is none.
func chineseAuthor(line string) string {
	for _, a := range authorWords {
		_, rest, found := strings.Cut(line, a.word)
		if !found {
			continue
		}
		name := strings.TrimLeft(rest, " ：:|\u3000")
		between := len(rest) - len(name)
		if end := strings.IndexFunc(name, func(r rune) bool {
			return !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != ' ' && r != '·' && r != '&' && r != '_' || r == '、'
		}); end >= 0 {
			name = name[:end]
		}
		for _, next := range [...]string{"来源", "來源", "发布", "发表", "发自", "日期", "时间", "责任", "编辑", "摄影", "报道", "点击", "浏览", "http", "size"} {
			name, _, _ = strings.Cut(name, next)
		}
		name = strings.TrimSpace(name)
		if chineseNames(name) || a.open && between > 0 && name != "" && utf8.RuneCountInString(name) <= 12 {
			return name
		}
	}
	return ""
}

// surnames are the most frequent ones, which seven Chinese of eight bear.
const surnames = `王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈姚卢姜崔钟谭陆汪范金石廖贾夏韦付方白邹孟
熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤常葛闵张劉陳楊黃趙吳孫馬鄭謝許韓馮鄧蕭葉蘇魏呂盧鍾譚陸範賈韋鄒閻龍賀顧龔萬錢嚴湯`

// chineseNames tells whether a text is nothing but up to six names with a frequent surname.
func chineseNames(s string) bool {
	names := strings.FieldsFunc(s, func(r rune) bool { return r == ' ' || r == '、' })
	for _, name := range names {
		n := utf8.RuneCountInString(name)
		first, _ := utf8.DecodeRuneInString(name)
		if n < 2 || n > 3 || !strings.ContainsRune(surnames, first) || strings.ContainsFunc(name, func(r rune) bool { return !unicode.Is(unicode.Han, r) }) {
			return false
		}
	}
	return len(names) > 0 && len(names) <= 6
}
