package measure

import (
	"encoding/json"
	"math"
	"os"
	"testing"
)

type reference struct {
	Binary []struct {
		Scores                []float32
		Good                  []int
		AUC                   float64
		Interval              [2]float64
		AveragePrecision      float64 `json:"average_precision"`
		Precision, Recall, F1 float64
		Brier, ECE            float64
	}
	Classes struct {
		True, Said        []int
		Accuracy          float64
		MacroF1           float64 `json:"macro_f1"`
		Precision, Recall []float64
	}
}

func near(t *testing.T, what string, got, want float64) {
	t.Helper()
	if !(math.Abs(got-want) < 1e-9) {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

// Figures are those of scikit-learn, and of DeLong's definition (testdata/reference.py).
func TestAsReference(t *testing.T) {
	raw, err := os.ReadFile("testdata/reference.json")
	if err != nil {
		t.Fatal(err)
	}
	var r reference
	if err := json.Unmarshal(raw, &r); err != nil {
		t.Fatal(err)
	}
	if len(r.Binary) != 4 {
		t.Fatalf("%d cases", len(r.Binary))
	}
	for _, c := range r.Binary {
		var texts []Scored
		for i, s := range c.Scores {
			texts = append(texts, Scored{s, c.Good[i] == 1})
		}
		k := Calibrated(texts)
		near(t, "Brier", k.Brier, c.Brier)
		near(t, "ECE", k.ECE, c.ECE)
		m := Of(texts, .5)
		near(t, "AUC", m.AUC, c.AUC)
		near(t, "low", m.Low, c.Interval[0])
		near(t, "high", m.High, c.Interval[1])
		near(t, "average precision", m.AveragePrecision, c.AveragePrecision)
		near(t, "precision", m.Precision, c.Precision)
		near(t, "recall", m.Recall, c.Recall)
		near(t, "F1", m.F1, c.F1)
	}
	var sorted []Sorted
	for i := range r.Classes.True {
		sorted = append(sorted, Sorted{r.Classes.True[i], r.Classes.Said[i], .5})
	}
	m := OfClasses([]string{"a", "b", "c", "d"}, sorted)
	near(t, "accuracy", m.Accuracy, r.Classes.Accuracy)
	near(t, "macro F1", m.MacroF1, r.Classes.MacroF1)
	for i, c := range m.Classes {
		near(t, "precision of "+c.Label, c.Precision, r.Classes.Precision[i])
		near(t, "recall of "+c.Label, c.Recall, r.Classes.Recall[i])
	}
	near(t, "ECE of .5", m.Calibration.ECE*float64(m.Texts), ece(sorted))
}

// ece is that of equal probabilities .5 in the order given, by ten parts.
func ece(texts []Sorted) (sum float64) {
	for i := range 10 {
		part := texts[i*len(texts)/10 : (i+1)*len(texts)/10]
		right := 0.0
		for _, t := range part {
			if t.True == t.Said {
				right++
			}
		}
		sum += math.Abs(.5*float64(len(part)) - right)
	}
	return sum
}

func TestByHand(t *testing.T) {
	m := Of([]Scored{{.9, true}, {.8, false}, {.7, true}, {.7, false}, {.2, false}, {.1, true}}, .7)
	near(t, "AUC", m.AUC, (3+1.5)/9.)
	near(t, "F1", m.F1, 4./7)
	if m.Best != .1 || m.Good != 3 || m.Bad != 3 || len(m.Points) != 5 || m.Kept[1].Precision != 1 || m.Kept[2].Kept != 2./6 || m.Kept[2].Precision != .5 || m.Kept[4].Kept != 4./6 {
		t.Errorf("%+v", m)
	}
	if m := Of([]Scored{{.9, true}, {.8, true}, {.2, false}, {.1, false}, {.1, false}, {.1, false}}, .5); m.AUC != 1 || m.Low != 0 || m.High != 1 {
		t.Errorf("apart: %+v", m) // two good texts prove nothing
	}
	if none := Of(nil, .5); none.Good != 0 || none.AUC != 0 || none.Points != nil {
		t.Errorf("of nothing: %+v", none)
	}
	many := make([]Scored, 1000)
	for i := range many {
		many[i] = Scored{float32(i), i%2 == 0}
	}
	if m := Of(many, 0); len(m.Points) != 201 || m.Points[200].Recall != 1 || m.Points[200].False != 1 || m.Points[0].Score != 999 {
		t.Errorf("%d points", len(m.Points))
	}
}
