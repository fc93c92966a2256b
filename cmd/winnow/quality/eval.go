package quality

import (
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"

	"winnow/cmd/winnow/cli"
	"winnow/filter/quality"
	"winnow/filter/quality/classify"
	"winnow/filter/quality/measure"
	"winnow/report"
)

func (a *app) qualityEval() *cobra.Command {
	var s labelledFlags
	var model string
	var normalise []string
	var threshold float32
	cmd := &cobra.Command{
		Use: "eval --model MODEL --good FILE --bad FILE", Args: cli.ExactArgs(0, 0),
		Short: a.Lang.T("how a model fares on texts that it has not seen, by language", "在未见过的文本上评估模型，按语言列出"),
		Long: a.Lang.T(`Evaluate a model: AUC with its 95 % interval, precision at kept shares, calibration; of more than two classes accuracy and F1.
MODEL is winnow's own, or FILE#LABEL of fastText. --json adds the points of the ROC and precision-recall curves.`,
			`评估模型：AUC 及其 95 % 区间、按保留比例的精确率、校准程度；多类时给出准确率与 F1。
MODEL 为 winnow 的模型，或 fastText 的 FILE#LABEL。--json 另含 ROC 与精确率—召回率曲线上的点。`),
		Example: `  winnow quality eval --model q.bin --good good.jsonl --bad bad.jsonl --split test
  winnow quality eval --model dclm.bin#hq --data pages.jsonl --class label --json
  winnow quality eval --model topic.bin --data pages.parquet --class topic`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			set, err := s.read(cmd.Context())
			if err != nil {
				return err
			}
			e, err := evaluate(model, normalise, &set, threshold)
			if err != nil {
				return err
			}
			if a.JSON {
				enc := json.NewEncoder(a.Out)
				enc.SetIndent("", "  ")
				return enc.Encode(e)
			}
			if e.Classes != nil {
				return a.printClasses(e.Classes)
			}
			return a.printBinary(e)
		},
	}
	s.flags(a, cmd)
	cmd.Flags().StringVar(&model, "model", "quality.bin", a.Lang.T("file of the model; fastText: FILE#LABEL", "模型文件；fastText 写作 FILE#LABEL"))
	cmd.Flags().StringSliceVar(&normalise, "normalise", nil, a.Lang.T("fastText: steps before a text is read as a line", "fastText：文本作为一行读入前的处理步骤"))
	cmd.Flags().Float32Var(&threshold, "threshold", 0.5, a.Lang.T("score from which a text counts as good", "达到此分即算好"))
	return cmd
}

// evaluate takes a model of more than two classes for one of topics, unless a label is given.
func evaluate(model string, normalise []string, set *classify.Set, threshold float32) (classify.Evaluation, error) {
	source := quality.ParseSource(model, normalise)
	if source.Label == "" && len(normalise) == 0 {
		if m, err := quality.OpenModel(source.Model); err == nil && len(m.Labels()) > 2 {
			return classify.EvaluateClasses(m, set)
		}
	}
	m, err := quality.Open(source)
	if err != nil {
		return classify.Evaluation{}, err
	}
	if len(set.Labels) != 2 {
		return classify.Evaluation{}, cli.Usage("%d classes in the data: a score has good and bad texts, or two classes of which the second counts as good", len(set.Labels))
	}
	return classify.Evaluate(m, set, threshold), nil
}

func (a *app) printBinary(e classify.Evaluation) error {
	t := report.Table{Head: []string{"", a.Lang.T(">good", ">好"), a.Lang.T(">bad", ">坏"), ">AUC", ">95 %", ">precision", ">recall", ">F1"}}
	row := func(name string, m *measure.Binary) {
		cells := []string{name, report.Count(int64(m.Good)), report.Count(int64(m.Bad))}
		if m.Good > 0 && m.Bad > 0 {
			cells = append(cells, cli.F3(m.AUC), cli.F3(m.Low)+"–"+cli.F3(m.High), cli.F3(m.Precision), cli.F3(m.Recall), cli.F3(m.F1))
		}
		t.Add(cells...)
	}
	row(a.Lang.T("all", "全部"), e.Binary)
	for _, l := range e.Languages {
		if l.Language == "other" {
			l.Language = a.Lang.T("other", "其他")
		}
		row(l.Language, &l.Binary)
	}
	kept := report.Table{Head: []string{a.Lang.T(">kept", ">保留"), a.Lang.T(">from score", ">分数下限"), ">precision", ">recall"}}
	for _, p := range e.Binary.Kept {
		kept.Add(fmt.Sprintf("%.1f %%", 100*p.Kept), fmt.Sprintf("%.4f", p.Score), cli.F3(p.Precision), cli.F3(p.Recall))
	}
	_, err := fmt.Fprintf(a.Out, "%s\n%s\n%s\n", t.Text(), kept.Text(), fmt.Sprintf(a.Lang.T("average precision %.3f, Brier score %.4f, expected calibration error %.4f",
		"平均精确率 %.3f，Brier 分 %.4f，期望校准误差 %.4f"), e.Binary.AveragePrecision, e.Calibration.Brier, e.Calibration.ECE))
	return err
}

func (a *app) printClasses(m *measure.Classes) error {
	t := report.Table{Head: []string{a.Lang.T("class", "类别"), a.Lang.T(">texts", ">文本数"), ">precision", ">recall", ">F1"}}
	for _, c := range m.Classes {
		t.Add(c.Label, report.Count(int64(c.Texts)), cli.F3(c.Precision), cli.F3(c.Recall), cli.F3(c.F1))
	}
	_, err := fmt.Fprintf(a.Out, "%s\n%s\n", t.Text(), fmt.Sprintf(a.Lang.T("accuracy %.3f (the commonest class alone: %.3f), macro F1 %.3f, expected calibration error %.4f",
		"准确率 %.3f（只猜最常见类：%.3f），宏 F1 %.3f，期望校准误差 %.4f"), m.Accuracy, m.Majority, m.MacroF1, m.Calibration.ECE))
	return err
}
