package rows

import (
	"context"
	"fmt"
	"iter"
	"path/filepath"

	"winnow"
	"winnow/shard"
)

// Document is one text to learn from.
type Document struct {
	ID       string
	Language string // ISO 639, as the run recorded it; may be empty
	Cluster  string // documents of one value are near-duplicates, or derived from each other; empty: stands alone
	Text     string
}

// group is what must not be divided between training and evaluation.
func group(cluster, id string) string {
	if cluster != "" {
		return cluster
	}
	return id
}

// Documents reads the kept documents of a run in order, with the duplicate clusters that its ledger recorded. A derived
// document stands in the cluster of its origin. An error ends the stream.
func Documents(f *shard.Folder) iter.Seq2[Document, error] {
	return func(yield func(Document, error) bool) {
		ledger, stop := iter.Pull2(f.Rows())
		defer stop()
		var origin, cluster string // of the last document that was read, not derived
		for d, err := range f.Documents() {
			if err != nil {
				yield(Document{}, err)
				return
			}
			c := ""
			if len(f.Ledger) > 0 {
				if c, err = clusterOf(d.ID, ledger); err != nil {
					yield(Document{}, fmt.Errorf("%s: %w", f.Dir, err))
					return
				}
			}
			switch {
			case d.Origin == "":
				origin, cluster = d.ID, c
			case c == "" && d.Origin == origin:
				c = group(cluster, origin)
			case c == "":
				c = d.Origin
			}
			if !yield(Document{ID: d.ID, Language: d.Language, Cluster: c, Text: d.Text}, nil) {
				return
			}
		}
	}
}

// clusterOf goes on in the ledger to the next kept document, which must be the one named.
func clusterOf(id string, next func() (*shard.Row, error, bool)) (string, error) {
	for {
		row, err, ok := next()
		switch {
		case err != nil:
			return "", err
		case !ok:
			return "", fmt.Errorf("document %s: is not in the ledger", id)
		case row.Verdict.Drop:
			continue
		case row.Doc.ID != id:
			return "", fmt.Errorf("document %s: the ledger has %s in its place", id, row.Doc.ID)
		}
		return row.Cluster, nil
	}
}

// Of tokenises the kept documents of a run that is done, or opens what was tokenised before. The file lies in dir, or in the
// run's own folder tokens/ when dir is empty.
func Of(ctx context.Context, f *shard.Folder, dir string, tok Tokenizer, o TokenizeOptions) (*Tokens, error) {
	if f.Run.State != shard.Done {
		return nil, fmt.Errorf("run %s: is %s, not %s", f.Run.ID, f.Run.State, shard.Done)
	}
	if dir == "" && winnow.IsURL(f.Dir) {
		return nil, fmt.Errorf("run %s: lies at a URL: say in which folder of the disk its tokens shall lie", f.Run.ID)
	}
	if dir == "" {
		dir = filepath.Join(f.Dir, "tokens")
	}
	key := fmt.Sprintf("%s %d %d", f.Run.ID, f.Run.Totals.Kept, f.Run.Totals.Bytes)
	return Tokenize(ctx, dir, key, tok, Documents(f), o)
}

// FromSource turns documents as other readers give them (parquet, JSONL, text files) into those of this package.
func FromSource(docs iter.Seq2[*winnow.Document, error]) iter.Seq2[Document, error] {
	return func(yield func(Document, error) bool) {
		for d, err := range docs {
			if err != nil {
				yield(Document{}, err)
				return
			}
			if !yield(Document{ID: d.ID, Language: d.Language, Cluster: d.Origin, Text: d.Text}, nil) {
				return
			}
		}
	}
}
