// Package bench measures winnow on real input: files go in, Figures come out. `winnow bench` prints them, and the tables of
// BENCHMARKS.md are what it prints.
//
// Times are of the processor, user and system, over all threads of the program, so that the garbage collector's part is in
// them and a busy machine disturbs them little; "a core" is one second of that time. MB is 1,000,000 bytes. A bench is one
// file, and one line in All.
package bench

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Figure is one measured number.
type Figure struct {
	Bench string  `json:"bench"`
	Name  string  `json:"name"`
	Unit  string  `json:"unit"`
	Value float64 `json:"value"` // median over the repetitions
	Min   float64 `json:"min"`
	Max   float64 `json:"max"`
	Runs  int     `json:"runs"` // repetitions

	Interval bool `json:"interval,omitempty"` // Min and Max are a 95 % interval of Value, which does not vary
}

// Options say what is measured on. The zero Options stand for the defaults.
type Options struct {
	Inputs  []string      // files, folders or globs of any kind that a recipe reads; none: samples/*.warc.gz
	Recipe  string        // of the bench run; quickstart
	Repeat  int           // repetitions; 1
	Least   time.Duration // what is small is worked off again until one repetition took this time of the processor; 1 s
	Sample  int64         // bytes of HTML that benches take out of the input, other than run, which takes all; 32 MiB
	Program string        // version of the program, for the bench run
	Docs    int           // documents of the bench dedup-scale; 1 million
	Memory  int64         // bytes in which dedup and dedup-scale sort; 256 MiB
	Answers []string      // command that calls Answers, for the bench rephrase; none: in this process
}

// Bench is one thing to measure. Prepare reads what it needs, and returns what measures it once.
type Bench struct {
	Name    string
	EN, ZH  string // what it measures, in a phrase
	prepare func(context.Context, Options) (once, error)
}

// once measures one repetition. Name, Unit and Value of its figures are set, and the same from call to call but for Value.
type once func(context.Context) ([]Figure, error)

// All lists the benches. run comes first: its peak of memory is the program's since it began.
func All() []Bench {
	return []Bench{
		{"run", "a recipe from raw pages to parquet", "一份配方，从原始网页到 parquet", prepareRun},
		{"extract", "main text out of HTML", "从 HTML 提取正文", prepareExtract},
		{"filter", "the rules of each family", "各族过滤规则", prepareFilter},
		{"quality", "classifiers beside fastText, KenLM models; AUC on rows with a column label", "分类器（与 fastText 本身相比）、KenLM 模型；有 label 列时的 AUC", prepareQuality},
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
func Run(ctx context.Context, name string, o Options) ([]Figure, error) {
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
	var runs [][]Figure
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
func combine(bench string, runs [][]Figure) []Figure {
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

// perPass calls pass until it took Least in all, and gives the seconds of the processor that one call takes. The first call
// does not count: it loads dictionaries and fills pools.
func (o *Options) perPass(ctx context.Context, pass func() error) (float64, error) {
	if err := pass(); err != nil {
		return 0, err
	}
	begin := ProcessorTime()
	for n := 1; ; n++ {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		if err := pass(); err != nil {
			return 0, err
		}
		if took := ProcessorTime() - begin; took >= o.Least {
			return took.Seconds() / float64(n), nil
		}
	}
}

// rate is n/seconds in millions where n counts bytes.
func rate(n int64, seconds float64) float64 { return float64(n) / 1e6 / seconds }

func sum(list []float64) (s float64) {
	for _, x := range list {
		s += x
	}
	return s
}

// middle is the median; it sorts the list.
func middle(list []float64) float64 {
	slices.Sort(list)
	return list[len(list)/2]
}
