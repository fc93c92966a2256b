package quality

import (
	"context"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
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

func TestModelsByLanguage(t *testing.T) {
	dir := t.TempDir()
	for language, prob := range map[string]string{"en": "-0.5", "zh": "-1"} {
		if err := os.WriteFile(filepath.Join(dir, language+".arpa"), []byte(strings.Replace(toyModel, "-0.5\ta", prob+"\ta", 1)), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	one, err := NewPerplexity(PerplexityOptions{Model: filepath.Join(dir, "en.arpa"), Max: 10})
	if err != nil {
		t.Fatal(err)
	}
	p, err := NewPerplexity(PerplexityOptions{Model: filepath.Join(dir, "{language}.arpa"), Max: 10})
	if err != nil {
		t.Fatal(err)
	}
	if p.Version() == one.Version() {
		t.Error("one model and many have the same version")
	}
	for language, want := range map[string]float64{ // b a: backing off to both
		"en": math.Pow(10, (.5+.75+.5+.25+1)/3), "zh": math.Pow(10, (.5+.75+1+.25+1)/3), "de": -1,
	} {
		d := &winnow.Document{Language: language, Text: "b a"}
		v, _, _ := p.Apply(context.Background(), d)
		if got := float64(d.Signals[0]); winnow.Measured(d.Signals[0]) != (want >= 0) || want >= 0 && math.Abs(got-want) > 1e-4 {
			t.Errorf("%s: %g, want %g", language, got, want)
		}
		if v.Drop != (want > 10) {
			t.Errorf("%s: %+v", language, v)
		}
	}
	for _, model := range []string{filepath.Join(dir, "{language}.bin"), filepath.Join(dir, "{language}{language}")} {
		if _, err := NewPerplexity(PerplexityOptions{Model: model}); err == nil {
			t.Errorf("%s: no error", model)
		}
	}
}

func TestCutoffs(t *testing.T) {
	path := filepath.Join(t.TempDir(), "c.csv")
	c, err := OpenCutoffs(path)
	if err != nil {
		t.Fatal(err)
	}
	var all []float64
	for i := range 11 { // in no order
		all = append(all, float64(i*7%11*100))
	}
	c.Set("zh", all)
	c.Set("en", []float64{5})
	if err := c.Write(path); err != nil {
		t.Fatal(err)
	}
	again, err := OpenCutoffs(path)
	if err != nil || !reflect.DeepEqual(c, again) {
		t.Fatalf("%+v, want %+v (%v)", again, c, err)
	}
	b, _ := os.ReadFile(path)
	if lines := strings.Split(string(b), "\n"); lines[0] != ",en,zh" || lines[1] != "5,5,50" || !strings.Contains(string(b), "\n30,5,300\n") || !strings.Contains(string(b), "\n60,5,600\n") {
		t.Errorf("%q", lines)
	}
	for pp, want := range map[float64]int{299: 0, 300: 1, 599: 1, 600: 2} {
		if got, ok := again.Tier("zh", pp); got != want || !ok {
			t.Errorf("%g: tier %d, want %d", pp, got, want)
		}
	}
	if _, ok := again.Tier("de", 1); ok {
		t.Error("a language without cutoffs has a tier")
	}
	for _, bad := range []string{"", ",en\n30,1\n", ",en\n30,2\n60,1\n", ",en\n60,2\n30,1\n", ",en\n30,x\n60,2\n", ",en,en\n30,1,1\n60,2,2\n", ",en\n30,NaN\n60,2\n", ",en\n30,1\n60,2\n60,3\n", ",en\n30,1\n60\n"} {
		if err := os.WriteFile(path, []byte(bad), 0o666); err != nil {
			t.Fatal(err)
		}
		if _, err := ReadCutoffs(path); err == nil {
			t.Errorf("%q: no error", bad)
		}
	}
}

func BenchmarkPerplexity(b *testing.B) {
	p, err := NewPerplexity(PerplexityOptions{Model: filepath.Join("kenlm", "testdata", "five.bin"), CCNet: true})
	if err != nil {
		b.Fatal(err)
	}
	line := strings.Repeat("the river crosses a small town . 老 桥 流 过 山谷 。 ", 100)
	b.SetBytes(int64(len(line)))
	for b.Loop() {
		p.Of("en", line)
	}
}

func TestCCNet(t *testing.T) {
	if got := ccnet(" Ｅ’été 2026—\nÉ．"); got != "ｅ'ete 0000 - e." && got != "ｅ'ete 0000 - e. " {
		t.Errorf("%q", got)
	}
}

// The folder may be written in any way, and hold what a pattern would read otherwise.
func TestModelsByLanguageInAnyFolder(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.Mkdir("lm[1]", 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile("lm[1]/en.arpa", []byte(toyModel), 0o666); err != nil {
		t.Fatal(err)
	}
	for _, model := range []string{"lm[1]/{language}.arpa", "./lm[1]/{language}.arpa", ".//lm[1]/../lm[1]//{language}.arpa"} {
		p, err := NewPerplexity(PerplexityOptions{Model: model})
		if err != nil {
			t.Errorf("%s: %v", model, err)
			continue
		}
		if _, ok := p.Of("en", "b a"); !ok {
			t.Errorf("%s: no model for en", model)
		}
		if _, ok := p.Of("de", "b a"); ok {
			t.Errorf("%s: a model for de", model)
		}
	}
}
