package quality

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"winnow"
	"winnow/cmd/winnow/cli"
	"winnow/filter/quality"
	"winnow/filter/quality/annotate"
	"winnow/report"
	"winnow/shard"
)

// agreeFlags say what labels are compared with.
type agreeFlags struct {
	model     quality.Source
	signal    string
	goodFrom  int
	threshold float64
}

func (a *app) qualityAgree() *cobra.Command {
	var f agreeFlags
	cmd := &cobra.Command{
		Use: "agree LABELS [LABELS|RUN] [--model MODEL]", Args: cli.ExactArgs(1, 2),
		Short: a.Lang.T("how far annotators, or an annotator and a classifier, agree on the same texts", "标注者之间、标注者与分类器之间在同一批文本上的一致程度"),
		Long: a.Lang.T(`Compare labels of quality annotate with other labels of the same texts (two models, or two passes of one), with the scores that a
classifier gives these texts (--model), or with those that it gave them in a finished run. The first labels are the truth.

Texts that the classifier was trained on tell nothing about others: give labels that it has not seen.`,
			`把 quality annotate 的标注与同一批文本的另一份标注（两个模型，或同一模型的两次评定）、分类器的评分（--model），或一次已完成的
运行中的评分相比较。以第一份标注为准。

分类器训练时用过的文本说明不了问题：请用它没有见过的标注。`),
		RunE: func(_ *cobra.Command, args []string) error {
			switch {
			case (len(args) == 2) == (f.model.Model != ""):
				return cli.Usage("%s", a.Lang.T("give a second file of labels, a run, or --model", "请给出第二份标注、一个运行，或 --model"))
			case f.goodFrom < 1 || f.goodFrom >= annotate.Levels:
				return cli.Usage(a.Lang.T("--good-from %d: 1 - %d", "--good-from %d：应为 1 至 %d"), f.goodFrom, annotate.Levels-1)
			}
			rows, err := readLabels(args[0])
			if err != nil {
				return err
			}
			if f.model.Model != "" {
				return a.agreeModel(rows, &f)
			}
			if info, err := os.Stat(args[1]); err == nil && !info.IsDir() {
				return a.agreeLabels(rows, args[1], &f)
			}
			return a.agreeRun(rows, args[1], &f)
		},
	}
	t, fl := a.Lang.T, cmd.Flags()
	fl.StringVar(&f.model.Model, "model", "", t("classifier: winnow's own, or fastText's .bin or .ftz", "分类器：winnow 自己的，或 fastText 的 .bin、.ftz"))
	fl.StringVar(&f.model.Label, "label", "", t("fastText: the label whose probability is the score", "fastText：以哪个标签的概率为评分"))
	fl.StringSliceVar(&f.model.Normalise, "normalise", nil, t("fastText: steps before a text is read: ", "fastText：读入前的处理步骤：")+strings.Join(quality.Steps, ", "))
	fl.StringVar(&f.signal, "signal", quality.Score.ID, t("with a run: the column of scores", "与运行比较时：评分所在的列"))
	fl.IntVar(&f.goodFrom, "good-from", annotate.GoodFrom, t("score of a label from which a text is good", "标注达到此分即为好文本"))
	fl.Float64Var(&f.threshold, "threshold", .5, t("score from which the classifier calls a text good", "分类器达到此分即算好"))
	return cmd
}

// agreeLabels compares two annotators.
func (a *app) agreeLabels(rows []annotation, path string, f *agreeFlags) error {
	others, err := readLabels(path)
	if err != nil {
		return err
	}
	scores := map[string]int{}
	for _, r := range others {
		scores[r.ID] = r.Score
	}
	var first, second []int
	for _, r := range rows {
		if s, ok := scores[r.ID]; ok {
			first, second = append(first, r.Score), append(second, s)
		}
	}
	g := annotate.Agree(first, second, f.goodFrom)
	if a.JSON {
		return a.Line(struct {
			annotate.Agreement
			Costs [2]labelCost `json:"costs"`
		}{g, [2]labelCost{costOf(rows), costOf(others)}})
	}
	a.Say("%d texts: equal %.3f, at most 1 apart %.3f, kappa %.3f (linear %.3f, quadratic %.3f), Spearman %.3f", "%d 篇：相同 %.3f，相差不超过 1 分 %.3f，kappa %.3f（线性加权 %.3f，平方加权 %.3f），Spearman %.3f",
		g.Texts, g.Exact, g.Near, g.Kappa, g.Linear, g.Quadratic, g.Spearman)
	t := report.Table{Head: []string{a.Lang.T("first \\ second", "前者 \\ 后者")}}
	for s := range annotate.Levels {
		t.Head = append(t.Head, ">"+fmt.Sprint(s))
	}
	for s, row := range g.Confusion {
		cells := []string{fmt.Sprint(s)}
		for _, n := range row {
			cells = append(cells, report.Count(int64(n)))
		}
		t.Add(cells...)
	}
	fmt.Fprint(a.Out, t.Text())
	a.toldGood(f.goodFrom, g.Good)
	for i, cost := range []labelCost{costOf(rows), costOf(others)} {
		a.Say("labels %d: %s, %d + %d tokens, %.4f US dollars", "标注 %d：%s，%d + %d 个 token，%.4f 美元", i+1, cost.Model, cost.PromptTokens, cost.CompletionTokens, cost.Dollars)
	}
	return nil
}

// labelCost is what labels took.
type labelCost struct {
	Model            string  `json:"model"`
	PromptTokens     int64   `json:"prompt_tokens"`
	CompletionTokens int64   `json:"completion_tokens"`
	Dollars          float64 `json:"usd"`
}

func costOf(rows []annotation) (c labelCost) {
	for _, r := range rows {
		c.Model = r.Model
		c.PromptTokens += r.PromptTokens
		c.CompletionTokens += r.CompletionTokens
		c.Dollars += r.Dollars
	}
	return c
}

func (a *app) toldGood(from int, b annotate.Binary) {
	a.Say("good from %d: precision %.3f, recall %.3f, F1 %.3f (%d both, %d first only, %d second only, %d neither)", "%d 分起为好：精确率 %.3f，召回率 %.3f，F1 %.3f（皆好 %d，仅前者 %d，仅后者 %d，皆否 %d）",
		from, b.Precision, b.Recall, b.F1, b.Both, b.Missed, b.Only, b.Neither)
}

// agreeModel compares labels with the scores that a classifier gives their texts.
func (a *app) agreeModel(rows []annotation, f *agreeFlags) error {
	m, err := quality.Open(f.model)
	if err != nil {
		return err
	}
	labels, scores := make([]int, len(rows)), make([]float64, len(rows))
	for i, r := range rows {
		labels[i], scores[i] = r.Score, float64(m.Score(r.Text))
	}
	return a.toldJudged(f, annotate.Judge(labels, scores, f.goodFrom, f.threshold), costOf(rows))
}

// agreeRun compares labels with a column of a run's ledger.
func (a *app) agreeRun(rows []annotation, name string, f *agreeFlags) error {
	folder, err := a.Find(name)
	if err != nil {
		return err
	}
	at := signalAt(folder.Run, f.signal)
	if at < 0 {
		return cli.Usage(a.Lang.T("run %s has no column %s", "运行 %s 没有列 %s"), folder.Run.ID, f.signal)
	}
	scores := map[string]float64{}
	for r, err := range folder.Rows() {
		if err != nil {
			return err
		}
		if v := r.Doc.Signals[at]; winnow.Measured(v) {
			scores[r.Doc.ID] = float64(v)
		}
	}
	var labels []int
	var given []float64
	for _, r := range rows {
		if s, ok := scores[r.ID]; ok {
			labels, given = append(labels, r.Score), append(given, s)
		}
	}
	if len(labels) == 0 {
		return errors.New(a.Lang.T("no text has both a label and a score", "没有既有标注又有评分的文本"))
	}
	return a.toldJudged(f, annotate.Judge(labels, given, f.goodFrom, f.threshold), costOf(rows))
}

// signalAt is the place of a signal among those of a run; -1 where it has none of that name.
func signalAt(r *shard.Run, id string) int {
	for _, stage := range r.Stages {
		for i, s := range stage.Signals {
			if s.ID == id {
				return stage.First + i
			}
		}
	}
	return -1
}

// toldJudged tells how far a classifier agrees.
func (a *app) toldJudged(f *agreeFlags, j annotate.Judged, cost labelCost) error {
	if a.JSON {
		return a.Line(struct {
			annotate.Judged
			Cost labelCost `json:"cost"`
		}{j, cost})
	}
	a.Say("%d texts: Spearman %.3f, AUC %.3f", "%d 篇：Spearman %.3f，AUC %.3f", j.Texts, j.Spearman, j.AUC)
	t := report.Table{Head: []string{a.Lang.T("label", "标注"), a.Lang.T(">texts", ">篇数"), a.Lang.T(">good", ">好"), a.Lang.T(">bad", ">坏"), a.Lang.T(">mean", ">均值"), a.Lang.T(">median", ">中位数")}}
	for s, c := range j.Classes {
		t.Add(fmt.Sprint(s), report.Count(int64(c.Texts)), report.Count(int64(c.Good)), report.Count(int64(c.Texts-c.Good)), cli.F3(c.Mean), cli.F3(c.Median))
	}
	fmt.Fprint(a.Out, t.Text())
	a.toldGood(f.goodFrom, j.Good)
	a.Say("highest F1 on these texts: %.3f, from a score of %.4f", "在这些文本上 F1 最高为 %.3f（阈值 %.4f）", j.AtBest.F1, j.Best)
	a.Say("the labels took %d + %d tokens, %.4f US dollars", "标注用去 %d + %d 个 token，%.4f 美元", cost.PromptTokens, cost.CompletionTokens, cost.Dollars)
	return nil
}
