package compare

import (
	"fmt"
	"math"
	"math/bits"
)

// Bits is a set of row numbers.
type Bits []uint64

// Set adds i, which may be any number not below 0.
func (b *Bits) Set(i int) {
	for len(*b) <= i>>6 {
		*b = append(*b, 0)
	}
	(*b)[i>>6] |= 1 << (i & 63)
}

// Clear takes i out.
func (b Bits) Clear(i int) {
	if i>>6 < len(b) {
		b[i>>6] &^= 1 << (i & 63)
	}
}

// Has tells whether i is in the set.
func (b Bits) Has(i int) bool { return i>>6 < len(b) && b[i>>6]>>(i&63)&1 != 0 }

// forest joins documents into clusters (union-find). Only documents that an edge names take a place in it: they are marked
// first, then sealed, which numbers them without gaps. It takes an eighth of a byte for each document and 4.5 bytes for each
// named one.
type forest struct {
	marks  Bits
	before []uint32 // marks in all words before this one
	parent []int32  // of a root: minus the number of documents below it, itself included
}

func newForest(documents int) *forest { return &forest{marks: make(Bits, documents/64+1)} }

func (f *forest) mark(i int) { f.marks[i>>6] |= 1 << (i & 63) }

// seal ends marking.
func (f *forest) seal() error {
	f.before = make([]uint32, len(f.marks))
	n := 0
	for i, w := range f.marks {
		f.before[i] = uint32(n)
		if n += bits.OnesCount64(w); n > math.MaxInt32 {
			return fmt.Errorf("more than %d documents have duplicates", math.MaxInt32)
		}
	}
	f.parent = make([]int32, n)
	for i := range f.parent {
		f.parent[i] = -1
	}
	return nil
}

// place is the number of a marked document among the marked.
func (f *forest) place(i int) int32 {
	w := i >> 6
	return int32(f.before[w]) + int32(bits.OnesCount64(f.marks[w]&(1<<(i&63)-1)))
}

func (f *forest) find(p int32) int32 {
	for f.parent[p] >= 0 {
		if up := f.parent[f.parent[p]]; up >= 0 {
			f.parent[p] = up
		}
		p = f.parent[p]
	}
	return p
}

// join makes one cluster of two. Its root is its first document, whatever the order of joins.
func (f *forest) join(a, b int) {
	x, y := f.find(f.place(a)), f.find(f.place(b))
	if x == y {
		return
	}
	x, y = min(x, y), max(x, y)
	f.parent[x] += f.parent[y]
	f.parent[y] = x
}

// cluster gives the root and the size of a marked document's cluster.
func (f *forest) cluster(i int) (root int32, size int) {
	root = f.find(f.place(i))
	return root, int(-f.parent[root])
}
