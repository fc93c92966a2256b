package eval

import (
	"slices"
	"testing"

	"winnow/train/rows"
)

func TestOverlap(t *testing.T) {
	items := []Item{
		{"a", "One two three four five six seven eight nine ten eleven twelve thirteen fourteen."},
		{"a", "nothing of this sentence is found in any of the texts that were trained on at all"},
		{"a", "short but whole, five words"}, {"a", "too short"}, {"a", "!?"},
		{"b", "天地玄黄宇宙洪荒日月盈昃辰宿列张"},
	}
	train := documents(
		rows.Document{ID: "x", Text: "... and ONE two, three four-five six seven eight nine ten eleven twelve thirteen, then others"},
		rows.Document{ID: "y", Text: "it is short: but whole; five words too"},
		rows.Document{ID: "z", Text: "千字文：天地玄黄，宇宙洪荒。日月盈昃，辰宿列张。too short"},
		rows.Document{ID: "w", Text: "one two three four five six seven eight nine ten eleven twelve 13 nothing of this sentence is found"},
	)
	got, err := FindOverlap(items, train, 0)
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != 3 {
		t.Fatalf("%+v", got)
	}
	all, a, b := got[0], got[1], got[2]
	if a.Items.Hits != 2 || a.Items.N != 3 || a.Short != 1 || a.TooShort != 2 || a.Grams.Hits != 2 || !slices.Equal(a.Documents, []string{"x", "y"}) {
		t.Errorf("%+v", a)
	}
	if b.Items.Hits != 1 || b.Grams.Hits != 4 || b.Grams.N != 4 || !slices.Equal(b.Documents, []string{"z"}) {
		t.Errorf("%+v", b)
	}
	if all.Set != "all" || all.Items.Hits != 3 || all.Items.N != 4 || all.TooShort != 2 {
		t.Errorf("%+v", all)
	}
}

func FuzzOverlapWords(f *testing.F) {
	f.Add("One, two three", "ONE two 三")
	f.Fuzz(func(t *testing.T, a, b string) {
		// A text is found in itself between others, whatever it is, or it is too short to be looked for.
		got, err := FindOverlap([]Item{{"s", a}}, documents(rows.Document{ID: "d", Text: b + "\n" + a + "\n" + b}), 6)
		if err != nil {
			t.Fatal(err)
		}
		if got[0].TooShort == 0 && got[0].Items.Hits != 1 {
			t.Fatalf("%q: %+v", a, got[0])
		}
	})
}
