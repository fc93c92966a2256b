package checkpoint

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"winnow/train/bpe"
)

// specials are the ids of roles; nil where there is none.
type specials struct{ bos, eos, pad *int32 }

func specialsOf(tok *bpe.Tokenizer) specials {
	if tok == nil {
		return specials{}
	}
	id := func(i int32) *int32 {
		if i < 0 {
			return nil
		}
		return &i
	}
	return specials{id(tok.BOS()), id(tok.EOS()), id(tok.PAD())}
}

// roles are the contents of the tokens with a role, as special_tokens_map.json has them.
type roles struct {
	BOS roleName `json:"bos_token,omitempty"`
	EOS roleName `json:"eos_token,omitempty"`
	PAD roleName `json:"pad_token,omitempty"`
}

// roleName is a token's content; others write {"content": ...} too.
type roleName string

// UnmarshalJSON takes a string, an object with a content, or null.
func (r *roleName) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '{' {
		var token struct {
			Content string `json:"content"`
		}
		err := json.Unmarshal(b, &token)
		*r = roleName(token.Content)
		return err
	}
	return json.Unmarshal(b, (*string)(r))
}

func namesOf(tok *bpe.Tokenizer) roles {
	name := func(id int32) roleName { return roleName(tok.Name(id)) }
	return roles{name(tok.BOS()), name(tok.EOS()), name(tok.PAD())}
}

// generationOf gives generation_config.json. With a chat template a turn's end stops generation too.
func generationOf(tok *bpe.Tokenizer, ids specials, info *Info) map[string]any {
	g := map[string]any{}
	for name, id := range map[string]*int32{"bos_token_id": ids.bos, "eos_token_id": ids.eos, "pad_token_id": ids.pad} {
		if id != nil {
			g[name] = *id
		}
	}
	switch end, ok := info.turnEnd(tok); {
	case ok && ids.eos == nil:
		g["eos_token_id"] = end
	case ok && *ids.eos != end:
		g["eos_token_id"] = []int32{*ids.eos, end}
	}
	return g
}

type tokenizerConfig struct {
	Class string `json:"tokenizer_class"`
	roles
	Longest  int    `json:"model_max_length"`
	CleanUp  bool   `json:"clean_up_tokenization_spaces"`
	Template string `json:"chat_template,omitempty"`
}

func tokenizerConfigOf(tok *bpe.Tokenizer, context int, template string) tokenizerConfig {
	return tokenizerConfig{Class: "PreTrainedTokenizerFast", roles: namesOf(tok), Longest: context, Template: template}
}

// readRoles gives the tokenizer of a folder its roles: those of tokenizer_config.json, of special_tokens_map.json where
// that names none. It gives the chat template too.
func readRoles(dir string, tok *bpe.Tokenizer) (*bpe.Tokenizer, string, error) {
	var found roles
	template := ""
	for _, name := range []string{tokenizerConfigName, specialsName} {
		path := filepath.Join(dir, name)
		b, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, "", err
		}
		var j struct {
			roles
			Template json.RawMessage `json:"chat_template"`
		}
		if err := json.Unmarshal(b, &j); err != nil {
			return nil, "", fmt.Errorf("%s: %w", path, err)
		}
		for _, r := range [][2]*roleName{{&found.BOS, &j.BOS}, {&found.EOS, &j.EOS}, {&found.PAD, &j.PAD}} {
			if *r[0] == "" {
				*r[0] = *r[1]
			}
		}
		if len(j.Template) > 0 && j.Template[0] == '"' { // some hold a list of named templates
			if err := json.Unmarshal(j.Template, &template); err != nil {
				return nil, "", fmt.Errorf("%s: chat_template: %w", path, err)
			}
		}
	}
	if b, err := os.ReadFile(filepath.Join(dir, "chat_template.jinja")); err == nil {
		template = string(b)
	}
	if found == (roles{}) || found == namesOf(tok) {
		return tok, template, nil
	}
	tok, err := tok.WithRoles(string(found.BOS), string(found.EOS), string(found.PAD))
	if err != nil {
		return nil, "", fmt.Errorf("%s: %w", dir, err)
	}
	return tok, template, nil
}

// AddsBOS reports whether tools that follow tokenizer.json put bos before a text.
func AddsBOS(tok *bpe.Tokenizer) (bool, error) {
	var b bytes.Buffer
	if err := tok.WriteJSON(&b); err != nil {
		return false, err
	}
	var j struct {
		Post postProcessor `json:"post_processor"`
	}
	if err := json.Unmarshal(b.Bytes(), &j); err != nil {
		return false, err
	}
	return tok.BOS() >= 0 && j.Post.begins(tok.Name(tok.BOS())), nil
}

// postProcessor is what of tokenizer.json's post_processor says which token comes first.
type postProcessor struct {
	Type   string `json:"type"`
	Single []struct {
		Special *struct {
			ID string `json:"id"`
		} `json:"SpecialToken"`
	} `json:"single"`
	Parts []postProcessor `json:"processors"`
}

func (p *postProcessor) begins(name string) bool {
	for i := range p.Parts {
		if p.Parts[i].begins(name) {
			return true
		}
	}
	return p.Type == "TemplateProcessing" && len(p.Single) > 0 && p.Single[0].Special != nil && p.Single[0].Special.ID == name
}
