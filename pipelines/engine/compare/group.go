// Package compare works off Corpus stages out of core. The sketch files that Map tasks leave flow in, one for each shard; the
// edges of one hash partition flow out of Group, and the outcomes of all documents, by shard, out of Resolve. Whatever is
// larger than the memory allowed is sorted in pieces that lie on disk meanwhile; the result is the same to the bit.
//
// Memory beside the sort buffers: an eighth of a byte for each document of the pass, 4.5 bytes for each that has a duplicate.
package compare

import (
	"bufio"
	"cmp"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"iter"
	"math/bits"

	"winnow"
	"winnow/shard/store"
)

// Shard is the documents that one sketch file holds.
type Shard struct {
	Sketch string // path
	Rows   int    // documents are numbered below it
	Out    Bits   // rows that do not take part
	Run    string // the earlier run that they belong to; empty for the run's own
}

// Job is one Corpus stage over all its shards. Those of earlier runs stand behind the run's own.
type Job struct {
	Stage   winnow.Corpus
	Shards  []Shard
	Store   *store.Store // where sketches and edges lie; nil: the disk
	Temp    string       // folder for what does not fit into memory
	Memory  int64        // bytes that one task may sort in
	Buffers *Buffers     // may be nil
	Blocks  *Blocks      // what Group reads in place of the run's own sketch files; nil: these files
}

// checkEvery is after how many records a task looks whether it should stop.
const checkEvery = 1 << 12

// Group writes the edges of one partition to w, and tells how many records it compared and how many edges it found.
func (j *Job) Group(ctx context.Context, part int, w io.Writer) (records, edges int64, err error) {
	l := j.Stage.Layout()
	out := edgeWriter{w: bufio.NewWriterSize(w, 1<<16), cuts: l.Cuts}
	switch l.Keys + 1 + l.Data {
	case 2:
		records, err = group[[2]uint64](ctx, j, part, out.write)
	case 3:
		records, err = group[[3]uint64](ctx, j, part, out.write)
	case 4:
		records, err = group[[4]uint64](ctx, j, part, out.write)
	case 5:
		records, err = group[[5]uint64](ctx, j, part, out.write)
	default:
		err = fmt.Errorf("records of %d and %d words", l.Keys, l.Data)
	}
	if err != nil {
		return 0, 0, err
	}
	return records, out.n, out.w.Flush()
}

func group[W words](ctx context.Context, j *Job, part int, emit func(winnow.Edge) error) (n int64, err error) {
	s := newWordSorter[W](j.Temp, j.Memory, j.Buffers)
	defer s.close()
	l := j.Stage.Layout()
	if j.Blocks != nil {
		if err := j.Blocks.complete(); err != nil {
			return 0, err
		}
	}
	ranges, err := j.ranges(part, s.limit)
	if err != nil {
		return 0, err
	}
	err = j.Stage.Group(ctx, func(yield func(winnow.Record, error) bool) {
		for at := range ranges {
			for i := range j.Shards {
				read, err := load(s, j.records(i, part), &j.Shards[i], i, l, at, ranges)
				if n += read; cmp.Or(err, ctx.Err()) != nil {
					yield(winnow.Record{}, cmp.Or(err, ctx.Err()))
					return
				}
			}
			seen := 0
			for w, err := range s.sorted() {
				if seen++; err == nil && seen%checkEvery == 0 {
					err = ctx.Err()
				}
				if !yield(unpack(w, l.Keys), err) || err != nil {
					return
				}
			}
			s.reset()
		}
	}, emit)
	return n, err
}

// maxRanges is up to how many times a partition is read rather than sorted in pieces on disk: a record that is read and
// passed over costs some 3 ns, one that is written, read back and merged some 50.
const maxRanges = 8

// own tells whether shard i's records of a partition come as blocks.
func (j *Job) own(i int) bool { return j.Blocks != nil && j.Shards[i].Run == "" }

// records yields what shard i has for one partition: whole records.
func (j *Job) records(i, part int) iter.Seq2[[]byte, error] {
	if j.own(i) {
		return j.Blocks.read(i)
	}
	return readWhole(j.Store, j.Shards[i].Sketch, j.Stage.Layout(), part)
}

func (j *Job) size(i, part int) (int, error) {
	if j.own(i) {
		return j.Blocks.size(i), nil
	}
	return segmentSize(j.Store, j.Shards[i].Sketch, part)
}

// ranges says in how many ranges of its first key a partition is to be sorted, one after the other, so that each fits into
// memory; first keys are hashes, and fill equal ranges equally. 1 where memory holds all, or far too little.
func (j *Job) ranges(part, limit int) (int, error) {
	l := j.Stage.Layout()
	records := 0
	for i := range j.Shards {
		size, err := j.size(i, part)
		if err != nil {
			return 0, err
		}
		records += size / l.Bytes()
	}
	n := 1 + records/(limit-limit/8)
	if l.Partitions == 1 || n > maxRanges {
		return 1, nil
	}
	return n, nil
}

// load adds the records of one shard's partition to s, as words: key, document, data; only those whose first key is in range
// at of so many.
func load[W words](s *wordSorter[W], in iter.Seq2[[]byte, error], sh *Shard, number int, l winnow.Layout, at, ranges int) (n int64, err error) {
	size, first := l.Bytes(), uint64(winnow.NewDocID(number, 0))
	for b, err := range in {
		if err != nil {
			return 0, err
		}
		for ; len(b) > 0; b = b[size:] {
			if in, _ := bits.Mul64(binary.LittleEndian.Uint64(b), uint64(ranges)); in != uint64(at) {
				continue
			}
			row := binary.LittleEndian.Uint32(b[8*l.Keys:])
			if len(sh.Out) > 0 && sh.Out.Has(int(row)) {
				continue
			}
			var w W
			for k := range l.Keys {
				w[k] = binary.LittleEndian.Uint64(b[8*k:])
			}
			w[l.Keys] = first | uint64(row)
			for k := range l.Data {
				w[l.Keys+1+k] = binary.LittleEndian.Uint64(b[8*(l.Keys+k)+4:])
			}
			n++
			if len(s.buf) < cap(s.buf) && len(s.buf) < s.limit {
				s.buf = append(s.buf, w)
			} else if err := s.add(w); err != nil {
				return 0, err
			}
		}
	}
	return n, nil
}

func unpack[W words](w W, keys int) (r winnow.Record) {
	for k := range keys {
		r.Key[k] = w[k]
	}
	r.Doc = winnow.DocID(w[keys])
	for k := keys + 1; k < len(w); k++ {
		r.Data[k-keys-1] = w[k]
	}
	return r
}

// edgeWriter writes edges: 16 bytes for a pair, 28 for a span.
type edgeWriter struct {
	w    *bufio.Writer
	cuts bool
	n    int64
}

func (e *edgeWriter) write(x winnow.Edge) error {
	e.n++
	b := binary.LittleEndian.AppendUint64(e.w.AvailableBuffer(), uint64(x.A))
	b = binary.LittleEndian.AppendUint64(b, uint64(x.B))
	if e.cuts {
		for _, v := range []int{x.Start, x.End, x.From} {
			b = binary.LittleEndian.AppendUint32(b, uint32(v))
		}
	}
	_, err := e.w.Write(b)
	return err
}

// edges reads back what Group or Verify wrote, file after file.
func edges(s *store.Store, paths []string, cuts bool) iter.Seq2[winnow.Edge, error] {
	return func(yield func(winnow.Edge, error) bool) {
		for _, path := range paths {
			if !edgesOf(s, path, cuts, yield) {
				return
			}
		}
	}
}

func edgesOf(s *store.Store, path string, cuts bool, yield func(winnow.Edge, error) bool) bool {
	f, err := s.Open(path)
	if err != nil {
		return yield(winnow.Edge{}, err) && false
	}
	defer f.Close()
	in := bufio.NewReaderSize(io.NewSectionReader(f, 0, f.Size()), 1<<16)
	raw := make([]byte, 16)
	if cuts {
		raw = make([]byte, 28)
	}
	for {
		if _, err := io.ReadFull(in, raw); err == io.EOF {
			return true
		} else if err != nil {
			return yield(winnow.Edge{}, fmt.Errorf("%s: %w", path, err)) && false
		}
		x := winnow.Edge{A: winnow.DocID(binary.LittleEndian.Uint64(raw)), B: winnow.DocID(binary.LittleEndian.Uint64(raw[8:]))}
		if cuts {
			x.Start, x.End = int(binary.LittleEndian.Uint32(raw[16:])), int(binary.LittleEndian.Uint32(raw[20:]))
			x.From = int(binary.LittleEndian.Uint32(raw[24:]))
		}
		if !yield(x, nil) {
			return false
		}
	}
}

// offsets numbers the documents of all shards without gaps.
func (j *Job) offsets() []int {
	out := make([]int, len(j.Shards)+1)
	for i, s := range j.Shards {
		out[i+1] = out[i] + s.Rows
	}
	return out
}
