package chat

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"winnow/train/bpe"
	"winnow/train/checkpoint"
)

// Template writes conversations for one tokenizer. It does not change after New; its methods may be called from many goroutines.
type Template struct {
	form   form
	tok    *bpe.Tokenizer
	begins bool
	ids    map[string]int32 // of marks
	jinja  string
}

// Names lists the templates.
func Names() []string {
	var names []string
	for _, f := range forms() {
		names = append(names, f.name)
	}
	return names
}

// TokenError says that a tokenizer lacks a special token that a template needs.
type TokenError struct{ Template, Token string }

// Error names both.
func (e *TokenError) Error() string {
	return fmt.Sprintf("template %s: the tokenizer has neither the special token %s nor a spare one: take another template", e.Template, e.Token)
}

// New binds a template to a tokenizer. A conversation begins with bos where the tokenizer puts bos before a text. A special token that
// the tokenizer lacks is one of its spare ones. Errors: an unknown name, and neither
// the token nor a spare one for it: a *TokenError.
func New(name string, tok *bpe.Tokenizer) (*Template, error) {
	all := forms()
	i := slices.IndexFunc(all, func(f form) bool { return f.name == name })
	if i < 0 {
		return nil, fmt.Errorf("template %q is not known: write %s", name, strings.Join(Names(), ", "))
	}
	return bind(all[i], tok)
}

func bind(f form, tok *bpe.Tokenizer) (*Template, error) {
	t := &Template{form: f, tok: tok, ids: map[string]int32{}}
	var err error
	if t.begins, err = checkpoint.AddsBOS(tok); err != nil {
		return nil, err
	}
	for k, mark := range f.marks {
		id, ok := tok.Special(mark)
		if !ok {
			id, ok = tok.Special(fmt.Sprintf("<|spare_%d|>", k))
		}
		if !ok {
			return nil, &TokenError{f.name, mark}
		}
		t.ids[mark] = id
	}
	if tok.EOS() >= 0 {
		t.ids[eosMark] = tok.EOS()
	} else if f.end == "" {
		return nil, &TokenError{f.name, "eos"}
	}
	t.jinja = f.jinjaOf(t.begins, func(mark string) string { return tok.Name(t.ids[mark]) })
	return t, nil
}

// Name is one of Names.
func (t *Template) Name() string { return t.form.name }

// Jinja is the template as transformers and llama.cpp run it.
func (t *Template) Jinja() string { return t.jinja }

// Hash is the SHA-256, in hexadecimal, of all that conversations are written by: the name, Jinja, and the token that ends a turn.
func (t *Template) Hash() string {
	sum := sha256.Sum256(fmt.Appendf(nil, "1\x00%s\x00%s\x00%s", t.form.name, t.jinja, t.tok.Name(t.End())))
	return hex.EncodeToString(sum[:])
}

// End is the id that ends a turn.
func (t *Template) End() int32 {
	if t.form.end == "" {
		return t.ids[eosMark]
	}
	return t.ids[t.form.end]
}

// segment is what is tokenised as one.
type segment struct {
	special bool
	content bool
	target  bool
	text    string // of a special token its mark
	turn    int
}

// writer gathers segments. Markup without a token between is one segment; a content never joins another segment.
type writer struct {
	out  []segment
	turn int
}

func (w *writer) markup(pieces ...piece) {
	for _, p := range pieces {
		if n := len(w.out) - 1; !p.special && n >= 0 && !w.out[n].special && !w.out[n].content {
			w.out[n].text += p.text
			continue
		}
		w.out = append(w.out, segment{special: p.special, text: p.text, turn: w.turn})
	}
}

// segments writes turns; with generate the begin of an assistant's turn behind them. open tells before which segment each turn's
// content stands.
func (t *Template) segments(turns []turn, generate bool) (out []segment, open []int) {
	w := &writer{}
	if t.begins {
		w.markup(piece{true, bosMark})
	}
	open = make([]int, len(turns))
	from := 0
	if t.form.header != nil {
		var text string
		text, from = t.form.header(turns)
		w.markup(piece{text: text})
	}
	for i := from; i < len(turns); i++ {
		m := turns[i]
		w.turn = i
		w.markup(t.form.open(m.role)...)
		open[i] = len(w.out)
		t.content(w, m)
		first := len(w.out)
		w.markup(t.form.close(m.role)...)
		w.out[first].target = !m.ignored
	}
	if generate {
		w.turn = len(turns)
		w.markup(t.form.open(Assistant)...)
	}
	return w.out, open
}

const bosMark = "bos"

func (t *Template) content(w *writer, m turn) {
	text := m.text
	if t.form.lead {
		text = " " + text
	}
	if t.form.header != nil && m.input != "" { // Alpaca's form with an input
		rest := strings.TrimSuffix(text, "\n"+m.input)
		w.out = append(w.out, segment{content: true, text: rest, turn: w.turn})
		w.markup(piece{text: "\n\n### Input:\n"})
		text = m.input
	}
	w.out = append(w.out, segment{content: true, target: !m.ignored, text: text, turn: w.turn})
}

// id is the id of a special segment.
func (t *Template) id(s segment) int32 {
	if s.text == bosMark {
		return t.tok.BOS()
	}
	return t.ids[s.text]
}

// Render is the text of a conversation, as apply_chat_template gives it without tokenising; with generate it ends with the begin of
// an answer. It is for people and comparisons: its tokens are those of Encode only where no content has the text of a special token.
func (t *Template) Render(c *Conversation, generate bool) (string, error) {
	turns, err := t.form.turnsOf(c)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	list, _ := t.segments(turns, generate)
	for _, s := range list {
		if s.special {
			b.WriteString(t.tok.Name(t.id(s)))
		} else {
			b.WriteString(s.text)
		}
	}
	return b.String(), nil
}

// Prompt is what a model reads and where its turn ends.
type Prompt struct {
	IDs     []int32
	Stop    []string // texts that end the answer
	StopIDs []int32  // tokens that end it
	Trim    bool     // the answer's leading space belongs to the template, not to the answer
}

// Prompt gives the tokens of a conversation and of the begin of the assistant's answer, which only a token ends. Errors: an unknown
// role, no messages.
func (t *Template) Prompt(_ *bpe.Tokenizer, messages []Message) (Prompt, error) {
	return t.PromptOf(&Conversation{Messages: messages})
}

// PromptOf is Prompt with tools.
func (t *Template) PromptOf(c *Conversation) (Prompt, error) {
	if err := speakers(c.Messages); err != nil {
		return Prompt{}, err
	}
	turns, err := t.form.turnsOf(c)
	if err != nil {
		return Prompt{}, err
	}
	p := Prompt{StopIDs: []int32{t.End()}, Trim: t.form.trim}
	list, _ := t.segments(turns, true)
	for _, s := range list {
		p.IDs = t.encode(p.IDs, s)
	}
	return p, nil
}

func (t *Template) encode(dst []int32, s segment) []int32 {
	if s.special {
		return append(dst, t.id(s))
	}
	return t.tok.Encode(dst, s.text)
}

// speakers checks roles.
func speakers(messages []Message) error {
	if len(messages) == 0 {
		return fmt.Errorf("no messages")
	}
	for i, m := range messages {
		switch m.Role {
		case System, User, Assistant, Tool:
		default:
			return fmt.Errorf("message %d: unknown role %q: write system, user, assistant or tool", i, m.Role)
		}
	}
	return nil
}

// Lines is the template of models that were trained on none: turns as lines with the speaker's name. It is text and nothing else, so
// a message that contains such a line cannot be told from a turn.
type Lines struct{}

// Name is "plain", which this resembles.
func (Lines) Name() string { return "plain" }

// Prompt ends with the assistant's name and stops at the next turn. Errors: an unknown role, no messages.
func (Lines) Prompt(t *bpe.Tokenizer, messages []Message) (Prompt, error) {
	names := map[string]string{System: "System", User: "User", Assistant: "AI", Tool: "Tool"}
	if err := speakers(messages); err != nil {
		return Prompt{}, err
	}
	var b strings.Builder
	for _, m := range messages {
		fmt.Fprintf(&b, "%s: %s\n", names[m.Role], strings.TrimSpace(m.Content))
	}
	b.WriteString("AI:")
	p := Prompt{Stop: []string{"\nUser:", "\nAI:", "\nSystem:"}, Trim: true}
	if bos := t.BOS(); bos >= 0 {
		p.IDs = append(p.IDs, bos)
	}
	p.IDs = t.Encode(p.IDs, b.String())
	return p, nil
}
