package source

import (
	"encoding/json"
	"fmt"
	"strings"

	"winnow/train/chat"
)

// roles translates what others call roles.
var roles = map[string]string{
	"system": chat.System, "developer": chat.System,
	"user": chat.User, "human": chat.User, "prompter": chat.User,
	"assistant": chat.Assistant, "gpt": chat.Assistant, "chatgpt": chat.Assistant, "bot": chat.Assistant, "model": chat.Assistant, "ai": chat.Assistant,
	"function_call": chat.Assistant, "tool_call": chat.Assistant,
	"tool": chat.Tool, "observation": chat.Tool, "function": chat.Tool, "ipython": chat.Tool, "tool_response": chat.Tool, "function_response": chat.Tool,
}

const messageLike = `write {"role": "user", "content": "..."} or {"from": "human", "value": "..."}`

// rawMessage is a message of Hugging Face's or of ShareGPT's form.
type rawMessage struct {
	Role    *string         `json:"role"`
	From    *string         `json:"from"`
	Content json.RawMessage `json:"content"`
	Value   json.RawMessage `json:"value"`
	Calls   []struct {
		Function *rawCall `json:"function"`
		rawCall
	} `json:"tool_calls"`
	Weight *float64 `json:"weight"`
	Train  *bool    `json:"train"`
}

type rawCall struct {
	Name      string          `json:"name"`
	Arguments json.RawMessage `json:"arguments"`
}

// messages reads a list of messages, nil where the field is missing.
func (r *record) messages(field string) ([]chat.Message, error) {
	v := r.raw(field)
	if v == nil {
		return nil, nil
	}
	var list []json.RawMessage
	if json.Unmarshal(v, &list) != nil {
		return nil, r.fail(BadField, field, "is "+kind(v), "write a list of messages: "+messageLike)
	}
	out := make([]chat.Message, len(list))
	for i, raw := range list {
		var err error
		if out[i], err = r.message(fmt.Sprintf("%s[%d]", field, i), raw); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (r *record) message(field string, raw json.RawMessage) (m chat.Message, err error) {
	var j rawMessage
	if json.Unmarshal(raw, &j) != nil {
		return m, r.fail(BadField, field, "is no message", messageLike)
	}
	name, content, behind := j.Role, j.Content, ".content"
	if name == nil {
		name = j.From
	}
	if content == nil {
		content, behind = j.Value, ".value"
	}
	if name == nil {
		return m, r.fail(BadField, field+".role", "is missing", messageLike)
	}
	role, ok := roles[strings.ToLower(strings.TrimSpace(*name))]
	if !ok {
		return m, r.fail(BadField, field+".role", fmt.Sprintf("is %q", *name), "write system, user, assistant or tool (from: system, human, gpt, function_call, observation)")
	}
	m.Role = role
	if m.Content, err = r.content(field+behind, content); err != nil {
		return m, err
	}
	if content == nil && j.Calls == nil {
		return m, r.fail(BadField, field+".content", "is missing", messageLike)
	}
	for k, c := range j.Calls {
		call := c.rawCall
		if c.Function != nil {
			call = *c.Function
		}
		one, err := r.call(fmt.Sprintf("%s.tool_calls[%d]", field, k), call)
		if err != nil {
			return m, err
		}
		m.Calls = append(m.Calls, one)
	}
	if called := strings.ToLower(*name); called == "function_call" || called == "tool_call" {
		if m.Calls, err = r.calls(field+behind, m.Content); err != nil {
			return m, err
		}
		m.Content = ""
	}
	m.Ignored = j.Weight != nil && *j.Weight == 0 || j.Train != nil && !*j.Train
	return m, nil
}

// content reads a text, null, or a list of text parts.
func (r *record) content(field string, v json.RawMessage) (string, error) {
	if kind(v) != "a list" {
		return r.textOf(field, v)
	}
	var parts []struct {
		Type string `json:"type"`
		Text string `json:"text"`
	}
	if json.Unmarshal(v, &parts) != nil {
		return "", r.fail(BadField, field, "is a list", `write a text, or parts {"type": "text", "text": "..."}`)
	}
	var b strings.Builder
	for i, p := range parts {
		if p.Type != "text" {
			return "", r.fail(BadField, fmt.Sprintf("%s[%d].type", field, i), fmt.Sprintf("is %q", p.Type), "only text can be learnt here")
		}
		b.WriteString(p.Text)
	}
	return r.fill(field, b.String())
}

// calls reads what ShareGPT writes as the value of a function_call: a call, or a list of them, as JSON in a text.
func (r *record) calls(field, s string) ([]chat.Call, error) {
	const like = `write {"name": "...", "arguments": {...}} as a text`
	var list []rawCall
	if json.Unmarshal([]byte(s), &list) != nil {
		var one rawCall
		if err := json.Unmarshal([]byte(s), &one); err != nil {
			return nil, r.fail(BadField, field, "is no call of a tool: "+err.Error(), like)
		}
		list = []rawCall{one}
	}
	var out []chat.Call
	for _, c := range list {
		call, err := r.call(field, c)
		if err != nil {
			return nil, err
		}
		out = append(out, call)
	}
	if len(out) == 0 {
		return nil, r.fail(BadField, field, "calls no tool", like)
	}
	return out, nil
}

// call takes arguments as an object or, as OpenAI has them, as the text of one.
func (r *record) call(field string, c rawCall) (chat.Call, error) {
	if c.Name == "" {
		return chat.Call{}, r.fail(BadField, field+".name", "is missing", `write {"name": "...", "arguments": {...}}`)
	}
	arguments := c.Arguments
	var s string
	if json.Unmarshal(arguments, &s) == nil {
		arguments = json.RawMessage(s)
	}
	switch {
	case len(arguments) == 0:
		arguments = json.RawMessage("{}")
	case kind(arguments) != "an object" || !json.Valid(arguments):
		return chat.Call{}, r.fail(BadField, field+".arguments", "is "+kind(arguments), "write an object")
	}
	arguments, err := r.spaced(arguments)
	if err != nil {
		return chat.Call{}, r.fail(BadField, field+".arguments", err.Error(), "write an object")
	}
	return chat.Call{Name: c.Name, Arguments: arguments}, nil
}

// tools reads the column of tools: a list of JSON objects, or such a list as a text, as parquet and ShareGPT have it.
func (r *record) tools() ([]json.RawMessage, error) {
	v := r.raw("tools")
	var s string
	if json.Unmarshal(v, &s) == nil {
		if strings.TrimSpace(s) == "" {
			return nil, nil
		}
		v = json.RawMessage(s)
	}
	if len(v) == 0 {
		return nil, nil
	}
	const want = `write a list of tools: [{"name": "...", "parameters": {...}}], or that list as a text`
	var list []json.RawMessage
	if err := json.Unmarshal(v, &list); err != nil {
		return nil, r.fail(BadField, "tools", "is no list of tools: "+err.Error(), want)
	}
	for i, t := range list {
		if kind(t) != "an object" {
			return nil, r.fail(BadField, fmt.Sprintf("tools[%d]", i), "is "+kind(t), want)
		}
		var err error
		if list[i], err = r.spaced(t); err != nil {
			return nil, r.fail(BadField, fmt.Sprintf("tools[%d]", i), err.Error(), want)
		}
	}
	return list, nil
}

// spaced writes JSON as templates print it. In parquet a struct has null where only other rows have a value: those members go.
func (r *record) spaced(raw json.RawMessage) (json.RawMessage, error) {
	return chat.SpacedJSON(raw, r.Line == 0)
}
