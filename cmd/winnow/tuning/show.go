package tuning

import (
	"cmp"
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
	"winnow/train/monitor"
	"winnow/train/tune"
)

// stageProgress shows the events of fine-tuning: one live line on a terminal, plain lines elsewhere, JSON with --json.
type stageProgress struct {
	cli.StepLine
	held  map[string]float64
	begun bool               // the run has started: what a user asked for is in order
	more  func(e tune.Event) // of the method's own; may be nil
}

func (a *app) newStageProgress(more func(e tune.Event)) *stageProgress {
	return &stageProgress{StepLine: a.NewStepLine(), more: more}
}

func (p *stageProgress) event(e tune.Event) {
	a := p.App
	p.begun = p.begun || e.Type == "start"
	if p.Told(e.Type, e.EN, e.ZH, e) {
		return
	}
	switch e.Type {
	case "start":
		p.start(e)
	case "step":
		p.step(e)
	case "eval":
		p.held = e.Eval
		if !p.Live {
			a.Say("step %d/%d  held out: %s", "第 %d/%d 步  留出数据：%s", e.Metric.Step, p.All, measured(a, e.Eval))
		}
	case "spike":
		p.Close()
		a.Say("step %d: %s is %.1f standard deviations above the last steps; rows %s", "第 %d 步：%s 高出近期 %.1f 个标准差；数据 %s",
			e.Metric.Step, e.Metric.Spike, e.Metric.Score, strings.Join(e.Metric.Documents[:min(len(e.Metric.Documents), 4)], ", "))
	case "stop":
		p.Close()
		a.Say("step %d: stops early", "第 %d 步：提前停止", e.Metric.Step)
	case "sample":
		p.Close()
		a.Say("  %q → %q", "  %q → %q", e.Sample.Prompt, e.Sample.Text)
	default:
		if p.more != nil {
			p.Close()
			p.more(e)
		}
	}
}

// start says what is trained.
func (p *stageProgress) start(e tune.Event) {
	a := p.App
	p.All = e.Plan.Schedule.Steps
	if e.Resumed {
		a.Say("goes on where it stopped", "从断点继续")
	}
	a.Say("%s: %s of %s parameters are trained, %d steps, learning rate %g", "%s：训练 %[3]s 个参数中的 %[2]s 个，%[4]d 步，学习率 %[5]g",
		e.Plan.Asked.Kind, report.Count(e.Trained), report.Count(max(e.Model.Params(), e.Trained)), p.All, e.Plan.Schedule.Peak)
}

func (p *stageProgress) step(e tune.Event) {
	a := p.App
	line := fmt.Sprintf("%s %.3f", a.Lang.T("loss", "损失"), e.Metric.Loss)
	known := monitor.Line(e.Metric.Values)
	if p.Live { // one line is all there is room for
		known = monitor.Line(e.Metric.Values, monitor.Reward, monitor.True, monitor.KL, monitor.Length, monitor.Ended, monitor.Accuracy, monitor.Margin)
	}
	if s := a.Lang.T(known.EN, known.ZH); s != "" {
		line += "  " + s
	}
	for _, name := range slices.Sorted(maps.Keys(e.Metric.Values)) {
		if _, ok := monitor.Of(name); !ok && !p.Live {
			line += fmt.Sprintf("  %s %.3f", name, e.Metric.Values[name])
		}
	}
	line += fmt.Sprintf("  %.0f %s  ETA %s", e.Speed, a.Lang.T("positions/s", "位置/秒"), time.Duration(e.Left*float64(time.Second)).Round(time.Second))
	if len(p.held) > 0 {
		line += a.Lang.T("  held out ", "  留出 ") + measured(a, p.held)
	}
	p.Show(e.Metric.Step, line)
}

// measured is numbers by name in one line.
func measured(a *cli.App, values map[string]float64) string {
	names := map[string]string{"loss": a.Lang.T("nats/target", "nat/目标"), "bits_per_byte": a.Lang.T("bits/byte", "比特/字节"),
		"rejected_logp": a.Lang.T("log p(rejected)", "log p(劣选)"), "data_kl": a.Lang.T("KL on the data", "数据上的 KL")}
	_, text := values["bits_per_byte"]
	if _, distilled := values["nats"]; distilled {
		names["loss"], names["nats"] = a.Lang.T("divergence/target", "散度/目标"), names["loss"]
	}
	var out []string
	for _, id := range slices.Sorted(maps.Keys(values)) {
		if m, ok := monitor.Of(id); ok && !text {
			out = append(out, a.Lang.T(m.Name.EN, m.Name.ZH)+" "+m.Show(values[id]))
			continue
		}
		name := names[id]
		if name == "" {
			name = id
		}
		out = append(out, fmt.Sprintf("%s %.4g", name, values[id]))
	}
	return strings.Join(out, "  ")
}

// split is how time was spent, the longest first.
func (a *app) split(seconds map[string]float64) string {
	zh := map[string]string{"learn": "学习", "train": "学习", "validate": "验证", "sample": "样例回答", "sample answers": "采样回答", "reference": "参考模型",
		"generate": "生成", "score": "打分", "old log-probabilities": "旧对数概率", "know": "提问", "select": "选择"}
	var all float64
	names := slices.Sorted(maps.Keys(seconds))
	for _, s := range seconds {
		all += s
	}
	slices.SortStableFunc(names, func(a, b string) int {
		if seconds[a] > seconds[b] {
			return -1
		}
		return 1
	})
	var out []string
	for _, n := range names {
		out = append(out, fmt.Sprintf("%s %.1f s (%.0f %%)", a.Lang.T(n, cmp.Or(zh[n], n)), seconds[n], 100*seconds[n]/max(all, 1e-9)))
	}
	return strings.Join(out, ", ")
}

// stagePage draws what metrics.jsonl holds: the loss, what was validated, and the method's own values.
func (a *app) stagePage(out string) error {
	metrics, err := tune.ReadMetrics(out)
	if errors.Is(err, fs.ErrNotExist) || len(metrics) == 0 {
		return nil
	} else if err != nil {
		return err
	}
	t := a.Lang.T
	lines := map[string]*page.Line{}
	add := func(kind, name string, x int, y float64) {
		if lines[kind+name] == nil {
			lines[kind+name] = &page.Line{Name: name}
		}
		lines[kind+name].X, lines[kind+name].Y = append(lines[kind+name].X, float64(x)), append(lines[kind+name].Y, y)
	}
	for _, m := range metrics {
		for name, v := range m.Eval {
			add("2 held ", name, m.Step, v)
		}
		if m.Eval != nil {
			continue
		}
		add("1 loss ", t("loss", "损失"), m.Step, m.Loss)
		add("4 norm ", t("gradient norm", "梯度范数"), m.Step, m.Norm)
		add("5 rate ", t("learning rate", "学习率"), m.Step, m.Rate)
		for name, v := range m.Values {
			add("3 value ", name, m.Step, v)
		}
	}
	c := page.Curves{Title: filepath.Base(out), Lead: t("Training, step by step", "训练过程")}
	for i, key := range slices.Sorted(maps.Keys(lines)) {
		title := lines[key].Name
		if strings.HasPrefix(key, "2") {
			title = t("held out: ", "留出数据：") + title
		}
		c.Graphs = append(c.Graphs, page.Graph{ID: fmt.Sprintf("g%d", i), Title: title, Axis: t("steps", "步"), Lines: []page.Line{*lines[key]}})
	}
	return page.WriteCurvesFile(filepath.Join(out, cli.LossPageName), c, a.Lang)
}
