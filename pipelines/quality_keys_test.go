package pipelines

import (
	"errors"
	"strings"
	"testing"
)

// A key that the kind of quality stage does not read is a mistake, told where it stands, and not passed over.
func TestQualityKeysThatAreNotRead(t *testing.T) {
	for _, c := range []struct{ stage, key, goes string }{
		{"model: q.bin, cutoffs: c.csv", "cutoffs", "perplexity"},
		{"model: q.bin, tokens: words", "tokens", "perplexity"},
		{"model: q.bin, ccnet: true", "ccnet", "perplexity"},
		{"model: q.bin, max_perplexity: 5", "max_perplexity", "perplexity"},
		{"topics: t.bin, normalise: [lower]", "normalise", "model and ensemble"},
		{"topics: t.bin, keep: 10%", "keep", "model and perplexity"},
		{"perplexity: lm.arpa, min_score: .5", "min_score", "model"},
	} {
		raw := "name: x\ninput: {jsonl: [x.jsonl]}\nstages:\n  - quality: {" + c.stage + "}\n"
		r, err := Parse("x.yaml", []byte(raw))
		if err == nil {
			_, err = Build(r, []byte(raw), "test")
		}
		var mistake *RecipeError
		if !errors.As(err, &mistake) || !strings.Contains(err.Error(), c.key+" goes with "+c.goes) || !strings.Contains(err.Error(), "x.yaml:4:") {
			t.Errorf("%s: %v", c.stage, err)
		}
	}
}
