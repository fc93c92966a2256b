package pretrain

import (
	"fmt"
	"strconv"
	"strings"

	"winnow/cmd/winnow/cli"
	"winnow/report"
	"winnow/train/eval"
)

func (a *app) printEvaluation(e *Evaluation) error {
	var b strings.Builder
	section := func(title string, t report.Table, note string) {
		if b.Len() > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(title + "\n" + t.Text())
		if note != "" {
			b.WriteString(note + "\n")
		}
	}
	for _, r := range e.Data {
		title := r.Name + ": " + a.Lang.T("bits per byte (lower is better)", "每字节比特数（越低越好）")
		note := ""
		if r.Counted != nil {
			note = fmt.Sprintf(a.Lang.T("n-grams (interpolated after Witten and Bell) were counted on %s tokens, %s of text; compressors saw the held-out text alone.",
				"n 元模型（Witten-Bell 插值）在 %s 个 token、%s 文本上计数；压缩器只见留出文本。"), report.Count(r.Counted.Tokens), report.Bytes(r.Counted.Bytes))
		}
		section(title, a.bitsTable(r), note)
		section(r.Name+": "+a.Lang.T("by position in the context", "按上下文中的位置"), a.depthTable(r.Depths), "")
	}
	for _, r := range e.Questions {
		section(r.Name, a.choiceTable(r.Sets), a.Lang.T("Brackets: 95 % interval (Wilson). Cut: longer than the context, so without their beginning.", "括号内为 95 % 区间（Wilson）。截短：超出上下文，略去开头。")+
			fmt.Sprintf(a.Lang.T(" Sets of fewer than %d questions: --json.", "不足 %d 题的组见 --json。"), shownQuestions))
	}
	if len(e.Capitals) > 0 {
		section(a.Lang.T("capitals", "首都"), a.rankTable(e.Capitals), a.Lang.T("gain: likelihood beyond what the name has without the question.", "gain：相对于无题目时该名称似然的增量。"))
	}
	if len(e.Memory) > 0 {
		section(a.Lang.T("memorisation", "记忆"), a.memoryTable(e.Memory), a.Lang.T("exposure: log2 N - log2 rank among N candidates; guessing gives 1.4.", "暴露度：在 N 个候选中 log2 N - log2 名次；猜测约为 1.4。")+
			a.Lang.T(" Texts of 0 copies were not trained on.", "0 副本的文本未参与训练。"))
	}
	for _, r := range e.Overlap {
		section(fmt.Sprintf(a.Lang.T("found in the texts of %s", "在 %s 的文本中找到"), r.Name), a.overlapTable(r.Sets), "")
	}
	_, err := fmt.Fprint(a.Out, b.String())
	return err
}

func (a *app) bitsTable(r heldResult) report.Table {
	t := report.Table{Head: []string{""}}
	for _, x := range r.Bits {
		t.Head = append(t.Head, ">"+x.Language)
	}
	row := func(name string, bits []eval.Bits, cell func(eval.Bits) string) {
		cells := []string{name}
		for _, x := range bits {
			cells = append(cells, cell(x))
		}
		t.Add(cells...)
	}
	perByte := func(x eval.Bits) string {
		if x.Error > 0 {
			return fmt.Sprintf("%.3f ± %.3f", x.PerByte, x.Error)
		}
		return cli.F3(x.PerByte)
	}
	row(a.Lang.T("documents", "文档"), r.Bits, func(x eval.Bits) string { return report.Count(int64(x.Documents)) })
	row(a.Lang.T("bytes", "字节"), r.Bits, func(x eval.Bits) string { return report.Count(x.Bytes) })
	row(a.Lang.T("tokens", "token 数"), r.Bits, func(x eval.Bits) string { return report.Count(x.Tokens) })
	row(a.Lang.T("this model", "本模型"), r.Bits, perByte)
	for _, x := range r.Baselines {
		row(x.ID, x.Bits, func(b eval.Bits) string { return cli.F3(b.PerByte) })
	}
	return t
}

func (a *app) depthTable(list []eval.Depth) report.Table {
	t := report.Table{Head: []string{a.Lang.T(">positions", ">位置"), a.Lang.T(">tokens", ">token 数"), a.Lang.T(">nats a token", ">每 token 奈特")}}
	for _, d := range list {
		if d.Tokens > 0 {
			t.Add(fmt.Sprintf("%d-%d", d.From, d.To-1), report.Count(d.Tokens), cli.F3(d.Nats))
		}
	}
	return t
}

// shownQuestions is how many questions a set must have for its rate to be printed: of fewer, the interval says nothing.
const shownQuestions = 20

func rated(r eval.Rate) string {
	return fmt.Sprintf("%.1f %% (%.1f-%.1f)", 100*r.Rate, 100*r.Low, 100*r.High)
}

func (a *app) choiceTable(list []eval.Choices) report.Table {
	t := report.Table{Head: []string{a.Lang.T("set", "组"), a.Lang.T(">questions", ">题数"), a.Lang.T(">chance", ">随机"), a.Lang.T(">right by sum", ">按总似然答对"),
		a.Lang.T(">right per byte", ">按每字节答对"), a.Lang.T(">cut", ">截短"), a.Lang.T(">lost", ">略去")}}
	for _, c := range list {
		if c.Set != "all" && c.Sum.N < shownQuestions {
			continue
		}
		t.Add(c.Set, strconv.Itoa(c.Sum.N), fmt.Sprintf("%.1f %%", 100*c.Chance), rated(c.Sum), rated(c.PerByte), strconv.Itoa(c.Cut), strconv.Itoa(c.Lost))
	}
	return t
}

func (a *app) rankTable(list []eval.Ranks) report.Table {
	t := report.Table{Head: []string{a.Lang.T("task", "任务"), a.Lang.T("by", "依据"), a.Lang.T(">asked", ">题数"), a.Lang.T(">candidates", ">候选"), a.Lang.T(">first", ">居首"),
		a.Lang.T(">first five", ">前五"), a.Lang.T(">median rank", ">名次中位数"), a.Lang.T(">mean 1/rank", ">平均 1/名次")}}
	for _, r := range list {
		t.Add(r.Task, r.Method, strconv.Itoa(r.Top1.N), strconv.Itoa(r.Candidates), rated(r.Top1), rated(r.Top5), fmt.Sprintf("%.1f", r.Median), cli.F3(r.Reciprocal))
	}
	return t
}

func (a *app) memoryTable(list []eval.Memory) report.Table {
	t := report.Table{Head: []string{a.Lang.T(">copies", ">副本"), a.Lang.T(">probes", ">探针"), a.Lang.T(">verbatim", ">逐字续写"), a.Lang.T(">exposure", ">暴露度"),
		a.Lang.T(">at most", ">上限"), a.Lang.T(">nats a byte", ">每字节奈特")}}
	for _, m := range list {
		copies := strconv.Itoa(m.Copies)
		if m.Copies > 1 {
			copies = fmt.Sprintf("%d-%d", m.Copies, 2*m.Copies-1)
		}
		t.Add(copies, strconv.Itoa(m.Probes), rated(m.Verbatim), fmt.Sprintf("%.2f ± %.2f", m.Exposure, m.Error), fmt.Sprintf("%.2f", m.Most), cli.F3(m.NatsPerByte))
	}
	return t
}

func (a *app) overlapTable(list []eval.Overlap) report.Table {
	t := report.Table{Head: []string{a.Lang.T("set", "组"), a.Lang.T(">items", ">项"), a.Lang.T(">with an n-gram found", ">含命中 n 元"), a.Lang.T(">n-grams found", ">命中 n 元"),
		a.Lang.T(">short", ">短"), a.Lang.T(">too short", ">过短"), a.Lang.T("for instance in", "例如见于")}}
	for _, o := range list {
		first := ""
		if len(o.Documents) > 0 {
			first = o.Documents[0]
		}
		t.Add(o.Set, strconv.Itoa(o.Items.N), rated(o.Items), fmt.Sprintf("%.1f %%", 100*o.Grams.Rate), strconv.Itoa(o.Short), strconv.Itoa(o.TooShort), first)
	}
	return t
}
