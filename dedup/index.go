package dedup

import (
	"cmp"
	"slices"

	minhashlsh "github.com/ekzhu/minhash-lsh"

	"winnow"
)

// Index holds the band hashes of many documents in memory, and finds those that share one with a document that is asked for.
// It is ekzhu/minhash-lsh with one table for all bands, whose hashes never meet, and a band hash in place of a signature. It
// answers `winnow dedup query`; whole runs compare out of core, which is faster also where memory would do.
type Index struct {
	near *Near
	lsh  *minhashlsh.MinhashLSH
	data [][]byte // four-bit signatures, by number
}

// NewIndex makes an empty index for the sketches of n.
func NewIndex(n *Near) *Index { return &Index{near: n, lsh: minhashlsh.NewMinhashLSH64(1, .5)} }

// Add takes the band hashes of one document, in any order, and its rank; it gives the document's number.
func (x *Index) Add(bands []uint64, r winnow.Rank) int {
	number := len(x.data)
	x.data = append(x.data, r.Data)
	for i := range bands {
		x.lsh.Add(number, bands[i:i+1])
	}
	return number
}

// Seal makes what was added searchable.
func (x *Index) Seal() { x.lsh.Index() }

// Hit is a document that shares a band with the one asked for.
type Hit struct {
	Number     int
	Similarity float32 // estimated
}

// Query finds the documents that share a band with d, the most alike first.
func (x *Index) Query(d *winnow.Document) ([]Hit, error) {
	var bands []uint64
	rank, err := x.near.Sketch(d, func(r winnow.Record) { bands = append(bands, r.Key[0]) })
	if err != nil || len(bands) == 0 {
		return nil, err
	}
	seen := map[int]bool{}
	var hits []Hit
	for i := range bands {
		for _, key := range x.lsh.Query(bands[i : i+1]) {
			if n := key.(int); !seen[n] {
				seen[n] = true
				hits = append(hits, Hit{n, estimate(rank.Data, x.data[n])})
			}
		}
	}
	slices.SortFunc(hits, func(a, b Hit) int { return cmp.Or(cmp.Compare(b.Similarity, a.Similarity), a.Number-b.Number) })
	return hits, nil
}
