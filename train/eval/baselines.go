package eval

import (
	"compress/gzip"
	"fmt"
	"io"
	"iter"
	"math"

	"github.com/klauspost/compress/zstd"
)

// Baseline is what a method without a network makes of the same bytes.
type Baseline struct {
	ID   string `json:"id"` // token-1, byte-3: n-gram models of that order; gzip-9, zstd: compressors
	Bits []Bits `json:"bits"`
}

// BaselineOptions are for Baselines.
type BaselineOptions struct {
	TokenOrder int   // highest order over tokens; 0: 3
	ByteOrder  int   // highest order over bytes; 0: 4
	Limit      int64 // training tokens to count, about; 0: all
}

// Counted is what n-grams were counted on.
type Counted struct {
	Documents int64 `json:"documents"`
	Tokens    int64 `json:"tokens"`
	Bytes     int64 `json:"bytes"`
}

// Baselines counts n-grams (NGrams) on training texts, given as text tokens and read twice, and scores them on held-out texts:
// over the tokenizer's tokens, from the unigram up, and over bytes. Compressors are added: they see the held-out bytes of a language alone, one
// text behind the other, and nothing before: a bound from another side.
func Baselines(h *Held, tok Tokenizer, train iter.Seq2[[]int32, error], o BaselineOptions) ([]Baseline, Counted, error) {
	if o.TokenOrder == 0 {
		o.TokenOrder = 3
	}
	if o.ByteOrder == 0 {
		o.ByteOrder = 4
	}
	var counted Counted
	tokens := limited(train, o.Limit)
	ids, raw := make([][]int32, len(h.docs)), make([][]int32, len(h.docs))
	for i, d := range h.docs {
		ids[i], raw[i] = d.ids, symbols(nil, tok.Decode(d.ids))
	}
	var list []Baseline
	nats, err := NGrams(tokens, ids, tok.Size(), o.TokenOrder)
	if err != nil {
		return nil, counted, fmt.Errorf("token n-grams: %w", err)
	}
	for k, x := range nats {
		list = append(list, Baseline{fmt.Sprintf("token-%d", k+1), h.bits(x)})
	}
	bytes := func(yield func([]int32, error) bool) {
		var buf []int32
		for text, err := range tokens {
			b := tok.Decode(text)
			counted.Documents++
			counted.Tokens += int64(len(text))
			counted.Bytes += int64(len(b))
			buf = symbols(buf[:0], b)
			if !yield(buf, err) {
				return
			}
		}
	}
	if nats, err = NGrams(bytes, raw, 256, o.ByteOrder); err != nil {
		return nil, counted, fmt.Errorf("byte n-grams: %w", err)
	}
	for k, x := range nats {
		list = append(list, Baseline{fmt.Sprintf("byte-%d", k+1), h.bits(x)})
	}
	compressed, err := Compressors(h, tok)
	return append(list, compressed...), counted, err
}

// limited ends a stream with the text that reaches a number of tokens.
func limited(texts iter.Seq2[[]int32, error], limit int64) iter.Seq2[[]int32, error] {
	if limit <= 0 {
		return texts
	}
	return func(yield func([]int32, error) bool) {
		left := limit
		for t, err := range texts {
			if !yield(t, err) {
				return
			}
			if left -= int64(len(t)); left <= 0 {
				return
			}
		}
	}
}

func symbols(dst []int32, b []byte) []int32 {
	for _, c := range b {
		dst = append(dst, int32(c))
	}
	return dst
}

// size counts bytes written.
type size int64

func (s *size) Write(b []byte) (int, error) {
	*s += size(len(b))
	return len(b), nil
}

// Compressors gives the size of the texts of each language when compressed alone. Nats stand for whole languages: there is no
// error by documents.
func Compressors(h *Held, tok Tokenizer) ([]Baseline, error) {
	list := []Baseline{{ID: "gzip-9"}, {ID: "zstd"}}
	for _, b := range h.bits(make([]float64, len(h.docs))) {
		for i := range list {
			var n size
			w, err := compressor(list[i].ID, &n)
			if err != nil {
				return nil, err
			}
			for _, d := range h.docs {
				if b.Language == "all" || b.Language == d.language {
					if _, err := w.Write(tok.Decode(d.ids)); err != nil {
						return nil, err
					}
				}
			}
			if err := w.Close(); err != nil {
				return nil, err
			}
			b.Nats = float64(n) * 8 * math.Ln2
			b.PerByte = float64(n) * 8 / float64(max(1, b.Bytes))
			list[i].Bits = append(list[i].Bits, b)
		}
	}
	return list, nil
}

func compressor(id string, w io.Writer) (io.WriteCloser, error) {
	if id == "gzip-9" {
		return gzip.NewWriterLevel(w, gzip.BestCompression)
	}
	return zstd.NewWriter(w, zstd.WithEncoderLevel(zstd.SpeedBestCompression), zstd.WithEncoderConcurrency(1))
}
