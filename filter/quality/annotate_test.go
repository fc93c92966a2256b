package quality

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

func TestAgree(t *testing.T) {
	a := Agree([]int{0, 1, 2, 2}, []int{0, 1, 2, 1}, 3)
	// by hand: agreement 3/4, by chance (1*1+1*2+2*1)/16; squares 1/4 against (1*2*1+1*1*4+1*1+1*1+2*1*4+2*2*1)/16
	for name, c := range map[string][2]float64{
		"exact": {a.Exact, .75}, "kappa": {a.Kappa, (.75 - 5./16) / (1 - 5./16)}, "quadratic": {a.Quadratic, 1 - .25/(20./16)},
		"spearman": {a.Spearman, .8333333},
	} {
		if math.Abs(c[0]-c[1]) > 1e-6 {
			t.Errorf("%s: %g, want %g", name, c[0], c[1])
		}
	}
	if same := Agree([]int{1, 1}, []int{1, 1}, 6); same.Kappa != 0 || same.Exact != 1 || same.Spearman != 0 {
		t.Errorf("%+v", same)
	}
}
