package engine

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"winnow/shard"
)

// A run whose Group tasks are given blocks, shuffled and doubled, is the run of the local engine, file for file.
func TestBlocksGiveTheSameRun(t *testing.T) {
	v := variant{first: 20}
	_, dir := mustRun(t, testPlan(t, t.TempDir(), v), Options{})
	w, err := OpenWork(testPlan(t, t.TempDir(), v), Options{})
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(3, 3))
	for _, x := range w.Waves() {
		label, isGroup := strings.CutPrefix(x.Stage, "group-")
		if !isGroup {
			n, err := w.Tasks(x.Stage)
			if err != nil {
				t.Fatal(err)
			}
			for k := range n {
				if err := w.Do(t.Context(), x.Stage, k); err != nil {
					t.Fatal(err)
				}
			}
			continue
		}
		parts := make([]int, x.Tasks)
		for k := range parts {
			parts[k] = k
		}
		blocks := make([][][]byte, x.Tasks)
		for range 2 { // the second time the tasks are done, and leave their blocks again
			for n := range w.run.Shards {
				counts, err := w.MapBlocks(t.Context(), label, n, parts, func(part int, b []byte) error {
					blocks[part] = append(blocks[part], b)
					return nil
				})
				if err != nil || counts["rows"] == 0 {
					t.Fatalf("%d rows: %v", counts["rows"], err)
				}
			}
		}
		for part, all := range blocks {
			rng.Shuffle(len(all), func(a, b int) { all[a], all[b] = all[b], all[a] })
			err := w.GroupBlocks(t.Context(), label, part, func(yield func([]byte, error) bool) {
				for _, b := range append(all, nil) {
					if !yield(b, nil) {
						return
					}
				}
			})
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	if _, err := w.Conclude(t.Context()); err != nil {
		t.Fatal(err)
	}
	equal(t, "blocks", result(t, w.Dir()), result(t, dir))
	if a, b := edgeSums(t, w.Dir()), edgeSums(t, dir); !slices.Equal(a, b) || len(a) < 10 {
		t.Errorf("other edges: %v, want %v", a, b)
	}
}

// edgeSums lists the sums of what the Group tasks left.
func edgeSums(t *testing.T, dir string) (out []string) {
	t.Helper()
	names, _ := filepath.Glob(filepath.Join(dir, "tasks", "group-*.json"))
	for _, name := range names {
		m, err := shard.ReadManifest(nil, name)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, fmt.Sprintf("%s %d %s", m.Task, m.Counts["records"], m.Outputs[0].SHA256))
	}
	return out
}
