package cut

import (
	"context"
	"fmt"
	"iter"
	"strings"
	"unicode/utf8"

	"github.com/zeebo/xxh3"

	"winnow"
	"winnow/dedup/fold"
	"winnow/text"
)

// parts finds lines, paragraphs or runs of three sentences that stand elsewhere too. They are compared folded, as CCNet's
// normalisation and datatrove's do: case, punctuation, accents and the values of numbers make no difference; or as they stand.
type parts struct{ policy }

// Version names the code and the parameters.
func (p *parts) Version() string { return p.Layout().Records + " " + p.version() }

// Layout has a hash and the document's order as the key, and the place as data. The order is in the records, so that it is in
// their version.
func (p *parts) Layout() winnow.Layout {
	return winnow.Layout{Records: fmt.Sprintf("%s/1 min=%d exact=%v order=%s", p.o.Method, p.o.MinChars, p.o.Exact, p.o.Keep), Partitions: partitions, Keys: 2, Data: 1, Cuts: true}
}

// Sketch emits a record for each part.
func (p *parts) Sketch(d *winnow.Document, emit func(winnow.Record)) (winnow.Rank, error) {
	var f fold.Text
	order, total := p.order(d), 0
	key := func(start, end int) (uint64, bool) {
		if p.o.Exact {
			s := strings.TrimSpace(d.Text[start:end])
			return xxh3.HashString(s), s != ""
		}
		f.Fold(d.Text[start:end])
		return xxh3.Hash(f.Buf), len(f.Buf) > 0
	}
	put := func(start, end int, hash uint64) {
		emit(winnow.Record{Key: [2]uint64{hash, order}, Data: [2]uint64{place(start, end)}})
	}
	switch p.o.Method {
	case Sentence:
		total = threes(d.Text, key, put)
	default:
		for start, end := range p.pieces(d.Text) {
			piece := d.Text[start:end]
			if strings.TrimSpace(piece) != "" {
				total += end - start
			}
			if utf8.RuneCountInString(strings.TrimSpace(piece)) < p.o.MinChars {
				continue
			}
			if h, ok := key(start, end); ok {
				put(start, end, h)
			}
		}
	}
	return winnow.Rank{ID: d.ID, Data: sizes(total, len(d.Text))}, nil
}

// pieces yields lines with their line ends, or paragraphs with the empty lines behind them.
func (p *parts) pieces(s string) iter.Seq2[int, int] {
	return func(yield func(int, int) bool) {
		start := 0
		for start < len(s) {
			end := lineEnd(s, start)
			for p.o.Method == Paragraph && end < len(s) && strings.TrimSpace(s[start:end]) != "" {
				next := lineEnd(s, end)
				blank := strings.TrimSpace(s[end:next]) == ""
				if end = next; blank {
					break
				}
			}
			if !yield(start, end) {
				return
			}
			start = end
		}
	}
}

func lineEnd(s string, from int) int {
	if i := strings.IndexByte(s[from:], '\n'); i >= 0 {
		return from + i + 1
	}
	return len(s)
}

// threes calls put for every three sentences in a row, and gives the bytes of all sentences.
func threes(s string, key func(int, int) (uint64, bool), put func(start, end int, hash uint64)) (total int) {
	var last [3][2]int
	n := 0
	for start, end := range sentences(s) {
		total += end - start
		last[0], last[1], last[2] = last[1], last[2], [2]int{start, end}
		if n++; n >= 3 {
			if h, ok := key(last[0][0], end); ok {
				put(last[0][0], end, h)
			}
		}
	}
	return total
}

// sentences yields the sentences of s with the white space behind them. A sentence ends at a line end, and behind terminal
// punctuation, with quotation marks and brackets that close it, where white space follows or the mark is full-width.
func sentences(s string) iter.Seq2[int, int] {
	return func(yield func(int, int) bool) {
		start, ended, wide := 0, false, false
		for i, r := range s {
			space := text.IsSpace(r)
			switch {
			case ended && !space && (wide || i > 0 && text.IsSpace(before(s, i))) && !closes(r):
				if strings.TrimSpace(s[start:i]) != "" {
					if !yield(start, i) {
						return
					}
					start = i
				}
				ended, wide = false, false
			case ended && !space && !closes(r) && !text.IsTerminal(r):
				ended = false
			}
			if r == '\n' || text.IsTerminal(r) {
				ended, wide = true, wide || r >= 0x3000
			}
		}
		if strings.TrimSpace(s[start:]) != "" {
			yield(start, len(s))
		}
	}
}

func before(s string, i int) rune {
	r, _ := utf8.DecodeLastRuneInString(s[:i])
	return r
}

func closes(r rune) bool { return strings.ContainsRune("\"'”’」』）)]】》", r) }

// Group names all places of a part but the one that stays.
func (p *parts) Group(_ context.Context, sorted iter.Seq2[winnow.Record, error], emit func(winnow.Edge) error) error {
	return p.group(sorted, emit)
}
