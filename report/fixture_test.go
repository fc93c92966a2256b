package report

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"winnow"
	"winnow/shard"
)

// The fixture's stages: extraction, two rules with a bound for Chinese of its own, one that no document can be measured by,
// one that all meet; then near duplicates.
func fixtureRun(id string, words float32) *shard.Run {
	any := shard.Bound(winnow.Any)
	return &shard.Run{
		ID: id, Name: "fixture", Program: "test", Recipe: "00112233445566778899", State: shard.Done, Dropped: "all",
		Started: "2026-11-23T10:00:00Z", Finished: "2026-11-23T10:01:00Z",
		Inputs: []shard.Input{{File: "crawl.warc.gz", Bytes: 123456}},
		Stages: []shard.StageInfo{
			{Label: "extract", Name: "extract", Kind: "each", Version: "extract/1 min_chars=100", Seconds: 1.5,
				Signals: shard.Signals{{ID: "extract.chars", EN: "main text", ZH: "正文", Default: winnow.Any}}},
			{Label: "filter", Name: "filter", Kind: "judged", Version: "filter/1", Seconds: .5, First: 1, Signals: shard.Signals{
				{ID: "gopher.words", EN: "words", ZH: "词数", Default: winnow.AtLeast(50)},
				{ID: "gopher.stop_words", EN: "stop words", ZH: "停用词", Default: winnow.AtLeast(2)},
				{ID: "zh.han_ratio", EN: "share of Han", ZH: "汉字占比", Default: winnow.AtLeast(.3)},
				{ID: "c4.lorem_ipsum", EN: "lorem ipsum", ZH: "乱数假文", Default: winnow.AtMost(0)}}},
			{Label: "dedup", Name: "dedup", Kind: "corpus", Version: "minhash/1", First: 5, Seconds: .25},
		},
		Bounds: map[string]map[string]shard.Bound{
			"extract.chars":     {"": any},
			"gopher.words":      {"": {Min: words, Max: any.Max}, "zh": {Min: 30, Max: any.Max}},
			"gopher.stop_words": {"": {Min: 2, Max: any.Max}},
			"zh.han_ratio":      {"ja": {Min: .3, Max: any.Max}},
			"c4.lorem_ipsum":    {"": {Min: any.Min, Max: 0}},
		},
		Spent: map[string]float64{"read": .125, "write": .0625},
		Lost:  []shard.Lost{{File: "crawl.warc.gz", Offset: 99, Bytes: 12, Rule: "error.gzip", Error: "unexpected EOF"}},
		Dedup: map[string]string{"dedup": "14 bands of 8 rows"},
	}
}

// fixtureRow is the i-th of the fixture's documents as a run with this lower bound of words leaves it. Markup in URLs and
// texts is there to be escaped.
func fixtureRow(i int, run *shard.Run) *shard.Row {
	lang, text := "en", fmt.Sprintf("The story number %d <script>alert(1)</script> of a lighthouse.", i)
	if i%2 == 1 {
		lang, text = "zh", fmt.Sprintf("第 %d 篇 <img src=http://x.example/y> 灯塔的故事。", i)
	}
	r := &shard.Row{Seq: i, DropStage: shard.Alive, EditStage: shard.NoStage, FieldStage: shard.NoStage}
	r.Doc = winnow.Document{ID: fmt.Sprintf("doc-%03d", i), URL: fmt.Sprintf("https://site-%d.example/%d?<b>", i%3, i), Dump: "CC-TEST",
		File: "crawl.warc.gz", Language: lang, LangScore: .9, TokenCount: int64(20 + i), RawBytes: int64(1000 + i), Text: text,
		Signals: []float32{float32(90 + 10*i), float32(20 + 2*i), float32(i % 7), winnow.NotMeasured, 0}}
	r.Chars, r.Bytes = int64(len([]rune(text))*(1+i)), int64(len(text)*(1+i))
	drop := func(stage int, rule string, value float32, bound winnow.Bound, detail string) {
		r.DropStage = stage
		r.Verdict = winnow.Verdict{Drop: true, Rule: rule, Value: value, Bound: bound, Detail: detail, Stage: "read"}
		if stage >= 0 {
			r.Verdict.Stage = run.Stages[stage].Label
		}
	}
	j := NewJudge(run)
	switch broken := j.Broken(r); {
	case i == 3:
		r.Doc.Language, r.Doc.Signals = "", nil
		drop(shard.AtRead, "error.truncated", winnow.NotMeasured, winnow.Any, "unexpected EOF")
	case i == 4 || i == 8:
		r.Doc.Signals = []float32{5}
		drop(0, "extract.min_chars", 5, winnow.Any, "")
	case len(broken) > 0:
		drop(1, broken[0].Rule, broken[0].Value, broken[0].Bound, "\"<i>line</i>\"")
	case i%10 >= 7:
		r.Cluster, r.ClusterSize, r.Similarity = fmt.Sprintf("doc-%03d", i-i%10+7), 3, 1
		if i%10 > 7 {
			drop(2, "dedup.near", .9, winnow.Any, r.Cluster)
		}
	}
	for len(r.Doc.Signals) < 5 {
		r.Doc.Signals = append(r.Doc.Signals, winnow.NotMeasured)
	}
	return r
}

// fixture writes a run's folder of n documents in two files.
func fixture(t testing.TB, id string, words float32, n int) *shard.Folder {
	t.Helper()
	run := fixtureRun(id, words)
	dir := filepath.Join(t.TempDir(), id)
	for k, span := range [][2]int{{0, n / 2}, {n / 2, n}} {
		name := fmt.Sprintf("%05d.parquet", k)
		var signals []winnow.Signal
		for _, s := range run.Stages {
			signals = append(signals, s.Signals...)
		}
		ledger, err := shard.NewLedgerWriter(create(t, dir, "ledger", name), signals, nil)
		check1(t, err)
		data := shard.NewDataWriter(create(t, dir, "data", name), nil)
		dropped := shard.NewDroppedWriter(create(t, dir, "dropped", name), nil)
		for i := span[0]; i < span[1]; i++ {
			row := fixtureRow(i, run)
			check1(t, ledger.Write(row))
			if row.Verdict.Drop {
				check1(t, dropped.Write(row))
			} else {
				check1(t, data.Write(&row.Doc))
			}
		}
		check1(t, ledger.Close())
		check1(t, data.Close())
		check1(t, dropped.Close())
	}
	check1(t, shard.WriteRun(nil, dir, run))
	f, err := shard.Open(nil, dir)
	check1(t, err)
	return f
}

func create(t testing.TB, dir, kind, name string) *os.File {
	check1(t, os.MkdirAll(filepath.Join(dir, kind), 0o755))
	f, err := os.Create(filepath.Join(dir, kind, name))
	check1(t, err)
	t.Cleanup(func() { f.Close() })
	return f
}

func check1(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
