package cut

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"winnow"
	"winnow/pipelines/engine/compare"
)

// after sends documents through the stage as the engine does, and gives their texts; "-" for those that it drops.
func after(t testing.TB, stage winnow.Corpus, docs []*winnow.Document, memory int64) []string {
	t.Helper()
	out := make([]string, len(docs))
	for i, d := range docs {
		out[i] = d.Text
	}
	for i, o := range outcomes(t, stage, docs, memory) {
		for k := len(o.Edits) - 1; k >= 0; k-- {
			e := o.Edits[k]
			out[i] = out[i][:e.Start] + e.With + out[i][e.End:]
		}
		if o.Verdict.Drop {
			out[i] = "-"
		}
	}
	return out
}

func outcomes(t testing.TB, stage winnow.Corpus, docs []*winnow.Document, memory int64) map[int]winnow.Outcome {
	t.Helper()
	var shards [][]*winnow.Document
	for shard := range slices.Chunk(docs, 3) {
		shards = append(shards, shard)
	}
	settled, err := compare.Once(t.Context(), stage, shards, t.TempDir(), memory)
	if err != nil {
		t.Fatal(err)
	}
	out := map[int]winnow.Outcome{}
	for id, o := range settled {
		out[3*id.Shard()+id.Row()] = o
	}
	return out
}

func cut(t *testing.T, o BoilerplateOptions, docs []*winnow.Document) []string {
	t.Helper()
	b, err := NewBoilerplate(o)
	if err != nil {
		t.Fatal(err)
	}
	return after(t, b, docs, 1<<20)
}

func TestBoilerplate(t *testing.T) {
	var docs []*winnow.Document
	for i := range 6 {
		docs = append(docs,
			&winnow.Document{URL: fmt.Sprintf("https://www.port.example/%d", i), Text: fmt.Sprintf("首页 | 新闻\nPage %d of the harbour.\n 本站版权所有 \n第 %d 页\nContact us", i, i)},
			&winnow.Document{URL: fmt.Sprintf("http://other.example/%d", i), Text: "Contact us"},
			&winnow.Document{Text: "Contact us"})
	}
	docs = append(docs, &winnow.Document{URL: "http://port.example/menu", Text: "首页 | 新闻\n本站版权所有"})
	got := cut(t, BoilerplateOptions{}, docs)
	for i := range 6 {
		if want := fmt.Sprintf("Page %d of the harbour.\n第 %d 页", i, i); got[3*i] != want {
			t.Errorf("page %d: %q, want %q", i, got[3*i], want)
		}
		if got[3*i+1] != "-" || got[3*i+2] != "Contact us" {
			t.Errorf("page %d elsewhere: %q", i, got[3*i+1:3*i+3])
		}
	}
	if got[18] != "-" {
		t.Errorf("the menu alone: %q", got[18])
	}
	if got := cut(t, BoilerplateOptions{MinPages: 8}, docs); got[0] != docs[0].Text {
		t.Errorf("on too few pages: %q", got[0])
	}
	if got := cut(t, BoilerplateOptions{MinPages: 2, MinShare: 1}, docs); !strings.HasPrefix(got[0], "Page") || !strings.HasSuffix(got[0], "Contact us") {
		t.Errorf("on all pages but for one: %q", got[0])
	}
	if _, err := NewBoilerplate(BoilerplateOptions{MinPages: 1}); err == nil {
		t.Error("one page is no site")
	}
}
