// Package chat turns conversations into token ids of which a mask says what is to be learnt, and prompts into ids to go on from.
//
// Conversations flow in (package source reads them from files), with a Template bound to a tokenizer; out flow sequences of ids
// for training, prompts for serving, and the template as Jinja for other programs. Every segment of a conversation, markup or
// content, is tokenised apart from the others: so the mask is exact by construction, and nothing that is written in a content
// can become markup.
package chat

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// Roles of messages.
const (
	System    = "system"
	User      = "user"
	Assistant = "assistant"
	Tool      = "tool" // what a called tool answered
)

// Message is one turn of a conversation.
type Message struct {
	Role    string `json:"role"`
	Content string `json:"content"`
	Calls   []Call `json:"tool_calls,omitempty"` // of the assistant, behind Content
	Input   string `json:"-"`                    // Content's last lines, where the data keeps them apart from the instruction (Alpaca)
	Ignored bool   `json:"-"`                    // an assistant's turn that is not to be learnt
}

// Call is an assistant's call of a tool.
type Call struct {
	Name      string          `json:"name"`
	Arguments json.RawMessage `json:"arguments"` // a JSON object
}

// Place is where a row stands.
type Place struct {
	File  string
	Line  int64  // where it begins, from 1; 0 in a parquet file
	Row   int64  // from 0
	Shape string // which of the known shapes it has
}

func (p Place) String() string {
	if p.Line > 0 {
		return fmt.Sprintf("%s:%d", p.File, p.Line)
	}
	return fmt.Sprintf("%s: row %d", p.File, p.Row)
}

// Conversation is what fine-tuning learns from.
type Conversation struct {
	Place
	Messages []Message
	Tools    []json.RawMessage // JSON of each tool that may be called
}

// Pair is two answers to one prompt, of which the first is better.
type Pair struct {
	Place
	Prompt, Chosen, Rejected []Message
	Tools                    []json.RawMessage
	Margin                   *float64 // how much better; nil: not said
}

// Judged is an answer to a prompt and whether it is good.
type Judged struct {
	Place
	Prompt, Answer []Message
	Tools          []json.RawMessage
	Good           bool
}

var errNoAnswer = errors.New("no assistant message with a content: nothing to learn from")

// Check tells what of a conversation cannot be learnt from: an unknown role, calls outside of the assistant's turns, no answer.
func (c *Conversation) Check() error {
	answers := 0
	for i, m := range c.Messages {
		switch m.Role {
		case System, User, Tool, Assistant:
		default:
			return fmt.Errorf("messages[%d]: unknown role %q: write system, user, assistant or tool", i, m.Role)
		}
		if m.Role != Assistant && len(m.Calls) > 0 {
			return fmt.Errorf("messages[%d]: tool_calls of role %s", i, m.Role)
		}
		if m.Role == Assistant && !m.Ignored && (strings.TrimSpace(m.Content) != "" || len(m.Calls) > 0) {
			answers++
		}
	}
	if answers == 0 {
		return errNoAnswer
	}
	return nil
}

// Tuned gives the conversation that a pair's better or worse answer, or a judged answer, makes with its prompt. The prompt's own
// answers are not to be learnt.
func Tuned(place Place, prompt, answer []Message, tools []json.RawMessage) *Conversation {
	c := &Conversation{Place: place, Tools: tools, Messages: make([]Message, 0, len(prompt)+len(answer))}
	for _, m := range prompt {
		m.Ignored = m.Role == Assistant
		c.Messages = append(c.Messages, m)
	}
	c.Messages = append(c.Messages, answer...)
	return c
}
