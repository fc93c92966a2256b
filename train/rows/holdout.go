package rows

import (
	"encoding/binary"
	"math"

	"github.com/zeebo/xxh3"
)

// enough is how many groups a language must have for one of them to be held out although chance took none.
const enough = 10

// Holdout divides documents into those to train on and those to evaluate on. Whole duplicate clusters (single documents where
// there is no cluster) go to one side: those whose hash with the seed falls under share, 0..1, of all hashes. So a document
// keeps its side when others come or go. A language of at least 10 clusters of which chance takes none gives that of the lowest
// hash. Documents without tokens are left out of both. Indices rise.
func Holdout(t *Tokens, share float64, seed uint64) (train, held []int) {
	type lowest struct {
		hash   uint64
		groups map[string]bool
		held   bool
	}
	languages := map[string]*lowest{}
	limit := share * math.MaxUint64
	hash := func(doc int) (string, uint64) {
		g := group(t.Cluster(doc), t.ID(doc))
		return g, xxh3.HashSeed(binary.LittleEndian.AppendUint64([]byte(g), seed), seed)
	}
	for doc := range t.Len() {
		l := languages[t.Language(doc)]
		if l == nil {
			l = &lowest{hash: math.MaxUint64, groups: map[string]bool{}}
			languages[t.Language(doc)] = l
		}
		if t.Length(doc) == 0 || l.held {
			continue
		}
		g, h := hash(doc)
		l.held = float64(h) < limit
		l.hash = min(l.hash, h)
		if len(l.groups) < enough {
			l.groups[g] = true
		}
	}
	also := map[uint64]bool{}
	for _, l := range languages {
		if share > 0 && !l.held && len(l.groups) >= enough {
			also[l.hash] = true
		}
	}
	for doc := range t.Len() {
		if t.Length(doc) == 0 {
			continue
		}
		if _, h := hash(doc); float64(h) < limit || also[h] {
			held = append(held, doc)
		} else {
			train = append(train, doc)
		}
	}
	return train, held
}
