package quality

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"winnow"
)

const toyModel = "\\data\\\nngram 1=4\nngram 2=1\n\n\\1-grams:\n-99\t<s>\t-0.5\n-1\t</s>\n-0.5\ta\t-0.25\n-0.75\tb\n\n\\2-grams:\n-0.25\t<s> a\n\n\\end\\\n"

func TestPerplexityStage(t *testing.T) {
	dir := t.TempDir()
	model, cutoffs := filepath.Join(dir, "m.arpa"), filepath.Join(dir, "c.csv")
	for path, s := range map[string]string{model: toyModel, cutoffs: ",en,zh\n0,1,1\n30,4,5\n60,8,9\n"} {
		if err := os.WriteFile(path, []byte(s), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	p, err := NewPerplexity(PerplexityOptions{Model: model, CCNet: true, Max: 100, Cutoffs: cutoffs, Keep: []string{"head", "middle"}})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		language, text string
		value, tier    float32
		rule           string
	}{
		{"en", " Á ", 5.6234, 1, ""},            // a: (0.25 + 0.25 + 1) / 2
		{"zh", "b", 13.3352, 2, "quality.tier"}, // b: (0.5 + 0.75 + 1) / 2
		{"de", "b", 13.3352, winnow.NotMeasured, ""},
		{"en", "unknown", 3e38, 2, "quality.perplexity"},
	} {
		d := &winnow.Document{Language: c.language, Text: c.text}
		v, _, err := p.Apply(context.Background(), d)
		if err != nil || len(d.Signals) != 2 || v.Rule != c.rule || v.Drop != (c.rule != "") {
			t.Fatalf("%q: %+v %v %v", c.text, v, d.Signals, err)
		}
		if c.value < 1e9 && (d.Signals[0] < c.value*.999 || d.Signals[0] > c.value*1.001) {
			t.Errorf("%q: perplexity %g, want %g", c.text, d.Signals[0], c.value)
		}
		if winnow.Measured(c.tier) != winnow.Measured(d.Signals[1]) || winnow.Measured(c.tier) && c.tier != d.Signals[1] {
			t.Errorf("%q: tier %g, want %g", c.text, d.Signals[1], c.tier)
		}
	}
	if _, err := NewPerplexity(PerplexityOptions{Model: model, Keep: []string{"head"}}); err == nil {
		t.Error("keep without cutoffs: no error")
	}
}

func TestCCNet(t *testing.T) {
	if got := ccnet(" Ｅ’été 2026—\nÉ．"); got != "ｅ'ete 0000 - e." && got != "ｅ'ete 0000 - e. " {
		t.Errorf("%q", got)
	}
}
