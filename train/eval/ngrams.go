package eval

import (
	"fmt"
	"iter"
	"math"
)

// NGrams counts symbols of training texts and gives the nats of each held-out text under n-gram models of order 1 to order, by
// order and text. Symbols are 0 to alphabet-1; each text is followed by an end, which is counted and predicted as the symbol
// alphabet, but not scored, as a model's eos is not.
//
// The models are interpolated after Witten and Bell (1991): p(w | h) = (c(hw) + t(h) p(w | h')) / (c(h) + t(h)), where c counts
// in the training texts, t(h) is the number of different symbols seen after h, h' is h without its oldest symbol, and below one
// symbol stands the uniform distribution. Nothing is tuned. A context reaches no further back than the text's beginning.
//
// Only what follows contexts of the held-out texts is kept, so memory grows with these contexts, not with the training texts. An
// error of train ends the count and is returned.
func NGrams(train iter.Seq2[[]int32, error], held [][]int32, alphabet, order int) ([][]float64, error) {
	if order < 1 || alphabet < 1 {
		return nil, fmt.Errorf("n-grams: order %d over %d symbols", order, alphabet)
	}
	c := &counter{order: order, alphabet: int32(alphabet), nodes: newTable(), pairs: newTable()}
	for _, text := range held {
		if err := c.learn(text); err != nil {
			return nil, err
		}
	}
	for text, err := range train {
		if err != nil {
			return nil, err
		}
		if err := c.count(text); err != nil {
			return nil, err
		}
	}
	nats := make([][]float64, order)
	for k := range nats {
		nats[k] = make([]float64, len(held))
	}
	for i, text := range held {
		c.score(text, func(k int, x float64) { nats[k][i] += x })
	}
	return nats, nil
}

// counter is a trie of contexts, from the latest symbol back, and counts of what follows them. Node 0 is the empty context.
type counter struct {
	order    int
	alphabet int32
	nodes    *table // parent<<32 | symbol -> node
	pairs    *table // node<<32 | symbol -> count
	total    []int64
	types    []int64
}

func pairKey(node uint32, symbol int32) uint64 { return uint64(node)<<32 | uint64(uint32(symbol)) }

// learn makes a node of each context of a held-out text.
func (c *counter) learn(text []int32) error {
	if len(c.total) == 0 {
		c.total, c.types = make([]int64, 1), make([]int64, 1)
	}
	for i, s := range text {
		if s < 0 || s >= c.alphabet {
			return fmt.Errorf("n-grams: symbol %d of %d", s, c.alphabet)
		}
		node := uint32(0)
		for k := 1; k < c.order && k <= i; k++ {
			ref := c.nodes.ref(pairKey(node, text[i-k]))
			if *ref == 0 {
				*ref = uint32(len(c.total))
				c.total, c.types = append(c.total, 0), append(c.types, 0)
			}
			node = *ref
		}
	}
	return nil
}

// count adds a training text.
func (c *counter) count(text []int32) error {
	for i := range len(text) + 1 {
		s := c.alphabet
		if i < len(text) {
			if s = text[i]; s < 0 || s >= c.alphabet {
				return fmt.Errorf("n-grams: symbol %d of %d", s, c.alphabet)
			}
		}
		node := uint32(0)
		for k := 0; ; {
			ref := c.pairs.ref(pairKey(node, s))
			if *ref++; *ref == 1 {
				c.types[node]++
			}
			c.total[node]++
			if k++; k >= c.order || k > i {
				break
			}
			if node = c.nodes.get(pairKey(node, text[i-k])); node == 0 {
				break
			}
		}
	}
	return nil
}

// score gives -log p of each symbol under each order.
func (c *counter) score(text []int32, take func(k int, nats float64)) {
	for i, s := range text {
		p := 1 / float64(c.alphabet+1)
		node, known := uint32(0), true
		for k := range c.order {
			if k > 0 && known {
				known = k <= i
				if known {
					node = c.nodes.get(pairKey(node, text[i-k]))
				}
			}
			if known && c.total[node] > 0 {
				t := float64(c.types[node])
				p = (float64(c.pairs.get(pairKey(node, s))) + t*p) / (float64(c.total[node]) + t)
			}
			take(k, -math.Log(p))
		}
	}
}
