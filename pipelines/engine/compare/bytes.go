package compare

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/binary"
	"fmt"
	"io"
	"slices"
)

// byteSorter sorts byte strings, more of them than memory holds.
type byteSorter struct {
	dir   string
	limit int
	arena []byte
	items []item
	runs  []*spill
}

// item is one string in the arena; prefix is its first 8 bytes, big-endian.
type item struct {
	prefix   uint64
	from, to uint32
}

const itemBytes = 16

// maxArena keeps the offsets of items within 32 bits.
const maxArena = 1 << 31

func newByteSorter(dir string, memory int64) *byteSorter {
	return &byteSorter{dir: dir, limit: int(min(max(memory, 4096), maxArena))}
}

func (s *byteSorter) add(b []byte) error {
	if len(s.items) > 0 && len(s.arena)+len(b)+itemBytes*(len(s.items)+1) > s.limit {
		if err := s.flush(); err != nil {
			return err
		}
	}
	var head [8]byte
	copy(head[:], b)
	from := len(s.arena)
	s.arena = append(s.arena, b...)
	s.items = append(s.items, item{binary.BigEndian.Uint64(head[:]), uint32(from), uint32(len(s.arena))})
	return nil
}

func (s *byteSorter) bytes(i item) []byte { return s.arena[i.from:i.to] }

func (s *byteSorter) sort() {
	slices.SortFunc(s.items, func(a, b item) int {
		if a.prefix != b.prefix {
			return cmp.Compare(a.prefix, b.prefix)
		}
		return bytes.Compare(s.bytes(a), s.bytes(b))
	})
}

func (s *byteSorter) flush() error {
	s.sort()
	f, err := newSpill(s.dir)
	if err != nil {
		return err
	}
	s.runs = append(s.runs, f)
	out := bufio.NewWriterSize(f.file, 1<<18)
	for _, i := range s.items {
		if _, err := out.Write(binary.AppendUvarint(nil, uint64(i.to-i.from))); err != nil {
			return err
		}
		if _, err := out.Write(s.bytes(i)); err != nil {
			return err
		}
	}
	s.arena, s.items = s.arena[:0], s.items[:0]
	return out.Flush()
}

// reader gives all strings in order, once, until it tells of the end. What it gives holds until the next call.
func (s *byteSorter) reader() (func() ([]byte, bool, error), error) {
	s.sort()
	rest := s.items
	last := func() ([]byte, bool, error) {
		if len(rest) == 0 {
			return nil, false, nil
		}
		b := s.bytes(rest[0])
		rest = rest[1:]
		return b, true, nil
	}
	if len(s.runs) == 0 {
		return last, nil
	}
	var heads []head[[]byte]
	for _, r := range s.runs {
		in, err := r.reader(max(s.limit/(len(s.runs)+1), 1<<12))
		if err != nil {
			return nil, err
		}
		heads = append(heads, head[[]byte]{next: readStrings(in)})
	}
	m, err := merge(append(heads, head[[]byte]{next: last}), bytes.Compare)
	if err != nil {
		return nil, err
	}
	return m.next, nil
}

func readStrings(in *bufio.Reader) func() ([]byte, bool, error) {
	var buf []byte
	return func() ([]byte, bool, error) {
		n, err := binary.ReadUvarint(in)
		if err == io.EOF {
			return nil, false, nil
		}
		if err == nil {
			buf = slices.Grow(buf[:0], int(n))[:n]
			_, err = io.ReadFull(in, buf)
		}
		if err != nil {
			return nil, false, fmt.Errorf("spill: %w", err)
		}
		return buf, true, nil
	}
}

func (s *byteSorter) close() {
	for _, r := range s.runs {
		r.close()
	}
	s.arena, s.items, s.runs = nil, nil, nil
}
