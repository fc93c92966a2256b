package bpe

import "math/bits"

// merge says that a followed by b becomes to.
type merge struct{ a, b, to int32 }

// noRank is the rank of a pair that is not merged; ranks are below it.
const noRank = 1<<24 - 1

// pairTable finds the rank of a pair: open addressing, one word a slot, 20 bits of each id and 24 of the rank.
type pairTable struct {
	slots []uint64
	shift int
	to    []int32 // result by rank
}

const emptySlot = ^uint64(0)

func newPairTable(merges []merge) pairTable {
	size := max(bits.Len(uint(len(merges)))+2, 4) // between a quarter and an eighth full
	t := pairTable{slots: make([]uint64, 1<<size), shift: 64 - size, to: make([]int32, len(merges))}
	for i := range t.slots {
		t.slots[i] = emptySlot
	}
	for rank, m := range merges {
		t.to[rank] = m.to
		key := pairKey(m.a, m.b)
		at := t.home(key)
		for t.slots[at] != emptySlot && t.slots[at]>>24 != key {
			at = (at + 1) & uint64(len(t.slots)-1)
		}
		if t.slots[at] == emptySlot { // the first of two equal pairs counts
			t.slots[at] = key<<24 | uint64(rank)
		}
	}
	return t
}

func pairKey(a, b int32) uint64 { return uint64(a)<<20 | uint64(b) }

func (t *pairTable) home(key uint64) uint64 { return key * 0x9E3779B97F4A7C15 >> (t.shift & 63) }

// rank gives the rank of the merge of a and b, noRank where there is none.
func (t *pairTable) rank(a, b int32) uint32 {
	key := pairKey(a, b)
	mask := uint64(len(t.slots) - 1)
	for at := t.home(key) & mask; ; at = (at + 1) & mask {
		s := t.slots[at]
		if s>>24 == key {
			return uint32(s) & noRank
		}
		if s == emptySlot {
			return noRank
		}
	}
}

// maxShort is the longest pre-token, in bytes, whose pairs are searched one by one for the lowest rank; beyond it a heap does it.
const maxShort = 96

// mergeShort merges a pre-token of 2 to maxShort bytes.
func (t *Tokenizer) mergeShort(e *encoder, dst []int32, piece string) []int32 {
	n := len(piece)
	ids, ranks := e.ids[:n], e.ranks[:n]
	last := piece[0]
	ids[0] = t.byteID[last]
	for i := 1; i < n; i++ {
		b := piece[i]
		ids[i] = t.byteID[b]
		ranks[i-1] = t.bytePair[int(last)<<8|int(b)]
		last = b
	}
	for m := n - 1; m > 0; m-- { // pairs left
		at, low := 0, ranks[0]
		for i, r := range ranks[:m] {
			if r < low {
				at, low = i, r
			}
		}
		if low == noRank {
			return append(dst, ids[:m+1]...)
		}
		id := t.pairs.to[low]
		ids[at] = id
		copy(ids[at+1:m], ids[at+2:m+1])
		copy(ranks[at:m-1], ranks[at+1:m])
		if at > 0 {
			ranks[at-1] = t.pairs.rank(ids[at-1], id)
		}
		if at < m-1 {
			ranks[at] = t.pairs.rank(id, ids[at+1])
		}
	}
	return append(dst, ids[0])
}

// long is the scratch of mergeLong: a doubly linked list over the bytes of a pre-token, and a heap of its pairs.
type long struct {
	ids        []int32
	prev, next []int32
	rank       []uint32 // of the pair that begins here; noRank where it is gone
	heap       []uint64 // rank<<32 | position
}

// mergeLong merges a pre-token of any length in O(n log n): a heap gives the pair of lowest rank, the leftmost first.
func (t *Tokenizer) mergeLong(l *long, dst []int32, piece string) []int32 {
	n := len(piece)
	if cap(l.ids) < n {
		*l = long{ids: make([]int32, n), prev: make([]int32, n), next: make([]int32, n), rank: make([]uint32, n), heap: make([]uint64, 0, n)}
	}
	ids, prev, next, rank, heap := l.ids[:n], l.prev[:n], l.next[:n], l.rank[:n], l.heap[:0]
	for i := range n {
		ids[i], prev[i], next[i], rank[i] = t.byteID[piece[i]], int32(i-1), int32(i+1), noRank
		if i+1 < n {
			if r := t.bytePair[int(piece[i])<<8|int(piece[i+1])]; r != noRank {
				rank[i] = r
				heap = append(heap, uint64(r)<<32|uint64(i))
			}
		}
	}
	for i := len(heap)/2 - 1; i >= 0; i-- {
		sink(heap, i)
	}
	for len(heap) > 0 {
		top := heap[0]
		at := int32(uint32(top))
		if rank[at] != uint32(top>>32) { // merged since, or replaced
			heap = pop(heap)
			continue
		}
		id := t.pairs.to[rank[at]]
		right := next[at]
		after := next[right]
		ids[at], next[at] = id, after
		rank[at], rank[right] = noRank, noRank
		heap = pop(heap)
		if int(after) < n {
			prev[after] = at
			heap = l.push(t, heap, ids, at, after)
		}
		if before := prev[at]; before >= 0 {
			heap = l.push(t, heap, ids, before, at)
		}
	}
	l.heap = heap
	for i := 0; i < n; i = int(next[i]) {
		dst = append(dst, ids[i])
	}
	return dst
}

// push ranks the pair that begins at a and goes on at b, and puts it on the heap.
func (l *long) push(t *Tokenizer, heap []uint64, ids []int32, a, b int32) []uint64 {
	r := t.pairs.rank(ids[a], ids[b])
	l.rank[a] = r
	if r == noRank {
		return heap
	}
	heap = append(heap, uint64(r)<<32|uint64(a))
	for i := len(heap) - 1; i > 0; {
		up := (i - 1) / 4
		if heap[up] <= heap[i] {
			break
		}
		heap[up], heap[i] = heap[i], heap[up]
		i = up
	}
	return heap
}

func pop(heap []uint64) []uint64 {
	n := len(heap) - 1
	heap[0] = heap[n]
	heap = heap[:n]
	if n > 0 {
		sink(heap, 0)
	}
	return heap
}

// sink restores the order of a heap of four branches below i.
func sink(heap []uint64, i int) {
	v := heap[i]
	for {
		first := 4*i + 1
		if first >= len(heap) {
			break
		}
		best := first
		for c := first + 1; c < min(first+4, len(heap)); c++ {
			if heap[c] < heap[best] {
				best = c
			}
		}
		if heap[best] >= v {
			break
		}
		heap[i] = heap[best]
		i = best
	}
	heap[i] = v
}
