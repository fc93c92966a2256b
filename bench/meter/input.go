package meter

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/zeebo/xxh3"

	"winnow"
	"winnow/crawl/extract"
	"winnow/filter/lang"
	"winnow/pipelines"
)

// Files are the inputs, or the sample crawl where none is named.
func (o *Options) Files() []string {
	if len(o.Inputs) == 0 {
		return []string{"samples/*.warc.gz"}
	}
	return o.Inputs
}

// Documents reads the whole input and takes documents by the hash of their ID, of at most o.Sample bytes in all. Pages that a
// server did not send with 200 are left out.
func (o *Options) Documents(ctx context.Context) ([]*winnow.Document, error) {
	var docs []*winnow.Document
	var size int64
	limit := uint64(math.MaxUint64)
	for d, err := range pipelines.Documents(ctx, o.Files()) {
		var damage *winnow.ReadError
		if errors.As(err, &damage) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if status := d.Meta[winnow.MetaStatus]; status != "" && status != "200" || xxh3.HashString(d.ID) > limit {
			continue
		}
		docs = append(docs, d)
		size += bytesOf(d)
		for size > o.Sample && len(docs) > 1 {
			limit /= 2
			docs = slices.DeleteFunc(docs, func(d *winnow.Document) bool { return xxh3.HashString(d.ID) > limit })
			size = 0
			for _, d := range docs {
				size += bytesOf(d)
			}
		}
	}
	if size == 0 {
		return nil, fmt.Errorf("%v: no documents", o.Files())
	}
	return docs, nil
}

func bytesOf(d *winnow.Document) int64 { return int64(len(d.HTML) + len(d.Text)) }

// Text is the main text of a document, and its language.
type Text struct{ Language, Body string }

// Texts extracts the main texts of a sample.
func (o *Options) Texts(ctx context.Context) ([]Text, error) {
	docs, err := o.Documents(ctx)
	if err != nil {
		return nil, err
	}
	return Extracted(ctx, docs)
}

// Extracted gives the main texts of documents.
func Extracted(ctx context.Context, docs []*winnow.Document) ([]Text, error) {
	stage := extract.New(extract.Options{})
	var out []Text
	for _, d := range docs {
		v, _, err := stage.Apply(ctx, d)
		if err != nil {
			return nil, err
		}
		if !v.Drop {
			language, _, _ := lang.Identify(d.Text)
			out = append(out, Text{language, d.Text})
		}
	}
	if len(out) == 0 {
		return nil, errors.New("the input has no text")
	}
	return out, nil
}

// SizeOf is the bytes of the texts in all.
func SizeOf(texts []Text) (n int64) {
	for _, t := range texts {
		n += int64(len(t.Body))
	}
	return n
}
