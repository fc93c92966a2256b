package engine

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"winnow"
	"winnow/shard"
)

// waveList is a plan's waves as text.
func waveList(p *Plan) (out []string) {
	for _, w := range Waves(p) {
		out = append(out, fmt.Sprintf("%s %d", w.Stage, w.Tasks))
	}
	return out
}

func TestWaves(t *testing.T) {
	p := testPlan(t, t.TempDir(), variant{})
	want := []string{"map-0 4", "group-dedup 5", "resolve-dedup 1", "group-boilerplate 3", "resolve-boilerplate 1", "map-1 4", "group-again 5", "resolve-again 1", "map-2 4", "pack -1"}
	if got := waveList(p); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	// A Batch stage behind others of its pass is a pass of its own.
	p.Steps = slices.DeleteFunc(p.Steps, func(s Step) bool { return s.Label == "boilerplate" || s.Label == "dedup" || s.Label == "again" })
	if got, want := waveList(p), []string{"map-0 4", "map-1 4", "pack -1"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// Ranks that each open the run for themselves do every task twice at once, in any order.
func TestRanks(t *testing.T) {
	info, dir := mustRun(t, testPlan(t, t.TempDir(), variant{first: 20}), Options{})
	want := result(t, dir)
	root := t.TempDir()
	const ranks = 3
	var works []*Work
	for range ranks {
		w, err := OpenWork(testPlan(t, root, variant{first: 20}), Options{Jobs: 2})
		if err != nil {
			t.Fatal(err)
		}
		works = append(works, w)
	}
	for _, wave := range works[0].Waves() {
		var wg sync.WaitGroup
		for rank, w := range works {
			wg.Go(func() {
				tasks, err := w.Missing(wave)
				rand.New(rand.NewPCG(uint64(rank), 1)).Shuffle(len(tasks), func(i, j int) { tasks[i], tasks[j] = tasks[j], tasks[i] })
				for _, n := range tasks {
					if n%ranks == rank || n%ranks == (rank+1)%ranks {
						err = errors.Join(err, w.Do(context.Background(), wave.Stage, n))
					}
				}
				if err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if missing, err := works[0].Missing(wave); err != nil || len(missing) > 0 {
			t.Fatalf("%s: still missing %v, %v", wave.Stage, missing, err)
		}
	}
	got, err := works[1].Conclude(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if got.State != shard.Done || got.Totals != info.Totals || got.ID != info.ID {
		t.Errorf("got %+v, want %+v", got.Totals, info.Totals)
	}
	equal(t, "ranks", result(t, filepath.Join(root, info.ID)), want)
}

func TestNotYet(t *testing.T) {
	w, err := OpenWork(testPlan(t, t.TempDir(), variant{}), Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, stage := range []string{"group-dedup", "resolve-dedup", "map-1", "pack"} {
		if err := w.Do(t.Context(), stage, 0); !errors.Is(err, ErrNotYet) {
			t.Errorf("%s: %v, want ErrNotYet", stage, err)
		}
	}
	if _, err := w.Conclude(t.Context()); !errors.Is(err, ErrNotYet) {
		t.Errorf("conclude: %v, want ErrNotYet", err)
	}
	for _, wave := range w.Waves() { // what was asked for too early did no harm
		missing, err := w.Missing(wave)
		if err == nil {
			err = w.DoAll(t.Context(), wave.Stage, missing)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if _, err := w.Conclude(t.Context()); err != nil {
		t.Error(err)
	}
}

// An Ordered wave in one process goes on behind tasks that another process has done in the meantime.
func TestOrderedWave(t *testing.T) {
	info, dir := mustRun(t, rationedPlan(t, t.TempDir()), Options{})
	root := t.TempDir()
	open := func() *Work {
		w, err := OpenWork(rationedPlan(t, root), Options{Jobs: 2})
		if err != nil {
			t.Fatal(err)
		}
		return w
	}
	a, b := open(), open()
	for _, wave := range a.Waves() {
		missing, err := a.Missing(wave)
		if err != nil {
			t.Fatal(err)
		}
		if wave.Ordered {
			if err := b.DoAll(t.Context(), wave.Stage, missing[:1]); err != nil {
				t.Fatal(err)
			}
		}
		if err := a.DoAll(t.Context(), wave.Stage, missing); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := b.Conclude(t.Context()); err != nil {
		t.Fatal(err)
	}
	equal(t, "ordered", result(t, filepath.Join(root, info.ID)), result(t, dir))
}

// Shares are disjoint, complete, and even in bytes.
func TestShare(t *testing.T) {
	p := testPlan(t, t.TempDir(), variant{})
	p.Shards = nil
	rng := rand.New(rand.NewPCG(3, 3))
	for n := range 200 {
		p.Shards = append(p.Shards, winnow.Shard{Parts: []winnow.Range{{File: fmt.Sprint(n), End: 1 + rng.Int64N(1000)}}, Fingerprint: fmt.Sprint(n)})
	}
	w, err := OpenWork(p, Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, stage := range []string{"map-0", "group-dedup", "resolve-dedup"} {
		for _, world := range []int{1, 7, 500} {
			seen, least, most := map[int]bool{}, int64(math.MaxInt64), int64(0)
			for rank := range world {
				tasks, err := w.Share(stage, rank, world)
				if err != nil || !slices.IsSorted(tasks) {
					t.Fatal(tasks, err)
				}
				bytes := int64(0)
				for _, n := range tasks {
					if seen[n] {
						t.Fatalf("%s %d falls to two ranks", stage, n)
					}
					seen[n] = true
					bytes += p.Shards[n].Bytes()
				}
				least, most = min(least, bytes), max(most, bytes)
			}
			if all, _ := w.Tasks(stage); len(seen) != all {
				t.Errorf("%s: %d of %d tasks fall to ranks", stage, len(seen), all)
			}
			if stage == "map-0" && world == 7 && most-least > 100 {
				t.Errorf("ranks have %d to %d bytes", least, most)
			}
		}
	}
	if _, err := w.Share("map-0", 7, 7); err == nil {
		t.Error("there is no rank 7 of 7")
	}
}
