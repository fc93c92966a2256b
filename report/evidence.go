package report

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strings"

	"winnow"
	"winnow/shard"
	"winnow/shard/store"
)

// Evidence is documents to look at beside the numbers of a report.
type Evidence struct {
	Rules    []Sides   `json:"rules"`    // in the order of Report.Rules
	Clusters []Cluster `json:"clusters"` // of duplicates, largest first
	Partial  bool      `json:"partial"`  // drawn from the first files of the run alone, since it is large
}

// Sides are examples from both sides of a rule: nearest to the bound first, or drawn by hash where the rule has none.
type Sides struct {
	Rule    string     `json:"rule"`
	Dropped []*Example `json:"dropped"` // by this rule
	Kept    []*Example `json:"kept"`    // by the run, though they nearly break it
}

const (
	clusterCount   = 10
	clusterMembers = 6
	// evidenceBytes is how much of stored texts, as it lies on disk, is looked through for examples.
	evidenceBytes = 256 << 20
)

// Evidence finds n examples on each side of the first rules of the report. The same run gives the same ones.
func (r *Report) Evidence(f *shard.Folder, rules, n int) (*Evidence, error) {
	e := &Evidence{}
	f, e.Partial = firstFiles(f, evidenceBytes)
	g := newGatherer(r, rules, n)
	clusters := gathered{}
	for l, err := range lines(f) {
		if err != nil {
			return nil, err
		}
		g.add(l)
		clusters.add(l)
	}
	var all []*Example
	for _, rule := range g.order {
		s := Sides{rule, g.dropped[rule].examples(), g.kept[rule].examples()}
		e.Rules, all = append(e.Rules, s), append(append(all, s.Dropped...), s.Kept...)
	}
	e.Clusters = clusters.largest(clusterCount)
	for _, c := range e.Clusters {
		all = append(all, c.Members...)
	}
	return e, fetch(f, all)
}

// firstFiles is a folder cut to its first files, whose stored texts lie on no more than so many bytes, and whether it was
// cut. One file always stays.
func firstFiles(f *shard.Folder, limit int64) (*shard.Folder, bool) {
	sizes := map[string]int64{}
	for _, sub := range []string{"data", "dropped"} {
		dir := store.Join(f.Dir, sub)
		entries, _ := f.Store.List(dir) // of what cannot be listed nothing is read
		for _, e := range entries {
			sizes[store.Join(dir, e.Name)] = e.Size
		}
	}
	for i, ledger := range f.Ledger {
		for _, path := range []string{sibling(f.Data, ledger), sibling(f.Dropped, ledger)} {
			limit -= sizes[path]
		}
		if limit < 0 && i > 0 {
			cut := *f
			cut.Ledger = f.Ledger[:i]
			return &cut, true
		}
	}
	return f, false
}

// gatherer keeps the nearest few documents on each side of rules.
type gatherer struct {
	*counter
	order         []string
	dropped, kept map[string]*nearest
}

func newGatherer(r *Report, rules, n int) *gatherer {
	g := &gatherer{counter: newCounter(r.Run), dropped: map[string]*nearest{}, kept: map[string]*nearest{}}
	for _, rule := range r.Rules[:min(rules, len(r.Rules))] {
		g.order = append(g.order, rule.ID)
		g.dropped[rule.ID], g.kept[rule.ID] = &nearest{n: n}, &nearest{n: n}
	}
	return g
}

func (g *gatherer) add(l *line) {
	v := &l.Verdict
	if !v.Drop {
		for _, k := range g.checksOf(l.Doc.Language) {
			if x := l.Doc.Signals[k.column]; winnow.Measured(x) && k.bound.Holds(x) {
				if side := g.kept[g.rules[k.rule].ID]; side != nil {
					side.add(margin(x, k.bound), l, x, k.bound)
				}
			}
		}
		return
	}
	side := g.dropped[v.Rule]
	if side == nil {
		return
	}
	if b, ok := g.judge.Bound(v.Rule, l.Doc.Language); ok && winnow.Measured(v.Value) {
		side.add(margin(v.Value, b), l, v.Value, b)
		return
	}
	side.add(drawPlace(g.run.Seed, l.at), l, v.Value, winnow.Any)
}

// drawPlace is a document's lot by where it stands, 0..1.
func drawPlace(seed uint64, at place) float64 {
	x := seed ^ uint64(winnow.NewDocID(at.file, at.row))
	x ^= x >> 33
	x *= 0xff51afd7ed558ccd
	x ^= x >> 33
	x *= 0xc4ceb9fe1a85ec53
	x ^= x >> 33
	return float64(x>>11) / (1 << 53)
}

// nearest holds the n documents of the least distance; the first of equals stays.
type nearest struct {
	n    int
	lots []lot
}

type lot struct {
	distance float64
	at       place
	kept     bool
	value    float32
	bound    winnow.Bound
}

func (s *nearest) add(distance float64, l *line, value float32, bound winnow.Bound) {
	if math.IsNaN(distance) || len(s.lots) == s.n && distance >= s.lots[s.n-1].distance {
		return
	}
	i, _ := slices.BinarySearchFunc(s.lots, distance, func(x lot, d float64) int {
		if x.distance <= d {
			return -1
		}
		return 1
	})
	s.lots = slices.Insert(s.lots, i, lot{distance, l.at, !l.Verdict.Drop, value, bound})
	s.lots = s.lots[:min(len(s.lots), s.n)]
}

func (s *nearest) examples() []*Example {
	out := []*Example{}
	for _, x := range s.lots {
		e := &Example{Kept: x.kept, Value: number(x.value), at: x.at}
		if !x.bound.Open() {
			e.Bound = x.bound.String()
		}
		out = append(out, e)
	}
	return out
}

// Cluster is a set of duplicates.
type Cluster struct {
	ID       string     `json:"id"` // of the survivor
	Size     int32      `json:"size"`
	Domain   string     `json:"domain,omitempty"` // that all members seen are of; empty where they differ
	Template bool       `json:"template"`         // pages of one site's template, rather than copies of a text
	Members  []*Example `json:"members"`          // the first few in the order of the input
}

// templateSize is from how many pages of one site on a cluster is taken for its template.
const templateSize = 10

// gathered is clusters while a ledger is read, by the survivor's id.
type gathered map[string]*gathering

type gathering struct {
	size, seen, home int32 // home: members seen that are of domain
	domain           string
	members          nearest
}

func (g gathered) add(l *line) {
	if l.Cluster == "" {
		return
	}
	c := g[l.Cluster]
	if c == nil {
		c = &gathering{members: nearest{n: clusterMembers}, domain: l.domain}
		g[l.Cluster] = c
	}
	c.size = max(c.size, l.ClusterSize)
	if c.seen++; l.domain == c.domain {
		c.home++
	}
	c.members.add(0, l, l.Verdict.Value, winnow.Any)
}

// largest gives the n largest clusters.
func (g gathered) largest(n int) (out []Cluster) {
	ids := slices.SortedFunc(maps.Keys(g), func(a, b string) int {
		return cmp.Or(cmp.Compare(g[b].size, g[a].size), strings.Compare(a, b))
	})
	for _, id := range ids[:min(len(ids), n)] {
		c := Cluster{ID: id, Size: g[id].size, Members: g[id].members.examples()}
		if g[id].home == g[id].seen {
			c.Domain = g[id].domain
		}
		c.Template = c.Domain != "" && c.Size >= templateSize
		out = append(out, c)
	}
	return out
}

// Clusters finds the n largest clusters of duplicates of a run, with the first members of each.
func Clusters(f *shard.Folder, n int) ([]Cluster, error) {
	sizes := map[string]int32{}
	for l, err := range lines(f) {
		if err != nil {
			return nil, err
		}
		if l.Cluster != "" {
			sizes[l.Cluster] = l.ClusterSize
		}
	}
	ids := slices.SortedFunc(maps.Keys(sizes), func(a, b string) int { return cmp.Or(cmp.Compare(sizes[b], sizes[a]), strings.Compare(a, b)) })
	wanted := map[string]bool{}
	for _, id := range ids[:min(len(ids), n)] {
		wanted[id] = true
	}
	g := gathered{}
	for l, err := range lines(f) {
		if err != nil {
			return nil, err
		}
		if wanted[l.Cluster] {
			g.add(l)
		}
	}
	out := g.largest(n)
	var all []*Example
	for _, c := range out {
		all = append(all, c.Members...)
	}
	return out, fetch(f, all)
}

// WriteClusters writes clusters for a terminal.
func WriteClusters(w io.Writer, clusters []Cluster, l Lang) error {
	var b strings.Builder
	for i, c := range clusters {
		if i > 0 {
			b.WriteString("\n")
		}
		fmt.Fprintf(&b, l.T("%d documents, survivor %s", "%d 篇，留下 %s"), c.Size, c.ID)
		switch {
		case c.Template:
			fmt.Fprintf(&b, l.T("; template pages of %s", "；%s 的模板页"), c.Domain)
		case c.Domain != "":
			fmt.Fprintf(&b, l.T("; all of %s", "；均来自 %s"), c.Domain)
		}
		b.WriteString("\n")
		for _, m := range c.Members {
			state := l.T("kept", "保留")
			if !m.Kept {
				state = cmp.Or(m.Value, l.T("dropped", "丢弃"))
			}
			fmt.Fprintf(&b, "  %-8s %s  %s\n", state, m.ID, m.URL)
			if m.Text != "" {
				fmt.Fprintf(&b, "           %s\n", Excerpt(m.Text, 100))
			}
		}
	}
	if len(clusters) == 0 {
		b.WriteString(l.T("no duplicates\n", "没有重复文档\n"))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// ClustersJSON writes clusters as one line of JSON each.
func ClustersJSON(w io.Writer, clusters []Cluster) error {
	enc := json.NewEncoder(w)
	for _, c := range clusters {
		if err := enc.Encode(c); err != nil {
			return err
		}
	}
	return nil
}
