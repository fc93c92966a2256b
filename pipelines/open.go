package pipelines

import (
	"context"
	"fmt"
	"iter"

	"winnow"
	"winnow/pipelines/engine"
	"winnow/shard"
	"winnow/shard/store"
)

// Reopen makes the plan of a run again out of its folder: the recipe and the shards that it began with.
func Reopen(f *shard.Folder, program string) (*engine.Plan, error) {
	path := store.Join(f.Dir, "recipe.yaml")
	raw, err := f.Store.ReadFile(path)
	if err != nil {
		return nil, err
	}
	r, err := Parse(path, raw)
	if err != nil {
		return nil, err
	}
	r.Output.Dir, r.Output.Dropped = store.Dir(f.Dir), f.Run.Dropped
	p, err := Build(r, raw, program)
	if err != nil {
		return nil, err
	}
	p.Shards, p.Store = f.Run.Shards, f.Store
	return p, nil
}

// Documents reads files of any kind that a recipe can read, without any stage. A *winnow.ReadError does not end it.
func Documents(ctx context.Context, patterns []string) iter.Seq2[*winnow.Document, error] {
	return documents(ctx, patterns, Columns{})
}

func documents(ctx context.Context, patterns []string, columns Columns) iter.Seq2[*winnow.Document, error] {
	return func(yield func(*winnow.Document, error) bool) {
		r := &Recipe{Input: Input{Columns: columns}}
		for _, p := range patterns {
			kind, err := kindOf(p)
			if err != nil {
				yield(nil, err)
				return
			}
			r.Input.add(kind, p)
		}
		src := r.source()
		shards, err := src.Shards(ctx)
		if err != nil {
			yield(nil, err)
			return
		}
		for _, s := range shards {
			for d, err := range src.Read(ctx, s, &winnow.Tally{}) {
				if d != nil && err != nil {
					continue // damaged: its text is not whole
				}
				if !yield(d, err) {
					return
				}
			}
		}
	}
}

func (in *Input) add(kind, pattern string) {
	list := map[string]*[]string{"warc": &in.WARC, "html": &in.HTML, "tar": &in.Tar, "jsonl": &in.JSONL, "parquet": &in.Parquet}[kind]
	*list = append(*list, pattern)
}

// Texts reads the texts of JSONL or parquet files, which must have the column. Empty texts are left out, and where split is
// not empty those whose column "split" says otherwise.
func Texts(ctx context.Context, patterns []string, column, split string) ([]string, error) {
	texts, _, err := Labelled(ctx, patterns, column, split, "")
	return texts, err
}

// Labelled is Texts with the value of one more column, by which texts are classed; texts without a value are left out. An empty class
// asks for none.
func Labelled(ctx context.Context, patterns []string, column, split, class string) (texts, values []string, err error) {
	for d, err := range documents(ctx, patterns, Columns{Text: column}) {
		if err != nil {
			return nil, nil, err
		}
		if d.Text == "" || split != "" && d.Meta["split"] != split {
			continue
		}
		value := d.Meta[class]
		if class == "language" {
			value = d.Language
		}
		if class == "" || value != "" {
			texts, values = append(texts, d.Text), append(values, value)
		}
	}
	if len(texts) == 0 {
		if class != "" {
			column += "\" and \"" + class
		}
		return nil, nil, fmt.Errorf("%v: no text in column \"%s\"", patterns, column)
	}
	return texts, values, nil
}
