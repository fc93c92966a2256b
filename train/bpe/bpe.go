// Package bpe turns text into token ids and back: byte-level byte-pair encoding.
//
// Texts flow in to Train, and a Tokenizer flows out; text flows in to Encode and ids flow out, ids to Decode and bytes flow
// out. Tokenizers of others flow in as Hugging Face's tokenizer.json (ReadJSON), tiktoken's ranks (ReadTiktoken) or the
// arrays of a GGUF file (FromParts), and flow out in the same forms.
//
// Text is cut into pre-tokens by a splitter, named as llama.cpp names it; inside a pre-token the adjacent pair of lowest rank
// is merged, the leftmost first, until no pair has a rank. Every byte is a token, so any bytes are encoded and come back
// unchanged (a tokenizer of others may ask for Unicode's NFC first, then the normalised text comes back, or lack the bytes that
// UTF-8 never has, then U+FFFD comes back). Special tokens
// have ids that no text produces. A Tokenizer does not change after it is made; all of its methods may be called at once
// from many goroutines.
package bpe

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"unicode/utf8"
)

// Special tokens that Train reserves, in the order of their ids, the last of the vocabulary; Spare more, <|spare_0|> and so
// on, follow for what later stages need.
const (
	BOS     = "<|bos|>"
	EOS     = "<|eos|>"
	PAD     = "<|pad|>"
	IMStart = "<|im_start|>"
	IMEnd   = "<|im_end|>"
	Spare   = 16
)

// maxVocab is the number of ids that fit a slot of the pair table.
const maxVocab = 1 << 20

// Tokenizer is a vocabulary, its merges and its splitter.
type Tokenizer struct {
	tokens   []string // bytes by id; of a special token its name; "" where there is no token
	kinds    []kind
	added    []Added // by id
	byteID   [256]int32
	merges   []merge // by rank
	pairs    pairTable
	bytePair []uint32 // rank of the merge of two bytes, by first<<8|second
	whole    map[string]int32
	always   *matcher // added tokens that are not special
	marked   *matcher // all added tokens
	splitter splitter
	nfc      bool
	unicode  bool // bytes that no UTF-8 has are no tokens
	trained  *trained
	post     json.RawMessage
	bos      int32
	eos      int32
	pad      int32
	hash     func() string
	encoders sync.Pool
}

// kind says what an id stands for.
type kind uint8

const (
	hole kind = iota
	ordinary
	literal // added, not special
	special
)

// trained is what Train was told, stored in the file.
type trained struct {
	Tie   string `json:"tie"`
	Count int64  `json:"min_count"`
}

// Added is a token that is not made by merges: matched as a whole, before the splitter sees the text.
type Added struct {
	ID         int32  `json:"id"`
	Content    string `json:"content"`
	SingleWord bool   `json:"single_word"` // only where no letter, digit or underscore touches it
	LStrip     bool   `json:"lstrip"`      // takes the white space before it along
	RStrip     bool   `json:"rstrip"`
	Normalized bool   `json:"normalized"` // looked for after normalisation
	Special    bool   `json:"special"`
}

// Size is the number of ids, those without a token included.
func (t *Tokenizer) Size() int { return len(t.tokens) }

// Splitter is the name of the splitter, as llama.cpp's tokenizer.ggml.pre has it.
func (t *Tokenizer) Splitter() string { return t.splitter.name }

// Tie is the rule by which Train chose among pairs of equal count; "" for a tokenizer of others.
func (t *Tokenizer) Tie() string {
	if t.trained == nil {
		return ""
	}
	return t.trained.Tie
}

// IgnoreMerges reports whether a pre-token that is itself a token is taken whole, without looking at the merges.
func (t *Tokenizer) IgnoreMerges() bool { return t.whole != nil }

// Token gives the bytes of an id: nil for special tokens and for ids that have none.
func (t *Tokenizer) Token(id int32) []byte {
	if s := t.text(id); s != "" {
		return []byte(s)
	}
	return nil
}

// text is the bytes of an id that stands for text, else "".
func (t *Tokenizer) text(id int32) string {
	if uint(id) >= uint(len(t.tokens)) || t.kinds[id] == special {
		return ""
	}
	return t.tokens[id]
}

// Name gives the content of a special token, "" for any other id.
func (t *Tokenizer) Name(id int32) string {
	if !t.IsSpecial(id) {
		return ""
	}
	return t.tokens[id]
}

// IsSpecial reports whether the id is that of a special token.
func (t *Tokenizer) IsSpecial(id int32) bool {
	return uint(id) < uint(len(t.kinds)) && t.kinds[id] == special
}

// Special gives the id of a special token by its content.
func (t *Tokenizer) Special(name string) (int32, bool) {
	for _, a := range t.added {
		if a.Special && a.Content == name {
			return a.ID, true
		}
	}
	return 0, false
}

// BOS is the id that begins a document, -1 where there is none.
func (t *Tokenizer) BOS() int32 { return t.bos }

// EOS is the id that ends a document, -1 where there is none.
func (t *Tokenizer) EOS() int32 { return t.eos }

// PAD is the id that fills a row, -1 where there is none.
func (t *Tokenizer) PAD() int32 { return t.pad }

// WithRoles gives the same tokenizer with other ids for bos, eos and pad, by content; "" means none. A tokenizer.json does
// not say which they are: tokenizer_config.json beside it does. It fails where a content is not an added token.
func (t *Tokenizer) WithRoles(bos, eos, pad string) (*Tokenizer, error) {
	p := t.parts()
	for _, r := range []struct {
		name string
		to   *int32
	}{{bos, &p.BOS}, {eos, &p.EOS}, {pad, &p.PAD}} {
		*r.to = -1
		if r.name == "" {
			continue
		}
		i := slices.IndexFunc(t.added, func(a Added) bool { return a.Content == r.name })
		if i < 0 {
			return nil, fmt.Errorf("bpe: %q is not an added token of this tokenizer", r.name)
		}
		*r.to = t.added[i].ID
	}
	return build(p)
}

// Added lists the added tokens by id, special ones and others.
func (t *Tokenizer) Added() []Added { return slices.Clone(t.added) }

// Decode gives the bytes of the ids; special tokens give none.
func (t *Tokenizer) Decode(ids []int32) []byte {
	n := 0
	for _, id := range ids {
		n += len(t.text(id))
	}
	out := make([]byte, 0, n)
	for _, id := range ids {
		out = append(out, t.text(id)...)
	}
	return out
}

// Hash is the SHA-256, in hexadecimal, of the tokenizer.json that WriteJSON writes.
func (t *Tokenizer) Hash() string { return t.hash() }

func (t *Tokenizer) sum() string {
	h := sha256.New()
	if err := t.WriteJSON(h); err != nil { // a hash takes everything
		return ""
	}
	return hex.EncodeToString(h.Sum(nil))
}

// Stream decodes ids one at a time and gives out whole characters only.
type Stream struct {
	t    *Tokenizer
	held []byte // at most three bytes that begin a character
}

// NewStream begins a stream.
func (t *Tokenizer) NewStream() *Stream { return &Stream{t: t} }

// Next takes the next id and gives the text that is complete by now, valid UTF-8: bytes that cannot become a character turn
// into U+FFFD, those that still can are held back.
func (s *Stream) Next(id int32) string {
	s.held = append(s.held, s.t.text(id)...)
	var out []byte
	rest := s.held
	for len(rest) > 0 && utf8.FullRune(rest) {
		r, n := utf8.DecodeRune(rest)
		out = utf8.AppendRune(out, r)
		rest = rest[n:]
	}
	s.held = append(s.held[:0], rest...)
	return string(out)
}

// Flush gives what was held back, as one U+FFFD, and empties the stream.
func (s *Stream) Flush() string {
	n := len(s.held)
	s.held = s.held[:0]
	if n == 0 {
		return ""
	}
	return string(utf8.RuneError)
}
