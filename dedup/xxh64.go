package dedup

import (
	"encoding/binary"
	"math/bits"
)

// The primes of XXH64 (Collet, xxHash specification 0.1.1).
const (
	xx1 = 0x9e3779b185ebca87
	xx2 = 0xc2b2ae3d27d4eb4f
	xx3 = 0x165667b19e3779f9
	xx4 = 0x85ebca77c2b2ae63
	xx5 = 0x27d4eb2f165667c5
)

// xxh64 is XXH64 with the seed 0, datatrove's hash of a shingle.
func xxh64(b []byte) uint64 {
	n := uint64(len(b))
	h := uint64(xx5)
	if len(b) >= 32 {
		one, two := uint64(xx1), uint64(xx2)
		v := [4]uint64{one + two, two, 0, -one}
		for ; len(b) >= 32; b = b[32:] {
			for i := range v {
				v[i] = xxRound(v[i], binary.LittleEndian.Uint64(b[8*i:]))
			}
		}
		h = bits.RotateLeft64(v[0], 1) + bits.RotateLeft64(v[1], 7) + bits.RotateLeft64(v[2], 12) + bits.RotateLeft64(v[3], 18)
		for i := range v {
			h = (h^xxRound(0, v[i]))*xx1 + xx4
		}
	}
	h += n
	for ; len(b) >= 8; b = b[8:] {
		h = bits.RotateLeft64(h^xxRound(0, binary.LittleEndian.Uint64(b)), 27)*xx1 + xx4
	}
	if len(b) >= 4 {
		h = bits.RotateLeft64(h^uint64(binary.LittleEndian.Uint32(b))*xx1, 23)*xx2 + xx3
		b = b[4:]
	}
	for _, c := range b {
		h = bits.RotateLeft64(h^uint64(c)*xx5, 11) * xx1
	}
	h = (h ^ h>>33) * xx2
	h = (h ^ h>>29) * xx3
	return h ^ h>>32
}

func xxRound(acc, lane uint64) uint64 { return bits.RotateLeft64(acc+lane*xx2, 31) * xx1 }
