package look

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"

	"github.com/spf13/cobra"

	"winnow"
	"winnow/cmd/winnow/cli"
	"winnow/report"
	"winnow/report/page"
	"winnow/shard"
)

func (a *app) reportCmd() *cobra.Command {
	var o reportOptions
	cmd := &cobra.Command{
		Use: "report [RUN [RUN2]]", Args: cli.ExactArgs(0, 2),
		Short: a.Lang.T("what was retained, stage by stage and rule by rule; what changed between two runs", "逐级、逐规则的保留报告；两次运行之间的变化"),
		Long: a.Lang.T(`What a run retained, in documents, characters, bytes and tokens: stage by stage, by rule, language, domain, source and length.
With two runs, what changed from the first to the second: bounds, stages, counts, documents gained and lost.
  winnow report --html -o report.html     one file with charts and examples; needs no network
  winnow report A B --format md           for a pull request
The same numbers by SQL: duckdb -c "SELECT rule, count(*) FROM 'runs/RUN/ledger/*.parquet' GROUP BY 1"`,
			`一次运行保留了多少：按篇、字符、字节、token；逐级，并按规则、语言、域名、来源、长度。
给出两次运行时，报告从前者到后者的变化：界限、阶段、数量、增加与减少的文档。
  winnow report --html -o report.html     含图表与样例的单个文件，无需网络
  winnow report A B --format md           用于合并请求
也可用 SQL：duckdb -c "SELECT rule, count(*) FROM 'runs/RUN/ledger/*.parquet' GROUP BY 1"`),
		RunE: func(_ *cobra.Command, args []string) error { return a.report(args, o) },
	}
	fl := cmd.Flags()
	fl.StringVar(&o.by, "by", "", a.Lang.T("one slice alone: language, domain, topic, source, dump, length", "只看一种切分：language、domain、topic、source、dump、length"))
	fl.StringVar(&o.format, "format", "text", "text, md, json, html")
	fl.BoolVar(&o.html, "html", false, a.Lang.T("the same as --format html", "同 --format html"))
	fl.StringVarP(&o.out, "out", "o", "", a.Lang.T("write to this file instead of stdout", "写入此文件，而非标准输出"))
	fl.BoolVar(&o.clusters, "clusters", false, a.Lang.T("the largest clusters of duplicates, with samples; --top says how many", "最大的重复簇及样例；簇数由 --top 指定"))
	fl.IntVar(&o.top, "top", 0, a.Lang.T("rows of long tables", "长表的行数"))
	return cmd
}

// reportOptions are the flags of report.
type reportOptions struct {
	by, format, out string
	html, clusters  bool
	top             int
}

// diffSamples is how many documents gained, and how many lost, a comparison shows.
const diffSamples = 12

func (a *app) report(args []string, o reportOptions) error {
	if o.html {
		o.format = "html"
	} else if a.JSON {
		o.format = "json"
	}
	if o.by != "" && !slices.Contains(report.Slices, o.by) {
		return cli.Usage(a.Lang.T("--by %s: write one of %v", "--by %s：应为 %v 之一"), o.by, report.Slices)
	}
	if o.by != "" && (o.format == "html" || len(args) == 2) {
		return cli.Usage(a.Lang.T("--by %s: text and md of one run alone have slices", "--by %s：只有单个运行的 text 与 md 才有切分"), o.by)
	}
	if !slices.Contains([]string{"text", "md", "json", "html"}, o.format) {
		return cli.Usage(a.Lang.T("--format %s: write text, md, json or html", "--format %s：应写 text、md、json 或 html"), o.format)
	}
	f, err := a.Find(cli.Arg(args, 0))
	if err != nil {
		return err
	}
	var write func(io.Writer) error
	switch {
	case o.clusters:
		if len(args) == 2 || o.format != "text" && o.format != "json" {
			return cli.Usage("%s", a.Lang.T("--clusters lists those of one run, as text or json", "--clusters 只列出单个运行的簇，格式为 text 或 json"))
		}
		list, err := report.Clusters(f, cmp.Or(o.top, 20))
		if err != nil {
			return err
		}
		write = func(w io.Writer) error { return report.WriteClusters(w, list, a.Lang) }
		if o.format == "json" {
			write = func(w io.Writer) error { return report.ClustersJSON(w, list) }
		}
	case len(args) == 2:
		other, err := a.Find(args[1])
		if err != nil {
			return err
		}
		d, err := report.NewDiff(f, other, diffSamples)
		if err != nil {
			return err
		}
		write = a.diffWriter(d, o)
	default:
		r, err := report.New(f)
		if err != nil {
			return err
		}
		write = a.reportWriter(f, r, o)
	}
	if o.out == "" || o.out == "-" {
		return write(a.Out)
	}
	var b bytes.Buffer
	if err := write(&b); err != nil {
		return err
	}
	return os.WriteFile(o.out, b.Bytes(), 0o644)
}

func (a *app) reportWriter(f *shard.Folder, r *report.Report, o reportOptions) func(io.Writer) error {
	switch p := (report.Page{Lang: a.Lang, By: o.by, Top: o.top}); o.format {
	case "json":
		return r.JSON
	case "md":
		return func(w io.Writer) error { return r.Markdown(w, p) }
	case "html":
		return func(w io.Writer) error { return page.Write(w, f, r, a.Lang) }
	default:
		return func(w io.Writer) error { return r.Text(w, p) }
	}
}

func (a *app) diffWriter(d *report.Diff, o reportOptions) func(io.Writer) error {
	switch p := (report.Page{Lang: a.Lang, Top: o.top}); o.format {
	case "json":
		return d.JSON
	case "md":
		return func(w io.Writer) error { return d.Markdown(w, p) }
	case "html":
		return func(w io.Writer) error { return page.Compare(w, d, a.Lang) }
	default:
		return func(w io.Writer) error { return d.Text(w, p) }
	}
}

func (a *app) sampleCmd() *cobra.Command {
	var p report.Pick
	var grep, run string
	cmd := &cobra.Command{
		Use: "sample [RUN]", Args: cli.ExactArgs(0, 1),
		Short: a.Lang.T("read documents that were dropped, or kept", "阅读被丢弃（或保留）的文档"),
		RunE: func(_ *cobra.Command, args []string) (err error) {
			if grep != "" {
				if p.Grep, err = regexp.Compile(grep); err != nil {
					return cli.Usage(a.Lang.T("--grep: %v", "--grep：%v"), err)
				}
			}
			f, err := a.Find(cli.Arg(append(args, run), 0))
			if err != nil {
				return err
			}
			p.Seed = f.Run.Seed
			rows, err := report.Sample(f, p)
			if err != nil {
				return err
			}
			if len(rows) == 0 && f.Run.Dropped != "all" && !p.Kept {
				return cli.NotStored(f)
			}
			return a.show(rows)
		},
	}
	fl := cmd.Flags()
	fl.StringVar(&p.Rule, "rule", "", a.Lang.T("dropped by this rule, or by any rule of this family", "被此规则（或此族任一规则）丢弃的"))
	fl.StringVar(&p.ID, "id", "", a.Lang.T("this document, by id or URL", "指定文档：id 或 URL"))
	fl.BoolVar(&p.Kept, "kept", false, a.Lang.T("kept documents", "保留的文档"))
	fl.BoolVar(&p.Near, "near", false, a.Lang.T("nearest to the bound first", "离界限最近的在前"))
	fl.IntVarP(&p.N, "n", "n", 10, a.Lang.T("how many", "篇数"))
	fl.StringVar(&grep, "grep", "", a.Lang.T("text must match this regular expression", "文本须匹配此正则表达式"))
	return cmd
}

func (a *app) show(rows []*shard.Row) error {
	for i, row := range rows {
		if a.JSON {
			o := object{}
			o.add("id", row.Doc.ID)
			o.add("url", row.Doc.URL)
			o.add("language", row.Doc.Language)
			o.add("kept", !row.Verdict.Drop)
			if row.Verdict.Drop {
				o.add("stage", row.Verdict.Stage)
				o.add("rule", row.Verdict.Rule)
				o.add("value", finite(row.Verdict.Value))
				o.add("detail", row.Verdict.Detail)
			}
			o.add("text", row.Doc.Text)
			if err := a.Line(o); err != nil {
				return err
			}
			continue
		}
		if i > 0 {
			fmt.Fprintln(a.Out)
		}
		fmt.Fprintf(a.Out, "--- %s  %s  %s", row.Doc.ID, row.Doc.URL, row.Doc.Language)
		if row.Verdict.Drop {
			fmt.Fprintf(a.Out, "  %s %v", row.Verdict.Rule, finite(row.Verdict.Value))
		}
		fmt.Fprintf(a.Out, "\n%s\n", row.Doc.Text)
	}
	return nil
}

// finite is a value for JSON, which has no NaN.
func finite(v float32) any {
	if v != v {
		return nil
	}
	return v
}

func (a *app) explainCmd() *cobra.Command {
	var recipe, run string
	cmd := &cobra.Command{
		Use: "explain [RUN] ID|URL | --recipe RECIPE FILE|-", Args: cli.ExactArgs(1, 2),
		Short: a.Lang.T("why one document was kept or dropped", "某篇文档为何保留或丢弃"),
		Long: a.Lang.T(`Why one document was kept or dropped: rule, value, bound, evidence; what else it fails, and what it passes by the least.
With --recipe, one page or text in a file (- for stdin) is sent through the recipe's stages, and each step is told.`,
			`某篇文档为何保留或丢弃：规则、值、界限、证据；还违反了什么，又差一点违反什么。
用 --recipe 时，把文件（- 为标准输入）中的一个网页或一段文本逐级送过配方各阶段。`),
		RunE: func(cmd *cobra.Command, args []string) error {
			if recipe != "" {
				return a.trace(cmd.Context(), recipe, args[len(args)-1])
			}
			if len(args) == 2 {
				run = args[0]
			}
			f, err := a.Find(run)
			if err != nil {
				return err
			}
			e, err := report.Explain(f, args[len(args)-1])
			if err == nil {
				err = exactly(f, e)
			}
			if err != nil {
				return err
			}
			if a.JSON {
				return a.Line(explanation(f.Run, e))
			}
			_, err = fmt.Fprint(a.Out, e.Text(a.Lang))
			return err
		},
	}
	cmd.Flags().StringVar(&recipe, "recipe", "", a.Lang.T("send a file through this recipe instead", "改为把文件送过此配方"))
	return cmd
}

// explanation is the ledger row with what it breaks and what it meets by the least.
func explanation(run *shard.Run, e *report.Explanation) object {
	var signals []winnow.Signal
	for _, s := range run.Stages {
		signals = append(signals, s.Signals...)
	}
	o := ledgerObject(e.Row, signals)
	broken, closest := []object{}, []object{}
	for _, b := range e.Broken {
		broken = append(broken, judged(b.Stage, b.Rule, b.Value, b.Bound))
	}
	for _, m := range e.Close {
		closest = append(closest, judged("", m.Rule, m.Value, m.Bound))
	}
	o.add("breaks", broken)
	o.add("meets", closest)
	o.add("text", e.Row.Doc.Text)
	if e.Origin != nil {
		o.add("origin_url", e.Origin.Doc.URL)
		o.add("origin_text", e.Origin.Doc.Text)
	}
	if e.Other != nil {
		o.add("survivor_url", e.Other.Doc.URL)
		o.add("survivor_text", e.Other.Doc.Text)
	}
	if e.Run != "" {
		o.add("survivor_run", e.Run)
	}
	if e.Exact != nil {
		o.add("exact_similarity", *e.Exact)
	}
	return o
}

func judged(stage, rule string, value float32, b winnow.Bound) (o object) {
	if stage != "" {
		o.add("stage", stage)
	}
	o.add("rule", rule)
	o.add("value", finite(value))
	o.add("min", side(b.Min))
	o.add("max", side(b.Max))
	return o
}

// readArg reads a file, or stdin for "-".
func (a *app) readArg(path string) ([]byte, error) {
	if path == "-" {
		return io.ReadAll(a.In)
	}
	return os.ReadFile(path)
}
