package pipelines

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"winnow/pipelines/engine"
	"winnow/shard"
)

// makeCrawl writes documents with duplicates of every kind: files of JSONL, and the documents' number.
func makeCrawl(t *testing.T, dir, name string, seed uint64, n int) {
	t.Helper()
	rng := rand.New(rand.NewPCG(seed, 1))
	words := func(n int) string {
		var w []string
		for range n {
			w = append(w, letters("w", rng.IntN(3000)))
		}
		return strings.Join(w, " ") + "."
	}
	shared := rand.New(rand.NewPCG(7, 7)) // the same in every crawl
	var common []string
	for range 30 {
		var w []string
		for range 90 {
			w = append(w, letters("c", shared.IntN(3000)))
		}
		common = append(common, strings.Join(w, " ")+".")
	}
	f, err := os.Create(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	out := bufio.NewWriter(f)
	enc := json.NewEncoder(out)
	for i := range n {
		base := common[rng.IntN(len(common))]
		text := words(70)
		switch rng.IntN(6) {
		case 0:
			text = base
		case 1:
			text = strings.Replace(base, " ca", " other", 1)
		case 2:
			text = words(20) + "\n" + base + "\n" + words(30)
		case 3:
			text = "Home\nAbout us\n" + words(60)
		}
		enc.Encode(map[string]string{"id": fmt.Sprintf("%s-%d", name, i), "text": text, "url": fmt.Sprintf("http://site%d.example/%d", i%3, rng.IntN(n))})
	}
	if err := errors.Join(out.Flush(), f.Close()); err != nil {
		t.Fatal(err)
	}
}

// letters writes a number as a word.
func letters(prefix string, n int) string {
	for ; n > 0; n /= 20 {
		prefix += string(rune('a' + n%20))
	}
	return prefix
}

const dedupStages = `
stages:
  - dedup: {method: url}
  - dedup: {method: exact, keep: 2, weights: {1: 1, 2: 2, 5: 3}}
  - dedup: {method: normalised}
  - dedup: {method: minhash, verify: 0.6}
  - dedup: {method: minhash, keep: newest}
  - dedup: {method: line}
  - dedup: {method: span, tokens: 30}
  - dedup: {method: sentence}
`

func dedupPlan(t *testing.T, root, input, stages string) *engine.Plan {
	t.Helper()
	raw := "name: dedup\ninput: {shard_size: 16KB, jsonl: [" + input + "]}" + stages
	r, err := Parse("dedup.yaml", []byte(raw))
	if err != nil {
		t.Fatal(err)
	}
	r.Output.Dir = root
	p, err := Build(r, []byte(raw), "test")
	if err != nil {
		t.Fatal(err)
	}
	if p.Shards, err = p.Source.Shards(context.Background()); err != nil {
		t.Fatal(err)
	}
	return p
}

func TestDedupDoesNotDependOnHowItIsRun(t *testing.T) {
	dir := t.TempDir()
	makeCrawl(t, dir, "a.jsonl", 1, 150)
	input := filepath.Join(dir, "a.jsonl")
	p := dedupPlan(t, t.TempDir(), input, dedupStages)
	if len(p.Shards) < 3 {
		t.Fatalf("only %d shards", len(p.Shards))
	}
	info, folder := runPlan(t, p, engine.Options{Jobs: 1})
	want := files(t, folder)
	seen := map[string]int{}
	for row, err := range mustOpen(t, folder).Rows() {
		if err != nil {
			t.Fatal(err)
		}
		seen[row.Verdict.Rule]++
		for _, e := range row.Edits {
			seen[e.Rule]++
		}
		if row.Verdict.Rule != "dedup.url" && (row.Cluster == "" || row.ClusterSize < 1) {
			t.Errorf("%s has no cluster", row.Doc.ID)
		}
	}
	for _, rule := range []string{"dedup.url", "dedup.exact", "dedup.near", "dedup.line", "dedup.span"} {
		if seen[rule] == 0 {
			t.Errorf("nothing by rule %s: %v", rule, seen)
		}
	}
	if info.Totals.Kept == 0 || !strings.Contains(info.Dedup["dedup-minhash"], "0.80 92.4%") {
		t.Errorf("kept %d, params %v", info.Totals.Kept, info.Dedup)
	}
	_, again := runPlan(t, dedupPlan(t, t.TempDir(), input, dedupStages), engine.Options{Jobs: 4, Memory: 1 << 10})
	sameFiles(t, "four jobs and no memory", files(t, again), want)

	// stopped after every few tasks, with another memory each time
	root := t.TempDir()
	for stop := 0; ; stop++ {
		ctx, cancel := context.WithCancel(context.Background())
		tasks := 0
		_, err := engine.Run(ctx, dedupPlan(t, root, input, dedupStages), engine.Options{Jobs: 2, Memory: 1 << (12 + stop%8), Events: func(e engine.Event) {
			if e.Type == "task" {
				if tasks++; tasks == 40 {
					cancel()
				}
			}
		}})
		cancel()
		if err == nil {
			if stop < 3 {
				t.Errorf("stopped only %d times", stop)
			}
			break
		}
		if !errors.Is(err, context.Canceled) || stop > 60 {
			t.Fatal(err)
		}
	}
	sameFiles(t, "stopped and resumed", files(t, filepath.Join(root, filepath.Base(folder))), want)
}

func mustOpen(t *testing.T, dir string) *shard.Folder {
	t.Helper()
	f, err := shard.Open(nil, dir)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// verdicts are what became of each document, whatever the order of the ledger.
func verdicts(t *testing.T, dir string) map[string]string {
	out := map[string]string{}
	for row, err := range mustOpen(t, dir).Rows() {
		if err != nil {
			t.Fatal(err)
		}
		out[row.Doc.ID] = fmt.Sprint(row.Verdict, row.Edits, row.Cluster, row.ClusterSize, row.Similarity)
	}
	return out
}

func TestDedupDoesNotDependOnTheOrderOfFiles(t *testing.T) {
	dir := t.TempDir()
	makeCrawl(t, dir, "a.jsonl", 1, 60)
	makeCrawl(t, dir, "b.jsonl", 2, 60)
	a, b := filepath.Join(dir, "a.jsonl"), filepath.Join(dir, "b.jsonl")
	_, one := runPlan(t, dedupPlan(t, t.TempDir(), a+", "+b, dedupStages), engine.Options{})
	p := dedupPlan(t, t.TempDir(), a+", "+b, dedupStages)
	for i := range len(p.Shards) / 2 {
		k := len(p.Shards) - 1 - i
		p.Shards[i], p.Shards[k] = p.Shards[k], p.Shards[i]
	}
	_, other := runPlan(t, p, engine.Options{})
	if got, want := verdicts(t, other), verdicts(t, one); !reflect.DeepEqual(got, want) {
		for id := range want {
			if got[id] != want[id] {
				t.Errorf("%s: %s, in the other order %s", id, want[id], got[id])
			}
		}
	}
}

func TestAgainstEarlierRuns(t *testing.T) {
	dir, root := t.TempDir(), t.TempDir()
	makeCrawl(t, dir, "old.jsonl", 1, 80)
	makeCrawl(t, dir, "new.jsonl", 2, 80)
	const alone = "\nstages:\n  - dedup: {method: exact}\n  - dedup: {method: minhash}\n"
	old, oldDir := runPlan(t, dedupPlan(t, root, filepath.Join(dir, "old.jsonl"), alone), engine.Options{})
	against := strings.ReplaceAll(alone, "}", ", against: ["+old.ID+"]}")
	input := filepath.Join(dir, "new.jsonl")
	plan := func(stages string) *engine.Plan { return dedupPlan(t, root, input, stages) }
	without, _ := runPlan(t, plan(alone), engine.Options{})
	with, withDir := runPlan(t, plan(against), engine.Options{})
	if with.Totals.Kept >= without.Totals.Kept || with.Totals.Kept == 0 {
		t.Fatalf("kept %d against the earlier run, %d without", with.Totals.Kept, without.Totals.Kept)
	}
	kept := map[string]bool{}
	for row, err := range mustOpen(t, oldDir).Rows() {
		if err != nil {
			t.Fatal(err)
		}
		kept[row.Doc.ID] = !row.Verdict.Drop
	}
	named := 0
	for row, err := range mustOpen(t, withDir).Rows() {
		if err != nil {
			t.Fatal(err)
		}
		if id, ok := strings.CutSuffix(row.Verdict.Detail, " of run "+old.ID); ok {
			if named++; !kept[id] || row.Cluster != id {
				t.Errorf("%s went for %s, which the earlier run did not keep", row.Doc.ID, id)
			}
		}
	}
	if named == 0 {
		t.Error("no document went for one of the earlier run")
	}
	// Together the two runs are nearly as one run over both, where a new document may join two old ones that are kept here.
	both, _ := runPlan(t, dedupPlan(t, t.TempDir(), filepath.Join(dir, "old.jsonl")+", "+input, alone), engine.Options{})
	if got := old.Totals.Kept + with.Totals.Kept; got < both.Totals.Kept || got > both.Totals.Kept+3 {
		t.Errorf("%d documents kept in two runs, %d in one over both", got, both.Totals.Kept)
	}
	// Taking the run out again gives what there was without it, and removing it is told of.
	if again, _ := runPlan(t, plan(alone), engine.Options{Fresh: true}); again.Totals.Kept != without.Totals.Kept {
		t.Errorf("kept %d after taking the earlier run out, %d before", again.Totals.Kept, without.Totals.Kept)
	}
	if err := os.RemoveAll(oldDir); err != nil {
		t.Fatal(err)
	}
	if _, err := engine.Run(context.Background(), plan(against+" "), engine.Options{}); err == nil || !strings.Contains(err.Error(), "take it out of the recipe") {
		t.Errorf("a removed run: %v", err)
	}
	other := strings.ReplaceAll(against, "method: exact", "method: bytes")
	if _, err := engine.Run(context.Background(), plan(other), engine.Options{}); err == nil {
		t.Error("no error")
	}
}

func TestDedupMistakes(t *testing.T) {
	for _, c := range []struct{ stage, want string }{
		{"dedup: {method: minhsh}", `"minhsh"`},
		{"dedup: {}", "needs a method"},
		{"dedup: {method: exact, keep: bset}", `"bset"`},
		{"dedup: {method: line, keep: 2}", "one place stays"},
		{"dedup: {method: exact, policy: newest}", "goes with a number"},
		{"dedup: {method: exact, keep: 0}", "at least 1"},
		{"dedup: {method: exact, keep: best}", "quality.score"},
		{"dedup: {method: minhash, verify: 0.8, against: [x]}", "without texts"},
		{"dedup: {method: minhash, signature: sha1}", `"sha1"`},
		{"dedup: {method: span, tokens: 1}", "tokens 1"},
	} {
		raw := "name: x\ninput: {jsonl: [x.jsonl]}\nstages:\n  - " + c.stage + "\n"
		r, err := Parse("x.yaml", []byte(raw))
		if err == nil {
			_, err = Build(r, []byte(raw), "test")
		}
		var mistake *RecipeError
		if !errors.As(err, &mistake) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %s", c.stage, err, c.want)
		}
	}
}

// A new document that is like two of an earlier run, which are not like each other, goes once, for the better of them; both
// old ones stay where they are.
func TestAgainstTwoOldDocuments(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 3))
	var base []string
	for range 900 {
		base = append(base, letters("w", rng.IntN(3000)))
	}
	without := func(from int) string { // another word at every 50th place
		w := append([]string(nil), base...)
		for i := from; i < len(w); i += 50 {
			w[i] = letters("x", rng.IntN(3000))
		}
		return strings.Join(w, " ")
	}
	dir, root := t.TempDir(), t.TempDir()
	write := func(name string, texts ...string) string {
		path := filepath.Join(dir, name)
		var out strings.Builder
		enc := json.NewEncoder(&out)
		for i, text := range texts {
			enc.Encode(map[string]string{"id": fmt.Sprint(name, i), "text": text})
		}
		if err := os.WriteFile(path, []byte(out.String()), 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	const alone = "\nstages:\n  - dedup: {method: minhash, bands: 20, rows: 13}\n" // which does not find the old ones alike
	old, _ := runPlan(t, dedupPlan(t, root, write("old.jsonl", without(3), without(28)), alone), engine.Options{})
	if old.Totals.Kept != 2 {
		t.Fatalf("kept %d of the old documents", old.Totals.Kept)
	}
	against := strings.ReplaceAll(alone, "}", ", against: ["+old.ID+"]}")
	_, folder := runPlan(t, dedupPlan(t, root, write("new.jsonl", strings.Join(base, " ")), against), engine.Options{})
	for row, err := range mustOpen(t, folder).Rows() {
		if err != nil {
			t.Fatal(err)
		}
		if !row.Verdict.Drop || row.Verdict.Detail != row.Cluster+" of run "+old.ID || row.ClusterSize != 3 {
			t.Errorf("%+v, cluster of %d: %s", row.Verdict, row.ClusterSize, row.Cluster)
		}
	}
}
