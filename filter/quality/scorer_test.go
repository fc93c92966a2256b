package quality

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"winnow"
)

func TestSteps(t *testing.T) {
	for _, c := range []struct {
		steps    []string
		in, want string
	}{
		{[]string{"newline"}, " \na b\r\nc\u2028d\n ", "a b c d"},
		{[]string{"newline"}, "a\n\nb", "a  b"},
		{[]string{"lower", "marks"}, "Ｃafé É", "cafe e"},
		{[]string{"escape", "spaces"}, "a\n b\t  c", `a\n b\t c`},
		{[]string{"lower"}, "A\nB", "a b"},
	} {
		if got := prepare(c.steps, c.in); got != c.want {
			t.Errorf("%v %q: %q, want %q", c.steps, c.in, got, c.want)
		}
	}
	if _, err := checkSteps([]string{"newlin"}); err == nil || !strings.Contains(err.Error(), "did you mean newline") {
		t.Errorf("%v", err)
	}
}

// fastTextModel is the path of a classifier of fastText with labels that are languages.
func fastTextModel(t testing.TB) string {
	dir := os.Getenv("WINNOW_DATA")
	if dir == "" {
		t.Skip("WINNOW_DATA is not set: no fastText model to test with")
	}
	return filepath.Join(dir, "formats", "fasttext", "tiny-lid.ftz")
}

func TestFastTextStage(t *testing.T) {
	path := fastTextModel(t)
	s, err := New(Options{Source: Source{Model: path, Label: "en"}, MinScore: .5})
	if err != nil {
		t.Fatal(err)
	}
	for text, drop := range map[string]bool{"\nAfter the meet it is time\nto print up ribbons and results.": false, "喜爱计算机的张恒钧也以中山大学资管系为第一志愿": true} {
		d := &winnow.Document{Text: text}
		v, _, err := s.Apply(context.Background(), d)
		if err != nil || v.Drop != drop || len(d.Signals) != 1 || drop != (d.Signals[0] < .5) || d.Signals[0] > 1 {
			t.Errorf("%q: %+v, %v, %v", text, v, d.Signals, err)
		}
	}
	other, err := New(Options{Source: Source{Model: path, Label: "__label__en", Normalise: []string{"lower"}}})
	if err != nil || other.Version() == s.Version() {
		t.Errorf("%v: the steps are not part of the version", err)
	}
	for want, o := range map[string]Source{
		"say which one is good": {Model: path},
		`no label "hq"`:         {Model: path, Label: "hq"},
		"there is no x":         {Model: path, Label: "en", Normalise: []string{"x"}},
		"word vectors":          {Model: filepath.Join(filepath.Dir(path), "tiny-skipgram-hs.bin"), Label: "en"},
		"normalise is for mode": {Model: written(t), Normalise: []string{"lower"}},
		`no label "en"`:         {Model: written(t), Label: "en"},
	} {
		if _, err := Open(o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v, want %s", o, err, want)
		}
	}
}
