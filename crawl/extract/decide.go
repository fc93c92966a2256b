package extract

import (
	"cmp"
	"slices"

	"winnow/crawl/extract/score"
)

// Mode says what a doubtful block is worth.
type Mode string

// The modes. The empty Mode is Balanced.
const (
	Balanced  Mode = "balanced"  // text kept and boilerplate left out count alike (F1)
	Precision Mode = "precision" // boilerplate weighs more (F with beta 1/2)
	Recall    Mode = "recall"    // text weighs more (F with beta 2)
)

// squaredBeta is the weight of recall against precision.
func (m Mode) squaredBeta() float64 {
	switch m {
	case Precision:
		return 0.25
	case Recall:
		return 4
	}
	return 1
}

// RuleShare is how much the rules have to say beside the scorer, by cross-validation.
const RuleShare = 0.2

// choice says of each block what becomes of it.
type choice struct {
	keep, ruled, repeats []bool
	probability          []float32
}

// choose marks the blocks of main text.
func (w *walker) choose(o Options, p *Page) (c choice) {
	if len(w.blocks) == 0 {
		return c
	}
	c.probability = w.logits(cmp.Or(o.Scorer, score.Shipped()), p)
	c.ruled = w.rules()
	units := make([]int32, len(w.blocks))
	for i := range w.blocks {
		b := &w.blocks[i]
		c.probability[i] = blend(c.probability[i], c.ruled[i], !c.ruled[i] && w.announces(b), w.unseen(b), RuleShare)
		units[i] = b.size
	}
	c.keep = decide(c.probability, units, o.Mode)
	c.repeats = w.once(c.keep)
	return c
}

// unseen tells of a block that is never kept: it is not shown, and no prose that a script may unfold.
func (w *walker) unseen(b *block) bool { return b.drop == sure && !b.prose() }

// announces tells whether a block titles something beside the text.
func (w *walker) announces(b *block) bool {
	return b.size <= 60 && titlesAside(string(w.text[b.start:b.end]))
}

// logits gives for each block what the scorer says.
func (w *walker) logits(m *score.Model, p *Page) []float32 {
	s := w.survey(p)
	out := make([]float32, len(w.blocks))
	var v vector
	var sweep score.Sweep
	sweep.Begin(m)
	for i := range out {
		if w.watch.late() {
			break
		}
		s.vector(int32(i), &v)
		out[i] = sweep.Logit(&v)
	}
	return out
}

// leastExpected is the expected F measure below which a page is taken to have no main text: a frame whose text a script
// would load. Those of the labelled pages lie at 0.12, all others from 0.22 on.
const leastExpected = 0.2

// decide keeps the blocks from the most probable on, as far as the expected F measure of the text grows: with the best
// value F, that is down to a probability of F/2, so that a page that is hard to read is not left empty (Lewis 1995).
func decide(probability []float32, sizes []int32, m Mode) []bool {
	order := make([]int32, len(probability))
	var all float64
	for i, p := range probability {
		order[i] = int32(i)
		all += float64(p) * float64(sizes[i])
	}
	slices.SortFunc(order, func(a, b int32) int {
		return cmp.Or(cmp.Compare(probability[b], probability[a]), cmp.Compare(a, b))
	})
	beta := m.squaredBeta()
	var good, size, best float64
	until := 0
	for n, i := range order {
		units := float64(sizes[i])
		good, size = good+float64(probability[i])*units, size+units
		if f := (1 + beta) * good / (size + beta*all); f > best {
			best, until = f, n+1
		}
	}
	keep := make([]bool, len(probability))
	if best < leastExpected {
		return keep
	}
	for _, i := range order[:until] {
		keep[i] = true
	}
	return keep
}
