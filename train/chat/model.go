package chat

import (
	"fmt"
	"strings"

	"winnow/train/bpe"
	"winnow/train/checkpoint"
)

// Stamp writes the template into a model's lineage, from which checkpoint stores it with the model and exports it.
func (t *Template) Stamp(i *checkpoint.Info) {
	i.ChatTemplate = t.jinja
	i.Template = &checkpoint.Template{Name: t.form.name, Hash: t.Hash(), End: t.tok.Name(t.End())}
}

// Of gives the template that a model was trained on, nil where there is none. Errors: a template of this program's that it would write
// otherwise today, and one of others that it does not know; known of others are those whose Jinja has the marks of one of Names.
func Of(i *checkpoint.Info, tok *bpe.Tokenizer) (*Template, error) {
	switch {
	case i == nil || i.Template == nil && i.ChatTemplate == "":
		return nil, nil
	case i.Template == nil:
		return foreign(i.ChatTemplate, tok)
	}
	t, err := New(i.Template.Name, tok)
	if err != nil {
		return nil, err
	}
	if t.Hash() != i.Template.Hash {
		return nil, fmt.Errorf("template %s: its hash is %.12s, the model was trained on %.12s: another tokenizer or version", t.Name(), t.Hash(), i.Template.Hash)
	}
	return t, nil
}

// foreign finds the template that a Jinja alone stands for: one of this program's, else one of others by its marks, which may differ
// in what it says for a missing system message.
func foreign(jinja string, tok *bpe.Tokenizer) (*Template, error) {
	for _, f := range forms() {
		if t, err := bind(f, tok); err == nil && t.jinja == jinja {
			return t, nil
		}
	}
	for _, k := range []struct{ name, mark, end string }{
		{"chatml", "<|im_start|>", "<|im_end|>"}, {"llama-3", "<|start_header_id|>", "<|eot_id|>"}, {"zephyr", "<|assistant|>", "eos_token"},
		{"alpaca", "### Response:", "eos_token"}, {"plain", "AI: ", "eos_token"},
	} {
		if strings.Contains(jinja, k.mark) && strings.Contains(jinja, k.end) {
			return New(k.name, tok)
		}
	}
	return nil, fmt.Errorf("the model's own chat template is none of %s", strings.Join(Names(), ", "))
}

// Choose gives the template to go on with: the model's own, or the one that is named where it has none. Another than its own is
// refused.
func Choose(i *checkpoint.Info, tok *bpe.Tokenizer, name string) (*Template, error) {
	own, err := Of(i, tok)
	switch {
	case err != nil && (i.Template != nil || name == ""):
		return nil, err
	case own != nil && name != "" && name != own.Name():
		return nil, fmt.Errorf("template %s: the model was trained on %s", name, own.Name())
	case own != nil || name == "":
		return own, nil
	}
	return New(name, tok)
}
