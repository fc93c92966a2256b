package lang

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"winnow"
)

func TestMeaning(t *testing.T) {
	for label, want := range map[string]labelled{
		"en": {"en", "eng_Latn"}, "zh": {"zh", ""}, "no": {"nb", "nob_Latn"}, "als": {"gsw", ""}, "wuu": {"wuu", ""},
		"eng_Latn": {"en", "eng_Latn"}, "cmn_Hani": {"zh", "cmn_Hani"}, "als_Latn": {"sq", "als_Latn"}, "srp_Cyrl": {"sr", "srp_Cyrl"},
	} {
		if got := meaning(label); got != want {
			t.Errorf("%s: %v, want %v", label, got, want)
		}
	}
}

func TestForeignModel(t *testing.T) {
	dir := os.Getenv("WINNOW_DATA")
	if dir == "" {
		t.Skip("WINNOW_DATA is not set: no fastText model to test with")
	}
	path := filepath.Join(dir, "formats", "fasttext", "tiny-lid.ftz")
	s, err := New(Options{Keep: []string{"en", "zho"}, Model: path})
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string][3]string{
		"After the meet it is time to print up ribbons\nand results for each team.": {"en", "eng_Latn", ""},
		"喜爱计算机的张恒钧也以中山大学资管系为第一志愿，有希望成为董庭吉的学弟。":                                      {"zh", "zho_Hans", ""},
		"Ai cần thuê, gặp trực tiếp: Gia chủ Linh.":                                 {"vi", "vie_Latn", "language.keep"},
		" \n": {Und, "", "language.keep"},
	} {
		d := &winnow.Document{Text: text}
		v, _, err := s.Apply(context.Background(), d)
		if got := [3]string{d.Language, d.LanguageScript, v.Rule}; err != nil || got != want {
			t.Errorf("%q: %v, want %v (%v)", text, got, want, err)
		}
	}
	own, _ := New(Options{Keep: []string{"en"}})
	if own.Version() == s.Version() {
		t.Error("the model is not part of the version")
	}
	if _, err := New(Options{Model: filepath.Join(dir, "formats", "fasttext", "tiny-skipgram-hs.bin")}); err == nil {
		t.Error("word vectors: no error")
	}
}
