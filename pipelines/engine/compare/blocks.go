package compare

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"iter"
	"os"
	"slices"

	"winnow"
	"winnow/shard/store"
)

// MaxBlock is the most bytes of one block with its head: what a distributed engine moves as one value.
const MaxBlock = 1 << 20

// blockHead is the bytes before a block's records: version (one byte), three of zeros, then shard, sequence and the number of
// blocks (uint32 each), then the checksum (CRC-32C) of these twelve bytes and the records; all little-endian.
const (
	blockHead    = 20
	blockVersion = 1
)

// Block is a piece of what one shard's sketch file holds for one partition: whole records, as they lie there.
type Block struct {
	Shard    int
	Sequence int // from 0
	Of       int // blocks that this partition of this shard has
	Records  []byte
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Append adds the block's bytes to raw.
func (b Block) Append(raw []byte) []byte {
	at := len(raw)
	raw = append(raw, blockVersion, 0, 0, 0)
	for _, n := range []int{b.Shard, b.Sequence, b.Of} {
		raw = binary.LittleEndian.AppendUint32(raw, uint32(n))
	}
	sum := crc32.Update(crc32.Checksum(raw[at+4:], castagnoli), castagnoli, b.Records)
	return append(binary.LittleEndian.AppendUint32(raw, sum), b.Records...)
}

// ParseBlock reads what Append wrote. The records are part of raw. A block that was damaged on its way is an error.
func ParseBlock(raw []byte) (b Block, err error) {
	if len(raw) < blockHead || raw[0] != blockVersion {
		return b, errors.New("block: no block of this version")
	}
	at := func(k int) int { return int(binary.LittleEndian.Uint32(raw[k:])) }
	b = Block{Shard: at(4), Sequence: at(8), Of: at(12), Records: raw[blockHead:]}
	if crc32.Update(crc32.Checksum(raw[4:16], castagnoli), castagnoli, b.Records) != binary.LittleEndian.Uint32(raw[16:]) {
		return b, fmt.Errorf("block: shard %d: block %d: its checksum is wrong", b.Shard, b.Sequence)
	}
	if b.Sequence >= b.Of {
		return b, fmt.Errorf("block: shard %d: block %d of %d", b.Shard, b.Sequence, b.Of)
	}
	return b, nil
}

// ReadBlocks calls emit with the blocks of some partitions of a sketch file, each in memory of its own: the same blocks
// whenever the same file is read.
func ReadBlocks(s *store.Store, path string, l winnow.Layout, shard int, parts []int, emit func(part int, block []byte) error) error {
	most := (MaxBlock - blockHead) / l.Bytes() * l.Bytes()
	for _, part := range parts {
		size, err := segmentSize(s, path, part)
		if err != nil {
			return err
		}
		b := Block{Shard: shard, Of: (size + most - 1) / most}
		for records, err := range cutRecords(readWhole(s, path, l, part), min(size, most)) {
			if err != nil {
				return err
			}
			b.Records = records
			if err := emit(part, b.Append(make([]byte, 0, blockHead+len(records)))); err != nil {
				return err
			}
			b.Sequence++
		}
	}
	return nil
}

// cutRecords joins small pieces of records to ones of so many bytes, but for the last. What it yields holds until the next step.
func cutRecords(pieces iter.Seq2[[]byte, error], size int) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		buf := make([]byte, 0, size)
		for piece, err := range pieces {
			if err != nil {
				yield(nil, err)
				return
			}
			for len(piece) > 0 {
				n := min(len(piece), size-len(buf))
				buf, piece = append(buf, piece[:n]...), piece[n:]
				if len(buf) == size {
					if !yield(buf, nil) {
						return
					}
					buf = buf[:0]
				}
			}
		}
		if len(buf) > 0 {
			yield(buf, nil)
		}
	}
}

// Blocks holds the blocks of one partition, which come in any order and may come twice, until Group has read them.
type Blocks struct {
	layout winnow.Layout
	part   int
	limit  int64  // bytes of records in memory; what is more goes to a file
	folder string // of that file
	held   int64
	spill  *os.File
	end    int64 // of the file
	shards map[int][]piece
}

// piece is one block's records: in memory, or in the file.
type piece struct {
	records []byte
	offset  int64
	size    int
	there   bool
}

// NewBlocks makes room for a partition's blocks: so many bytes in memory, the rest in a file in folder.
func NewBlocks(l winnow.Layout, part int, limit int64, folder string) *Blocks {
	return &Blocks{layout: l, part: part, limit: limit, folder: folder, shards: map[int][]piece{}}
}

// Add takes one block, which stays the caller's. One that is there already is dropped, and so is one without any bytes, by which
// an engine makes a partition known that may have no records; one that contradicts what is there is an error.
func (s *Blocks) Add(raw []byte) error {
	if len(raw) == 0 {
		return nil
	}
	b, err := ParseBlock(raw)
	if err != nil {
		return err
	}
	if len(b.Records)%s.layout.Bytes() != 0 || b.Of > maxEntry/blockHead {
		return fmt.Errorf("block: shard %d: block %d: torn record", b.Shard, b.Sequence)
	}
	pieces := s.shards[b.Shard]
	if pieces == nil {
		pieces = make([]piece, b.Of)
		s.shards[b.Shard] = pieces
	}
	if len(pieces) != b.Of || pieces[b.Sequence].there && pieces[b.Sequence].size != len(b.Records) {
		return fmt.Errorf("block: shard %d: block %d: two attempts left different blocks", b.Shard, b.Sequence)
	}
	p := &pieces[b.Sequence]
	if p.there {
		return nil
	}
	p.size, p.there = len(b.Records), true
	if s.held += int64(p.size); s.held <= s.limit {
		p.records = slices.Clone(b.Records)
		return nil
	}
	if s.spill == nil {
		if s.spill, err = os.CreateTemp(s.folder, "blocks-"); err != nil {
			return err
		}
	}
	p.offset = s.end
	s.end += int64(p.size)
	_, err = s.spill.Write(b.Records)
	return err
}

// complete tells whether every shard of which a block came has all its blocks.
func (s *Blocks) complete() error {
	for shard, pieces := range s.shards {
		for k, p := range pieces {
			if !p.there {
				return fmt.Errorf("block: shard %d: block %d of %d never came", shard, k, len(pieces))
			}
		}
	}
	return nil
}

// size is the bytes of one shard's records.
func (s *Blocks) size(shard int) (n int) {
	for _, p := range s.shards[shard] {
		n += p.size
	}
	return n
}

// read yields one shard's records in order. What it yields holds until the next step.
func (s *Blocks) read(shard int) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		var buf []byte
		for _, p := range s.shards[shard] {
			b := p.records
			if b == nil {
				buf = slices.Grow(buf[:0], p.size)[:p.size]
				if _, err := io.ReadFull(io.NewSectionReader(s.spill, p.offset, int64(p.size)), buf); err != nil {
					yield(nil, fmt.Errorf("%s: %w", s.spill.Name(), err))
					return
				}
				b = buf
			}
			if !yield(b, nil) {
				return
			}
		}
	}
}

// Close removes the file.
func (s *Blocks) Close() error {
	if s.spill == nil {
		return nil
	}
	return errors.Join(s.spill.Close(), os.Remove(s.spill.Name()))
}
