package compare

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
	"math"
	"strings"

	"winnow"
)

// Counts are what Resolve found.
type Counts struct{ Clustered, Dropped, Cut int64 }

// Resolve settles all edges, which lie in the files, and writes the outcomes to out, one segment for each of the run's own
// shards.
func (j *Job) Resolve(ctx context.Context, files []string, out *Segments) (c Counts, err error) {
	write := func(id winnow.DocID, encoded []byte) error {
		return out.Append(id.Shard(), func(b []byte) []byte {
			b = binary.LittleEndian.AppendUint32(b, uint32(id.Row()))
			return append(binary.AppendUvarint(b, uint64(len(encoded))), encoded...)
		})
	}
	count := func(o *winnow.Outcome) {
		if o.Size > 0 {
			c.Clustered++
		}
		if len(o.Edits) > 0 {
			c.Cut++
		}
		if o.Verdict.Drop {
			c.Dropped++
		}
	}
	if j.Stage.Layout().Cuts {
		err = j.resolveCuts(ctx, files, func(id winnow.DocID, o winnow.Outcome) error {
			count(&o)
			return write(id, appendOutcome(nil, &o))
		})
	} else {
		err = j.resolveClusters(ctx, files, count, write)
	}
	if err != nil {
		return Counts{}, err
	}
	return c, out.Close()
}

// resolveClusters joins documents, sorts the members of all clusters by cluster and rank, lets the stage decide on each
// cluster, and sorts what it decided by document.
func (j *Job) resolveClusters(ctx context.Context, files []string, count func(*winnow.Outcome), write func(winnow.DocID, []byte) error) error {
	f, at, err := j.join(ctx, files)
	if err != nil {
		return err
	}
	members := newByteSorter(j.Temp, j.Memory/2)
	defer members.close()
	if err := j.members(ctx, f, at, members); err != nil {
		return err
	}
	outcomes := newByteSorter(j.Temp, j.Memory/4)
	defer outcomes.close()
	var key []byte
	emit := func(id winnow.DocID, o winnow.Outcome) error {
		if j.Shards[id.Shard()].Run != "" {
			return nil
		}
		count(&o)
		key = appendOutcome(binary.BigEndian.AppendUint64(key[:0], uint64(id)), &o)
		return outcomes.add(key)
	}
	next, err := members.reader()
	if err != nil {
		return err
	}
	stream := &memberStream{job: j, next: next}
	for stream.advance(); stream.ok; {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := stream.cluster(f, emit); err != nil {
			return err
		}
	}
	if stream.err != nil {
		return stream.err
	}
	sorted, err := outcomes.reader()
	if err != nil {
		return err
	}
	for {
		b, ok, err := sorted()
		if err != nil || !ok {
			return err
		}
		if err := write(winnow.DocID(binary.BigEndian.Uint64(b)), b[8:]); err != nil {
			return err
		}
	}
}

func (j *Job) join(ctx context.Context, files []string) (*forest, []int, error) {
	at := j.offsets()
	f := newForest(at[len(at)-1])
	number := func(id winnow.DocID) int { return at[id.Shard()] + id.Row() }
	for e, err := range edges(j.Store, files, false) {
		if err != nil {
			return nil, nil, err
		}
		f.mark(number(e.A))
		f.mark(number(e.B))
	}
	if err := errors.Join(f.seal(), ctx.Err()); err != nil {
		return nil, nil, err
	}
	for e, err := range edges(j.Store, files, false) {
		if err != nil {
			return nil, nil, err
		}
		f.join(number(e.A), number(e.B))
	}
	return f, at, nil
}

// members sorts the documents of all clusters: by cluster, earlier runs first, then by rank.
func (j *Job) members(ctx context.Context, f *forest, at []int, s *byteSorter) error {
	var b []byte
	l := j.Stage.Layout()
	for n, sh := range j.Shards {
		if err := ctx.Err(); err != nil {
			return err
		}
		for r, err := range readRanks(j.Store, sh.Sketch, l) {
			if err != nil {
				return err
			}
			i := at[n] + r.row
			if !f.marks.Has(i) {
				continue
			}
			root, _ := f.cluster(i)
			b = appendMember(b[:0], root, sh.Run == "", winnow.NewDocID(n, r.row), &r)
			if err := s.add(b); err != nil {
				return err
			}
		}
	}
	return nil
}

// appendMember writes a document so that the order of bytes is that of Cluster.Members.
func appendMember(b []byte, root int32, own bool, id winnow.DocID, r *ranked) []byte {
	b = binary.BigEndian.AppendUint32(b, uint32(root))
	b = append(b, bit(own))
	b = binary.BigEndian.AppendUint64(b, ^ordered(r.rank.Score))
	b = append(b, bit(r.rank.ByInput))
	if r.rank.ByInput {
		b = binary.BigEndian.AppendUint64(b, uint64(id))
	}
	for _, c := range r.id { // the ID ends with 0 0, a 0 within it is 0 1
		if b = append(b, c); c == 0 {
			b = append(b, 1)
		}
	}
	b = binary.BigEndian.AppendUint64(append(b, 0, 0), uint64(id))
	return append(b, r.rank.Data...)
}

func parseMember(b []byte) (root int32, m winnow.Member) {
	root = int32(binary.BigEndian.Uint32(b))
	m.Rank.Score = unordered(^binary.BigEndian.Uint64(b[5:]))
	m.Rank.ByInput = b[13] != 0
	if b = b[14:]; m.Rank.ByInput {
		b = b[8:]
	}
	end := bytes.Index(b, []byte{0, 0}) // a 0 within the ID is followed by 1
	m.Rank.ID, b = strings.ReplaceAll(string(b[:end]), "\x00\x01", "\x00"), b[end+2:]
	m.Doc, m.Rank.Data = winnow.DocID(binary.BigEndian.Uint64(b)), b[8:]
	return root, m
}

func bit(set bool) byte {
	if set {
		return 1
	}
	return 0
}

// ordered maps numbers to integers of the same order; what is no number comes first.
func ordered(x float64) uint64 {
	if x != x {
		return 0
	}
	b := math.Float64bits(x + 0) // -0 becomes 0
	if b>>63 != 0 {
		return ^b
	}
	return b | 1<<63
}

func unordered(b uint64) float64 {
	switch {
	case b == 0:
		return math.NaN()
	case b>>63 != 0:
		return math.Float64frombits(b &^ (1 << 63))
	}
	return math.Float64frombits(^b)
}

// memberStream cuts the sorted members into clusters.
type memberStream struct {
	job  *Job
	next func() ([]byte, bool, error)
	root int32
	head winnow.Member
	ok   bool
	err  error
}

func (s *memberStream) advance() {
	var b []byte
	if b, s.ok, s.err = s.next(); s.ok {
		s.root, s.head = parseMember(b)
		s.head.Run = s.job.Shards[s.head.Doc.Shard()].Run
	}
}

// cluster lets the stage decide on the cluster that begins here.
func (s *memberStream) cluster(f *forest, emit func(winnow.DocID, winnow.Outcome) error) error {
	root := s.root
	c := winnow.Cluster{Size: int(-f.parent[root])}
	c.Members = func(yield func(winnow.Member, error) bool) {
		for s.ok && s.root == root {
			m := s.head
			m.Rank.Data = append([]byte(nil), m.Rank.Data...)
			s.advance()
			if !yield(m, nil) {
				return
			}
		}
		if s.err != nil {
			yield(winnow.Member{}, s.err)
		}
	}
	if err := s.job.Stage.Resolve(c, emit); err != nil {
		return err
	}
	for s.ok && s.root == root {
		s.advance()
	}
	return s.err
}

// resolveCuts sorts spans by document, and lets the stage decide on each.
func (j *Job) resolveCuts(ctx context.Context, files []string, emit func(winnow.DocID, winnow.Outcome) error) error {
	s := newWordSorter[[4]uint64](j.Temp, j.Memory, j.Buffers)
	defer s.close()
	for e, err := range edges(j.Store, files, true) {
		if err != nil {
			return err
		}
		if j.Shards[e.B.Shard()].Run != "" {
			continue
		}
		if err := s.add([4]uint64{uint64(e.B), uint64(e.Start)<<32 | uint64(uint32(e.End)), uint64(e.A), uint64(e.From)}); err != nil {
			return err
		}
	}
	ranks, stop := iter.Pull2(j.ranks())
	defer stop()
	var spans []winnow.Edge
	decide := func() error {
		if len(spans) == 0 {
			return nil
		}
		m, err := memberOf(ranks, spans[0].B)
		if err != nil {
			return err
		}
		m.Spans = spans
		one := winnow.Cluster{Size: 1, Members: func(yield func(winnow.Member, error) bool) { yield(m, nil) }}
		err = j.Stage.Resolve(one, emit)
		spans = spans[:0]
		return errors.Join(err, ctx.Err())
	}
	for w, err := range s.sorted() {
		if err != nil {
			return err
		}
		e := winnow.Edge{A: winnow.DocID(w[2]), B: winnow.DocID(w[0]), Start: int(w[1] >> 32), End: int(uint32(w[1])), From: int(w[3])}
		if len(spans) > 0 && spans[0].B != e.B {
			if err := decide(); err != nil {
				return err
			}
		}
		spans = append(spans, e)
	}
	return decide()
}

// ranks streams the ranks of all own shards, by document.
func (j *Job) ranks() iter.Seq2[winnow.Member, error] {
	return func(yield func(winnow.Member, error) bool) {
		for n, sh := range j.Shards {
			for r, err := range readRanks(j.Store, sh.Sketch, j.Stage.Layout()) {
				r.rank.ID = string(r.id)
				if !yield(winnow.Member{Doc: winnow.NewDocID(n, r.row), Rank: r.rank}, err) {
					return
				}
			}
		}
	}
}

func memberOf(next func() (winnow.Member, error, bool), id winnow.DocID) (winnow.Member, error) {
	for {
		m, err, ok := next()
		switch {
		case err != nil:
			return m, err
		case !ok || m.Doc > id:
			return m, fmt.Errorf("document %x was not sketched", uint64(id))
		case m.Doc == id:
			return m, nil
		}
	}
}
