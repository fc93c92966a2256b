package classify

import (
	"slices"

	"winnow/filter/quality/measure"
	"winnow/filter/quality/rank"
)

// finish calibrates a model on the held-out texts, stores how it scores them, and puts into the card how it fares. Calibration is
// measured by halves: each is judged by what the other half taught. What is stored was taught by both.
func (m *Model) finish(held *Set, o *Options, c *Card) error {
	defer func() { c.Model = m.Hash() }()
	if len(held.Texts) == 0 {
		return nil
	}
	all := m.outcomes(held)
	if o.Calibrate != "none" {
		m.spec.Calibration = calibrate(o.Calibrate, all, len(held.Labels))
		c.Calibration = m.spec.Calibration.Method
		c.Chance = m.spec.Calibration.Method == "platt" && m.spec.Calibration.Scale <= leastScale
	}
	honest := crossed(o.Calibrate, all, len(held.Labels))
	if len(held.Labels) > 2 {
		c.Held.Evaluation = classes(held.Labels, all, honest)
	} else {
		m.thresholds(held, all, honest, o, c)
	}
	if err := m.spec.Calibration.check(m.outputs()); err != nil {
		return err
	}
	m.seal()
	return nil
}

func (m *Model) outcomes(s *Set) []outcome {
	x := m.scratch.Get().(*scratch)
	defer m.scratch.Put(x)
	var all []outcome
	for i, t := range s.Texts {
		m.raw(x, t)
		all = append(all, outcome{slices.Clone(x.outputs), s.Class[i]})
	}
	return all
}

// crossed gives the probabilities of each text's classes by a calibration that the other half of the texts taught.
func crossed(method string, all []outcome, classes int) [][]float64 {
	var halves [2][]outcome
	seen := make([]int, classes)
	half := make([]int, len(all))
	for i, o := range all {
		half[i] = seen[o.class] % 2
		seen[o.class]++
		halves[half[i]] = append(halves[half[i]], o)
	}
	taught := [2]Calibration{calibrate(method, halves[1], classes), calibrate(method, halves[0], classes)}
	probabilities := make([][]float64, len(all))
	for i, o := range all {
		probabilities[i] = make([]float64, classes)
		taught[half[i]].apply(probabilities[i], slices.Clone(o.outputs))
	}
	return probabilities
}

func classes(labels []string, all []outcome, honest [][]float64) Evaluation {
	sorted := make([]measure.Sorted, len(all))
	for i, p := range honest {
		said := 0
		for k := range p {
			if p[k] > p[said] {
				said = k
			}
		}
		sorted[i] = measure.Sorted{True: all[i].class, Said: said, Probability: float32(p[said])}
	}
	m := measure.OfClasses(labels, sorted)
	return Evaluation{Classes: &m}
}

// thresholds stores the distribution of the scores of the held-out texts, and the threshold for the share to keep.
func (m *Model) thresholds(held *Set, all []outcome, honest [][]float64, o *Options, c *Card) {
	scores := make([]float32, len(all))
	ranked, probable := make([]measure.Scored, len(all)), make([]measure.Scored, len(all))
	p := make([]float64, 2)
	for i, one := range all {
		m.spec.Calibration.apply(p, slices.Clone(one.outputs))
		scores[i] = float32(p[1])
		ranked[i] = measure.Scored{Score: scores[i], Good: one.class == 1}
		probable[i] = measure.Scored{Score: float32(honest[i][1]), Good: one.class == 1}
	}
	m.spec.Cutoffs = rank.Of(slices.Clone(scores))
	threshold := float32(.5)
	if o.Keep > 0 {
		m.spec.Keep, m.spec.Least = o.Keep, m.spec.Cutoffs.Threshold(o.Keep)
		threshold = float32(rank.Float32(m.spec.Least))
		kept := 0
		for _, s := range scores {
			if float64(s) >= m.spec.Least {
				kept++
			}
		}
		c.Threshold = &Threshold{Score: m.spec.Least, Asked: o.Keep, Kept: float64(kept) / float64(len(scores))}
	}
	c.Held.Evaluation = evaluation(held, ranked, probable, threshold)
}
