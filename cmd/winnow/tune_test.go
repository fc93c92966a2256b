package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"winnow/cmd/winnow/look"
	"winnow/filter"
	"winnow/report"
	"winnow/report/tune"
	"winnow/shard"
)

// sampleRun runs the quickstart in a folder of its own and opens it.
func sampleRun(t *testing.T) *shard.Folder {
	t.Helper()
	t.Chdir(filepath.Join("..", ".."))
	return runIn(t, t.TempDir(), "pipelines/quickstart.yaml")
}

// runIn runs a recipe with the runs of a folder beside it, and opens the run that was begun last.
func runIn(t *testing.T, runs, recipe string, flags ...string) *shard.Folder {
	t.Helper()
	var log bytes.Buffer
	if code := run(append([]string{"run", recipe, "--runs", runs, "-q"}, flags...), nil, io.Discard, &log); code != 0 {
		t.Fatalf("run %s: exit code %d: %s", recipe, code, &log)
	}
	raw, err := os.ReadFile(recipe)
	if err != nil {
		t.Fatal(err)
	}
	dirs, _ := filepath.Glob(filepath.Join(runs, "*", "recipe.yaml"))
	for _, d := range dirs {
		if got, _ := os.ReadFile(d); bytes.Equal(got, raw) {
			f, err := shard.Open(nil, filepath.Dir(d))
			if err != nil {
				t.Fatal(err)
			}
			return f
		}
	}
	t.Fatalf("no run of %s in %s", recipe, runs)
	return nil
}

// keptAt is how many documents a run's stage kept.
func keptAt(t *testing.T, f *shard.Folder, stage string) int64 {
	t.Helper()
	r, err := report.New(f)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range r.Stages {
		if s.Label == stage {
			return s.Kept.Documents
		}
	}
	t.Fatalf("no stage %s", stage)
	return 0
}

// TestTunedRecipeKeepsThePromise saves recipes with bounds both tightened and loosened, for all languages and for one, and
// runs them, judged anew and from the beginning.
func TestTunedRecipeKeepsThePromise(t *testing.T) {
	folder := sampleRun(t)
	runs := filepath.Dir(folder.Dir)
	table, err := tune.Load(folder, "")
	if err != nil {
		t.Fatal(err)
	}
	to := func(min, max float64) filter.BoundSpec {
		s := filter.BoundSpec{Min: &min}
		if max > 0 {
			s = filter.BoundSpec{Max: &max}
		}
		return s
	}
	for _, ch := range []tune.Changes{
		{"gopher.words": {"": to(120, 0)}},
		{"gopher.alpha_words": {"": to(float64(float32(.55)), 0)}, "gopher.words": {"zh": to(20, 0)}},
		{"gopher.alpha_words": {"en": to(float64(float32(.3)), 0)}, "gopher.stop_words": {"": to(0, 0)}, "gopher.words": {"": to(200, 0), "zh": to(60, 0)}},
	} {
		b := table.With(ch)
		promise := table.Sum(b, table.Judge(b), tune.Slice{})
		saved, err := look.SaveRecipe(look.RecipeOf(folder, ""), runs, ch, b)
		if err != nil {
			t.Fatal(err)
		}
		again := runIn(t, runs, saved.Path)
		if got := keptAt(t, again, "filter"); got != promise.Now || promise.Now == promise.Was {
			t.Errorf("%s keeps %d at the stage, %d were promised (%d before)", saved.Command, got, promise.Now, promise.Was)
		}
		sameBytes(t, again, runIn(t, t.TempDir(), saved.Path, "--fresh"))
		if !strings.Contains(saved.Diff, "+        gopher.") {
			t.Errorf("diff: %s", saved.Diff)
		}
	}
	if _, err := look.SaveRecipe("pipelines/web-zh.yaml", runs, tune.Changes{"gopher.words": {"": to(30, 0)}}, table.Bounds); err == nil {
		t.Error("a recipe that is not the run's was saved")
	}
}

// sameBytes compares the files of two runs.
func sameBytes(t *testing.T, a, b *shard.Folder) {
	t.Helper()
	for i, files := range [][]string{a.Data, a.Ledger, a.Dropped} {
		others := [][]string{b.Data, b.Ledger, b.Dropped}[i]
		if len(files) != len(others) {
			t.Fatalf("%d and %d files", len(files), len(others))
		}
		for k := range files {
			x, _ := os.ReadFile(files[k])
			y, _ := os.ReadFile(others[k])
			if len(x) == 0 || !bytes.Equal(x, y) {
				t.Errorf("%s: judged anew and run afresh differ", files[k])
			}
		}
	}
}

// TestTuneInBrowser works the page in the browser that WINNOW_BROWSER names (a Chromium); WINNOW_NODE is the folder with the
// packages of .ci/browser/package.json. Screenshots go to WINNOW_SHOTS, if set.
func TestTuneInBrowser(t *testing.T) {
	if os.Getenv("WINNOW_BROWSER") == "" || os.Getenv("WINNOW_NODE") == "" {
		t.Skip("WINNOW_BROWSER and WINNOW_NODE are not set: see .ci/browser/run")
	}
	folder := sampleRun(t)
	runs := filepath.Dir(folder.Dir)
	table, err := tune.Load(folder, "")
	if err != nil {
		t.Fatal(err)
	}
	labels, err := tune.ReadLabels(filepath.Join(folder.Dir, "labels.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(nil)
	handler, err := tune.Handler(table, tune.Options{Lang: report.EN, Labels: labels, Addr: server.Listener.Addr().String(),
		Save: func(ch tune.Changes, want filter.Bounds) (tune.Saved, error) {
			return look.SaveRecipe(look.RecipeOf(folder, ""), runs, ch, want)
		}})
	if err != nil {
		t.Fatal(err)
	}
	server.Config.Handler = handler
	server.Start()
	defer server.Close()
	shots := os.Getenv("WINNOW_SHOTS")
	if shots == "" {
		shots = t.TempDir()
	}
	cmd := exec.Command("node", ".ci/browser/tune.mjs", server.URL+"/", shots)
	var log bytes.Buffer
	cmd.Stderr = &log
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, &log)
	}
	var got struct {
		Promise int64
		Path    string
		Faults  []string
	}
	if err := json.Unmarshal(out, &got); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for _, f := range got.Faults {
		t.Error(f)
	}
	if kept := keptAt(t, runIn(t, runs, got.Path), "filter"); kept != got.Promise {
		t.Errorf("%s keeps %d at the stage, the page promised %d", got.Path, kept, got.Promise)
	}
}
