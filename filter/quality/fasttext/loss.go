package fasttext

import "math"

// logOf keeps zero away from the logarithm, as fastText does.
func logOf(p float32) float32 { return float32(math.Log(float64(p) + 1e-5)) }

// activate fills s.output with the probabilities of all labels.
func (m *Model) activate(s *state) {
	m.out.multiply(s.output, s.hidden)
	if m.args.Loss != softmax {
		for i, v := range s.output {
			s.output[i] = m.logistic(v)
		}
		return
	}
	largest, total := s.output[0], float32(0)
	for _, v := range s.output {
		largest = max(largest, v)
	}
	for i, v := range s.output {
		s.output[i] = float32(math.Exp(float64(v - largest)))
		total += s.output[i]
	}
	for i := range s.output {
		s.output[i] /= total
	}
}

// The logistic function is a table of 512 steps from -8 to 8, and 0 or 1 outside.
const steps, edge = 512, 8

func sigmoids() []float32 {
	t := make([]float32, steps+1)
	for i := range t {
		x := float32(i*2*edge)/steps - edge
		t[i] = float32(1 / (1 + math.Exp(-float64(x))))
	}
	return t
}

func (m *Model) logistic(x float32) float32 {
	switch {
	case x > edge:
		return 1
	case x >= -edge:
		return m.sigmoid[int((x+edge)*steps/edge/2)]
	}
	return 0 // not a number, too
}

// node is one of the tree of the hierarchical softmax. Leaves come first, in the order of the labels, and have no children.
type node struct {
	left, right int
	count       int64
}

// unbuilt is the count of a node that has no children yet: above that of any label.
const unbuilt = 1e15

// huffman builds the tree from the labels' counts, which come in descending order.
func huffman(counts []int64) []node {
	n := len(counts)
	tree := make([]node, 2*n-1)
	for i := range tree {
		tree[i] = node{-1, -1, unbuilt}
		if i < n {
			tree[i].count = counts[i]
		}
	}
	leaf, inner := n-1, n
	least := func() int {
		if leaf >= 0 && tree[leaf].count < tree[inner].count {
			leaf--
			return leaf + 1
		}
		inner++
		return inner - 1
	}
	for i := n; i < len(tree); i++ {
		left := least()
		right := least()
		tree[i] = node{left, right, tree[left].count + tree[right].count}
	}
	return tree
}

// descend walks the tree, leaving out what cannot be among the k best any more, or is less likely than fastText tells.
func (m *Model) descend(s *state, k, at int, score float32) {
	if score < logOf(0) || len(s.found) == k && score < s.found[k-1].Probability {
		return
	}
	n := m.tree[at]
	if n.left < 0 {
		keep(s, k, score, at)
		return
	}
	f := m.out.dot(s.hidden, at-len(m.dict.labels))
	f = float32(1 / (1 + math.Exp(-float64(f))))
	m.descend(s, k, n.left, score+float32(logOf(1-f)))
	m.descend(s, k, n.right, score+logOf(f))
}
