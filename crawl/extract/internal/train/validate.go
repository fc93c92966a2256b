package main

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"sync"

	"winnow/crawl/extract"
	"winnow/crawl/extract/score"
)

// draw gives the samples of the pages that pass, thinned out: a sample below full weight stays with a chance in
// proportion to its weight and then has that of full ones, so that sums stay the same in the mean.
func draw(pages []page, full float32, seed uint64, pass func(*page) bool) (rows []sample) {
	rng := rand.New(rand.NewPCG(seed, 2))
	for i := range pages {
		for _, r := range pages[i].Rows {
			chance := r.Weight / full
			if x := rng.Float32(); !pass(&pages[i]) || x >= chance {
				continue
			}
			r.Weight = max(r.Weight, full)
			rows = append(rows, r)
		}
	}
	return rows
}

// folds is the number of parts that pages are dealt to.
const folds = score.Folds

// train trains a model for each fold on the pages of the others, and where it is asked for the one that learns from all;
// as many at a time as there are processors.
func (t *trainer) train(all bool) (models [folds]*score.Model, shipped *score.Model) {
	n := folds
	if all {
		n++
	}
	trained := make([]*score.Model, folds+1)
	var wait sync.WaitGroup
	free := make(chan struct{}, runtime.GOMAXPROCS(0))
	for k := range n {
		free <- struct{}{}
		wait.Go(func() {
			rows := draw(t.pages, t.full, t.seed, func(p *page) bool { return p.Fold != k })
			trained[k] = newBooster(rows, t.asked, t.settings, t.seed).train()
			<-free
		})
	}
	wait.Wait()
	return [folds]*score.Model(trained[:folds]), trained[folds]
}

// quality is what a set of pages scores: by tokens as the alignment found them, so that nothing has to be written out.
type quality map[string]*sum

type sum struct{ n, p, r, f, good, wrong, missed float64 }

func f1(p, r float64) float64 {
	if p+r == 0 {
		return 0
	}
	return 2 * p * r / (p + r)
}

// measure scores the choice made of each page by its logits.
func measure(pages []page, logits [][]float32, share float32, mode extract.Mode) quality {
	q := quality{}
	for i := range pages {
		p := &pages[i]
		if len(p.Rows) == 0 && p.Kind == "" {
			continue
		}
		keep := p.sheet.Decide(logits[i], share, mode)
		var good, size float64
		for b, r := range p.Rows {
			if keep[b] {
				good, size = good+float64(r.Good), size+float64(r.Tokens)
			}
		}
		precision, recall := 0.0, 0.0
		if size > 0 {
			precision = good / size
		}
		if p.Truth > 0 {
			recall = good / float64(p.Truth)
		} else if size == 0 && p.Kind != "" { // of a page without main text, nothing is right
			precision, recall = 1, 1
		}
		for _, name := range []string{p.Set, p.Set + ", " + p.Kind} {
			if q[name] == nil {
				q[name] = &sum{}
			}
			s := q[name]
			s.n, s.p, s.r, s.f = s.n+1, s.p+precision, s.r+recall, s.f+f1(precision, recall)
			s.good, s.wrong, s.missed = s.good+good, s.wrong+size-good, s.missed+float64(p.Truth)-good
		}
	}
	return q
}

// figures are those of the four sets that the tests of extract measure.
func (q quality) figures() (out [4]float64) {
	s := q["scrapinghub"]
	out[0] = f1(s.p/s.n, s.r/s.n)
	out[1] = q["wcxb_dev340"].f / q["wcxb_dev340"].n
	s = q["trafilatura_eval150"]
	out[2] = 2 * s.good / (2*s.good + s.wrong + s.missed)
	out[3] = q["zh_cwced_a"].f / q["zh_cwced_a"].n
	return out
}

// report prints the figures of models out of fold, for several shares of the rules.
func report(name string, pages []page, models [folds]*score.Model) {
	logits := make([][]float32, len(pages))
	for i, p := range pages {
		for b := range p.sheet.Blocks {
			logits[i] = append(logits[i], models[p.Fold].Logit(&p.sheet.Blocks[b].Values))
		}
	}
	fmt.Println(name)
	for _, share := range []float32{0, 0.1, 0.2, 0.3, 1} {
		q := measure(pages, logits, share, extract.Balanced)
		f := q.figures()
		fmt.Printf("rules %.1f: scrapinghub %.4f, wcxb %.4f, snippets %.4f, zh %.4f, mean %.4f\n", share, f[0], f[1], f[2], f[3], (f[0]+f[1]+f[2]+f[3])/4)
		for _, set := range slices.Sorted(maps.Keys(q)) {
			if _, kind, _ := strings.Cut(set, ", "); kind != "" {
				fmt.Printf("  %s %.3f", kind, q[set].f/q[set].n)
			}
		}
		fmt.Println()
	}
}
