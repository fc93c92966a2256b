package crawl

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"winnow"
	"winnow/crawl/warc"
)

const (
	maxParts   = 4096     // files that are joined into one shard at most
	sampleSize = 64 << 10 // bytes at either end of a file that go into the fingerprint
	farReach   = 32 << 20 // bytes behind each target in which the next member is looked for, in a file behind a network
)

// Shards implements winnow.Source. It fails where a pattern matches nothing; a file that cannot be opened is for Read to tell.
func (s *source) Shards(ctx context.Context) ([]winnow.Shard, error) {
	files, err := s.expand(ctx)
	if err != nil {
		return nil, err
	}
	sizes, err := s.sizes(ctx, files)
	if err != nil {
		return nil, err
	}
	target := s.target(sizes)
	var shards []winnow.Shard
	var parts []winnow.Range // small files, not yet a shard
	var bytes int64
	samples := make(map[string]string, len(files))
	add := func(p ...winnow.Range) {
		if len(p) > 0 {
			shards = append(shards, winnow.Shard{Source: s.kind, Parts: p, Fingerprint: s.fingerprint(p, samples)})
		}
	}
	for i, name := range files {
		ranges, sample, err := s.survey(ctx, name, sizes[i], target)
		if err != nil {
			return nil, err
		}
		samples[name] = sample
		if len(ranges) > 1 {
			add(parts...)
			parts, bytes = nil, 0
			for _, r := range ranges {
				add(r)
			}
			continue
		}
		if bytes+sizes[i] > target || len(parts) == maxParts {
			add(parts...)
			parts, bytes = nil, 0
		}
		parts, bytes = append(parts, ranges...), bytes+sizes[i]
	}
	add(parts...)
	return shards, nil
}

// target is the size of a shard. Where none is asked for, a small input makes smaller shards, so that several workers have
// some, and one that is stopped begins little anew. It depends on the input alone.
func (s *source) target(sizes []int64) (sum int64) {
	if s.o.ShardBytes > 0 {
		return s.o.ShardBytes
	}
	for _, n := range sizes {
		sum += n
	}
	return min(max(sum/8, 16<<20), 256<<20)
}

// survey cuts a file of a known size, and gives a hash of size and samples. A file of the disk that does not open is one
// range without a sample.
func (s *source) survey(ctx context.Context, name string, size, target int64) (ranges []winnow.Range, sample string, err error) {
	whole := []winnow.Range{{File: name, End: size, Whole: true}}
	if winnow.IsURL(name) && size <= target && s.tags[name] != "" { // nothing to look for in it
		return whole, s.tags[name], nil
	}
	f, err := winnow.OpenFile(ctx, name, s.o.Files)
	if err != nil && winnow.IsURL(name) {
		return nil, "", err
	}
	if err != nil {
		return whole, "", nil
	}
	defer f.Close()
	if sample = s.tags[name]; sample == "" {
		if sample, err = sampleOf(f, size); err != nil {
			return nil, "", fmt.Errorf("%s: %w", name, err)
		}
	}
	if size <= target {
		return whole, sample, nil
	}
	in := &winnow.WatchedFile{File: f}
	var cuts []int64
	if s.cut != nil && f.Ranged() {
		reach := int64(0)
		if winnow.IsURL(name) {
			reach = farReach
		}
		cuts = s.cut(in, size, target, reach)
	}
	why := s.why(in, len(cuts) == 0)
	if in.Err != nil && (winnow.IsURL(name) || ctx.Err() != nil) {
		return nil, "", fmt.Errorf("%s: %w", name, in.Err)
	}
	if len(cuts) == 0 {
		whole[0].Uncut = why
		return whole, sample, nil
	}
	var start int64
	for _, end := range append(cuts, size) {
		r := winnow.Range{File: name, Start: start, End: end}
		if end-start > 2*target {
			r.Uncut = why
		}
		ranges, start = append(ranges, r), end
	}
	return ranges, sample, nil
}

// why tells the reason why a file, or a stretch of it, is not cut.
func (s *source) why(f winnow.File, whole bool) string {
	switch {
	case s.cut == nil:
		return winnow.WhyKind
	case !f.Ranged():
		return winnow.WhyRanges
	}
	if _, why := warc.Packing(f); why != "" {
		return why
	}
	if s.kind == "jsonl" && whole {
		return winnow.WhyArray
	}
	return winnow.WhyLengths
}

// sampleOf hashes a file's size and what stands at its ends.
func sampleOf(f winnow.File, size int64) (string, error) {
	h := sha256.New()
	fmt.Fprintln(h, size)
	for _, at := range []int64{0, max(0, size-sampleSize)} {
		if _, err := io.Copy(h, io.NewSectionReader(f, at, sampleSize)); err != nil {
			return "", err
		}
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// fingerprint covers all that the documents of a shard depend on.
func (s *source) fingerprint(parts []winnow.Range, samples map[string]string) string {
	h := sha256.New()
	fmt.Fprintf(h, "%s %d %q %q %q %q %q\n", s.kind, s.o.MaxRecord, s.o.Dump, s.o.Text, s.o.ID, s.o.URL, s.o.Date)
	for _, p := range parts {
		fmt.Fprintf(h, "%q %d %d %s\n", p.File, p.Start, p.End, samples[p.File])
	}
	return hex.EncodeToString(h.Sum(nil))
}

// wants tells whether a file of a folder is read.
func (s *source) wants(path string) bool {
	name := strings.ToLower(filepath.Base(path))
	return slices.ContainsFunc(s.exts, func(ext string) bool { return strings.HasSuffix(name, ext) })
}
