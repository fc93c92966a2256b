package main

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"

	"winnow/crawl/extract"
)

// Settings of the boosting, chosen by cross-validation over hosts on half 0.
const (
	rounds   = 200 // trees
	leaves   = 15
	rate     = 0.1
	ridge    = 5    // on the sum of curvatures
	least    = 1    // sum of curvatures in a leaf
	rowShare = 0.7  // of the rows that a tree sees
	colShare = 0.35 // of the features that it may ask
	maxBins  = 64
)

// sample is one block: what is measured of it, which share of it is main text, and how much it counts.
type sample struct {
	values []float32
	label  float32
	weight float32

	tokens, good int // of the block, and those of them that are main text
}

// booster grows trees that ask one feature at each node (gradient boosting of the logistic loss; Friedman 2001).
type booster struct {
	edges [][]float32 // by feature: upper edges of its bins but the last
	bins  [][]uint8   // by feature and row
	label []float64
	weigh []float64
	score []float64
	grad  []float64
	hess  []float64
	rng   *rand.Rand
}

func newBooster(rows []sample, seed uint64) *booster {
	b := &booster{rng: rand.New(rand.NewPCG(seed, 1))}
	n, features := len(rows), len(rows[0].values)
	b.score, b.grad, b.hess = make([]float64, n), make([]float64, n), make([]float64, n)
	for _, r := range rows {
		b.label, b.weigh = append(b.label, float64(r.label)), append(b.weigh, float64(r.weight))
	}
	column := make([]float32, n)
	for f := range features {
		for i, r := range rows {
			column[i] = r.values[f]
		}
		edges := quantiles(column)
		bins := make([]uint8, n)
		for i, r := range rows {
			at, _ := slices.BinarySearch(edges, r.values[f])
			bins[i] = uint8(at)
		}
		b.edges, b.bins = append(b.edges, edges), append(b.bins, bins)
	}
	return b
}

// quantiles gives at most maxBins-1 edges between distinct values, with about as many rows in each bin.
func quantiles(column []float32) (edges []float32) {
	sorted := slices.Clone(column)
	slices.Sort(sorted)
	distinct := slices.Compact(slices.Clone(sorted))
	if len(distinct) <= maxBins {
		for i := 1; i < len(distinct); i++ {
			edges = append(edges, (distinct[i-1]+distinct[i])/2)
		}
		return edges
	}
	for k := 1; k < maxBins; k++ {
		at := k * len(sorted) / maxBins
		next, _ := slices.BinarySearchFunc(sorted[at:], sorted[at], func(a, b float32) int {
			if a <= b {
				return -1
			}
			return 1
		})
		if at+next >= len(sorted) {
			break
		}
		if e := (sorted[at] + sorted[at+next]) / 2; len(edges) == 0 || e > edges[len(edges)-1] {
			edges = append(edges, e)
		}
	}
	return edges
}

// leaf is a node that may still be split.
type leaf struct {
	node       int
	rows       []int32
	grad, hess float64
	gain       float64
	feature    int
	bin        uint8
}

// train grows all trees.
func (b *booster) train() (base float32, trees []extract.Tree) {
	var good, all float64
	for i, y := range b.label {
		good, all = good+y*b.weigh[i], all+b.weigh[i]
	}
	prior := math.Log(good / (all - good))
	for i := range b.score {
		b.score[i] = prior
	}
	for range rounds {
		trees = append(trees, b.tree())
	}
	return float32(prior), trees
}

func (b *booster) tree() extract.Tree {
	var rows []int32
	for i, s := range b.score {
		p := 1 / (1 + math.Exp(-s))
		b.grad[i], b.hess[i] = b.weigh[i]*(b.label[i]-p), b.weigh[i]*p*(1-p)
		if b.rng.Float64() < rowShare {
			rows = append(rows, int32(i))
		}
	}
	columns := b.rng.Perm(len(b.bins))[:int(colShare*float64(len(b.bins)))]
	var t extract.Tree
	open := []*leaf{b.leaf(&t, rows, columns)}
	for len(open) < leaves {
		best := slices.MaxFunc(open, func(x, y *leaf) int { return cmp.Compare(x.gain, y.gain) })
		if best.gain <= 0 {
			break
		}
		var left, right []int32
		for _, i := range best.rows {
			if b.bins[best.feature][i] <= best.bin {
				left = append(left, i)
			} else {
				right = append(right, i)
			}
		}
		x, y := b.leaf(&t, left, columns), b.leaf(&t, right, columns)
		t[best.node].Feature, t[best.node].Threshold = uint8(best.feature), b.edges[best.feature][best.bin]
		t[best.node].Left, t[best.node].Right = uint8(x.node), uint8(y.node)
		open = append(slices.DeleteFunc(open, func(l *leaf) bool { return l == best }), x, y)
	}
	for i := range b.score {
		b.score[i] += float64(b.walk(t, i))
	}
	return t
}

// walk finds the value of a training row.
func (b *booster) walk(t extract.Tree, row int) float32 {
	at := &t[0]
	for at.Left != 0 {
		f := at.Feature
		if bin := int(b.bins[f][row]); bin == 0 || b.edges[f][bin-1] < at.Threshold {
			at = &t[at.Left]
		} else {
			at = &t[at.Right]
		}
	}
	return at.Value
}

// leaf adds a node for rows and finds its best split.
func (b *booster) leaf(t *extract.Tree, rows []int32, columns []int) *leaf {
	l := &leaf{node: len(*t), rows: rows}
	for _, i := range rows {
		l.grad, l.hess = l.grad+b.grad[i], l.hess+b.hess[i]
	}
	*t = append(*t, extract.Node{Value: float32(rate * l.grad / (l.hess + ridge))})
	whole := l.grad * l.grad / (l.hess + ridge)
	for _, f := range columns {
		var grad, hess [maxBins]float64
		for _, i := range rows {
			k := b.bins[f][i]
			grad[k] += b.grad[i]
			hess[k] += b.hess[i]
		}
		var g, h float64
		for k := range b.edges[f] {
			g, h = g+grad[k], h+hess[k]
			if h < least || l.hess-h < least {
				continue
			}
			if gain := g*g/(h+ridge) + (l.grad-g)*(l.grad-g)/(l.hess-h+ridge) - whole; gain > l.gain {
				l.gain, l.feature, l.bin = gain, f, uint8(k)
			}
		}
	}
	return l
}
