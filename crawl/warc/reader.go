package warc

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"slices"

	"winnow"
)

// MaxRecord is the most bytes of a record body that a Reader keeps where Options.MaxRecord is zero.
const MaxRecord = 32 << 20

// Options says which part of a file to read.
type Options struct {
	Start, End int64 // records that start in [Start, End) are read; End 0: to the end of the file
	MaxRecord  int64 // bytes of a body that are kept, the rest is passed over; 0: the constant MaxRecord
}

// Record is one record of an archive. ARC records carry the fields of a WARC header too.
type Record struct {
	Type   string // WARC-Type as it stands there; response or warcinfo for ARC
	Header Header // valid until the next call of Next; the strings in it stay
	Body   []byte // the block, valid until the next call of Next
	Length int64  // Content-Length; -1 where there is none
	Offset int64  // of the member that the record begins in; in a plain file, of the record
	Index  int    // how many records of the same member came before it; 0 in a plain file
}

// Reader reads an archive record by record. It passes by what is damaged and goes on behind it. It holds one record body and
// some buffers, never more than Options.MaxRecord and a constant.
type Reader struct {
	u      *unpacker
	br     *bufio.Reader // decoded bytes of the current member
	back   []byte        // decoded bytes given back, to be read first
	end    int64
	limit  int64
	inside bool // the current member has not been read to its end
	middle bool // a record has begun and not ended, so that it may go on in the next member
	index  int  // records begun in the current member
	wrong  int  // lengths of this member that did not hold
	err    error
	head   []byte
	rec    Record
}

// distrust is the number of wrong lengths in one member after which lengths are ignored, which bounds the time that goes
// into mending.
const distrust = 16

// NewReader returns a Reader of the size bytes of r. It tells the packing by the bytes, not by a name.
func NewReader(r io.ReaderAt, size int64, o Options) *Reader {
	d := newReader(newInput(r, size, 128<<10))
	if d.end = size; o.End > 0 {
		d.end = o.End
	}
	if d.limit = o.MaxRecord; d.limit <= 0 {
		d.limit = MaxRecord
	}
	if o.Start > 0 {
		d.u.in.seek(o.Start)
	}
	return d
}

func newReader(in *input) *Reader {
	u, err := newUnpacker(in)
	r := &Reader{u: u, err: err}
	r.br = bufio.NewReaderSize((*decoded)(r), 64<<10)
	return r
}

// Close frees the decoders. It does not close the file.
func (r *Reader) Close() { r.u.close() }

// Next returns the next record, io.EOF after the last. A *winnow.ReadError tells of damage: with a record beside it, that
// record is incomplete or doubtful; without one, bytes were passed over. Either way the next call goes on. There are no
// other errors, and File is left empty. What a failing disk gives looks like damage here, so the caller must watch r.
func (r *Reader) Next() (*Record, error) {
	if err := r.err; err != nil {
		r.err = nil
		return nil, &winnow.ReadError{Rule: packings[r.u.kind].rule, Err: err}
	}
	for {
		if !r.inside {
			if err := r.advance(); err != nil {
				return nil, err
			}
		}
		switch n, err := r.blank(); {
		case err == io.EOF:
			r.inside = false
		case err != nil:
			return nil, r.broken(err)
		default:
			r.br.Discard(n)
			if r.offset() >= r.end {
				return nil, io.EOF
			}
			return r.record()
		}
	}
}

// advance opens the next member.
func (r *Reader) advance() error {
	at := r.u.in.offset()
	if at >= r.end {
		return io.EOF
	}
	err := r.u.open()
	switch {
	case err == io.EOF:
		return io.EOF
	case err != nil:
		next := r.u.find(at+1, r.u.in.size())
		return &winnow.ReadError{Rule: packings[r.u.kind].rule, Offset: at, Lost: next - at, Err: err}
	}
	r.inside, r.index, r.wrong = true, 0, 0
	r.back = nil
	r.br.Reset((*decoded)(r))
	return nil
}

// record reads the record that is next.
func (r *Reader) record() (*Record, error) {
	rec := &r.rec
	*rec = Record{Header: rec.Header[:0], Body: rec.Body[:0], Offset: r.offset(), Index: r.index}
	if r.u.kind != plain {
		r.index++
	}
	r.middle = true
	err := r.readHeader(rec)
	r.middle = false
	switch {
	case errors.Is(err, errHeader):
		lost, end := r.upTo(nil)
		if end != nil && end != io.EOF {
			return nil, r.broken(end)
		}
		return nil, &winnow.ReadError{Rule: "error.record", Offset: rec.Offset, Lost: lost, Err: err}
	case err == io.EOF:
		r.inside = false
		return nil, &winnow.ReadError{Rule: "error.truncated", Offset: rec.Offset, Err: errors.New("ends within a record header")}
	case err != nil:
		return nil, r.broken(err)
	}
	if bad := r.readBody(rec); bad != nil {
		return rec, bad
	}
	if rec.Length > r.limit {
		return rec, &winnow.ReadError{Rule: "error.size", Offset: rec.Offset, Lost: rec.Length - r.limit,
			Err: fmt.Errorf("record of %d bytes, limit %d", rec.Length, r.limit)}
	}
	return rec, nil
}

// readBody reads the block and checks that a record begins, or the member ends, where the block should end. It does so
// before the record is handed out, because a checksum stands at the end of its member.
func (r *Reader) readBody(rec *Record) *winnow.ReadError {
	if rec.Length < 0 || r.wrong > distrust {
		return r.readOpen(rec)
	}
	start := r.position()
	r.middle = true
	err := r.fill(rec)
	r.middle = false
	filled := err == nil
	if filled {
		var n int
		if n, err = r.blank(); err == nil && r.atBegin(n) {
			r.br.Discard(n)
			return nil
		}
		if err == io.EOF {
			r.inside = false
			return nil
		}
	}
	if err != nil && err != io.EOF {
		return r.broken(err)
	}
	return r.mend(rec, start, filled)
}

// fill reads the body, as far as the limit, and passes over the rest. The buffer grows with what is really there, not with
// what the header claims.
func (r *Reader) fill(rec *Record) error {
	keep := min(rec.Length, r.limit)
	for have := int64(0); have < keep; {
		step := min(keep-have, max(have, 64<<10))
		rec.Body = slices.Grow(rec.Body, int(step))
		n, err := io.ReadFull(r.br, rec.Body[have:have+step])
		have += int64(n)
		rec.Body = rec.Body[:have]
		if err == io.ErrUnexpectedEOF { // of ReadFull: the member came to its end, unharmed
			err = io.EOF
		}
		if err != nil {
			return err
		}
	}
	_, err := io.CopyN(io.Discard, r.br, rec.Length-keep)
	return err
}

// readOpen reads a block whose length is not known, up to the next line that begins a record.
func (r *Reader) readOpen(rec *Record) *winnow.ReadError {
	n, err := r.upTo(rec)
	if err != nil && err != io.EOF {
		return r.broken(err)
	}
	rec.Body = trimEnd(rec.Body)
	if int64(len(rec.Body)) == rec.Length {
		return nil
	}
	if n > r.limit {
		return &winnow.ReadError{Rule: "error.size", Offset: rec.Offset, Lost: n - r.limit,
			Err: fmt.Errorf("record of %d bytes, limit %d", n, r.limit)}
	}
	return &winnow.ReadError{Rule: "error.length", Offset: rec.Offset,
		Err: fmt.Errorf("Content-Length %q, but %d bytes", rec.Header.Get("Content-Length"), len(rec.Body))}
}

// mend finds where a record really ends whose length did not hold: within the body that was read, or behind it.
func (r *Reader) mend(rec *Record, start int64, filled bool) *winnow.ReadError {
	r.wrong++
	bad := &winnow.ReadError{Rule: "error.length", Offset: rec.Offset}
	whole := r.u.kind == plain || int64(len(rec.Body)) < r.limit // nothing was passed over that cannot be given back
	if i := findBegin(rec.Body); i >= 0 && whole {
		r.giveBack(rec.Body[i:], start+int64(i))
		rec.Body = trimEnd(rec.Body[:i])
		bad.Err = fmt.Errorf("Content-Length %d, but the next record begins after %d bytes", rec.Length, i)
		return bad
	}
	if filled {
		lost, err := r.upTo(nil)
		if err != nil && err != io.EOF {
			return r.broken(err)
		}
		bad.Lost, bad.Err = lost, fmt.Errorf("Content-Length %d, but %d bytes more", rec.Length, lost)
		return bad
	}
	r.inside = false
	if r.u.in.offset() >= r.u.in.size() {
		bad.Rule = "error.truncated"
	}
	bad.Err = fmt.Errorf("Content-Length %d, but %d bytes", rec.Length, len(rec.Body))
	return bad
}
