package demo

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat"

	"winnow/train/eval"
)

// Measure is one number of one arm under one seed.
type Measure struct {
	Arm    string
	Metric string // what was measured: "bits per byte, en"
	Better int    // +1: more is better; -1: less is better; 0: neither
	Value  float64

	// What the 95 % interval of the line is computed from, over all seeds together; both empty: it has none.
	Trials int       // Value is a share, in per cent, of so many (Wilson's interval)
	Gains  []float64 // Value is the mean of these differences, paired by prompt (normal interval of a mean)
}

// Line is one arm and metric over all seeds.
type Line struct {
	Arm    string    `json:"arm"`
	Metric string    `json:"metric"`
	Values []float64 `json:"values"` // by seed
	Mean   float64   `json:"mean"`
	Min    float64   `json:"min"`
	Max    float64   `json:"max"`
	// Against compares with the first arm that has the metric; nil for that arm itself, where neither is better, and for one seed,
	// which has no noise to compare with.
	Against *Difference `json:"against,omitempty"`
	// Interval is the 95 % interval of Mean, where it is a share or a mean of gains; else nil.
	Interval *Interval `json:"interval,omitempty"`
}

// Interval is a range of values.
type Interval struct {
	Low  float64 `json:"low"`
	High float64 `json:"high"`
}

// Difference is an arm's distance from the reference arm, paired by seed.
type Difference struct {
	Arm   string  `json:"arm"`   // the reference
	Mean  float64 `json:"mean"`  // of arm minus reference over the seeds
	Noise float64 `json:"noise"` // the greater of the two arms' ranges over the seeds
	Gain  int     `json:"gain"`  // +1 better, -1 worse, 0: no measurable difference, for |Mean| <= Noise or seeds of different sign
}

// lines puts the measures of all seeds together, in the order of the first seed. Every seed must have the same measures.
func lines(seeds [][]Measure) ([]Line, error) {
	var out []Line
	reference := map[string]int{}
	for i, m := range seeds[0] {
		l := Line{Arm: m.Arm, Metric: m.Metric}
		for s, all := range seeds {
			if len(all) != len(seeds[0]) || all[i].Arm != m.Arm || all[i].Metric != m.Metric {
				return nil, fmt.Errorf("seed %d: measures differ from those of the first seed", s)
			}
			l.Values = append(l.Values, all[i].Value)
			l.Mean += all[i].Value / float64(len(seeds))
		}
		l.Min, l.Max = slices.Min(l.Values), slices.Max(l.Values)
		l.Interval = interval(seeds, i)
		if r, ok := reference[m.Metric]; !ok {
			reference[m.Metric] = i
		} else if m.Better != 0 && len(seeds) > 1 {
			l.Against = difference(l, out[r], m.Better)
		}
		out = append(out, l)
	}
	return out, nil
}

// interval is the 95 % interval of measure i over all seeds.
func interval(seeds [][]Measure, i int) *Interval {
	var hits, trials int
	var gains []float64
	for _, all := range seeds {
		hits += int(math.Round(all[i].Value / 100 * float64(all[i].Trials)))
		trials += all[i].Trials
		gains = append(gains, all[i].Gains...)
	}
	switch {
	case trials > 0:
		r := eval.NewRate(hits, trials)
		return &Interval{100 * r.Low, 100 * r.High}
	case len(gains) > 1:
		mean, deviation := stat.MeanStdDev(gains, nil)
		half := 1.96 * deviation / math.Sqrt(float64(len(gains)))
		return &Interval{mean - half, mean + half}
	}
	return nil
}

func difference(l, ref Line, better int) *Difference {
	d := &Difference{Arm: ref.Arm, Noise: max(l.Max-l.Min, ref.Max-ref.Min)}
	signs := 0
	for i, v := range l.Values {
		d.Mean += (v - ref.Values[i]) / float64(len(l.Values))
		switch {
		case v > ref.Values[i]:
			signs++
		case v < ref.Values[i]:
			signs--
		}
	}
	agree := signs == len(l.Values) || -signs == len(l.Values)
	if agree && math.Abs(d.Mean) > d.Noise {
		d.Gain = better
		if d.Mean < 0 {
			d.Gain = -better
		}
	}
	return d
}
