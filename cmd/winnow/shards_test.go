package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"winnow/shard"
)

// storedRows are the rows of the parquet files of one kind of a run, in order.
func storedRows(t *testing.T, runs, kind string) (rows []string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(runs, "*", kind, "*.parquet"))
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(files)
	for _, file := range files {
		for row, err := range shard.Records(file) {
			if err != nil {
				t.Fatal(err)
			}
			rows = append(rows, fmt.Sprint(row))
		}
	}
	return rows
}

// TestShardsOfAnySize runs a recipe over one archive, cut into many shards and into few. What comes out is the same, document by
// document, in the same order: texts, verdicts and measurements. The
// bytes of the files differ, since their row groups end where shards do.
func TestShardsOfAnySize(t *testing.T) {
	if testing.Short() {
		t.Skip("runs a recipe three times")
	}
	t.Chdir("../..")
	kinds := []string{"data", "ledger", "dropped"}
	var first map[string][]string
	counts := map[int]bool{}
	for _, size := range []string{"16KB", "50KB", "1GB"} {
		recipe, runs := filepath.Join(t.TempDir(), "recipe.yaml"), t.TempDir()
		raw := "name: same\ninput: {warc: [samples/crawl.warc.gz], shard_size: " + size + "}\nstages:\n  - extract: {min_chars: 100}\n  - filter: {use: [gopher]}\n" +
			"  - dedup: {method: exact}\n  - dedup: {method: minhash}\noutput: {dropped: all}\n"
		if err := os.WriteFile(recipe, []byte(raw), 0o644); err != nil {
			t.Fatal(err)
		}
		succeed(t, recipe, runs)
		tasks, _ := filepath.Glob(filepath.Join(runs, "*", "tasks", "map-0-*.json"))
		counts[len(tasks)] = true
		got := map[string][]string{}
		for _, kind := range kinds {
			got[kind] = storedRows(t, runs, kind)
		}
		if first == nil {
			first = got
		}
		for _, kind := range kinds {
			if len(got[kind]) < 20 || len(got[kind]) != len(first[kind]) {
				t.Fatalf("%s: %d rows of %s, want %d", size, len(got[kind]), kind, len(first[kind]))
			}
			for i := range got[kind] {
				if got[kind][i] != first[kind][i] {
					t.Fatalf("%s: row %d of %s is\n%.3000s, want\n%.3000s", size, i, kind, got[kind][i], first[kind][i])
				}
			}
		}
	}
	if len(counts) != 3 || !counts[1] {
		t.Errorf("tasks: %v", counts)
	}
}
