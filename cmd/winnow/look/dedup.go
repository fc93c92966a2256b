package look

import (
	"bytes"
	"context"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"winnow"
	"winnow/cmd/winnow/cli"
	"winnow/dedup"
	"winnow/pipelines"
	"winnow/pipelines/engine"
	"winnow/report"
	"winnow/shard"
)

func (a *app) dedupCmd() *cobra.Command {
	cmd := &cobra.Command{Use: "dedup", Short: a.Lang.T("look up near-duplicates in a run", "在一次运行中查找近似重复文档")}
	cmd.AddCommand(a.dedupQueryCmd())
	return cmd
}

func (a *app) dedupQueryCmd() *cobra.Command {
	var n int
	cmd := &cobra.Command{
		Use: "query [RUN] FILE|-", Args: cli.ExactArgs(1, 2),
		Short: a.Lang.T("which documents of a run are near-duplicates of these texts", "一次运行中哪些文档与给定文本近似重复"),
		Long: a.Lang.T(`Which documents of a run are near-duplicates of a text: a file (- for stdin), or each row of .jsonl and .parquet files.
The run's stored MinHash sketches go into an index in memory, about 2 KB a document; where the run stored texts, the hits are
compared exactly as well.`,
			`一次运行中哪些文档与给定文本近似重复：文件（- 为标准输入），或 .jsonl、.parquet 文件的每一行。
该运行已存的 MinHash 签名载入内存索引，每篇约 2 KB；若该运行存了文本，则再作精确比较。`),
		RunE: func(cmd *cobra.Command, args []string) error {
			run := ""
			if len(args) == 2 {
				run = args[0]
			}
			f, err := a.Find(run)
			if err != nil {
				return err
			}
			return a.dedupQuery(cmd.Context(), f, args[len(args)-1], n)
		},
	}
	cmd.Flags().IntVarP(&n, "n", "n", 10, a.Lang.T("hits for each text", "每段文本列出的结果数"))
	return cmd
}

// nearStage is the first MinHash stage of a run's recipe; nil where it has none.
func nearStage(f *shard.Folder) (*dedup.Near, error) {
	p, err := pipelines.Reopen(f, cli.Version())
	if err != nil {
		return nil, err
	}
	defer p.Close()
	for _, s := range p.Steps {
		if n := dedup.NearOf(s.Stage); n != nil {
			return n, nil
		}
	}
	return nil, nil
}

func (a *app) dedupQuery(ctx context.Context, f *shard.Folder, path string, n int) error {
	near, err := nearStage(f)
	if err != nil {
		return err
	}
	if near == nil {
		return cli.Usage(a.Lang.T("run %s has no stage `dedup: {method: minhash}`", "运行 %s 没有 `dedup: {method: minhash}` 阶段"), f.Run.ID)
	}
	index, ids := dedup.NewIndex(near), []string{}
	for s, err := range engine.Sketches(f.Store, f.Dir, near.Layout()) {
		if err != nil {
			return err
		}
		index.Add(s.Bands, s.Rank)
		ids = append(ids, s.Rank.ID)
	}
	index.Seal()
	if ext := filepath.Ext(path); !slices.Contains([]string{".jsonl", ".parquet", ".gz", ".zst"}, ext) {
		b, err := a.readArg(path)
		if err != nil {
			return err
		}
		return a.hits(f, near, index, ids, &winnow.Document{ID: path, Text: string(bytes.ToValidUTF8(b, []byte("\uFFFD")))}, n)
	}
	for d, err := range pipelines.Documents(ctx, []string{path}) {
		if err != nil {
			return err
		}
		if err := a.hits(f, near, index, ids, d, n); err != nil {
			return err
		}
	}
	return nil
}

// hits tells of the documents that are like d.
func (a *app) hits(f *shard.Folder, near *dedup.Near, index *dedup.Index, ids []string, d *winnow.Document, n int) error {
	hits, err := index.Query(d)
	if err != nil {
		return err
	}
	if !a.JSON {
		fmt.Fprintf(a.Out, a.Lang.T("%s: %d near-duplicates\n", "%s：近似重复 %d 篇\n"), d.ID, len(hits))
	}
	for _, h := range hits[:min(len(hits), n)] {
		e, err := report.Explain(f, ids[h.Number])
		if err != nil {
			return err
		}
		o := object{}
		o.add("query", d.ID)
		o.add("id", e.Row.Doc.ID)
		o.add("url", e.Row.Doc.URL)
		o.add("kept", !e.Row.Verdict.Drop)
		o.add("estimated", h.Similarity)
		exact := ""
		if e.Row.Doc.Text != "" {
			j := near.Jaccard(d, &e.Row.Doc)
			o.add("exact", j)
			exact = fmt.Sprintf(a.Lang.T(", exact %.3f", "，精确 %.3f"), j)
		}
		if a.JSON {
			if err := a.Line(o); err != nil {
				return err
			}
			continue
		}
		state := a.Lang.T("kept", "保留")
		if e.Row.Verdict.Drop {
			state = e.Row.Verdict.Rule
		}
		fmt.Fprintf(a.Out, a.Lang.T("  estimated %.3f%s  %s  %s  %s\n", "  估计 %.3f%s  %s  %s  %s\n"), h.Similarity, exact, state, e.Row.Doc.ID, e.Row.Doc.URL)
	}
	return nil
}

// exactly compares a duplicate with its survivor, where both texts are stored.
func exactly(f *shard.Folder, e *report.Explanation) error {
	if e.Other == nil || e.Row.Doc.Text == "" || e.Other.Doc.Text == "" {
		return nil
	}
	near, err := nearStage(f)
	if err != nil {
		return err
	}
	if near == nil {
		c, err := dedup.New(dedup.Options{Method: dedup.MinHash})
		if err != nil {
			return err
		}
		near = dedup.NearOf(c)
	}
	j := near.Jaccard(&e.Row.Doc, &e.Other.Doc)
	e.Exact = &j
	return nil
}
