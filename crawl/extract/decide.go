package extract

import (
	"cmp"
	"slices"

	"winnow/crawl/extract/blocks"
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

// squaredBeta is the weight of recall against precision on a page that has this share of its prose side by side. Where most
// of it is, the page is an article, and what stands beside is less often main text than the scorer says, which learned
// from lists and shops too: so recall weighs less, down to 0.4 of what it does where prose is scattered.
func (m Mode) squaredBeta(beside float32) float64 {
	beta := 1 - 0.6*float64(min(max((beside-0.1)/0.5, 0), 1))
	switch m {
	case Precision:
		return 0.25
	case Recall:
		return beta * 4
	}
	return beta
}

// RuleShare is how much the rules have to say beside the scorer, by cross-validation.
const RuleShare = 0.2

// choice says of each block what becomes of it.
type choice struct {
	keep, ruled, repeats []bool
	probability          []float32
}

// choose marks the blocks of main text.
func (w *walked) choose(o Options, p *Page) (c choice) {
	if len(w.Blocks) == 0 {
		return c
	}
	s := w.survey(p)
	c.probability = s.logits(cmp.Or(o.Scorer, score.Shipped()))
	c.ruled = w.rules()
	units := make([]int32, len(w.Blocks))
	for i := range w.Blocks {
		b := &w.Blocks[i]
		c.probability[i] = blend(c.probability[i], c.ruled[i], !c.ruled[i] && w.announces(b), s.unseen(b), RuleShare)
		units[i] = b.Size
	}
	c.keep = decide(c.probability, units, o.Mode.squaredBeta(s.page[fPageBest]))
	w.titles(c.keep, c.probability)
	c.repeats = w.once(c.keep)
	return c
}

// leastTitle is the probability from which on a heading is kept whose text is.
const leastTitle = 0.4

// titles keeps likely headings of what is kept: a line weighs little in an F measure, but structures the text.
func (w *walked) titles(keep []bool, probability []float32) {
	for i := len(keep) - 2; i >= 0; i-- {
		if !keep[i] && keep[i+1] && probability[i] >= leastTitle && w.Blocks[i].Kind == blocks.Heading {
			keep[i] = true
		}
	}
}

// unseen tells of a block that is never kept: it is not shown, and no prose that a script may unfold, as those of pages about
// services and products do. Articles do not.
func (s *survey) unseen(b *blocks.Block) bool {
	return b.Drop == blocks.Sure && (!b.Prose() || s.page[fPageBest] > articlePart)
}

// articlePart is the share of a page's prose that stands side by side, above which the page is an article.
const articlePart = 0.35

// announces tells whether a block titles something beside the text.
func (w *walked) announces(b *blocks.Block) bool {
	return b.Size <= 60 && titlesAside(string(w.Text[b.Start:b.End]))
}

// logits gives for each block what the scorer says.
func (s *survey) logits(m *score.Model) []float32 {
	out := make([]float32, len(s.w.Blocks))
	var v vector
	var sweep score.Sweep
	sweep.Begin(m)
	for i := range out {
		if s.w.Watch.Late() {
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

// decide keeps the blocks from the most probable on, as far as the expected F measure (beta squared) of the text grows: for beta 1 and the best
// value F, that is down to a probability of F/2, so that a page that is hard to read is not left empty (Lewis 1995).
func decide(probability []float32, sizes []int32, beta float64) []bool {
	order := make([]int32, len(probability))
	var all float64
	for i, p := range probability {
		order[i] = int32(i)
		all += float64(p) * float64(sizes[i])
	}
	slices.SortFunc(order, func(a, b int32) int {
		return cmp.Or(cmp.Compare(probability[b], probability[a]), cmp.Compare(a, b))
	})
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
