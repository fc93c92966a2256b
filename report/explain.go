package report

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"winnow"
	"winnow/shard"
	"winnow/shard/store"
)

// Explanation is all that is known about why one document was kept or dropped.
type Explanation struct {
	Row    *shard.Row // from the ledger; Doc.Text where the run stored it
	Stages []StageStep
	Broken []Break    // every rule that it breaks, the deciding one included
	Close  []Margin   // rules that it meets by the least, nearest first
	Other  *shard.Row // of a duplicate: the survivor, with its text where stored
	Run    string     // the earlier run that the survivor belongs to; empty for this one
	Origin *shard.Row // of a derived document: what it was made from, with its text where stored
	Exact  *float64   // exact similarity of the two texts, 0..1, where the caller has compared them
}

// StageStep is one stage on a document's way.
type StageStep struct {
	Label   string
	Reached bool
	Dropped bool
}

// Margin is a rule that holds, and by how much of its value.
type Margin struct {
	Rule  string
	Value float32
	Bound winnow.Bound
	Share float64 // distance to the bound over the bound's size
}

// Explain looks a document up by its id, or by its URL, or by a part of either.
func Explain(f *shard.Folder, query string) (*Explanation, error) {
	row, err := find(f, query)
	if err != nil {
		return nil, err
	}
	if row == nil {
		return nil, fmt.Errorf("run %s has no document with the id or URL %q", f.Run.ID, query)
	}
	if err := addText(f, row); err != nil {
		return nil, err
	}
	j := NewJudge(f.Run)
	e := &Explanation{Row: row, Broken: j.Broken(row), Close: j.close(row)}
	reached := true
	for _, s := range append([]shard.StageInfo{{Label: "read"}}, f.Run.Stages...) {
		drops := row.Verdict.Drop && row.Verdict.Stage == s.Label
		e.Stages = append(e.Stages, StageStep{s.Label, reached, drops})
		reached = reached && !drops
	}
	if row.ClusterSize > 1 && row.Cluster != row.Doc.ID {
		err = e.survivor(f, row)
	}
	if err == nil && row.Doc.Origin != "" {
		if e.Origin, err = find(f, row.Doc.Origin); err == nil && e.Origin != nil {
			err = addText(f, e.Origin)
		}
	}
	return e, err
}

// survivor looks up the document that row went for, in an earlier run beside this one where the evidence names it.
func (e *Explanation) survivor(f *shard.Folder, row *shard.Row) (err error) {
	if _, run, ok := strings.Cut(row.Verdict.Detail, row.Cluster+" of run "); ok {
		e.Run = run
		if f, err = shard.Open(f.Store, store.Join(store.Dir(f.Dir), run)); err != nil {
			return nil // it may lie elsewhere, or be gone
		}
	}
	if e.Other, err = find(f, row.Cluster); err == nil && e.Other != nil {
		err = addText(f, e.Other)
	}
	return err
}

// find returns the row whose id or URL is the query; else the first whose id or URL contains it.
func find(f *shard.Folder, query string) (*shard.Row, error) {
	var near *shard.Row
	for row, err := range f.Rows() {
		if err != nil {
			return nil, err
		}
		if row.Doc.ID == query || row.Doc.URL == query {
			return row, nil
		}
		if near == nil && (strings.Contains(row.Doc.ID, query) || strings.Contains(row.Doc.URL, query)) {
			near = row
		}
	}
	return near, nil
}

// addText fills in the text of a row, where the run stored it.
func addText(f *shard.Folder, row *shard.Row) error {
	if row.Verdict.Drop {
		for d, err := range f.DroppedRows() {
			if err != nil {
				return err
			}
			if d.Doc.ID == row.Doc.ID {
				row.Doc.Text = d.Doc.Text
				return nil
			}
		}
		return nil
	}
	for d, err := range f.Documents() {
		if err != nil {
			return err
		}
		if d.ID == row.Doc.ID {
			row.Doc.Text = d.Text
			return nil
		}
	}
	return nil
}

// close lists the rules that a document meets, the narrowest first.
func (j *Judge) close(row *shard.Row) (out []Margin) {
	for _, s := range j.run.Stages {
		for k, sig := range s.Signals {
			if s.First+k >= len(row.Doc.Signals) {
				return out
			}
			v := row.Doc.Signals[s.First+k]
			b, ok := j.Bound(sig.ID, row.Doc.Language)
			if !ok || b.Open() || !winnow.Measured(v) || !b.Holds(v) {
				continue
			}
			out = append(out, Margin{sig.ID, v, b, margin(v, b)})
		}
	}
	slices.SortStableFunc(out, func(a, b Margin) int { return cmp.Compare(a.Share, b.Share) })
	return out
}

func margin(v float32, b winnow.Bound) float64 {
	least := math.Inf(1)
	for _, side := range []float32{b.Min, b.Max} {
		if s := float64(side); !math.IsInf(s, 0) {
			least = min(least, math.Abs(float64(v)-s)/max(math.Abs(s), 1e-6))
		}
	}
	return least
}

// Text writes the explanation for a terminal.
func (e *Explanation) Text(l Lang) string {
	var b strings.Builder
	v, d := e.Row.Verdict, e.Row.Doc
	label := func(k, en, zh string) { fmt.Fprintf(&b, "  %-10s %s\n", k, l.T(en, zh)) }
	if !v.Drop {
		b.WriteString(l.T("kept", "保留") + "\n")
	} else if winnow.Measured(v.Value) && !v.Bound.Open() {
		fmt.Fprintf(&b, l.T("dropped at stage %s by %s: %s, allowed %s\n", "在 %s 阶段被 %s 丢弃：值 %s，允许 %s\n"), v.Stage, v.Rule, number(v.Value), v.Bound)
	} else if winnow.Measured(v.Value) {
		fmt.Fprintf(&b, l.T("dropped at stage %s by %s: %s\n", "在 %s 阶段被 %s 丢弃：值 %s\n"), v.Stage, v.Rule, number(v.Value))
	} else {
		fmt.Fprintf(&b, l.T("dropped at stage %s by %s\n", "在 %s 阶段被 %s 丢弃\n"), v.Stage, v.Rule)
	}
	if v.Detail != "" {
		fmt.Fprintf(&b, "  %-10s %s\n", "evidence", v.Detail)
	}
	for _, br := range e.Broken {
		if br.Rule != v.Rule {
			fmt.Fprintf(&b, "  %-10s %s %s (%s)\n", "also fails", br.Rule, number(br.Value), br.Bound)
		}
	}
	for i, m := range e.Close {
		if i < 3 {
			fmt.Fprintf(&b, "  %-10s %s %s (%s)\n", "closest", m.Rule, number(m.Value), m.Bound)
		}
	}
	fmt.Fprintf(&b, "  %-10s %s\n", "way", e.way())
	fmt.Fprintf(&b, "  %-10s %s  %s\n", "page", d.ID, d.URL)
	fmt.Fprintf(&b, "  %-10s %s @%d  %s %.2f  ", "from", d.File, d.Offset, d.Language, d.LangScore)
	fmt.Fprintf(&b, l.T("%s characters, %s tokens\n", "%s 字符，%s token\n"), Count(e.Row.Chars), Count(d.TokenCount))
	if e.Row.ClusterSize > 1 {
		label("cluster", fmt.Sprintf("%d documents, survivor %s", e.Row.ClusterSize, e.Row.Cluster), fmt.Sprintf("%d 篇，留下 %s", e.Row.ClusterSize, e.Row.Cluster))
		e.alike(&b, l)
	}
	if d.Text != "" {
		fmt.Fprintf(&b, "  %-10s %s\n", "text", Excerpt(d.Text, 160))
	}
	if e.Origin != nil {
		fmt.Fprintf(&b, "  %-10s %s\n  %-10s %s\n", "made from", e.Origin.Doc.ID, "original", Excerpt(e.Origin.Doc.Text, 160))
	}
	if e.Other != nil && e.Other.Doc.Text != "" {
		fmt.Fprintf(&b, "  %-10s %s\n", "survivor", Excerpt(e.Other.Doc.Text, 160))
		if mine, theirs, ok := firstDifference(d.Text, e.Other.Doc.Text); ok {
			fmt.Fprintf(&b, "  %-10s - %s\n  %-10s + %s\n", "differs", Excerpt(mine, 100), "", Excerpt(theirs, 100))
		}
	}
	return b.String()
}

// alike writes the survivor's address, and how alike the two are.
func (e *Explanation) alike(b *strings.Builder, l Lang) {
	if e.Other != nil {
		fmt.Fprintf(b, "  %-10s %s", "survivor", cmp.Or(e.Other.Doc.URL, e.Other.Doc.File))
		if e.Run != "" {
			fmt.Fprintf(b, l.T(" of run %s", "（运行 %s）"), e.Run)
		}
		b.WriteString("\n")
	}
	if e.Row.Cluster == e.Row.Doc.ID {
		return
	}
	fmt.Fprintf(b, l.T("  %-10s estimated %.3f", "  %-10s 估计 %.3f"), "similarity", e.Row.Similarity)
	if e.Exact != nil {
		fmt.Fprintf(b, l.T(", exact %.3f", "，精确 %.3f"), *e.Exact)
	}
	b.WriteString("\n")
}

// way writes the stages that the document passed: extract > language > filter x.
func (e *Explanation) way() string {
	var out []string
	for _, s := range e.Stages {
		switch {
		case s.Dropped:
			return strings.Join(append(out, s.Label+" x"), " > ")
		case s.Reached:
			out = append(out, s.Label)
		}
	}
	return strings.Join(out, " > ")
}

// Excerpt is the beginning of a text on one line, of at most n code points.
func Excerpt(s string, n int) string {
	s = strings.Join(strings.Fields(s), " ")
	if r := []rune(s); len(r) > n {
		return string(r[:n]) + "…"
	}
	return s
}

func firstDifference(a, b string) (string, string, bool) {
	x, y := strings.Split(a, "\n"), strings.Split(b, "\n")
	for i := range max(len(x), len(y)) {
		if i >= len(x) || i >= len(y) || x[i] != y[i] {
			return lineAt(x, i), lineAt(y, i), true
		}
	}
	return "", "", false
}

func lineAt(lines []string, i int) string {
	if i < len(lines) {
		return lines[i]
	}
	return ""
}
