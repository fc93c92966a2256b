package annotate

import (
	"math"
	"strings"
	"testing"
)

func TestParseVerdict(t *testing.T) {
	for answer, want := range map[string]int{
		"Clear and thorough.\nScore: 4": 4, "理由充分。\n分数：3": 3, "x\n**Score: 0**": 0, "x\nscore: 5/5.": 5,
		"Score: 6": -1, "Score: 3.5": -1, "3": -1, "Score: 3\nScore: 4": -1, "Score: 3 because": -1, "": -1, "Score: 35": -1, "Score: 2\nmore": -1,
	} {
		got, ok := ParseVerdict(answer)
		if ok != (want >= 0) || ok && got != want {
			t.Errorf("%q: %d %v, want %d", answer, got, ok, want)
		}
	}
}

func TestPromptLanguage(t *testing.T) {
	if p := Prompt("这是一篇讲解光合作用的文章。", 4); !strings.Contains(p, "<<<\n这是一篇\n>>>") || !strings.Contains(p, "分数") {
		t.Error(p)
	}
	if p := Prompt("A page", 100); !strings.Contains(p, "Score: N") {
		t.Error(p)
	}
}

func near(t *testing.T, of map[string][2]float64) {
	t.Helper()
	for name, c := range of {
		if math.Abs(c[0]-c[1]) > 1e-6 {
			t.Errorf("%s: %g, want %g", name, c[0], c[1])
		}
	}
}

func TestReason(t *testing.T) {
	if got := Reason("Clear,\n but short.\n\nScore: 2 "); got != "Clear, but short." {
		t.Errorf("%q", got)
	}
	if got := Reason("Score: 2"); got != "" {
		t.Errorf("%q", got)
	}
}

func TestAgree(t *testing.T) {
	a := Agree([]int{0, 1, 2, 2}, []int{0, 1, 2, 1}, 2)
	// by hand: agreement 3/4, by chance (1*1+1*2+2*1)/16; distances 1/4 against (1*2*1+1*1*2+1*1+1*1+2*1*2+2*2*1)/16, their
	// squares 1/4 against (1*2*1+1*1*4+1*1+1*1+2*1*4+2*2*1)/16
	near(t, map[string][2]float64{
		"exact": {a.Exact, .75}, "near": {a.Near, 1}, "kappa": {a.Kappa, (.75 - 5./16) / (1 - 5./16)}, "linear": {a.Linear, 1 - .25/(14./16)},
		"quadratic": {a.Quadratic, 1 - .25/(20./16)}, "spearman": {a.Spearman, .8333333}, "F1": {a.Good.F1, 2. / 3}, "precision": {a.Good.Precision, 1}, "recall": {a.Good.Recall, .5},
	})
	if a.Confusion[2][1] != 1 || a.Confusion[2][2] != 1 || a.Confusion[1][2] != 0 || a.Good.Neither != 2 {
		t.Errorf("%+v", a)
	}
	if same := Agree([]int{1, 1}, []int{1, 1}, GoodFrom); same.Kappa != 0 || same.Exact != 1 || same.Spearman != 0 || same.Good.F1 != 0 {
		t.Errorf("%+v", same)
	}
}

func TestJudge(t *testing.T) {
	labels, scores := []int{0, 2, 3, 5, 1, 4}, []float64{.1, .6, .55, .9, .2, .4}
	j := Judge(labels, scores, GoodFrom, .5)
	// good texts .55 .9 .4 against .1 .6 .2: 7 of 9 pairs in order; above .5: .6 wrongly, .4 missed
	near(t, map[string][2]float64{
		"AUC": {j.AUC, 7. / 9}, "precision": {j.Good.Precision, 2. / 3}, "recall": {j.Good.Recall, 2. / 3}, "best": {j.Best, .4}, "best F1": {j.AtBest.F1, 6. / 7},
		// ranks 0 2 3 5 1 4 against 0 4 3 5 1 2: squared differences 4 + 4
		"spearman": {j.Spearman, 1 - 6*8./(6*35)}, "mean of 2": {j.Classes[2].Mean, .6},
	})
	if j.Classes[2].Good != 1 || j.Classes[4].Good != 0 || j.Classes[4].Texts != 1 {
		t.Errorf("%+v", j.Classes)
	}
	if ties := Judge([]int{0, 5}, []float64{.5, .5}, GoodFrom, .5); ties.AUC != .5 || ties.Spearman != 0 || ties.Best != .5 {
		t.Errorf("%+v", ties)
	}
}

// Raters that never vary agree on nothing that could be told: not even where a mean of their ranks would be rounded.
func TestAgreeWithoutVariance(t *testing.T) {
	for n := 1; n < 60; n++ {
		a, b := make([]int, n), make([]int, n)
		for i := range b {
			b[i] = 3
		}
		if got := Agree(a, b, GoodFrom); got.Spearman != 0 || got.Kappa != 0 {
			t.Fatalf("%d texts: Spearman %g, kappa %g", n, got.Spearman, got.Kappa)
		}
	}
}
