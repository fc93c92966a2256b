package cut

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"net/url"
	"strings"

	"github.com/zeebo/xxh3"

	"winnow"
)

// BoilerplateOptions say when a line belongs to a site rather than to a page. The zero value of each stands for its default.
type BoilerplateOptions struct {
	MinPages int     // pages of one host that must hold the line; default 5
	MinShare float64 // 0..1, share of the host's pages that must hold it; default 0.5
}

// Boilerplate is a winnow.Corpus that cuts the lines that stand on most pages of one host: menus, notices and credits that
// extraction left in. Lines are compared without the white space around them, hosts without www. A page that is nothing but
// such lines is dropped. What is cut is recorded as edits of the rule boilerplate.line.
type Boilerplate struct{ o BoilerplateOptions }

// NewBoilerplate makes the stage.
func NewBoilerplate(o BoilerplateOptions) (*Boilerplate, error) {
	o.MinPages, o.MinShare = cmp.Or(o.MinPages, 5), cmp.Or(o.MinShare, 0.5)
	if o.MinPages < 2 || o.MinShare < 0 || o.MinShare > 1 {
		return nil, fmt.Errorf("boilerplate: min_pages %d and min_share %g: want at least 2, and 0 to 1", o.MinPages, o.MinShare)
	}
	return &Boilerplate{o}, nil
}

// Name is boilerplate.
func (*Boilerplate) Name() string { return "boilerplate" }

// Version names the code and the parameters.
func (b *Boilerplate) Version() string {
	return fmt.Sprintf("boilerplate/2 pages=%d share=%g", b.o.MinPages, b.o.MinShare)
}

// Signals is none: what was cut stands in the ledger's edits.
func (*Boilerplate) Signals() []winnow.Signal { return nil }

// Layout has the hashes of host and line as the key, and the line's place as data. All lines of one host are in one partition.
func (*Boilerplate) Layout() winnow.Layout {
	return winnow.Layout{Records: "boilerplate/2", Partitions: partitions, Keys: 2, Data: 1, Cuts: true}
}

// Sketch emits a record for the page and one for each line: host and line hash as the key, the line's place as the data.
// The rank's score is the size of the text in bytes.
func (*Boilerplate) Sketch(d *winnow.Document, emit func(winnow.Record)) (winnow.Rank, error) {
	rank := winnow.Rank{Score: float64(len(d.Text)), ID: d.ID}
	host := hostOf(d.URL)
	if host == "" {
		return rank, nil
	}
	key := [2]uint64{xxh3.HashString(host)}
	emit(winnow.Record{Key: key}) // the page: a line of hash 0 comes first among the host's
	for start := 0; start < len(d.Text); {
		end := lineEnd(d.Text, start)
		if line := strings.TrimSpace(d.Text[start:end]); line != "" {
			key[1] = max(1, xxh3.HashString(line))
			emit(winnow.Record{Key: key, Data: [2]uint64{place(start, end)}})
		}
		start = end
	}
	return rank, nil
}

func hostOf(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return ""
	}
	return strings.TrimPrefix(strings.ToLower(u.Hostname()), "www.")
}

// Group counts, host by host, the pages that hold each line, and emits a span for each place of those that are on enough.
func (b *Boilerplate) Group(_ context.Context, sorted iter.Seq2[winnow.Record, error], emit func(winnow.Edge) error) error {
	pages := 0
	var run []winnow.Record // of one line of one host
	end := func() error {
		defer func() { run = run[:0] }()
		if len(run) == 0 {
			return nil
		}
		if run[0].Key[1] == 0 {
			pages = len(run)
			return nil
		}
		if on := distinct(run); on < b.o.MinPages || float64(on) < b.o.MinShare*float64(pages) {
			return nil
		}
		for i := range run {
			if err := emit(edge(&run[i], &run[i])); err != nil {
				return err
			}
		}
		return nil
	}
	for r, err := range sorted {
		if err != nil {
			return err
		}
		if len(run) > 0 && r.Key != run[0].Key {
			if err := end(); err != nil {
				return err
			}
		}
		run = append(run, r)
	}
	return end()
}

// distinct counts the documents of records that are sorted by document.
func distinct(run []winnow.Record) int {
	n := 1
	for i := 1; i < len(run); i++ {
		if run[i].Doc != run[i-1].Doc {
			n++
		}
	}
	return n
}

// Resolve gives each document the edits that cut its spans.
func (*Boilerplate) Resolve(c winnow.Cluster, emit func(winnow.DocID, winnow.Outcome) error) error {
	for m, err := range c.Members {
		if err != nil {
			return err
		}
		var o winnow.Outcome
		size := int(m.Rank.Score)
		o.Edits, _ = edits("boilerplate.line", m.Spans, size, true)
		if e := o.Edits[0]; len(o.Edits) == 1 && e.Start == 0 && e.End == size {
			o.Edits = nil
			o.Verdict = winnow.Verdict{Drop: true, Rule: "boilerplate.page", Value: 1, Bound: winnow.Below(1), Detail: fmt.Sprintf("%d lines", len(m.Spans))}
		}
		if err := emit(m.Doc, o); err != nil {
			return err
		}
	}
	return nil
}
