// Package report reads a run's ledger and says what became of every document: how much was retained stage by stage, which
// rules dropped what and which never did, how that compares with published pipelines and with another run, and why one
// document was kept or dropped. A run's folder goes in; text, Markdown or JSON comes out, and its room page writes HTML.
// It never reads texts to count them: all numbers come from the ledger alone.
package report

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"winnow/shard"
)

// Sizes measures a set of documents in each unit that people count in.
type Sizes struct {
	Documents int64 `json:"documents"`
	RawBytes  int64 `json:"raw_bytes"` // pages and rows as read
	Bytes     int64 `json:"bytes"`     // UTF-8 of the text; of dropped documents as the dropping stage received it
	Chars     int64 `json:"chars"`     // code points of the text
	Tokens    int64 `json:"tokens"`    // GPT-2's: exact for kept documents, estimated for dropped ones
}

func (s *Sizes) add(r *shard.Row) {
	s.plus(Sizes{1, r.Doc.RawBytes, r.Bytes, r.Chars, r.Doc.TokenCount})
}

func (s *Sizes) plus(o Sizes) {
	s.Documents += o.Documents
	s.RawBytes += o.RawBytes
	s.Bytes += o.Bytes
	s.Chars += o.Chars
	s.Tokens += o.Tokens
}

// Stage is one line of the funnel.
type Stage struct {
	Label   string  `json:"label"`
	In      Sizes   `json:"in"`                // what reached the stage
	Kept    Sizes   `json:"kept"`              // what left it
	Seconds float64 `json:"seconds,omitempty"` // of one worker, summed over all documents; 0 where values were taken over
	name    string  // as in the recipe, without what tells stages of one name apart
}

// Dropped counts the documents that the stage dropped.
func (s *Stage) Dropped() int64 { return s.In.Documents - s.Kept.Documents }

// Rule is what one reason for dropping did.
type Rule struct {
	ID       string  `json:"id"`
	Stage    string  `json:"stage"`
	EN       string  `json:"en,omitempty"` // what it measures
	ZH       string  `json:"zh,omitempty"`
	First    int64   `json:"first"`    // documents whose verdict it is
	Solo     int64   `json:"solo"`     // documents that no other rule of the stage would have dropped
	Any      int64   `json:"any"`      // documents that reached the stage and break it
	Measured int64   `json:"measured"` // documents that were held against the bound; 0 where the reason is no signal
	Median   float32 `json:"median"`   // value of the documents in First; 0 where the reason is no number
	Bound    string  `json:"bound"`    // for all languages, then those of languages read that have their own
	values   []float32
}

// Group is one slice of the run: a language, a domain, a source file, a dump, a range of lengths.
type Group struct {
	Key  string `json:"key"`
	Read Sizes  `json:"read"`
	Kept Sizes  `json:"kept"`
}

// Pair counts the documents that break both of two rules.
type Pair struct {
	A         string `json:"a"`
	B         string `json:"b"`
	Documents int64  `json:"documents"`
}

// Report is all that a run's ledger tells, added up.
type Report struct {
	Run      *shard.Run         `json:"run"`
	Read     Sizes              `json:"read"`
	Kept     Sizes              `json:"kept"`
	Stages   []Stage            `json:"stages"`
	Rules    []Rule             `json:"rules"`   // that dropped or would have, by First, highest first
	Silent   []Rule             `json:"silent"`  // that have a bound and did nothing: never evaluated, or never broken
	Overlap  []Pair             `json:"overlap"` // by Documents, highest first; pairs without any are left out
	By       map[string][]Group `json:"by"`      // Slices -> groups, largest first; lengths in their order
	Dup      Duplicates         `json:"duplicates"`
	Warnings []Warning          `json:"warnings"` // what is far from usual
}

// Duplicates sums up the clusters.
type Duplicates struct {
	Clusters int64  `json:"clusters"`
	Largest  int32  `json:"largest"`    // documents in the largest cluster
	Example  string `json:"example_id"` // its survivor
}

// Slices are the ways in which Report.By groups documents.
var Slices = []string{"language", "domain", "topic", "source", "dump", "length"}

// New reads the ledger of a run. An error names the file that could not be read.
func New(f *shard.Folder) (*Report, error) {
	r := &Report{Run: f.Run, By: map[string][]Group{}}
	c := newCounter(f.Run)
	clusters := map[string]int32{}
	for l, err := range lines(f) {
		if err != nil {
			return nil, err
		}
		c.add(l)
		if l.Cluster != "" {
			clusters[l.Cluster] = max(clusters[l.Cluster], l.ClusterSize)
		}
	}
	r.Stages = c.funnel()
	r.Read, r.Kept = r.Stages[0].In, r.Stages[len(r.Stages)-1].Kept
	r.Rules, r.Silent = c.ruleLines()
	r.Overlap = c.overlap()
	for slice, groups := range c.by {
		r.By[slice] = sorted(groups)
	}
	inOrder(r.By["length"])
	for _, id := range slices.Sorted(maps.Keys(clusters)) {
		r.Dup.Clusters++
		if clusters[id] > r.Dup.Largest {
			r.Dup.Largest, r.Dup.Example = clusters[id], id
		}
	}
	r.Warnings = r.warnings()
	return r, nil
}

func sorted(groups map[string]*Group) []Group {
	out := make([]Group, 0, len(groups))
	for _, g := range groups {
		out = append(out, *g)
	}
	slices.SortFunc(out, func(a, b Group) int {
		return cmp.Or(cmp.Compare(b.Read.Documents, a.Read.Documents), cmp.Compare(a.Key, b.Key))
	})
	return out
}

// lengths are the lower ends of the ranges of lengths, in code points: about three to a factor of ten.
var lengths = []int64{0, 1, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000}

// lengthKey names the range of lengths that a number of code points falls in: 200-499.
func lengthKey(chars int64) string {
	i, exact := slices.BinarySearch(lengths, chars)
	if !exact {
		i--
	}
	switch {
	case chars <= 0:
		return "0"
	case i == len(lengths)-1:
		return fmt.Sprintf("%d+", lengths[i])
	}
	return fmt.Sprintf("%d-%d", lengths[i], lengths[i+1]-1)
}

func inOrder(groups []Group) {
	rank := func(g Group) int {
		return slices.IndexFunc(lengths, func(n int64) bool { return lengthKey(n) == g.Key })
	}
	slices.SortFunc(groups, func(a, b Group) int { return cmp.Compare(rank(a), rank(b)) })
}

// Both counts the documents that break both of two rules.
func (r *Report) Both(a, b string) int64 {
	for _, p := range r.Overlap {
		if p.A == a && p.B == b || p.A == b && p.B == a {
			return p.Documents
		}
	}
	return 0
}
