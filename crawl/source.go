package crawl

import (
	"context"
	"fmt"
	"io"
	"iter"

	"winnow"
	"winnow/crawl/warc"
)

// Keys of Document.Meta that the sources of this package set, beside those of package winnow.
const (
	MetaPath      = "path"      // name of the entry within a tar file
	MetaTruncated = "truncated" // WARC-Truncated: why the crawler did not store the whole page
)

// Options says how input is cut and named. The zero Options are good for Common Crawl and for files in FineWeb's columns.
type Options struct {
	ShardBytes int64  // bytes on disk that a shard aims at; 0: an eighth of the input, from 16 to 256 MiB
	MaxRecord  int64  // bytes of one record, page or row that are read; 0: 32 MiB
	Dump       string // Document.Dump; empty: CC-MAIN-YYYY-WW in the path, else isPartOf of the warcinfo record

	Text, ID, URL, Date string // columns of JSONL rows; empty: text, id, url, date

	Files winnow.Files // finds and opens patterns that are URLs; nil: they are refused
}

func (o Options) withDefaults() Options {
	def := func(s *string, v string) {
		if *s == "" {
			*s = v
		}
	}
	if o.MaxRecord <= 0 {
		o.MaxRecord = warc.MaxRecord
	}
	def(&o.Text, "text")
	def(&o.ID, "id")
	def(&o.URL, "url")
	def(&o.Date, "date")
	return o
}

// source is a winnow.Source over files. What differs from kind to kind is how a file is cut and how a part is read.
type source struct {
	kind     string
	exts     []string // which files of a folder are read
	patterns []string
	o        Options
	tags     map[string]string                                      // by URL: size and what its server tells of its content
	cut      func(r io.ReaderAt, size, target, reach int64) []int64 // nil: files are not cut
	read     func(p *part) bool                                     // false: the consumer has had enough
}

// WARC reads archives: WARC 0.x to 1.1, WET, WAT and ARC 1.x, plain or packed with gzip, zstd or lz4. Each response, resource
// and conversion record is a document. The others are counted: metadata, of which a WAT file is made; revisit, whose page is
// another record's; continuation, a piece of a segmented record. The first piece of such a record is a document with an error, since
// the pieces, which may lie in several files, are not joined. A WACZ file is a zip of WARC files, and is declined.
func WARC(patterns []string, o Options) winnow.Source {
	return &source{kind: "warc", patterns: patterns, o: o.withDefaults(), cut: warc.Cut, read: readWARC,
		exts: withPacked(".warc", ".wet", ".wat", ".arc")}
}

// HTML reads files, and folders with all that is below them: each file is one page, .txt is text.
func HTML(patterns []string, o Options) winnow.Source {
	return &source{kind: "html", patterns: patterns, o: o.withDefaults(), read: readFile, exts: pageExts}
}

// Tar reads the pages in tar files, plain or packed with gzip, zstd or lz4. Entries that are no pages by their names are
// counted.
func Tar(patterns []string, o Options) winnow.Source {
	return &source{kind: "tar", patterns: patterns, o: o.withDefaults(), read: readTar,
		exts: append(withPacked(".tar"), ".tgz")}
}

// JSONL reads one JSON object a line, or a file that is one JSON array of objects; plain or packed with gzip, zstd or lz4. The
// columns named by Options, html, and those of Document are taken; other scalars go to Meta.
func JSONL(patterns []string, o Options) winnow.Source {
	return &source{kind: "jsonl", patterns: patterns, o: o.withDefaults(), cut: cutRows, read: readJSONL,
		exts: withPacked(".jsonl", ".ndjson", ".json")}
}

// withPacked gives the endings of files that may be packed.
func withPacked(exts ...string) (all []string) {
	for _, ext := range exts {
		all = append(all, ext, ext+".gz", ext+".zst", ext+".lz4")
	}
	return all
}

// Read implements winnow.Source.
func (s *source) Read(ctx context.Context, sh winnow.Shard, t *winnow.Tally) iter.Seq2[*winnow.Document, error] {
	return func(yield func(*winnow.Document, error) bool) {
		for _, r := range sh.Parts {
			if !s.readPart(ctx, r, t, yield) {
				return
			}
		}
	}
}

func (s *source) readPart(ctx context.Context, r winnow.Range, t *winnow.Tally, yield func(*winnow.Document, error) bool) bool {
	f, err := winnow.OpenFile(ctx, r.File, s.o.Files)
	if err != nil && winnow.IsURL(r.File) { // the network's fault, not the input's
		yield(nil, err)
		return false
	}
	if err != nil {
		t.Bytes.Add(r.End - r.Start)
		return yield(nil, &winnow.ReadError{Rule: "error.open", File: r.File, Offset: r.Start, Lost: r.End - r.Start, Err: err})
	}
	defer f.Close()
	p, err := newPart(ctx, r, f, s.o, t)
	if err != nil {
		yield(nil, err)
		return false
	}
	stopped := false
	p.yield = func(d *winnow.Document, err error) bool {
		stopped = !yield(d, err)
		return !stopped
	}
	if s.read(p) {
		p.finish()
	}
	if err := p.broken(); err != nil && !stopped {
		yield(nil, fmt.Errorf("%s: %w", r.File, err))
		return false
	}
	return !stopped
}
