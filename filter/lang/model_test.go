package lang

import (
	"compress/gzip"
	"context"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
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

// TestLid176 tells sentences of the languages that the model named by WINNOW_LID176 knows, beside the tables here. Bosnian, Malay,
// Somali and Yoruba are weak in lid.176 itself; predictions equal fastText's (filter/quality/fasttext).
func TestLid176(t *testing.T) {
	path, dir := os.Getenv("WINNOW_LID176"), os.Getenv("WINNOW_DATA")
	if path == "" || dir == "" {
		t.Skip("WINNOW_LID176 or WINNOW_DATA is not set: no model of 176 languages to test with")
	}
	s, err := New(Options{Model: path})
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(filepath.Join(dir, "langid", "lingua_first_half.jsonl.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	unzipped, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	all, right, own := 0, 0, 0
	by := map[string][2]int{}
	rows := json.NewDecoder(unzipped)
	for i := 0; rows.More(); i++ {
		var row struct{ Lang, Kind, Text string }
		if err := rows.Decode(&row); err != nil {
			t.Fatal(err)
		}
		if row.Kind != "sentences" || i%5 > 0 || !s.model.knows(row.Lang) {
			continue
		}
		d := &winnow.Document{Text: row.Text}
		if _, _, err := s.Apply(context.Background(), d); err != nil {
			t.Fatal(err)
		}
		n := by[row.Lang]
		n[0]++
		if d.Language == row.Lang || row.Lang == "no" && d.Language == "nb" {
			right++
			n[1]++
		}
		by[row.Lang] = n
		if l, _, _ := Identify(row.Text); l == row.Lang {
			own++
		}
		all++
	}
	for _, language := range slices.Sorted(maps.Keys(by)) {
		if n := by[language]; n[1]*10 < n[0]*8 {
			t.Logf("%s: %d of %d", language, n[1], n[0])
		}
	}
	t.Logf("%d sentences: %.4f right by the model, %.4f by the own tables", all, float64(right)/float64(all), float64(own)/float64(all))
	if float64(right) < .85*float64(all) {
		t.Error("the model tells fewer than 85 of 100")
	}
}
