package source

import (
	"encoding/json"
	"iter"
	"slices"

	"winnow/train/chat"
)

// Prompt is what a model is to answer, and what its row has beside it.
type Prompt struct {
	chat.Place
	Messages []chat.Message
	Tools    []json.RawMessage
	Columns  map[string]any // all fields of the row under their names in the file: references, labels
}

// Prompts reads prompts of rows in any shape that has one: prompt as text or messages, messages, conversations, question, instruction
// with input. An answer at the end is left off.
func Prompts(files []string, o Options) iter.Seq2[*Prompt, error] {
	return read(files, o, promptShapes(), func(p *Prompt) *chat.Place { return &p.Place })
}

// promptShapes are the ways to write a prompt.
func promptShapes() []shape[Prompt] {
	return []shape[Prompt]{
		{"prompt", []string{"prompt"}, `{"prompt": "..."} or {"prompt": [messages]}`, prompt},
		{"messages", []string{"messages"}, `{"messages": [{"role": "user", "content": "..."}]}`, prompt},
		{"sharegpt", []string{"conversations"}, `{"conversations": [{"from": "human", "value": "..."}]}`, prompt},
		{"question", []string{"question"}, `{"question": "..."}`, prompt},
		{"instruction", []string{"instruction"}, `{"instruction": "...", "input": "..."}`, prompt},
	}
}

func prompt(r *record) ([]Prompt, error) {
	messages, err := r.question()
	if err != nil {
		return nil, err
	}
	for len(messages) > 0 && messages[len(messages)-1].Role == chat.Assistant {
		messages = messages[:len(messages)-1]
	}
	if !slices.ContainsFunc(messages, func(m chat.Message) bool { return m.Role == chat.User }) {
		return nil, r.fail(Empty, r.Shape, "has nothing to answer", "write a user's message")
	}
	p := Prompt{Messages: messages, Columns: make(map[string]any, len(r.fields))}
	if p.Tools, err = r.tools(); err != nil {
		return nil, err
	}
	for name, v := range r.fields {
		var value any
		if err := json.Unmarshal(v, &value); err != nil {
			return nil, r.fail(BadField, name, err.Error(), "")
		}
		p.Columns[name] = value
	}
	return []Prompt{p}, nil
}
