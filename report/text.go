package report

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"winnow/shard"
)

// Page picks what is written: everything, or one slice.
type Page struct {
	Lang Lang
	By   string // one of Slices, or empty for the whole report
	Top  int    // rows of long tables; 0: 20
}

// Section is a titled table of a report, with a sentence about how to read it.
type Section struct {
	ID    string // stable name: funnel, rules, language, usual ...
	Title string
	Table Table
	Note  string
}

func (s *Section) text() string {
	out := "\n" + s.Title + "\n" + s.Table.Text()
	if s.Note != "" {
		out += s.Note + "\n"
	}
	return out
}

func (s *Section) markdown() string {
	out := "\n### " + s.Title + "\n\n" + s.Table.Markdown()
	if s.Note != "" {
		out += "\n" + s.Note + "\n"
	}
	return out
}

func more(l Lang, n int) string { return fmt.Sprintf(l.T("... and %d more", "……另有 %d 项"), n) }

// Text writes the report for a terminal.
func (r *Report) Text(w io.Writer, p Page) error {
	var b strings.Builder
	b.WriteString(r.Headline(p.Lang) + "\n")
	for _, warning := range r.Warnings {
		b.WriteString("\n" + warning.Text(p.Lang) + "\n")
	}
	for _, s := range r.Sections(p) {
		b.WriteString(s.text())
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// Markdown writes the report for a pull request.
func (r *Report) Markdown(w io.Writer, p Page) error {
	var b strings.Builder
	b.WriteString("## " + r.Run.ID + "\n\n" + r.Headline(p.Lang) + "\n")
	for _, warning := range r.Warnings {
		b.WriteString("\n> **" + warning.Text(p.Lang) + "**\n")
	}
	for _, s := range r.Sections(p) {
		b.WriteString(s.markdown())
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// JSON writes the report for machines. Fields are only ever added.
func (r *Report) JSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(r)
}

// Headline is the run in one sentence: documents read and kept, tokens kept, input lost.
func (r *Report) Headline(l Lang) string {
	lost := ""
	if n := len(r.Run.Lost); n > 0 {
		lost = fmt.Sprintf(l.T("; %d places of the input could not be read", "；输入中有 %d 处读不出"), n)
	}
	return fmt.Sprintf(l.T(
		"%s  %s  %s documents read, %s kept (%s); %s GPT-2 tokens kept%s",
		"%s  %s  读入 %s 篇，保留 %s 篇（%s）；保留 GPT-2 token %s 个%s"),
		r.Run.ID, r.Run.Started, Count(r.Read.Documents), Count(r.Kept.Documents), Percent(r.Kept.Documents, r.Read.Documents), Count(r.Kept.Tokens), lost)
}

// Sections are the tables of a report in the order in which they are read, or the one slice that p asks for. What the run
// has nothing of is left out.
func (r *Report) Sections(p Page) []Section {
	if p.Top == 0 {
		p.Top = 20
	}
	if p.By != "" {
		return []Section{r.groups(p.By, p)}
	}
	out := []Section{r.funnel(p.Lang), r.reasons(p)}
	short := p
	short.Top = (p.Top + 1) / 2
	for _, by := range Slices {
		groups := len(r.By[by])
		if by == "dump" && groups < 2 || by == "topic" && groups == 0 {
			continue
		}
		rows := short
		if by == "length" {
			rows.Top = len(lengths)
		}
		out = append(out, r.groups(by, rows))
	}
	out = append(out, r.usual(p.Lang), r.times(p.Lang))
	if len(r.Run.Edits) > 0 {
		out = append(out, edited(r.Run, p.Lang))
	}
	if len(r.Run.Lost) > 0 {
		out = append(out, lost(r.Run, short))
	}
	if len(r.Silent) > 0 {
		out = append(out, r.silent(p))
	}
	return out
}

// edited says how much each rule changed in the texts that were kept.
func edited(run *shard.Run, l Lang) Section {
	s := Section{ID: "edits", Title: l.T("what was changed in kept texts", "保留文本中的改动"), Table: Table{Head: []string{
		l.T("rule", "规则"), l.T(">documents", ">文档/篇"), l.T(">places", ">处"), l.T(">bytes removed", ">删去字节"), l.T(">bytes put in", ">填入字节")}}}
	rules := slices.SortedFunc(maps.Keys(run.Edits), func(a, b string) int {
		return cmp.Or(cmp.Compare(run.Edits[b].Removed, run.Edits[a].Removed), cmp.Compare(a, b))
	})
	for _, rule := range rules {
		e := run.Edits[rule]
		s.Table.Add(rule, Count(e.Documents), Count(e.Edits), Count(e.Removed), Count(e.Added))
	}
	return s
}

func (r *Report) funnel(l Lang) Section {
	s := Section{ID: "funnel", Title: l.T("retained, stage by stage", "逐级保留"), Table: Table{Head: []string{
		l.T("stage", "阶段"), l.T(">in docs", ">进入/篇"), l.T(">kept docs", ">保留/篇"), l.T(">of stage", ">占本级"), l.T(">of all", ">占全部"),
		l.T(">characters", ">字符"), l.T(">text bytes", ">文本字节"), l.T(">tokens*", ">token*"), ""}}}
	for _, st := range r.Stages {
		s.Table.Add(st.Label, Count(st.In.Documents), Count(st.Kept.Documents), Percent(st.Kept.Documents, st.In.Documents),
			Percent(st.Kept.Documents, r.Read.Documents), Count(st.Kept.Chars), Bytes(st.Kept.Bytes), Count(st.Kept.Tokens), bar(st.Kept.Documents, r.Read.Documents))
	}
	s.Note = fmt.Sprintf(l.T(
		"read %s of pages. * GPT-2 tokens: exact for kept documents, estimated for those dropped later on. Text sizes of a dropped document are as its stage received it.",
		"读入网页 %s。* GPT-2 token：保留的为精确值，后来丢弃的为估计值。被丢弃文档的文本大小以丢弃它的阶段收到时为准。"), Bytes(r.Read.RawBytes))
	if r.Dup.Clusters > 0 {
		s.Note += fmt.Sprintf(l.T("\n%s clusters of duplicates, the largest of %d documents (%s).", "\n重复文档 %s 簇，最大一簇 %d 篇（%s）。"), Count(r.Dup.Clusters), r.Dup.Largest, r.Dup.Example)
	}
	return s
}

func (r *Report) reasons(p Page) Section {
	l := p.Lang
	s := Section{ID: "rules", Title: l.T("why dropped", "丢弃原因"), Table: Table{Head: []string{
		l.T("rule", "规则"), l.T("measures", "度量"), l.T("stage", "阶段"), l.T(">first", ">首因"), l.T(">solo", ">独因"), l.T(">any", ">任一"),
		l.T(">median", ">中位数"), l.T("bound", "界限")}}}
	for i, rule := range r.Rules {
		if i == p.Top {
			s.Note = more(l, len(r.Rules)-i) + "\n"
			break
		}
		median := number(rule.Median)
		if len(rule.values) == 0 {
			median = ""
		}
		s.Table.Add(rule.ID, l.T(rule.EN, rule.ZH), rule.Stage, Count(rule.First), Count(rule.Solo), Count(rule.Any), median, rule.Bound)
	}
	s.Note += l.T(
		"documents. first: this rule gave the verdict; solo: only this rule of its stage drops it, so tune these first; any: breaks the rule, whatever else it breaks.",
		"单位：篇。首因：由此规则定案；独因：本阶段只有这一条规则丢弃它，调参先看它；任一：违反此规则，不论还违反什么。")
	return s
}

func (r *Report) groups(by string, p Page) Section {
	l := p.Lang
	names := map[string][2]string{
		"language": {"by language", "按语言"}, "domain": {"by domain", "按域名"}, "topic": {"by topic", "按主题"}, "source": {"by source file", "按来源文件"}, "dump": {"by dump", "按批次"},
		"length": {"by length of the text, in characters", "按文本长度（字符）"},
	}
	s := Section{ID: by, Title: l.T(names[by][0], names[by][1]), Table: Table{Head: []string{
		by, l.T(">read docs", ">读入/篇"), l.T(">kept docs", ">保留/篇"), l.T(">kept", ">保留"), l.T(">kept characters", ">保留字符"), l.T(">kept tokens", ">保留 token")}}}
	groups := r.By[by]
	for i, g := range groups {
		if i == p.Top {
			s.Note = more(l, len(groups)-i)
			break
		}
		s.Table.Add(g.Key, Count(g.Read.Documents), Count(g.Kept.Documents), Percent(g.Kept.Documents, g.Read.Documents), Count(g.Kept.Chars), Count(g.Kept.Tokens))
	}
	return s
}

// times says what a stage cost, in seconds of one worker.
func (r *Report) times(l Lang) Section {
	s := Section{ID: "times", Title: l.T("time by stage", "各阶段耗时"), Table: Table{Head: []string{
		l.T("stage", "阶段"), l.T(">seconds", ">秒"), l.T(">share", ">占比"), l.T(">documents/s", ">篇/秒")}}}
	total, rows := 0.0, r.Times()
	for _, t := range rows {
		total += t.Seconds
	}
	for _, t := range rows {
		rate := "-"
		if t.Seconds > 0 && t.Documents > 0 {
			rate = Count(int64(float64(t.Documents) / t.Seconds))
		}
		s.Table.Add(t.Label, fmt.Sprintf("%.2f", t.Seconds), fmt.Sprintf("%.1f%%", 100*t.Seconds/max(total, 1e-9)), rate)
	}
	s.Note = l.T("Seconds of one worker, summed over all documents; 0 where the values of an earlier run were taken over.",
		"单个工作线程的秒数，对全部文档求和；沿用以前运行的度量时为 0。")
	return s
}

// Time is what a stage, or a step of the engine around the stages, cost.
type Time struct {
	Label     string
	Seconds   float64 // of one worker
	Documents int64   // that reached it; 0 where that says nothing
}

// Times lists reading, the stages, and what else the engine did.
func (r *Report) Times() (out []Time) {
	for _, s := range r.Stages {
		out = append(out, Time{s.Label, s.Seconds, s.In.Documents})
	}
	for _, k := range slices.Sorted(maps.Keys(r.Run.Spent)) {
		if k != "read" {
			out = append(out, Time{k, r.Run.Spent[k], 0})
		}
	}
	return out
}

// JSON writes the comparison for machines. Fields are only ever added.
func (d *Diff) JSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(d)
}

// Text writes the comparison for a terminal.
func (d *Diff) Text(w io.Writer, p Page) error {
	return d.write(w, p, "", (*Section).text)
}

// Markdown writes the comparison for a pull request.
func (d *Diff) Markdown(w io.Writer, p Page) error {
	return d.write(w, p, "## ", (*Section).markdown)
}

func (d *Diff) write(w io.Writer, p Page, mark string, one func(*Section) string) error {
	out := mark + d.Headline(p.Lang) + "\n"
	for _, s := range d.Sections(p) {
		out += one(&s)
	}
	_, err := io.WriteString(w, out)
	return err
}

// Headline is the comparison in one sentence.
func (d *Diff) Headline(l Lang) string {
	return fmt.Sprintf(l.T("%s -> %s: %s documents gained, %s lost, of %s that both read", "%s -> %s：增 %s 篇，减 %s 篇（两次都读到 %s 篇）"),
		d.A.Run.ID, d.B.Run.ID, Count(d.Gained.Sizes.Documents), Count(d.Lost.Sizes.Documents), Count(d.Both))
}

// Sections are the tables of a comparison; what did not change is left out.
func (d *Diff) Sections(p Page) []Section {
	if p.Top == 0 {
		p.Top = 20
	}
	l := p.Lang
	out := []Section{d.totals(l)}
	for _, c := range []struct {
		id, title string
		list      []Change
	}{{"bounds", l.T("bounds", "界限"), d.Bounds}, {"stages", l.T("stages", "阶段"), d.Stages}} {
		s := Section{ID: c.id, Title: c.title, Table: Table{Head: []string{"", "A", "B"}}}
		for i, x := range c.list {
			if i == p.Top {
				s.Note = more(l, len(c.list)-i)
				break
			}
			s.Table.Add(x.Key, cmp.Or(fromDifference(x.A, x.B), "-"), cmp.Or(fromDifference(x.B, x.A), "-"))
		}
		if len(c.list) > 0 {
			out = append(out, s)
		}
	}
	out = append(out, d.stages(l))
	if len(d.Rules) > 0 {
		s := Section{ID: "rules", Title: l.T("why dropped, documents", "丢弃原因（篇）"), Table: Table{Head: []string{l.T("rule", "规则"), ">A", ">B", l.T(">change", ">变化")}}}
		for i, c := range d.Rules {
			if i == p.Top {
				s.Note = more(l, len(d.Rules)-i)
				break
			}
			s.Table.Add(c.Key, Count(c.A), Count(c.B), signed(c.B-c.A))
		}
		out = append(out, s)
	}
	if d.Gained.Sizes.Documents > 0 {
		out = append(out, d.Gained.section("gained", l.T("gained: dropped in A, kept in B", "增加：A 丢弃而 B 保留"), l))
	}
	if d.Lost.Sizes.Documents > 0 {
		out = append(out, d.Lost.section("lost", l.T("lost: kept in A, dropped in B", "减少：A 保留而 B 丢弃"), l))
	}
	return out
}

func (d *Diff) totals(l Lang) Section {
	s := Section{ID: "totals", Title: l.T("totals", "总数"), Table: Table{Head: []string{"", ">A", ">B", l.T(">change", ">变化")}}}
	add := func(what string, a, b int64) { s.Table.Add(what, Count(a), Count(b), signed(b-a)) }
	add(l.T("documents read", "读入（篇）"), d.A.Read.Documents, d.B.Read.Documents)
	add(l.T("documents kept", "保留（篇）"), d.A.Kept.Documents, d.B.Kept.Documents)
	s.Table.Add(l.T("share kept", "保留率"), Percent(d.A.Kept.Documents, d.A.Read.Documents), Percent(d.B.Kept.Documents, d.B.Read.Documents), "")
	add(l.T("characters kept", "保留字符"), d.A.Kept.Chars, d.B.Kept.Chars)
	add(l.T("GPT-2 tokens kept", "保留 GPT-2 token"), d.A.Kept.Tokens, d.B.Kept.Tokens)
	add(l.T("documents gained", "增加（篇）"), 0, d.Gained.Sizes.Documents)
	add(l.T("documents lost", "减少（篇）"), d.Lost.Sizes.Documents, 0)
	if d.OnlyA.Documents+d.OnlyB.Documents > 0 {
		add(l.T("documents that only one run read", "仅一次运行读到（篇）"), d.OnlyA.Documents, d.OnlyB.Documents)
	}
	if d.Moved > 0 {
		s.Note = fmt.Sprintf(l.T("%s documents were dropped by both, for different reasons.", "%s 篇两次都被丢弃，但原因不同。"), Count(d.Moved))
	}
	return s
}

func (d *Diff) stages(l Lang) Section {
	s := Section{ID: "funnel", Title: l.T("documents kept, stage by stage", "逐级保留（篇）"), Table: Table{Head: []string{
		l.T("stage", "阶段"), ">A", l.T(">of stage", ">占本级"), ">B", l.T(">of stage", ">占本级"), l.T(">change", ">变化")}}}
	other := map[string]*Stage{}
	for i := range d.A.Stages {
		other[d.A.Stages[i].Label] = &d.A.Stages[i]
	}
	for _, b := range d.B.Stages {
		a := other[b.Label]
		delete(other, b.Label)
		if a == nil {
			s.Table.Add(b.Label, "-", "-", Count(b.Kept.Documents), Percent(b.Kept.Documents, b.In.Documents), "")
			continue
		}
		s.Table.Add(b.Label, Count(a.Kept.Documents), Percent(a.Kept.Documents, a.In.Documents),
			Count(b.Kept.Documents), Percent(b.Kept.Documents, b.In.Documents), signed(b.Kept.Documents-a.Kept.Documents))
	}
	for _, a := range d.A.Stages {
		if other[a.Label] != nil {
			s.Table.Add(a.Label, Count(a.Kept.Documents), Percent(a.Kept.Documents, a.In.Documents), "-", "-", "")
		}
	}
	return s
}

func (f *Flips) section(id, title string, l Lang) Section {
	s := Section{ID: id, Title: title, Table: Table{Head: []string{
		l.T("document", "文档"), l.T("rule", "规则"), l.T(">value", ">值"), l.T("text", "文本")}}}
	for _, e := range f.Samples {
		s.Table.Add(cmp.Or(e.URL, e.ID), e.Rule, e.Value, cmp.Or(Excerpt(e.Text, 80), e.Detail))
	}
	var rules []string
	for _, c := range f.Rules[:min(8, len(f.Rules))] {
		rules = append(rules, fmt.Sprintf("%s %s", c.Key, Count(c.A+c.B)))
	}
	s.Note = fmt.Sprintf(l.T("%s documents, %s tokens: %s", "%s 篇，%s 个 token：%s"), Count(f.Sizes.Documents), Count(f.Sizes.Tokens), strings.Join(rules, ", "))
	return s
}

// signed writes a change: +1,204 or -3.
func signed(n int64) string {
	if n > 0 {
		return "+" + Count(n)
	}
	return Count(n)
}

// fromDifference cuts a long setting to what surrounds its first difference from another.
func fromDifference(s, other string) string {
	const width, before = 60, 20
	x, y := []rune(s), []rune(other)
	if len(x) <= width {
		return s
	}
	i := 0
	for i < min(len(x), len(y)) && x[i] == y[i] {
		i++
	}
	if i <= before {
		return Excerpt(s, width)
	}
	return "…" + Excerpt(string(x[i-before:]), width)
}
