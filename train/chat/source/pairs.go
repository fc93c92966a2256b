package source

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"

	"winnow/train/chat"
)

// pair reads two answers and what they answer. Where answers are lists of messages or transcripts that repeat the prompt, or where
// there is no other prompt, what both begin with is the prompt.
func pair(r *record) ([]chat.Pair, error) {
	var p chat.Pair
	var err error
	if p.Tools, err = r.tools(); err != nil {
		return nil, err
	}
	if r.has("prompt") || r.has("messages") || r.has("conversations") || r.has("instruction") || r.has("question") {
		if p.Prompt, err = r.question(); err != nil {
			return nil, err
		}
	} else if p.Prompt, err = r.system(); err != nil {
		return nil, err
	}
	if p.Chosen, err = r.side("chosen"); err != nil {
		return nil, err
	}
	if p.Rejected, err = r.side("rejected"); err != nil {
		return nil, err
	}
	if err := r.divide(&p); err != nil {
		return nil, err
	}
	if v := r.raw("margin"); v != nil {
		if json.Unmarshal(v, &p.Margin) != nil {
			return nil, r.fail(BadField, "margin", "is "+kind(v), "write a number")
		}
	}
	return []chat.Pair{p}, nil
}

// side reads one answer, or the whole conversation that it ends.
func (r *record) side(field string) ([]chat.Message, error) {
	if kind(r.raw(field)) == "a text" {
		s, err := r.text(field)
		if err != nil {
			return nil, err
		}
		if messages := transcript(s); messages != nil {
			return messages, nil
		}
	}
	return r.answer(field)
}

// divide moves what both sides begin with into the prompt and checks what is left.
func (r *record) divide(p *chat.Pair) error {
	chosen, rejected := p.Chosen, p.Rejected
	if n := len(p.Prompt); n > 0 && common(p.Prompt, chosen) == n && common(p.Prompt, rejected) == n {
		chosen, rejected = chosen[n:], rejected[n:]
	}
	n := min(common(chosen, rejected), len(chosen)-1, len(rejected)-1)
	if n > 0 {
		p.Prompt = append(p.Prompt, chosen[:n]...)
		chosen, rejected = chosen[n:], rejected[n:]
	}
	if len(p.Prompt) == 0 && len(chosen) == 1 && len(rejected) == 1 {
		if begin := commonText(chosen[0].Content, rejected[0].Content); begin != "" {
			p.Prompt = []chat.Message{{Role: chat.User, Content: begin}}
			chosen[0].Content, rejected[0].Content = chosen[0].Content[len(begin):], rejected[0].Content[len(begin):]
		}
	}
	if len(p.Prompt) == 0 {
		return r.fail(Differ, "chosen", "has no begin in common with rejected, and there is no prompt", `write {"prompt": "...", "chosen": "...", "rejected": "..."}`)
	}
	for _, side := range [][]chat.Message{chosen, rejected} {
		for i, m := range side {
			if m.Role == chat.User || m.Role == chat.System || m.Role == chat.Assistant && i > 0 && side[i-1].Role == chat.Assistant {
				return r.fail(Differ, "chosen", "and rejected answer different prompts: they part before the last answer", "let both answer the same prompt")
			}
		}
	}
	p.Chosen, p.Rejected = chosen, rejected
	if reflect.DeepEqual(chosen, rejected) {
		return r.fail(Same, "chosen", "is the same as rejected", "leave the row out")
	}
	if c := chat.Tuned(r.Place, p.Prompt, chosen, nil); c.Check() != nil {
		return r.fail(Empty, "chosen", "is empty", "write a text, or leave the row out")
	}
	if last := rejected[len(rejected)-1]; last.Role != chat.Assistant {
		return r.fail(BadField, "rejected", fmt.Sprintf("ends with a message of role %s", last.Role), "let it end with the assistant's")
	}
	return nil
}

// common counts the messages that both begin with.
func common(a, b []chat.Message) (n int) {
	for n < len(a) && n < len(b) && same(a[n], b[n]) {
		n++
	}
	return n
}

func same(a, b chat.Message) bool {
	if a.Role != b.Role || strings.TrimSpace(a.Content) != strings.TrimSpace(b.Content) || len(a.Calls) != len(b.Calls) {
		return false
	}
	for i, c := range a.Calls {
		if c.Name != b.Calls[i].Name || !bytes.Equal(c.Arguments, b.Calls[i].Arguments) {
			return false
		}
	}
	return true
}

// commonText is what two texts begin with, up to the last white space in it.
func commonText(a, b string) string {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return a[:strings.LastIndexAny(a[:n], " \n\t")+1]
}

// transcript takes apart a text of Anthropic's form, "\n\nHuman: ...\n\nAssistant: ...", nil where it is none.
func transcript(s string) (out []chat.Message) {
	if !strings.HasPrefix(strings.TrimLeft(s, "\n"), "Human:") || !strings.Contains(s, "\n\nAssistant:") {
		return nil
	}
	rest := "\n\n" + strings.TrimLeft(s, "\n")
	for rest != "" {
		role := chat.User
		body, ok := strings.CutPrefix(rest, "\n\nHuman:")
		if !ok {
			body, role = strings.TrimPrefix(rest, "\n\nAssistant:"), chat.Assistant
		}
		end := len(body)
		for _, mark := range []string{"\n\nHuman:", "\n\nAssistant:"} {
			if i := strings.Index(body, mark); i >= 0 {
				end = min(end, i)
			}
		}
		out = append(out, chat.Message{Role: role, Content: strings.TrimSpace(body[:end])})
		rest = body[end:]
	}
	return out
}

// judged takes a conversation's last answer, behind which nothing may stand, and its label.
func judged(label string, read func(*record) ([]chat.Conversation, error)) func(*record) ([]chat.Judged, error) {
	return func(r *record) ([]chat.Judged, error) {
		v := r.raw(label)
		var good bool
		switch strings.Trim(strings.ToLower(string(v)), `"`) {
		case "true", "1", "1.0":
			good = true
		case "false", "0", "0.0":
		default:
			return nil, r.fail(BadField, label, "is "+strings.TrimSpace(string(v)), "write true or false")
		}
		list, err := read(r)
		if err != nil {
			return nil, err
		}
		c := list[0]
		n := len(c.Messages) - 1
		if c.Messages[n].Role != chat.Assistant {
			return nil, r.fail(BadField, label, "is about an answer, but the last message is of role "+c.Messages[n].Role, "let the assistant's answer be the last message")
		}
		return []chat.Judged{{Prompt: c.Messages[:n], Answer: c.Messages[n:], Tools: c.Tools, Good: good}}, nil
	}
}

// unpaired makes two judged answers of a preference.
func unpaired(r *record) ([]chat.Judged, error) {
	pairs, err := pair(r)
	if err != nil {
		return nil, err
	}
	p := pairs[0]
	return []chat.Judged{{Prompt: p.Prompt, Answer: p.Chosen, Tools: p.Tools, Good: true}, {Prompt: p.Prompt, Answer: p.Rejected, Tools: p.Tools}}, nil
}
