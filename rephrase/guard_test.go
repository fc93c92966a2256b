package rephrase

import (
	"encoding/json"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"winnow"
	"winnow/rephrase/openai"
)

const (
	sourceEN = "The old stone bridge at Harlow was built in 1784 and carried 1,200 carts a day. It has five arches, and the flood of 1912 took two of them away. The town rebuilt it within 18 months."
	answerEN = "Harlow's stone bridge, completed in 1784, once served some 1200 carts daily. Two of the five arches were lost to flooding in 1912; reconstruction by the town took 18 months."
	sourceZH = "哈洛镇的老石桥建于1784年，每天有1200辆马车经过。桥有五个桥洞，一九一二年的洪水冲走了其中两个，镇上用了十八个月把它修好。"
	answerZH = "老石桥位于哈洛镇，1784年建成，曾经日均通行马车1200辆。全桥共5个桥洞，1912年洪灾毁去2个，全镇历时18个月完成修复。"
)

func said(text, finish string) openai.Answer {
	return openai.Answer{Response: openai.Response{Text: text, Finish: finish}}
}

func TestJudge(t *testing.T) {
	wiki, err := LoadStyle("wikipedia")
	if err != nil {
		t.Fatal(err)
	}
	qa, err := LoadStyle("diverse_qa")
	if err != nil {
		t.Fatal(err)
	}
	pairEN := "Question: How many carts crossed the Harlow bridge each day?\nAnswer: About 1,200 carts crossed it every day."
	pairZH := "问题：哈洛镇的石桥是哪一年建成的？\n回答：它建于1784年，每天有1200辆马车经过。"
	for name, tt := range map[string]struct {
		style  *Style
		source string
		answer openai.Answer
		want   string
	}{
		"en":                  {wiki, sourceEN, said(answerEN, "stop"), ""},
		"zh":                  {wiki, sourceZH, said(answerZH, "stop"), ""},
		"en preamble":         {wiki, sourceEN, said("Sure! Here is a rewritten version:\n\n"+answerEN, "stop"), ""},
		"zh preamble":         {wiki, sourceZH, said("好的，以下是改写后的文字：\n\n"+answerZH, "stop"), ""},
		"no answer":           {wiki, sourceEN, openai.Answer{Err: &openai.RequestError{}}, "unanswered"},
		"en refusal":          {wiki, sourceEN, said("I'm sorry, but I can't help with that request.", "stop"), "refused"},
		"zh refusal":          {wiki, sourceZH, said("抱歉，我无法改写这段文字。", "stop"), "refused"},
		"zh as a model":       {wiki, sourceZH, said("作为一个人工智能语言模型，我不便处理此类内容。", "stop"), "refused"},
		"withheld":            {wiki, sourceEN, said("", openai.FinishFilter), "refused"},
		"source says sorry":   {wiki, "I'm sorry, but I can't recommend it. " + sourceEN, said("I'm sorry, but I can't recommend it. "+answerEN, "stop"), ""},
		"truncated":           {wiki, sourceEN, said(answerEN, openai.FinishLength), "truncated_answer"},
		"empty":               {wiki, sourceEN, said(" \n", "stop"), "malformed"},
		"only thoughts":       {wiki, sourceEN, said("<think>The user wants</think>", "stop"), "malformed"},
		"too short":           {wiki, sourceZH, said("一座石桥。", "stop"), "length_ratio"},
		"too long":            {wiki, sourceEN, said(strings.Repeat(answerEN+" ", 3), "stop"), "length_ratio"},
		"translated to zh":    {wiki, sourceEN, said(answerZH, "stop"), "script_overlap"},
		"translated to en":    {wiki, sourceZH, said(strings.Split(answerEN, ". ")[0], "stop"), "script_overlap"},
		"invented year":       {wiki, sourceEN, said(strings.Replace(answerEN, "1912", "1921", 1), "stop"), "new_numbers"},
		"invented number, zh": {wiki, sourceZH, said(strings.Replace(answerZH, "18", "28", 1), "stop"), "new_numbers"},
		"copied":              {wiki, sourceEN, said(sourceEN, "stop"), "copied"},
		"copied, zh":          {wiki, sourceZH, said(sourceZH, "stop"), "copied"},
		"pair":                {qa, sourceEN, said(pairEN, "stop"), ""},
		"pair, zh":            {qa, sourceZH, said(pairZH, "stop"), ""},
		"no pair":             {qa, sourceEN, said(answerEN, "stop"), "malformed"},
		"no pair, zh":         {qa, sourceZH, said(answerZH, "stop"), "malformed"},
	} {
		st := mustNew(t, answerer(faithful), func(o *Options) { o.Styles = []*Style{tt.style} })
		p, _, broken, err := st.judge(rewrite{style: tt.style}, newScene("", "", tt.source), tt.answer)
		if err != nil {
			t.Fatal(err)
		}
		answer, reason := p[0].judged, ""
		if broken >= 0 {
			reason = strings.TrimPrefix(guards[broken].id, "rephrase.")
		}
		if reason != tt.want {
			t.Errorf("%s: got %q with %q, want %q", name, reason, answer, tt.want)
		}
		if strings.Contains(answer, "version") || strings.Contains(answer, "以下") {
			t.Errorf("%s: preamble stays: %q", name, answer)
		}
	}
}

func TestClean(t *testing.T) {
	const en, zh = "Bees dance to tell where the flowers are.", "蜜蜂用舞蹈告诉同伴花在哪里。"
	for _, s := range []string{
		en, "  " + en + "\n", "Here is a paraphrased version: " + en, "Here's the text, rewritten in an encyclopedic style:\n\n" + en,
		"Certainly! Below is the rewritten passage:\n" + en, "Paraphrased Text: " + en, "**" + en + "**", "\"" + en + "\"", "“" + en + "”",
		"<think>\nHm.\n</think>\n\n" + en, "```text\n" + en + "\n```", "<text>\n" + en + "\n</text>",
		en + "\n\nLet me know if you would like another version!", "Of course!\n" + en,
	} {
		if got := clean(s, en); got != en && s[:2] != "**" {
			t.Errorf("%q: got %q", s, got)
		}
	}
	for _, s := range []string{
		zh, "以下是改写后的文字：\n\n" + zh, "好的，这是重写后的版本：\n" + zh, "改写后：" + zh, "改写结果如下：\n" + zh, "「" + zh + "」",
		"下面是改寫後的內容：" + zh, "<think>先读一遍。</think>" + zh, zh + "\n\n希望以上内容对您有帮助！", zh + "\n如果您还需要其他风格，请告诉我。",
	} {
		if got := clean(s, zh); got != zh {
			t.Errorf("%q: got %q", s, got)
		}
	}
	for _, s := range []string{ // what the text says, though models open and close like this too
		"Here are three ways to save water at home:\n- Shorter showers.", "以下是在家节水的三个办法：\n- 缩短淋浴时间。",
		"Of course the bridge: it is old.", "这是一份四人份的配料清单：\n- 米一杯", "有三个空缺。\n\n如果您具备资格，请立即申请！",
	} {
		if got := clean(s, "x"); got != s {
			t.Errorf("%q became %q", s, got)
		}
	}
	for _, s := range []string{
		"The following are the rules: be kind.", "“是”与“否”是两种回答。", "这是三条规则：不迟到、不早退、不说谎。",
		"Sure signs of spring are everywhere.", "可以说，这座桥改变了全镇。",
	} {
		if got := clean(s, s); got != s {
			t.Errorf("the source's own words: %q became %q", s, got)
		}
	}
}

func TestRefuses(t *testing.T) {
	for s, want := range map[string]bool{
		"I can't assist with that.": true, "I cannot rewrite this text.": true, "As an AI language model, I lack access.": true,
		"Unfortunately, I am unable to process this passage.": true, "I’m sorry, but as an AI I may not.": true,
		"很抱歉，您没有提供文本。": true, "对不起，我不能处理该请求。": true, "我无法为您改写这段文字。": true, "作为大型语言模型，我没有看法。": true,
		"I can't believe how far the river has risen.": false, "I cannot resist the smell of fresh bread.": false,
		"Sorry is the hardest word.": false, "As an airline pilot he flew for years.": false, "As an artist she was unknown.": false,
		"很抱歉您对产品不满意。": false, "作为一个渔村，这里有三百户人家。": false, "我不能忘记那年的洪水。": false, "抱歉的话说了三遍。": false,
	} {
		if got := refuses(s, "x"); got != want {
			t.Errorf("%q: got %v", s, got)
		}
	}
}

func TestNewNumbers(t *testing.T) {
	for _, tt := range []struct {
		answer, source string
		want           float64
	}{
		{"no numbers", "1 2 3", 0},
		{"1000 and 1,000", "1,000", 0},
		{"2023年有12个月，共三百零五天，即305天", "二〇二三年有十二个月，共三百零五天", 0},
		{"12", "１２", 0}, {"３.5", "3.5", 0}, {"3.5", "3 5", 1}, {"7 of 20", "seven of twenty", 0},
		{"3.5 m\n12. twelfth", "3.5", 0}, {"1. first\n2) second\n- 3. third", "none", 0}, {"问题1：什么？\n回答：5", "五", 0},
		{"1 2 3 4", "1 2", 0.5}, {"007", "7", 0}, {"0", "zero 0", 0}, {"10", "十", 0}, {"2000", "两千", 0},
	} {
		if got := alienNumbers(read(tt.answer), read(tt.source)); got != tt.want {
			t.Errorf("%q from %q: got %g, want %g", tt.answer, tt.source, got, tt.want)
		}
	}
}

func TestScriptOverlap(t *testing.T) {
	for _, tt := range []struct {
		a, b     string
		min, max float64
	}{
		{"english", "english too", 1, 1}, {"中文", "中文也是", 1, 1}, {"english", "中文", 0, 0}, {"привет", "hello", 0, 0},
		{"用 Go 写的程序", "这个程序是用 Go 语言写成的", 0.7, 1}, {"123", "abc", 0, 0}, {"これは本です", "这是一本书", 0, 0.5},
	} {
		if got := scripted(read(tt.a), read(tt.b)); got < tt.min-1e-9 || got > tt.max+1e-9 {
			t.Errorf("%q, %q: got %g, want %g to %g", tt.a, tt.b, got, tt.min, tt.max)
		}
	}
}

func TestFaith(t *testing.T) {
	for _, tt := range []struct {
		answer, source string
		guard          int
		want           float32 // below 0: not measured
	}{
		{"It opened in 1784 with 3 arches.", "Opened 1784, it has 3 arches and 20 lamps.", keptNumbers, 2. / 3},
		{"nothing", "no numbers", keptNumbers, -1},
		{"二〇二三年", "2023年", keptNumbers, 1},
		{"On 3 May 1912 it fell.", "It fell on May 3rd, 1912.", keptDates, 1},
		{"1912年5月3日倒塌。", "一九一二年五月三日，桥塌了。", keptDates, 1},
		{"It fell on 1912-05-03.", "It fell on 4 May 1912; rebuilt 1912/05/03.", keptDates, .5},
		{"See example.org/a.", "Read https://www.example.org/a, and http://b.example.", keptURLs, .5},
		{"见example.org。", "没有", newURLs, 0},
		{"See https://made.example/up now", "Read it.", newURLs, 1},
		{"Harlow lost it", "The bridge at Harlow was built by Telford.", keptNames, .5},
		{"用PyTorch训练", "我们用PyTorch和《红楼梦》的文本训练。", keptNames, .5},
		{"the cat", "The cat sat. It slept.", keptNames, -1},
		{"a a a a a a a a a a a a", "x", repetition, .8},
		{sourceEN, sourceEN, copiedBack, 1},
		{"Here is the rewritten text: a bridge", sourceEN, preambled, 1},
	} {
		v := measure(read(tt.answer), read(tt.source), unmeasured())[tt.guard]
		if tt.want < 0 && winnow.Measured(v) || tt.want >= 0 && !(v > tt.want-1e-6 && v < tt.want+1e-6) {
			t.Errorf("%s of %q from %q: got %g, want %g", guards[tt.guard].id, tt.answer, tt.source, v, tt.want)
		}
	}
}

// Whatever a model writes, it is accepted within all bounds or rejected for one guard that is out of them.
func FuzzJudge(f *testing.F) {
	f.Add(answerEN, sourceEN, "wikipedia")
	f.Add("好的："+answerZH, sourceZH, "instruct")
	f.Add("\"", "<think>", "wordings")
	f.Add("Question: a\nAnswer: b\n---\n问：c\n答：", sourceEN, "diverse_qa")
	f.Fuzz(func(t *testing.T, answer, source, name string) {
		style, err := LoadStyle(name)
		if err != nil || openai.EstimateTokens(source) < minSegment || strings.HasSuffix(name, ".tmpl") {
			return
		}
		s := mustNew(t, answerer(faithful), nil, name)
		p, v, broken, err := s.judge(rewrite{style: style}, newScene("zh", "zho_Hant", source), said(answer, "stop"))
		if err != nil || len(p) == 0 || s.bounds[name].broken(v) != broken {
			t.Errorf("%q from %q: %d pieces, guard %d, %v", answer, source, len(p), broken, err)
		}
		for _, x := range p {
			if broken < 0 && (x.judged == "" || x.messages != "" && !json.Valid([]byte(x.messages))) {
				t.Errorf("%q: piece %+v", answer, x)
			}
		}
	})
}

// Questions and answers written out are read again.
func FuzzPairs(f *testing.F) {
	f.Add("How many?", "Three.\nOr four.", "Why?", "答案")
	f.Fuzz(func(t *testing.T, q1, a1, q2, a2 string) {
		parsePairs(q1 + a1) // must not fail
		parseItems(q1 + "\n" + a2)
		for _, s := range []string{q1, a1, q2, a2} {
			if strings.TrimSpace(s) == "" {
				return
			}
			for l := range strings.SplitSeq(s, "\n") {
				if questionMark.MatchString(l) || answerMark.MatchString(l) || separator.MatchString(l) {
					return
				}
			}
		}
		got := parsePairs("Question: " + q1 + "\nAnswer: " + a1 + "\n\n问题：" + q2 + "\n回答：" + a2)
		trim := strings.TrimSpace
		if len(got) != 2 || got[0] != (pair{trim(q1), trim(a1)}) || got[1] != (pair{trim(q2), trim(a2)}) {
			t.Errorf("%q %q %q %q: %+v", q1, a1, q2, a2, got)
		}
	})
}

func BenchmarkJudge(b *testing.B) {
	s := mustNew(b, answerer(faithful), nil, "wikipedia")
	w := rewrite{style: s.o.Styles[0]}
	en, zh := newScene("en", "", sourceEN), newScene("zh", "", sourceZH)
	b.SetBytes(int64(len(sourceEN) + len(sourceZH)))
	for b.Loop() {
		s.judge(w, en, said(answerEN, "stop"))
		s.judge(w, zh, said(answerZH, "stop"))
	}
}

// Expressions that say what the hand-written scanners of numbers and dates find.
var (
	numberSaid  = regexp.MustCompile(`\d+(?:,\d{3})*(?:\.\d+)?`)
	monthsSaid  = `(jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)`
	monthSaid   = regexp.MustCompile(`(?i)\b` + monthsSaid + `\b\.?\s+(\d{1,2})(?:st|nd|rd|th)?\b(?:,?\s+(\d{4})\b)?`)
	daySaid     = regexp.MustCompile(`(?i)\b(\d{1,2})(?:st|nd|rd|th)?\s+(?:of\s+)?` + monthsSaid + `\b\.?(?:,?\s+(\d{4})\b)?`)
	isoSaid     = regexp.MustCompile(`\b(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})\b`)
	monthLetter = "janfebmaraprmayjunjulaugsepoctnovdec"
)

// datesSaid are the dates in a text without Chinese that the expressions find.
func datesSaid(s string) map[string]bool {
	out := map[string]bool{}
	add := func(year, month, day string) {
		if m := strings.Index(monthLetter, strings.ToLower(month[:min(3, len(month))])); !isDigit(month[0]) {
			month = strconv.Itoa(m/3 + 1)
		}
		m, _ := strconv.Atoi(month)
		d, _ := strconv.Atoi(day)
		addDate(out, year, m, d)
	}
	for _, m := range monthSaid.FindAllStringSubmatch(s, -1) {
		add(m[3], m[1], m[2])
	}
	for _, m := range daySaid.FindAllStringSubmatch(s, -1) {
		add(m[3], m[2], m[1])
	}
	for _, m := range isoSaid.FindAllStringSubmatch(s, -1) {
		add(m[1], m[2], m[3])
	}
	return out
}

// The scanners find what the expressions find; nothing that is no text makes them fail.
func FuzzRead(f *testing.F) {
	f.Add("On 3rd of May 2021 and May 4, 1999, 2021-05-03 and 12/3/2020: 1,234,567.89 of 1,23.")
	f.Add("二〇二一年五月三日、2021年5月3號和十二月三十一日")
	f.Add("1. a\n- 2) b\n(3) c\nQuestion 4: d\nSept. 5th, march 07 11 Jan")
	f.Add("I\u00a0am May 1ST  December 25 1 of jan. 2000")
	f.Fuzz(func(t *testing.T, s string) {
		r := read(s)
		r.namesOf()
		if again := read(s); !reflect.DeepEqual(again.dates, r.dates) || share(r.runs, again.runs) < 1 && len(r.runs) > 0 {
			t.Errorf("%q is read in two ways", s)
		}
		var want []string
		for _, n := range numberSaid.FindAllString(s, -1) {
			want = append(want, plain(n))
		}
		if got := appendNumbers(nil, s); !slices.Equal(got, want) {
			t.Errorf("%q: numbers %q, want %q", s, got, want)
		}
		for line := range strings.SplitSeq(s, "\n") {
			if n := listMark(line); n < 0 || n > len(line) {
				t.Errorf("%q: mark of %d bytes", line, n)
			}
		}
		if got := datesOf(s); !strings.Contains(s, "月") {
			for d := range datesSaid(s) {
				if !got[d] {
					t.Errorf("%q: no date %s in %v", s, d, got)
				}
			}
		}
	})
}

// Marks of bold type around a word that opens a question or an answer go, those of the text itself stay.
func TestMarksOfPairs(t *testing.T) {
	for text, want := range map[string]pair{
		"Question: a\nAnswer: b":              {"a", "b"},
		"**Question:** a\n**Answer:** *b* c":  {"a", "*b* c"},
		"**Question**: a\n__Answer__: __b__":  {"a", "__b__"},
		"**1. Question:**a\n- **Answer:** b":  {"a\n- **Answer:** b", ""},
		"问题：*甲*\n回答：**乙**丙":                   {"*甲*", "**乙**丙"},
		"**问题：**甲\n**回答：***乙*":                {"甲", "*乙*"},
		"### Q1: a\n> A1: b":                  {"a", "b"},
		"*Question 2:* a?\n*Answer 2:* b, _c": {"a?", "b, _c"},
	} {
		got := parsePairs(text)
		if want.answer == "" && len(got) == 0 {
			continue
		}
		if len(got) != 1 || got[0] != want {
			t.Errorf("%q: %+v, want %+v", text, got, want)
		}
	}
}
