package classify

import (
	"fmt"
	"slices"
	"strings"

	"winnow/filter/quality/measure"
)

// Card says what a model was made of and how it fares. It lies beside the model as JSON and as Markdown.
type Card struct {
	Model       string     `json:"model"`  // SHA-256 of the model's file
	Origin      string     `json:"origin"` // SHA-256 of texts, classes and options
	Data        []Data     `json:"data"`   // left to whoever read the files
	Labels      []string   `json:"labels"`
	Options     Options    `json:"options"`
	Trained     Part       `json:"trained"`
	Held        HeldPart   `json:"held_out"`
	Losses      []float64  `json:"losses"` // mean of each epoch
	Calibration string     `json:"calibration,omitempty"`
	Chance      bool       `json:"no_better_than_chance,omitempty"` // on the held-out texts
	Threshold   *Threshold `json:"threshold,omitempty"`
	Use         string     `json:"intended_use"`
	Limits      []string   `json:"limits"`
}

// Data is a file that texts were read from.
type Data struct {
	File   string `json:"file"`
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"`
	Role   string `json:"role,omitempty"` // good, bad; empty: labels are in the rows
}

// Part is some of the texts.
type Part struct {
	Texts  int   `json:"texts"`
	Counts []int `json:"counts"` // by class
	Bytes  int64 `json:"bytes"`
}

// HeldPart is the texts that were not learnt from.
type HeldPart struct {
	Part
	Evaluation
}

// Threshold is the score for a share to keep.
type Threshold struct {
	Score float64 `json:"score"`
	Asked float64 `json:"asked"` // share of the held-out texts
	Kept  float64 `json:"kept"`  // of them, with ties
}

func part(s *Set) Part {
	p := Part{Texts: len(s.Texts), Counts: s.Counts()}
	for _, t := range s.Texts {
		p.Bytes += int64(len(t))
	}
	return p
}

func newCard(s, train, held *Set, o *Options, losses []float64) *Card {
	origin := s.origin(*o)
	c := &Card{Origin: fmt.Sprintf("%x", origin), Labels: s.Labels, Options: *o, Trained: part(train), Held: HeldPart{Part: part(held)}, Losses: losses}
	c.Use = "Sorting documents of a training corpus into " + strings.Join(first(s.Labels, 12), ", ") + ": scores for filters, ranks and mixtures. Not for decisions about people."
	for _, l := range limits[:3] {
		c.Limits = append(c.Limits, l[0])
	}
	if len(held.Texts) == 0 {
		c.Limits = append(c.Limits, limits[3][0])
	} else if len(s.Labels) == 2 {
		c.Limits = append(c.Limits, limits[4][0])
	}
	return c
}

// limits are what every card says, or may say, in English and Chinese.
var limits = [][2]string{
	{"It knows words and n-grams, no meaning: what looks like the texts of a class counts as that class.",
		"它只认词与 n-gram，不懂意义：看上去像某类文本的，就算作该类。"},
	{"What the labels favour it favours: topics, registers and languages that one class has more of.",
		"标注偏向什么，它就偏向什么：某一类中更多的主题、语体与语言。"},
	{"Probabilities hold where classes are as frequent as among the held-out texts; shares to keep hold for the held-out texts' distribution. On other texts take cutoffs by `winnow quality ranks`.",
		"概率只在各类比例与留出文本相同时成立；保留比例只对留出文本的分布成立。用于其他文本时，请以 `winnow quality ranks` 取分位点。"},
	{"Nothing was held out, or a class would have had fewer than 10 texts on one side: the model is neither calibrated nor measured.",
		"没有留出文本，或某一类在一侧会少于 10 篇：模型既未校准，也未评估。"},
	{"Languages that are not in the table of held-out texts are not measured.",
		"留出文本表中没有的语言未经评估。"},
}

func first(list []string, n int) []string {
	if len(list) <= n {
		return list
	}
	return append(append([]string{}, list[:n]...), fmt.Sprintf("… (%d)", len(list)))
}

// Markdown writes the card for people; t chooses between English and Chinese.
func (c *Card) Markdown(t func(en, zh string) string) string {
	var b strings.Builder
	p := func(en, zh string, args ...any) { fmt.Fprintf(&b, t(en, zh)+"\n", args...) }
	p("# Classifier %.12s\n", "# 分类器 %.12s\n", c.Model)
	p("%[1]s\n", "用于把训练语料的文档分为%[2]s：其评分供过滤、排名与配比使用，不用于对人的判断。\n", c.Use, strings.Join(first(c.Labels, 12), "、"))
	o := c.Options
	p("| what | value |\n|---|---|", "| 项目 | 值 |\n|---|---|")
	p("| model | SHA-256 `%s` |", "| 模型 | SHA-256 `%s` |", c.Model)
	p("| texts, labels and options | SHA-256 `%s` |", "| 文本、标注与选项 | SHA-256 `%s` |", c.Origin)
	if o.Hidden > 0 {
		p("| kind | a hidden layer of %d units, 2^%d buckets, 1 byte a weight |", "| 类型 | 一层隐藏层，%d 个单元，2^%d 个桶，每个权重 1 字节 |", o.Hidden, o.Bits)
	} else {
		p("| kind | linear, 2^%d buckets, 1 byte a weight |", "| 类型 | 线性，2^%d 个桶，每个权重 1 字节 |", o.Bits)
	}
	p("| features | n-grams of 1 to %d words; of %d to %d characters within a word (0: none); Chinese by %s |",
		"| 特征 | 1 至 %d 词 n-gram；词内 %d 至 %d 字符 n-gram（0 为不用）；中文按 %s |", o.Words, o.Shortest, o.Longest, o.Chinese)
	p("| training | spago's AdaGrad, %d epochs, rate %g, seed %d; classes balanced within Han and other scripts; losses %s |",
		"| 训练 | spago 的 AdaGrad，%d 遍，步长 %g，种子 %d；汉字与其他文字内各类均衡；损失 %s |", o.Epochs, o.Rate, o.Seed, losses(c.Losses))
	p("| trained on | %d texts, %d bytes: %s |", "| 训练文本 | %d 篇，%d 字节：%s |", c.Trained.Texts, c.Trained.Bytes, counts(c.Labels, c.Trained.Counts))
	p("| held out | %d texts, %d bytes: %s |", "| 留出文本 | %d 篇，%d 字节：%s |", c.Held.Texts, c.Held.Bytes, counts(c.Labels, c.Held.Counts))
	if c.Calibration != "" {
		p("| calibration | %s, on the held-out texts |", "| 校准 | %s，用留出文本 |", c.Calibration)
	}
	if t := c.Threshold; t != nil {
		p("| threshold | %.6g keeps %.2f %% of the held-out texts (asked: %.2f %%), whose shares of classes are those above, not a crawl's |",
			"| 阈值 | %.6g 保留留出文本的 %.2f %%（要求 %.2f %%）；其类别比例如上，并非网页抓取数据的比例 |", t.Score, 100*t.Kept, 100*t.Asked)
	}
	p("\n## Data\n\n| file | bytes | role | SHA-256 |\n|---|--:|---|---|", "\n## 数据\n\n| 文件 | 字节 | 用途 | SHA-256 |\n|---|--:|---|---|")
	for _, d := range c.Data {
		p("| %s | %d | %s | `%s` |", "| %s | %d | %s | `%s` |", d.File, d.Bytes, d.Role, d.SHA256)
	}
	c.measured(p)
	p("\n## Limits\n", "\n## 局限\n")
	if c.Chance {
		p("- **On the held-out texts this model is no better than chance.**", "- **在留出文本上，该模型不优于随机。**")
	}
	for _, l := range c.Limits {
		zh := l
		if i := slices.IndexFunc(limits, func(pair [2]string) bool { return pair[0] == l }); i >= 0 {
			zh = limits[i][1]
		}
		p("- %[1]s", "- %[2]s", l, zh)
	}
	return b.String()
}

// measured writes how the model fares on the held-out texts.
func (c *Card) measured(p func(en, zh string, args ...any)) {
	if m := c.Held.Binary; m != nil {
		p("\n## Held-out texts\n\n| language | good | bad | AUC | 95 %% | average precision |\n|---|--:|--:|--:|---|--:|",
			"\n## 留出文本\n\n| 语言 | 好 | 坏 | AUC | 95 %% | 平均精确率 |\n|---|--:|--:|--:|---|--:|")
		row := func(name string, m *measure.Binary) {
			p("| %s | %d | %d | %.3f | %.3f – %.3f | %.3f |", "| %s | %d | %d | %.3f | %.3f – %.3f | %.3f |", name, m.Good, m.Bad, m.AUC, m.Low, m.High, m.AveragePrecision)
		}
		row("*", m)
		for _, l := range c.Held.Languages {
			if l.Binary.Good > 0 && l.Binary.Bad > 0 {
				row(l.Language, &l.Binary)
			}
		}
		p("\n| kept | from score | precision | recall |\n|--:|--:|--:|--:|", "\n| 保留 | 分数下限 | 精确率 | 召回率 |\n|--:|--:|--:|--:|")
		for _, k := range m.Kept {
			p("| %.1f %% | %.4f | %.3f | %.3f |", "| %.1f %% | %.4f | %.3f | %.3f |", 100*k.Kept, k.Score, k.Precision, k.Recall)
		}
		p("\nBrier score %.4f, expected calibration error %.4f: measured by halves, each calibrated by the other.",
			"\nBrier 分 %.4f，期望校准误差 %.4f：分两半，各由另一半校准后评估。", c.Held.Calibration.Brier, c.Held.Calibration.ECE)
	}
	if m := c.Held.Classes; m != nil {
		p("\n## Held-out texts\n\nAccuracy %.3f (the commonest class alone: %.3f), macro F1 %.3f; Brier score %.4f and expected calibration error %.4f of the class said: measured by halves, each calibrated by the other.\n",
			"\n## 留出文本\n\n准确率 %.3f（只猜最常见类：%.3f），宏 F1 %.3f；所判类别的 Brier 分 %.4f，期望校准误差 %.4f：分两半，各由另一半校准后评估。\n",
			m.Accuracy, m.Majority, m.MacroF1, m.Calibration.Brier, m.Calibration.ECE)
		p("| class | texts | precision | recall | F1 |\n|---|--:|--:|--:|--:|", "| 类别 | 文本数 | 精确率 | 召回率 | F1 |\n|---|--:|--:|--:|--:|")
		for _, k := range m.Classes {
			p("| %s | %d | %.3f | %.3f | %.3f |", "| %s | %d | %.3f | %.3f | %.3f |", k.Label, k.Texts, k.Precision, k.Recall, k.F1)
		}
	}
}

func losses(list []float64) string {
	var parts []string
	for _, l := range list {
		parts = append(parts, fmt.Sprintf("%.4f", l))
	}
	return strings.Join(parts, ", ")
}

func counts(labels []string, n []int) string {
	var parts []string
	for i, l := range labels {
		parts = append(parts, fmt.Sprintf("%d %s", n[i], l))
	}
	return strings.Join(parts, ", ")
}
