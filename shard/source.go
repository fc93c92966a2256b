package shard

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"iter"
	"path/filepath"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"
	"github.com/parquet-go/parquet-go"

	"winnow"
)

// SourceOptions say which columns of a parquet file make a document. A name that is empty stands for the default; a file
// that lacks a column that is named cannot be read.
type SourceOptions struct {
	Text       string // default: text, else content; need not be there where there is a column of HTML
	HTML       string // default: html
	ID         string // default: id
	URL        string // default: url
	Date       string // default: date
	Dump       string // name of the crawl for all documents; default: the column dump
	ShardBytes int64  // aim for the size of a shard; default: an eighth of the input, from 16 to 256 MiB

	Files winnow.Files // finds and opens patterns that are URLs; nil: they are refused
}

// Source reads rows of any parquet file as documents: the columns above, and language, language_score, language_script,
// token_count, title and origin by name; a column meta that is a map of strings; other scalar columns go to
// Document.Meta under their names. Patterns are globs with **, relative to the working directory.
//
// Files are cut at row groups. A Range counts bytes: a row group belongs to the range that its first page starts in, the
// first one to the range that starts at 0. Rows that cannot be read are a *winnow.ReadError of rule error.parquet, with
// the row's number as Offset; a file that cannot be opened has the rule error.open. Reading goes on at the next row group.
func Source(patterns []string, o SourceOptions) winnow.Source { return &source{patterns, o} }

type source struct {
	patterns []string
	o        SourceOptions
}

// Shards cuts the files. Where all of them lack a column that is needed, that is an error, which lists those they have.
func (s *source) Shards(ctx context.Context) ([]winnow.Shard, error) {
	files, err := s.files(ctx)
	if err != nil {
		return nil, err
	}
	var pieces []winnow.Range
	var missing error
	usable := false
	prints := make(map[string]string, len(files))
	for _, path := range files {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		p, err := s.pieces(ctx, path, prints)
		switch {
		case errors.Is(err, errNoColumn):
			missing = cmp.Or(missing, err)
		case err != nil:
			return nil, err
		default:
			usable = true
		}
		pieces = append(pieces, p...)
	}
	if !usable && missing != nil {
		return nil, missing // of all files: the recipe's mistake, not the input's
	}
	return s.pack(pieces, prints), nil
}

// files lists the files that the patterns match, sorted within a pattern, each file once.
func (s *source) files(ctx context.Context) (files []string, err error) {
	seen := make(map[string]bool)
	for _, pattern := range s.patterns {
		found, err := s.match(ctx, pattern)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", winnow.Redacted(pattern), err)
		}
		if len(found) == 0 {
			return nil, fmt.Errorf("%s: no such file", winnow.Redacted(pattern))
		}
		for _, f := range found {
			if !seen[f] {
				seen[f] = true
				files = append(files, f)
			}
		}
	}
	return files, nil
}

func (s *source) match(ctx context.Context, pattern string) ([]string, error) {
	if winnow.IsURL(pattern) {
		if s.o.Files == nil {
			return nil, errors.New("URLs are not read here")
		}
		return s.o.Files.Glob(ctx, pattern, func(name string) bool { return strings.HasSuffix(name, ".parquet") })
	}
	found, err := doublestar.FilepathGlob(pattern, doublestar.WithFilesOnly())
	for i := range found {
		found[i] = filepath.Clean(found[i])
	}
	slices.Sort(found)
	return found, err
}

// pieces cuts a file at its row groups, and puts what tells its content into prints. A file without a readable footer is one
// piece. Whole marks a file's last piece.
func (s *source) pieces(ctx context.Context, path string, prints map[string]string) ([]winnow.Range, error) {
	in, err := winnow.OpenFile(ctx, path, s.o.Files)
	if err != nil && winnow.IsURL(path) {
		return nil, err
	}
	if err != nil {
		prints[path] = "unreadable"
		return []winnow.Range{{File: path, Whole: true}}, nil // which Read tells of
	}
	defer in.Close()
	w := &winnow.WatchedFile{File: in}
	size := in.Size()
	whole := []winnow.Range{{File: path, End: size, Whole: true}}
	prints[path] = sample(w)
	f, err := footer(w, size)
	if err == nil {
		_, err = s.bind(f)
	}
	if winnow.IsURL(path) && w.Err != nil {
		return nil, fmt.Errorf("%s: %w", path, w.Err)
	}
	if f == nil {
		return whole, nil // which Read tells of
	}
	if err != nil {
		return whole, err
	}
	starts := groupStarts(f)
	if len(starts) < 2 || starts[1] == 0 || !in.Ranged() {
		whole[0].Uncut = winnow.WhyGroup
		if !in.Ranged() {
			whole[0].Uncut = winnow.WhyRanges
		}
		return whole, nil
	}
	var pieces []winnow.Range
	for i, end := range append(starts[1:], size) {
		pieces = append(pieces, winnow.Range{File: path, Start: starts[i], End: end, Whole: end == size, Uncut: winnow.WhyGroup})
	}
	return pieces, nil
}

// groupStarts gives the offset of each row group, of which the first counts from 0. Offsets that do not ascend, as in
// damaged files, are set to 0, so that the file is not cut.
func groupStarts(f *parquet.File) []int64 {
	groups := f.Metadata().RowGroups
	starts := make([]int64, len(groups))
	for i := 1; i < len(groups); i++ {
		for _, c := range groups[i].Columns {
			at := c.MetaData.DataPageOffset
			if d := c.MetaData.DictionaryPageOffset; d > 0 {
				at = min(at, d)
			}
			if starts[i] == 0 || at < starts[i] {
				starts[i] = at
			}
		}
		if starts[i] <= starts[i-1] || starts[i] >= f.Size() {
			return make([]int64, len(groups))
		}
	}
	return starts
}

// pack joins pieces, in order, into shards of about the wanted size. Uncut stays on pieces that are far larger.
func (s *source) pack(pieces []winnow.Range, prints map[string]string) (shards []winnow.Shard) {
	want, size := s.target(pieces), int64(0)
	for _, p := range pieces {
		if n := len(shards); n == 0 || size+p.End-p.Start > want {
			shards = append(shards, winnow.Shard{Source: "parquet"})
			size = 0
		}
		if p.End-p.Start <= 2*want {
			p.Uncut = ""
		}
		size += p.End - p.Start
		parts := &shards[len(shards)-1].Parts
		if last := len(*parts) - 1; last >= 0 && (*parts)[last].File == p.File {
			(*parts)[last].End, (*parts)[last].Whole = p.End, p.Whole
			continue
		}
		*parts = append(*parts, p)
	}
	for i := range shards {
		for j := range shards[i].Parts {
			p := &shards[i].Parts[j]
			p.Whole = p.Whole && p.Start == 0
		}
		shards[i].Fingerprint = fingerprint(shards[i], prints)
	}
	return shards
}

// target is the size of a shard: as asked for, else smaller where the input is small, so that several workers have some.
func (s *source) target(pieces []winnow.Range) (sum int64) {
	if s.o.ShardBytes > 0 {
		return s.o.ShardBytes
	}
	for _, p := range pieces {
		sum += p.End - p.Start
	}
	return min(max(sum/8, 16<<20), 256<<20)
}

// fingerprint hashes the names and ranges of a shard's files, and what tells their content.
func fingerprint(shard winnow.Shard, prints map[string]string) string {
	sum := sha256.New()
	fmt.Fprintf(sum, "%s\n", shard.Source)
	for _, p := range shard.Parts {
		fmt.Fprintf(sum, "%q %d %d %s\n", p.File, p.Start, p.End, prints[p.File])
	}
	return hex.EncodeToString(sum.Sum(nil))
}

// sample tells a file's content by its size, and its server's tag or the first and last 64 KiB.
func sample(f winnow.File) string {
	const ends = 64 << 10
	if f.Tag() != "" {
		return fmt.Sprint(f.Size(), " ", f.Tag())
	}
	sum := sha256.New()
	fmt.Fprintln(sum, f.Size())
	io.Copy(sum, io.NewSectionReader(f, 0, ends))
	io.Copy(sum, io.NewSectionReader(f, max(0, f.Size()-ends), ends))
	return hex.EncodeToString(sum.Sum(nil))
}

// Read yields the rows of a shard in order.
func (s *source) Read(ctx context.Context, shard winnow.Shard, t *winnow.Tally) iter.Seq2[*winnow.Document, error] {
	return func(yield func(*winnow.Document, error) bool) {
		for _, part := range shard.Parts {
			p := &partReader{source: s, Range: part, tally: t, yield: yield}
			more := p.read(ctx)
			p.advance(part.End)
			if !more {
				return
			}
		}
	}
}

// partReader reads one Range.
type partReader struct {
	*source
	winnow.Range
	tally *winnow.Tally
	yield func(*winnow.Document, error) bool
	in    *winnow.WatchedFile
	done  int64 // bytes of the range that the tally has
}

// advance tells the tally that the range is read up to an offset of the file.
func (p *partReader) advance(to int64) {
	p.tally.Bytes.Add(to - p.Start - p.done)
	p.done = to - p.Start
}

// lose reports damage and tells whether to go on.
func (p *partReader) lose(rule string, row, bytes int64, err error) bool {
	return p.yield(nil, &winnow.ReadError{Rule: rule, File: p.File, Offset: row, Lost: bytes, Err: err})
}

func (p *partReader) read(ctx context.Context) bool {
	file, err := winnow.OpenFile(ctx, p.File, p.o.Files)
	if err != nil && winnow.IsURL(p.File) { // the network's fault, not the input's
		p.yield(nil, err)
		return false
	}
	if err != nil {
		return p.lose("error.open", 0, p.End-p.Start, err)
	}
	defer file.Close()
	in := &winnow.WatchedFile{File: file}
	p.in = in
	f, err := footer(in, in.Size())
	if in.Err != nil {
		p.yield(nil, fmt.Errorf("%s: %w", p.File, in.Err))
		return false
	}
	if err != nil {
		return p.lose("error.parquet", 0, p.End-p.Start, err)
	}
	starts := groupStarts(f)
	row := int64(0)
	for i, rg := range f.RowGroups() {
		if starts[i] >= p.Start && starts[i] < p.End {
			bindings, err := p.bind(f) // anew, since columns keep state, which damage may have left askew
			if err != nil {
				return p.lose("error.parquet", 0, p.End-p.Start, err)
			}
			end := p.End
			if i+1 < len(starts) {
				end = min(end, starts[i+1])
			}
			if !p.readGroup(ctx, newGroup(rg, bindings), row, starts[i], end) {
				return false
			}
		}
		row += rg.NumRows()
	}
	if !p.Whole {
		return true
	}
	sum := sha256.New()
	if _, err := io.Copy(sum, io.NewSectionReader(in, 0, f.Size())); err != nil {
		p.yield(nil, err)
		return false
	}
	if p.tally.Content == nil {
		p.tally.Content = make(map[string]string)
	}
	p.tally.Content[p.File] = hex.EncodeToString(sum.Sum(nil))
	return true
}

// readGroup yields the rows of one row group, which lies at [start, end) and begins with the given row of the file.
func (p *partReader) readGroup(ctx context.Context, g *rowGroup[winnow.Document], row, start, end int64) bool {
	defer g.close()
	all := g.left
	batch := make([]*winnow.Document, 32)
	for g.left > 0 {
		if err := ctx.Err(); err != nil {
			p.yield(nil, err)
			return false
		}
		at := start + int64(float64(end-start)*float64(all-g.left)/float64(all))
		p.advance(max(at, p.Start+p.done))
		n := int(min(g.left, int64(len(batch))))
		for i := range n {
			batch[i] = new(winnow.Document)
		}
		if err := g.read(batch[:n]); err != nil {
			if p.in.Err != nil { // the disk's fault or the network's, not the file's
				p.yield(nil, fmt.Errorf("%s: row %d: %w", p.File, row, p.in.Err))
				return false
			}
			return p.lose("error.parquet", row, end-at, err)
		}
		for _, d := range batch[:n] {
			p.tally.Count("row")
			p.finish(d, row)
			row++
			if !p.yield(d, nil) {
				return false
			}
		}
	}
	return true
}

// finish fills in what does not come from a column.
func (p *partReader) finish(d *winnow.Document, row int64) {
	d.File, d.Offset = p.File, row
	d.RawBytes = int64(len(d.Text) + len(d.HTML))
	d.Date = normalDate(d.Date)
	if p.o.Dump != "" {
		d.Dump = p.o.Dump
	}
	if d.ID == "" {
		sum := sha256.Sum256(fmt.Appendf(nil, "%s\x00%d", p.File, row))
		d.ID = hex.EncodeToString(sum[:16])
	}
	if d.HTML != nil && d.Meta[winnow.MetaContentType] == "" {
		d.SetMeta(winnow.MetaContentType, "text/html")
	}
}
