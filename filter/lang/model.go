package lang

import (
	"fmt"
	"strings"

	"winnow/filter/quality/fasttext"
)

// labels tells languages by a fastText model in place of the tables here: lid.176, whose labels are ISO 639-1 or 639-3, or
// GlotLID, whose labels are ISO 639-3 with a script.
type labels struct {
	model *fasttext.Model
	codes map[string]labelled // by label
}

// labelled is what a label of the model says in the terms of Document.
type labelled struct{ language, script string }

// lid176 are labels of lid.176 that ISO 639 uses otherwise, or not at all.
var lid176 = map[string]string{"als": "gsw", "bh": "bho", "eml": "egl", "sh": "hbs"}

func openModel(path string) (*labels, error) {
	m, err := fasttext.Open(path)
	if err != nil {
		return nil, err
	}
	if !m.Classifier() {
		return nil, fmt.Errorf("%s: word vectors, no classifier of languages", path)
	}
	l := &labels{m, map[string]labelled{}}
	for _, label := range m.Labels() {
		l.codes[label] = meaning(strings.TrimPrefix(label, "__label__"))
	}
	return l, nil
}

// meaning reads a label. The language is ISO 639-1 where there is such a code, and the script is told where the label or the
// list of languages tells it: Simplified and Traditional are one to these models.
func meaning(label string) labelled {
	code, script, found := strings.Cut(label, "_")
	if to, ok := lid176[code]; ok && !found {
		code = to
	}
	known, ok := Parse(code)
	if !ok {
		known = code
	}
	if found {
		return labelled{known, code + "_" + script}
	}
	for _, l := range Languages {
		if l.Code == known && known != "zh" {
			return labelled{known, l.Long + "_" + l.Script}
		}
	}
	return labelled{known, ""}
}

// knows tells whether the model has a label for a language.
func (l *labels) knows(language string) bool {
	for _, c := range l.codes {
		if c.language == language {
			return true
		}
	}
	return false
}

// identify gives the likeliest language of a whole text, its lines joined by spaces as datatrove joins them.
func (l *labels) identify(text string) (language, script string, score float32) {
	best := l.model.Predict(strings.ReplaceAll(text, "\n", " "), 1)
	if len(best) == 0 || strings.TrimSpace(text) == "" {
		return Und, "", 0
	}
	c := l.codes[best[0].Label]
	if c.language == "zh" && (c.script == "" || strings.HasPrefix(c.script, "cmn_Han") || strings.HasPrefix(c.script, "zho_Han")) {
		c.script = "zho_" + hanScript(text)
	}
	return c.language, c.script, min(best[0].Probability, 1)
}
