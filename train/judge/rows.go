package judge

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"strings"

	"winnow/train/chat"
)

// Items reads prompts with answers, one JSON object a line: {"prompt": text or messages, "answers": [text, text, ...]}, and optionally
// "better", the place from 0 of the answer that someone preferred. Errors name the line.
func Items(in io.Reader) iter.Seq2[Item, error] {
	return func(yield func(Item, error) bool) {
		lines := bufio.NewReaderSize(in, 1<<16)
		for n := 1; ; n++ {
			b, err := lines.ReadBytes('\n')
			if err != nil && err != io.EOF {
				yield(Item{}, err)
				return
			}
			if len(strings.TrimSpace(string(b))) > 0 {
				it, bad := item(b)
				if bad != nil {
					bad = fmt.Errorf("line %d: %w", n, bad)
				}
				if !yield(it, bad) || bad != nil {
					return
				}
			}
			if err == io.EOF {
				return
			}
		}
	}
}

func item(b []byte) (it Item, err error) {
	var j struct {
		Prompt  json.RawMessage `json:"prompt"`
		Answers []string        `json:"answers"`
		Better  *int            `json:"better"`
	}
	if err := json.Unmarshal(b, &j); err != nil {
		return it, err
	}
	it = Item{Answers: j.Answers, Better: -1}
	if j.Better != nil {
		it.Better = *j.Better
	}
	if it.Prompt, err = Prompt(j.Prompt); err != nil {
		return it, err
	}
	if len(it.Answers) < 2 || it.Better < -1 || it.Better >= len(it.Answers) {
		return it, errors.New(`write {"prompt": "...", "answers": ["...", "..."]}`)
	}
	return it, nil
}

// Prompt reads a text, which is a user's message, or a list of messages that ends with one.
func Prompt(raw json.RawMessage) ([]chat.Message, error) {
	var text string
	var messages []chat.Message
	switch {
	case json.Unmarshal(raw, &text) == nil:
		messages = []chat.Message{{Role: chat.User, Content: text}}
	case json.Unmarshal(raw, &messages) != nil:
		return nil, errors.New(`prompt: write a text or a list of messages`)
	}
	if len(messages) == 0 {
		return nil, errors.New("prompt: is empty")
	}
	if last := messages[len(messages)-1]; last.Role != chat.User || strings.TrimSpace(last.Content) == "" {
		return nil, errors.New("prompt: it must end with a message of the user")
	}
	return messages, nil
}

// OfPairs makes items of preferences, as if nobody had said which answer is better. The answers change places in every other item, so
// that a preference for a place cannot look like agreement.
func OfPairs(pairs []*chat.Pair) []Item {
	var out []Item
	for i, p := range pairs {
		if len(p.Chosen) != 1 || len(p.Rejected) != 1 {
			continue
		}
		it := Item{Prompt: p.Prompt, Answers: []string{p.Chosen[0].Content, p.Rejected[0].Content}}
		if i%2 == 1 {
			it.Answers[0], it.Answers[1], it.Better = it.Answers[1], it.Answers[0], 1
		}
		out = append(out, it)
	}
	return out
}

// WriteRows writes JSON lines, whole or not at all.
func WriteRows[T any](path string, rows []T) error {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	for _, r := range rows {
		if err := e.Encode(r); err != nil {
			return err
		}
	}
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(b.Bytes())
	if err := errors.Join(err, f.Chmod(0o644), f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
