// Package feedback keeps what people say of a model's answers, in files that fine-tuning reads as they are.
//
// Judgements flow in: a thumb, the better of two answers, an edited answer, each with its prompt and how the answer was sampled. Out
// flows a folder: log.jsonl, which is only ever appended to, and three files made of it that hold what counts today:
// thumbs.jsonl (prompt, completion, label: `train kto`), pairs.jsonl (prompt, chosen, rejected: `train dpo`, `train reward`),
// edits.jsonl (prompt, completion: `train sft`).
package feedback

import (
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"winnow/train/chat"
)

// Kinds of judgements.
const (
	Thumb = "thumb"
	Pick  = "pick" // the better of two answers
	Edit  = "edit" // an answer as it should have been: better than the one that was given
)

// Model is what answered.
type Model struct {
	Name         string `json:"model"`
	Hash         string `json:"model_hash"` // of the weights
	Tokenizer    string `json:"tokenizer_hash"`
	Template     string `json:"template"` // name
	TemplateHash string `json:"template_hash,omitempty"`
}

// Sampling is how an answer was drawn.
type Sampling struct {
	Temperature float64 `json:"temperature"`
	TopP        float64 `json:"top_p"`
	Seed        uint64  `json:"seed"`
	MaxTokens   int     `json:"max_tokens,omitempty"`
	Finish      string  `json:"finish_reason,omitempty"`
}

// Judgement is what was said of one answer, or of two. A later one of the same kind on the same subject takes its place.
type Judgement struct {
	Kind    string         `json:"kind"`
	Subject string         `json:"subject"`          // names the answer, or the pair of them
	Undone  bool           `json:"undone,omitempty"` // the earlier judgement is taken back; all that follows is empty
	Prompt  []chat.Message `json:"prompt,omitempty"` // ends with the user's

	Answer string    `json:"-"` // of a thumb; of an edit the edited text; of a pick empty
	Good   bool      `json:"-"` // of a thumb
	Better string    `json:"-"` // of a pick
	Worse  string    `json:"-"` // of a pick; of an edit the answer that was given
	Drawn  *Sampling `json:"-"` // of the thumb's answer, the better answer, the answer that was edited
	Other  *Sampling `json:"-"` // of the worse answer of a pick
}

// row is a line of the files. Answers are messages, so that no text of theirs is taken for a transcript, and Literal says that {{name}}
// in them is text.
type row struct {
	Time time.Time `json:"ts"`
	Judgement
	Model
	Completion []chat.Message `json:"completion,omitempty"`
	Label      *bool          `json:"label,omitempty"`
	Chosen     []chat.Message `json:"chosen,omitempty"`
	Rejected   []chat.Message `json:"rejected,omitempty"`
	Sampling   *Sampling      `json:"sampling,omitempty"`
	Sampled    *Sampling      `json:"rejected_sampling,omitempty"`
	Literal    bool           `json:"literal"`
}

func (j *Judgement) row(now time.Time, m Model) row {
	r := row{Time: now.UTC(), Judgement: *j, Model: m, Literal: true}
	if j.Undone {
		r.Prompt = nil
		return r
	}
	said := func(s string) []chat.Message { return []chat.Message{{Role: chat.Assistant, Content: s}} }
	r.Sampling, r.Sampled = j.Drawn, j.Other
	switch j.Kind {
	case Thumb:
		r.Completion, r.Label = said(j.Answer), &j.Good
	case Pick:
		r.Chosen, r.Rejected = said(j.Better), said(j.Worse)
	case Edit:
		r.Completion, r.Chosen, r.Rejected = said(j.Answer), said(j.Answer), said(j.Worse)
	}
	return r
}

// Check says why a judgement cannot be learnt from.
func (j *Judgement) Check() error {
	switch {
	case j.Kind != Thumb && j.Kind != Pick && j.Kind != Edit:
		return fmt.Errorf("kind: %q: write %s, %s or %s", j.Kind, Thumb, Pick, Edit)
	case j.Subject == "" || len(j.Subject) > 200 || !utf8.ValidString(j.Subject):
		return errors.New("subject: write a name of 1 to 200 bytes")
	case j.Undone:
		return nil
	case len(j.Prompt) == 0 || j.Prompt[len(j.Prompt)-1].Role != chat.User:
		return errors.New("prompt: it must end with a message of the user")
	}
	for i, m := range j.Prompt {
		switch m.Role {
		case chat.System, chat.User, chat.Assistant:
		default:
			return fmt.Errorf("prompt[%d].role: %q: write system, user or assistant", i, m.Role)
		}
		if m.Role == chat.User && blank(m.Content) {
			return fmt.Errorf("prompt[%d].content: is empty", i)
		}
	}
	switch {
	case j.Kind != Pick && blank(j.Answer):
		return errors.New("completion: is empty: nothing to learn from")
	case j.Kind == Pick && blank(j.Better):
		return errors.New("chosen: is empty: nothing to learn from")
	case j.Kind == Pick && j.Better == j.Worse, j.Kind == Edit && j.Answer == j.Worse:
		return errors.New("chosen: is the same as rejected")
	}
	return nil
}

func blank(s string) bool { return strings.TrimSpace(s) == "" }
