package main

import (
	"math"
	"math/rand/v2"
	"testing"

	"winnow/crawl/extract/score"
)

// rowsOf draws blocks whose label hangs on two features together, among noise.
func rowsOf(n int, seed uint64) (rows []sample) {
	rng := rand.New(rand.NewPCG(seed, 0))
	for range n {
		r := sample{Values: new(score.Vector), Weight: 1}
		for f := range 8 {
			r.Values[f] = rng.Float32()
		}
		if (r.Values[2] > 0.4) != (r.Values[5] > 0.7) {
			r.Label = 1
		}
		rows = append(rows, r)
	}
	return rows
}

var small = settings{rounds: 40, rate: 0.3, ridge: 1, least: 1, rowShare: 0.8, colShare: 0.8, bins: 32}

// TestBooster learns an exclusive or, which no single question tells, and knows it in rows that it has not seen.
func TestBooster(t *testing.T) {
	m := newBooster(rowsOf(4000, 1), []int{0, 1, 2, 3, 4, 5, 6, 7}, small, 1).train()
	right, all := 0, 0
	for _, r := range rowsOf(2000, 2) {
		if (m.Logit(r.Values) > 0) == (r.Label > 0.5) {
			right++
		}
		all++
	}
	if right*100 < all*95 {
		t.Errorf("%d of %d right", right, all)
	}
}

// TestSame: the same rows and seed give the same bytes, and features that may not be asked are not.
func TestSame(t *testing.T) {
	asked := []int{1, 2, 5}
	a := newBooster(rowsOf(500, 1), asked, small, 7).train()
	b := newBooster(rowsOf(500, 1), asked, small, 7).train()
	if string(a.Encode()) != string(b.Encode()) {
		t.Error("two trainings differ")
	}
	for _, tree := range a.Trees {
		for _, f := range tree.Features {
			if f != 1 && f != 2 && f != 5 {
				t.Errorf("asks feature %d", f)
			}
		}
	}
}

// TestScores: the scores that the booster keeps while it trains are the logits of the model that it gives.
func TestScores(t *testing.T) {
	rows := rowsOf(300, 3)
	b := newBooster(rows, []int{0, 2, 5}, small, 1)
	m := b.train()
	for i, r := range rows {
		if d := math.Abs(b.score[i] - float64(m.Logit(r.Values))); d > 1e-3 {
			t.Fatalf("row %d: %v, the model says %v", i, b.score[i], m.Logit(r.Values))
		}
	}
}

func TestQuantiles(t *testing.T) {
	var column []float32
	for i := range 1000 {
		column = append(column, float32(i%100))
	}
	if got := quantiles(column, 10); len(got) != 9 || got[0] != 10.5 && got[0] != 9.5 {
		t.Errorf("edges %v", got)
	}
	if got := quantiles([]float32{1, 3, 3, 1}, 10); len(got) != 1 || got[0] != 2 {
		t.Errorf("edges %v", got)
	}
}

// TestDraw: thinning keeps the sum of weights.
func TestDraw(t *testing.T) {
	p := page{}
	var want float64
	for i := range 20000 {
		w := float32(i%10) / 10
		p.Rows = append(p.Rows, sample{Weight: w})
		want += float64(w)
	}
	rows := draw([]page{p}, 0.6, 1, func(*page) bool { return true })
	var got float64
	for _, r := range rows {
		got += float64(r.Weight)
		if r.Weight < 0.6 {
			t.Fatalf("weight %v", r.Weight)
		}
	}
	if len(rows) == len(p.Rows) || math.Abs(got-want) > 0.03*want {
		t.Errorf("%d rows of weight %.0f, want %.0f", len(rows), got, want)
	}
}

func TestAlign(t *testing.T) {
	matched := align(tokens("Menu Home The text, of the page. Footer the"), tokens("the text of the page"))
	want := []bool{false, false, true, true, true, true, true, false, false}
	for i, m := range matched {
		if m != want[i] {
			t.Errorf("token %d: %v", i, m)
		}
	}
}
