package bpe

// merge replaces a pair by an id in every word that has it.
func (t *trainer) merge(which, id int32) {
	p := &t.pairs[which]
	a, b, list := p.a, p.b, p.words
	p.words = nil
	t.step++
	t.grown = t.grown[:0]
	for _, w := range list {
		t.mergeWord(w, a, b, id)
	}
	t.pairs[which].count = 0
	for _, g := range t.grown {
		if n := t.pairs[g].count; n > 0 && g != which {
			t.push(candidate{n, g})
		}
	}
}

// mergeWord replaces the pair in one word, from the left, and moves its count from the pairs that vanish to those that come.
func (t *trainer) mergeWord(w, a, b, id int32) {
	ids := t.ids[t.from[w]:][:t.size[w]]
	i := 0
	for ; i+1 < len(ids); i++ {
		if ids[i] == a && ids[i+1] == b {
			break
		}
	}
	if i+1 >= len(ids) { // it had the pair once
		return
	}
	n := t.count[w]
	to := i
	for i < len(ids) {
		if i+1 >= len(ids) || ids[i] != a || ids[i+1] != b {
			ids[to] = ids[i]
			to, i = to+1, i+1
			continue
		}
		if to > 0 {
			t.less(ids[to-1], a, n)
			t.more(ids[to-1], id, n, w)
		}
		if i+2 < len(ids) {
			t.less(b, ids[i+2], n)
			t.more(id, ids[i+2], n, w)
		}
		ids[to] = id
		to, i = to+1, i+2
	}
	t.size[w] = int32(to)
}

func (t *trainer) less(a, b int32, n int64) {
	t.pairs[t.find(a, b)].count -= n
}

// more adds to a pair, which the word has now.
func (t *trainer) more(a, b int32, n int64, w int32) {
	at := t.find(a, b)
	p := &t.pairs[at]
	p.count += n
	if p.step != t.step {
		p.step = t.step
		t.grown = append(t.grown, at)
	}
	if k := len(p.words); k == 0 || p.words[k-1] != w {
		p.words = append(p.words, w)
	}
}

// push and sink keep the best candidate at t.heap[0]: a heap of four branches.
func (t *trainer) push(c candidate) {
	t.heap = append(t.heap, c)
	for i := len(t.heap) - 1; i > 0; {
		up := (i - 1) / 4
		if !t.better(t.heap[i], t.heap[up]) {
			break
		}
		t.heap[up], t.heap[i] = t.heap[i], t.heap[up]
		i = up
	}
}

func (t *trainer) sink(i int) {
	h := t.heap
	for {
		first := 4*i + 1
		if first >= len(h) {
			return
		}
		best := first
		for c := first + 1; c < min(first+4, len(h)); c++ {
			if t.better(h[c], h[best]) {
				best = c
			}
		}
		if !t.better(h[best], h[i]) {
			return
		}
		h[best], h[i] = h[i], h[best]
		i = best
	}
}

// pairIndex finds a pair's number: open addressing.
type pairIndex struct {
	slots []indexSlot
	used  int
}

type indexSlot struct {
	a, b int32
	pair int32 // +1; 0: empty
}

func newPairIndex(size int) pairIndex { return pairIndex{slots: make([]indexSlot, size)} }

func (x *pairIndex) home(a, b int32) uint64 {
	h := (uint64(a)<<32 | uint64(b)) * 0x9E3779B97F4A7C15
	return (h ^ h>>32) & uint64(len(x.slots)-1)
}

// put gives the number of a pair, next where it is new.
func (x *pairIndex) put(a, b, next int32) (at int32, fresh bool) {
	mask := uint64(len(x.slots) - 1)
	i := x.home(a, b)
	for ; x.slots[i].pair != 0; i = (i + 1) & mask {
		if s := &x.slots[i]; s.a == a && s.b == b {
			return s.pair - 1, false
		}
	}
	x.slots[i] = indexSlot{a, b, next + 1}
	if x.used++; 2*x.used > len(x.slots) {
		old := x.slots
		x.slots = make([]indexSlot, 2*len(old))
		mask = uint64(len(x.slots) - 1)
		for _, s := range old {
			if s.pair == 0 {
				continue
			}
			k := x.home(s.a, s.b)
			for x.slots[k].pair != 0 {
				k = (k + 1) & mask
			}
			x.slots[k] = s
		}
	}
	return next, true
}
