package dedup

import (
	"context"
	"iter"

	"winnow"
)

// Same finds documents that have one key in common: a canonical URL or a text, whole. Its similarity is always 1.
type Same struct {
	policy
	method string
	key    func(*winnow.Document) (key [2]uint64, ok bool)
}

// partitions is how many tasks the comparison is spread over.
const partitions = 64

// Version names the code, the method and the policy.
func (s *Same) Version() string { return s.Layout().Records + " " + s.policy.version() }

// Layout has 128 bits as the key.
func (s *Same) Layout() winnow.Layout {
	return winnow.Layout{Records: s.method + "/2" + s.scopeVersion(), Partitions: partitions, Keys: 2}
}

// Sketch emits one record, or none where d has nothing to be compared by: no URL, or no text but white space.
func (s *Same) Sketch(d *winnow.Document, emit func(winnow.Record)) (winnow.Rank, error) {
	if key, ok := s.key(d); ok {
		key[0] ^= s.salt(d)
		emit(winnow.Record{Key: key})
	}
	return s.rank(d), nil
}

// Group emits an edge from the first document of each key to every other one.
func (s *Same) Group(_ context.Context, sorted iter.Seq2[winnow.Record, error], emit func(winnow.Edge) error) error {
	return stars(sorted, emit)
}

// Resolve keeps the best of a cluster.
func (s *Same) Resolve(c winnow.Cluster, emit func(winnow.DocID, winnow.Outcome) error) error {
	return s.resolve(c, func(_, _ *winnow.Rank) float32 { return 1 }, emit)
}

// stars emits an edge from the first document of each key to every other one: as many edges as records at the most, and the
// same clusters as all pairs.
func stars(sorted iter.Seq2[winnow.Record, error], emit func(winnow.Edge) error) error {
	var first winnow.Record
	begun := false
	for r, err := range sorted {
		switch {
		case err != nil:
			return err
		case !begun || r.Key != first.Key:
			first, begun = r, true
		case r.Doc != first.Doc:
			if err := emit(winnow.Edge{A: first.Doc, B: r.Doc}); err != nil {
				return err
			}
		}
	}
	return nil
}
