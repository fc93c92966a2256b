package quality

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"winnow/cmd/winnow/cli"
	"winnow/filter/quality/classify"
	"winnow/pipelines"
)

func (a *app) qualityCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "quality",
		Short: a.Lang.T("classifiers of quality and topics: train, evaluate, rank, annotate", "质量与主题分类器：训练、评估、排名、标注"),
	}
	cmd.AddCommand(a.qualityTrain(), a.qualityEval(), a.qualityRanks(), a.qualityAnnotate(), a.qualityAgree(), a.qualityCutoffs())
	return cmd
}

func (a *app) qualityTrain() *cobra.Command {
	var s labelledFlags
	var out, keep, characters string
	var o classify.Options
	cmd := &cobra.Command{
		Use: "train --good FILE --bad FILE --out MODEL", Args: cli.ExactArgs(0, 0),
		Short: a.Lang.T("train a classifier from labelled texts (JSONL or parquet)", "用带标注的文本（JSONL 或 parquet）训练分类器"),
		Long: a.Lang.T(`Train a classifier: linear, or with a hidden layer, over hashed n-grams. A part of the texts is held out: it calibrates the scores,
so that they are probabilities, and measures the model. Beside MODEL stand its cards, .card.json and .card.md.`,
			`训练分类器：线性，或带一层隐藏层，特征为哈希 n-gram。留出的一部分文本用于校准评分（使之成为概率）并评估模型。MODEL 旁会写出 .card.json 与 .card.md 两份说明卡。`),
		Example: `  winnow quality train --good good.jsonl --bad bad.jsonl --out q.bin
  winnow quality train --good good.jsonl --bad bad.jsonl --keep 10% --hidden 16 --characters 3-5 --out q.bin
  winnow quality train --labels labels.jsonl --good-from 3 --out edu.bin
  winnow quality train --data pages.parquet --class topic --out topic.bin`,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			if keep != "" {
				if o.Keep, err = pipelines.Share(keep); err != nil {
					return cli.Usage(a.Lang.T("--keep %v", "--keep：%v"), err)
				}
			}
			if o.Shortest, o.Longest, err = parseSpan(characters); err != nil {
				return err
			}
			if _, err := os.Stat(filepath.Dir(out)); err != nil { // before the work, not behind it
				return cli.Usage(a.Lang.T("--out: %v", "--out：%v"), err)
			}
			set, err := s.read(cmd.Context())
			if err != nil {
				return err
			}
			m, card, err := classify.Train(set, o)
			if err != nil {
				return err
			}
			if card.Data, err = s.hashes(); err != nil {
				return err
			}
			if err := a.writeModel(out, m, card); err != nil {
				return err
			}
			a.classified(out, card)
			return nil
		},
	}
	s.flags(a, cmd)
	fl := cmd.Flags()
	fl.StringVar(&out, "out", "quality.bin", a.Lang.T("file for the model", "模型文件"))
	fl.IntVar(&o.Hidden, "hidden", 0, a.Lang.T("units of a hidden layer; 0: a linear model", "隐藏层单元数；0 为线性模型"))
	fl.IntVar(&o.Words, "words", 2, a.Lang.T("longest n-gram of words", "词 n-gram 的最大长度"))
	fl.StringVar(&characters, "characters", "", a.Lang.T("n-grams of characters within words, for instance 3-5; none if not said", "词内字符 n-gram，例如 3-5；默认不用"))
	fl.StringVar(&o.Chinese, "chinese", "characters", a.Lang.T("what a Chinese word is: characters, or words by the dictionary", "中文词的切法：characters（单字）或 words（按词典）"))
	fl.UintVar(&o.Bits, "bits", 16, a.Lang.T("2^bits buckets", "桶数为 2^bits"))
	fl.IntVar(&o.Epochs, "epochs", 5, a.Lang.T("passes over the texts", "遍数"))
	fl.Float64Var(&o.Rate, "rate", .5, a.Lang.T("step size of AdaGrad", "AdaGrad 步长"))
	fl.Uint64Var(&o.Seed, "seed", 0, a.Lang.T("of the order of texts and of what is held out", "文本次序与留出部分的种子"))
	fl.Float64Var(&o.HeldOut, "held-out", .2, a.Lang.T("share of the texts that calibrates and measures", "用于校准与评估的留出比例"))
	fl.StringVar(&o.Calibrate, "calibrate", "platt", a.Lang.T("platt, isotonic or none", "platt、isotonic 或 none"))
	fl.StringVar(&keep, "keep", "", a.Lang.T("store the threshold that keeps this share of the held-out texts, for instance 10%", "存下能保留这一比例留出文本的阈值，例如 10%"))
	return cmd
}

// parseSpan reads 3-5 or 4.
func parseSpan(s string) (low, high int, err error) {
	if s == "" {
		return 0, 0, nil
	}
	first, last, found := strings.Cut(s, "-")
	low, e1 := strconv.Atoi(first)
	high, e2 := strconv.Atoi(cmp.Or(last, first))
	if e1 != nil || e2 != nil || found && last == "" || low < 1 || high < low {
		return 0, 0, cli.Usage("--characters %s: write for instance 3-5", s)
	}
	return low, high, nil
}

// cardPath is that of a model's card: q.bin has q.card.md.
func cardPath(model, ending string) string {
	return strings.TrimSuffix(model, filepath.Ext(model)) + ".card" + ending
}

func (a *app) writeModel(out string, m *classify.Model, card *classify.Card) error {
	f, err := os.Create(out)
	if err != nil {
		return err
	}
	if err := errors.Join(m.Write(f), f.Close()); err != nil {
		return err
	}
	raw, err := json.MarshalIndent(card, "", " ")
	if err != nil {
		return err
	}
	return errors.Join(os.WriteFile(cardPath(out, ".json"), append(raw, '\n'), 0o666),
		os.WriteFile(cardPath(out, ".md"), []byte(card.Markdown(a.Lang.T)), 0o666))
}

// classified tells how training went.
func (a *app) classified(out string, c *classify.Card) {
	counts := func(p classify.Part) string {
		var parts []string
		for i, l := range c.Labels {
			if i == 12 {
				parts = append(parts, "…")
				break
			}
			parts = append(parts, fmt.Sprintf("%d %s", p.Counts[i], l))
		}
		return strings.Join(parts, ", ")
	}
	a.Say("%s: trained on %d texts (%s)", "%s：用 %d 篇文本训练（%s）", out, c.Trained.Texts, counts(c.Trained))
	if c.Held.Texts == 0 {
		a.Say("nothing is held out: the scores are not calibrated, and the model is not measured", "没有留出文本：评分未校准，模型未评估")
		return
	}
	if m := c.Held.Binary; m != nil {
		a.Say("held out: %d texts: AUC %.3f (95 %%: %.3f to %.3f), Brier %.4f, ECE %.4f", "留出 %d 篇：AUC %.3f（95 %%：%.3f 至 %.3f），Brier %.4f，ECE %.4f",
			c.Held.Texts, m.AUC, m.Low, m.High, c.Held.Calibration.Brier, c.Held.Calibration.ECE)
	}
	if m := c.Held.Classes; m != nil {
		a.Say("held out: %d texts: accuracy %.3f (the commonest class alone: %.3f), macro F1 %.3f, ECE %.4f", "留出 %d 篇：准确率 %.3f（只猜最常见类：%.3f），宏 F1 %.3f，ECE %.4f",
			c.Held.Texts, m.Accuracy, m.Majority, m.MacroF1, m.Calibration.ECE)
	}
	if c.Chance {
		a.Say("warning: on the held-out texts the model is no better than chance", "警告：在留出文本上，该模型不优于随机")
	}
	if t := c.Threshold; t != nil {
		a.Say("threshold %.6g keeps %.1f %% of the held-out texts, whose classes are as frequent as in the training data; for a crawl take winnow quality ranks",
			"阈值 %.6g 保留留出文本的 %.1f %%，其类别比例与训练数据相同；用于网页抓取数据请改用 winnow quality ranks", t.Score, 100*t.Kept)
	}
	a.Say("card: %s", "说明卡：%s", cardPath(out, ".md"))
}

// labelledFlags name labelled texts: two lists of files, rows with a class, or annotations.
type labelledFlags struct {
	good, bad, data      []string
	column, split, class string
	labels               string
	from                 int
}

func (s *labelledFlags) flags(a *app, cmd *cobra.Command) {
	fl := cmd.Flags()
	fl.StringArrayVar(&s.good, "good", nil, a.Lang.T("files of good texts", "好文本文件"))
	fl.StringArrayVar(&s.bad, "bad", nil, a.Lang.T("files of bad texts", "坏文本文件"))
	fl.StringArrayVar(&s.data, "data", nil, a.Lang.T("with --class: files whose rows have a class", "配合 --class：各行带类别的文件"))
	fl.StringVar(&s.class, "class", "", a.Lang.T("column of the class: topic, domain, label", "类别列名：topic、domain、label"))
	fl.StringVar(&s.labels, "labels", "", a.Lang.T("labels of quality annotate, in place of --good and --bad", "quality annotate 的标注，代替 --good 与 --bad"))
	fl.IntVar(&s.from, "good-from", 3, a.Lang.T("with --labels: score from which a text is good", "配合 --labels：达到此分即为好文本"))
	fl.StringVar(&s.column, "column", "text", a.Lang.T("column of the text", "文本列名"))
	fl.StringVar(&s.split, "split", "", a.Lang.T("only rows whose column \"split\" says this", "只取 split 列为此值的行"))
}

// read gives the texts with their classes.
func (s *labelledFlags) read(ctx context.Context) (classify.Set, error) {
	switch {
	case s.labels != "":
		rows, err := readLabels(s.labels)
		set := classify.Binary(nil, nil)
		for _, r := range rows {
			class := 0
			if r.Score >= s.from {
				class = 1
			}
			set.Add(r.Text, class)
		}
		return set, err
	case s.class != "" && len(s.data) > 0:
		texts, names, err := pipelines.Labelled(ctx, s.data, s.column, s.split, s.class)
		return classify.ByName(texts, names), err
	case len(s.good) == 0 || len(s.bad) == 0:
		return classify.Set{}, cli.Usage("give --good and --bad, or --data and --class, or --labels")
	}
	good, err := pipelines.Texts(ctx, s.good, s.column, s.split)
	if err != nil {
		return classify.Set{}, err
	}
	bad, err := pipelines.Texts(ctx, s.bad, s.column, s.split)
	return classify.Binary(good, bad), err
}

// hashes describes the files for the card. What is no local file has its name alone.
func (s *labelledFlags) hashes() (all []classify.Data, err error) {
	lists := []struct {
		role     string
		patterns []string
	}{{classify.Good, s.good}, {classify.Bad, s.bad}, {"", s.data}}
	if s.labels != "" {
		lists[2].patterns = []string{s.labels}
	}
	for _, list := range lists {
		for _, pattern := range list.patterns {
			files, err := filepath.Glob(pattern)
			if err != nil || len(files) == 0 {
				all = append(all, classify.Data{File: pattern, Role: list.role})
				continue
			}
			for _, file := range files {
				d, err := hashed(file)
				if err != nil {
					return nil, err
				}
				d.Role = list.role
				all = append(all, d)
			}
		}
	}
	return all, nil
}

func hashed(path string) (classify.Data, error) {
	f, err := os.Open(path)
	if err != nil {
		return classify.Data{}, err
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && info.IsDir() {
		return classify.Data{File: path}, nil
	}
	h := sha256.New()
	n, err := io.Copy(h, f)
	return classify.Data{File: path, Bytes: n, SHA256: hex.EncodeToString(h.Sum(nil))}, err
}
