package pretrain

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"winnow/cmd/winnow/cli"
	"winnow/report"
	"winnow/report/page"
	"winnow/train"
	"winnow/train/llm"
)

// trainProgress shows the events of training: one live line on a terminal, plain lines elsewhere, JSON with --json.
type trainProgress struct {
	cli.StepLine
	out  string
	held map[string]float64 // as last measured
}

func (a *app) newTrainProgress(out string) *trainProgress {
	return &trainProgress{StepLine: a.NewStepLine(), out: out}
}

func (p *trainProgress) event(e train.Event) {
	a := p.App
	if p.Told(e.Type, e.EN, e.ZH, e) {
		return
	}
	switch e.Type {
	case "tokenizer":
		a.Say("training a tokenizer of %d ids on %s", "在 %[2]s 文本上训练 %[1]d 个词的分词器", e.Vocab, report.Bytes(e.Bytes))
	case "tokens":
		if time.Since(p.Last) >= cli.PlainEvery {
			p.Last = time.Now()
			a.Say("tokenised %s documents, %s", "已分词 %s 篇，%s", report.Count(e.Documents), report.Bytes(e.Bytes))
		}
	case "measure":
		a.Say("measuring this machine", "正在测量本机速度")
	case "start":
		p.start(e)
	case "step":
		p.step(e)
	case "eval":
		p.held = e.Eval
		if !p.Live {
			a.Say("step %d/%d  held out: %s", "第 %d/%d 步  留出文本：%s", e.Metric.Step, p.All, p.heldText())
		}
	case "spike":
		p.Close()
		a.Say("step %d: %s is %.1f standard deviations above the last steps; documents %s", "第 %d 步：%s 高出近期 %.1f 个标准差；文档 %s",
			e.Metric.Step, e.Metric.Spike, e.Metric.Score, strings.Join(e.Metric.Documents[:min(len(e.Metric.Documents), 4)], ", "))
	case "sample":
		p.Close()
		a.Say("  %q → %q", "  %q → %q", e.Sample.Prompt, e.Sample.Text)
	}
}

// start says what is trained.
func (p *trainProgress) start(e train.Event) {
	a, m := p.App, e.Plan.Model
	p.All = e.Plan.Schedule.Steps
	if e.Resumed {
		a.Say("goes on where it stopped", "从断点继续")
	}
	t := shapeTable(a)
	t.Add(shapeRow(m, e.Plan.Batch*e.Plan.Accumulate, e.Plan.Schedule.Peak)...)
	for line := range strings.Lines(t.Text()) {
		a.Say("%s", "%s", strings.TrimRight(line, "\n"))
	}
	a.Say("%d steps of %d positions, by %s", "%d 步，每步 %d 个位置，由 %s 决定", p.All, e.Plan.Positions(), e.Plan.Limit)
}

// shapeTable has a row for each model: what a depth decides.
func shapeTable(a *cli.App) report.Table {
	t := a.Lang.T
	return report.Table{Head: []string{t(">depth", ">层数"), t(">width", ">宽度"), t(">heads", ">头数"), ">ffn", ">T", t(">rows", ">行"), t(">lr", ">学习率"), t(">ids", ">词表"), t(">parameters", ">参数量")}}
}

// shapeRow is a model, the rows of a step, and the peak learning rate.
func shapeRow(m llm.Config, rows int, rate float64) (cells []string) {
	for _, v := range []any{m.Layers, m.Dim, m.Heads, m.FFN, m.Context, rows, rate, m.Vocab, report.Count(m.Params())} {
		cells = append(cells, fmt.Sprint(v))
	}
	return cells
}

// step shows a step: loss, speed, time left, share of the machine's peak.
func (p *trainProgress) step(e train.Event) {
	a := p.App
	line := fmt.Sprintf("%s %.3f  %.0f %s  ETA %s  MFU %.0f%%", a.Lang.T("loss", "损失"), e.Metric.Loss, e.Speed, a.Lang.T("tokens/s", "token/秒"),
		time.Duration(e.Left*float64(time.Second)).Round(time.Second), 100*e.MFU)
	if len(p.held) > 0 {
		line += "  " + p.heldText()
	}
	p.Show(e.Metric.Step, line)
}

// heldText is bits per byte by language.
func (p *trainProgress) heldText() string {
	var out []string
	for _, name := range slices.Sorted(maps.Keys(p.held)) {
		out = append(out, fmt.Sprintf("%s %.3f", name, p.held[name]))
	}
	return strings.Join(out, " ") + p.App.Lang.T(" bits/byte", " 比特/字节")
}

// trained shows what came of it: bits per byte beside what counting and compressing give on the same bytes.
func (a *app) trained(r *train.Result) error {
	if a.JSON {
		return a.Line(r)
	}
	languages := slices.Sorted(maps.Keys(r.Held))
	t := report.Table{Head: []string{a.Lang.T("bits per byte, held out", "留出文本，比特/字节")}}
	row := []string{a.Lang.T("this model", "本模型")}
	for _, l := range languages {
		t.Head, row = append(t.Head, ">"+l), append(row, cli.F3(r.Held[l]))
	}
	t.Add(row...)
	for _, id := range slices.Sorted(maps.Keys(r.Grams[train.All])) {
		row := []string{id}
		for _, l := range languages {
			row = append(row, cli.F3(r.Grams[l][id]))
		}
		t.Add(row...)
	}
	if len(languages) > 0 {
		fmt.Fprint(a.Out, t.Text())
	}
	a.Say("%s: %d steps, %s tokens, loss %.3f, %.0f tokens/s, MFU %.0f%%\n%s    next: winnow generate %[1]s",
		"%s：%d 步，%s 个 token，损失 %.3f，%.0f token/秒，MFU %.0f%%\n%s    接着：winnow generate %[1]s",
		r.Out, r.Steps, report.Count(r.Tokens), r.Loss, r.Speed, 100*r.MFU, filepath.Join(r.Out, cli.LossPageName))
	return nil
}

// depthsVocab is the vocabulary for which --depths counts parameters.
const depthsVocab = 2048

// depths prints what each depth decides.
func (a *app) depths() error {
	t := shapeTable(a.App)
	for _, d := range train.Depths() {
		p, err := train.Depth(d)
		if err != nil {
			return err
		}
		t.Add(shapeRow(p.Config(depthsVocab), p.Rows, p.Rate)...)
	}
	_, err := fmt.Fprint(a.Out, t.Text())
	return err
}

// lossPage draws what metrics.jsonl holds.
func (a *app) lossPage(out string) error {
	metrics, err := train.ReadMetrics(out)
	if errors.Is(err, fs.ErrNotExist) || len(metrics) == 0 {
		return nil
	} else if err != nil {
		return err
	}
	t := a.Lang.T
	loss, rate, norm := page.Line{Name: t("training, nats a token", "训练，nat/token")}, page.Line{Name: t("learning rate", "学习率")}, page.Line{Name: t("gradient norm", "梯度范数")}
	held := map[string]*page.Line{}
	for _, m := range metrics {
		x := float64(m.Step)
		if m.Eval == nil {
			loss.X, loss.Y = append(loss.X, x), append(loss.Y, m.Loss)
			rate.X, rate.Y = append(rate.X, x), append(rate.Y, m.Rate)
			norm.X, norm.Y = append(norm.X, x), append(norm.Y, m.Norm)
		}
		for name, v := range m.Eval {
			if held[name] == nil {
				held[name] = &page.Line{Name: name}
			}
			held[name].X, held[name].Y = append(held[name].X, x), append(held[name].Y, v)
		}
	}
	var lines []page.Line
	for _, name := range slices.Sorted(maps.Keys(held)) {
		lines = append(lines, *held[name])
	}
	steps := t("steps", "步")
	c := page.Curves{Title: filepath.Base(out), Lead: t("Training, step by step", "训练过程"), Graphs: []page.Graph{
		{ID: "loss", Title: t("loss", "损失"), Axis: steps, Lines: []page.Line{loss}},
		{ID: "held", Title: t("held out, bits per byte", "留出文本，比特/字节"), Axis: steps, Lines: lines},
		{ID: "norm", Title: t("gradient norm", "梯度范数"), Axis: steps, Lines: []page.Line{norm}},
		{ID: "rate", Title: t("learning rate", "学习率"), Axis: steps, Lines: []page.Line{rate}},
	}}
	return page.WriteCurvesFile(filepath.Join(out, cli.LossPageName), c, a.Lang)
}
