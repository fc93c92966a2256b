package extract

import (
	"winnow/crawl/extract/blocks"
	"winnow/crawl/extract/score"
)

// Measured is a block of a page with its features, and with what the rules say of it.
type Measured struct {
	Text     string
	Values   score.Vector
	Units    int32 // its size
	Ruled    bool  // the rules keep it
	Announce bool  // it titles something beside the text
	Hidden   bool  // it is never kept
}

// Sheet is a page as the scorer sees it: for the program that trains it.
type Sheet struct {
	Blocks []Measured
	walked *walked
}

// Measure gives the blocks of a page in UTF-8 and what the scorer sees of each.
func Measure(page string) *Sheet {
	w, p, err := read(page, Options{}, &blocks.Watch{})
	if err != nil || len(w.Blocks) == 0 {
		return &Sheet{}
	}
	sheet, s := &Sheet{walked: w}, w.survey(&p)
	for i := range w.Blocks {
		var v vector
		s.vector(int32(i), &v)
		b := &w.Blocks[i]
		sheet.Blocks = append(sheet.Blocks, Measured{
			Text: string(w.Text[b.Start:b.End]), Values: v, Units: b.Size, Announce: w.announces(b), Hidden: s.unseen(b),
		})
	}
	for i, ruled := range w.rules() {
		sheet.Blocks[i].Ruled = ruled
	}
	return sheet
}

// Decide says which blocks are kept, as Extract does, with the scorer's logits.
func (s *Sheet) Decide(logits []float32, share float32, m Mode) []bool {
	probability, units := make([]float32, len(s.Blocks)), make([]int32, len(s.Blocks))
	for i, b := range s.Blocks {
		probability[i], units[i] = blend(logits[i], b.Ruled, b.Announce, b.Hidden, share), b.Units
	}
	if len(units) == 0 {
		return nil
	}
	keep := decide(probability, units, m.squaredBeta(s.Blocks[0].Values[fPageBest]))
	s.walked.titles(keep, probability)
	s.walked.once(keep)
	return keep
}

// blend is the probability of a block being main text, by scorer and rules, which have share to say.
func blend(logit float32, ruled, announces, hidden bool, share float32) float32 {
	p := score.Probability(logit) * (1 - share)
	switch {
	case hidden:
		return 0
	case ruled:
		return p + share
	case announces:
		return p / 2 // such a line says itself what it is
	}
	return p
}
