package rephrase

import (
	"regexp"
	"strings"
	"unicode/utf8"

	"winnow/text"
)

// What models put around an answer, in English and Chinese.
var (
	thinking = regexp.MustCompile(`(?s)^\s*<think>.*?</think>`)
	fence    = regexp.MustCompile("(?s)^```[a-z]*\\n(.*)\\n```$")
	// An introduction names the task, else it may be the text's own: "Here are three ways to save water:".
	preamble = regexp.MustCompile(`(?i)^(?:` +
		`(?:(?:sure|certainly|of course|okay|absolutely)\b[^\n:：]{0,60}[.!:,]\s*)?` +
		`(?:here(?:'s| is| are|’s)|below (?:is|are)|the following (?:is|are))\b[^\n:：]{0,80}` +
		`(?:re-?phras|paraphras|re-?writ|reword|revis|version|passage|\btext\b|question|q&a)[^\n:：]{0,80}[:：]\s*` +
		`|(?:sure|certainly|of course|okay|absolutely)[!.,]?\s*\n` +
		`|(?:re-?phrased|paraphrased|rewritten|revised)(?: (?:text|version|passage))?[:：]\s*` +
		`|(?:(?:好的|当然|當然|没问题)[^\n:：]{0,10}[，,。！!]\s*)?(?:以下|下面|这|這)(?:是|为|為)[^\n:：。]{0,20}` +
		`(?:改写|改寫|重写|重寫|版本|文本|文字|内容|內容|段落|问答|問答)[^\n:：。]{0,20}[:：]\s*` +
		`|(?:好的|当然|當然|没问题)(?:可以)?[，,。！!：:]?\s*\n` +
		`|(?:改写|改寫|重写|重寫)(?:后|後|结果|結果|文本|版本|的文字|的内容|的內容|如下){0,3}[:：]\s*` +
		`)`)
	closing = regexp.MustCompile(`(?i)\n\s*(?:let me know if|i hope this (?:helps|version|meets)|feel free to ask|would you like me to` +
		`|希望(?:以上|这|這)[^\n]{0,12}(?:对您|对你|對您|對你|符合|满足)|如(?:果)?(?:您|你)?(?:还|還)?(?:需要|有)(?:其他|任何|更多|进一步|進一步|调整|調整|修改)` +
		`|以上(?:是|为|為|就是)[^\n]{0,20}(?:改写|改寫|重写|重寫|问答|問答))[^\n]*$`)
	echo = regexp.MustCompile(`(?s)^<text>\s*(.*?)\s*</text>$`)
)

var quotes = [...][2]string{{`"`, `"`}, {"“", "”"}, {"「", "」"}, {"『", "』"}}

// What introductions, closing lines and refusals begin with, in small letters: where none does, the expressions need not be tried.
var (
	preambleStarts = []string{"sure", "certainly", "of course", "okay", "absolutely", "here", "below", "the following", "re-phrased", "rephrased", "paraphrased",
		"rewritten", "revised", "好的", "当然", "當然", "没问题", "以下", "下面", "这", "這", "改写", "改寫", "重写", "重寫"}
	closingStarts = []string{"let me", "i hope", "feel free", "would you", "希望", "如", "以上"}
	refusalStarts = []string{"i", "sorry", "unfortunately", "as a", "抱歉", "很", "非常", "对不起", "對不起", "不好意思", "我", "作为", "作為", "无法", "無法"}
)

func begins(s string, starts []string) bool {
	for _, w := range starts {
		if len(s) >= len(w) && s[0]|0x20 == w[0]|0x20 && strings.EqualFold(s[:len(w)], w) {
			return true
		}
	}
	return false
}

// head is the start of a text, longer than any introduction or refusal that the expressions know.
func head(s string) string {
	const most = 1200
	if len(s) <= most {
		return s
	}
	n := most
	for !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

// introduction is the length of what introduces the answer that follows.
func introduction(s string) int {
	if !begins(s, preambleStarts) {
		return 0
	}
	if at := preamble.FindStringIndex(head(s)); at != nil {
		return at[1]
	}
	return 0
}

func introduces(s string) bool { return introduction(s) > 0 }

// offer is where the line that offers further help begins at the end of a text; -1 where there is none.
func offer(s string) int {
	line := strings.LastIndexByte(s, '\n')
	if line < 0 || !begins(text.TrimLeft(s[line:]), closingStarts) {
		return -1
	}
	from := len(text.TrimRight(s[:line]))
	if at := closing.FindStringIndex(s[from:]); at != nil {
		return from + at[0]
	}
	return -1
}

// clean takes off what is no part of the answer: thoughts, code fences, marks and quotes around the whole, an introduction
// before it and an offer of help behind it. What the source itself opens or closes with stays.
func clean(answer, source string) string {
	s := answer
	if strings.Contains(s, "<think>") {
		s = thinking.ReplaceAllString(s, "")
	}
	s = strings.TrimSpace(s)
	if strings.HasPrefix(s, "```") || strings.HasPrefix(s, "<text>") {
		for _, around := range []*regexp.Regexp{fence, echo} {
			if m := around.FindStringSubmatch(s); m != nil {
				s = strings.TrimSpace(m[1])
			}
		}
	}
	if n := introduction(s); n > 0 && !introduces(source) {
		s = strings.TrimSpace(s[n:])
	}
	if at := offer(s); at >= 0 && offer(source) < 0 {
		s = strings.TrimSpace(s[:at])
	}
	for _, q := range quotes {
		open, end := q[0], q[1]
		if !strings.HasPrefix(s, open) || !strings.HasSuffix(s, end) {
			continue
		}
		inner := strings.TrimSuffix(strings.TrimPrefix(s, open), end)
		if len(s) == len(inner)+len(open)+len(end) && !strings.Contains(inner, open) && !strings.HasPrefix(source, open) {
			return strings.TrimSpace(inner)
		}
	}
	return s
}

var refusal = regexp.MustCompile(`(?i)^(?:` +
	`(?:i['’]?m|i am) (?:very |so |really )?sorry,? (?:but )?(?:i\b|as an? )|sorry,? (?:but )?i (?:can|am|['’]m|won)` +
	`|i apologi[sz]e,? but (?:i (?:can|am|do)|i['’]m|as an? )` +
	`|(?:unfortunately,? )?i(?: cannot| can['’]?t| can not| am unable to| am not able to|['’]m unable to|['’]m not able to| must decline to) ` +
	`(?:help|assist|provide|fulfil|comply|re-?write|re-?phrase|paraphrase|generate|create|process|access|continue|complete|engage|discuss|do (?:this|that))` +
	`|as an? (?:ai\b|artificial|(?:large )?language model)` +
	`|(?:很|非常)?(?:抱歉|对不起|對不起|不好意思)[，,。]?\s*(?:但|我|作为|作為|由于|由於|无法|無法|[您你](?:并|並)?(?:没|沒|未))` +
	`|我(?:无法|無法|不能|没有办法|沒有辦法)(?:为|為|帮|幫|协助|協助|提供|完成|改写|改寫|满足|處理|处理|回答|生成)` +
	`|(?:作为|作為)(?:一个|一個|一名|一款)?\s*(?:ai|人工智能|人工智慧|(?:大型)?语言模型|(?:大型)?語言模型)` +
	`|(?:无法|無法)(?:提供|协助|協助|完成|改写|改寫)` +
	`)`)

// refuses tells whether an answer declines, unless the source opens in the same way.
func refuses(answer, source string) bool {
	source = strings.TrimSpace(source)
	return begins(answer, refusalStarts) && refusal.MatchString(head(answer)) && !(begins(source, refusalStarts) && refusal.MatchString(head(source)))
}
