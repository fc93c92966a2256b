package classify

import (
	"slices"
	"strings"

	"winnow/filter/lang"
	"winnow/filter/quality/measure"
)

// Scorer gives a text a score from 0 to 1.
type Scorer interface{ Score(text string) float32 }

// Evaluation is how a classifier fared on texts that it was not trained with: Binary for two classes, Classes for more.
type Evaluation struct {
	Binary      *measure.Binary      `json:"binary,omitempty"`
	Calibration *measure.Calibration `json:"calibration,omitempty"`
	Languages   []Language           `json:"languages,omitempty"` // most texts first
	Classes     *measure.Classes     `json:"classes,omitempty"`
}

// Language is a part of the evaluation, since one language can hide behind another's figures.
type Language struct {
	Language string         `json:"language"` // ISO 639-1; "other": those of fewer than 10 texts of a class
	Binary   measure.Binary `json:"binary"`
}

// Evaluate scores good and bad texts, and counts those that score at least threshold as judged good.
func Evaluate(m Scorer, s *Set, threshold float32) Evaluation {
	all := make([]measure.Scored, len(s.Texts))
	for i, t := range s.Texts {
		all[i] = measure.Scored{Score: m.Score(t), Good: s.Class[i] == 1}
	}
	return evaluation(s, all, all, threshold)
}

// EvaluateClasses sorts texts into the model's classes. The labels of s are some of the model's.
func EvaluateClasses(m *Model, s *Set) (Evaluation, error) {
	of := make([]int, len(s.Labels))
	for i, label := range s.Labels {
		class, err := m.Find(label)
		if err != nil {
			return Evaluation{}, err
		}
		of[i] = class
	}
	var all []measure.Sorted
	for i, t := range s.Texts {
		said, p := m.Class(t)
		all = append(all, measure.Sorted{True: of[s.Class[i]], Said: said, Probability: p})
	}
	classes := measure.OfClasses(m.Labels(), all)
	return Evaluation{Classes: &classes}, nil
}

// evaluation measures by all texts and by language; probabilities are what calibration is measured on.
func evaluation(s *Set, scores, probabilities []measure.Scored, threshold float32) Evaluation {
	parts := map[string][]measure.Scored{}
	counts := map[string]*[2]int{}
	languages := make([]string, len(s.Texts))
	for i, t := range s.Texts {
		l, _, _ := lang.Identify(t)
		languages[i] = l
		if counts[l] == nil {
			counts[l] = new([2]int)
		}
		counts[l][s.Class[i]]++
	}
	for i, l := range languages {
		if min(counts[l][0], counts[l][1]) < 10 {
			l = "other"
		}
		parts[l] = append(parts[l], scores[i])
	}
	var e Evaluation
	for l, part := range parts {
		m := measure.Of(part, threshold)
		m.Points = nil // one curve is enough
		e.Languages = append(e.Languages, Language{l, m})
	}
	slices.SortFunc(e.Languages, func(a, b Language) int {
		if d := b.Binary.Good + b.Binary.Bad - a.Binary.Good - a.Binary.Bad; d != 0 {
			return d
		}
		return strings.Compare(a.Language, b.Language)
	})
	all := measure.Of(slices.Clone(scores), threshold)
	calibration := measure.Calibrated(slices.Clone(probabilities))
	e.Binary, e.Calibration = &all, &calibration
	return e
}
