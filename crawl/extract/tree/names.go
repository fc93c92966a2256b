package tree

import (
	"math/bits"

	"golang.org/x/net/html/atom"
)

// slots finds a tag by a hash of its name. It is read only.
var slots = makeSlots(&tags)

const slotBits = 9

func makeSlots(tags *[tagCount]tag) (slots [1 << slotBits]uint8) {
	for id := 1; id < tagCount; id++ {
		at := slotOf(tags[id].key)
		for slots[at] != 0 {
			at = (at + 1) & (1<<slotBits - 1)
		}
		slots[at] = uint8(id)
	}
	return slots
}

// complete fills in what follows from a tag's name and place.
func complete(tags [tagCount]tag) [tagCount]tag {
	for id := 1; id < tagCount; id++ {
		t := &tags[id]
		t.id, t.atom = uint8(id), atom.Lookup([]byte(t.name))
		for i := range len(t.name) {
			t.key = keyOf(t.key, t.name[i])
		}
	}
	return tags
}

// keyOf adds a letter to the key of a name.
func keyOf(key uint64, c byte) uint64 { return bits.RotateLeft64(key, 8) ^ uint64(c) }

func slotOf(key uint64) uint64 { return key * 0x9e3779b97f4a7c15 >> (64 - slotBits) }

// find finds the tag with a name, which may have capitals; &tags[0] where there is none.
func find(name string, key uint64) *tag {
	for at := slotOf(key); slots[at] != 0; at = (at + 1) & (1<<slotBits - 1) {
		if t := &tags[slots[at]]; t.key == key && equalFold(t.name, name) {
			return t
		}
	}
	return &tags[unknown]
}

// equalFold compares with what is in lower case, by ASCII alone.
func equalFold(lower, s string) bool {
	if len(lower) != len(s) {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if c >= 'A' && c <= 'Z' {
			c |= 0x20
		}
		if c != lower[i] {
			return false
		}
	}
	return true
}

// lower is s with small letters for the capitals of ASCII.
func lower(s string) string {
	for i := range len(s) {
		if c := s[i]; c >= 'A' && c <= 'Z' {
			out := []byte(s)
			for ; i < len(out); i++ {
				if c := out[i]; c >= 'A' && c <= 'Z' {
					out[i] = c | 0x20
				}
			}
			return string(out)
		}
	}
	return s
}
