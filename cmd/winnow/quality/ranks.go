package quality

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"github.com/spf13/cobra"

	"winnow/cmd/winnow/cli"
	"winnow/filter/quality"
	"winnow/filter/quality/rank"
	"winnow/pipelines"
	"winnow/report"
)

func (a *app) qualityRanks() *cobra.Command {
	var data, normalise []string
	var out string
	var limit int
	cmd := &cobra.Command{
		Use: "ranks MODEL... --data FILE --out RANKS", Args: cli.ExactArgs(1, 64),
		Short: a.Lang.T("score a sample by classifiers, for the stage's keep, rank and ensemble", "用分类器给样本评分，供 quality 阶段的 keep、rank 与 ensemble 使用"),
		Long: a.Lang.T(`Score a sample of texts by one or more classifiers and write the cutoffs of their scores: 999 quantiles each. The stage quality turns scores
into ranks by them: `+"`keep: 10%`"+` by one model, or the best rank of several (ensemble). Take texts as they reach the stage: for instance
the data of a run without it. MODEL is winnow's own, or FILE#LABEL of fastText.`,
			`用一个或多个分类器给样本文本评分，写出评分的分位点：每个模型 999 个。quality 阶段据此把评分换成排名：单个模型用 `+"`keep: 10%`"+`，多个模型取最高排名（ensemble）。
样本应与到达该阶段的文本一致，例如不含该阶段的一次运行的数据。MODEL 为 winnow 的模型，或 fastText 的 FILE#LABEL。`),
		Example: `  winnow quality ranks q.bin edu.bin dclm.bin#hq --data 'runs/RUN/data/*.parquet' --out ranks.json
  # in a recipe:
  #   - quality: {ensemble: [q.bin, edu.bin, dclm.bin#hq], ranks: ranks.json, min_bucket: 12}
  #   - quality: {model: q.bin, ranks: ranks.json, keep: 10%}`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(data) == 0 {
				return cli.Usage("%s", a.Lang.T("give --data", "请给出 --data"))
			}
			return a.rankSample(cmd.Context(), args, data, normalise, limit, out)
		},
	}
	fl := cmd.Flags()
	fl.StringArrayVar(&data, "data", nil, a.Lang.T("files of texts (JSONL, parquet)", "文本文件（JSONL、parquet）"))
	fl.StringSliceVar(&normalise, "normalise", nil, a.Lang.T("fastText: steps before a text is read as a line", "fastText：文本作为一行读入前的处理步骤"))
	fl.StringVar(&out, "out", "ranks.json", a.Lang.T("file for the cutoffs", "分位点文件"))
	fl.IntVar(&limit, "limit", 0, a.Lang.T("first texts to score; 0: all", "只评前若干篇；0 为全部"))
	return cmd
}

// rankSample scores the first texts of a sample by all models, and writes the quantiles of their scores.
func (a *app) rankSample(ctx context.Context, args, data, normalise []string, limit int, out string) error {
	var sources []quality.Source
	var models []quality.Scorer
	for _, arg := range args {
		s, m, err := openClassifier(arg, normalise)
		if err != nil {
			return err
		}
		sources, models = append(sources, s), append(models, m)
	}
	f := rank.File{Sample: rank.Sample{Files: data}}
	scores := make([][]float32, len(models))
	h := sha256.New()
	for d, err := range pipelines.Documents(ctx, data) {
		if err != nil {
			return err
		}
		if d.Text == "" {
			continue
		}
		if limit > 0 && f.Sample.Texts == limit {
			break
		}
		f.Sample.Texts++
		fmt.Fprintf(h, "%d ", len(d.Text))
		h.Write([]byte(d.Text))
		for i, m := range models {
			scores[i] = append(scores[i], m.Score(d.Text))
		}
	}
	if f.Sample.Texts == 0 {
		return fmt.Errorf("%v: %s", data, a.Lang.T("no texts", "没有文本"))
	}
	f.Sample.Hash = hex.EncodeToString(h.Sum(nil))
	for i, name := range quality.Names(sources) {
		f.Classifiers = append(f.Classifiers, rank.Classifier{Name: name, Model: args[i], Hash: models[i].Hash(), Cutoffs: rank.Of(scores[i])})
	}
	if err := f.Write(out); err != nil {
		return err
	}
	return a.ranked(out, &f)
}

// openClassifier opens FILE or FILE#LABEL; normalise is for models of fastText alone.
func openClassifier(arg string, normalise []string) (quality.Source, quality.Scorer, error) {
	s := quality.ParseSource(arg, nil)
	if foreign, err := quality.IsFastText(s.Model); err != nil {
		return s, nil, err
	} else if foreign {
		s.Normalise = normalise
	}
	m, err := quality.Open(s)
	return s, m, err
}

func (a *app) ranked(out string, f *rank.File) error {
	t := report.Table{Head: []string{"", ">5 %", ">25 %", ">50 %", ">75 %", ">90 %", ">95 %", ">99 %"}}
	for _, c := range f.Classifiers {
		cells := []string{c.Model}
		for _, at := range []int{50, 250, 500, 750, 900, 950, 990} {
			cells = append(cells, fmt.Sprintf("%.4f", c.Cutoffs[at-1]))
		}
		t.Add(cells...)
	}
	a.Say("%s: cutoffs from %d texts", "%s：%d 篇文本的分位点", out, f.Sample.Texts)
	_, err := fmt.Fprint(a.Out, t.Text())
	return err
}
