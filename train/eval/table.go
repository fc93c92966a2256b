package eval

// table is a hash table from uint64 to uint32 with open addressing: a count of pairs costs a few nanoseconds, not those of a
// map. Keys are kept plus one, so that 0 is an empty place; the key 1<<64-1 must not be used.
type table struct {
	keys   []uint64
	values []uint32
	used   int
	shift  uint
}

func newTable() *table {
	const bits = 10
	return &table{keys: make([]uint64, 1<<bits), values: make([]uint32, 1<<bits), shift: 64 - bits}
}

// at gives the place of a key, or the empty one where it belongs.
func (t *table) at(key uint64) int {
	mask := len(t.keys) - 1
	for i := int(key * 0x9e3779b97f4a7c15 >> t.shift); ; i = (i + 1) & mask {
		if t.keys[i] == key+1 || t.keys[i] == 0 {
			return i
		}
	}
}

// get gives the value of a key, 0 where it is not there.
func (t *table) get(key uint64) uint32 { return t.values[t.at(key)] }

// ref gives the place for a key's value, a 0 where it was not there. It holds until the next ref.
func (t *table) ref(key uint64) *uint32 {
	i := t.at(key)
	if t.keys[i] == 0 {
		if 4*t.used >= 3*len(t.keys) {
			t.grow()
			i = t.at(key)
		}
		t.keys[i] = key + 1
		t.used++
	}
	return &t.values[i]
}

func (t *table) grow() {
	old := *t
	t.keys, t.values, t.shift = make([]uint64, 2*len(old.keys)), make([]uint32, 2*len(old.keys)), old.shift-1
	for i, k := range old.keys {
		if k != 0 {
			j := t.at(k - 1)
			t.keys[j], t.values[j] = k, old.values[i]
		}
	}
}
