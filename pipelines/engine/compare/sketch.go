package compare

import (
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
	"math"

	"winnow"
	"winnow/shard/store"
)

// Sketch is what one document leaves for one Corpus stage.
type Sketch struct {
	Rank    winnow.Rank
	Records []winnow.Record // Doc not set: rows are numbered when they are written
}

// Make sketches one document.
func Make(c winnow.Corpus, d *winnow.Document) (s Sketch, err error) {
	s.Rank, err = c.Sketch(d, func(r winnow.Record) { s.Records = append(s.Records, r) })
	return s, err
}

// Sketches writes a sketch file: a segment for each hash partition, and a last one with the ranks, all by row.
type Sketches struct {
	*Segments
	layout winnow.Layout
}

// NewSketches begins a file on s.
func NewSketches(s *Segments, l winnow.Layout) *Sketches { return &Sketches{s, l} }

// SketchSegments is how many segments a sketch file has.
func SketchSegments(l winnow.Layout) int { return l.Partitions + 1 }

// Add writes the sketch of one row. Rows come in order.
func (s *Sketches) Add(row int, sk *Sketch) error {
	l := &s.layout
	for i := range sk.Records {
		r := &sk.Records[i]
		err := s.Append(int(r.Key[0]%uint64(l.Partitions)), func(b []byte) []byte {
			for k := range l.Keys {
				b = binary.LittleEndian.AppendUint64(b, r.Key[k])
			}
			b = binary.LittleEndian.AppendUint32(b, uint32(row))
			for k := range l.Data {
				b = binary.LittleEndian.AppendUint64(b, r.Data[k])
			}
			return b
		})
		if err != nil {
			return err
		}
	}
	return s.Append(l.Partitions, func(b []byte) []byte { return appendRank(b, row, &sk.Rank) })
}

func appendRank(b []byte, row int, r *winnow.Rank) []byte {
	b = binary.LittleEndian.AppendUint32(b, uint32(row))
	b = binary.LittleEndian.AppendUint64(b, math.Float64bits(r.Score))
	by := byte(0)
	if r.ByInput {
		by = 1
	}
	b = append(binary.AppendUvarint(append(b, by), uint64(len(r.ID))), r.ID...)
	return append(binary.AppendUvarint(b, uint64(len(r.Data))), r.Data...)
}

// readWhole yields the blocks of one partition, which hold whole records.
func readWhole(s *store.Store, path string, l winnow.Layout, part int) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		for b, err := range readBlocks(s, path, part) {
			if err == nil && len(b)%l.Bytes() != 0 {
				err = fmt.Errorf("%s: torn record", path)
			}
			if !yield(b, err) || err != nil {
				return
			}
		}
	}
}

// readRecords calls f for each record of one partition with its row, in the order in which they were added.
func readRecords(s *store.Store, path string, l winnow.Layout, part int, f func(row int, r *winnow.Record) error) error {
	size := l.Bytes()
	var r winnow.Record
	for b, err := range readWhole(s, path, l, part) {
		if err != nil {
			return err
		}
		for ; len(b) > 0; b = b[size:] {
			at := b[:size]
			for k := range l.Keys {
				r.Key[k], at = binary.LittleEndian.Uint64(at), at[8:]
			}
			row := binary.LittleEndian.Uint32(at)
			at = at[4:]
			for k := range l.Data {
				r.Data[k], at = binary.LittleEndian.Uint64(at), at[8:]
			}
			if err := f(int(row), &r); err != nil {
				return err
			}
		}
	}
	return nil
}

// ranked is a row and its rank, whose ID and Data hold until the next step; rank.ID is not set.
type ranked struct {
	row  int
	id   []byte
	rank winnow.Rank
}

// readRanks yields the ranks of a sketch file by row.
func readRanks(s *store.Store, path string, l winnow.Layout) iter.Seq2[ranked, error] {
	return entries(s, path, l.Partitions, (*ranked).parse)
}

// IDs yields the documents of a sketch file by row. What ends it early is left in failed.
func IDs(s *store.Store, path string, l winnow.Layout, failed *error) iter.Seq2[int, string] {
	return func(yield func(int, string) bool) {
		for r, err := range readRanks(s, path, l) {
			if err != nil {
				*failed = err
				return
			}
			if !yield(r.row, string(r.id)) {
				return
			}
		}
	}
}

var errTorn = errors.New("torn rank")

func (r *ranked) parse(b []byte) ([]byte, error) {
	if len(b) < 13 {
		return nil, errTorn
	}
	r.row = int(binary.LittleEndian.Uint32(b))
	r.rank.Score = math.Float64frombits(binary.LittleEndian.Uint64(b[4:]))
	r.rank.ByInput = b[12] != 0
	var ok bool
	if r.id, b, ok = cut(b[13:]); !ok {
		return nil, errTorn
	}
	if r.rank.Data, b, ok = cut(b); !ok {
		return nil, errTorn
	}
	return b, nil
}

// cut takes bytes that follow their number off the front of b.
func cut(b []byte) (head, rest []byte, ok bool) {
	n, k := binary.Uvarint(b)
	if k <= 0 || n > uint64(len(b)-k) {
		return nil, nil, false
	}
	return b[k : k+int(n) : k+int(n)], b[k+int(n):], true
}

// Load reads a whole sketch file back by row, for a run that takes it over.
func Load(s *store.Store, path string, l winnow.Layout) (map[int]Sketch, error) {
	out := map[int]Sketch{}
	for r, err := range readRanks(s, path, l) {
		if err != nil {
			return nil, err
		}
		r.rank.Data, r.rank.ID = append([]byte(nil), r.rank.Data...), string(r.id)
		out[r.row] = Sketch{Rank: r.rank}
	}
	for part := range l.Partitions {
		err := readRecords(s, path, l, part, func(row int, r *winnow.Record) error {
			sk := out[row]
			sk.Records = append(sk.Records, *r)
			out[row] = sk
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}
