package serve

import (
	"fmt"
	"strings"

	"winnow/train/bpe"
)

// Message is one turn of a conversation.
type Message struct {
	Role    string // system, user, assistant
	Content string
}

// Prompt is what a model reads and where its turn ends.
type Prompt struct {
	IDs     []int32
	Stop    []string
	StopIDs []int32
	Trim    bool // the answer's leading space belongs to the template, not to the answer
}

// Template makes a prompt of a conversation. A model that was trained on conversations brings its own.
type Template interface {
	Name() string
	Prompt(t *bpe.Tokenizer, messages []Message) (Prompt, error)
}

// Plain is the template of models that have none: turns as lines with the speaker's name. It is text and nothing else, so a message
// that contains such a line cannot be told from a turn.
type Plain struct{}

// Name is "plain".
func (Plain) Name() string { return "plain" }

// Prompt ends with the assistant's name and stops at the next turn. Errors: an unknown role, no messages.
func (Plain) Prompt(t *bpe.Tokenizer, messages []Message) (Prompt, error) {
	names := map[string]string{"system": "System", "developer": "System", "user": "User", "assistant": "AI"}
	var b strings.Builder
	for i, m := range messages {
		name, ok := names[m.Role]
		if !ok {
			return Prompt{}, fmt.Errorf("message %d: unknown role %q: write system, user or assistant", i, m.Role)
		}
		fmt.Fprintf(&b, "%s: %s\n", name, strings.TrimSpace(m.Content))
	}
	if len(messages) == 0 {
		return Prompt{}, fmt.Errorf("no messages")
	}
	b.WriteString("AI:")
	return Prompt{IDs: Text(t, b.String()), Stop: []string{"\nUser:", "\nAI:", "\nSystem:"}, Trim: true}, nil
}

// Text is the prompt of a text to go on with: the token that begins a document, where the tokenizer has one, and the text's tokens.
// Of an empty text with no such token it is the end-of-text token, after which models expect a new text.
func Text(t *bpe.Tokenizer, text string) []int32 {
	var ids []int32
	if bos := t.BOS(); bos >= 0 {
		ids = append(ids, bos)
	}
	ids = t.Encode(ids, text)
	if len(ids) == 0 && t.EOS() >= 0 {
		ids = append(ids, t.EOS())
	}
	return ids
}
