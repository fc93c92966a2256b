package pipelines

import (
	"context"
	"fmt"
	"iter"

	"winnow"
	"winnow/crawl"
	"winnow/crawl/remote"
	"winnow/shard"
)

// sources reads from several readers, one after another. A shard names the reader that cut it.
type sources map[string]winnow.Source

// order is that of the recipe's fields: it decides the order of documents in the output.
var order = []string{"warc", "html", "tar", "jsonl", "parquet"}

func (r *Recipe) source() winnow.Source {
	in := r.Input
	far := remote.New(remote.Options{})
	o := crawl.Options{
		ShardBytes: int64(in.ShardSize), Dump: in.Dump, Files: far,
		Text: in.Columns.Text, ID: in.Columns.ID, URL: in.Columns.URL, Date: in.Columns.Date,
	}
	all := sources{}
	if len(in.WARC) > 0 {
		all["warc"] = crawl.WARC(in.WARC, o)
	}
	if len(in.HTML) > 0 {
		all["html"] = crawl.HTML(in.HTML, o)
	}
	if len(in.Tar) > 0 {
		all["tar"] = crawl.Tar(in.Tar, o)
	}
	if len(in.JSONL) > 0 {
		all["jsonl"] = crawl.JSONL(in.JSONL, o)
	}
	if len(in.Parquet) > 0 {
		all["parquet"] = shard.Source(in.Parquet, shard.SourceOptions{
			Text: in.Columns.Text, ID: in.Columns.ID, URL: in.Columns.URL, Date: in.Columns.Date, Dump: in.Dump, ShardBytes: int64(in.ShardSize), Files: far,
		})
	}
	return all
}

// Shards lists the shards of every reader.
func (s sources) Shards(ctx context.Context) ([]winnow.Shard, error) {
	var all []winnow.Shard
	for _, kind := range order {
		if s[kind] == nil {
			continue
		}
		shards, err := s[kind].Shards(ctx)
		if err != nil {
			return nil, err
		}
		all = append(all, shards...)
	}
	return all, nil
}

// Read streams a shard from the reader that cut it.
func (s sources) Read(ctx context.Context, sh winnow.Shard, t *winnow.Tally) iter.Seq2[*winnow.Document, error] {
	if s[sh.Source] == nil {
		return func(yield func(*winnow.Document, error) bool) {
			yield(nil, fmt.Errorf("shard of %s: no such reader in this recipe", sh.Source))
		}
	}
	return s[sh.Source].Read(ctx, sh, t)
}
