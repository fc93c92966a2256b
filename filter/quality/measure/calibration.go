package measure

import (
	"cmp"
	"slices"
)

// Calibration tells how far probabilities are from what happens.
type Calibration struct {
	Texts int     `json:"texts"`
	Brier float64 `json:"brier"` // mean squared error, summed over classes where there are more than two; 0 is right
	ECE   float64 `json:"ece"`   // mean difference of probability and share over 10 bins of equally many texts, by their size
	Bins  []Bin   `json:"bins,omitempty"`
}

// Bin is texts of neighbouring probabilities.
type Bin struct {
	Texts     int     `json:"texts"`
	Predicted float64 `json:"predicted"` // mean probability
	Observed  float64 `json:"observed"`  // share of those that are good, or of the class named
}

// Calibrated measures probabilities of being good; it sorts texts.
func Calibrated(texts []Scored) Calibration {
	c := Calibration{Texts: len(texts)}
	slices.SortStableFunc(texts, func(a, b Scored) int { return cmp.Compare(a.Score, b.Score) })
	const bins = 10
	for i := range bins {
		part := texts[i*len(texts)/bins : (i+1)*len(texts)/bins]
		if len(part) == 0 {
			continue
		}
		b := Bin{Texts: len(part)}
		for _, t := range part {
			y := float64(class(t.Good))
			b.Predicted += float64(t.Score) / float64(len(part))
			b.Observed += y / float64(len(part))
			c.Brier += (float64(t.Score) - y) * (float64(t.Score) - y) / float64(len(texts))
		}
		c.ECE += max(b.Predicted-b.Observed, b.Observed-b.Predicted) * float64(b.Texts) / float64(len(texts))
		c.Bins = append(c.Bins, b)
	}
	return c
}

// Classes tells how well texts were sorted into classes.
type Classes struct {
	Texts       int         `json:"texts"`
	Accuracy    float64     `json:"accuracy"`
	MacroF1     float64     `json:"macro_f1"` // mean of the F1 of classes that occur
	Majority    float64     `json:"majority"` // accuracy of always saying the commonest class
	Classes     []Class     `json:"classes"`
	Confusion   [][]int     `json:"confusion"`   // [true][said]
	Calibration Calibration `json:"calibration"` // of the class said
}

// Class is how one class fared.
type Class struct {
	Label     string  `json:"label"`
	Texts     int     `json:"texts"`
	Precision float64 `json:"precision"`
	Recall    float64 `json:"recall"`
	F1        float64 `json:"f1"`
}

// Sorted is a text's true class, the one that was said, and its probability.
type Sorted struct {
	True, Said  int
	Probability float32
}

// OfClasses measures sorted texts.
func OfClasses(labels []string, texts []Sorted) Classes {
	m := Classes{Texts: len(texts), Confusion: make([][]int, len(labels))}
	for i := range labels {
		m.Confusion[i] = make([]int, len(labels))
	}
	said := make([]int, len(labels))
	var top []Scored
	right := 0
	for _, t := range texts {
		m.Confusion[t.True][t.Said]++
		said[t.Said]++
		if t.True == t.Said {
			right++
		}
		top = append(top, Scored{t.Probability, t.True == t.Said})
	}
	present, most := 0, 0
	for i, label := range labels {
		c := Class{Label: label}
		for _, n := range m.Confusion[i] {
			c.Texts += n
		}
		c.Precision, c.Recall = share(m.Confusion[i][i], said[i]), share(m.Confusion[i][i], c.Texts)
		if c.F1 = harmonic(c.Precision, c.Recall); c.Texts > 0 {
			present++
			m.MacroF1 += c.F1
		}
		most = max(most, c.Texts)
		m.Classes = append(m.Classes, c)
	}
	m.Accuracy, m.Majority, m.MacroF1 = share(right, len(texts)), share(most, len(texts)), m.MacroF1/float64(max(present, 1))
	m.Calibration = Calibrated(top)
	return m
}
