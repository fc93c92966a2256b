package bpe

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"
)

// Kinds of tokens as GGUF's tokenizer.ggml.token_type numbers them (llama.h, llama_token_type).
const (
	TypeNormal      int32 = 1
	TypeUnknown     int32 = 2
	TypeControl     int32 = 3
	TypeUserDefined int32 = 4
	TypeUnused      int32 = 5
	TypeByte        int32 = 6
)

// Parts is a tokenizer as a GGUF file holds it.
type Parts struct {
	Tokens        []string    // by id; ordinary ones in the byte-to-unicode alphabet, added ones as they are; "" where there is none
	Types         []int32     // by id; nil: all normal
	Merges        [][2]string // by rank, in the alphabet
	Splitter      string      // tokenizer.ggml.pre
	IgnoreMerges  bool        // take a pre-token that is a token whole; llama-bpe has it always
	BOS, EOS, PAD int32       // -1 where there is none
}

// FromParts makes a tokenizer of a GGUF file's arrays. It fails on an unknown splitter, on a merge whose parts or result are
// no tokens, and where a byte that UTF-8 has is no token.
func FromParts(p Parts) (*Tokenizer, error) {
	s := source{Tokens: make([]token, len(p.Tokens)), Splitter: p.Splitter, IgnoreMerges: p.IgnoreMerges || p.Splitter == "llama-bpe", BOS: p.BOS, EOS: p.EOS, PAD: p.PAD}
	if p.Types != nil && len(p.Types) != len(p.Tokens) {
		return nil, fmt.Errorf("bpe: %d tokens, %d types", len(p.Tokens), len(p.Types))
	}
	ids := make(map[string]int32, len(p.Tokens))
	for id, name := range p.Tokens {
		typ := TypeNormal
		if p.Types != nil {
			typ = p.Types[id]
		}
		switch typ {
		case TypeControl, TypeUnknown, TypeUserDefined:
			s.Tokens[id] = token{literal, name}
			s.Added = append(s.Added, Added{ID: int32(id), Content: name, Special: typ != TypeUserDefined})
		case TypeUnused:
			s.Tokens[id] = token{hole, ""}
		default:
			s.Tokens[id] = token{ordinary, fromAlphabet(name)}
			ids[name] = int32(id)
		}
	}
	var err error
	if s.Merges, err = mergesByName(p.Merges, ids); err != nil {
		return nil, err
	}
	return build(s)
}

// Parts gives the tokenizer as a GGUF file holds it. Ids without a token become unused ones with a name of their own, since
// GGUF wants a name for each.
func (t *Tokenizer) Parts() Parts {
	p := Parts{Tokens: t.Tokens(), Types: make([]int32, len(t.tokens)), Merges: t.Merges(), Splitter: t.splitter.name, IgnoreMerges: t.whole != nil, BOS: t.bos, EOS: t.eos, PAD: t.pad}
	for id, k := range t.kinds {
		p.Types[id] = [...]int32{hole: TypeUnused, ordinary: TypeNormal, literal: TypeUserDefined, special: TypeControl}[k]
		if k == hole {
			p.Tokens[id] = fmt.Sprintf("[unused %d]", id)
		}
	}
	return p
}

// Tokens lists the tokens by id: ordinary ones in the byte-to-unicode alphabet, added ones as they are, "" where there is none.
func (t *Tokenizer) Tokens() []string {
	out := make([]string, len(t.tokens))
	for id, s := range t.tokens {
		if t.kinds[id] == ordinary {
			s = toAlphabet(s)
		}
		out[id] = s
	}
	return out
}

// Merges lists the merges by rank, in the byte-to-unicode alphabet.
func (t *Tokenizer) Merges() [][2]string {
	out := make([][2]string, len(t.merges))
	for i, m := range t.merges {
		out[i] = [2]string{toAlphabet(t.tokens[m.a]), toAlphabet(t.tokens[m.b])}
	}
	return out
}

// mergesByName finds the ids of merges.
func mergesByName(merges [][2]string, ids map[string]int32) ([]merge, error) {
	out := make([]merge, len(merges))
	for i, m := range merges {
		a, okA := ids[m[0]]
		b, okB := ids[m[1]]
		to, ok := ids[m[0]+m[1]]
		if !okA || !okB || !ok {
			return nil, fmt.Errorf("bpe: merge %d of %q and %q: not in the vocabulary", i, m[0], m[1])
		}
		out[i] = merge{a, b, to}
	}
	return out, nil
}

// token is the raw bytes of an id.
type token struct {
	kind kind
	text string
}

// source is what every reader reduces its file to.
type source struct {
	Tokens        []token // by id
	Added         []Added
	Merges        []merge
	Splitter      string
	IgnoreMerges  bool
	NFC           bool
	Post          json.RawMessage // post_processor of a tokenizer.json, kept as it is
	Trained       *trained
	BOS, EOS, PAD int32
}

// parts is the inverse of build.
func (t *Tokenizer) parts() source {
	s := source{Tokens: make([]token, len(t.tokens)), Added: t.added, Merges: t.merges, Splitter: t.splitter.name, IgnoreMerges: t.whole != nil, NFC: t.nfc, Post: t.post, Trained: t.trained, BOS: t.bos, EOS: t.eos, PAD: t.pad}
	for id := range t.tokens {
		s.Tokens[id] = token{t.kinds[id], t.tokens[id]}
	}
	return s
}

// build checks a source and makes its tables.
func build(s source) (*Tokenizer, error) {
	if len(s.Tokens) > maxVocab || len(s.Merges) >= noRank {
		return nil, fmt.Errorf("bpe: %d tokens and %d merges: at most %d and %d", len(s.Tokens), len(s.Merges), maxVocab, noRank-1)
	}
	sp, err := splitterByName(s.Splitter)
	if err != nil {
		return nil, err
	}
	t := &Tokenizer{splitter: sp, nfc: s.NFC, post: s.Post, trained: s.Trained, tokens: make([]string, len(s.Tokens)), kinds: make([]kind, len(s.Tokens))}
	for id, tok := range s.Tokens {
		t.tokens[id], t.kinds[id] = tok.text, tok.kind
	}
	if err := t.addTokens(s.Added); err != nil {
		return nil, err
	}
	for _, r := range []struct {
		from int32
		to   *int32
	}{{s.BOS, &t.bos}, {s.EOS, &t.eos}, {s.PAD, &t.pad}} {
		if int(r.from) >= len(t.tokens) {
			return nil, fmt.Errorf("bpe: id %d of bos, eos or pad is outside of a vocabulary of %d", r.from, len(t.tokens))
		}
		*r.to = max(r.from, -1)
	}
	if err := t.byteTokens(); err != nil {
		return nil, err
	}
	if err := t.setMerges(s.Merges); err != nil {
		return nil, err
	}
	if s.IgnoreMerges {
		t.whole = make(map[string]int32, len(t.tokens))
		for id := len(t.tokens) - 1; id >= 0; id-- {
			if t.kinds[id] == ordinary {
				t.whole[t.tokens[id]] = int32(id)
			}
		}
	}
	t.hash = sync.OnceValue(t.sum)
	t.encoders.New = func() any { return newEncoder() }
	return t, nil
}

// addTokens marks the added tokens and makes their matchers.
func (t *Tokenizer) addTokens(added []Added) error {
	t.added = slices.Clone(added)
	slices.SortFunc(t.added, func(a, b Added) int { return int(a.ID) - int(b.ID) })
	for i, a := range t.added {
		if i > 0 && t.added[i-1].ID == a.ID {
			return fmt.Errorf("bpe: two added tokens have id %d", a.ID)
		}
		if a.ID < 0 || int(a.ID) >= len(t.tokens) || a.Content == "" {
			return fmt.Errorf("bpe: added token %q has id %d in a vocabulary of %d", a.Content, a.ID, len(t.tokens))
		}
		t.tokens[a.ID], t.kinds[a.ID] = a.Content, literal
		if a.Special {
			t.kinds[a.ID] = special
		}
	}
	t.always = newMatcher(t.added, func(a Added) bool { return !a.Special })
	t.marked = newMatcher(t.added, func(Added) bool { return true })
	return nil
}

// byteTokens finds the token of each byte. Vocabularies that were trained on a list of characters (deepseek-coder's) lack the
// bytes that UTF-8 never has.
func (t *Tokenizer) byteTokens() error {
	for b := range t.byteID {
		t.byteID[b] = -1
	}
	for id := len(t.tokens) - 1; id >= 0; id-- {
		if s := t.tokens[id]; len(s) == 1 && t.kinds[id] == ordinary {
			t.byteID[s[0]] = int32(id)
		}
	}
	for b, id := range t.byteID {
		if id >= 0 {
			continue
		}
		if b != 0xC0 && b != 0xC1 && b < 0xF5 {
			return fmt.Errorf("bpe: byte 0x%02x has no token: not a byte-level vocabulary", b)
		}
		t.unicode = true
	}
	return nil
}

// setMerges makes the pair tables. A merge that would make a special token is left out: no text may produce one.
func (t *Tokenizer) setMerges(merges []merge) error {
	t.merges = make([]merge, 0, len(merges))
	for i, m := range merges {
		for _, id := range []int32{m.a, m.b, m.to} {
			if id < 0 || int(id) >= len(t.tokens) || t.kinds[id] == hole {
				return fmt.Errorf("bpe: merge %d names id %d, which has no token", i, id)
			}
		}
		if t.kinds[m.to] != special {
			t.merges = append(t.merges, m)
		}
	}
	t.pairs = newPairTable(t.merges)
	t.bytePair = make([]uint32, 1<<16)
	for a := range 256 {
		for b := range 256 {
			t.bytePair[a<<8|b] = noRank
			if t.byteID[a] >= 0 && t.byteID[b] >= 0 {
				t.bytePair[a<<8|b] = t.pairs.rank(t.byteID[a], t.byteID[b])
			}
		}
	}
	return nil
}

// alphabetRune gives the character that stands for a byte in a vocabulary file (GPT-2's encoder.py, bytes_to_unicode): bytes
// that print stand for themselves, the other 68 for U+0100 and on.
func alphabetRune(b byte) rune {
	switch {
	case b >= '!' && b <= '~', b >= 0xA1 && b <= 0xAC, b >= 0xAE:
		return rune(b)
	case b <= ' ':
		return 0x100 + rune(b)
	case b <= 0xA0:
		return 0x100 + 33 + rune(b-0x7F)
	}
	return 0x100 + 67 // 0xAD
}

// alphabetByte is the inverse of alphabetRune.
func alphabetByte(r rune) (byte, bool) {
	switch {
	case r < 0x100:
		return byte(r), r >= 0 && alphabetRune(byte(r)) == r
	case r <= 0x100+' ':
		return byte(r - 0x100), true
	case r < 0x100+67:
		return byte(r-0x100-33) + 0x7F, true
	}
	return 0xAD, r == 0x100+67
}

func toAlphabet(s string) string {
	var b strings.Builder
	for i := range len(s) {
		b.WriteRune(alphabetRune(s[i]))
	}
	return b.String()
}

// fromAlphabet gives the bytes of a vocabulary entry; one with characters outside of the alphabet stands for itself.
func fromAlphabet(s string) string {
	out := make([]byte, 0, len(s))
	for _, r := range s {
		b, ok := alphabetByte(r)
		if !ok || r == utf8.RuneError {
			return s
		}
		out = append(out, b)
	}
	return string(out)
}
