//go:build unix

package main

import (
	"bufio"
	"bytes"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// undisturbed writes a recipe to a file and runs it to its end, in the module's root, where the test goes on from then. It
// gives the file, the folder of the run, and how long it took.
func undisturbed(t *testing.T, raw string) (recipe, runs string, took time.Duration) {
	t.Helper()
	t.Chdir("../..")
	recipe, runs = filepath.Join(t.TempDir(), "recipe.yaml"), t.TempDir()
	if err := os.WriteFile(recipe, []byte(raw), 0o644); err != nil {
		t.Fatal(err)
	}
	begin := time.Now()
	succeed(t, recipe, runs)
	return recipe, runs, time.Since(begin)
}

// quietly is the command that runs a recipe. The program is the test's own binary, which TestMain puts into the path.
func quietly(recipe, runs string) *exec.Cmd {
	return exec.Command("winnow", "run", "-q", "--lang", "en", "--runs", runs, recipe)
}

// succeed runs a recipe to its end.
func succeed(t *testing.T, recipe, runs string) {
	t.Helper()
	if out, err := quietly(recipe, runs).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

// TestKilledAndRunAgain kills a run with SIGKILL at ten random moments. Run again, it gives the bytes of a run that was
// never disturbed.
func TestKilledAndRunAgain(t *testing.T) {
	if testing.Short() {
		t.Skip("runs a recipe a dozen times")
	}
	raw, err := os.ReadFile("../../pipelines/quickstart.yaml")
	if err != nil {
		t.Fatal(err)
	}
	recipe, whole, took := undisturbed(t, strings.Replace(string(raw), "input:\n", "input:\n  shard_size: 64KB\n", 1))
	broken := t.TempDir()
	rng := rand.New(rand.NewPCG(7, 7))
	killed := 0
	for tries := 0; killed < 10 && tries < 40; tries++ {
		cmd := quietly(recipe, broken)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Duration(rng.Float64() * float64(took) / 4))
		if cmd.Process.Kill() == nil {
			if cmd.Wait(); cmd.ProcessState.ExitCode() == -1 {
				killed++
				continue
			}
		}
		if err := os.RemoveAll(broken); err != nil { // it was done before: begin anew
			t.Fatal(err)
		}
	}
	if killed < 10 {
		t.Fatalf("only %d runs could be killed", killed)
	}
	succeed(t, recipe, broken)
	compareRuns(t, whole, broken)
}

// TestResumedInsideOneFile kills a run that reads one archive, in shards cut at its members, when some are done. Run again, it does
// not read those anew, and gives the bytes of a run that was never disturbed, and of one with another number of workers.
func TestResumedInsideOneFile(t *testing.T) {
	if testing.Short() {
		t.Skip("runs a recipe four times")
	}
	recipe, whole, _ := undisturbed(t, "name: one\ninput: {warc: [samples/crawl.warc.gz], shard_size: 64KB}\nstages:\n  - extract: {}\n")
	broken, many := t.TempDir(), t.TempDir()
	cmd := exec.Command("winnow", "run", "-q", "--runs", broken, "--jobs", "1", recipe)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	manifests := func() map[string]time.Time {
		found, err := filepath.Glob(filepath.Join(broken, "*", "tasks", "map-0-*.json"))
		if err != nil {
			t.Fatal(err)
		}
		done := make(map[string]time.Time)
		for _, f := range found {
			if info, err := os.Stat(f); err == nil {
				done[f] = info.ModTime()
			}
		}
		return done
	}
	for end := time.Now().Add(time.Minute); len(manifests()) < 3 && time.Now().Before(end); {
		time.Sleep(time.Millisecond)
	}
	cmd.Process.Kill()
	cmd.Wait()
	before := manifests()
	succeed(t, recipe, broken)
	after := manifests()
	if len(before) < 3 || len(after) < len(before)+3 {
		t.Fatalf("%d of %d shards were done when it was killed", len(before), len(after))
	}
	for f, when := range before {
		if !after[f].Equal(when) {
			t.Errorf("%s was done again", f)
		}
	}
	compareRuns(t, whole, broken)
	if out, err := exec.Command("winnow", "run", "-q", "--runs", many, "--jobs", "5", recipe).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	compareRuns(t, whole, many)
}

// TestFineTuningKilled kills a fine-tuning with SIGKILL at ten random moments, each time somewhere else on its way. Run again, it leaves the bytes
// of one that was never disturbed.
func TestFineTuningKilled(t *testing.T) {
	if testing.Short() {
		t.Skip("runs a training a dozen times")
	}
	_, runs, _ := undisturbed(t, "name: one\ninput: {warc: [samples/crawl.warc.gz]}\nstages:\n  - extract: {}\n")
	dir := t.TempDir()
	base := filepath.Join(dir, "base")
	if out, err := exec.Command("winnow", "train", "base", "-q", "--runs", runs, "--data", "latest", "--tokens", "20k", "--depth", "1", "--out", base).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	tuning := func(out string) *exec.Cmd {
		return exec.Command("winnow", "train", "sft", "-q", "--model", base, "--template", "chatml", "--data", "samples/chat.jsonl", "--steps", "240", "--eval-every", "16",
			"--save-every", "5", "--patience", "0", "--out", filepath.Join(dir, out))
	}
	begin := time.Now()
	if out, err := tuning("straight").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	took := time.Since(begin)
	rng := rand.New(rand.NewPCG(5, 8))
	for killed := 0; killed < 10; {
		cmd := tuning("killed")
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Duration((.1 + .3*rng.Float64()) * float64(took)))
		cmd.Process.Kill()
		cmd.Wait()
		if killed++; cmd.ProcessState.ExitCode() == -1 {
			continue
		}
		if err := os.RemoveAll(filepath.Join(dir, "killed")); err != nil { // it was done before: begin anew
			t.Fatal(err)
		}
	}
	if out, err := tuning("killed").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, name := range []string{"model.safetensors", "metrics.jsonl", "samples.jsonl", "events.out.tfevents.winnow", "train.json", "winnow.json"} {
		want, err := os.ReadFile(filepath.Join(dir, "straight", name))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(filepath.Join(dir, "killed", name)); err != nil || !bytes.Equal(got, want) && !strings.HasPrefix(name, "events") {
			t.Errorf("%s differs: %v", name, err)
		}
	}
}

// everyPhase is a recipe whose run has tasks of every kind.
const everyPhase = `
name: phases
input: {warc: [samples/*.warc.gz], shard_size: 64KB}
stages:
  - extract: {}
  - dedup: {method: exact}
  - dedup: {method: minhash, verify: 0.6}
  - dedup: {method: line}
  - dedup: {method: span, tokens: 20}
`

// TestKilledInEachPhase kills a run with SIGKILL as soon as the first task of each kind is done, while others of that kind are
// at work. Run again, it gives the bytes of a run that was never disturbed.
func TestKilledInEachPhase(t *testing.T) {
	if testing.Short() {
		t.Skip("runs a recipe a dozen times")
	}
	recipe, whole, _ := undisturbed(t, everyPhase)
	broken := t.TempDir()
	for _, phase := range []string{"map-0", "group-dedup-exact", "resolve-dedup-exact", "group-dedup-minhash", "evidence-dedup-minhash", "verify-dedup-minhash",
		"resolve-dedup-minhash", "group-dedup-line", "map-1", "group-dedup-span", "evidence-dedup-span", "verify-dedup-span", "map-2"} {
		cmd := exec.Command("winnow", "run", "--json", "--runs", broken, "--memory", "1MB", recipe)
		events, err := cmd.StderrPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		met := false
		for in := bufio.NewScanner(events); in.Scan() && !met; {
			met = strings.Contains(in.Text(), `"task":"`+phase)
		}
		cmd.Process.Kill()
		cmd.Wait()
		if !met {
			t.Errorf("the run ended before phase %s", phase)
		}
	}
	succeed(t, recipe, broken)
	compareRuns(t, whole, broken)
}

// allSteps is a recipe with training of every kind, as small as they go.
const allSteps = `
name: steps
input: {warc: [samples/*.warc.gz]}
stages:
  - extract: {}
train:
  - base:   {depth: 1, vocab: 512, tokens: 40k}
  - sft:    {template: plain, data: [samples/chat.jsonl], steps: 20}
  - reward: {data: [samples/preferences.jsonl], steps: 8}
  - policy: {name: preferred, parent: sft, method: dpo, data: [samples/preferences.jsonl], steps: 6, lora: {rank: 2}}
  - policy: {name: judged, parent: sft, method: kto, data: [samples/feedback.jsonl], steps: 6}
  - policy: {name: ruled, parent: sft, method: grpo, data: [samples/prompts.jsonl], reward_expr: 'answer contains kind', samples: 4, max_tokens: 12, steps: 6, kl_budget: 0.9}
  - policy: {name: scored, parent: sft, method: ppo, data: [samples/prompts.jsonl], reward: reward, max_tokens: 12, steps: 6}
`

// TestTrainingKilledAndRunAgain kills a recipe's training with SIGKILL soon after random updates, and between steps. Run again, it
// goes on, and gives the bytes of every model of a run that was never disturbed.
func TestTrainingKilledAndRunAgain(t *testing.T) {
	if testing.Short() {
		t.Skip("trains seven models, twice")
	}
	recipe, whole, _ := undisturbed(t, allSteps)
	broken := t.TempDir()
	rng := rand.New(rand.NewPCG(11, 11))
	killed := 0
	for done := false; !done; {
		cmd := exec.Command("winnow", "run", "--json", "--runs", broken, recipe)
		events, err := cmd.StderrPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		left := 2 + rng.IntN(12) // updates until it is killed; so many are more than lie between checkpoints
		for in := bufio.NewScanner(events); left > 0 && in.Scan(); {
			if strings.Contains(in.Text(), `"type":"step"`) {
				left--
			}
		}
		if left == 0 {
			time.Sleep(time.Duration(rng.IntN(60)) * time.Millisecond)
			cmd.Process.Kill()
		}
		err = cmd.Wait()
		switch done = err == nil; {
		case done:
		case cmd.ProcessState.ExitCode() != -1:
			t.Fatalf("%v after %d kills", err, killed)
		default:
			killed++
		}
	}
	if killed < 6 {
		t.Fatalf("only %d kills", killed)
	}
	names, _ := filepath.Glob(filepath.Join(whole, "*", "models", "*", "*.safetensors"))
	adapters, _ := filepath.Glob(filepath.Join(whole, "*", "models", "*", "adapter", "*.safetensors"))
	if len(names) != 7 || len(adapters) != 1 {
		t.Fatalf("models %v, adapters %v", names, adapters)
	}
	sameFiles(t, whole, broken, append(names, adapters...))
	t.Logf("%d kills", killed)
}

func compareRuns(t *testing.T, a, b string) {
	t.Helper()
	names, _ := filepath.Glob(filepath.Join(a, "*", "*", "*.parquet"))
	if len(names) < 3 {
		t.Fatalf("only %v", names)
	}
	sameFiles(t, a, b, names)
}

// sameFiles compares files below a with those of the same names below b.
func sameFiles(t *testing.T, a, b string, names []string) {
	t.Helper()
	for _, name := range names {
		rel, _ := filepath.Rel(a, name)
		x, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		y, err := os.ReadFile(filepath.Join(b, rel))
		if err != nil || !bytes.Equal(x, y) {
			t.Errorf("%s differs from that of the undisturbed run (%v)", rel, err)
		}
	}
}
