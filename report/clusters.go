package report

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"winnow"
	"winnow/shard"
)

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
