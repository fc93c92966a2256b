package cut

import (
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"winnow"
)

func mustNew(t testing.TB, o Options) winnow.Corpus {
	t.Helper()
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func texts(list ...string) (docs []*winnow.Document) {
	for i, s := range list {
		docs = append(docs, &winnow.Document{ID: string(rune('a' + i)), Text: s})
	}
	return docs
}

func TestParts(t *testing.T) {
	for _, c := range []struct {
		name string
		o    Options
		in   []string
		want []string
	}{
		{"lines, longest stays", Options{Method: Line}, []string{"Menu\none", "MENU!\ntwo and more", "three"}, []string{"one", "MENU!\ntwo and more", "three"}},
		{"lines, first stays", Options{Method: Line, Keep: First}, []string{"Menu\none", "MENU!\ntwo and more", "three"}, []string{"Menu\none", "two and more", "three"}},
		{"lines, none stays", Options{Method: Line, Keep: None}, []string{"Menu\none", "MENU!\ntwo and more", "three"}, []string{"one", "two and more", "three"}},
		{"within one text", Options{Method: Line}, []string{"a b\nc\na b"}, []string{"a b\nc"}},
		{"short lines left alone", Options{Method: Line, MinChars: 3, Keep: First}, []string{"}\nlong one", "}\nlong one\nelse"}, []string{"}\nlong one", "}\nelse"}},
		{"all gone", Options{Method: Line, Keep: First}, []string{"one\n\ntwo", "two\n\none\n"}, []string{"one\n\ntwo", "-"}},
		{"too much gone", Options{Method: Line, Keep: First, MaxShare: .5}, []string{"one long line", "one long line\nx"}, []string{"one long line", "-"}},
		{"Chinese lines", Options{Method: Line, Keep: First}, []string{"首页｜新闻\n正文一", "首页 新闻\n正文二"}, []string{"首页｜新闻\n正文一", "正文二"}},
		{"paragraphs", Options{Method: Paragraph, Keep: First}, []string{"p one\nstill one\n\np two", "head\n\nP one\nstill one.\n\ntail"}, []string{"p one\nstill one\n\np two", "head\n\ntail"}},
		{"a line of a paragraph is not one", Options{Method: Paragraph, Keep: First}, []string{"one\ntwo\n\nx", "one\n\ny"}, []string{"one\ntwo\n\nx", "one\n\ny"}},
		{"three sentences", Options{Method: Sentence, Keep: First}, []string{"One here. Two here. Three here. Four.", "Zero. One here! Two here. Three here. Five."}, []string{"One here. Two here. Three here. Four.", "Zero. Five."}},
		{"two sentences are few", Options{Method: Sentence, Keep: First}, []string{"One here. Two here. Three.", "Zero. One here! Two here. Five."}, []string{"One here. Two here. Three.", "Zero. One here! Two here. Five."}},
		{"Chinese sentences", Options{Method: Sentence, Keep: First}, []string{"今天很好。明天也好！后天如何？不知。", "前言。今天很好。明天也好。后天如何？结尾。"}, []string{"今天很好。明天也好！后天如何？不知。", "前言。结尾。"}},
		{"decimals end nothing", Options{Method: Sentence, Keep: First}, []string{"Pi is 3.14 now. B. C.", "Pi is 3.14 now. X. Y."}, []string{"Pi is 3.14 now. B. C.", "Pi is 3.14 now. X. Y."}},
	} {
		if got := after(t, mustNew(t, c.o), texts(c.in...), 1<<20); !slices.Equal(got, c.want) {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}

func TestMistakes(t *testing.T) {
	for _, c := range []struct {
		o    Options
		want string
	}{
		{Options{Method: "words"}, `"words"`}, {Options{Method: Line, Keep: "best"}, `"best"`}, {Options{Method: Line, MaxShare: 2}, "max_cut"},
		{Options{Method: Span, Tokens: 1}, "tokens 1"}, {Options{Method: BFF, Bloom: Bloom{FalseRate: 1}}, "false_rate 1"},
	} {
		if _, err := New(c.o); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v", c.o, err)
		}
	}
}

// Lines of a public teaching fixture: every line that stands more than once goes, wherever it stands.
func TestLinesOfATeachingFixture(t *testing.T) {
	dir := os.Getenv("WINNOW_DATA")
	if dir == "" {
		t.Skip("WINNOW_DATA is not set: no real data to test with")
	}
	dir = filepath.Join(dir, "dedup", "cs336_a4_fixtures")
	trimmed := func(s string) string { return strings.TrimSuffix(s, "\n") }
	var docs []*winnow.Document
	var want []string
	for _, name := range []string{"doc1.txt", "doc2.txt", "doc3.txt", "doc4.txt", "doc5.txt"} {
		in, err := os.ReadFile(filepath.Join(dir, "documents_with_line_duplicates", name))
		if err != nil {
			t.Fatal(err)
		}
		out, err := os.ReadFile(filepath.Join(dir, "documents_line_deduplicated", name))
		if err != nil {
			t.Fatal(err)
		}
		docs = append(docs, &winnow.Document{ID: name, Text: string(in)})
		if want = append(want, trimmed(string(out))); len(out) == 0 {
			want[len(want)-1] = "-" // the stage drops what would be empty
		}
	}
	got := after(t, mustNew(t, Options{Method: Line, Keep: None, Exact: true}), docs, 1<<20)
	for i := range got {
		got[i] = trimmed(got[i])
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// The order of the input and the memory must not be seen in what is cut.
func TestOrderDoesNotMatter(t *testing.T) {
	docs := repeated(60, 4)
	for _, o := range []Options{{Method: Line}, {Method: Sentence}, {Method: Span, Tokens: 8}, {Method: Line, Keep: None}} {
		want := outcomes(t, mustNew(t, o), docs, 1<<20)
		if len(want) == 0 {
			t.Fatalf("%+v: nothing to cut", o)
		}
		turned := slices.Clone(docs)
		slices.Reverse(turned)
		got := map[int]winnow.Outcome{}
		for i, x := range outcomes(t, mustNew(t, o), turned, 1) {
			got[len(docs)-1-i] = x
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%+v: another result in another order and with less memory", o)
		}
	}
}

func FuzzSketch(f *testing.F) {
	for _, s := range []string{"", "One. Two! “Three?” Four\nFive", "今天。明天！\n\n后天", "a\xffb\n\n\n"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, method := range Methods() {
			stage := mustNew(t, Options{Method: method, Tokens: 2})
			last := 0
			_, err := stage.Sketch(&winnow.Document{ID: "x", Text: s}, func(r winnow.Record) {
				if stage.Layout().Data == 2 {
					return
				}
				e := edge(&r, &r)
				if e.Start < 0 || e.End > len(s) || e.Start >= e.End || e.Start < last && method != Sentence && method != Span {
					t.Fatalf("%s of %q: %d to %d", method, s, e.Start, e.End)
				}
				last = e.Start
			})
			if err != nil {
				t.Fatal(err)
			}
		}
	})
}
