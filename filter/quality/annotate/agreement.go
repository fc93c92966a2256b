package annotate

import (
	"math"
	"slices"
)

// Levels is the number of scores that a text can get: 0 to 5.
const Levels = 6

// GoodFrom is the score from which a text is good, as FineWeb-Edu cuts.
const GoodFrom = 3

// Binary is how far a judgement of good and bad agrees with a true one.
type Binary struct {
	Both      int     `json:"both"`      // good for both
	Only      int     `json:"only"`      // good for the judge alone
	Missed    int     `json:"missed"`    // good for the truth alone
	Neither   int     `json:"neither"`   // bad for both
	Precision float64 `json:"precision"` // of what the judge calls good, the share that is
	Recall    float64 `json:"recall"`    // of what is good, the share that the judge calls so
	F1        float64 `json:"f1"`        // harmonic mean of the two; 0 where neither calls anything good
}

func binary(truth, judge []bool) Binary {
	var b Binary
	for i, t := range truth {
		switch {
		case t && judge[i]:
			b.Both++
		case judge[i]:
			b.Only++
		case t:
			b.Missed++
		default:
			b.Neither++
		}
	}
	if n := b.Both + b.Only; n > 0 {
		b.Precision = float64(b.Both) / float64(n)
	}
	if n := b.Both + b.Missed; n > 0 {
		b.Recall = float64(b.Both) / float64(n)
	}
	if n := 2*b.Both + b.Only + b.Missed; n > 0 {
		b.F1 = float64(2*b.Both) / float64(n)
	}
	return b
}

// Agreement tells how far two raters agree on the same texts.
type Agreement struct {
	Texts     int                 `json:"texts"`
	Exact     float64             `json:"exact"`     // share of equal ratings
	Near      float64             `json:"near"`      // share of ratings at most 1 apart
	Kappa     float64             `json:"kappa"`     // Cohen's, of equal or not
	Linear    float64             `json:"linear"`    // Cohen's, weighted by the distance
	Quadratic float64             `json:"quadratic"` // Cohen's, weighted by the squared distance
	Spearman  float64             `json:"spearman"`  // of ranks; ties have their mean rank
	Confusion [Levels][Levels]int `json:"confusion"` // texts by the first rater's score, then the second's
	Good      Binary              `json:"good"`      // score of at least the bound: the first is the truth
}

// Agree compares ratings of the same texts in the same order, 0 to 5; those of at least goodFrom are good. What cannot be
// told, because a rater never varies, is 0.
func Agree(a, b []int, goodFrom int) Agreement {
	out := Agreement{Texts: len(a)}
	if len(a) == 0 {
		return out
	}
	good := [2][]bool{}
	for i := range a {
		out.Confusion[a[i]][b[i]]++
		good[0], good[1] = append(good[0], a[i] >= goodFrom), append(good[1], b[i] >= goodFrom)
	}
	n := float64(len(a))
	var rows, columns [Levels]float64
	for i, row := range out.Confusion {
		for j, k := range row {
			rows[i] += float64(k) / n
			columns[j] += float64(k) / n
			if i == j {
				out.Exact += float64(k) / n
			}
			if i-j <= 1 && j-i <= 1 {
				out.Near += float64(k) / n
			}
		}
	}
	kappa := func(distance func(i, j int) float64) float64 {
		seen, chance := 0.0, 0.0
		for i, row := range out.Confusion {
			for j, k := range row {
				seen += float64(k) / n * distance(i, j)
				chance += rows[i] * columns[j] * distance(i, j)
			}
		}
		if chance == 0 {
			return 0
		}
		return 1 - seen/chance
	}
	out.Kappa = kappa(func(i, j int) float64 { return min(1, math.Abs(float64(i-j))) })
	out.Linear = kappa(func(i, j int) float64 { return math.Abs(float64(i - j)) })
	out.Quadratic = kappa(func(i, j int) float64 { return float64((i - j) * (i - j)) })
	out.Spearman = correlation(ranks(floats(a)), ranks(floats(b)))
	out.Good = binary(good[0], good[1])
	return out
}

// Judged tells how far a classifier's scores, of any range, agree with an annotator's.
type Judged struct {
	Texts     int            `json:"texts"`
	Spearman  float64        `json:"spearman"`
	AUC       float64        `json:"auc"`       // of good against bad texts; 0.5 is chance, 0 where one of them is missing
	Threshold float64        `json:"threshold"` // score from which the classifier calls a text good
	Good      Binary         `json:"good"`      // at Threshold; the annotator is the truth
	Best      float64        `json:"best"`      // the threshold of the highest F1 on these texts
	AtBest    Binary         `json:"at_best"`
	Classes   [Levels]Spread `json:"classes"` // by the annotator's score
}

// Spread is what a classifier says about the texts of one of the annotator's scores.
type Spread struct {
	Texts  int     `json:"texts"`
	Good   int     `json:"good"`   // called good by the classifier, at Threshold
	Mean   float64 `json:"mean"`   // of the classifier's scores
	Median float64 `json:"median"` // the lower one of an even number
}

// Judge compares a classifier's scores with labels of the same texts in the same order, 0 to 5, of which those of at least
// goodFrom are good.
func Judge(labels []int, scores []float64, goodFrom int, threshold float64) Judged {
	out := Judged{Texts: len(labels), Threshold: threshold}
	if len(labels) == 0 {
		return out
	}
	good := make([]bool, len(labels))
	by := [Levels][]float64{}
	for i, l := range labels {
		good[i] = l >= goodFrom
		by[l] = append(by[l], scores[i])
	}
	at := func(threshold float64) Binary {
		called := make([]bool, len(scores))
		for i, s := range scores {
			called[i] = s >= threshold
		}
		return binary(good, called)
	}
	place := ranks(scores)
	out.Spearman = correlation(ranks(floats(labels)), place)
	out.AUC = auc(good, place)
	out.Good = at(threshold)
	out.Best = bestThreshold(good, scores)
	out.AtBest = at(out.Best)
	for l, s := range by {
		c := &out.Classes[l]
		c.Texts = len(s)
		for _, v := range s {
			c.Mean += v / float64(len(s))
			if v >= threshold {
				c.Good++
			}
		}
		if slices.Sort(s); len(s) > 0 {
			c.Median = s[(len(s)-1)/2]
		}
	}
	return out
}

// auc is the share of pairs of a good and a bad text in which the good one has the higher rank, ties half.
func auc(good []bool, ranks []float64) float64 {
	n, sum := 0.0, 0.0
	for i, g := range good {
		if g {
			n++
			sum += ranks[i]
		}
	}
	bad := float64(len(good)) - n
	if n == 0 || bad == 0 {
		return 0
	}
	return (sum - n*(n-1)/2) / (n * bad)
}

// bestThreshold is the highest score of those at which F1 is highest.
func bestThreshold(good []bool, scores []float64) float64 {
	order := make([]int, len(scores))
	all := 0
	for i := range order {
		order[i] = i
		if good[i] {
			all++
		}
	}
	slices.SortFunc(order, func(a, b int) int {
		if scores[a] > scores[b] {
			return -1
		} else if scores[a] < scores[b] {
			return 1
		}
		return 0
	})
	best, most, hits := scores[order[0]], -1.0, 0
	for i, at := range order {
		if good[at] {
			hits++
		}
		if i+1 < len(order) && scores[order[i+1]] == scores[at] {
			continue
		}
		if f1 := 2 * float64(hits) / float64(i+1+all); f1 > most {
			best, most = scores[at], f1
		}
	}
	return best
}

func floats(values []int) []float64 {
	out := make([]float64, len(values))
	for i, v := range values {
		out[i] = float64(v)
	}
	return out
}

// ranks gives each value its place in order from 0, equal ones their mean place.
func ranks(values []float64) []float64 {
	sorted := slices.Sorted(slices.Values(values))
	out := make([]float64, len(values))
	for i, v := range values {
		first, _ := slices.BinarySearch(sorted, v)
		next, _ := slices.BinarySearch(sorted, math.Nextafter(v, math.Inf(1)))
		out[i] = float64(first+next-1) / 2
	}
	return out
}

func correlation(a, b []float64) float64 {
	n, ma, mb := float64(len(a)), 0.0, 0.0
	for i := range a {
		ma += a[i]
		mb += b[i]
	}
	ma, mb = ma/n, mb/n // of ranks, which are halves: exact where all are equal
	var ab, aa, bb float64
	for i := range a {
		ab += (a[i] - ma) * (b[i] - mb)
		aa += (a[i] - ma) * (a[i] - ma)
		bb += (b[i] - mb) * (b[i] - mb)
	}
	if aa == 0 || bb == 0 {
		return 0
	}
	return ab / math.Sqrt(aa*bb)
}
