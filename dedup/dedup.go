// Package dedup finds documents that say the same thing and keeps one of each. Documents flow in through Sketch, which
// turns each into a few records of hashes; records of one partition meet in Group, which emits edges between duplicates;
// Resolve is given the documents that edges join, and says of each whether it stays and for whom it goes.
//
// Each method is a winnow.Corpus under the name dedup: url compares canonical URLs; bytes, exact and normalised compare texts
// to the byte, but for white space, and but for case, punctuation, accents and numbers; minhash compares sets of shingles by
// MinHash and locality-sensitive hashing (Broder 1997; Indyk and Motwani 1998). Package cut finds parts of texts.
package dedup

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"winnow"
)

// Options are the parameters of a deduplication. The zero value of each field but Method stands for its default.
type Options struct {
	Method    string
	Keep      string   // which of a cluster stays, as below; default longest
	Copies    int      // how many of a cluster stay; default 1
	Weights   []Weight // how many times what stays should be used, by the size of the cluster; none: not said
	Scope     string   // global (default), or dump: only documents of one dump are compared
	Signal    int      // keep best: index of the signal in Document.Signals
	SignalID  string   // keep best: its name
	Sources   []string // keep source: patterns of Document.File, the most wanted first
	Bands     int      // minhash: how many chances two documents have to meet; default 14, as FineWeb
	Rows      int      // minhash: how many hashes must be equal for one; default 8, as FineWeb
	Seed      uint32   // minhash: of the hash functions; default 1, as datatrove
	Shingle   Shingle  // minhash: how much text one element of the compared sets holds
	Signature string   // minhash: fast (default), datatrove, datatrove-sha1
	Verify    float64  // minhash: least exact Jaccard similarity of two documents that are joined; 0: what meets is joined

	// Words cuts a text of a language for the datatrove signatures; nil: spaCy's rules for languages with spaces.
	Words func(dst []string, language, s string) []string
}

// Shingle is the length of a shingle.
type Shingle struct {
	Han   int `yaml:"han"`   // characters, for text in scripts without spaces; default 13, as MAP-NEO
	Latin int `yaml:"latin"` // words, for all other text; default 5, as FineWeb
}

// Values of Options.Method, Options.Keep and Options.Scope.
const (
	URL        = "url"
	Bytes      = "bytes"
	Exact      = "exact"
	Normalised = "normalised"
	MinHash    = "minhash"

	Longest = "longest" // most code points of text
	Newest  = "newest"  // latest Document.Date; documents without a date come last
	Best    = "best"    // highest value of a signal; documents without one come last
	First   = "first"   // first in the input
	Source  = "source"  // from the source that stands first in Options.Sources; others come last

	Global = "global"
	Dump   = "dump"
)

// Methods lists the values of Options.Method, Keeps those of Options.Keep.
func Methods() []string { return []string{URL, Bytes, Exact, Normalised, MinHash} }
func Keeps() []string   { return []string{Longest, Newest, Best, First, Source} }

// maxHashes bounds bands times rows.
const maxHashes = 9000

// New makes the stage that o describes.
func New(o Options) (winnow.Corpus, error) {
	p, err := newPolicy(o)
	if err != nil {
		return nil, err
	}
	p.rule = "dedup." + o.Method
	key := map[string]func(*winnow.Document) ([2]uint64, bool){URL: urlKey, Bytes: bytesKey, Exact: textKey, Normalised: foldedKey}[o.Method]
	switch {
	case key != nil:
		return &Same{policy: p, method: o.Method, key: key}, nil
	case o.Method == MinHash:
		p.rule = "dedup.near"
		n, err := newNear(p, p.o)
		if err == nil && n.o.Verify > 0 {
			return exactly{n}, nil
		}
		return n, err
	}
	return nil, fmt.Errorf("dedup: method %q: want one of %s", o.Method, strings.Join(Methods(), ", "))
}

// NearOf gives the MinHash stage behind c; nil where it is none.
func NearOf(c winnow.Stage) *Near {
	switch s := c.(type) {
	case *Near:
		return s
	case exactly:
		return s.Near
	}
	return nil
}

func (o Options) withDefaults() Options {
	o.Keep = cmp.Or(o.Keep, Longest)
	o.Copies = cmp.Or(o.Copies, 1)
	o.Scope = cmp.Or(o.Scope, Global)
	o.Bands = cmp.Or(o.Bands, 14)
	o.Rows = cmp.Or(o.Rows, 8)
	o.Seed = cmp.Or(o.Seed, 1)
	o.Shingle.Han = cmp.Or(o.Shingle.Han, 13)
	o.Shingle.Latin = cmp.Or(o.Shingle.Latin, 5)
	o.Signature = cmp.Or(o.Signature, Fast)
	o.Weights = sortedWeights(o.Weights)
	return o
}

// policy is what the methods have in common: the name, the verdict and the choice of the survivor.
type policy struct {
	o    Options
	rule string
}

func newPolicy(o Options) (policy, error) {
	o = o.withDefaults()
	switch {
	case !slices.Contains(Keeps(), o.Keep):
		return policy{}, fmt.Errorf("dedup: keep %q: want a number or one of %s", o.Keep, strings.Join(Keeps(), ", "))
	case o.Copies < 1:
		return policy{}, fmt.Errorf("dedup: keep %d: want at least 1", o.Copies)
	case o.Scope != Global && o.Scope != Dump:
		return policy{}, fmt.Errorf("dedup: scope %q: want global or dump", o.Scope)
	case o.Keep == Best && o.SignalID == "":
		return policy{}, fmt.Errorf("dedup: keep best: no stage before measures quality.score; name another signal under by")
	case o.Keep == Source && len(o.Sources) == 0:
		return policy{}, fmt.Errorf("dedup: keep source: list patterns of files under sources, the most wanted first")
	}
	for _, pattern := range o.Sources {
		if _, err := path.Match(pattern, ""); err != nil {
			return policy{}, fmt.Errorf("dedup: sources: %q: %w", pattern, err)
		}
	}
	for _, w := range o.Weights {
		if w.Size < 1 || w.Times < 0 {
			return policy{}, fmt.Errorf("dedup: weights: %d: %d: want a size of at least 1 and a weight of at least 0", w.Size, w.Times)
		}
	}
	return policy{o: o}, nil
}

// version identifies all that Resolve depends on.
func (p policy) version() string {
	v := "keep=" + p.o.Keep
	if p.o.Keep == Best {
		v += fmt.Sprintf(" by=%s@%d", p.o.SignalID, p.o.Signal)
	}
	if p.o.Keep == Source {
		v += fmt.Sprintf(" sources=%q", p.o.Sources)
	}
	if p.o.Copies > 1 {
		v += fmt.Sprintf(" copies=%d", p.o.Copies)
	}
	if len(p.o.Weights) > 0 {
		v += fmt.Sprintf(" weights=%v", p.o.Weights)
	}
	return v
}

func (p policy) scopeVersion() string {
	if p.o.Scope == Dump {
		return " scope=dump"
	}
	return ""
}

// salt sets the keys of different dumps apart, where they are not to be compared.
func (p policy) salt(d *winnow.Document) uint64 {
	if p.o.Scope == Dump {
		return hashString(d.Dump)
	}
	return 0
}

// Name is dedup, whatever the method.
func (policy) Name() string { return "dedup" }

// Signals is none: what a Corpus stage finds stands in the ledger's cluster columns.
func (policy) Signals() []winnow.Signal { return nil }

// rank scores d by the policy, so that the highest score is kept.
func (p policy) rank(d *winnow.Document) winnow.Rank {
	r := winnow.Rank{ID: d.ID}
	switch p.o.Keep {
	case Longest:
		r.Score = float64(utf8.RuneCountInString(d.Text))
	case Newest:
		if t, err := time.Parse(time.RFC3339, d.Date); err == nil {
			r.Score = float64(t.UnixMilli())
		}
	case Best:
		r.Score = float64(winnow.NotMeasured)
		if p.o.Signal < len(d.Signals) {
			r.Score = float64(d.Signals[p.o.Signal])
		}
	case Source:
		r.Score = -float64(p.place(d.File))
	case First:
		r.ByInput = true
	}
	return r
}

// place is the index of the first pattern that a file, or its base name, matches.
func (p policy) place(file string) int {
	for i, pattern := range p.o.Sources {
		whole, _ := path.Match(pattern, file)
		base, _ := path.Match(pattern, path.Base(file))
		if whole || base {
			return i
		}
	}
	return len(p.o.Sources)
}
