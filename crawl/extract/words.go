package extract

// wordTable says where words are from, by their hash. It holds what is in it in open slots, a power of two of them.
type wordTable struct {
	keys []uint32
	from []uint8 // 0 for an empty slot
	used int
}

// frameTable holds frameWords. It is read only.
var frameTable = tableOf(frameWords)

// tableOf makes a table of a set.
func tableOf(set map[uint32]uint8) (t wordTable) {
	for word, from := range set {
		t.add(word, from)
	}
	return t
}

// reset makes t a copy of another table.
func (t *wordTable) reset(other wordTable) {
	t.keys, t.from, t.used = append(t.keys[:0], other.keys...), append(t.from[:0], other.from...), other.used
}

// slot is where a word lies or would lie.
func (t *wordTable) slot(word uint32) int {
	mask := len(t.keys) - 1
	at := int(word*0x9e3779b1>>8) & mask
	for t.from[at] != 0 && t.keys[at] != word {
		at = (at + 1) & mask
	}
	return at
}

// get says where a word is from; 0 where it is not in the table.
func (t *wordTable) get(word uint32) uint8 { return t.from[t.slot(word)] }

// add notes where a word is from too, and gives where it was from before.
func (t *wordTable) add(word uint32, from uint8) (before uint8) {
	if 2*t.used >= len(t.keys) {
		t.grow()
	}
	at := t.slot(word)
	before = t.from[at]
	if before == 0 {
		t.used++
	}
	t.keys[at], t.from[at] = word, before|from
	return before
}

func (t *wordTable) grow() {
	old := *t
	n := max(512, 2*len(old.keys))
	*t = wordTable{keys: make([]uint32, n), from: make([]uint8, n)}
	for i, from := range old.from {
		if from != 0 {
			t.add(old.keys[i], from)
		}
	}
}
