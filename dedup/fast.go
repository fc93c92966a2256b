package dedup

import (
	"math/bits"

	"winnow/dedup/fold"
)

// fastSignature is Fast Similarity Sketching (Dahlgaard, Knudsen and Thorup 2017). In one round every shingle throws one hash
// into one place of the signature, where the least stays; places that are still empty are filled in further rounds with
// fresh hash functions, of which the last len(sig) aim at one place each. Two signatures agree in a place with the
// probability of the sets' Jaccard similarity, as with one function for each place, but n shingles cost n + O(k log k) hashes
// for k places, not n*k. Against one permutation with densification it is the rounds that keep short texts independent.
func fastSignature(sig []uint64, round []uint16, hashes []uint64, seed uint64) {
	places := uint64(len(sig))
	for i := range sig {
		sig[i], round[i] = ^uint64(0), unfilled
	}
	empty := len(sig)
	for r := uint64(0); empty > 0 && r < places; r++ {
		salt := fold.Mix(seed + r*fold.Factor)
		now := uint16(r)
		for _, h := range hashes {
			at, v := bits.Mul64(fold.Mix(h^salt), places)
			switch {
			case round[at] == unfilled:
				sig[at], round[at] = v, now
				empty--
			case round[at] == now && v < sig[at]:
				sig[at] = v
			}
		}
	}
	for at := range sig {
		if round[at] != unfilled {
			continue
		}
		salt := fold.Mix(seed + (places+uint64(at))*fold.Factor)
		for _, h := range hashes {
			sig[at] = min(sig[at], fold.Mix(h^salt))
		}
	}
}

// unfilled marks a place that no hash has met.
const unfilled = 1<<16 - 1
