package main

import (
	"math"
	"math/rand/v2"
	"slices"

	"winnow/crawl/extract/score"
)

// settings of the boosting.
type settings struct {
	rounds   int     // trees
	rate     float64 // of what a tree's answers count
	ridge    float64 // on the sum of curvatures of an answer
	least    float64 // sum of curvatures on either side of a question
	rowShare float64 // of the rows that a tree sees
	colShare float64 // of the features that it may ask
	bins     int     // that a feature is cut into
	smooth   float64 // labels are pulled this far towards 1/2
}

// chosen by cross-validation over domains.
var chosen = settings{rounds: 200, rate: 0.15, ridge: 10, least: 5, rowShare: 0.6, colShare: 0.3, bins: 32}

// maxBins bounds settings.bins.
const maxBins = 64

// sample is one block: what is measured of it, which share of it is main text, and how much it counts.
type sample struct {
	Values *score.Vector
	Label  float32
	Weight float32

	Tokens, Good int // of the block, and those of them that are main text
}

// booster grows trees (gradient boosting of the logistic loss; Friedman 2001).
type booster struct {
	settings
	asked []int       // features
	edges [][]float32 // by asked feature: upper edges of its bins but the last
	bin   [][]uint8   // by asked feature and row
	label []float64
	weigh []float64
	score []float64
	slope [][2]float64 // by row: gradient, curvature
	rng   *rand.Rand
}

func newBooster(rows []sample, asked []int, s settings, seed uint64) *booster {
	n := len(rows)
	b := &booster{settings: s, asked: asked, rng: rand.New(rand.NewPCG(seed, 1))}
	b.score, b.slope = make([]float64, n), make([][2]float64, n)
	for _, r := range rows {
		b.label = append(b.label, float64(r.Label)*(1-s.smooth)+s.smooth/2)
		b.weigh = append(b.weigh, float64(r.Weight))
	}
	column := make([]float32, n)
	for _, f := range asked {
		for i, r := range rows {
			column[i] = r.Values[f]
		}
		edges := quantiles(column, s.bins)
		bins := make([]uint8, n)
		for i, x := range column {
			at, _ := slices.BinarySearch(edges, x)
			bins[i] = uint8(at)
		}
		b.edges, b.bin = append(b.edges, edges), append(b.bin, bins)
	}
	return b
}

// quantiles gives at most bins-1 edges between distinct values, with about as many rows in each bin.
func quantiles(column []float32, bins int) (edges []float32) {
	sorted := slices.Clone(column)
	slices.Sort(sorted)
	distinct := slices.Compact(slices.Clone(sorted))
	if len(distinct) <= bins {
		for i := 1; i < len(distinct); i++ {
			edges = append(edges, (distinct[i-1]+distinct[i])/2)
		}
		return edges
	}
	for k := 1; k < bins; k++ {
		low := sorted[k*len(sorted)/bins]
		at, found := slices.BinarySearch(distinct, low)
		if !found || at+1 == len(distinct) {
			break
		}
		if e := (low + distinct[at+1]) / 2; len(edges) == 0 || e > edges[len(edges)-1] {
			edges = append(edges, e)
		}
	}
	return edges
}

// train grows all trees.
func (b *booster) train() *score.Model {
	var good, all float64
	for i, y := range b.label {
		good, all = good+y*b.weigh[i], all+b.weigh[i]
	}
	m := &score.Model{Base: float32(math.Log(good / (all - good)))}
	for i := range b.score {
		b.score[i] = float64(m.Base)
	}
	for range b.rounds {
		m.Trees = append(m.Trees, b.tree())
	}
	return m
}

// tree grows one tree, level by level, on a part of the rows, and adds its answers to the scores of all.
func (b *booster) tree() (t score.Tree) {
	var rows []int32
	for i, s := range b.score {
		p := 1 / (1 + math.Exp(-s))
		b.slope[i] = [2]float64{b.weigh[i] * (b.label[i] - p), b.weigh[i] * p * (1 - p)}
		if b.rng.Float64() < b.rowShare {
			rows = append(rows, int32(i))
		}
	}
	columns := b.rng.Perm(len(b.asked))[:max(1, int(b.colShare*float64(len(b.asked))))]
	place := make([]uint8, len(b.score)) // of all rows
	for k := range score.Depth {
		c, bin := b.question(rows, place, 1<<k, columns)
		if c < 0 { // nothing to gain: a question that all answer alike
			t.Features[k], t.Thresholds[k] = uint8(b.asked[0]), math.MaxFloat32
			continue
		}
		t.Features[k], t.Thresholds[k] = uint8(b.asked[c]), b.edges[c][bin]
		for i, x := range b.bin[c] {
			if x > bin {
				place[i] |= 1 << k
			}
		}
	}
	var sums [1 << score.Depth][2]float64
	for _, i := range rows {
		sums[place[i]][0] += b.slope[i][0]
		sums[place[i]][1] += b.slope[i][1]
	}
	for k := range t.Values {
		t.Values[k] = score.Round(b.rate * sums[k][0] / (sums[k][1] + b.ridge))
	}
	for i, k := range place {
		b.score[i] += float64(t.Values[k])
	}
	return t
}

// question finds the column and the bin that part the rows at all places best; column -1 where none gains.
func (b *booster) question(rows []int32, place []uint8, places int, columns []int) (column int, bin uint8) {
	column = -1
	var best float64
	sums := make([][2]float64, places*maxBins)
	gain := make([]float64, maxBins)
	for _, c := range columns {
		clear(sums)
		bins := b.bin[c]
		for _, i := range rows {
			s := &sums[int(place[i])*maxBins+int(bins[i])]
			s[0] += b.slope[i][0]
			s[1] += b.slope[i][1]
		}
		clear(gain)
		for p := range places {
			b.gains(sums[p*maxBins:][:maxBins], gain[:len(b.edges[c])])
		}
		for k, g := range gain[:len(b.edges[c])] {
			if g > best+1e-9 {
				best, column, bin = g, c, uint8(k)
			}
		}
	}
	return column, bin
}

// gains adds to gain what each edge gains at one place, given the sums of its bins.
func (b *booster) gains(bins [][2]float64, gain []float64) {
	var allGrad, allHess, g, h float64
	for _, s := range bins {
		allGrad, allHess = allGrad+s[0], allHess+s[1]
	}
	whole := allGrad * allGrad / (allHess + b.ridge)
	for k := range gain {
		g, h = g+bins[k][0], h+bins[k][1]
		if h >= b.least && allHess-h >= b.least {
			gain[k] += g*g/(h+b.ridge) + (allGrad-g)*(allGrad-g)/(allHess-h+b.ridge) - whole
		}
	}
}
