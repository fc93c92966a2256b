package dedup

import (
	"slices"

	"winnow"
)

// resolve keeps the best Copies documents of a cluster, and drops the others. Documents of earlier runs are the best of all,
// and stay where they are. Verdict.Value and Outcome.Similarity are the similarity to the best document, by alike;
// Verdict.Detail is the id of that document. Verdict.Bound is open: it was the meeting of keys that decided, not the value.
func (p policy) resolve(c winnow.Cluster, alike func(best, m *winnow.Rank) float32, emit func(winnow.DocID, winnow.Outcome) error) error {
	var best winnow.Member
	at := 0
	for m, err := range c.Members {
		if err != nil {
			return err
		}
		if at++; at == 1 {
			best = m
		}
		if m.Run != "" {
			continue
		}
		o := winnow.Outcome{Cluster: best.Rank.ID, Size: int32(c.Size), Similarity: 1}
		if at > 1 {
			o.Similarity = alike(&best.Rank, &m.Rank)
		}
		if at > p.o.Copies {
			o.Verdict = winnow.Verdict{Drop: true, Rule: p.rule, Value: o.Similarity, Bound: winnow.Any, Detail: best.Rank.ID}
			if best.Run != "" {
				o.Verdict.Detail += " of run " + best.Run
			}
		} else {
			o.Weight = p.weight(c.Size)
		}
		if err := emit(m.Doc, o); err != nil {
			return err
		}
	}
	return nil
}

// weight is how many times a kept document of a cluster of that size should be used; 0 where the recipe does not say.
func (p policy) weight(size int) int32 {
	i := len(p.o.Weights)
	for i > 0 && p.o.Weights[i-1].Size > size {
		i--
	}
	if i == 0 {
		return 0
	}
	return int32(p.o.Weights[i-1].Times)
}

// Weight says how many times the kept documents of clusters of at least Size documents should be used.
type Weight struct{ Size, Times int }

// FineWeb2Weights are the rehydration weights of FineWeb-2 (Penedo et al. 2025, section 9).
func FineWeb2Weights() []Weight {
	return []Weight{{1, 1}, {2, 2}, {3, 3}, {5, 5}, {100, 8}, {1000, 1}}
}

func sortedWeights(w []Weight) []Weight {
	w = slices.Clone(w)
	slices.SortFunc(w, func(a, b Weight) int { return a.Size - b.Size })
	return w
}
