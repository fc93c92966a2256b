// Package bench measures winnow on real input: files go in, Figures come out. `winnow bench` prints them, and the tables of
// BENCHMARKS.md are what it prints.
//
// Times are of the processor, user and system, over all threads of the program, so that the garbage collector's part is in
// them and a busy machine disturbs them little; "a core" is one second of that time. MB is 1,000,000 bytes. A bench is one
// line in All, and a file here or a package beside.
package bench

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"winnow/bench/extraction"
	"winnow/bench/meter"
	"winnow/bench/quality"
)

// Bench is one thing to measure. Prepare reads what it needs, and returns what measures it once.
type Bench struct {
	Name    string
	EN, ZH  string // what it measures, in a phrase
	prepare func(context.Context, meter.Options) (meter.Once, error)
}

// All lists the benches. run comes first: its peak of memory is the program's since it began.
func All() []Bench {
	return []Bench{
		{"run", "a recipe from raw pages to parquet", "一份配方，从原始网页到 parquet", prepareRun},
		{"extract", "main text out of HTML", "从 HTML 提取正文", extraction.Prepare},
		{"filter", "the rules of each family", "各族过滤规则", prepareFilter},
		{"quality", "classifiers beside fastText, KenLM models; AUC on rows with a column label", "分类器（与 fastText 本身相比）、KenLM 模型；有 label 列时的 AUC", quality.Prepare},
		{"dedup", "MinHash signatures, grouping and clustering, spans", "MinHash 签名、分组与聚类、片段", prepareDedup},
		{"dedup-scale", "grouping and clustering out of core, on synthetic sketches (--docs)", "外存分组与聚类，合成签名（--docs）", prepareScale},
		{"tokenizer", "training a tokenizer and encoding by it", "训练分词器与编码", prepareTokenizer},
		{"kernels", "matrix products beside the peak of multiply-adds", "矩阵乘法与乘加峰值", prepareKernels},
		{"rephrase", "rephrasing by a server that answers at once: client, cache, guards", "改写：服务器即时应答时的客户端、缓存与防护", prepareRephrase},
		{"train", "steps of training", "训练步", prepareTrain},
		{"generate", "decoding, one stream and eight", "解码：单路与八路", prepareGenerate},
	}
}

// Run measures one bench and combines its repetitions. A name that All does not list is an *UnknownError.
func Run(ctx context.Context, name string, o meter.Options) ([]meter.Figure, error) {
	all := All()
	i := slices.IndexFunc(all, func(b Bench) bool { return b.Name == name })
	if i < 0 {
		return nil, &UnknownError{name}
	}
	o.Repeat = cmp.Or(o.Repeat, 1)
	o.Least = cmp.Or(o.Least, time.Second)
	o.Sample = cmp.Or(o.Sample, 32<<20)
	o.Docs, o.Memory = cmp.Or(o.Docs, 1_000_000), cmp.Or(o.Memory, 256<<20)
	measure, err := all[i].prepare(ctx, o)
	if err != nil {
		return nil, fmt.Errorf("bench %s: %w", name, err)
	}
	var runs [][]meter.Figure
	for range o.Repeat {
		figures, err := measure(ctx)
		if err != nil {
			return nil, fmt.Errorf("bench %s: %w", name, err)
		}
		runs = append(runs, figures)
	}
	return combine(name, runs), nil
}

// combine makes the median, least and greatest value of each figure.
func combine(bench string, runs [][]meter.Figure) []meter.Figure {
	out := slices.Clone(runs[0])
	for i := range out {
		values := make([]float64, len(runs))
		for k := range runs {
			values[k] = runs[k][i].Value
		}
		slices.Sort(values)
		middle := len(values) / 2
		f := &out[i]
		f.Bench, f.Runs = bench, len(values)
		if f.Interval {
			continue
		}
		f.Min, f.Value, f.Max = values[0], (values[(len(values)-1)/2]+values[middle])/2, values[len(values)-1]
	}
	return out
}

// UnknownError says that no bench has that name.
type UnknownError struct{ Name string }

func (e *UnknownError) Error() string {
	var names []string
	for _, b := range All() {
		names = append(names, b.Name)
	}
	return fmt.Sprintf("no bench is called %q; there are all, %s", e.Name, strings.Join(names, ", "))
}
