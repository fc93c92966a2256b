package chat

import (
	"strings"
)

// piece is markup: a special token by its name, or text.
type piece struct {
	special bool
	text    string
}

// form is how a template writes conversations. Names of special tokens are those of its first user; a tokenizer may have others in
// their place.
type form struct {
	name  string
	marks []string // special tokens, beside bos and eos
	end   string   // the one that ends a turn; empty: eos
	trim  bool     // contents without the white space around them
	lead  bool     // a space before contents, which belongs to them
	// header is text before the first turn, and how many turns it takes the place of.
	header func(turns []turn) (string, int)
	open   func(role string) []piece // before a content
	close  func(role string) []piece // behind it; the assistant's begins with the token that ends the turn
	jinja  string                    // the turns: $mark$ stands for marks, TURN for what turns of all templates share
}

// turn is a message as a template writes it: calls and tools are text by now.
type turn struct {
	role, text string
	input      string // what text ends with, behind a line break
	ignored    bool
}

const eosMark = "eos"

// forms lists the templates. Sources: ChatML as Qwen's tokenizers have it; Meta's Llama 3; Stanford Alpaca's train.py, with a line break
// behind "### Response:", which splitters such as llama-bpe would else glue to a word; Zephyr as the alignment handbook has it.
func forms() []form {
	text := func(s string) []piece { return []piece{{text: s}} }
	eos := piece{true, eosMark}
	names := map[string]string{System: "System", User: "User", Assistant: "AI", Tool: "Tool"}
	titles := map[string]string{User: "### Instruction:\n", Assistant: "### Response:\n", Tool: "### Tool:\n", System: "### System:\n"}
	return []form{
		{
			name: "chatml", marks: []string{"<|im_start|>", "<|im_end|>"}, end: "<|im_end|>",
			open:  func(role string) []piece { return []piece{{true, "<|im_start|>"}, {false, role + "\n"}} },
			close: func(string) []piece { return []piece{{true, "<|im_end|>"}, {false, "\n"}} },
			jinja: `{% for m in turns %}{{ '$<|im_start|>$' + m['role'] + '\n' + BODY + '$<|im_end|>$\n' }}{% endfor %}GENERATE$<|im_start|>$assistant\n`,
		},
		{
			name: "llama-3", marks: []string{"<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"}, end: "<|eot_id|>", trim: true,
			open: func(role string) []piece {
				return []piece{{true, "<|start_header_id|>"}, {false, role}, {true, "<|end_header_id|>"}, {false, "\n\n"}}
			},
			close: func(string) []piece { return []piece{{true, "<|eot_id|>"}} },
			jinja: `{% for m in turns %}{{ '$<|start_header_id|>$' + m['role'] + '$<|end_header_id|>$\n\n' + BODY + '$<|eot_id|>$' }}{% endfor %}GENERATE$<|start_header_id|>$assistant$<|end_header_id|>$\n\n`,
		},
		{
			name: "alpaca", header: alpacaHeader,
			open: func(role string) []piece { return text(titles[role]) },
			close: func(role string) []piece {
				if role == Assistant {
					return []piece{eos, {false, "\n\n"}}
				}
				return text("\n\n")
			},
			jinja: `{% for m in turns %}{% if m['role'] == 'system' and loop.first %}{{ BODY + '\n\n' }}{% else %}` +
				`{% if loop.first %}{{ '` + alpacaPlain + `\n\n' }}{% endif %}` +
				`{% if m['role'] == 'assistant' %}{{ '### Response:\n' + BODY + eos_token + '\n\n' }}` +
				`{% else %}{{ {'user': '### Instruction:\n', 'tool': '### Tool:\n', 'system': '### System:\n'}[m['role']] + BODY + '\n\n' }}{% endif %}{% endif %}{% endfor %}GENERATE### Response:\n`,
		},
		{
			name:  "zephyr",
			open:  func(role string) []piece { return text("<|" + role + "|>\n") },
			close: func(string) []piece { return []piece{eos, {false, "\n"}} },
			jinja: `{% for m in turns %}{{ '<|' + m['role'] + '|>\n' + BODY + eos_token + '\n' }}{% endfor %}GENERATE<|assistant|>\n`,
		},
		{
			name: "plain", trim: true, lead: true,
			open:  func(role string) []piece { return text(names[role] + ":") },
			close: func(string) []piece { return []piece{eos, {false, "\n"}} },
			jinja: `{% for m in turns %}{{ {'system': 'System: ', 'user': 'User: ', 'assistant': 'AI: ', 'tool': 'Tool: '}[m['role']] + BODY + eos_token + '\n' }}{% endfor %}GENERATEAI:`,
		},
	}
}

const (
	alpacaPlain = "Below is an instruction that describes a task. Write a response that appropriately completes the request."
	alpacaInput = "Below is an instruction that describes a task, paired with an input that provides further context. Write a response that appropriately completes the request."
)

// alpacaHeader is Alpaca's sentence; a system message stands in its place.
func alpacaHeader(turns []turn) (string, int) {
	switch {
	case len(turns) == 0:
		return alpacaPlain + "\n\n", 0
	case turns[0].role == System:
		return turns[0].text + "\n\n", 1
	case turns[0].input != "":
		return alpacaInput + "\n\n", 0
	}
	return alpacaPlain + "\n\n", 0
}

// Sentences that stand around a list of tools in the system message.
const (
	toolsBefore = `You can call these tools:`
	toolsBehind = `To call one, write <tool_call>{"name": ..., "arguments": ...}</tool_call>.`
)

// turnsOf writes calls and tools as text.
func (f *form) turnsOf(c *Conversation) ([]turn, error) {
	var tools strings.Builder
	if len(c.Tools) > 0 {
		tools.WriteString(toolsBefore)
		for _, t := range c.Tools {
			one, err := SpacedJSON(t, false)
			if err != nil {
				return nil, err
			}
			tools.WriteByte('\n')
			tools.Write(one)
		}
		tools.WriteString("\n" + toolsBehind)
	}
	var turns []turn
	if tools.Len() > 0 && (len(c.Messages) == 0 || c.Messages[0].Role != System) {
		turns = append(turns, turn{role: System, text: tools.String()})
	}
	for i, m := range c.Messages {
		text, err := body(m)
		if err != nil {
			return nil, err
		}
		if i == 0 && m.Role == System && tools.Len() > 0 {
			text += "\n\n" + tools.String()
		}
		if f.trim {
			text = strip(text)
		}
		t := turn{role: m.Role, text: text, ignored: m.Ignored || m.Role != Assistant}
		if rest, ok := strings.CutSuffix(text, "\n"+m.Input); ok && m.Input != "" && rest != "" {
			t.input = m.Input
		}
		turns = append(turns, t)
	}
	return turns, nil
}

// body is a message's content and calls as text.
func body(m Message) (string, error) {
	text := m.Content
	for _, c := range m.Calls {
		arguments, err := SpacedJSON(c.Arguments, false)
		if err != nil {
			return "", err
		}
		if text != "" {
			text += "\n"
		}
		text += `<tool_call>{"name": ` + string(quote(nil, c.Name)) + `, "arguments": ` + string(arguments) + "}</tool_call>"
	}
	return text, nil
}

// strip takes away white space at both ends, as Python's str.strip and so Jinja's trim do.
func strip(s string) string {
	return strings.TrimFunc(s, func(r rune) bool {
		switch {
		case r >= '\t' && r <= '\r', r >= 0x1c && r <= ' ', r == 0x85, r == 0xa0, r == 0x1680, r >= 0x2000 && r <= 0x200a:
			return true
		}
		return r == 0x2028 || r == 0x2029 || r == 0x202f || r == 0x205f || r == 0x3000
	})
}

// jinjaOf writes the template for transformers and llama.cpp. named gives the token for a mark.
func (f *form) jinjaOf(begins bool, named func(mark string) string) string {
	const prelude = `{% macro body(m, tools) %}{% set text = namespace(all=m['content'] or '') %}` +
		`{% for c in m['tool_calls'] or [] %}{% set f = c['function'] or c %}` +
		`{% set text.all = text.all + ('\n' if text.all else '') + '<tool_call>{"name": ' + (f['name'] | tojson) + ', "arguments": ' + (f['arguments'] if f['arguments'] is string else f['arguments'] | tojson) + '}</tool_call>' %}{% endfor %}` +
		`{% if tools and m['role'] == 'system' %}{% set text.all = text.all + ('\n\n' if m['content'] is string else '') + tools %}{% endif %}{{ text.allTRIM }}{% endmacro %}` +
		`{% set all = namespace(tools='', turns=messages) %}{% if tools %}{% set all.tools = '` + toolsBefore + `' %}{% for t in tools %}{% set all.tools = all.tools + '\n' + (t | tojson) %}{% endfor %}{% set all.tools = all.tools + '\n` + toolsBehind + `' %}` +
		`{% if not messages or messages[0]['role'] != 'system' %}{% set all.turns = [{'role': 'system', 'content': none}] + messages %}{% endif %}{% endif %}`
	s := prelude
	if begins {
		s += "{{ bos_token }}"
	}
	turns, generate, _ := strings.Cut(f.jinja, "GENERATE")
	turns = strings.ReplaceAll(strings.ReplaceAll(turns, "in turns", "in all.turns"), "BODY", "body(m, all.tools if loop.first else '')")
	if f.header != nil {
		s += `{% if not all.turns %}{{ '` + alpacaPlain + `\n\n' }}{% endif %}`
	}
	s += turns + "{% if add_generation_prompt %}{{ '" + generate + "' }}{% endif %}"
	trim := ""
	if f.trim {
		trim = " | trim"
	}
	s = strings.ReplaceAll(s, "TRIM", trim)
	for _, mark := range f.marks {
		s = strings.ReplaceAll(s, "$"+mark+"$", named(mark))
	}
	return s
}
