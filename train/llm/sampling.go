package llm

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
)

// Sampling says how a next token is drawn. The zero value is greedy.
type Sampling struct {
	Temperature float64 `json:"temperature"` // 0: the most likely token, always
	TopP        float64 `json:"top_p"`       // the fewest most likely tokens that together have this probability; 0 and 1: all
	MinP        float64 `json:"min_p"`       // at least this share of the most likely token's probability; 0: all
	TopK        int     `json:"top_k"`       // the most likely k; 0: all
	Seed        uint64  `json:"seed"`        // the same seed, prompt and model give the same text
}

// Validate says which field is out of range.
func (s Sampling) Validate() error {
	switch {
	case !(s.Temperature >= 0) || s.Temperature > 100:
		return fmt.Errorf("sampling: temperature %g is not between 0 and 100", s.Temperature)
	case !(s.TopP >= 0 && s.TopP <= 1):
		return fmt.Errorf("sampling: top_p %g is not between 0 and 1", s.TopP)
	case !(s.MinP >= 0 && s.MinP <= 1):
		return fmt.Errorf("sampling: min_p %g is not between 0 and 1", s.MinP)
	case s.TopK < 0:
		return fmt.Errorf("sampling: top_k %d is negative", s.TopK)
	}
	return nil
}

// New makes the sampler of one text, with a generator of its own.
func (s Sampling) New() *Sampler {
	return &Sampler{sampling: s, random: rand.New(rand.NewPCG(s.Seed, 0x9e3779b97f4a7c15))}
}

// Sampler draws the tokens of one text.
type Sampler struct {
	sampling   Sampling
	random     *rand.Rand
	candidates []candidate
}

type candidate struct {
	id int32
	p  float64 // relative to the most likely token's
}

// Next draws from logits [V], which it does not change. The order is that of transformers: temperature, top-k, top-p, min-p;
// between equal logits the lower id comes first. logprob is the model's own log-probability of the id, before all of these.
func (s *Sampler) Next(logits []float32) (id int32, logprob float32) {
	best := 0
	for i, z := range logits {
		if z > logits[best] {
			best = i
		}
	}
	top := float64(logits[best])
	if s.sampling.Temperature == 0 {
		return int32(best), logProbability(logits, top, best)
	}
	s.candidates = s.candidates[:0]
	for i, z := range logits {
		s.candidates = append(s.candidates, candidate{int32(i), math.Exp((float64(z) - top) / s.sampling.Temperature)})
	}
	whole := mass(s.candidates)
	id = s.draw(s.keep(s.candidates))
	if s.sampling.Temperature == 1 {
		return id, float32(float64(logits[id]) - top - math.Log(whole))
	}
	return id, logProbability(logits, top, int(id))
}

// keep applies top-k, top-p and min-p.
func (s *Sampler) keep(list []candidate) []candidate {
	o := s.sampling
	if o.TopK > 0 && o.TopK < len(list) {
		list = likeliest(list, func(sorted []candidate) int {
			if len(sorted) >= o.TopK {
				return o.TopK
			}
			return 0
		})
	}
	if o.TopP > 0 && o.TopP < 1 {
		want := o.TopP * mass(list)
		list = likeliest(list, func(sorted []candidate) int {
			var sum float64
			for i, c := range sorted {
				if sum += c.p; sum >= want {
					return i + 1
				}
			}
			return 0
		})
	}
	if o.MinP > 0 {
		list = slices.DeleteFunc(list, func(c candidate) bool { return c.p < o.MinP })
	}
	return list
}

// likeliest is the head of the sorted list whose length enough tells from a sorted head, 0 meaning that it needs a longer
// one. Few tokens have most of the mass, so it sorts those above a bound and lowers the bound when they are too few.
func likeliest(list []candidate, enough func(sorted []candidate) int) []candidate {
	first := 0
	for bound := 1e-2; ; bound *= 1e-3 {
		for i := first; i < len(list); i++ {
			if list[i].p > bound || bound < 1e-20 {
				list[first], list[i] = list[i], list[first]
				first++
			}
		}
		sorted := list[:first]
		slices.SortFunc(sorted, func(a, b candidate) int { return cmp.Or(cmp.Compare(b.p, a.p), cmp.Compare(a.id, b.id)) })
		if n := enough(sorted); n > 0 {
			return sorted[:n]
		}
		if first == len(list) {
			return sorted
		}
	}
}

func mass(list []candidate) float64 {
	var sum float64
	for _, c := range list {
		sum += c.p
	}
	return sum
}

func (s *Sampler) draw(list []candidate) int32 {
	left := s.random.Float64() * mass(list)
	for _, c := range list {
		if left -= c.p; left < 0 {
			return c.id
		}
	}
	return list[0].id // the mass was rounded away
}

func logProbability(logits []float32, top float64, id int) float32 {
	var sum float64
	for _, z := range logits {
		sum += math.Exp(float64(z) - top)
	}
	return float32(float64(logits[id]) - top - math.Log(sum))
}
