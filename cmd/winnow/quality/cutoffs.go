package quality

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/spf13/cobra"

	"winnow"
	"winnow/cmd/winnow/cli"
	"winnow/filter/lang"
	"winnow/filter/quality"
	"winnow/report"
)

// cutoffFlags say what CCNet's cutoffs are computed from.
type cutoffFlags struct {
	annotateFlags // data, out, sample, seed
	options       quality.PerplexityOptions
	languages     string
	least         int
}

func (a *app) qualityCutoffs() *cobra.Command {
	var f cutoffFlags
	cmd := &cobra.Command{
		Use: "cutoffs --data RUN|FILE [--model LM] --out CUTOFFS", Args: cli.ExactArgs(0, 0),
		Short: a.Lang.T("percentiles of perplexity by language, from which head, middle and tail follow", "按语言计算困惑度百分位，据此划分 head、middle、tail"),
		Long: a.Lang.T(`Measure perplexities and write their percentiles as CCNet's cutoff.csv: a column for each language, a row for each percentile. The
quality stage takes the file as cutoffs: below the 30th percentile of its language a text is head, below the 60th middle, else tail.

With --model the texts are scored, as the stage does with the same options; {language} in the name stands for a language's code, and
each language is scored by its own model. Without --model, the runs' own quality.perplexity of all their documents is taken.
Languages that an existing file has and the data has not stay as they are.`,
			`计算困惑度的百分位，写成 CCNet 的 cutoff.csv 格式：每种语言一列，每个百分位一行。quality 阶段以此文件为 cutoffs：低于本语言第 30
百分位为 head，低于第 60 为 middle，其余为 tail。

给出 --model 时对文本评分，选项与该阶段相同；文件名中的 {language} 代表语言代码，各语言用各自的模型。不给 --model 时，取运行中
全部文档已有的 quality.perplexity。文件已存在时，本次数据没有的语言保持不变。`) + cli.ExitCodes,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if len(f.data) == 0 || f.sample < 0 || f.least < 1 {
				return cli.Usage("%s", a.Lang.T("give --data; --sample may not be negative, --min must be at least 1", "请给出 --data；--sample 不可为负，--min 至少为 1"))
			}
			return a.cutoffs(cmd.Context(), &f)
		},
	}
	t, fl := a.Lang.T, cmd.Flags()
	fl.StringArrayVar(&f.data, "data", nil, t("runs, or with --model also files of texts (JSONL, parquet); may be given more than once", "运行；给出 --model 时也可为文本文件（JSONL、parquet）；可多次给出"))
	fl.StringVar(&f.options.Model, "model", "", t("KenLM's model, ARPA or probing binary", "KenLM 模型：ARPA 或 probing 二进制"))
	fl.StringVar(&f.options.Tokens, "tokens", "space", t("how texts are read: space, words", "文本的切分：space、words"))
	fl.BoolVar(&f.options.CCNet, "ccnet", false, t("normalise as CCNet", "按 CCNet 规范化"))
	fl.StringVar(&f.languages, "language-model", "", t("fastText model of languages (lid.176, GlotLID), for texts that name none; default: the own identification", "语言识别的 fastText 模型（lid.176、GlotLID），用于未注明语言的文本；默认用自带的识别"))
	fl.StringVar(&f.out, "out", "cutoffs.csv", t("file for the percentiles", "百分位文件"))
	fl.IntVar(&f.sample, "sample", 0, t("texts to draw, by a hash of id and --seed; 0: all", "抽取的篇数，按 id 与 --seed 的散列；0 为全部"))
	fl.Uint64Var(&f.seed, "seed", 1, t("of --sample", "--sample 的种子"))
	fl.IntVar(&f.least, "min", 100, t("documents that a language needs", "一种语言至少需要的文档数"))
	return cmd
}

// cutoffs measures, and writes what enough documents tell.
func (a *app) cutoffs(ctx context.Context, f *cutoffFlags) error {
	var measured map[string][]float64
	var err error
	if f.options.Model == "" {
		measured, err = a.perplexitiesOf(f.data)
	} else {
		measured, err = a.perplexities(ctx, f)
	}
	if err != nil {
		return err
	}
	c, err := quality.OpenCutoffs(f.out)
	if err != nil {
		return err
	}
	written := 0
	t := report.Table{Head: []string{a.Lang.T("language", "语言"), a.Lang.T(">documents", ">文档"), ">head <", ">middle <"}}
	for _, language := range slices.Sorted(maps.Keys(measured)) {
		all := measured[language]
		if len(all) < f.least {
			a.Say("%s: %d documents are too few (--min %d)", "%s：只有 %d 篇文档，不足 --min %d", language, len(all), f.least)
			continue
		}
		c.Set(language, all)
		written++
		head, middle := c.Bounds(language)
		t.Add(language, report.Count(int64(len(all))), fmt.Sprintf("%.1f", head), fmt.Sprintf("%.1f", middle))
	}
	if written == 0 {
		return errors.New(a.Lang.T("no language has enough documents with a perplexity", "没有一种语言有足够多带困惑度的文档"))
	}
	if err := c.Write(f.out); err != nil {
		return err
	}
	fmt.Fprint(a.Out, t.Text())
	return nil
}

// perplexities scores texts, as the stages do. The language is that of the data, else what the language stage says.
func (a *app) perplexities(ctx context.Context, f *cutoffFlags) (map[string][]float64, error) {
	p, err := quality.NewPerplexity(f.options)
	if err != nil {
		return nil, cli.Usage("%w", err)
	}
	languages, err := lang.New(lang.Options{Model: f.languages})
	if err != nil {
		return nil, cli.Usage("%w", err)
	}
	rows, err := a.annotated(ctx, &f.annotateFlags)
	if err != nil {
		return nil, err
	}
	out := map[string][]float64{}
	for row, err := range rows {
		if err != nil {
			return nil, err
		}
		d := winnow.Document{Text: row.Text, Language: row.Language}
		if d.Language == "" {
			if _, _, err := languages.Apply(ctx, &d); err != nil {
				return nil, err
			}
		}
		if v, ok := p.Of(d.Language, d.Text); ok {
			out[d.Language] = append(out[d.Language], float64(float32(v))) // as the ledger holds it
		}
	}
	return out, nil
}

// perplexitiesOf takes those that runs have measured, of dropped documents too.
func (a *app) perplexitiesOf(runs []string) (map[string][]float64, error) {
	out := map[string][]float64{}
	for _, name := range runs {
		folder, err := a.Find(name)
		if err != nil {
			return nil, err
		}
		at := signalAt(folder.Run, "quality.perplexity")
		if at < 0 {
			return nil, cli.Usage(a.Lang.T("run %s has measured no perplexity: give --model", "运行 %s 没有困惑度：请给出 --model"), folder.Run.ID)
		}
		for r, err := range folder.Rows() {
			if err != nil {
				return nil, err
			}
			if v := r.Doc.Signals[at]; winnow.Measured(v) {
				out[r.Doc.Language] = append(out[r.Doc.Language], float64(v))
			}
		}
	}
	return out, nil
}
