package extract

import (
	"cmp"
	"slices"

	"winnow/crawl/charset"
	"winnow/crawl/extract/blocks"
	"winnow/crawl/extract/score"
)

// Decision tells of one block of a page whether it is main text, and why.
type Decision struct {
	Text    string
	Kept    bool
	Hidden  bool    // not shown on the page, and nothing that a script may unfold: not asked further
	Repeats bool    // an earlier block says the same
	Rules   bool    // what the rules alone would do
	Score   float32 // probability of being main text, by scorer and rules
	Reasons []Reason
}

// Reason is a feature's part in the scorer's answer.
type Reason struct {
	EN, ZH string
	Value  float32
	Logit  float32 // above 0 speaks for main text
}

// mostReasons is how many reasons a Decision has.
const mostReasons = 3

// Explain tells of each block of a page as fetched what becomes of it. It is empty where the parser gives up or the
// page's article comes from elsewhere than its blocks.
func (s *Stage) Explain(body []byte, contentType string) (out []Decision) {
	page, _, err := charset.Decode(body, contentType)
	if err != nil {
		return nil
	}
	w, p, err := read(page, s.o, &blocks.Watch{})
	if err != nil || len(w.Blocks) == 0 {
		return nil
	}
	c := w.choose(s.o, &p)
	measured := w.survey(&p)
	for i := range w.Blocks {
		b := &w.Blocks[i]
		var v vector
		measured.vector(int32(i), &v)
		out = append(out, Decision{
			Text: string(w.Text[b.Start:b.End]), Kept: c.keep[i], Hidden: measured.unseen(b), Repeats: c.repeats[i], Rules: c.ruled[i],
			Score: c.probability[i], Reasons: reasonsOf(&v),
		})
	}
	return out
}

func reasonsOf(v *vector) (out []Reason) {
	var by vector
	score.Shipped().Reasons(v, &by)
	order := make([]int, featureCount)
	for f := range order {
		order[f] = f
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(abs(by[b]), abs(by[a])) })
	for _, f := range order[:mostReasons] {
		if by[f] != 0 {
			en, zh := featureName(f)
			out = append(out, Reason{en, zh, v[f], by[f]})
		}
	}
	return out
}

func abs(x float32) float32 { return max(x, -x) }

// featureName says in words what a feature measures.
func featureName(f int) (en, zh string) {
	switch {
	case f < fArea0:
		n := singleNames[f]
		return n[0], n[1]
	case f < fHint0:
		return "within " + areaNames[f-fArea0], "位于 " + areaNames[f-fArea0] + " 之内"
	case f < fOwn0:
		return "around it: " + hintNames[f-fHint0], "外层元素：" + hintNames[f-fHint0]
	case f < fL0:
		return "close around it: " + hintNames[f-fOwn0], "近邻元素：" + hintNames[f-fOwn0]
	case f < fPrev1:
		level, n := (f-fL0)/6, levelNames[(f-fL0)%6]
		return levelsEN[level] + n[0], levelsZH[level] + n[1]
	}
	at, n := (f-fPrev1)/5, nearNames[(f-fPrev1)%5]
	return nearEN[at] + n[0], nearZH[at] + n[1]
}

var (
	areaNames = [...]string{"li", "table", "form", "article", "main", "aside", "nav", "footer", "header", "blockquote", "figure", "section", "dl"}
	hintNames = [blocks.HintCount]string{
		"main", "aside", "about the text", "comments", "hidden", "noscript", "navigation", "button", "consent", "account", "promotion",
		"share", "related", "tags", "byline", "caption", "legal", "statistics", "header", "tools", "content", "article", "post", "product",
		"review", "price", "card", "question", "hero", "quote", "sidebar",
	}
	levelNames = [6][2]string{
		{"size", "大小"}, {"share of links", "链接占比"}, {"share of prose", "成句文本占比"}, {"blocks", "块数"},
		{"share of the page's prose", "占全页成句文本"}, {"share of the page", "占全页"},
	}
	levelsEN  = [4]string{"its element, ", "one element up, ", "two elements up, ", "three elements up, "}
	levelsZH  = [4]string{"所在元素，", "上一层，", "上两层，", "上三层，"}
	nearNames = [5][2]string{{"size", "大小"}, {"share of links", "链接占比"}, {"punctuation", "标点"}, {"kind", "类型"}, {"same element", "同一元素"}}
	nearEN    = [4]string{"block before, ", "second block before, ", "block behind, ", "second block behind, "}
	nearZH    = [4]string{"前一块，", "前第二块，", "后一块，", "后第二块，"}
)

// singleNames are those of the features in front of fArea0.
var singleNames = [fArea0][2]string{
	fSize: {"size", "大小"}, fWords: {"words", "词数"}, fLink: {"share of links", "链接占比"}, fStops: {"punctuation", "标点"},
	fDigits: {"digits", "数字占比"}, fUpper: {"capitals", "大写占比"}, fEnd: {"how it ends", "结尾字符"}, fBegin: {"how it begins", "开头字符"},
	fKind: {"kind of block", "块的类型"}, fMarks: {"separators", "分隔符"}, fTitle: {"words of the title", "标题用词"},
	fTitleShare: {"part of the title", "覆盖标题"}, fDescription: {"words of the page's description", "页面描述用词"},
	fLinked: {"words of descriptions in JSON-LD", "JSON-LD 描述用词"}, fCopies: {"copies on the page", "页内重复"},
	fUI: {"words of buttons and links", "界面用语"}, fAside: {"section beside the text", "正文之外的栏目"}, fTag: {"its tag", "标签"},
	fTagUp: {"tag around it", "外层标签"}, fTagUp2: {"tag around that", "再外层标签"}, fNegativeUp: {"steps up to a class of something else", "距非正文类名的层数"},
	fNegativeSize: {"prose within that class", "该类名内的成句文本"}, fDepth: {"depth", "深度"}, fPlace: {"place on the page", "页内位置"},
	fBefore: {"text before it", "之前的文本"}, fProseBefore: {"prose before it", "之前的成句文本"}, fAfterH1: {"blocks since h1", "距 h1 的块数"},
	fAfterHeading: {"blocks since a heading", "距标题的块数"}, fHeadingLevel: {"level of that heading", "该标题级别"},
	fSinceProse: {"blocks since prose", "距上一段成句文本"}, fUntilProse: {"blocks until prose", "距下一段成句文本"},
	fRootUp: {"steps up to the main element", "到正文元素的层数"}, fRootShare: {"the main element's part there", "正文元素所占"},
	fRootGap: {"blocks to the main element", "距正文元素的块数"}, fBestUp: {"steps up to the densest element", "到最密元素的层数"},
	fBestShare: {"the densest element's part there", "最密元素所占"}, fBestGap: {"blocks to the densest element", "距最密元素的块数"},
	fNearCount: {"repeated elements", "重复元素数"}, fNearSize: {"their size", "其大小"}, fNearGood: {"their prose", "其成句文本"},
	fNearLink: {"their links", "其链接"}, fNearPart: {"their part of the page", "其占页面"}, fNearPlace: {"place among them", "其中位置"},
	fFarCount: {"outer repeated elements", "外层重复元素数"}, fFarSize: {"their size", "其大小"}, fFarGood: {"their prose", "其成句文本"},
	fFarLink: {"their links", "其链接"}, fFarPart: {"their part of the page", "其占页面"}, fFarPlace: {"place among them", "其中位置"},
	fAround: {"text around it", "周围文本"}, fAroundLink: {"links around it", "周围链接"}, fAroundGood: {"prose around it", "周围成句文本"},
	fSignCount: {"blocks of the same class", "同类块数"}, fSignSize: {"size of those", "同类块大小"}, fSignLink: {"links of those", "同类块链接"},
	fSignPart: {"part of those on the page", "同类块占页面"}, fPageSize: {"page: size", "页面：大小"}, fPageLink: {"page: links", "页面：链接"},
	fPageGood: {"page: prose", "页面：成句文本"}, fPageBlocks: {"page: blocks", "页面：块数"}, fPageBest: {"page: densest element", "页面：最密元素"},
	fPageItems: {"page: list items", "页面：列表项"}, fPageRows: {"page: table rows", "页面：表格行"}, fPageArticles: {"page: article elements", "页面：article 元素"},
	fPageComments: {"page: comment elements", "页面：评论元素"}, fPageWide: {"page: wide characters", "页面：宽字符"},
	fPageRepeat: {"page: prose in repeated elements", "页面：重复元素中的文本"}, fPageHeadings: {"page: headings", "页面：标题数"},
	fPagePrices: {"page: prices", "页面：价格"}, fPageDates: {"page: dates", "页面：日期"}, fPageArticle: {"page says: article", "页面自称：文章"},
	fPageProduct: {"page says: product", "页面自称：商品"}, fPageForum: {"page says: forum", "页面自称：论坛"}, fPageList: {"page says: list", "页面自称：列表"},
	fPageSite: {"page says: site", "页面自称：网站"}, fWordSize: {"length of its words", "词长"},
	fLegal: {"words of notices about data", "隐私声明用词"}, fUnseen: {"not shown", "不显示"},
}

// FeatureNames lists what is measured of a block, by its place in Measured.Values.
func FeatureNames() (names []string) {
	for f := range featureCount {
		en, _ := featureName(f)
		names = append(names, en)
	}
	return names
}
