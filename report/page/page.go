// Package page writes a report, or a comparison of two runs, as one HTML file that stands alone: no network, no outside
// script, whole without JavaScript. A report.Report and its evidence go in, HTML comes out. Whatever stems from the crawl is
// text there, never markup and never a link.
package page

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"html/template"
	"io"
	"strings"

	"winnow/report"
	"winnow/shard"
	"winnow/shard/store"
)

//go:embed page.html
var layout string

//go:embed style.css
var style string

//go:embed script.js
var script string

const (
	evidenceRules = 16 // rules that examples are shown of
	evidenceSide  = 3  // examples on each side of a rule
	flipSamples   = 12 // documents gained, and lost, that a comparison shows
	tableRows     = 60
)

// view is what the template needs.
type view struct {
	Lang     report.Lang
	Title    string
	Lead     string
	Facts    [][2]string
	Warnings []string
	Blocks   []block
	Last     []block // what went wrong: lost input, rules that did nothing
	Overlap  *matrix
	Evidence *report.Evidence
	Diff     *report.Diff
	Style    template.CSS
	Script   template.JS
	Hash     string // of Script, for the content security policy
}

// block is one section: charts, and the table of the same numbers.
type block struct {
	report.Section
	Heads   []head
	Figures []template.HTML
	Notes   []string
}

type head struct {
	Text  string
	Right bool
}

// Write writes the page of one run. It reads stored texts for the examples, of a large run only those of its first files.
func Write(w io.Writer, f *shard.Folder, r *report.Report, l report.Lang) error {
	e, err := r.Evidence(f, evidenceRules, evidenceSide)
	if err != nil {
		return err
	}
	v := newView(l, r.Run.ID, r.Headline(l))
	v.Facts = facts(r.Run, l)
	for _, x := range r.Warnings {
		v.Warnings = append(v.Warnings, x.Text(l))
	}
	for _, s := range r.Sections(report.Page{Lang: l, Top: tableRows}) {
		b := newBlock(s)
		if b.Figures, err = figures(r, s, l); err != nil {
			return err
		}
		if s.ID == "lost" || s.ID == "silent" {
			v.Last = append(v.Last, b)
		} else {
			v.Blocks = append(v.Blocks, b)
		}
	}
	v.Overlap, v.Evidence = newMatrix(r), e
	return v.write(w)
}

// WriteFile writes the page of one run as report.html into its folder.
func WriteFile(f *shard.Folder, r *report.Report, l report.Lang) error {
	var b bytes.Buffer
	if err := Write(&b, f, r, l); err != nil {
		return err
	}
	return f.Store.WriteFile(store.Join(f.Dir, "report.html"), b.Bytes())
}

// Compare writes the page of a comparison.
func Compare(w io.Writer, d *report.Diff, l report.Lang) error {
	v := newView(l, d.A.Run.ID+" → "+d.B.Run.ID, d.Headline(l))
	for _, x := range d.B.Warnings {
		v.Warnings = append(v.Warnings, x.Text(l))
	}
	for _, s := range d.Sections(report.Page{Lang: l, Top: tableRows}) {
		v.Blocks = append(v.Blocks, newBlock(s))
	}
	v.Diff = d
	return v.write(w)
}

func newView(l report.Lang, title, lead string) *view {
	sum := sha256.Sum256([]byte(script))
	return &view{Lang: l, Title: title, Lead: lead, Style: template.CSS(style), Script: template.JS(script),
		Hash: base64.StdEncoding.EncodeToString(sum[:])}
}

func newBlock(s report.Section) block {
	b := block{Section: s}
	if n := len(s.Table.Head) - 1; s.Table.Head[n] == "" { // bars for terminals: here the charts do that
		b.Table.Head = s.Table.Head[:n]
		b.Table.Rows = nil
		for _, row := range s.Table.Rows {
			b.Table.Rows = append(b.Table.Rows, row[:n])
		}
	}
	for _, h := range b.Table.Head {
		b.Heads = append(b.Heads, head{strings.TrimPrefix(h, ">"), strings.HasPrefix(h, ">")})
	}
	if s.Note != "" {
		b.Notes = strings.Split(s.Note, "\n")
	}
	return b
}

func (v *view) write(w io.Writer) error {
	t, err := template.New("page").Funcs(template.FuncMap{
		"t":     func(en, zh string) string { return v.Lang.T(en, zh) },
		"next":  func(i int) int { return i + 1 },
		"count": func(n int32) string { return report.Count(int64(n)) },
	}).Parse(layout)
	if err != nil {
		return err
	}
	return t.Execute(w, v)
}

// figures draws what a section shows.
func figures(r *report.Report, s report.Section, l report.Lang) (out []template.HTML, err error) {
	var c chart
	switch s.ID {
	case "funnel":
		docs := sankey(r, "f-docs", func(s report.Sizes) int64 { return s.Documents }, l.T("documents", "文档"), l)
		tokens := sankey(r, "f-tokens", func(s report.Sizes) int64 { return s.Tokens }, l.T("tokens", "token"), l)
		return []template.HTML{template.HTML(docs), template.HTML(tokens)}, nil
	case "rules":
		c = ruleChart(r, s.Title, l)
	case "times":
		c = timeChart(r, s.Title, l)
	case "language", "domain", "topic", "source", "dump", "length":
		c = groupChart(r, s.ID, s.Title, l)
	}
	if c.empty() {
		return nil, nil
	}
	svg, err := c.svg()
	return []template.HTML{template.HTML(svg)}, err
}

func facts(run *shard.Run, l report.Lang) [][2]string {
	var bytes int64
	for _, in := range run.Inputs {
		bytes += in.Bytes
	}
	out := [][2]string{
		{l.T("recipe", "配方"), run.Name + " (sha256 " + clip(run.Recipe, 13) + ")"},
		{l.T("program", "程序"), "winnow " + run.Program},
		{l.T("begun, ended (UTC)", "开始、结束（UTC）"), run.Started + " — " + run.Finished + " " + run.State},
		{l.T("input", "输入"), report.Count(int64(len(run.Inputs))) + l.T(" files, ", " 个文件，") + report.Bytes(bytes)},
	}
	for _, s := range run.Stages {
		if d := run.Dedup[s.Label]; d != "" {
			out = append(out, [2]string{s.Label, d})
		}
	}
	return out
}

// matrix shows how often two rules are broken by one document.
type matrix struct {
	Rules []report.Rule
	Cells [][]cell
}

type cell struct {
	Documents int64
	Heat      int // 0..5: share of the rarer rule's documents
}

const matrixRules = 12

func newMatrix(r *report.Report) *matrix {
	m := &matrix{}
	for _, rule := range r.Rules {
		if rule.Measured > 0 && rule.Any > 0 && len(m.Rules) < matrixRules {
			m.Rules = append(m.Rules, rule)
		}
	}
	if len(m.Rules) < 2 {
		return nil
	}
	for i, a := range m.Rules {
		row := make([]cell, len(m.Rules))
		for j, b := range m.Rules {
			n := a.Any
			if i != j {
				n = r.Both(a.ID, b.ID)
			}
			row[j] = cell{n, int(5 * n / max(min(a.Any, b.Any), 1))}
		}
		m.Cells = append(m.Cells, row)
	}
	return m
}
