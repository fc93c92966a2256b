package dedup

import (
	"cmp"
	"context"
	"encoding/binary"
	"fmt"
	"iter"
	"math"
	"slices"
	"sync"

	"github.com/zeebo/xxh3"

	"winnow"
	"winnow/dedup/fold"
)

// Near finds documents whose sets of shingles are alike, by MinHash: two documents meet where all the hashes of at least one
// band of their signatures are equal, which happens with the probability SCurve. What is stored of a document is one hash for
// each band, and four bits of each hash of the signature, from which the similarity to the survivor is estimated.
type Near struct {
	policy
	o         Options
	functions permutations // of the modes after datatrove
	scratch   sync.Pool    // of *sketcher
}

// Values of Options.Signature.
const (
	Fast          = "fast"           // Fast Similarity Sketching over rolled hashes
	Datatrove     = "datatrove"      // datatrove's signatures to the bit, shingles under XXH64
	DatatroveSHA1 = "datatrove-sha1" // the same under SHA-1, as FineWeb was made
)

func newNear(p policy, o Options) (*Near, error) {
	if o.Bands < 1 || o.Rows < 1 || o.Bands*o.Rows > maxHashes {
		return nil, fmt.Errorf("dedup: %d bands of %d rows: want 1 to %d hashes in all", o.Bands, o.Rows, maxHashes)
	}
	if o.Shingle.Han < 1 || o.Shingle.Latin < 1 {
		return nil, fmt.Errorf("dedup: shingle han %d, latin %d: want at least 1", o.Shingle.Han, o.Shingle.Latin)
	}
	if o.Verify < 0 || o.Verify > 1 {
		return nil, fmt.Errorf("dedup: verify %g: want a Jaccard similarity of 0 to 1", o.Verify)
	}
	n := &Near{policy: p, o: o, scratch: sync.Pool{New: func() any { return new(sketcher) }}}
	switch o.Signature {
	case Fast:
	case Datatrove, DatatroveSHA1:
		n.functions = newPermutations(o.Bands*o.Rows, o.Seed)
	default:
		return nil, fmt.Errorf("dedup: signature %q: want fast, datatrove or datatrove-sha1", o.Signature)
	}
	return n, nil
}

// Params gives the number of bands and of rows in each.
func (n *Near) Params() (bands, rows int) { return n.o.Bands, n.o.Rows }

// Version names the code and all parameters.
func (n *Near) Version() string {
	v := n.Layout().Records + " " + n.policy.version()
	if n.o.Verify > 0 {
		v += fmt.Sprintf(" verify=%g", n.o.Verify)
	}
	return v
}

// Layout has one hash as the key. Partitions are 64.
func (n *Near) Layout() winnow.Layout {
	return winnow.Layout{Partitions: partitions, Keys: 1, Records: fmt.Sprintf("minhash/2 %s bands=%d rows=%d seed=%d han=%d latin=%d%s",
		n.o.Signature, n.o.Bands, n.o.Rows, n.o.Seed, n.o.Shingle.Han, n.o.Shingle.Latin, n.scopeVersion())}
}

// shingles gives the hashes of d's shingles, with repeats; they belong to k.
func (n *Near) shingles(k *sketcher, d *winnow.Document) []uint64 {
	switch n.o.Signature {
	case Datatrove:
		return k.datatroveShingles(d.Text, d.Language, n.o.Shingle.Latin, xxh64, n.words())
	case DatatroveSHA1:
		return k.datatroveShingles(d.Text, d.Language, n.o.Shingle.Latin, sha1Hash, n.words())
	}
	return k.shingles(d.Text, n.o.Shingle)
}

func (n *Near) words() func([]string, string, string) []string {
	if n.o.Words != nil {
		return n.o.Words
	}
	return spacyWords
}

// signature makes d's signature; none where it has no shingle. It belongs to k.
func (n *Near) signature(k *sketcher, d *winnow.Document) []uint64 {
	hashes := n.shingles(k, d)
	if len(hashes) == 0 {
		return nil
	}
	size := n.o.Bands * n.o.Rows
	k.sig = slices.Grow(k.sig[:0], size)[:size]
	if n.o.Signature == Fast {
		k.round = slices.Grow(k.round[:0], size)[:size]
		fastSignature(k.sig, k.round, hashes, uint64(n.o.Seed))
	} else {
		n.functions.signature(k.sig, hashes)
	}
	return k.sig
}

// Sketch emits one record for each band, and leaves the signature's four-bit form in the rank; or nothing where d has no
// shingle.
func (n *Near) Sketch(d *winnow.Document, emit func(winnow.Record)) (winnow.Rank, error) {
	k := n.scratch.Get().(*sketcher)
	defer n.scratch.Put(k)
	rank := n.rank(d)
	sig := n.signature(k, d)
	if sig == nil {
		return rank, nil
	}
	salt := n.salt(d)
	for band := range n.o.Bands {
		emit(winnow.Record{Key: [2]uint64{bandKey(sig[band*n.o.Rows:(band+1)*n.o.Rows], band) ^ salt}})
	}
	rank.Data = quarters(sig)
	return rank, nil
}

// bandKey hashes the rows of one band, so that different bands never meet.
func bandKey(rows []uint64, band int) uint64 {
	h := fold.Mix(uint64(band + 1))
	for _, v := range rows {
		h = fold128(h^v, fold.Factor) + v
	}
	return fold.Mix(h)
}

// quarters keeps four bits of each hash, two hashes to a byte.
func quarters(sig []uint64) []byte {
	out := make([]byte, (len(sig)+1)/2)
	for i, v := range sig {
		out[i/2] |= byte(v*fold.Factor>>60) << (4 * (i & 1))
	}
	return out
}

// estimate is the share of equal hashes of two signatures, from their four-bit forms: one in 16 unequal ones agrees by chance.
// Its standard error for a Jaccard similarity s is sqrt((s+1/15)(1-s)/hashes).
func estimate(a, b []byte) float32 {
	if len(a) == 0 || len(a) != len(b) {
		return 0
	}
	equal := 0
	for i := range a {
		x := a[i] ^ b[i]
		if x&15 == 0 {
			equal++
		}
		if x>>4 == 0 {
			equal++
		}
	}
	share := float64(equal) / float64(2*len(a))
	return float32(max(0, (share-1./16)/(1-1./16)))
}

// Group emits, for each band that documents share, edges from its first document to the others; where edges are verified, all
// pairs of the first everyPair documents, and from each further one to the first everyPair/2 and the one before it.
func (n *Near) Group(_ context.Context, sorted iter.Seq2[winnow.Record, error], emit func(winnow.Edge) error) error {
	if n.o.Verify == 0 {
		return stars(sorted, emit)
	}
	var key uint64
	var before []winnow.DocID // of the band
	for r, err := range sorted {
		if err != nil {
			return err
		}
		if len(before) == 0 || r.Key[0] != key {
			key, before = r.Key[0], append(before[:0], r.Doc)
			continue
		}
		near := before
		if len(before) >= everyPair {
			near = before[:everyPair/2]
			if err := emit(winnow.Edge{A: before[len(before)-1], B: r.Doc}); err != nil {
				return err
			}
		}
		for _, other := range near {
			if err := emit(winnow.Edge{A: other, B: r.Doc}); err != nil {
				return err
			}
		}
		if len(before) < everyPair {
			before = append(before, r.Doc)
		} else {
			before[everyPair-1] = r.Doc
		}
	}
	return nil
}

// everyPair is up to how many documents of a band are compared each with each.
const everyPair = 64

// Resolve keeps the best of a cluster; similarities are estimated.
func (n *Near) Resolve(c winnow.Cluster, emit func(winnow.DocID, winnow.Outcome) error) error {
	return n.resolve(c, func(best, m *winnow.Rank) float32 { return estimate(best.Data, m.Data) }, emit)
}

// Shingles appends the hashes of d's shingles, with repeats, to dst.
func (n *Near) Shingles(dst []uint64, d *winnow.Document) []uint64 {
	k := n.scratch.Get().(*sketcher)
	defer n.scratch.Put(k)
	return append(dst, n.shingles(k, d)...)
}

// Jaccard is the exact similarity of two documents over the shingles that the stage compares.
func (n *Near) Jaccard(a, b *winnow.Document) float64 { return jaccard(n.set(a), n.set(b)) }

// set is the set of d's shingles, ascending.
func (n *Near) set(d *winnow.Document) []uint64 {
	k := n.scratch.Get().(*sketcher)
	defer n.scratch.Put(k)
	set := slices.Clone(n.shingles(k, d))
	slices.Sort(set)
	return slices.Compact(set)
}

// jaccard compares two ascending sets.
func jaccard(a, b []uint64) float64 {
	both := 0
	for i, j := 0, 0; i < len(a) && j < len(b); {
		switch c := cmp.Compare(a[i], b[j]); {
		case c == 0:
			both++
			i++
			j++
		case c < 0:
			i++
		default:
			j++
		}
	}
	if len(a)+len(b) == 0 {
		return 0
	}
	return float64(both) / float64(len(a)+len(b)-both)
}

// SCurve is the probability that two documents of Jaccard similarity s agree in at least one band, 1-(1-s^rows)^bands.
func SCurve(bands, rows int, s float64) float64 {
	return 1 - math.Pow(1-math.Pow(s, float64(rows)), float64(bands))
}

// exactly is a Near whose candidates are compared by all their shingles.
type exactly struct{ *Near }

var _ winnow.Verified = exactly{}

// Evidence is the set of d's shingles.
func (e exactly) Evidence(d *winnow.Document) []byte {
	set := e.set(d)
	out := make([]byte, 0, 8*len(set))
	for _, h := range set {
		out = binary.LittleEndian.AppendUint64(out, h)
	}
	return out
}

// Verify lets those pairs pass whose exact Jaccard similarity is enough.
func (e exactly) Verify(a, b []byte, candidates []winnow.Edge, emit func(winnow.Edge) error) error {
	if jaccard(hashesOf(a), hashesOf(b)) < e.o.Verify {
		return nil
	}
	return emit(candidates[0])
}

func hashesOf(b []byte) []uint64 {
	out := make([]uint64, 0, len(b)/8)
	for ; len(b) >= 8; b = b[8:] {
		out = append(out, binary.LittleEndian.Uint64(b))
	}
	return out
}

func hashString(s string) uint64 { return xxh3.HashString(s) }
