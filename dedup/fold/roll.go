package fold

// Factor is the base of the polynomial that makes the hash of a run of those of its units.
const Factor = 0x9e3779b97f4a7c15

// Roll appends the hash of every run of n units, the first one's first; none where there are fewer than n. A unit is a hash
// itself; the hash of a run is rolled on from that of the run before.
func Roll(dst, units []uint64, n int) []uint64 {
	if n < 1 {
		return dst
	}
	h, out := uint64(0), uint64(1) // out: the factor of a unit that leaves the run
	for i, u := range units {
		h = h*Factor + u
		if i < n {
			out *= Factor
		} else {
			h -= out * units[i-n]
		}
		if i >= n-1 {
			dst = append(dst, Mix(h))
		}
	}
	return dst
}

// Mix spreads the bits of v: the finish of MurmurHash3, with the constants of Stafford's variant 13.
func Mix(v uint64) uint64 {
	v = (v ^ v>>30) * 0xbf58476d1ce4e5b9
	v = (v ^ v>>27) * 0x94d049bb133111eb
	return v ^ v>>31
}
