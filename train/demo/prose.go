package demo

import (
	"fmt"
	"math/rand/v2"

	"winnow/shard"
	"winnow/train/rows"
)

// Prose is the text of a run: what it kept, what it dropped, and some of the kept that no arm ever learns from.
type Prose struct {
	Kept    []rows.Document // to learn from
	Dropped []rows.Document // texts that a rule, deduplication or a model dropped; none from a duplicate cluster of Held
	Held    []rows.Document // to evaluate on
}

// heldOut is the share of kept documents that are evaluated on, heldBytes the most bytes of a language that are.
const (
	heldOut   = 0.05
	heldBytes = 100_000
)

// ReadProse reads a run that stores the texts of what it dropped (output: {dropped: all}, or a sample).
func ReadProse(f *shard.Folder) (*Prose, error) {
	p := &Prose{}
	held := map[string]bool{} // clusters of held-out documents
	random := rand.New(rand.NewPCG(20, 26))
	bytes := map[string]int{}
	for d, err := range rows.Documents(f) {
		if err != nil {
			return nil, err
		}
		if random.Float64() < heldOut && bytes[d.Language]+len(d.Text) <= heldBytes {
			p.Held = append(p.Held, d)
			bytes[d.Language] += len(d.Text)
			held[d.ID], held[d.Cluster] = true, true
			continue
		}
		p.Kept = append(p.Kept, d)
	}
	delete(held, "")
	clusters := map[string]string{}
	for row, err := range f.Rows() {
		if err != nil {
			return nil, err
		}
		if row.Verdict.Drop && row.Cluster != "" {
			clusters[row.Doc.ID] = row.Cluster
		}
	}
	for row, err := range f.DroppedRows() {
		if err != nil {
			return nil, err
		}
		c := clusters[row.Doc.ID]
		if row.Doc.Text == "" || held[c] {
			continue
		}
		p.Dropped = append(p.Dropped, rows.Document{ID: row.Doc.ID, Language: row.Doc.Language, Cluster: c, Text: row.Doc.Text})
	}
	if len(p.Kept) < 50 || len(p.Held) < 2 {
		return nil, fmt.Errorf("run %s: %d kept documents are too few to learn and to evaluate on; a run of some megabytes of text is needed", f.Run.ID, len(p.Kept)+len(p.Held))
	}
	return p, nil
}

// size is the number of bytes of documents.
func size(docs []rows.Document) (n int64) {
	for _, d := range docs {
		n += int64(len(d.Text))
	}
	return n
}

// some takes documents in a random order until there are n bytes of them. It gives fewer where there are no more.
func some(random *rand.Rand, docs []rows.Document, n int64) (out []rows.Document) {
	var got int64
	for _, i := range random.Perm(len(docs)) {
		if got >= n {
			break
		}
		out = append(out, docs[i])
		got += int64(len(docs[i].Text))
	}
	return out
}
