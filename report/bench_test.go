package report

import (
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"winnow"
	"winnow/shard"
)

// bigRun writes a ledger of n documents with 40 signals, 30 of them rules, two in three dropped, without texts.
func bigRun(b *testing.B, n int) *shard.Folder {
	b.Helper()
	dir := b.TempDir()
	run := &shard.Run{ID: "big", Stages: []shard.StageInfo{{Label: "filter", Name: "filter"}, {Label: "dedup", Name: "dedup", First: 40}}, Bounds: map[string]map[string]shard.Bound{}}
	for i := range 40 {
		id := fmt.Sprintf("bench.s%d", i)
		run.Stages[0].Signals = append(run.Stages[0].Signals, winnow.Signal{ID: id})
		if i < 30 {
			run.Bounds[id] = map[string]shard.Bound{"": shard.Bound(winnow.AtMost(.97)), "zh": shard.Bound(winnow.AtMost(.98))}
		}
	}
	check1(b, os.Mkdir(filepath.Join(dir, "ledger"), 0o755))
	f, err := os.Create(filepath.Join(dir, "ledger", "00000.parquet"))
	check1(b, err)
	defer f.Close()
	w, err := shard.NewLedgerWriter(f, run.Stages[0].Signals, nil)
	check1(b, err)
	random := rand.New(rand.NewPCG(1, 2))
	r := &shard.Row{}
	for i := range n {
		r.Doc = winnow.Document{ID: fmt.Sprintf("<urn:uuid:%032x>", i*7919), URL: fmt.Sprintf("https://site%d.example/%d.html", i%50_000, i), Dump: "CC",
			File: "a.warc.gz", Language: []string{"en", "zh", "de"}[i%3], TokenCount: 500, RawBytes: 20_000, Signals: r.Doc.Signals[:0]}
		r.Chars, r.Bytes = int64(random.IntN(20_000)), 4000
		r.Verdict = winnow.Verdict{}
		for k := range 40 {
			v := float32(random.IntN(1024)) / 1024
			r.Doc.Signals = append(r.Doc.Signals, v)
			if k < 30 && v > .98 && !r.Verdict.Drop {
				r.Verdict = winnow.Verdict{Drop: true, Stage: "filter", Rule: run.Stages[0].Signals[k].ID, Value: v, Bound: winnow.AtMost(.97)}
			}
		}
		r.Cluster, r.ClusterSize = "", 0
		if !r.Verdict.Drop && i%4 == 0 {
			r.Cluster, r.ClusterSize = fmt.Sprintf("<urn:uuid:%032x>", i/40), 10
		}
		check1(b, w.Write(r))
	}
	check1(b, w.Close())
	check1(b, shard.WriteRun(nil, dir, run))
	folder, err := shard.Open(nil, dir)
	check1(b, err)
	return folder
}

// BenchmarkReport is what `winnow report` does on a ledger of a million documents.
func BenchmarkReport(b *testing.B) {
	const n = 1_000_000
	f := bigRun(b, n)
	documents := func(b *testing.B) {
		b.ReportMetric(float64(b.N)*n/b.Elapsed().Seconds(), "docs/s")
	}
	b.Run("text", func(b *testing.B) {
		for b.Loop() {
			r, err := New(f)
			check1(b, err)
			check1(b, r.Text(io.Discard, Page{Lang: EN}))
		}
		documents(b)
	})
	b.Run("evidence", func(b *testing.B) {
		r, err := New(f)
		check1(b, err)
		for b.Loop() {
			_, err := r.Evidence(f, 16, 3)
			check1(b, err)
		}
		documents(b)
	})
	b.Run("diff", func(b *testing.B) {
		for b.Loop() {
			_, err := NewDiff(f, f, 5)
			check1(b, err)
		}
		documents(b)
	})
	b.Run("lines", func(b *testing.B) { // reading alone
		for b.Loop() {
			for _, err := range lines(f) {
				check1(b, err)
			}
		}
		documents(b)
	})
	b.Run("rows", func(b *testing.B) { // for comparison: whole rows, as explain reads them
		for b.Loop() {
			for _, err := range f.Rows() {
				check1(b, err)
			}
		}
		documents(b)
	})
}
