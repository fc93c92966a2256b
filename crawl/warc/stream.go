package warc

import (
	"errors"
	"io"
	"sort"

	"winnow"
)

// Stream is the decoded bytes of a packed file, one gzip member, zstd or lz4 frame behind the other, whatever is in them. It
// knows which member each byte came from.
type Stream struct {
	u      *unpacker
	open   bool
	ahead  []byte // decoded bytes of the member, read before any was handed out
	held   []byte // of ahead, not handed out yet
	at     int64  // decoded bytes handed out
	starts []mark
	end    int64
	bound  int64
}

// provenMember is how many decoded bytes of a member are looked through before the first is handed out.
const provenMember = 2 << 20

// mark is where a member begins: in the file, and in the decoded bytes.
type mark struct{ file, decoded int64 }

// NewStream reads the size bytes of r from the member at start on; start 0 is the file's first. end is an offset at which
// a member begins, or the file's size. The file must be packed: see Packing.
func NewStream(r io.ReaderAt, size, start, end int64) (*Stream, error) {
	u, err := newUnpacker(newInput(r, size, 128<<10))
	if err != nil {
		u.close()
		return nil, err
	}
	if start > 0 {
		u.in.seek(start)
	}
	u.any = true
	return &Stream{u: u, end: end, bound: -1}, nil
}

// Read implements io.Reader. An error other than io.EOF is damage behind which it does not go on, except by Resume.
func (s *Stream) Read(p []byte) (int, error) {
	for {
		if !s.open {
			at := s.u.in.offset()
			if at >= s.end && s.bound < 0 {
				s.bound = s.at
			}
			switch err := s.u.open(); {
			case err == io.EOF:
				return 0, io.EOF
			case err != nil:
				return 0, err
			}
			s.starts = append(s.starts, mark{s.u.start, s.at})
			s.open = true
			if err := s.prove(); err != nil {
				return 0, err
			}
		}
		if len(s.held) > 0 {
			n := copy(p, s.held)
			s.held, s.at = s.held[n:], s.at+int64(n)
			return n, nil
		}
		n, err := s.u.dec.Read(p)
		s.at += int64(n)
		switch {
		case n > 0:
			return n, nil // decoders give their error again
		case err == io.EOF:
			s.open = false
		case err != nil:
			return 0, err
		}
	}
}

// prove reads the member that was opened ahead. The checksum stands at a member's end: of one that fits nothing is handed out
// before it has been seen.
func (s *Stream) prove() error {
	if s.ahead == nil {
		s.ahead = make([]byte, provenMember)
	}
	n, err := io.ReadFull(s.u.dec, s.ahead)
	s.held = s.ahead[:n]
	if err == io.ErrUnexpectedEOF { // of ReadFull, or of the decoder, which says it again
		_, err = s.u.dec.Read(s.ahead[n:])
	}
	if err != nil && err != io.EOF {
		s.held = nil
		return err
	}
	return nil
}

// Resume goes on behind damage, at the next place where members follow each other unharmed. It returns the bytes passed by,
// and false where there is no such place.
func (s *Stream) Resume() (lost int64, ok bool) {
	from := s.u.in.offset()
	s.held = nil
	at := s.u.anchor(s.u.start+1, s.u.in.size())
	s.open = false
	s.u.in.seek(at)
	return max(0, at-from), at < s.u.in.size()
}

// Bound is how many decoded bytes lie before end; -1 as long as it has not been met.
func (s *Stream) Bound() int64 { return s.bound }

// Where gives the member that the decoded byte at comes from, and how many bytes of the member lie before it. at must not go
// back from call to call.
func (s *Stream) Where(at int64) (member, inside int64) {
	i := sort.Search(len(s.starts), func(i int) bool { return s.starts[i].decoded > at }) - 1
	if i < 0 {
		return 0, at
	}
	s.starts = s.starts[i:]
	return s.starts[0].file, at - s.starts[0].decoded
}

// At is how many decoded bytes have been read.
func (s *Stream) At() int64 { return s.at }

// Close frees the decoders. It does not close the file.
func (s *Stream) Close() error {
	s.u.close()
	return nil
}

// Packing gives the rule that names damage of a packed file, error.gzip for instance, and why such a file is not cut where
// it is one member; both empty where the file is not packed.
func Packing(r io.ReaderAt) (rule, whole string) {
	var b [4]byte
	if n, err := r.ReadAt(b[:], 0); err != nil && !errors.Is(err, io.EOF) || n < len(b) {
		return "", ""
	}
	whys := [...]string{gzipped: winnow.WhyGzip, zstded: winnow.WhyZstd, lz4ed: winnow.WhyLZ4}
	for k := gzipped; k <= lz4ed; k++ {
		if m := packings[k].magic; string(b[:len(m)]) == string(m) {
			return packings[k].rule, whys[k]
		}
	}
	if b[0]&0xf0 == 0x50 && b[1] == 0x2a && b[2] == 0x4d && b[3] == 0x18 { // skippable frame: dictionary or index in front
		return packings[zstded].rule, winnow.WhyZstd
	}
	return "", ""
}
