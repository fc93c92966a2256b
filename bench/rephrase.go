package bench

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"winnow"
	"winnow/bench/meter"
	"winnow/rephrase"
	"winnow/rephrase/openai"
)

// A bench of rephrasing gives documents to the stage as a run does: so many in a batch, so many batches at a time.
const (
	rephraseDocs    = 8192
	rephraseBatch   = 64
	rephraseBatches = 4
)

// prepareRephrase measures the machinery of rephrasing: segments, client, cache with its syncs, guards, against an endpoint that
// answers at once. The endpoint's own work is told apart where it is a process of its own.
func prepareRephrase(_ context.Context, o meter.Options) (meter.Once, error) {
	style, err := rephrase.LoadStyle("wikipedia")
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context) (out []meter.Figure, err error) {
		server, err := answers(ctx, o.Answers)
		if err != nil {
			return nil, err
		}
		used, wall, n, err := rephraseAll(ctx, server.url, style)
		served, stopped := server.stop()
		if err = errors.Join(err, stopped); err != nil {
			return nil, err
		}
		us := func(d time.Duration) float64 { return 1e6 * d.Seconds() / n }
		return []meter.Figure{
			{Name: "requests", Value: n},
			{Name: "requests, by the clock", Unit: "1/s", Value: n / wall.Seconds()},
			{Name: "requests, a core", Unit: "1/s", Value: n / used.Seconds()},
			{Name: "processor time of a request", Unit: "us", Value: us(used)},
			{Name: "processor time of a request, in the endpoint", Unit: "us", Value: us(served)},
		}, nil
	}, nil
}

// rephraseAll rewrites all documents with an empty cache, and tells what that took of this process's time and by the clock, and how
// many requests.
func rephraseAll(ctx context.Context, url string, style *rephrase.Style) (used, wall time.Duration, n float64, err error) {
	dir, err := os.MkdirTemp("", "winnow-bench-")
	if err != nil {
		return 0, 0, 0, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	o := openai.Defaults()
	o.BaseURL, o.APIKey, o.CacheDir, o.InFlight = url, "none", dir, 64
	client, err := openai.New(o)
	if err != nil {
		return 0, 0, 0, err
	}
	defer func() { err = errors.Join(err, client.Close()) }()
	ro := rephrase.Defaults()
	ro.Model, ro.Styles = "m", []*rephrase.Style{style}
	stage, err := rephrase.New(client, ro)
	if err != nil {
		return 0, 0, 0, err
	}
	sentence := "The old stone bridge at Harlow was built in 1784, and it carried 1,200 carts a day until the flood of 1912. "
	docs := make([]*winnow.Document, rephraseDocs)
	for i := range docs {
		docs[i] = &winnow.Document{ID: fmt.Sprint(i), Language: "en", Text: strings.Repeat(sentence, 8) + fmt.Sprint(i)}
	}
	begin, cpu := time.Now(), meter.ProcessorTime()
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(rephraseBatches)
	for at := 0; at < len(docs); at += rephraseBatch {
		g.Go(func() error {
			results, err := stage.ApplyBatch(ctx, docs[at:at+rephraseBatch])
			for i, r := range results {
				if len(r.Derived) != 1 || r.Judged[0].Drop {
					return fmt.Errorf("document %d was not rewritten: %+v", at+i, r.Judged)
				}
			}
			return err
		})
	}
	err = g.Wait()
	return meter.ProcessorTime() - cpu, time.Since(begin), float64(client.Usage().Requests), err
}
