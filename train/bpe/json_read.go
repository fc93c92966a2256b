package bpe

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
)

// file is the part of a tokenizer.json that is looked at.
type file struct {
	Added         []Added         `json:"added_tokens"`
	Normalizer    json.RawMessage `json:"normalizer"`
	PreTokenizer  json.RawMessage `json:"pre_tokenizer"`
	PostProcessor json.RawMessage `json:"post_processor"`
	Decoder       json.RawMessage `json:"decoder"`
	Model         struct {
		Type         string            `json:"type"`
		Dropout      *float64          `json:"dropout"`
		Prefix       *string           `json:"continuing_subword_prefix"`
		Suffix       *string           `json:"end_of_word_suffix"`
		ByteFallback bool              `json:"byte_fallback"`
		IgnoreMerges bool              `json:"ignore_merges"`
		Vocab        json.RawMessage   `json:"vocab"`
		Merges       []json.RawMessage `json:"merges"`
		Trained      *trained          `json:"trained"`
		MaxChars     *int              `json:"max_input_chars_per_word"` // only WordPiece has it
	} `json:"model"`
}

// step is a normalizer, pre-tokenizer or decoder of a tokenizer.json, with the fields of all kinds.
type step struct {
	Type           string `json:"type"`
	PreTokenizers  []step `json:"pretokenizers"`
	Normalizers    []step `json:"normalizers"`
	Decoders       []step `json:"decoders"`
	AddPrefixSpace bool   `json:"add_prefix_space"`
	UseRegex       *bool  `json:"use_regex"`
	Pattern        struct {
		Regex  *string `json:"Regex"`
		String *string `json:"String"`
	} `json:"pattern"`
	Behavior   string `json:"behavior"`
	Invert     bool   `json:"invert"`
	Individual bool   `json:"individual_digits"`
}

// ReadJSON reads a tokenizer.json of Hugging Face's tokenizers: byte-level BPE with one of the known splitters, NFC or no
// normalisation. What it does not know it refuses by name. The ids of bos, eos and pad are known only where the names are
// Train's; WithRoles sets others.
func ReadJSON(r io.Reader) (*Tokenizer, error) {
	var f file
	if err := json.NewDecoder(r).Decode(&f); err != nil {
		return nil, fmt.Errorf("tokenizer.json: %w", err)
	}
	t, err := f.tokenizer()
	if err != nil {
		return nil, fmt.Errorf("tokenizer.json: %w", err)
	}
	return t, nil
}

func (f *file) tokenizer() (*Tokenizer, error) {
	if err := f.refuse(); err != nil {
		return nil, err
	}
	s := source{Added: f.Added, IgnoreMerges: f.Model.IgnoreMerges, Post: f.PostProcessor, Trained: f.Model.Trained, BOS: -1, EOS: -1, PAD: -1}
	var err error
	if s.Splitter, err = splitterOf(f.PreTokenizer); err != nil {
		return nil, err
	}
	if s.NFC, err = normalizerOf(f.Normalizer); err != nil {
		return nil, err
	}
	if err := decoderOf(f.Decoder); err != nil {
		return nil, err
	}
	vocab := map[string]int32{}
	if err := json.Unmarshal(f.Model.Vocab, &vocab); err != nil {
		return nil, fmt.Errorf("model: vocab: %w", err)
	}
	size := int32(0)
	for name, id := range vocab {
		if id < 0 || id >= maxVocab {
			return nil, fmt.Errorf("model: vocab: id %d of %q: between 0 and %d are possible", id, name, maxVocab-1)
		}
		size = max(size, id+1)
	}
	for _, a := range f.Added {
		if a.ID < 0 || a.ID >= maxVocab {
			return nil, fmt.Errorf("added token %q: id %d: between 0 and %d are possible", a.Content, a.ID, maxVocab-1)
		}
		size = max(size, a.ID+1)
		for name, to := range map[string]*int32{BOS: &s.BOS, EOS: &s.EOS, PAD: &s.PAD} {
			if a.Content == name {
				*to = a.ID
			}
		}
	}
	s.Tokens = make([]token, size)
	for name, id := range vocab {
		if s.Tokens[id].kind != hole {
			return nil, fmt.Errorf("model: vocab: two tokens have id %d", id)
		}
		s.Tokens[id] = token{ordinary, fromAlphabet(name)}
	}
	merges, err := readMerges(f.Model.Merges)
	if err != nil {
		return nil, err
	}
	if s.Merges, err = mergesByName(merges, vocab); err != nil {
		return nil, err
	}
	if err := apart(f.Added, merges, vocab); err != nil {
		return nil, err
	}
	return build(s)
}

// apart refuses an added token that takes the id of another one which merges need.
func apart(added []Added, merges [][2]string, vocab map[string]int32) error {
	needed := map[int32]string{}
	for _, m := range merges {
		for _, name := range []string{m[0], m[1], m[0] + m[1]} {
			needed[vocab[name]] = name
		}
	}
	for _, a := range added {
		if name, ok := needed[a.ID]; ok && name != a.Content && fromAlphabet(name) != a.Content {
			return fmt.Errorf("added token %q: id %d is that of %q in the vocabulary", a.Content, a.ID, name)
		}
	}
	return nil
}

// refuse names what of the model is not byte-level BPE.
func (f *file) refuse() error {
	m := &f.Model
	switch {
	case m.Type == "" && m.MaxChars != nil: // files of old leave the type out
		return fmt.Errorf("model \"WordPiece\" is not read: byte-level BPE is")
	case m.Type == "" && len(m.Merges) > 0:
	case m.Type != "BPE":
		return fmt.Errorf("model %q is not read: byte-level BPE is", m.Type)
	}
	switch {
	case m.Dropout != nil && *m.Dropout != 0:
		return fmt.Errorf("model: dropout %g is not read: ids would be random", *m.Dropout)
	case m.Prefix != nil && *m.Prefix != "":
		return fmt.Errorf("model: continuing_subword_prefix %q is not read", *m.Prefix)
	case m.Suffix != nil && *m.Suffix != "":
		return fmt.Errorf("model: end_of_word_suffix %q is not read", *m.Suffix)
	case m.ByteFallback:
		return fmt.Errorf("model: byte_fallback (a SentencePiece vocabulary) is not read: byte-level BPE is")
	}
	return nil
}

// readMerges takes both forms: ["a","b"] and "a b".
func readMerges(raw []json.RawMessage) ([][2]string, error) {
	out := make([][2]string, len(raw))
	for i, r := range raw {
		if len(r) > 0 && r[0] == '[' {
			if err := json.Unmarshal(r, &out[i]); err != nil {
				return nil, fmt.Errorf("model: merge %d: %w", i, err)
			}
			continue
		}
		var s string
		if err := json.Unmarshal(r, &s); err != nil {
			return nil, fmt.Errorf("model: merge %d: %w", i, err)
		}
		a, b, ok := strings.Cut(s, " ")
		if !ok {
			return nil, fmt.Errorf("model: merge %d: %q are not two tokens", i, s)
		}
		out[i] = [2]string{a, b}
	}
	return out, nil
}

// splitterOf finds the splitter whose patterns a pre_tokenizer has.
func splitterOf(raw json.RawMessage) (string, error) {
	var top step
	if err := json.Unmarshal(raw, &top); err != nil || top.Type == "" {
		return "", fmt.Errorf("pre_tokenizer: none: byte-level BPE has ByteLevel")
	}
	list := []step{top}
	if top.Type == "Sequence" {
		list = top.PreTokenizers
	}
	var patterns []string
	bytes := false
	for _, s := range list {
		switch {
		case s.Type == "ByteLevel" && s.AddPrefixSpace:
			return "", fmt.Errorf("pre_tokenizer ByteLevel: add_prefix_space is not read: decoded text would differ")
		case s.Type == "ByteLevel":
			bytes = true
			if s.UseRegex == nil || *s.UseRegex {
				patterns = append(patterns, gpt2Pattern)
			}
		case s.Type == "Digits" && s.Individual:
			patterns = append(patterns, `\p{N}`)
		case s.Type == "Split" && s.Pattern.Regex != nil && (s.Behavior == "Isolated" && !s.Invert || s.Behavior == "Removed" && s.Invert):
			patterns = append(patterns, *s.Pattern.Regex)
		default:
			return "", fmt.Errorf("pre_tokenizer %q is not read", s.Type)
		}
	}
	if !bytes {
		return "", fmt.Errorf("pre_tokenizer %q without ByteLevel is not read", top.Type)
	}
	if name, ok := splitterByPatterns(patterns); ok {
		return name, nil
	}
	return "", fmt.Errorf("pre_tokenizer: unknown patterns %q: known splitters are %s", patterns, strings.Join(Splitters(), ", "))
}

// splitterByPatterns finds the splitter of exactly these patterns; line ends may be written as escapes or as themselves.
func splitterByPatterns(patterns []string) (string, bool) {
	plain := strings.NewReplacer("\r", `\r`, "\n", `\n`, `\uD7FF`, "\uD7FF")
	for _, s := range splitters() {
		same := len(s.patterns) == len(patterns)
		for i := 0; same && i < len(patterns); i++ {
			same = plain.Replace(patterns[i]) == s.patterns[i]
		}
		if same {
			return s.name, true
		}
	}
	return "", false
}

// normalizerOf reports whether text is brought to NFC first.
func normalizerOf(raw json.RawMessage) (nfc bool, err error) {
	var top step
	if len(raw) > 0 {
		if err := json.Unmarshal(raw, &top); err != nil {
			return false, fmt.Errorf("normalizer: %w", err)
		}
	}
	list := []step{top}
	if top.Type == "Sequence" {
		list = top.Normalizers
	}
	for _, s := range list {
		switch s.Type {
		case "":
		case "NFC":
			nfc = true
		default:
			return false, fmt.Errorf("normalizer %q is not read", s.Type)
		}
	}
	return nfc, nil
}

// decoderOf checks that ids are decoded as bytes.
func decoderOf(raw json.RawMessage) error {
	var top step
	if len(raw) > 0 {
		if err := json.Unmarshal(raw, &top); err != nil {
			return fmt.Errorf("decoder: %w", err)
		}
	}
	list := []step{top}
	if top.Type == "Sequence" {
		list = top.Decoders
	}
	for _, s := range list {
		if s.Type != "ByteLevel" && s.Type != "" {
			return fmt.Errorf("decoder %q is not read: ByteLevel is", s.Type)
		}
	}
	return nil
}
