package tuning

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"winnow/cmd/winnow/cli"
	"winnow/report"
	"winnow/train/monitor"
	"winnow/train/tune"
)

// trainMeasures explains what a run of fine-tuning measured.
func (a *app) trainMeasures() *cobra.Command {
	return &cobra.Command{
		Use: "measures [DIR]", Args: cli.ExactArgs(0, 1),
		Short: a.Lang.T("what fine-tuning measures, what is healthy, and what a run's numbers say", "微调测量哪些量、何为健康，以及某次训练的数值说明什么"),
		Long: a.Lang.T(`Without DIR: every measure with its healthy range in words. With DIR, a folder of fine-tuning: the measures of its first and last
steps, and the alarms that its numbers raise, each with its cause.`,
			`不给 DIR：列出每个量及其健康范围。给出微调的文件夹 DIR：列出其开始与末尾的数值，以及这些数值引发的警报及原因。`) + cli.ExitCodes,
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return a.explainMeasures(nil, nil)
			}
			return a.measuresOf(args[0])
		},
	}
}

// measuresOf looks at a run's journal as its loop did.
func (a *app) measuresOf(dir string) error {
	metrics, err := tune.ReadMetrics(dir)
	if err != nil {
		return err
	}
	method, limits, err := methodOf(dir)
	if err != nil {
		return err
	}
	watch, list, held := monitor.New(method, limits), []monitor.Values{}, 0.
	var alarms []monitor.Alarm
	for _, m := range metrics {
		if m.Eval != nil {
			held = m.Eval["loss"]
			continue
		}
		if m.Values == nil {
			continue
		}
		v := monitor.Values{monitor.Loss: m.Loss, monitor.Norm: m.Norm}
		for id, x := range m.Values {
			v[id] = x
		}
		if held != 0 {
			v[monitor.HeldLoss] = held
		}
		list, alarms = append(list, v), append(alarms, watch.Look(m.Step, v)...)
	}
	if len(list) == 0 {
		return fmt.Errorf(a.Lang.T("%s: no step measured anything but its loss", "%s：除损失外没有测量任何量"), dir)
	}
	if a.JSON {
		return a.Line(map[string]any{"method": method, "first": list[0], "last": list[len(list)-1], "alarms": alarms})
	}
	if err := a.explainMeasures(list[0], list[len(list)-1]); err != nil {
		return err
	}
	for _, x := range alarms {
		mark := map[monitor.Level]string{monitor.Note: "i", monitor.Warn: "!", monitor.Stop: "!!"}[x.Level]
		fmt.Fprintf(a.Out, a.Lang.T("%s step %d: %s\n", "%s 第 %d 步：%s\n"), mark, x.Step, a.Lang.T(x.EN, x.ZH))
	}
	if len(alarms) == 0 {
		fmt.Fprintln(a.Out, a.Lang.T("no alarm", "没有警报"))
	}
	return nil
}

// methodOf reads from a run's plan what was trained.
func methodOf(dir string) (monitor.Method, monitor.Limits, error) {
	var plan struct {
		Asked struct {
			Kind   string `json:"kind"`
			Config struct {
				Method    string  `json:"method"`
				Budget    float64 `json:"kl_budget"`
				MaxTokens float64 `json:"max_tokens"`
				Samples   int     `json:"samples"`
			} `json:"config"`
		} `json:"asked"`
	}
	path := filepath.Join(dir, "train.json")
	b, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(b, &plan)
	}
	if err != nil {
		return "", monitor.Limits{}, errors.Join(fmt.Errorf("%s", path), err)
	}
	c, method := plan.Asked.Config, monitor.Method(plan.Asked.Kind)
	if c.Method != "" {
		method = monitor.Method(c.Method)
	}
	return method, monitor.Limits{KLBudget: c.Budget, MaxTokens: c.MaxTokens, Group: c.Samples}, nil
}

// explainMeasures prints measures with their healthy ranges: those of first and last with both values, or all.
func (a *app) explainMeasures(first, last monitor.Values) error {
	t := a.Lang.T
	table := report.Table{Head: []string{t("measure", "量"), "id", t("healthy", "健康范围")}}
	if first != nil {
		table.Head = []string{t("measure", "量"), t(">first", ">起初"), t(">last", ">末尾"), t("healthy", "健康范围")}
	}
	for _, m := range monitor.Measures() {
		name, healthy := t(m.Name.EN, m.Name.ZH), t(m.Healthy.EN, m.Healthy.ZH)
		if first == nil {
			table.Add(name, m.ID, healthy)
			continue
		}
		x, known := last[m.ID]
		if !known {
			continue
		}
		before := ""
		if v, ok := first[m.ID]; ok {
			before = m.Show(v)
		}
		table.Add(name, before, m.Show(x), healthy)
	}
	_, err := fmt.Fprint(a.Out, table.Text())
	return err
}
