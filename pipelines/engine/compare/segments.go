package compare

import (
	"encoding/binary"
	"fmt"
	"io"
	"iter"

	"winnow"
	"winnow/shard/store"
)

// A segment file holds numbered byte strings, so that one of them can be read without the others: the records of one
// partition, the outcomes of one shard. It is written in one go and in bounded memory: blocks of all segments, mixed; then
// for each block its segment (uint32), size (uint32) and offset (uint64); then their number (uint64); all little-endian.

// blockBytes is how much of one segment is held in memory while a file is written.
const blockBytes = 32 << 10

// maxEntry bounds one entry of a segment, so that a damaged size cannot ask for more.
const maxEntry = 1 << 30

type block struct {
	segment, size uint32
	offset        uint64
}

// Segments writes a segment file.
type Segments struct {
	w      io.Writer
	bufs   [][]byte
	blocks []block
	offset uint64
}

// NewSegments begins a file of n segments on w.
func NewSegments(w io.Writer, n int) *Segments { return &Segments{w: w, bufs: make([][]byte, n)} }

// Append adds to a segment what f appends to a buffer. An entry is never cut by the end of a block.
func (s *Segments) Append(segment int, f func([]byte) []byte) error {
	s.bufs[segment] = f(s.bufs[segment])
	if len(s.bufs[segment]) < blockBytes {
		return nil
	}
	return s.flush(segment)
}

func (s *Segments) flush(segment int) error {
	b := s.bufs[segment]
	if len(b) == 0 {
		return nil
	}
	s.blocks = append(s.blocks, block{uint32(segment), uint32(len(b)), s.offset})
	s.offset += uint64(len(b))
	s.bufs[segment] = b[:0]
	_, err := s.w.Write(b)
	return err
}

// Close writes what is left and the index. It does not close the writer below.
func (s *Segments) Close() error {
	for i := range s.bufs {
		if err := s.flush(i); err != nil {
			return err
		}
	}
	var foot []byte
	for _, b := range s.blocks {
		foot = binary.LittleEndian.AppendUint32(foot, b.segment)
		foot = binary.LittleEndian.AppendUint32(foot, b.size)
		foot = binary.LittleEndian.AppendUint64(foot, b.offset)
	}
	_, err := s.w.Write(binary.LittleEndian.AppendUint64(foot, uint64(len(s.blocks))))
	return err
}

// readBlocks yields the blocks of one segment, in order. What it yields holds until the next step.
func readBlocks(s *store.Store, path string, segment int) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		f, err := s.OpenWhole(path)
		if err != nil {
			yield(nil, err)
			return
		}
		defer f.Close()
		blocks, err := readIndex(f)
		if err != nil {
			yield(nil, fmt.Errorf("%s: %w", path, err))
			return
		}
		var buf []byte
		for _, b := range blocks {
			if b.segment != uint32(segment) {
				continue
			}
			if cap(buf) < int(b.size) {
				buf = make([]byte, b.size)
			}
			buf = buf[:b.size]
			if _, err := f.ReadAt(buf, int64(b.offset)); err != nil {
				yield(nil, fmt.Errorf("%s: segment %d: %w", path, segment, err))
				return
			}
			if !yield(buf, nil) {
				return
			}
		}
	}
}

// entries yields what parse takes off the front of a segment's blocks until they are used up. parse gives what is left.
func entries[T any](s *store.Store, path string, segment int, parse func(*T, []byte) ([]byte, error)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for b, err := range readBlocks(s, path, segment) {
			for err == nil && len(b) > 0 {
				var x T
				if b, err = parse(&x, b); err == nil && !yield(x, nil) {
					return
				}
			}
			if err != nil {
				yield(*new(T), fmt.Errorf("%s: %w", path, err))
				return
			}
		}
	}
}

// segmentSize is the bytes of one segment.
func segmentSize(s *store.Store, path string, segment int) (n int, err error) {
	f, err := s.OpenWhole(path)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	blocks, err := readIndex(f)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", path, err)
	}
	for _, b := range blocks {
		if b.segment == uint32(segment) {
			n += int(b.size)
		}
	}
	return n, nil
}

func readIndex(f winnow.File) ([]block, error) {
	size := f.Size()
	tail := make([]byte, 8)
	if size < 8 {
		return nil, fmt.Errorf("no index")
	}
	if _, err := f.ReadAt(tail, size-8); err != nil {
		return nil, err
	}
	n := binary.LittleEndian.Uint64(tail)
	if n > uint64(size-8)/16 {
		return nil, fmt.Errorf("the index is damaged")
	}
	raw := make([]byte, 16*n)
	start := size - 8 - int64(len(raw))
	if _, err := f.ReadAt(raw, start); err != nil {
		return nil, err
	}
	blocks := make([]block, n)
	for i := range blocks {
		b := raw[16*i:]
		blocks[i] = block{binary.LittleEndian.Uint32(b), binary.LittleEndian.Uint32(b[4:]), binary.LittleEndian.Uint64(b[8:])}
		if blocks[i].size > maxEntry || blocks[i].offset > uint64(start) || uint64(blocks[i].size) > uint64(start)-blocks[i].offset {
			return nil, fmt.Errorf("the index is damaged")
		}
	}
	return blocks, nil
}
