package classify

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
	"testing"
)

// Calibrations are scikit-learn's and a general optimiser's (testdata/reference.py).
func TestCalibrateAsReference(t *testing.T) {
	raw, err := os.ReadFile("testdata/reference.json")
	if err != nil {
		t.Fatal(err)
	}
	var r struct {
		Outputs, Platt, Probes, Isotonic []float64
		Class, Classes                   []int
		Logits                           [][]float64
		Many                             []float64
	}
	if err := json.Unmarshal(raw, &r); err != nil {
		t.Fatal(err)
	}
	var two, four []outcome
	for i, z := range r.Outputs {
		two = append(two, outcome{[]float64{z}, r.Class[i]})
	}
	for i, z := range r.Logits {
		four = append(four, outcome{z, r.Classes[i]})
	}
	p := calibrate("platt", two, 2)
	if math.Abs(p.Scale-r.Platt[0]) > 1e-4 || math.Abs(p.Shift[0]-r.Platt[1]) > 1e-4 {
		t.Errorf("Platt %v %v, want %v", p.Scale, p.Shift, r.Platt)
	}
	m := calibrate("platt", four, 4)
	if got := append([]float64{m.Scale}, m.Shift[1:]...); m.Shift[0] != 0 || slices.ContainsFunc(got, func(v float64) bool { return v != v }) {
		t.Errorf("four classes: %v", got)
	} else {
		for i := range got {
			if math.Abs(got[i]-r.Many[i]) > 1e-3 {
				t.Errorf("four classes: %v, want %v", got, r.Many)
			}
		}
	}
	i := calibrate("isotonic", two, 2)
	if err := i.check(1); err != nil {
		t.Fatal(err)
	}
	middle := 0
	for k, z := range r.Probes {
		got, want := i.between(z), r.Isotonic[k]
		if want > .069 && want < .88 { // towards the ends, where no probability is 0 or 1 here
			middle++
			if math.Abs(got-want) > 1e-9 {
				t.Errorf("isotonic at %g: %g, want %g", z, got, want)
			}
		} else if got <= 0 || got >= 1 || math.Abs(got-want) > .005 {
			t.Errorf("isotonic at %g: %g, want near %g", z, got, want)
		}
	}
	if middle < 15 {
		t.Errorf("%d probes in the middle", middle)
	}
}

// Classes that are apart give finite parameters, and a model that is wrong is not turned around.
func TestCalibrateEdges(t *testing.T) {
	var apart, wrong []outcome
	for i := range 40 {
		apart = append(apart, outcome{[]float64{float64(i) - 19.5}, i / 20})
		wrong = append(wrong, outcome{[]float64{19.5 - float64(i)}, i / 20})
	}
	if c := calibrate("platt", apart, 2); !finite(c.Scale) || c.Scale < .1 || c.check(1) != nil {
		t.Errorf("%+v", c)
	}
	if c := calibrate("platt", wrong, 2); c.Scale != leastScale || c.check(1) != nil {
		t.Errorf("%+v", c)
	}
	if c := calibrate("isotonic", wrong, 2); c.check(1) != nil || math.Abs(c.between(0)-.5) > 1e-9 {
		t.Errorf("%+v", c)
	}
}

// manyTexts is good and bad texts enough to hold some out; every fifth has the other label.
func manyTexts() Set {
	set := Binary(nil, nil)
	list := [][]string{slices.Concat(badEnglish, badChinese), slices.Concat(goodEnglish, goodChinese)}
	for i := range 240 {
		class := i % 2
		label := class
		if i/2%5 == 0 {
			label = 1 - class
		}
		set.Add(fmt.Sprintf("%s %d%c", list[class][i/2%12], i, 'a'+i%26), label)
	}
	return set
}

func TestHeldOut(t *testing.T) {
	for _, method := range []string{"platt", "isotonic", "none"} {
		o := Options{HeldOut: .3, Keep: .25, Calibrate: method}
		m, card, err := Train(manyTexts(), o)
		if err != nil {
			t.Fatal(err)
		}
		held := card.Held
		if held.Texts < 50 || held.Texts+card.Trained.Texts != 240 || held.Binary == nil || held.Binary.AUC < .65 || held.Binary.Low >= held.Binary.AUC {
			t.Errorf("%s: %+v", method, held)
		}
		if method != "none" && held.Calibration.Brier > .24 {
			t.Errorf("%s: %+v", method, held.Calibration)
		}
		least, keep := m.Stored()
		if keep != .25 || card.Threshold == nil || card.Threshold.Score != least || card.Threshold.Kept < .24 || len(m.Held()) != 999 {
			t.Errorf("%s: %+v", method, card.Threshold)
		}
		if again, _, _ := Train(manyTexts(), o); again.Hash() != m.Hash() {
			t.Errorf("%s: another model from the same texts", method)
		}
		back, err := Read(strings.NewReader(string(m.encode())))
		if err != nil || back.Hash() != m.Hash() || back.Score(goodEnglish[0]) != m.Score(goodEnglish[0]) {
			t.Errorf("%s: %v: another model came back", method, err)
		}
		for _, words := range [][2]string{{"# Classifier", "## Limits"}, {"# 分类器", "## 局限"}} {
			text := card.Markdown(func(en, zh string) string {
				if words[0] == "# Classifier" {
					return en
				}
				return zh
			})
			if !strings.Contains(text, words[0]) || !strings.Contains(text, words[1]) || !strings.Contains(text, m.Hash()) || strings.Contains(text, "%!") {
				t.Errorf("card: %s", text)
			}
		}
	}
	if _, card, err := Train(Binary(trainingTexts()), Options{HeldOut: .3}); err != nil || card.Held.Texts != 0 || !strings.Contains(card.Limits[3], "Nothing was held out") {
		t.Errorf("%v: few texts: %+v", err, card)
	}
	_, a, _ := Train(manyTexts(), Options{HeldOut: .3, Seed: 1})
	if _, b, _ := Train(manyTexts(), Options{HeldOut: .3, Seed: 2}); a.Held.Bytes == b.Held.Bytes {
		t.Error("another seed holds out the same")
	}
}

// A text that stands in the data twice is on one side.
func TestCopiesStayTogether(t *testing.T) {
	set := manyTexts()
	set.Texts, set.Class = append(set.Texts, set.Texts...), append(set.Class, set.Class...)
	train, held := set.split(.3, 0)
	if len(held.Texts) == 0 {
		t.Fatal("nothing held out")
	}
	for _, s := range held.Texts {
		if slices.Contains(train.Texts, s) {
			t.Fatalf("%.40q is on both sides", s)
		}
	}
}

// Noise does not become a probability: labels that nothing tells apart give scores near the share of good texts, and a card that says so.
func TestNoise(t *testing.T) {
	set := manyTexts()
	for i := range set.Class {
		set.Class[i] = int(mix(hashBytes(set.Texts[i])) % 4 / 3)
	}
	m, card, err := Train(set, Options{HeldOut: .4})
	if err != nil {
		t.Fatal(err)
	}
	if p := m.Score(goodEnglish[1]); p > .5 {
		t.Errorf("score %g where a quarter of all texts is good, at random", p)
	}
	if card.Held.Binary.Low > .5 || card.Held.Calibration.Brier > .26 {
		t.Errorf("%+v", card.Held.Binary)
	}
}
