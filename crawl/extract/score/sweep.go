package score

import (
	"cmp"
	"slices"
)

// flat is a model by features instead of trees: for each feature the thresholds in ascending order, and which bits of which trees
// each of them turns over. It is read only.
type flat struct {
	base       float32
	features   []flatFeature
	thresholds []float32
	turns      []turn // of threshold i: first[i] to first[i+1]
	first      []int32
	values     []float32 // 1<<Depth for each tree
	trees      int
}

// flatFeature has the thresholds from..to.
type flatFeature struct {
	feature  uint8
	from, to int32
}

// turn is a bit of a tree's place.
type turn struct {
	tree uint16
	bit  uint16
}

// flatten gives a model by its features; nil for one with more trees than a turn can name.
func (m *Model) flatten() *flat {
	type question struct {
		feature   uint8
		threshold float32
		turn      turn
	}
	if len(m.Trees) > 1<<16 {
		return nil
	}
	var all []question
	f := &flat{base: m.Base, trees: len(m.Trees)}
	for i := range m.Trees {
		t := &m.Trees[i]
		for k, feature := range t.Features {
			all = append(all, question{feature, t.Thresholds[k], turn{uint16(i), 1 << k}})
		}
		f.values = append(f.values, t.Values[:]...)
	}
	slices.SortFunc(all, func(a, b question) int {
		return cmp.Or(cmp.Compare(a.feature, b.feature), cmp.Compare(a.threshold, b.threshold), cmp.Compare(a.turn.tree, b.turn.tree))
	})
	for i, q := range all {
		newFeature := i == 0 || q.feature != all[i-1].feature
		if newFeature {
			f.features = append(f.features, flatFeature{q.feature, int32(len(f.thresholds)), 0})
		}
		if newFeature || q.threshold != all[i-1].threshold {
			f.thresholds, f.first = append(f.thresholds, q.threshold), append(f.first, int32(len(f.turns)))
		}
		f.turns = append(f.turns, q.turn)
		f.features[len(f.features)-1].to = int32(len(f.thresholds))
	}
	f.first = append(f.first, int32(len(f.turns)))
	return f
}

// Sweep scores the blocks of a page one after the other. Most of what is measured is the same for a block as for the one before, so
// only questions whose answers change are looked at. The zero value is ready; Begin starts a page.
type Sweep struct {
	model  *Model
	flat   *flat
	last   Vector
	passed [256]int32 // by place in flat.features: the threshold up to which the feature lies above
	places []uint16   // by tree
}

// Begin starts a page.
func (s *Sweep) Begin(m *Model) {
	s.model, s.flat = m, m.flat
	if s.flat == nil {
		return
	}
	s.places = append(s.places[:0], make([]uint16, s.flat.trees)...)
	for i, f := range s.flat.features {
		s.passed[i] = f.from
		for s.passed[i] < f.to && s.last[f.feature] > s.flat.thresholds[s.passed[i]] {
			s.turn(s.passed[i])
			s.passed[i]++
		}
	}
}

// turn turns over the bits of a threshold.
func (s *Sweep) turn(threshold int32) {
	for _, t := range s.flat.turns[s.flat.first[threshold]:s.flat.first[threshold+1]] {
		s.places[t.tree] ^= t.bit
	}
}

// Logit is Model.Logit of the next block.
func (s *Sweep) Logit(v *Vector) float32 {
	if s.flat == nil {
		return s.model.Logit(v)
	}
	for i := range s.flat.features {
		f := &s.flat.features[i]
		x := v[f.feature]
		if x == s.last[f.feature] {
			continue
		}
		s.last[f.feature] = x
		at := s.passed[i&0xff]
		for at < f.to && x > s.flat.thresholds[at] {
			s.turn(at)
			at++
		}
		for at > f.from && x <= s.flat.thresholds[at-1] {
			at--
			s.turn(at)
		}
		s.passed[i&0xff] = at
	}
	return s.sum()
}

// sum adds up the answers, four at a time: values are whole multiples of unit, so their order does not matter.
func (s *Sweep) sum() float32 {
	var a, b, c, d float32
	values, places := s.flat.values, s.places
	for len(places) >= 4 && len(values) >= 4<<Depth {
		a += values[places[0]&(1<<Depth-1)]
		b += values[1<<Depth+places[1]&(1<<Depth-1)]
		c += values[2<<Depth+places[2]&(1<<Depth-1)]
		d += values[3<<Depth+places[3]&(1<<Depth-1)]
		values, places = values[4<<Depth:], places[4:]
	}
	for i, place := range places {
		a += values[i<<Depth+int(place)]
	}
	return s.flat.base + (a + b + (c + d))
}
