package source

import (
	"encoding/json"
	"fmt"
	"strings"

	"winnow/train/chat"
)

// chatShapes are the ways to write a conversation. Texts of prompt and completion become a user's and an assistant's message.
func chatShapes() []shape[chat.Conversation] {
	return []shape[chat.Conversation]{
		{"messages", []string{"messages"}, `{"messages": [{"role": "user", "content": "..."}, {"role": "assistant", "content": "..."}]}`, conversation("messages")},
		{"sharegpt", []string{"conversations"}, `{"conversations": [{"from": "human", "value": "..."}, {"from": "gpt", "value": "..."}]}`, conversation("conversations")},
		{"prompt-completion", []string{"prompt", "completion"}, `{"prompt": "...", "completion": "..."}`, answered("completion")},
		{"instances", []string{"instruction", "instances"}, `{"instruction": "...", "instances": [{"input": "...", "output": "..."}]}`, instances},
		{"alpaca", []string{"instruction", "output"}, `{"instruction": "...", "input": "...", "output": "..."}`, answered("output")},
		{"question-answer", []string{"question", "answer"}, `{"question": "...", "answer": "..."}`, answered("answer")},
	}
}

// pairShapes are the ways to write a preference.
func pairShapes() []shape[chat.Pair] {
	return []shape[chat.Pair]{
		{"ranking", []string{"conversations", "chosen", "rejected"}, `{"conversations": [...], "chosen": {"from": "gpt", "value": "..."}, "rejected": {"from": "gpt", "value": "..."}}`, pair},
		{"messages-ranking", []string{"messages", "chosen", "rejected"}, `{"messages": [...], "chosen": {"role": "assistant", ...}, "rejected": {...}}`, pair},
		{"alpaca-ranking", []string{"instruction", "chosen", "rejected"}, `{"instruction": "...", "input": "...", "chosen": "...", "rejected": "..."}`, pair},
		{"prompt-chosen-rejected", []string{"prompt", "chosen", "rejected"}, `{"prompt": "...", "chosen": "...", "rejected": "..."}`, pair},
		{"question-chosen-rejected", []string{"question", "chosen", "rejected"}, `{"question": "...", "chosen": "...", "rejected": "..."}`, pair},
		{"chosen-rejected", []string{"chosen", "rejected"}, `{"chosen": [messages], "rejected": [messages]} whose common begin is the prompt`, pair},
	}
}

// judgedShapes are the ways to write feedback; the last one is any preference.
func judgedShapes() []shape[chat.Judged] {
	return []shape[chat.Judged]{
		{"prompt-completion-label", []string{"prompt", "completion", "label"}, `{"prompt": "...", "completion": "...", "label": true}`, judged("label", answered("completion"))},
		{"messages-label", []string{"messages", "label"}, `{"messages": [...], "label": true}`, judged("label", conversation("messages"))},
		{"sharegpt-label", []string{"conversations", "label"}, `{"conversations": [...], "label": true}`, judged("label", conversation("conversations"))},
		{"alpaca-label", []string{"instruction", "output", "label"}, `{"instruction": "...", "output": "...", "label": true}`, judged("label", answered("output"))},
		{"messages-kto_tag", []string{"messages", "kto_tag"}, `{"messages": [...], "kto_tag": true}`, judged("kto_tag", conversation("messages"))},
		{"sharegpt-kto_tag", []string{"conversations", "kto_tag"}, `{"conversations": [...], "kto_tag": true}`, judged("kto_tag", conversation("conversations"))},
		{"alpaca-kto_tag", []string{"instruction", "output", "kto_tag"}, `{"instruction": "...", "output": "...", "kto_tag": true}`, judged("kto_tag", answered("output"))},
		{"chosen-rejected", []string{"chosen", "rejected"}, `a preference`, unpaired},
	}
}

// check gives the one conversation, if it can be learnt from.
func (r *record) check(field string, messages []chat.Message) ([]chat.Conversation, error) {
	tools, err := r.tools()
	if err != nil {
		return nil, err
	}
	c := chat.Conversation{Messages: messages, Tools: tools}
	if err := c.Check(); err != nil {
		return nil, r.fail(Empty, field, err.Error(), "")
	}
	return []chat.Conversation{c}, nil
}

// conversation reads a list of messages, behind the text of a field system where there is one.
func conversation(field string) func(r *record) ([]chat.Conversation, error) {
	return func(r *record) ([]chat.Conversation, error) {
		messages, err := r.context(field)
		if err != nil {
			return nil, err
		}
		return r.check(field, messages)
	}
}

// context reads what a conversation begins with: a list of messages, or a text, which is a user's message or a transcript.
func (r *record) context(field string) ([]chat.Message, error) {
	before, err := r.system()
	if err != nil {
		return nil, err
	}
	if kind(r.raw(field)) == "a list" {
		messages, err := r.messages(field)
		return append(before, messages...), err
	}
	s, err := r.needed(field)
	if err != nil {
		return nil, err
	}
	if messages := transcript(s); messages != nil {
		return append(before, messages...), nil
	}
	return append(before, chat.Message{Role: chat.User, Content: s}), nil
}

// system is the message of the field of this name, and the earlier turns of Alpaca's history.
func (r *record) system() (before []chat.Message, err error) {
	s, err := r.text("system")
	if err != nil {
		return nil, err
	}
	if s != "" {
		before = append(before, chat.Message{Role: chat.System, Content: s})
	}
	if v := r.raw("history"); v != nil && r.has("instruction") {
		var turns [][2]string
		if json.Unmarshal(v, &turns) != nil {
			return nil, r.fail(BadField, "history", "is no list of turns", `write [["question", "answer"], ...]`)
		}
		for i, t := range turns {
			for k, role := range []string{chat.User, chat.Assistant} {
				if t[k], err = r.fill(fmt.Sprintf("history[%d][%d]", i, k), t[k]); err != nil {
					return nil, err
				}
				before = append(before, chat.Message{Role: role, Content: t[k]})
			}
		}
	}
	return before, nil
}

// question reads the prompt of a row in whatever form it has one.
func (r *record) question() ([]chat.Message, error) {
	for _, field := range []string{"prompt", "messages", "conversations", "question"} {
		if r.has(field) {
			return r.context(field)
		}
	}
	before, err := r.system()
	if err != nil {
		return nil, err
	}
	m, err := r.instruction()
	return append(before, m), err
}

// instruction joins Alpaca's instruction and input; one of them may be empty.
func (r *record) instruction() (chat.Message, error) {
	s, err := r.text("instruction")
	if err != nil {
		return chat.Message{}, err
	}
	input, err := r.text("input")
	if err != nil {
		return chat.Message{}, err
	}
	return r.instructed(s, input)
}

func (r *record) instructed(s, input string) (chat.Message, error) {
	m := chat.Message{Role: chat.User, Content: s}
	switch blank := strings.TrimSpace(input) == ""; {
	case blank && strings.TrimSpace(s) == "":
		return m, r.fail(Empty, "instruction", "is empty", "write a text, or leave the row out")
	case strings.TrimSpace(s) == "":
		m.Content = input
	case !blank:
		m.Content, m.Input = s+"\n"+input, input
	}
	return m, nil
}

// answered reads a prompt and the answer to it in a field.
func answered(field string) func(r *record) ([]chat.Conversation, error) {
	return func(r *record) ([]chat.Conversation, error) {
		messages, err := r.question()
		if err != nil {
			return nil, err
		}
		answer, err := r.answer(field)
		if err != nil {
			return nil, err
		}
		if len(answer) == 1 && strings.TrimSpace(answer[0].Content) == "" && len(answer[0].Calls) == 0 {
			return nil, r.fail(Empty, field, "is empty", "write a text, or leave the row out")
		}
		for i := range messages {
			messages[i].Ignored = messages[i].Ignored || messages[i].Role == chat.Assistant && r.has("prompt")
		}
		return r.check(field, append(messages, answer...))
	}
}

// answer reads a text, a message, or a list of messages; of a missing field an empty answer.
func (r *record) answer(field string) ([]chat.Message, error) {
	v := r.raw(field)
	switch kind(v) {
	case "a list":
		return r.messages(field)
	case "an object":
		m, err := r.message(field, v)
		return []chat.Message{m}, err
	}
	s, err := r.text(field)
	return []chat.Message{{Role: chat.Assistant, Content: s}}, err
}

// instances reads a task of self-instruct: one instruction, several inputs with their outputs.
func instances(r *record) (out []chat.Conversation, err error) {
	instruction, err := r.text("instruction")
	if err != nil {
		return nil, err
	}
	var list []struct{ Input, Output json.RawMessage }
	if json.Unmarshal(r.raw("instances"), &list) != nil {
		return nil, r.fail(BadField, "instances", "is no list of instances", `write [{"input": "...", "output": "..."}]`)
	}
	for i, one := range list {
		var input, output string
		if input, err = r.textOf(fmt.Sprintf("instances[%d].input", i), one.Input); err != nil {
			return nil, err
		}
		where := fmt.Sprintf("instances[%d].output", i)
		if output, err = r.textOf(where, one.Output); err != nil {
			return nil, err
		}
		m, err := r.instructed(instruction, input)
		if err != nil {
			return nil, err
		}
		c, err := r.check(where, []chat.Message{m, {Role: chat.Assistant, Content: output}})
		if err != nil {
			return nil, err
		}
		out = append(out, c...)
	}
	if len(out) == 0 {
		return nil, r.fail(Empty, "instances", "is empty", "write at least one")
	}
	return out, nil
}
