package winnow

import (
	"context"
	"fmt"
	"io"
	"iter"
	"strings"
	"sync/atomic"
)

// Source reads documents. It is cut into shards before a run; the cut depends on the input alone, never on the number of
// workers.
type Source interface {
	// Shards lists the inputs in a fixed order. Cutting a large file needs a look at its bytes, so it may fail.
	Shards(ctx context.Context) ([]Shard, error)
	// Read streams one shard in order, one record at a time and in bounded memory. An error that is a *ReadError is
	// about the input, and reading goes on; any other ends the stream. Progress and counts go to t.
	Read(ctx context.Context, s Shard, t *Tally) iter.Seq2[*Document, error]
}

// Shard is a piece of the input that one task reads: about 256 MB of one large file, or many small files together.
type Shard struct {
	Source      string  `json:"source"` // which reader: warc, html, tar, jsonl, parquet
	Parts       []Range `json:"parts"`
	Fingerprint string  `json:"fingerprint"` // hash of names, ranges, sizes and samples of the bytes; changes when the input does
}

// Bytes is the size of the shard as it lies on disk.
func (s Shard) Bytes() (n int64) {
	for _, p := range s.Parts {
		n += p.End - p.Start
	}
	return n
}

// Range is a part of one file. The records that start in [Start, End) belong to it.
type Range struct {
	File  string `json:"file"`
	Start int64  `json:"start"`
	End   int64  `json:"end"` // the file's size where the range reaches its end
	Whole bool   `json:"whole,omitempty"`
	Uncut string `json:"uncut,omitempty"` // why a range that is larger than wanted is not cut: a Why* constant
}

// Reasons why a file, or what is left of it, cannot be cut into shards.
const (
	WhyGzip    = "gzip_member" // one gzip member: its middle cannot be decoded
	WhyZstd    = "zstd_frame"  // one zstd frame
	WhyLZ4     = "lz4"         // blocks of an lz4 frame may lean on those before
	WhyArray   = "json_array"  // one JSON array has no place that is known to lie between two rows
	WhyLengths = "lengths"     // the lengths in a plain archive do not lead from record to record
	WhyGroup   = "row_group"   // one row group of a parquet file
	WhyRanges  = "no_ranges"   // its HTTP server gives whole files only
	WhyKind    = "kind"        // pages and tar files are read from end to end
)

// File is one input as its bytes, on the disk or behind a network. ReadAt is safe where no two calls run at once; an error of
// it other than io.EOF is the machine's or the network's, after all that could be tried.
type File interface {
	io.ReaderAt
	io.Closer
	Size() int64  // bytes
	Tag() string  // told by a server (ETag, date), changes when the content does; empty for a file of the disk
	Ranged() bool // parts of it can be read alone; false: it is fetched whole
}

// Files finds and opens inputs that are named by URLs.
type Files interface {
	// Glob lists the names that a pattern stands for, in a fixed order: a name itself, or all that match. wants tells which
	// names are taken where the pattern is a folder.
	Glob(ctx context.Context, pattern string, wants func(name string) bool) ([]string, error)
	Open(ctx context.Context, name string) (File, error)
}

// Redacted is the name of an input for messages: a URL without user name, password and query, which may hold secrets. Such URLs
// are refused, but only after they were written down.
func Redacted(name string) string {
	scheme, rest, ok := strings.Cut(name, "://")
	if !ok {
		return name
	}
	host, path, slash := strings.Cut(rest, "/")
	host = host[strings.LastIndexByte(host, '@')+1:]
	if scheme != "s3" {
		path, _, _ = strings.Cut(path, "?")
		host, _, _ = strings.Cut(host, "?")
	}
	if slash {
		host += "/"
	}
	return scheme + "://" + host + path
}

// Tally counts what was read, beside the documents themselves.
type Tally struct {
	Bytes   atomic.Int64      // bytes consumed on disk so far; may be read at any time, for progress
	Records map[string]int64  // records by kind (WARC-Type, "tar entry", "row"), documents included; nil until the first
	Content map[string]string // sha256 by file, for parts that were read whole
}

// Count adds one record of a kind.
func (t *Tally) Count(kind string) {
	if t.Records == nil {
		t.Records = make(map[string]int64)
	}
	t.Records[kind]++
}

// ReadError is damage in the input. With a Document beside it, it becomes that document's verdict and is counted; alone,
// it tells of bytes that no document could be made of, and is listed with the run. The rest of the input is read all the
// same.
type ReadError struct {
	Rule   string // error.*: error.gzip, error.truncated, error.record, error.http, error.json, error.size, error.open
	File   string
	Offset int64 // where the damage was met, as Document.Offset
	Lost   int64 // bytes skipped to go on, where known
	Err    error
}

func (e *ReadError) Error() string {
	return fmt.Sprintf("%s: byte %d: %s: %v", e.File, e.Offset, e.Rule, e.Err)
}

func (e *ReadError) Unwrap() error { return e.Err }
