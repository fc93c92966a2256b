package cut

import (
	"context"
	"fmt"
	"iter"
	"sync"
	"unicode"
	"unicode/utf8"

	"github.com/zeebo/xxh3"

	"winnow"
	"winnow/dedup/fold"
	"winnow/text"
)

// spans finds runs of at least Tokens tokens that stand elsewhere too (Lee et al. 2022, who find them in a suffix array). A
// token is a run of letters, marks and digits, one character of a script without spaces, or any other character but white
// space. Every window of Tokens tokens is a record, 28 bytes on disk; windows whose hashes meet are compared as texts, and
// extended as far as the texts agree.
type spans struct {
	policy
	scratch sync.Pool // of *tokens
}

func newSpans(p policy) *spans {
	return &spans{p, sync.Pool{New: func() any { return new(tokens) }}}
}

var _ winnow.Verified = (*spans)(nil)

// Version names the code and the parameters.
func (s *spans) Version() string { return s.Layout().Records + " " + s.version() }

// Layout has a hash and the document's order as the key, and the place as data.
func (s *spans) Layout() winnow.Layout {
	return winnow.Layout{Records: fmt.Sprintf("span/1 tokens=%d order=%s", s.o.Tokens, s.o.Keep), Partitions: partitions, Keys: 2, Data: 1, Cuts: true}
}

// Sketch emits a record for each window.
func (s *spans) Sketch(d *winnow.Document, emit func(winnow.Record)) (winnow.Rank, error) {
	k := s.scratch.Get().(*tokens)
	defer s.scratch.Put(k)
	k.cut(d.Text)
	order, n := s.order(d), s.o.Tokens
	total := 0
	if last := len(k.ends) - 1; last >= 0 {
		total = int(k.ends[last] - k.starts[0])
	}
	k.windows = fold.Roll(k.windows[:0], k.hashes, n)
	for i, h := range k.windows {
		emit(winnow.Record{Key: [2]uint64{h, order}, Data: [2]uint64{place(int(k.starts[i]), int(k.ends[i+n-1]))}})
	}
	return winnow.Rank{ID: d.ID, Data: sizes(total, len(d.Text))}, nil
}

// Group names all places of a window but the one that stays.
func (s *spans) Group(_ context.Context, sorted iter.Seq2[winnow.Record, error], emit func(winnow.Edge) error) error {
	return s.group(sorted, emit)
}

// Evidence is the text.
func (s *spans) Evidence(d *winnow.Document) []byte { return []byte(d.Text) }

// Verify compares the tokens of both texts from each candidate on, as far as they agree. A candidate within what was found
// before adds nothing.
func (s *spans) Verify(a, b []byte, candidates []winnow.Edge, emit func(winnow.Edge) error) error {
	covered := 0
	for _, e := range candidates {
		if e.End <= covered {
			continue
		}
		tokens, end := agree(a[min(e.From, len(a)):], b[min(e.Start, len(b)):])
		if tokens < s.o.Tokens {
			continue
		}
		e.End = e.Start + end
		covered = e.End
		if err := emit(e); err != nil {
			return err
		}
	}
	return nil
}

// agree counts the tokens that two texts have in common at their beginning, and gives where they end in b.
func agree(a, b []byte) (n, end int) {
	at := 0
	for {
		x, restA := nextToken(a)
		y, restB := nextToken(b)
		if len(y) == 0 || string(x) != string(y) {
			return n, end
		}
		at += len(b) - len(restB)
		n, end, a, b = n+1, at, restA, restB
	}
}

// nextToken gives the first token of b, and what follows it; empty at the end.
func nextToken(b []byte) (token, rest []byte) {
	i := 0
	for i < len(b) {
		r, n := utf8.DecodeRune(b[i:])
		if !text.IsSpace(r) {
			end := i + n
			for word(r) && end < len(b) {
				next, n := utf8.DecodeRune(b[end:])
				if !word(next) {
					break
				}
				end += n
			}
			return b[i:end], b[end:]
		}
		i += n
	}
	return nil, nil
}

// word tells whether a character goes on with those beside it.
func word(r rune) bool {
	if r < utf8.RuneSelf {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
	}
	return (unicode.IsLetter(r) || unicode.IsMark(r) || unicode.IsDigit(r)) && !fold.IsDense(r)
}

// tokens is a text as token hashes with their places. It is not for concurrent use.
type tokens struct {
	hashes       []uint64
	starts, ends []uint32
	windows      []uint64 // hashes of as many tokens in a row as a span has at least
}

func (k *tokens) cut(s string) {
	k.hashes, k.starts, k.ends = k.hashes[:0], k.starts[:0], k.ends[:0]
	start := -1
	for i, r := range s {
		goes := word(r)
		if start >= 0 && !goes {
			k.add(s, start, i)
			start = -1
		}
		switch {
		case goes && start < 0:
			start = i
		case !goes && !text.IsSpace(r):
			_, n := utf8.DecodeRuneInString(s[i:])
			k.add(s, i, i+n)
		}
	}
	if start >= 0 {
		k.add(s, start, len(s))
	}
}

func (k *tokens) add(s string, start, end int) {
	k.hashes = append(k.hashes, xxh3.HashString(s[start:end]))
	k.starts, k.ends = append(k.starts, uint32(start)), append(k.ends, uint32(end))
}
