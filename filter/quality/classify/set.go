package classify

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"slices"

	"winnow/text"
)

// Set is labelled texts. Labels are the names of the classes, sorted or in an order of the caller's; of two the second is the one
// whose probability is the score.
type Set struct {
	Labels []string
	Texts  []string
	Class  []int // of each text, an index of Labels
}

// Good and Bad are the labels of a classifier of quality.
const Bad, Good = "bad", "good"

// Binary is good and bad texts.
func Binary(good, bad []string) Set {
	s := Set{Labels: []string{Bad, Good}}
	for _, t := range good {
		s.Add(t, 1)
	}
	for _, t := range bad {
		s.Add(t, 0)
	}
	return s
}

// ByName is texts with the names of their classes, which are sorted.
func ByName(texts, names []string) Set {
	labels := slices.Compact(slices.Sorted(slices.Values(names)))
	s := Set{Labels: labels}
	for i, t := range texts {
		class, _ := slices.BinarySearch(labels, names[i])
		s.Add(t, class)
	}
	return s
}

// Add appends one text.
func (s *Set) Add(text string, class int) {
	s.Texts, s.Class = append(s.Texts, text), append(s.Class, class)
}

// Counts is the number of texts of each class.
func (s *Set) Counts() []int {
	n := make([]int, len(s.Labels))
	for _, c := range s.Class {
		n[c]++
	}
	return n
}

// split holds out about share of the texts: which ones the texts themselves tell, with the seed, so that copies of a text lie on one
// side. Nothing is held out where a class would have fewer than 10 texts to measure, or to learn from.
func (s *Set) split(share float64, seed uint64) (train, held Set) {
	train, held = Set{Labels: s.Labels}, Set{Labels: s.Labels}
	for i, t := range s.Texts {
		h := mix(pair(hashBytes(t), seed))
		if float64(h>>11)/(1<<53) < share {
			held.Add(t, s.Class[i])
		} else {
			train.Add(t, s.Class[i])
		}
	}
	if slices.Min(held.Counts()) < 10 || slices.Min(train.Counts()) < 10 {
		return *s, Set{Labels: s.Labels}
	}
	return train, held
}

func hashBytes(s string) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(s) {
		h = (h ^ uint64(s[i])) * 1099511628211
	}
	return h
}

// origin is the SHA-256 of the texts, their classes and the options.
func (s *Set) origin(o Options) [32]byte {
	h := sha256.New()
	options, err := json.Marshal(o)
	if err != nil {
		panic(err) // of a type that JSON does not know only
	}
	fmt.Fprintf(h, "%s %q", options, s.Labels)
	for i, t := range s.Texts {
		fmt.Fprintf(h, "%d %d ", s.Class[i], len(t))
		h.Write([]byte(t))
	}
	return [32]byte(h.Sum(nil))
}

// example is a text as the learner sees it.
type example struct {
	index  []uint32  // buckets that occur, ascending
	x      []float32 // their share of the text's n-grams
	class  int
	han    bool
	weight float32 // of its loss
}

// list makes examples of the texts that have a word.
func (s *Set) list(o *Features) []example {
	var all []example
	var f features
	for i, t := range s.Texts {
		if e, ok := f.example(t, o); ok {
			e.class, e.han = s.Class[i], text.HanRatio(t) > .5
			all = append(all, e)
		}
	}
	return all
}

// example counts the n-grams of a text; a text without words has none.
func (f *features) example(t string, o *Features) (e example, ok bool) {
	buckets := f.of(t, o)
	if len(buckets) == 0 {
		return e, false
	}
	slices.Sort(buckets)
	for i := 0; i < len(buckets); {
		next := i + 1
		for next < len(buckets) && buckets[next] == buckets[i] {
			next++
		}
		e.index = append(e.index, buckets[i])
		e.x = append(e.x, float32(next-i)/float32(len(buckets)))
		i = next
	}
	e.index, e.x, e.weight = slices.Clip(e.index), slices.Clip(e.x), 1
	return e, true
}

// weigh gives each example the weight by which the classes balance within its script; where a script has one class only,
// the weight is 1.
func weigh(examples []example, classes int) {
	count := [2][]float32{make([]float32, classes), make([]float32, classes)}
	at := func(e example) []float32 {
		if e.han {
			return count[1]
		}
		return count[0]
	}
	for _, e := range examples {
		at(e)[e.class]++
	}
	for i, e := range examples {
		total, present := float32(0), float32(0)
		for _, n := range at(e) {
			if total += n; n > 0 {
				present++
			}
		}
		examples[i].weight = 1
		if present > 1 {
			examples[i].weight = total / (present * at(e)[e.class])
		}
	}
}
