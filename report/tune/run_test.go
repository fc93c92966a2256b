package tune

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"winnow"
	"winnow/filter"
	"winnow/shard"
)

// hostile is a text that must never become markup.
const hostile = `</pre><script>alert("x")</script> & <b>bold</b>`

// newRun writes a run's folder: n documents, of which every tenth did not reach the filter stage.
func newRun(t testing.TB, n int) *shard.Folder {
	t.Helper()
	stage, err := filter.New(filter.Options{Use: []string{"gopher", "fineweb", "zh.han_ratio"}})
	if err != nil {
		t.Fatal(err)
	}
	score := winnow.Signal{ID: "language.score", EN: "score", ZH: "分", Default: winnow.Any}
	run := &shard.Run{ID: "made-1", Name: "made", State: shard.Done, Seed: 7, Dropped: "all", Bounds: map[string]map[string]shard.Bound{},
		Stages: []shard.StageInfo{{Label: "language", Name: "language", Kind: "judged", Signals: shard.Signals{score}},
			{Label: "filter", Name: "filter", Kind: "judged", Signals: stage.Signals(), First: 1}, {Label: "dedup", Name: "dedup", Kind: "corpus"}}}
	for rule, byLang := range stage.Table() {
		run.Bounds[rule] = map[string]shard.Bound{}
		for lang, b := range byLang {
			run.Bounds[rule][lang] = shard.Bound(b)
		}
	}
	dir := t.TempDir()
	if err := shard.WriteRun(nil, dir, run); err != nil {
		t.Fatal(err)
	}
	writeRows(t, dir, stage, score, n)
	f, err := shard.Open(nil, dir)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func writeRows(t testing.TB, dir string, stage *filter.Stage, score winnow.Signal, n int) {
	t.Helper()
	var files []*os.File
	for _, folder := range []string{"ledger", "data", "dropped"} {
		if err := os.Mkdir(filepath.Join(dir, folder), 0o755); err != nil {
			t.Fatal(err)
		}
		f, err := os.Create(filepath.Join(dir, folder, "00000.parquet"))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		files = append(files, f)
	}
	ledger, err := shard.NewLedgerWriter(files[0], append([]winnow.Signal{score}, stage.Signals()...), nil)
	if err != nil {
		t.Fatal(err)
	}
	data, dropped := shard.NewDataWriter(files[1], nil), shard.NewDroppedWriter(files[2], nil)
	random := rand.New(rand.NewPCG(1, 2))
	for i := range n {
		row := randomRow(random, stage, i)
		check(t, ledger.Write(row))
		if row.Verdict.Drop {
			check(t, dropped.Write(row))
		} else {
			check(t, data.Write(&row.Doc))
		}
	}
	check(t, ledger.Close())
	check(t, data.Close())
	check(t, dropped.Close())
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// randomRow has values about the bounds of its language.
func randomRow(random *rand.Rand, stage *filter.Stage, i int) *shard.Row {
	lang := []string{"en", "zh", "de"}[random.IntN(3)]
	row := &shard.Row{Chars: int64(random.IntN(5000)), DropStage: shard.Alive, EditStage: shard.NoStage}
	row.Doc = winnow.Document{ID: fmt.Sprintf("doc-%d", i), URL: fmt.Sprintf("https://www.site%d.example/%d", i%7, i), Language: lang,
		Text: fmt.Sprintf("%s text %d\n%s", lang, i, hostile), TokenCount: int64(random.IntN(900))}
	row.Doc.Signals = []float32{.9}
	for _, s := range stage.Signals() {
		v := float32(random.NormFloat64()*.3 + .3)
		if b := stage.Table().Of(s.ID, lang); b.Min > 1 && !math.IsInf(float64(b.Min), 0) {
			v = float32(math.Round(float64(b.Min) * (1 + random.ExpFloat64() - .05)))
		} else if !b.Open() && random.IntN(20) > 0 { // mostly kept
			v = min(max(v, b.Min), b.Max)
		}
		if random.IntN(10) == 0 {
			v = winnow.NotMeasured
		}
		row.Doc.Signals = append(row.Doc.Signals, v)
	}
	row.Verdict = stage.Judge(lang, row.Doc.Signals[1:])
	row.Verdict.Stage = "filter"
	switch {
	case i%10 == 9:
		for k := range row.Doc.Signals[1:] {
			row.Doc.Signals[1+k] = winnow.NotMeasured
		}
		row.Verdict = winnow.Verdict{Drop: true, Stage: "language", Rule: "language.keep", Value: winnow.NotMeasured, Bound: winnow.Any}
	case !row.Verdict.Drop && i%4 == 0:
		row.Verdict = winnow.Verdict{Drop: true, Stage: "dedup", Rule: "dedup.exact", Value: 1, Bound: winnow.Any}
	}
	if !row.Verdict.Drop {
		row.Verdict = winnow.Verdict{}
	}
	return row
}

func newTable(t testing.TB, n int) *Table {
	t.Helper()
	table, err := Load(newRun(t, n), "")
	check(t, err)
	return table
}

// newRandomTable is a table of values between 0 and 1 without a run's folder.
func newRandomTable(n, rules int) *Table {
	t := &Table{Run: &shard.Run{Stages: []shard.StageInfo{{Label: "filter", Name: "filter"}}}, Stage: "filter", Docs: n, Bounds: filter.Bounds{},
		Langs: []string{"en", "zh", "de"}, Domains: []string{"a.example", "b.example"}, reached: []int64{int64(n)},
		lang: make([]uint16, n), domain: make([]uint32, n), chars: make([]uint32, n), tokens: make([]uint32, n), fate: make([]uint8, n), text: make([]place, n)}
	random := rand.New(rand.NewPCG(1, 1))
	for i := range n {
		t.lang[i], t.domain[i], t.fate[i], t.text[i] = uint16(random.IntN(3)), uint32(random.IntN(2)), uint8(random.IntN(2)), place{row: -1}
		t.ids.add("<urn:uuid:00000000-0000-0000-0000-000000000000>")
		t.urls.add("https://www.example.com/")
	}
	for r := range rules {
		id := fmt.Sprintf("r.%d", r)
		t.Rules = append(t.Rules, winnow.Signal{ID: id, Default: winnow.AtMost(.995)})
		t.Bounds[id] = map[string]winnow.Bound{"": winnow.AtMost(.995)}
		if r%2 == 0 {
			t.Bounds[id]["zh"] = winnow.AtMost(.99)
		}
		values := make([]float32, n)
		for i := range values {
			values[i] = random.Float32()
		}
		t.values = append(t.values, values)
	}
	return t
}
