// Package cut finds parts of texts that stand elsewhere as well, and cuts them. Documents flow in through Sketch as hashes of
// their lines, paragraphs, sentences or windows of words; Group names the places that are to go, Resolve makes edits of them,
// which the ledger keeps, and drops a document of which nothing, or too little, would be left.
package cut

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/zeebo/xxh3"

	"winnow"
)

// Options are the parameters of a stage of this package. The zero value of each field but Method stands for its default.
type Options struct {
	Method   string
	Keep     string  // which of the places stays, as below; default longest
	MaxShare float64 // 0..1, how much of a document's parts may be cut before it goes whole; default 1: when all would go
	Exact    bool    // line, paragraph, sentence: compared as they stand, but for white space around them; else folded
	MinChars int     // line, paragraph: shorter ones, in code points, are left alone; default 1
	Tokens   int     // span: the least length; default 50, as Lee et al. 2022
	Bloom    Bloom   // dolma, bff
}

// Values of Options.Method and Options.Keep.
const (
	Line      = "line"      // between line ends, folded, as CCNet
	Paragraph = "paragraph" // between empty lines, folded
	Sentence  = "sentence"  // three sentences in a row, folded, as C4
	Span      = "span"      // exact runs of tokens, as Lee et al.
	Dolma     = "dolma"     // Dolma's Bloom filter over paragraphs or their n-grams
	BFF       = "bff"       // DCLM's Bloom filter over n-grams of paragraphs and documents

	Longest = "longest" // in the document of most bytes
	Newest  = "newest"  // in the document of the latest Document.Date
	First   = "first"   // the first in the input
	None    = "none"    // all go
)

// Methods lists the values of Options.Method, Keeps those of Options.Keep.
func Methods() []string { return []string{Line, Paragraph, Sentence, Span, Dolma, BFF} }
func Keeps() []string   { return []string{Longest, Newest, First, None} }

// New makes the stage that o describes.
func New(o Options) (winnow.Corpus, error) {
	o.Keep = cmp.Or(o.Keep, Longest)
	o.MaxShare, o.MinChars, o.Tokens = cmp.Or(o.MaxShare, 1), cmp.Or(o.MinChars, 1), cmp.Or(o.Tokens, 50)
	switch {
	case !slices.Contains(Keeps(), o.Keep):
		return nil, fmt.Errorf("dedup: keep %q: %s takes one of %s", o.Keep, o.Method, strings.Join(Keeps(), ", "))
	case o.MaxShare < 0 || o.MaxShare > 1:
		return nil, fmt.Errorf("dedup: max_cut %g: want 0 to 1", o.MaxShare)
	case o.MinChars < 1 || o.Tokens < 2:
		return nil, fmt.Errorf("dedup: min_chars %d, tokens %d: want at least 1 and 2", o.MinChars, o.Tokens)
	}
	p := policy{o}
	switch o.Method {
	case Line, Paragraph, Sentence:
		return &parts{p}, nil
	case Span:
		return newSpans(p), nil
	case Dolma, BFF:
		return newBloom(p)
	}
	return nil, fmt.Errorf("dedup: method %q: want one of %s", o.Method, strings.Join(Methods(), ", "))
}

// policy is what the stages have in common.
type policy struct{ o Options }

// Name is dedup, whatever the method.
func (policy) Name() string { return "dedup" }

// Signals is none: what was cut stands in the ledger's edits.
func (policy) Signals() []winnow.Signal { return nil }

func (p policy) version() string { return fmt.Sprintf("keep=%s max_cut=%g", p.o.Keep, p.o.MaxShare) }

// partitions is how many tasks the comparison is spread over.
const partitions = 64

// order is a document's place among those that hold one part: the least is where it stays. Ties go to the smallest hash of the
// id, so that the order of the input does not matter.
func (p policy) order(d *winnow.Document) uint64 {
	score := uint32(0)
	switch p.o.Keep {
	case Longest:
		score = uint32(min(len(d.Text), 1<<32-1))
	case Newest:
		if t, err := time.Parse(time.RFC3339, d.Date); err == nil {
			score = uint32(max(0, t.Unix()))
		}
	default:
		return 0
	}
	return uint64(^score)<<32 | xxh3.HashString(d.ID)>>32
}

// sizes is what Resolve needs to know of a document: the bytes of its parts, and of its text.
func sizes(parts, text int) []byte {
	return binary.AppendUvarint(binary.AppendUvarint(nil, uint64(parts)), uint64(text))
}

func parseSizes(b []byte) (parts, text int) {
	x, n := binary.Uvarint(b)
	y, _ := binary.Uvarint(b[max(n, 0):])
	return int(x), int(y)
}

// place packs where a part stands into a word.
func place(start, end int) uint64 { return uint64(start)<<32 | uint64(uint32(end)) }

// group emits an edge for each record but the first of its key's first word, to that first one; with Keep none also for the
// first.
func (p policy) group(sorted iter.Seq2[winnow.Record, error], emit func(winnow.Edge) error) error {
	var first winnow.Record
	n := 0
	for r, err := range sorted {
		if err != nil {
			return err
		}
		if n == 0 || r.Key[0] != first.Key[0] {
			first, n = r, 1
			continue
		}
		if n++; n == 2 && p.o.Keep == None {
			if err := emit(edge(&r, &first)); err != nil {
				return err
			}
		}
		if err := emit(edge(&first, &r)); err != nil {
			return err
		}
	}
	return nil
}

// edge says that the part at b is to go because of that at a.
func edge(a, b *winnow.Record) winnow.Edge {
	return winnow.Edge{A: a.Doc, B: b.Doc, Start: int(b.Data[0] >> 32), End: int(uint32(b.Data[0])), From: int(a.Data[0] >> 32)}
}

// Resolve cuts the spans of a document, or drops it: rule dedup.<method> for edits, dedup.only_<method>s for documents.
func (p policy) Resolve(c winnow.Cluster, emit func(winnow.DocID, winnow.Outcome) error) error {
	for m, err := range c.Members {
		if err != nil {
			return err
		}
		var o winnow.Outcome
		parts, size := parseSizes(m.Rank.Data)
		gone := 0
		o.Edits, gone = edits("dedup."+p.o.Method, m.Spans, size, p.o.Method == Line || p.o.Method == Paragraph)
		if share := float64(gone) / float64(max(parts, gone, 1)); share >= 1 || share > p.o.MaxShare {
			o.Edits = nil
			o.Verdict = winnow.Verdict{Drop: true, Rule: "dedup.only_" + p.o.Method + "s", Value: float32(share), Bound: winnow.Any,
				Detail: fmt.Sprintf("%d of %d bytes stand elsewhere", gone, max(parts, gone))}
		}
		if err := emit(m.Doc, o); err != nil {
			return err
		}
	}
	return nil
}

// edits joins spans that touch or overlap, which come sorted, and counts the bytes that they cover. Where they are lines and the
// end of a text goes, the line end before it goes too.
func edits(rule string, spans []winnow.Edge, size int, lines bool) (out []winnow.Edit, covered int) {
	for _, s := range spans {
		if k := len(out); k > 0 && out[k-1].End >= s.Start {
			out[k-1].End = max(out[k-1].End, s.End)
			continue
		}
		out = append(out, winnow.Edit{Rule: rule, Start: s.Start, End: s.End})
	}
	for _, e := range out {
		covered += e.End - e.Start
	}
	if lines && len(out) > 0 {
		if last := &out[len(out)-1]; last.End == size && last.Start > 0 {
			last.Start--
		}
	}
	return out, covered
}
