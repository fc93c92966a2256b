package eval

import (
	"cmp"
	"fmt"
	"iter"
	"math"
	"math/bits"
	"slices"

	"github.com/zeebo/xxh3"

	"winnow/train/rows"
)

// Held are texts that a model has not seen, as ids, with what is needed to score them again and again. Each language stands
// apart.
type Held struct {
	length int
	start  int32
	docs   []heldDoc // by language, then in the order of their names' hashes
	pieces []Sequence
	doc    []int // of each piece
}

type heldDoc struct {
	language string
	ids      []int32 // text tokens
	bytes    int64
}

// HeldOptions are for NewHeld.
type HeldOptions struct {
	Len   int   // positions of a row, at most the model's context
	Start int32 // the id that begins a document: bos, or eos where there is none
	Limit int64 // bytes of text for each language, about; 0: all. Which documents these are depends on their names alone
}

// NewHeld reads documents (indices into t) to evaluate on.
func NewHeld(t *rows.Tokens, docs []int, tok Tokenizer, o HeldOptions) (*Held, error) {
	h := &Held{length: o.Len, start: o.Start}
	order := make([]int, len(docs))
	for i := range order {
		order[i] = docs[i]
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(xxh3.HashString(t.ID(a)), xxh3.HashString(t.ID(b))) })
	taken := map[string]int64{}
	for _, d := range order {
		language := t.Language(d)
		if o.Limit > 0 && taken[language] >= o.Limit {
			continue
		}
		ids, err := t.Doc(nil, d)
		if err != nil {
			return nil, err
		}
		taken[language] += h.take(language, ids, tok, o.Limit-taken[language])
	}
	return h, h.cut()
}

// NewHeldTexts is NewHeld for documents that are in no file of tokens. The first texts of each language are taken.
func NewHeldTexts(docs iter.Seq2[rows.Document, error], tok Tokenizer, o HeldOptions) (*Held, error) {
	h := &Held{length: o.Len, start: o.Start}
	taken := map[string]int64{}
	for d, err := range docs {
		if err != nil {
			return nil, err
		}
		if o.Limit > 0 && taken[d.Language] >= o.Limit {
			continue
		}
		taken[d.Language] += h.take(d.Language, tok.Encode(nil, d.Text), tok, o.Limit-taken[d.Language])
	}
	return h, h.cut()
}

// take adds a text, or as many tokens of it as make room bytes where room is above 0, and tells its bytes.
func (h *Held) take(language string, ids []int32, tok Tokenizer, room int64) int64 {
	size := int64(len(tok.Decode(ids)))
	if room > 0 && size > room {
		n := 0
		for size = 0; size < room; n++ {
			size += int64(len(tok.Decode(ids[n : n+1])))
		}
		ids = ids[:n]
	}
	if len(ids) > 0 {
		h.docs = append(h.docs, heldDoc{cmp.Or(language, "und"), ids, size})
	}
	return size
}

// cut puts the documents in the order of their languages and cuts them into pieces of a row. The end of a document is no target.
func (h *Held) cut() error {
	if h.length < 1 {
		return fmt.Errorf("held-out texts: rows of %d positions", h.length)
	}
	slices.SortStableFunc(h.docs, func(a, b heldDoc) int { return cmp.Compare(a.language, b.language) })
	for i, d := range h.docs {
		ids := append([]int32{h.start}, d.ids...)
		for from := 0; from < len(d.ids); from += h.length {
			h.pieces = append(h.pieces, Sequence{ids[from:min(from+h.length+1, len(ids))], 1})
			h.doc = append(h.doc, i)
		}
	}
	return nil
}

// Bytes is the size of all texts.
func (h *Held) Bytes() (n int64) {
	for _, d := range h.docs {
		n += d.bytes
	}
	return n
}

// Tokens is the number of their tokens, that is of a BitsPerByte's targets.
func (h *Held) Tokens() (n int64) {
	for _, d := range h.docs {
		n += int64(len(d.ids))
	}
	return n
}

// Bits is what it costs to predict texts of one language.
type Bits struct {
	Language  string  `json:"language"` // "all": of all languages together
	Documents int     `json:"documents"`
	Bytes     int64   `json:"bytes"`
	Tokens    int64   `json:"tokens"` // text tokens, without special ones
	Nats      float64 `json:"nats"`
	PerByte   float64 `json:"bits_per_byte"`  // Nats / (ln 2 Bytes): comparable between tokenizers
	Error     float64 `json:"standard_error"` // of PerByte, by documents (ratio estimator); 0 where there is one document
}

// bits sums up nats of each document by language; the last is all languages where there are several.
func (h *Held) bits(nats []float64) []Bits {
	var list []Bits
	for from := 0; from < len(h.docs); {
		to := from
		for to < len(h.docs) && h.docs[to].language == h.docs[from].language {
			to++
		}
		list = append(list, ratio(h.docs[from].language, h.docs[from:to], nats[from:to]))
		from = to
	}
	if len(list) > 1 {
		list = append(list, ratio("all", h.docs, nats))
	}
	return list
}

func ratio(language string, docs []heldDoc, nats []float64) Bits {
	b := Bits{Language: language, Documents: len(docs)}
	for i, d := range docs {
		b.Bytes += d.bytes
		b.Tokens += int64(len(d.ids))
		b.Nats += nats[i]
	}
	if b.Bytes == 0 {
		return b
	}
	b.PerByte = b.Nats / math.Ln2 / float64(b.Bytes)
	if n := float64(len(docs)); n > 1 {
		square := 0.0
		for i, d := range docs {
			off := nats[i]/math.Ln2 - b.PerByte*float64(d.bytes)
			square += off * off
		}
		b.Error = math.Sqrt(square*n/(n-1)) / float64(b.Bytes)
	}
	return b
}

// Depth is the loss at some places in the context. It must fall with the place where a model uses its context.
type Depth struct {
	From   int     `json:"from"` // first position of the range, from 0
	To     int     `json:"to"`   // the one behind the last
	Tokens int64   `json:"tokens"`
	Nats   float64 `json:"nats_per_token"`
}

// BitsPerByte scores all texts: by language, the last entry "all" where there are several; and by the place in the context, in
// ranges that double. Special tokens are in neither sum. A text longer than a row is cut, and each piece after the first begins
// with one token of context.
func BitsPerByte(m Model, h *Held) ([]Bits, []Depth, error) {
	nats, err := Scorer{Model: m, Len: h.length, Pad: h.start}.Nats(h.pieces)
	if err != nil {
		return nil, nil, fmt.Errorf("bits per byte: %w", err)
	}
	total := make([]float64, len(h.docs))
	depths := make([]Depth, bits.Len(uint(h.length)))
	for i, piece := range nats {
		total[h.doc[i]] += sum(piece)
		for at, x := range piece {
			d := &depths[bits.Len(uint(at+1))-1]
			d.Tokens++
			d.Nats += float64(x)
		}
	}
	for i := range depths {
		depths[i].From, depths[i].To = 1<<i-1, min(1<<(i+1)-1, h.length)
		depths[i].Nats /= float64(max(1, depths[i].Tokens))
	}
	return h.bits(total), depths, nil
}
