package serve

import (
	"winnow/train/bpe"
	"winnow/train/chat"
)

// Message is one turn of a conversation, Prompt what a model reads of it.
type (
	Message = chat.Message
	Prompt  = chat.Prompt
)

// Template makes a prompt of a conversation: *chat.Template for a model that was trained on one, chat.Lines for others.
type Template interface {
	Name() string
	Prompt(t *bpe.Tokenizer, messages []Message) (Prompt, error)
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
