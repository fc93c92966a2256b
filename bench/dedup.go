package bench

import (
	"context"
	"encoding/binary"
	"os"
	"slices"

	minhashlsh "github.com/ekzhu/minhash-lsh"

	"winnow"
	"winnow/bench/meter"
	"winnow/dedup"
	"winnow/dedup/cut"
	"winnow/pipelines/engine/compare"
)

// groupDocs is how many documents grouping and clustering are measured with.
const groupDocs = 500_000

// spanBytes is how much text spans are measured on at the most: they leave five times as much on disk.
const spanBytes = 16 << 20

// prepareDedup measures MinHash with FineWeb's parameters: signatures on the main texts of the input, beside those that
// ekzhu/minhash-lsh's own Minhash makes of the same shingles; grouping and clustering on synthetic sketches, see Synthetic;
// and spans on the texts.
func prepareDedup(ctx context.Context, o meter.Options) (meter.Once, error) {
	texts, err := o.Texts(ctx)
	if err != nil {
		return nil, err
	}
	fast, err := dedup.New(dedup.Options{Method: dedup.MinHash})
	if err != nil {
		return nil, err
	}
	exact, err := dedup.New(dedup.Options{Method: dedup.MinHash, Signature: dedup.Datatrove})
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context) ([]meter.Figure, error) {
		out := []meter.Figure{
			{Name: "texts", Value: float64(len(texts))},
			{Name: "text", Unit: "MB", Value: float64(meter.SizeOf(texts)) / 1e6},
		}
		var seconds [3]float64
		for i, pass := range []func() error{
			func() error { return sketchAll(fast, texts) },
			func() error { return sketchAll(exact, texts) },
			func() error { return libraryAll(dedup.NearOf(fast), texts) },
		} {
			if seconds[i], err = o.PerPass(ctx, pass); err != nil {
				return nil, err
			}
		}
		size := meter.SizeOf(texts)
		out = append(out,
			meter.Figure{Name: "signatures", Unit: "MB/s per core", Value: meter.Rate(size, seconds[0])},
			meter.Figure{Name: "signatures, in documents", Unit: "docs/s per core", Value: float64(len(texts)) / seconds[0]},
			meter.Figure{Name: "signatures as datatrove's", Unit: "MB/s per core", Value: meter.Rate(size, seconds[1])},
			meter.Figure{Name: "minhash-lsh's Minhash on the same shingles", Unit: "MB/s per core", Value: meter.Rate(size, seconds[2])},
			meter.Figure{Name: "signatures, times that", Value: seconds[2] / seconds[0]},
		)
		scale, err := measureScale(ctx, min(groupDocs, o.Docs), o.Memory)
		if err != nil {
			return nil, err
		}
		out = append(out, meter.Figure{Name: "grouping and clustering", Unit: "docs/s per core", Value: float64(min(groupDocs, o.Docs)) / (scale.group + scale.resolve)})
		spans, err := measureSpans(ctx, texts, o.Memory)
		return append(out, spans...), err
	}, nil
}

func sketchAll(stage winnow.Corpus, texts []meter.Text) error {
	d := &winnow.Document{}
	for _, t := range texts {
		d.Text, d.Language = t.Body, t.Language
		if _, err := stage.Sketch(d, func(winnow.Record) {}); err != nil {
			return err
		}
	}
	return nil
}

// libraryAll makes the library's signatures of the same shingles, which it is given as 8-byte hashes.
func libraryAll(n *dedup.Near, texts []meter.Text) error {
	d := &winnow.Document{}
	var hashes []uint64
	var raw [8]byte
	bands, rows := n.Params()
	for _, t := range texts {
		d.Text, d.Language = t.Body, t.Language
		m := minhashlsh.NewMinhash(1, bands*rows)
		hashes = n.Shingles(hashes[:0], d)
		for _, h := range hashes {
			binary.LittleEndian.PutUint64(raw[:], h)
			m.Push(raw[:])
		}
		m.Signature()
	}
	return nil
}

// measureSpans cuts spans of at least 50 tokens out of the texts: sketches, groups, comparison of texts, outcomes.
func measureSpans(ctx context.Context, texts []meter.Text, memory int64) ([]meter.Figure, error) {
	stage, err := cut.New(cut.Options{Method: cut.Span})
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "winnow-bench-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	var docs []*winnow.Document
	size := 0
	for i, t := range texts {
		if size > spanBytes {
			break
		}
		docs = append(docs, &winnow.Document{ID: string(binary.BigEndian.AppendUint64(nil, uint64(i))), Text: t.Body})
		size += len(t.Body)
	}
	begin := meter.ProcessorTime()
	outcomes, err := compare.Once(ctx, stage, slices.Collect(slices.Chunk(docs, 4096)), dir, memory)
	if err != nil {
		return nil, err
	}
	seconds, removed := (meter.ProcessorTime() - begin).Seconds(), 0
	for _, o := range outcomes {
		for _, e := range o.Edits {
			removed += e.End - e.Start
		}
	}
	return []meter.Figure{
		{Name: "spans", Unit: "MB/s per core", Value: meter.Rate(int64(size), seconds)},
		{Name: "spans, cut out of documents that stay", Unit: "% of the bytes", Value: 100 * float64(removed) / float64(size)},
	}, nil
}
