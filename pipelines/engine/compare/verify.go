package compare

import (
	"bufio"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"iter"
	"sort"

	"winnow"
	"winnow/shard/store"
)

// VerifyPartitions is how many tasks the comparison of candidates is spread over.
const VerifyPartitions = 16

// Candidates lists by shard the rows that candidate edges name.
func (j *Job) Candidates(files []string) ([]Bits, error) {
	out := make([]Bits, len(j.Shards))
	for e, err := range edges(j.Store, files, j.Stage.Layout().Cuts) {
		if err != nil {
			return nil, err
		}
		out[e.A.Shard()].Set(e.A.Row())
		out[e.B.Shard()].Set(e.B.Row())
	}
	return out, nil
}

// An evidence file holds what Verified.Evidence gives of some rows of a shard, one after the other, then for each its row
// (uint32), size (uint32) and offset (uint64), then their number (uint64); little-endian.

// Evidence writes the evidence of the rows wanted to w. docs are all rows of the shard in order.
func Evidence(v winnow.Verified, docs iter.Seq2[*winnow.Document, error], wanted Bits, w io.Writer) (n int64, err error) {
	out := bufio.NewWriterSize(w, 1<<18)
	var index []byte
	offset, row := uint64(0), -1
	for d, err := range docs {
		if err != nil {
			return 0, err
		}
		if row++; !wanted.Has(row) {
			continue
		}
		b := v.Evidence(d)
		index = binary.LittleEndian.AppendUint32(index, uint32(row))
		index = binary.LittleEndian.AppendUint32(index, uint32(len(b)))
		index = binary.LittleEndian.AppendUint64(index, offset)
		offset += uint64(len(b))
		n++
		if _, err := out.Write(b); err != nil {
			return 0, err
		}
	}
	if _, err := out.Write(binary.LittleEndian.AppendUint64(index, uint64(n))); err != nil {
		return 0, err
	}
	return n, out.Flush()
}

// evidence is an evidence file open for reading.
type evidence struct {
	name  string
	file  winnow.File
	index []byte
}

func openEvidence(s *store.Store, path string) (*evidence, error) {
	f, err := s.OpenWhole(path)
	if err != nil {
		return nil, err
	}
	blocks, err := readIndex(f)
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	e := &evidence{name: path, file: f}
	for _, b := range blocks {
		e.index = binary.LittleEndian.AppendUint32(e.index, b.segment)
		e.index = binary.LittleEndian.AppendUint32(e.index, b.size)
		e.index = binary.LittleEndian.AppendUint64(e.index, b.offset)
	}
	return e, nil
}

func (e *evidence) read(row int, buf []byte) ([]byte, error) {
	n := len(e.index) / 16
	i := sort.Search(n, func(i int) bool { return int(binary.LittleEndian.Uint32(e.index[16*i:])) >= row })
	if i == n || int(binary.LittleEndian.Uint32(e.index[16*i:])) != row {
		return nil, fmt.Errorf("%s: no row %d", e.name, row)
	}
	size := int(binary.LittleEndian.Uint32(e.index[16*i+4:]))
	if cap(buf) < size {
		buf = make([]byte, size)
	}
	buf = buf[:size]
	_, err := e.file.ReadAt(buf, int64(binary.LittleEndian.Uint64(e.index[16*i+8:])))
	return buf, err
}

// Verify writes those candidates of one part that hold to w. evidence are the files of all shards.
func (j *Job) Verify(ctx context.Context, part int, candidates, evidence []string, w io.Writer) (pairs, held int64, err error) {
	cuts := j.Stage.Layout().Cuts
	s := newWordSorter[[4]uint64](j.Temp, j.Memory, j.Buffers)
	defer s.close()
	for e, err := range edges(j.Store, candidates, cuts) {
		if err != nil {
			return 0, 0, err
		}
		if partOf(e) == part {
			if err := s.add([4]uint64{uint64(e.A), uint64(e.B), uint64(e.Start)<<32 | uint64(uint32(e.End)), uint64(e.From)}); err != nil {
				return 0, 0, err
			}
		}
	}
	v := &verifier{job: j, stage: j.Stage.(winnow.Verified), out: edgeWriter{w: bufio.NewWriterSize(w, 1<<16), cuts: cuts}}
	defer v.close()
	for _, path := range evidence {
		f, err := openEvidence(j.Store, path)
		if err != nil {
			return 0, 0, err
		}
		v.files = append(v.files, f)
	}
	for x, err := range s.sorted() {
		if err != nil {
			return 0, 0, err
		}
		e := winnow.Edge{A: winnow.DocID(x[0]), B: winnow.DocID(x[1]), Start: int(x[2] >> 32), End: int(uint32(x[2])), From: int(x[3])}
		if err := v.add(ctx, e); err != nil {
			return 0, 0, err
		}
	}
	if err := v.flush(ctx); err != nil {
		return 0, 0, err
	}
	return v.pairs, v.out.n, v.out.w.Flush()
}

func partOf(e winnow.Edge) int { return int(uint64(e.A) * 0x9e3779b97f4a7c15 >> 60 % VerifyPartitions) }

// verifier compares the documents of candidate edges, pair after pair.
type verifier struct {
	job   *Job
	stage winnow.Verified
	files []*evidence
	out   edgeWriter
	pairs int64
	pair  []winnow.Edge // the candidates between two documents
	aID   winnow.DocID  // whose evidence a is
	a, b  []byte
}

func (v *verifier) add(ctx context.Context, e winnow.Edge) error {
	if n := len(v.pair); n > 0 {
		switch last := v.pair[n-1]; {
		case last == e:
			return nil
		case last.A != e.A || last.B != e.B:
			if err := v.flush(ctx); err != nil {
				return err
			}
		}
	}
	v.pair = append(v.pair, e)
	return nil
}

func (v *verifier) flush(ctx context.Context) (err error) {
	if len(v.pair) == 0 {
		return nil
	}
	if v.pairs++; v.pairs%checkEvery == 0 && ctx.Err() != nil {
		return ctx.Err()
	}
	a, b := v.pair[0].A, v.pair[0].B
	if v.a == nil || v.aID != a {
		if v.a, err = v.files[a.Shard()].read(a.Row(), v.a); err != nil {
			return err
		}
		v.aID = a
	}
	other := v.a
	if a != b {
		if v.b, err = v.files[b.Shard()].read(b.Row(), v.b); err != nil {
			return err
		}
		other = v.b
	}
	err = v.stage.Verify(v.a, other, v.pair, v.out.write)
	v.pair = v.pair[:0]
	return err
}

func (v *verifier) close() {
	for _, f := range v.files {
		f.file.Close()
	}
}
