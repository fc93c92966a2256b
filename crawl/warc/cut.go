package warc

import (
	"io"
)

// proof is the compressed length over which members must follow each other unharmed before a file is cut in front of them.
// Archives are themselves archived: their members then stand verbatim in the stored blocks of an outer member, but never
// for longer than one block, which is at most 64 KiB in gzip and 128 KiB in zstd.
const proof = 288 << 10

// Cut returns offsets, ascending and inside the file, at each of which a member, or in a plain file a record, begins: the
// first ones after each further target bytes. A file of one member, an lz4 file and the part of a plain file behind wrong
// lengths is not cut. Reading the pieces gives the same records as reading the file. reach is how many bytes are looked
// through for a member behind each target; 0: all.
func Cut(r io.ReaderAt, size, target, reach int64) []int64 {
	d := newReader(newInput(r, size, 16<<10))
	defer d.Close()
	if d.u.kind == plain {
		return d.hop(target)
	}
	return d.u.cuts(size, target, reach)
}

// CutStream is Cut for packed files of anything: the members need not begin with records.
func CutStream(r io.ReaderAt, size, target, reach int64) []int64 {
	u, err := newUnpacker(newInput(r, size, 16<<10))
	defer u.close()
	if err != nil || u.kind == plain {
		return nil
	}
	u.any = true
	return u.cuts(size, target, reach)
}

func (u *unpacker) cuts(size, target, reach int64) (cuts []int64) {
	if u.kind == lz4ed {
		return nil
	}
	if reach <= 0 {
		reach = size
	}
	for at := target; at < size; at += target {
		end := min(size, at+reach)
		if at = u.anchor(at, end); at >= end {
			break
		}
		cuts = append(cuts, at)
	}
	return cuts
}

// anchor returns the offset of the first member in [from, end) that is proven to be one; end or more where there is none.
func (u *unpacker) anchor(from, end int64) int64 {
	for {
		at := u.find(from, end)
		if at >= end || u.proven(at) {
			return at
		}
		from = at + 1
	}
}

func (u *unpacker) proven(at int64) bool {
	u.in.seek(at)
	for u.in.offset() < min(at+proof, u.in.size()) {
		err := u.open()
		if err == io.EOF { // behind a skippable frame
			break
		}
		if err != nil {
			return false
		}
		if _, err := io.Copy(io.Discard, u.dec); err != nil {
			return false
		}
	}
	return true
}

// hop goes from record to record of a plain file by their lengths.
func (r *Reader) hop(target int64) []int64 {
	var cuts []int64
	var rec Record
	in := r.u.in
	if r.u.open() != nil {
		return nil
	}
	for last := in.offset(); ; {
		at := r.position()
		if at-last >= target {
			cuts, last = append(cuts, at), at
		}
		rec.Header = rec.Header[:0]
		if r.readHeader(&rec) != nil || rec.Length < 0 || rec.Length >= in.size()-r.position() {
			return cuts
		}
		if rec.Length <= int64(r.br.Buffered()) {
			r.br.Discard(int(rec.Length))
		} else {
			in.seek(r.position() + rec.Length)
			r.br.Reset((*decoded)(r))
		}
		n, err := r.blank()
		if err != nil || !r.atBegin(n) {
			return cuts
		}
		r.br.Discard(n)
	}
}
