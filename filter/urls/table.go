package urls

import (
	"math"

	"github.com/zeebo/xxh3"
)

// table maps many strings to small numbers, in little more memory than the strings: all stand behind each other in one slice, and
// the slots of an open hash table point at them. One million domains of 20 bytes take some 33 MB, a Go map of them 90.
type table struct {
	text  []byte
	ends  []uint32 // where each string ends in text
	kinds []uint8  // the number of each string
	slots []uint32 // index of a string + 1; 0: empty
}

// add takes a string in. The number of one that is there already stays. False: the table is full (4 GB of text).
func (t *table) add(s string, kind uint8) bool {
	if 3*len(t.slots) <= 4*(len(t.ends)+1) {
		t.grow()
	}
	at, found := t.slot(s)
	if found {
		return true
	}
	if int64(len(t.text)+len(s)) > math.MaxUint32 {
		return false
	}
	t.text = append(t.text, s...)
	t.ends, t.kinds = append(t.ends, uint32(len(t.text))), append(t.kinds, kind)
	t.slots[at] = uint32(len(t.ends))
	return true
}

// get gives the number of a string.
func (t *table) get(s string) (kind uint8, ok bool) {
	if len(t.ends) == 0 {
		return 0, false
	}
	at, ok := t.slot(s)
	if !ok {
		return 0, false
	}
	return t.kinds[t.slots[at]-1], true
}

func (t *table) has(s string) bool {
	_, ok := t.get(s)
	return ok
}

func (t *table) len() int { return len(t.ends) }

// at gives string i.
func (t *table) at(i int) []byte {
	start := uint32(0)
	if i > 0 {
		start = t.ends[i-1]
	}
	return t.text[start:t.ends[i]]
}

// slot finds the slot of a string, or the empty one where it belongs.
func (t *table) slot(s string) (at int, found bool) {
	mask := len(t.slots) - 1
	for at = int(xxh3.HashString(s)) & mask; t.slots[at] != 0; at = (at + 1) & mask {
		if string(t.at(int(t.slots[at]-1))) == s {
			return at, true
		}
	}
	return at, false
}

func (t *table) grow() {
	t.slots = make([]uint32, max(64, 2*len(t.slots)))
	mask := len(t.slots) - 1
	for i := range t.ends {
		at := int(xxh3.Hash(t.at(i))) & mask
		for t.slots[at] != 0 {
			at = (at + 1) & mask
		}
		t.slots[at] = uint32(i + 1)
	}
}

// clip gives back what was reserved for more.
func (t *table) clip() {
	t.text = append(make([]byte, 0, len(t.text)), t.text...)
	t.ends = append(make([]uint32, 0, len(t.ends)), t.ends...)
	t.kinds = append(make([]uint8, 0, len(t.kinds)), t.kinds...)
}
