package engine

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"winnow"
	"winnow/shard"
)

// purse gives a document to as many bytes of text as there are.
type purse struct{ bytes int64 }

func (purse) Name() string    { return "purse" }
func (purse) Version() string { return "purse/1" }
func (purse) Signals() []winnow.Signal {
	return []winnow.Signal{{ID: "fake.paid", Default: winnow.Any}}
}
func (p purse) Reserve(docs []*winnow.Document, before []int64) ([]bool, []int64, error) {
	if before == nil {
		before = []int64{0}
	}
	sum := before[0]
	granted := make([]bool, len(docs))
	for i, d := range docs {
		sum += int64(len(d.Text))
		granted[i] = sum <= p.bytes
	}
	return granted, []int64{sum}, nil
}
func (p purse) ApplyBatch(ctx context.Context, docs []*winnow.Document) ([]winnow.Result, error) {
	return p.ApplyGranted(ctx, docs, make([]bool, len(docs)))
}
func (p purse) ApplyGranted(_ context.Context, docs []*winnow.Document, granted []bool) ([]winnow.Result, error) {
	out := make([]winnow.Result, len(docs))
	for i, d := range docs {
		d.Signals = append(d.Signals, 0)
		if granted[i] {
			d.Signals[len(d.Signals)-1] = 1
			bad := winnow.Verdict{Drop: true, Rule: "fake.bad", Value: 1, Bound: winnow.AtMost(0)}
			out[i].Derived = []*winnow.Document{{ID: d.ID + "#purse#0", Origin: d.ID, Text: "good"}, {ID: d.ID + "#purse#1", Origin: d.ID, Text: "bad"}}
			out[i].Judged = []winnow.Verdict{{}, bad}
		}
	}
	return out, nil
}

func rationedPlan(t *testing.T, root string) *Plan {
	p := testPlan(t, root, variant{without: "rephrase", first: 20})
	p.Steps = slices.Insert(p.Steps, 4, Step{Label: "purse", Stage: purse{20000}})
	return p
}

// The first documents of the input get their share, whoever works on them and however often the run is stopped.
func TestRationedInOrder(t *testing.T) {
	_, dir := mustRun(t, rationedPlan(t, t.TempDir()), Options{Jobs: 1})
	want := result(t, dir)
	f, err := shard.Open(nil, dir)
	if err != nil {
		t.Fatal(err)
	}
	paid, left, ended, shards := 0, 0, false, map[string]bool{}
	derived := map[string]string{}
	for row, err := range f.Rows() {
		if err != nil {
			t.Fatal(err)
		}
		if row.Doc.Origin != "" {
			derived[row.Doc.ID] = row.Verdict.Rule
			continue
		}
		switch v := row.Doc.Signals[slices.IndexFunc(signalsOf(f.Run), func(s winnow.Signal) bool { return s.ID == "fake.paid" })]; {
		case v == 1 && ended:
			t.Fatalf("%s comes after the end", row.Doc.ID)
		case v == 1:
			paid++
			shards[row.Doc.File] = true
		case v == 0:
			ended = true
			left++
		}
	}
	if paid < 50 || left < 50 || len(derived) != 2*paid {
		t.Fatalf("%d paid, %d left, %d derived", paid, left, len(derived))
	}
	for id, rule := range derived {
		if (rule == "fake.bad") != strings.HasSuffix(id, "#1") {
			t.Errorf("%s: %q", id, rule)
		}
	}
	for _, jobs := range []int{2, 8} {
		_, dir := mustRun(t, rationedPlan(t, t.TempDir()), Options{Jobs: jobs})
		equal(t, "jobs", result(t, dir), want)
	}
	root := t.TempDir()
	for stops := 0; stops < 6; stops++ {
		ctx, cancel := context.WithCancel(context.Background())
		Run(ctx, rationedPlan(t, root), Options{Jobs: 2, Events: func(e Event) {
			if e.Type == "task" {
				cancel()
			}
		}})
		cancel()
	}
	_, dir = mustRun(t, rationedPlan(t, root), Options{Jobs: 2})
	equal(t, "resumed", result(t, dir), want)
}

// A task alone waits for nobody: it says which task has to be done before.
func TestRationedAlone(t *testing.T) {
	p := rationedPlan(t, t.TempDir())
	dir, _, err := Begin(p)
	if err != nil {
		t.Fatal(err)
	}
	for n := range 2 {
		if err := Task(t.Context(), p, "map-0", n); err != nil { // up to the Rationed stage there is no order
			t.Error(err)
		}
	}
	if err := Task(t.Context(), p, "map-1", 1); err == nil || !strings.Contains(err.Error(), "map-1-00000 is not done yet") {
		t.Errorf("got %v", err)
	}
	for n := range 2 {
		if err := Task(t.Context(), p, "map-1", n); err != nil {
			t.Error(err)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "tasks", "map-1-00001.json")); err != nil {
		t.Error(err)
	}
}

func signalsOf(r *shard.Run) (all []winnow.Signal) {
	for _, s := range r.Stages {
		all = append(all, s.Signals...)
	}
	return all
}
