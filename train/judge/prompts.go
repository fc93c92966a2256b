package judge

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"unicode"

	"winnow/train/chat"
)

// Labels of the questions: single digits, which nearly every tokenizer has as one token, so that the next token decides.
var (
	pairLabels  = []string{"1", "2"}
	gradeLabels = strings.Split("0123456789", "")
	pointLabels = strings.Split("012345", "")
)

// wording is one question in one language. {conversation}, {answer}, {first} and {second} are filled in.
type wording struct{ en, zh string }

var pairWording = wording{
	en: `Here is a conversation and two answers to its last message. Decide which of the answers serves the person better: it should be true, do what was asked, be clear, and do no harm. Length alone is no merit, and the order in which the answers stand means nothing.

--- Conversation ---
{conversation}
--- Answer 1 ---
{first}
--- Answer 2 ---
{second}
--- End ---

Which answer is better? Reply with its number alone, 1 or 2.`,
	zh: `下面是一段对话，以及对最后一条消息的两个回答。请判断哪个回答对提问者更有帮助：内容属实、按要求作答、表达清楚、不造成伤害。长度本身不是优点，回答的先后次序没有意义。

--- 对话 ---
{conversation}
--- 回答 1 ---
{first}
--- 回答 2 ---
{second}
--- 结束 ---

哪个回答更好？只回复编号：1 或 2。`,
}

var gradeWording = wording{
	en: `Here is a conversation and an answer to its last message. How well does the answer serve the person? Grade it with one digit, from 0 (of no use, false or harmful) to 9 (could hardly be better).

--- Conversation ---
{conversation}
--- Answer ---
{answer}
--- End ---

Reply with the digit alone.`,
	zh: `下面是一段对话，以及对最后一条消息的一个回答。这个回答对提问者有多大帮助？用一位数字打分：0 表示毫无用处、不实或有害，9 表示几乎无可挑剔。

--- 对话 ---
{conversation}
--- 回答 ---
{answer}
--- 结束 ---

只回复这一位数字。`,
}

// pointWording counts points as self-rewarding language models do (Yuan et al. 2024, arXiv 2401.10020), in words of its own.
var pointWording = wording{
	en: `Here is a conversation and an answer to its last message. Count the answer's points, one for each of these that holds:
- It is about what was asked.
- It covers most of what was asked.
- It answers in a way that the person can use.
- It is clear, complete and well ordered.
- It is what an expert would say, without anything needless.

--- Conversation ---
{conversation}
--- Answer ---
{answer}
--- End ---

Reply with the number of points alone, 0 to 5.`,
	zh: `下面是一段对话，以及对最后一条消息的一个回答。请计分，每符合一条得一分：
- 内容切题。
- 涵盖了大部分要求。
- 提问者用得上。
- 清楚、完整、有条理。
- 像专家所答，没有多余内容。

--- 对话 ---
{conversation}
--- 回答 ---
{answer}
--- 结束 ---

只回复得分：0 到 5。`,
}

// Hash names a kind of question in all its languages: rows of another hash were asked otherwise.
func (w wording) hash() string {
	sum := sha256.Sum256([]byte(w.en + "\x00" + w.zh))
	return hex.EncodeToString(sum[:6])
}

// fill writes the question. Values are put in all at once, so that none is looked through for places of others.
func (w wording) fill(lang string, prompt []chat.Message, answers ...string) []chat.Message {
	text := w.en
	if lang == "zh" {
		text = w.zh
	}
	values := []string{"{conversation}", conversation(lang, prompt), "{answer}", answers[0], "{first}", answers[0], "{second}", answers[len(answers)-1]}
	return []chat.Message{{Role: chat.User, Content: strings.NewReplacer(values...).Replace(text)}}
}

// conversation is a prompt as text: of one message its content alone.
func conversation(lang string, prompt []chat.Message) string {
	if len(prompt) == 1 {
		return prompt[0].Content
	}
	names := map[string]string{chat.System: "System", chat.User: "Person", chat.Assistant: "Assistant", chat.Tool: "Tool"}
	if lang == "zh" {
		names = map[string]string{chat.System: "系统", chat.User: "提问者", chat.Assistant: "助手", chat.Tool: "工具"}
	}
	var b strings.Builder
	for i, m := range prompt {
		if i > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(names[m.Role] + ": " + m.Content)
	}
	return b.String()
}

// language is the one to ask in: the judge's, else that of the prompt's last message, by whether it has more Chinese characters than
// words of letters.
func (j *Judge) language(prompt []chat.Message) string {
	if j.Lang != "" || len(prompt) == 0 {
		return j.Lang
	}
	han, letters, inside := 0, 0, false
	for _, r := range prompt[len(prompt)-1].Content {
		letter := unicode.IsLetter(r) && !unicode.Is(unicode.Han, r)
		if unicode.Is(unicode.Han, r) {
			han++
		} else if letter && !inside {
			letters++
		}
		inside = letter
	}
	if han > letters {
		return "zh"
	}
	return "en"
}
