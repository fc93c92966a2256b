package eval

import (
	"context"
	"fmt"
	"slices"
)

// Cloze is a sentence whose end is one of many candidates.
type Cloze struct {
	Prefix  string
	Answers []int // indices of right candidates; at least one
}

// Ranks is where the right candidate stands among all. Where several are right, the best one's place counts, and the others are
// no rivals. Equal candidates share their places.
type Ranks struct {
	Task       string  `json:"task"`
	Method     string  `json:"method"` // sum, per_byte, gain
	Candidates int     `json:"candidates"`
	Top1       Rate    `json:"top1"`
	Top5       Rate    `json:"top5"`
	Median     float64 `json:"median_rank"` // from 1; (Candidates+1)/2 is chance
	Reciprocal float64 `json:"mean_reciprocal_rank"`
}

// Complete ranks candidates after each prefix by three methods: sum, their likelihood; per_byte, the same per byte; gain, how
// much the prefix adds to the likelihood that they have after neutral, a prefix that says nothing (so that a name is not right
// because it is short or known).
func (p Prober) Complete(ctx context.Context, task string, clozes []Cloze, candidates []string, neutral string) ([]Ranks, error) {
	probes := []probe{{neutral, candidates}}
	for _, c := range clozes {
		probes = append(probes, probe{c.Prefix, candidates})
	}
	answers, err := p.ask(ctx, probes)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", task, err)
	}
	if answers[0].lost {
		return nil, fmt.Errorf("%s: a candidate is longer than the context of %d", task, p.Len)
	}
	methods := []struct {
		name string
		cost func(nats []float64) []float64
	}{
		{"sum", func(x []float64) []float64 { return x }},
		{"per_byte", func(x []float64) []float64 { return perByte(x, candidates) }},
		{"gain", func(x []float64) []float64 {
			out := slices.Clone(x)
			for i := range out {
				out[i] -= answers[0].nats[i]
			}
			return out
		}},
	}
	var list []Ranks
	for _, m := range methods {
		r := Ranks{Task: task, Method: m.name, Candidates: len(candidates)}
		var places, inverse []float64
		top1, top5 := 0, 0
		for i, c := range clozes {
			place := rank(m.cost(answers[i+1].nats), c.Answers)
			places, inverse = append(places, place), append(inverse, 1/place)
			if place <= 1 {
				top1++
			}
			if place <= 5 {
				top5++
			}
		}
		r.Top1, r.Top5 = NewRate(top1, len(clozes)), NewRate(top5, len(clozes))
		r.Median, r.Reciprocal = median(places), mean(inverse)
		list = append(list, r)
	}
	return list, nil
}

// rank is the place of the cheapest answer among all that are no answers, from 1; half the equal ones stand before it.
func rank(cost []float64, answers []int) float64 {
	best := answers[0]
	for _, a := range answers {
		if cost[a] < cost[best] {
			best = a
		}
	}
	place := 1.0
	for i, c := range cost {
		switch {
		case slices.Contains(answers, i):
		case c < cost[best]:
			place++
		case c == cost[best]:
			place += 0.5
		}
	}
	return place
}

// Capitals asks for capitals: in English for the capital of a country among all capitals; in Chinese for the country, among all
// countries with a Chinese name, whose capital is given, since the data have no Chinese names of capitals. n countries are asked
// about, chosen by seed; 0: all.
func (p Prober) Capitals(ctx context.Context, countries []Country, n int, seed uint64) ([]Ranks, error) {
	var cities, names []string
	at := map[string]int{}
	for _, c := range countries {
		for _, city := range c.Capitals {
			if _, ok := at[city]; !ok {
				at[city] = len(cities)
				cities = append(cities, " "+city)
			}
		}
	}
	place := map[string]int{}
	for _, c := range countries {
		if _, ok := place[c.Chinese]; !ok && c.Chinese != "" {
			place[c.Chinese] = len(names)
			names = append(names, c.Chinese)
		}
	}
	var en, zh []Cloze
	for _, c := range Sample(countries, n, seed, func(c Country) string { return c.Name }) {
		var right []int
		for _, city := range c.Capitals {
			right = append(right, at[city])
		}
		en = append(en, Cloze{"The capital of " + c.Name + " is", right})
		if c.Chinese != "" {
			zh = append(zh, Cloze{"以" + c.Capitals[0] + "为首都的国家是", []int{place[c.Chinese]}})
		}
	}
	list, err := p.Complete(ctx, "capital.en", en, cities, "The capital is")
	if err != nil || len(zh) == 0 {
		return list, err
	}
	more, err := p.Complete(ctx, "country.zh", zh, names, "这个国家是")
	return append(list, more...), err
}
