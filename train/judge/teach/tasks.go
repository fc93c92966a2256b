package teach

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"

	"winnow/train/chat"
)

// Instructions reads what is to be answered, one a line: a JSON object with a prompt (text or messages), an instruction and perhaps an
// input, a question, or messages, of which what follows the last of the user is left off; or, in a file of plain lines, the text of the
// line. name is the file's, for origins and errors.
func Instructions(in io.Reader, name string) ([]Task, error) {
	var out []Task
	lines := bufio.NewReaderSize(in, 1<<16)
	for n := 1; ; n++ {
		b, err := lines.ReadString('\n')
		if err != nil && err != io.EOF {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		if line := strings.TrimSpace(b); line != "" {
			origin := fmt.Sprintf("%s:%d", name, n)
			messages, bad := instruction(line)
			if bad != nil {
				return nil, fmt.Errorf("%s: %w", origin, bad)
			}
			out = append(out, Task{Prompt: messages, Origin: origin})
		}
		if err == io.EOF {
			return out, nil
		}
	}
}

func instruction(line string) ([]chat.Message, error) {
	if line[0] != '{' {
		return user(line), nil
	}
	var j struct {
		Prompt, Messages             json.RawMessage
		Instruction, Input, Question string
	}
	if err := json.Unmarshal([]byte(line), &j); err != nil {
		return nil, err
	}
	if j.Prompt == nil {
		j.Prompt = j.Messages
	}
	if j.Prompt != nil {
		return prompt(j.Prompt)
	}
	text := j.Instruction
	if strings.TrimSpace(j.Input) != "" {
		text += "\n" + j.Input
	}
	if text == "" {
		text = j.Question
	}
	if strings.TrimSpace(text) == "" {
		return nil, errors.New(`nothing to answer: write {"prompt": "..."} or {"instruction": "...", "input": "..."}`)
	}
	return user(text), nil
}

func user(text string) []chat.Message { return []chat.Message{{Role: chat.User, Content: text}} }

// prompt reads a text or messages up to the last of the user.
func prompt(raw json.RawMessage) ([]chat.Message, error) {
	var text string
	if json.Unmarshal(raw, &text) == nil && strings.TrimSpace(text) != "" {
		return user(text), nil
	}
	var messages []chat.Message
	if err := json.Unmarshal(raw, &messages); err != nil {
		return nil, errors.New("prompt: write a text or a list of messages")
	}
	for len(messages) > 0 && (messages[len(messages)-1].Role != chat.User || strings.TrimSpace(messages[len(messages)-1].Content) == "") {
		messages = messages[:len(messages)-1]
	}
	if len(messages) == 0 {
		return nil, errors.New("prompt: no message of the user")
	}
	return messages, nil
}

// Continuation asks a teacher to write the second half of a text in its own way. The row's prompt is the first half alone. False where
// the text is shorter than least characters, or has no place to cut.
func Continuation(text, id, lang string, least int) (Task, bool) {
	text = strings.TrimSpace(text)
	if utf8.RuneCountInString(text) < least {
		return Task{}, false
	}
	at := middle(text)
	first := strings.TrimSpace(text[:at])
	if first == "" || strings.TrimSpace(text[at:]) == "" {
		return Task{}, false
	}
	ask := "Below is the first half of a text. Write the second half, in the same language and manner, and about as long as the first. Give nothing but the text itself.\n\n"
	if lang == "zh" {
		ask = "下面是一篇文章的前半部分。请用同样的语言和笔调续写后半部分，长度与前半部分相当。只给出正文。\n\n"
	}
	return Task{Prompt: user(first), Asked: user(ask + first), Origin: id}, true
}

// middle is the end of the sentence or line that lies nearest to the middle of a text, within a fifth of it; else of a word; else the
// middle itself.
func middle(text string) int {
	half := len(text) / 2
	sentence, word := -1, -1
	nearer := func(at, than int) bool { return than < 0 || abs(at-half) < abs(than-half) }
	last := rune(0)
	for at, r := range text {
		if abs(at-half) <= len(text)/5 {
			end := last == '\n' || strings.ContainsRune("。！？", last) || strings.ContainsRune(".!?", last) && unicode.IsSpace(r)
			if end && nearer(at, sentence) {
				sentence = at
			}
			if unicode.IsSpace(r) && nearer(at, word) {
				word = at
			}
		}
		last = r
	}
	if sentence >= 0 {
		return sentence
	}
	if word >= 0 {
		return word
	}
	for half < len(text) && !utf8.RuneStart(text[half]) {
		half++
	}
	return half
}

func abs(n int) int { return max(n, -n) }
