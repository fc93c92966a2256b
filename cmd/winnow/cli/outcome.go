package cli

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"winnow/pipelines"
	"winnow/pipelines/engine"
	"winnow/report"
	"winnow/report/page"
	"winnow/shard"
	"winnow/shard/store"
)

// Concluded shows the report of a run that is done, and compares what it retained with what its recipe expects.
func (a *App) Concluded(r *pipelines.Recipe, p *engine.Plan, info *shard.Run) error {
	dir := store.Join(p.Root, info.ID)
	rep, err := a.summary(dir, p)
	if err != nil {
		return err
	}
	if err := a.told(rep, dir, len(r.Train) > 0); err != nil {
		return err
	}
	a.empty(info)
	return a.expected(r, p)
}

// empty says what an input without a document holds instead.
func (a *App) empty(info *shard.Run) {
	if info.Totals.Documents > 0 || len(info.Records) == 0 {
		return
	}
	var kinds []string
	for _, kind := range slices.Sorted(maps.Keys(info.Records)) {
		kinds = append(kinds, fmt.Sprintf("%s %d", kind, info.Records[kind]))
	}
	a.Say("no document: the records are of other kinds (%s); pages and texts are in response, resource and conversion records, of which a WAT file has none",
		"没有文档：输入只有其他类型的记录（%s）；网页与文本在 response、resource、conversion 记录中，WAT 文件没有这些", strings.Join(kinds, ", "))
}

// Partial is the error of a run that could not read all of its input.
func (a *App) Partial(p *engine.Plan, info *shard.Run) error {
	if n := len(info.Lost); n > 0 {
		return ExitWith(ExitPartial, fmt.Errorf(a.Lang.T("finished, but %d places of the input could not be read; the first: %s: byte %d: %s (all: %s)",
			"已完成，但输入有 %d 处读不出；第一处：%s：第 %d 字节：%s（全部见 %s）"), n, info.Lost[0].File, info.Lost[0].Offset, info.Lost[0].Error, store.Join(p.Root, info.ID, "run.json")))
	}
	return nil
}

// summary adds up the ledger, and leaves report.html, report.json and the dataset card in the run's folder.
func (a *App) summary(dir string, p *engine.Plan) (*report.Report, error) {
	folder, err := shard.Open(a.Store, dir)
	if err != nil {
		return nil, err
	}
	rep, err := report.New(folder)
	if err != nil {
		return nil, err
	}
	return rep, errors.Join(rep.WriteFiles(folder, p.Recipe), page.WriteFile(folder, rep, a.Lang))
}

// told shows the report. Where more is to follow, JSON is one line of several.
func (a *App) told(rep *report.Report, dir string, more bool) error {
	switch {
	case a.JSON && more:
		return a.Line(rep)
	case a.JSON:
		return rep.JSON(a.Out)
	}
	if err := rep.Text(a.Out, report.Page{Lang: a.Lang, Top: 12}); err != nil {
		return err
	}
	a.Say("\n%s    next: winnow report   winnow sample --rule %s   winnow explain URL", "\n%s    接着：winnow report   winnow sample --rule %s   winnow explain URL", dir, topRule(rep))
	return nil
}

func topRule(rep *report.Report) string {
	if len(rep.Rules) == 0 {
		return "RULE"
	}
	return rep.Rules[0].ID
}

// expected compares what was retained with the recipe's expectations.
func (a *App) expected(r *pipelines.Recipe, p *engine.Plan) error {
	shares, err := engine.Shares(p)
	if err != nil {
		return err
	}
	for name, want := range r.Expect {
		if got, ok := shares[name]; ok && !want.Holds(got) {
			return ExitWith(exitExpect, fmt.Errorf(a.Lang.T("%s: %.1f%% kept, expected %s", "%s：保留 %.1f%%，期望 %s"), name, 100*got, want))
		}
	}
	return nil
}
