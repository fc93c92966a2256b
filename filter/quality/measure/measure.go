// Package measure tells how well scores and classes agree with what texts really are. Scored texts flow in; areas under curves with
// their intervals, precision at a kept share, calibration and confusion flow out.
package measure

import (
	"cmp"
	"math"
	"slices"
)

// Scored is a text's score and whether it is good.
type Scored struct {
	Score float32
	Good  bool
}

// Binary tells how well scores separate good from bad texts. What has no texts to be measured on is 0.
type Binary struct {
	Good             int     `json:"good"`
	Bad              int     `json:"bad"`
	AUC              float64 `json:"auc"` // probability that a good text scores higher than a bad one; ties count half
	Low              float64 `json:"auc_low"`
	High             float64 `json:"auc_high"`          // of the 95 % interval (DeLong et al. 1988), cut to 0..1
	AveragePrecision float64 `json:"average_precision"` // area under precision over recall, by steps
	Threshold        float32 `json:"threshold"`         // the lowest score that counts as good, as given
	Precision        float64 `json:"precision"`         // at Threshold, of good texts
	Recall           float64 `json:"recall"`
	F1               float64 `json:"f1"`
	Best             float32 `json:"best_threshold"` // at which F1 would be the highest on these texts
	BestF1           float64 `json:"best_f1"`
	Kept             []Point `json:"kept,omitempty"`   // at the shares of KeptShares
	Points           []Point `json:"points,omitempty"` // of the ROC and the precision-recall curve, at most 201, best scores first
}

// Point is what holds where texts of at least Score are kept.
type Point struct {
	Score     float32 `json:"score"`
	Kept      float64 `json:"kept"` // share of all texts; what ties make of the share asked for
	Precision float64 `json:"precision"`
	Recall    float64 `json:"recall"`         // true positive rate
	False     float64 `json:"false_positive"` // share of the bad texts that is kept
}

// KeptShares are those at which precision is told.
var KeptShares = []float64{.05, .1, .2, .3, .5}

// Of measures scores; it sorts texts, best first.
func Of(texts []Scored, threshold float32) Binary {
	m := Binary{Threshold: threshold}
	slices.SortFunc(texts, func(a, b Scored) int { return cmp.Compare(b.Score, a.Score) })
	for _, s := range texts {
		if s.Good {
			m.Good++
		} else {
			m.Bad++
		}
	}
	all := m.curve(texts)
	last := 0.0
	for _, p := range all {
		f1 := harmonic(p.Precision, p.Recall)
		if p.Score >= threshold {
			m.Precision, m.Recall, m.F1 = p.Precision, p.Recall, f1
		}
		if f1 > m.BestF1 {
			m.Best, m.BestF1 = p.Score, f1
		}
		m.AveragePrecision += p.Precision * (p.Recall - last)
		last = p.Recall
	}
	for _, share := range KeptShares {
		if i := slices.IndexFunc(all, func(p Point) bool { return p.Kept >= share-1e-12 }); i >= 0 {
			m.Kept = append(m.Kept, all[i])
		}
	}
	m.Points = thin(all, 201)
	m.AUC, m.Low, m.High = area(texts, m.Good, m.Bad)
	return m
}

// curve gives a point for each score that occurs; texts are sorted.
func (m *Binary) curve(texts []Scored) (all []Point) {
	good, bad := 0, 0
	for i := 0; i < len(texts); {
		score := texts[i].Score
		for ; i < len(texts) && texts[i].Score == score; i++ {
			if texts[i].Good {
				good++
			} else {
				bad++
			}
		}
		all = append(all, Point{score, share(i, len(texts)), share(good, i), share(good, m.Good), share(bad, m.Bad)})
	}
	return all
}

// thin keeps the first, the last and points evenly between.
func thin(all []Point, n int) []Point {
	if len(all) <= n {
		return all
	}
	out := make([]Point, n)
	for i := range out {
		out[i] = all[i*(len(all)-1)/(n-1)]
	}
	return out
}

func share(n, of int) float64 {
	if of == 0 {
		return 0
	}
	return float64(n) / float64(of)
}

func harmonic(a, b float64) float64 {
	if a+b == 0 {
		return 0
	}
	return 2 * a * b / (a + b)
}

// area is the AUC and its 95 % interval by DeLong's variance, from ranks (Sun and Xu 2014); texts are sorted, best first. Where that
// variance is 0, as where every pair is in the right order, the interval reaches 3/n inwards, n being the texts of the smaller class
// (the rule of three).
func area(texts []Scored, good, bad int) (auc, low, high float64) {
	if good == 0 || bad == 0 {
		return 0, 0, 0
	}
	// For each good text the share of bad ones below it, for each bad one the share of good ones above; equal ones count half.
	var sum [2]float64
	var squares [2]float64
	above := [2]int{} // bad and good texts of higher scores
	for i := 0; i < len(texts); {
		next, here := i, [2]int{}
		for ; next < len(texts) && texts[next].Score == texts[i].Score; next++ {
			here[class(texts[next].Good)]++
		}
		ofGood := (float64(bad-above[0]-here[0]) + float64(here[0])/2) / float64(bad)
		ofBad := (float64(above[1]) + float64(here[1])/2) / float64(good)
		for c, v := range [2]float64{ofBad, ofGood} {
			sum[c] += v * float64(here[c])
			squares[c] += v * v * float64(here[c])
		}
		above[0], above[1] = above[0]+here[0], above[1]+here[1]
		i = next
	}
	auc = sum[1] / float64(good)
	variance := 0.0
	for c, n := range [2]float64{float64(bad), float64(good)} {
		if n > 1 {
			variance += max(0, squares[c]-sum[c]*sum[c]/n) / (n - 1) / n
		}
	}
	half := 1.959963984540054 * math.Sqrt(variance)
	if variance == 0 {
		half = 3 / float64(min(good, bad))
	}
	return auc, max(0, auc-half), min(1, auc+half)
}

func class(good bool) int {
	if good {
		return 1
	}
	return 0
}
