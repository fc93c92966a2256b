package look

import (
	"context"
	"fmt"
	"iter"

	"winnow"
	"winnow/cmd/winnow/cli"
	"winnow/filter"
	"winnow/report"
	"winnow/shard"
)

func twoProfiles(names ...string) (both [2]filter.Profile, err error) {
	for i, name := range names {
		if both[i], err = filter.FindProfile(name); err != nil {
			return both, cli.Usage("%v", err)
		}
	}
	return both, nil
}

// diffDocuments applies two profiles to the stored texts of a run, and lists the documents on which they decide differently.
// A dropped text is as the stage received it that dropped it, a kept one as it was kept.
func (a *app) diffDocuments(ctx context.Context, nameA, nameB, run string) (report.Table, error) {
	t := report.Table{Head: []string{a.Lang.T("document", "文档"), a.Lang.T("language", "语言"), nameA, nameB, a.Lang.T("begins", "开头")}}
	both, err := twoProfiles(nameA, nameB)
	if err != nil {
		return t, err
	}
	var stages [2]*filter.Stage
	for i, p := range both {
		if stages[i], err = filter.New(filter.Options{Profile: p.Name}); err != nil {
			return t, err
		}
	}
	f, err := a.Find(run)
	if err != nil {
		return t, err
	}
	read, differ := 0, 0
	for d, err := range storedTexts(f) {
		if err != nil {
			return t, err
		}
		var v [2]winnow.Verdict
		for i, s := range stages {
			each := &winnow.Document{ID: d.ID, Text: d.Text, URL: d.URL, Language: d.Language, LanguageScript: d.LanguageScript}
			if v[i], _, err = s.Apply(ctx, each); err != nil {
				return t, err
			}
		}
		if read++; v[0].Drop == v[1].Drop {
			continue
		}
		differ++
		if a.JSON {
			if err := a.Line(map[string]any{"id": d.ID, "url": d.URL, "language": d.Language, nameA: decided(v[0]), nameB: decided(v[1])}); err != nil {
				return t, err
			}
			continue
		}
		t.Add(d.ID, d.Language, decided(v[0]), decided(v[1]), report.Excerpt(d.Text, 40))
	}
	a.Say("%d of %d texts that run %s stores are decided differently", "运行 %[3]s 所存的 %[2]d 篇文本中，有 %[1]d 篇裁决不同", differ, read, f.Run.ID)
	return t, nil
}

func decided(v winnow.Verdict) string {
	if !v.Drop {
		return "keep"
	}
	return fmt.Sprintf("%s %v (%s)", v.Rule, finite(v.Value), v.Bound)
}

// storedTexts reads the kept texts of a run, then the dropped ones that it stores.
func storedTexts(f *shard.Folder) iter.Seq2[*winnow.Document, error] {
	return func(yield func(*winnow.Document, error) bool) {
		for d, err := range f.Documents() {
			if !yield(d, err) {
				return
			}
		}
		for row, err := range f.DroppedRows() {
			if err != nil {
				yield(nil, err)
				return
			}
			if row.Doc.Text != "" && !yield(&row.Doc, nil) {
				return
			}
		}
	}
}
