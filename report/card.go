package report

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"

	"winnow/shard"
	"winnow/shard/store"
)

// WriteFiles puts report.json and README.md, a dataset card that HuggingFace's tools read, into the run's folder. The
// licence stands there as unknown: whoever publishes the data must say it.
func (r *Report) WriteFiles(f *shard.Folder, recipe []byte) error {
	var j bytes.Buffer
	if err := r.JSON(&j); err != nil {
		return err
	}
	if err := f.Store.WriteFile(store.Join(f.Dir, "report.json"), j.Bytes()); err != nil {
		return err
	}
	return f.Store.WriteFile(store.Join(f.Dir, "README.md"), r.card(recipe))
}

func (r *Report) card(recipe []byte) []byte {
	var b bytes.Buffer
	b.WriteString("---\n")
	var languages []string
	for _, g := range r.By["language"] {
		if g.Kept.Documents > 0 && g.Key != "und" && g.Key != "-" {
			languages = append(languages, strconv.Quote(g.Key)) // no is Norwegian to us and false to YAML
		}
	}
	if len(languages) > 0 {
		fmt.Fprintf(&b, "language: [%s]\n", strings.Join(languages, ", "))
	}
	fmt.Fprintf(&b, "pretty_name: %q\nlicense: unknown\ntask_categories: [text-generation]\ntags: [winnow, web-crawl]\n", r.Run.Name)
	fmt.Fprintf(&b, "size_categories: [\"%s\"]\n", sizeCategory(r.Kept.Documents))
	b.WriteString("configs:\n  - config_name: default\n    data_files: data/*.parquet\n    default: true\n  - config_name: ledger\n    data_files: ledger/*.parquet\n---\n\n")
	fmt.Fprintf(&b, "# %s\n\n", r.Run.ID)
	b.WriteString("| | |\n|---|---|\n")
	b.WriteString("| data/ | kept documents, in FineWeb's columns · 保留的文档 |\n")
	b.WriteString("| ledger/ | one row for every document read: sizes, signals, verdict · 每篇读入文档一行：大小、度量、裁决 |\n")
	b.WriteString("| dropped/ | texts of dropped documents (" + r.Run.Dropped + ") · 被丢弃文档的文本 |\n")
	b.WriteString("| report.html, report.json | the report with charts and examples, and for machines · 带图表与样例的报告，及其机器可读版 |\n")
	b.WriteString("| run.json | inputs, stages, bounds, totals · 输入、阶段、界限、总数 |\n")
	b.WriteString("| tasks/, sketches/ | what resuming and later runs need; may be deleted · 续跑与后续运行所需，可删 |\n\n")
	_ = r.Markdown(&b, Page{Lang: EN}) // a bytes.Buffer takes everything
	b.WriteString("\n## recipe\n\n```yaml\n" + strings.TrimRight(string(recipe), "\n") + "\n```\n")
	return b.Bytes()
}

func sizeCategory(n int64) string {
	switch {
	case n < 1_000:
		return "n<1K"
	case n < 10_000:
		return "1K<n<10K"
	case n < 100_000:
		return "10K<n<100K"
	case n < 1_000_000:
		return "100K<n<1M"
	case n < 10_000_000:
		return "1M<n<10M"
	case n < 100_000_000:
		return "10M<n<100M"
	case n < 1_000_000_000:
		return "100M<n<1B"
	case n < 10_000_000_000:
		return "1B<n<10B"
	case n < 100_000_000_000:
		return "10B<n<100B"
	case n < 1_000_000_000_000:
		return "100B<n<1T"
	}
	return "n>1T"
}
