package warc

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"

	"winnow"
)

// decoded is a Reader as the stream of decoded bytes of its current member.
type decoded Reader

var errCut = fmt.Errorf("cut off: %w", io.ErrUnexpectedEOF)

// Read implements io.Reader. io.EOF means that the member ended unharmed.
func (d *decoded) Read(p []byte) (int, error) {
	if len(d.back) > 0 {
		n := copy(p, d.back)
		d.back = d.back[n:]
		return n, nil
	}
	for {
		n, err := d.u.dec.Read(p)
		switch {
		case n > 0:
			return n, nil // decoders give their error again
		case err == io.ErrUnexpectedEOF:
			return 0, errCut
		case err != io.EOF || !d.middle || !d.u.goOn():
			return 0, err
		}
	}
}

// position is how far a plain file has been read.
func (r *Reader) position() int64 { return r.u.in.offset() - int64(r.br.Buffered()) }

// offset is what a record that begins here gives as its Offset.
func (r *Reader) offset() int64 {
	if r.u.kind == plain {
		return r.position()
	}
	return r.u.start
}

// giveBack makes tail, which stands at the position at of a plain file, the next bytes to be read.
func (r *Reader) giveBack(tail []byte, at int64) {
	if r.u.kind == plain {
		r.u.in.seek(at)
	} else {
		rest, _ := r.br.Peek(r.br.Buffered())
		r.back = slices.Concat(tail, rest, r.back)
	}
	r.br.Reset((*decoded)(r))
}

// blank counts the line ends that are next. It fails where the member holds nothing else any more, with io.EOF where it
// ended unharmed.
func (r *Reader) blank() (int, error) {
	for {
		p, err := r.br.Peek(maxPeek)
		if n := len(p) - len(bytes.TrimLeft(p, "\r\n")); n < len(p) {
			return n, nil
		}
		if err != nil {
			return 0, err
		}
		r.br.Discard(len(p))
	}
}

// atBegin tells whether a record begins after the next skip bytes.
func (r *Reader) atBegin(skip int) bool {
	p, _ := r.br.Peek(maxPeek)
	p = p[min(skip, len(p)):]
	const warc = "WARC/"
	return string(p[:min(len(p), len(warc))]) == warc[:min(len(p), len(warc))] || begins(p)
}

// upTo reads lines up to the next one that begins a record, or to the end of the member, into rec's body where rec is
// given. It returns the number of bytes.
func (r *Reader) upTo(rec *Record) (n int64, err error) {
	for start := true; ; {
		if start {
			if p, _ := r.br.Peek(maxPeek); begins(p) {
				return n, nil
			}
		}
		line, err := r.br.ReadSlice('\n')
		n += int64(len(line))
		if rec != nil {
			rec.Body = append(rec.Body, line[:min(int64(len(line)), r.limit-int64(len(rec.Body)))]...)
		}
		start = err == nil
		if err == io.EOF {
			r.inside = false
		}
		if err != nil && err != bufio.ErrBufferFull {
			return n, err
		}
	}
}

// trimEnd takes the two line ends off that follow a block.
func trimEnd(b []byte) []byte {
	for range 2 {
		b = bytes.TrimSuffix(bytes.TrimSuffix(b, []byte("\n")), []byte("\r"))
	}
	return b
}

// broken passes by a member that does not decode, and says so.
func (r *Reader) broken(err error) *winnow.ReadError {
	u := r.u
	met, start := u.in.offset(), u.start
	next := u.find(start+1, u.in.size())
	r.inside = false
	bad := &winnow.ReadError{Rule: packings[u.kind].rule, Offset: start, Lost: max(0, next-met), Err: err}
	if errors.Is(err, io.ErrUnexpectedEOF) && next == u.in.size() {
		bad.Rule = "error.truncated"
	}
	return bad
}
