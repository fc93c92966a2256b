package engine

import (
	"context"
	"errors"
	"iter"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"winnow"
	"winnow/shard"
)

// variant is a choice of bounds and parameters for the test plan.
type variant struct {
	keep       string
	first, cut float64 // minimum lengths
	last       float64
	dedup      string
	trim       int
	without    string // label of a step that is left out
	dropped    Dropped
}

func testPlan(t *testing.T, root string, v variant) *Plan {
	src := fakeSource{shards: 4, docs: 150}
	shards, err := src.Shards(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if v.trim == 0 {
		v.trim = 1 << 20 // never
	}
	if v.dropped == "" {
		v.dropped = DroppedAll
	}
	steps := []Step{
		{Label: "extract", Stage: open{}},
		{Label: "language", Stage: script{v.keep}},
		{Label: "filter", Stage: length{"fake.first", winnow.AtLeast(v.first), false}},
		{Label: "cut", Stage: length{"fake.cut", winnow.AtLeast(v.cut), true}},
		{Label: "dedup", Stage: same{v.dedup}},
		{Label: "boilerplate", Stage: trim{v.trim}},
		{Label: "rephrase", Stage: echo{}},
		{Label: "last", Stage: length{"fake.last", winnow.AtLeast(v.last), false}},
		{Label: "again", Stage: same{}},
	}
	return &Plan{
		Name: "test", Recipe: []byte(v.dedup), Source: src, Shards: shards, Root: root, Dropped: v.dropped, FileSize: 8 << 10,
		Tokens: func(s string) (int64, error) { return int64(len(s)), nil },
		Steps:  slices.DeleteFunc(steps, func(s Step) bool { return s.Label == v.without }),
	}
}

func mustRun(t *testing.T, p *Plan, o Options) (*shard.Run, string) {
	t.Helper()
	info, err := Run(context.Background(), p, o)
	if err != nil {
		t.Fatal(err)
	}
	return info, filepath.Join(p.Root, info.ID)
}

// result is the bytes of everything a run gives.
func result(t *testing.T, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, glob := range []string{"data/*", "ledger/*", "dropped/*"} {
		files, _ := filepath.Glob(filepath.Join(dir, glob))
		for _, f := range files {
			b, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			rel, _ := filepath.Rel(dir, f)
			out[rel] = string(b)
		}
	}
	return out
}

func equal(t *testing.T, what string, got, want map[string]string) {
	t.Helper()
	if len(got) != len(want) || len(want) == 0 {
		t.Errorf("%s: %d files, want %d", what, len(got), len(want))
	}
	for name := range want {
		if got[name] != want[name] {
			t.Errorf("%s: %s differs (%d and %d bytes)", what, name, len(got[name]), len(want[name]))
		}
	}
}

func TestWorkersDoNotMatter(t *testing.T) {
	_, dir := mustRun(t, testPlan(t, t.TempDir(), variant{first: 20}), Options{Jobs: 1})
	want := result(t, dir)
	for _, jobs := range []int{2, 8} {
		_, dir := mustRun(t, testPlan(t, t.TempDir(), variant{first: 20}), Options{Jobs: jobs})
		equal(t, "jobs", result(t, dir), want)
	}
}

func TestRejudgedEqualsFresh(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	keeps := []string{"", "en", "zh"}
	droppeds := []Dropped{DroppedAll, DroppedSample, DroppedNone}
	root := t.TempDir()
	for range 40 {
		v := variant{
			keep: keeps[rng.IntN(3)], first: float64(rng.IntN(100)), cut: float64(rng.IntN(80)), last: float64(rng.IntN(120)),
			dedup: []string{"", "b"}[rng.IntN(2)], dropped: droppeds[rng.IntN(3)],
			trim: []int{0, 20, 60, 200}[rng.IntN(4)], without: []string{"", "", "", "language", "cut", "dedup", "boilerplate", "rephrase", "last", "again"}[rng.IntN(10)],
		}
		_, reused := mustRun(t, testPlan(t, root, v), Options{})
		_, fresh := mustRun(t, testPlan(t, t.TempDir(), v), Options{})
		equal(t, "rejudged", result(t, reused), result(t, fresh))
		if t.Failed() {
			t.Fatalf("variant %+v", v)
		}
	}
}

// countingSource counts how often a shard is read.
type countingSource struct {
	winnow.Source
	reads *int
}

func (c countingSource) Read(ctx context.Context, s winnow.Shard, t *winnow.Tally) iter.Seq2[*winnow.Document, error] {
	return func(yield func(*winnow.Document, error) bool) {
		*c.reads++
		c.Source.Read(ctx, s, t)(yield)
	}
}

func TestTighteningReadsNothingAgain(t *testing.T) {
	root, reads := t.TempDir(), 0
	for i, last := range []float64{0, 40} {
		p := testPlan(t, root, variant{last: last, first: 10 + 10*float64(i)})
		p.Source = countingSource{p.Source, &reads}
		mustRun(t, p, Options{Jobs: 1})
	}
	if reads != 4 {
		t.Errorf("the source was read %d times, want once for each of 4 shards", reads)
	}
}

func TestEveryDocumentHasAReason(t *testing.T) {
	info, dir := mustRun(t, testPlan(t, t.TempDir(), variant{first: 30, cut: 10, last: 50}), Options{})
	f, err := shard.Open(nil, dir)
	if err != nil {
		t.Fatal(err)
	}
	kept, seen := int64(0), map[string]int{}
	for row, err := range f.Rows() {
		if err != nil {
			t.Fatal(err)
		}
		if !row.Verdict.Drop {
			kept++
			continue
		}
		if row.Verdict.Stage == "" || row.Verdict.Rule == "" {
			t.Fatalf("%s was dropped without a reason", row.Doc.ID)
		}
		seen[row.Verdict.Rule]++
	}
	for _, rule := range []string{"error.truncated", "error.panic", "fake.first", "fake.last", "fake.same"} {
		if seen[rule] == 0 {
			t.Errorf("no document with verdict %s", rule)
		}
	}
	if kept == 0 || kept != info.Totals.Kept || info.Totals.Documents < 600 || len(info.Lost) != 12 || info.Records["response"] != 600 {
		t.Errorf("kept %d; run.json says %+v, %d lost, %v", kept, info.Totals, len(info.Lost), info.Records)
	}
}

func TestStoppedAndResumed(t *testing.T) {
	_, dir := mustRun(t, testPlan(t, t.TempDir(), variant{first: 20}), Options{})
	want := result(t, dir)
	root := t.TempDir()
	stops := 0
	for after := 1; ; after++ {
		ctx, cancel := context.WithCancel(context.Background())
		tasks := 0
		_, err := Run(ctx, testPlan(t, root, variant{first: 20}), Options{Jobs: 2, Events: func(e Event) {
			if e.Type == "task" {
				if tasks++; tasks == 3 {
					cancel()
				}
			}
		}})
		cancel()
		if err == nil {
			break
		}
		if !errors.Is(err, context.Canceled) || after > 50 {
			t.Fatal(err)
		}
		stops++
	}
	if stops < 3 {
		t.Errorf("stopped only %d times", stops)
	}
	equal(t, "resumed", result(t, filepath.Join(root, filepath.Base(dir))), want)
}

func TestTaskAlone(t *testing.T) {
	_, dir := mustRun(t, testPlan(t, t.TempDir(), variant{}), Options{})
	p := testPlan(t, t.TempDir(), variant{})
	alone, tasks, err := Begin(p)
	if err != nil {
		t.Fatal(err)
	}
	if len(tasks) == 0 {
		t.Fatal("no tasks")
	}
	do := func(stage string, n int) {
		t.Helper()
		for i := n - 1; i >= 0; i-- { // any order will do
			if err := Task(context.Background(), p, stage, i); err != nil {
				t.Fatal(err)
			}
		}
	}
	do("map-0", 4)
	do("group-dedup", 5)
	do("resolve-dedup", 1)
	do("group-boilerplate", 3)
	do("resolve-boilerplate", 1)
	do("map-1", 4)
	do("group-again", 5)
	do("resolve-again", 1)
	do("map-2", 4)
	for n := 0; Task(context.Background(), p, "pack", n) == nil; n++ {
	}
	equal(t, "alone", result(t, alone), result(t, dir))
	if err := Task(context.Background(), p, "map-7", 0); err == nil {
		t.Error("task map-7 should not be there")
	}
}

// A done run that lacks a file of its output writes it again; --fresh begins with an empty folder.
func TestLostOutputIsPackedAgain(t *testing.T) {
	p := testPlan(t, t.TempDir(), variant{})
	info, dir := mustRun(t, p, Options{})
	lost := filepath.Join(dir, info.Outputs[0].Name)
	want, err := os.ReadFile(lost)
	if err != nil || os.Remove(lost) != nil {
		t.Fatal(err)
	}
	if again, _ := mustRun(t, p, Options{}); again.State != shard.Done {
		t.Errorf("state %s", again.State)
	}
	if got, err := os.ReadFile(lost); err != nil || !slices.Equal(got, want) {
		t.Errorf("%s: %d bytes, want %d: %v", lost, len(got), len(want), err)
	}
	left := filepath.Join(dir, "tasks", "left")
	if err := os.WriteFile(left, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	mustRun(t, p, Options{Fresh: true})
	if _, err := os.Stat(left); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%s: %v", left, err)
	}
}

func TestChangedInputStopsARun(t *testing.T) {
	root := t.TempDir()
	mustRun(t, testPlan(t, root, variant{}), Options{})
	p := testPlan(t, root, variant{})
	p.Shards[1].Fingerprint = "other"
	if _, err := Run(context.Background(), p, Options{}); err == nil {
		t.Error("a changed input was not noticed")
	}
}
