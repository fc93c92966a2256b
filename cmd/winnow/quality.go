package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"winnow/filter/quality"
	"winnow/pipelines"
	"winnow/report"
)

func (a *app) qualityCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "quality",
		Short: a.lang.T("train and judge the classifier behind quality.score", "训练与评估质量分类器"),
	}
	cmd.AddCommand(a.qualityTrain(), a.qualityEval(), a.qualityAnnotate(), a.qualityAgree())
	return cmd
}

func (a *app) qualityTrain() *cobra.Command {
	var c classes
	var out string
	var o quality.TrainOptions
	var labels string
	var at int
	cmd := &cobra.Command{
		Use: "train --good FILE --bad FILE --out MODEL", Args: exactArgs(0, 0),
		Short: a.lang.T("train a model from good and bad texts (JSONL or parquet)", "用好、坏文本（JSONL 或 parquet）训练模型"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			g, b, err := c.labelled(cmd.Context(), labels, at)
			if err != nil {
				return err
			}
			m, err := quality.Train(g, b, o)
			if err != nil {
				return err
			}
			f, err := os.Create(out)
			if err != nil {
				return err
			}
			if err := m.Write(f); err != nil {
				f.Close()
				return err
			}
			a.say("%s: trained on %d good and %d bad texts", "%s：用 %d 篇好文本、%d 篇坏文本训练", out, len(g), len(b))
			return f.Close()
		},
	}
	c.flags(a, cmd)
	fl := cmd.Flags()
	fl.StringVar(&labels, "labels", "", a.lang.T("labels of quality annotate, in place of --good and --bad", "quality annotate 的标注，代替 --good 与 --bad"))
	fl.IntVar(&at, "good-from", 3, a.lang.T("with --labels: score from which a text is good", "配合 --labels：达到此分即为好文本"))
	fl.StringVar(&out, "out", "quality.bin", a.lang.T("file for the model", "模型文件"))
	fl.UintVar(&o.Bits, "bits", 0, a.lang.T("2^bits buckets; 0: 16", "桶数为 2^bits；0 为 16"))
	fl.IntVar(&o.Epochs, "epochs", 0, a.lang.T("passes over the texts; 0: 5", "遍数；0 为 5"))
	fl.Uint64Var(&o.Seed, "seed", 0, a.lang.T("of the order of texts", "文本次序的种子"))
	return cmd
}

func (a *app) qualityEval() *cobra.Command {
	var c classes
	var model string
	var threshold float32
	cmd := &cobra.Command{
		Use: "eval --model MODEL --good FILE --bad FILE", Args: exactArgs(0, 0),
		Short: a.lang.T("precision, recall and AUC of a model on texts that it has not seen", "在未见过的文本上评估：精确率、召回率、AUC"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			f, err := os.Open(model)
			if err != nil {
				return err
			}
			defer f.Close()
			m, err := quality.Read(f)
			if err != nil {
				return fmt.Errorf("%s: %w", model, err)
			}
			g, b, err := c.read(cmd.Context())
			if err != nil {
				return err
			}
			e := quality.Evaluate(m, g, b, threshold)
			if a.json {
				enc := json.NewEncoder(a.out)
				enc.SetIndent("", "  ")
				return enc.Encode(e)
			}
			t := report.Table{Head: []string{"", a.lang.T(">good", ">好"), a.lang.T(">bad", ">坏"), ">precision", ">recall", ">F1", ">AUC"}}
			for _, row := range []struct {
				name string
				m    quality.Metrics
			}{{a.lang.T("all", "全部"), e.All}, {a.lang.T("Chinese", "中文"), e.Han}, {a.lang.T("other", "其他"), e.Other}} {
				t.Add(row.name, report.Count(int64(row.m.Good)), report.Count(int64(row.m.Bad)), f3(row.m.Precision), f3(row.m.Recall), f3(row.m.F1), f3(row.m.AUC))
			}
			_, err = fmt.Fprint(a.out, t.Text())
			return err
		},
	}
	c.flags(a, cmd)
	cmd.Flags().StringVar(&model, "model", "", a.lang.T("file of the model", "模型文件"))
	cmd.Flags().Float32Var(&threshold, "threshold", 0.5, a.lang.T("score from which a text counts as good", "达到此分即算好"))
	return cmd
}

func f3(v float64) string { return fmt.Sprintf("%.3f", v) }

// classes names the texts of the two classes.
type classes struct {
	good, bad     []string
	column, split string
}

func (c *classes) flags(a *app, cmd *cobra.Command) {
	cmd.Flags().StringArrayVar(&c.good, "good", nil, a.lang.T("files of good texts", "好文本文件"))
	cmd.Flags().StringArrayVar(&c.bad, "bad", nil, a.lang.T("files of bad texts", "坏文本文件"))
	cmd.Flags().StringVar(&c.column, "column", "text", a.lang.T("column of the text", "文本列名"))
	cmd.Flags().StringVar(&c.split, "split", "", a.lang.T("only rows whose column \"split\" says this", "只取 split 列为此值的行"))
}

// read gives the texts of both classes.
func (c *classes) read(ctx context.Context) (good, bad []string, err error) {
	if len(c.good) == 0 || len(c.bad) == 0 {
		return nil, nil, usage("give --good and --bad")
	}
	if good, err = pipelines.Texts(ctx, c.good, c.column, c.split); err != nil {
		return nil, nil, err
	}
	bad, err = pipelines.Texts(ctx, c.bad, c.column, c.split)
	return good, bad, err
}

// labelled gives the texts of both classes, by the scores of annotations where there are some.
func (c *classes) labelled(ctx context.Context, labels string, at int) (good, bad []string, err error) {
	if labels == "" {
		return c.read(ctx)
	}
	rows, err := readLabels(labels)
	for _, r := range rows {
		if r.Score >= at {
			good = append(good, r.Text)
		} else {
			bad = append(bad, r.Text)
		}
	}
	return good, bad, err
}
