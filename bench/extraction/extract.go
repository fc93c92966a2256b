// Package extraction measures how fast and how well main text is taken out of HTML, for `winnow bench extract`.
package extraction

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"golang.org/x/net/html"

	"winnow"
	"winnow/bench/meter"
	"winnow/crawl/charset"
	"winnow/crawl/extract"
)

// Prepare measures the stage extract beside the HTML parser alone, and where WINNOW_DATA is set, on
// real pages by set and page type. A lean pass in front makes the parser's part smaller than the parser alone takes.
func Prepare(ctx context.Context, o meter.Options) (meter.Once, error) {
	docs, err := o.Documents(ctx)
	if err != nil {
		return nil, err
	}
	docs = slices.DeleteFunc(docs, func(d *winnow.Document) bool { return len(d.HTML) == 0 })
	if len(docs) == 0 {
		return nil, fmt.Errorf("%v: no HTML", o.Files())
	}
	var size int64
	var pages []string
	for _, d := range docs {
		size += int64(len(d.HTML))
		if page, _, err := charset.Decode(d.HTML, d.Meta[winnow.MetaContentType]); err == nil {
			pages = append(pages, page)
		}
	}
	real, err := realPages()
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context) ([]meter.Figure, error) {
		byKind, err := measurePages(ctx, &o, real)
		if err != nil {
			return nil, err
		}
		whole, err := o.PerPass(ctx, func() error { return extractAll(ctx, docs) })
		if err != nil {
			return nil, err
		}
		alone, err := o.PerPass(ctx, func() error { return parseAll(pages) })
		if err != nil {
			return nil, err
		}
		return append([]meter.Figure{
			{Name: "pages", Value: float64(len(docs))},
			{Name: "HTML", Unit: "MB", Value: float64(size) / 1e6},
			{Name: "extract", Unit: "MB/s per core", Value: meter.Rate(size, whole)},
			{Name: "extract, in documents", Unit: "docs/s per core", Value: float64(len(docs)) / whole},
			{Name: "HTML parser alone", Unit: "MB/s per core", Value: meter.Rate(size, alone)},
			{Name: "the parser's part of extract", Unit: "%", Value: 100 * alone / whole},
		}, byKind...), nil
	}, nil
}

func extractAll(ctx context.Context, docs []*winnow.Document) error {
	stage := extract.New(extract.Options{})
	for _, d := range docs {
		fresh := &winnow.Document{HTML: d.HTML, Meta: maps.Clone(d.Meta)}
		if _, _, err := stage.Apply(ctx, fresh); err != nil {
			return err
		}
	}
	return nil
}

// parseAll parses as the stage does. A page that nests too deep for the parser is an error of the page.
func parseAll(pages []string) error {
	for _, p := range pages {
		_, _ = html.ParseWithOptions(strings.NewReader(p), html.ParseOptionEnableScripting(false))
	}
	return nil
}
