package crawl

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"strconv"

	"winnow"
)

// part is one range of a file while it is read. As an io.ReaderAt it counts the bytes for progress, hashes files that are read
// whole, and remembers the error of a failing disk, which decoders would take for damage.
type part struct {
	winnow.Range
	o     Options
	size  int64
	file  winnow.File
	ctx   context.Context
	tally *winnow.Tally
	yield func(*winnow.Document, error) bool
	done  int64     // the file has been read up to here
	hash  hash.Hash // of the bytes up to done; nil where the part is not the whole file
	err   error
}

func newPart(ctx context.Context, r winnow.Range, f winnow.File, o Options, t *winnow.Tally) (*part, error) {
	if f.Size() < r.End {
		return nil, fmt.Errorf("%s: has %d bytes, had at least %d when it was cut into shards", r.File, f.Size(), r.End)
	}
	p := &part{Range: r, o: o, size: f.Size(), file: f, ctx: ctx, tally: t, done: r.Start}
	if r.Whole {
		p.hash = sha256.New()
	}
	return p, nil
}

// ReadAt implements io.ReaderAt.
func (p *part) ReadAt(b []byte, off int64) (int, error) {
	n, err := p.file.ReadAt(b, off)
	if err != nil && err != io.EOF {
		p.err = err
		return n, err
	}
	if end := off + int64(n); end > p.done {
		p.skip(off)
		if p.hash != nil {
			p.hash.Write(b[p.done-off : n])
		}
		p.advance(end)
	}
	return n, err
}

// skip takes in the bytes that a reader has jumped over.
func (p *part) skip(to int64) {
	if to > p.done && p.hash != nil {
		if _, err := io.Copy(p.hash, io.NewSectionReader(p.file, p.done, to-p.done)); err != nil {
			p.err = err
		}
	}
	p.advance(to)
}

func (p *part) advance(to int64) {
	if to > p.done {
		p.tally.Bytes.Add(min(to, p.End) - min(p.done, p.End))
		p.done = to
	}
}

// finish takes in what is left of the part, and states the hash of a whole file.
func (p *part) finish() {
	p.skip(p.End)
	if p.hash == nil || p.err != nil {
		return
	}
	if p.tally.Content == nil {
		p.tally.Content = make(map[string]string)
	}
	p.tally.Content[p.File] = hex.EncodeToString(p.hash.Sum(nil))
}

// broken is what ends the stream: a failing disk, or a caller that cancelled.
func (p *part) broken() error {
	if p.err != nil {
		return p.err
	}
	return p.ctx.Err()
}

// emit hands out a document, damage, both or nothing. False: stop.
func (p *part) emit(d *winnow.Document, bad *winnow.ReadError) bool {
	switch {
	case p.broken() != nil:
		return false
	case bad != nil:
		bad.File = p.File
		return p.yield(d, bad)
	case d != nil:
		return p.yield(d, nil)
	}
	return true
}

// content is the part as a stream.
func (p *part) content() io.Reader { return io.NewSectionReader(p, p.Start, p.End-p.Start) }

// id names a document that has no name of its own.
func (p *part) id(offset int64, index int) string {
	s := p.File + "\x00" + strconv.FormatInt(offset, 10)
	if index > 0 {
		s += "\x00" + strconv.Itoa(index)
	}
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:16])
}
