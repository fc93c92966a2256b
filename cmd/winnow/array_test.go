//go:build unix

package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/goccy/go-yaml"

	"winnow/report"
	"winnow/shard"
)

const arrayRecipe = `name: arrays
input: {jsonl: [%s/part-*.jsonl], shard_size: 200KB}
stages:
  - filter: {use: [gopher]}
  - dedup: {method: exact}
  - dedup: {method: minhash, bands: 14, rows: 8, shingle: {latin: 3}}
  - pii: {email: true}
output: {file_size: 1MB}
`

// corpus writes n documents, a quarter of them copies or near copies, and the recipe that reads them.
func corpus(t *testing.T, n int) (recipe string) {
	t.Helper()
	dir := t.TempDir()
	rng := rand.New(rand.NewPCG(5, 5))
	words := strings.Fields("the of and a to in is was he for it with as his on be at by had not are but from or have an they which one you were all her she there would their we him been has when who will more no if out so said what up its about into than them can only other new some could time these two may then do first any my now such like our over man me even most made after also did many before must through back years where much your way well down should because each just those people how too little state good very make world still own see men work long get here between both life being under never day same another know while last might us great old year off come since against go came right used take three")
	var texts []string
	parts := make([]strings.Builder, 8)
	for i := range n {
		var text string
		if i > 50 && rng.IntN(4) == 0 {
			text = texts[rng.IntN(i)]
			if rng.IntN(2) == 0 {
				text = strings.Replace(text, " time ", " hour ", 1)
			}
		} else {
			for range 3 + rng.IntN(6) {
				for k := range 8 + rng.IntN(10) {
					if k > 0 || text != "" {
						text += " "
					}
					text += words[rng.IntN(len(words))]
				}
				text += "."
			}
		}
		texts = append(texts, text)
		fmt.Fprintf(&parts[i*len(parts)/n], "{\"id\":\"doc-%05d\",\"text\":%q}\n", i, text)
	}
	for k := range parts {
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("part-%d.jsonl", k)), []byte(parts[k].String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	recipe = filepath.Join(dir, "recipe.yaml")
	if err := os.WriteFile(recipe, fmt.Appendf(nil, arrayRecipe, dir), 0o644); err != nil {
		t.Fatal(err)
	}
	return recipe
}

// TestArrayConforms does one corpus with the local engine, and by processes of an array: every share of each wave by two processes at
// the same time, in shuffled order, of which some are killed with SIGKILL at random. Bytes and reports are equal.
func TestArrayConforms(t *testing.T) {
	n, world := 10000, 4
	if testing.Short() {
		n, world = 2000, 3
	}
	recipe := corpus(t, n)
	local, array := t.TempDir(), t.TempDir()
	succeed(t, recipe, local)
	out, err := exec.Command("winnow", "task", "-q", "--runs", array, recipe, "--begin").Output()
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	run, rng, killed := lines[0], rand.New(rand.NewPCG(9, 9)), 0
	var mu sync.Mutex
	for _, line := range lines[1:] {
		stage, _, _ := strings.Cut(line, " ")
		ranks := rng.Perm(2 * world) // each share twice
		var wg sync.WaitGroup
		for _, k := range ranks {
			after := time.Duration(rng.Int64N(int64(400 * time.Millisecond)))
			wg.Go(func() {
				start := func() *exec.Cmd {
					return exec.Command("winnow", "task", "-q", "--lang", "en", "--runs", array, run, "--stage", stage, "--rank", fmt.Sprint(k%world), "--world", fmt.Sprint(world), "--jobs", "2")
				}
				if k < world/2 && strings.HasPrefix(stage, "map-") || k == 0 && !strings.HasPrefix(stage, "group-") {
					cmd := start()
					if cmd.Start() == nil {
						time.Sleep(after)
						cmd.Process.Kill()
						cmd.Wait()
						if cmd.ProcessState.ExitCode() == -1 {
							mu.Lock()
							killed++
							mu.Unlock()
						}
					}
				}
				if text, err := start().CombinedOutput(); err != nil {
					t.Errorf("%s, rank %d: %v\n%s", stage, k%world, err, text)
				}
			})
		}
		wg.Wait()
		if t.Failed() {
			t.FailNow()
		}
	}
	if text, err := exec.Command("winnow", "task", "-q", "--runs", array, run, "--conclude").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	if killed < 2 {
		t.Errorf("only %d processes could be killed", killed)
	}
	t.Logf("%d documents, %d processes killed", n, killed)
	compareRuns(t, local, array)
	a, b := totals(t, local), totals(t, array)
	if a != b || !strings.Contains(a, fmt.Sprint("documents:", n)) {
		t.Errorf("reports differ:\n%s\n%s", a, b)
	}
}

// totals is a run's report without times.
func totals(t *testing.T, runs string) string {
	t.Helper()
	dirs, _ := filepath.Glob(filepath.Join(runs, "*", "run.json"))
	f, err := shard.Open(nil, filepath.Dir(dirs[0]))
	if err != nil {
		t.Fatal(err)
	}
	rep, err := report.New(f)
	if err != nil {
		t.Fatal(err)
	}
	out := fmt.Sprintf("documents:%d kept:%d %+v %v\n", rep.Run.Totals.Documents, rep.Run.Totals.Kept, rep.Run.Totals, rep.Run.Records)
	for _, r := range rep.Rules {
		out += fmt.Sprintf("%+v\n", r)
	}
	return out
}

// The fields of a batch/v1 Job that the template uses, by the names and types of the API. A name that the API does not know is an error
// of the strict decoding.
type k8sJob struct {
	APIVersion string            `yaml:"apiVersion" validate:"required"`
	Kind       string            `yaml:"kind"`
	Metadata   k8sMeta           `yaml:"metadata"`
	Data       map[string]string `yaml:"data"`
	Spec       struct {
		CompletionMode       string `yaml:"completionMode"`
		Completions          int32  `yaml:"completions"`
		Parallelism          int32  `yaml:"parallelism"`
		BackoffLimitPerIndex *int32 `yaml:"backoffLimitPerIndex"`
		MaxFailedIndexes     *int32 `yaml:"maxFailedIndexes"`
		PodFailurePolicy     struct {
			Rules []struct {
				Action          string `yaml:"action"`
				OnPodConditions []struct {
					Type   string `yaml:"type"`
					Status string `yaml:"status"`
				} `yaml:"onPodConditions"`
				OnExitCodes *struct {
					ContainerName string  `yaml:"containerName"`
					Operator      string  `yaml:"operator"`
					Values        []int32 `yaml:"values"`
				} `yaml:"onExitCodes"`
			} `yaml:"rules"`
		} `yaml:"podFailurePolicy"`
		Template struct {
			Metadata k8sMeta `yaml:"metadata"`
			Spec     k8sPod  `yaml:"spec"`
		} `yaml:"template"`
	} `yaml:"spec"`
}

type k8sMeta struct {
	Name      string            `yaml:"name"`
	Namespace string            `yaml:"namespace"`
	Labels    map[string]string `yaml:"labels"`
}

type k8sPod struct {
	RestartPolicy                 string `yaml:"restartPolicy"`
	TerminationGracePeriodSeconds int64  `yaml:"terminationGracePeriodSeconds"`
	Containers                    []struct {
		Name       string   `yaml:"name"`
		Image      string   `yaml:"image"`
		Command    []string `yaml:"command"`
		WorkingDir string   `yaml:"workingDir"`
		Env        []struct {
			Name  string `yaml:"name"`
			Value string `yaml:"value"`
		} `yaml:"env"`
		EnvFrom []struct {
			SecretRef struct {
				Name string `yaml:"name"`
			} `yaml:"secretRef"`
		} `yaml:"envFrom"`
		Resources struct {
			Requests map[string]string `yaml:"requests"`
			Limits   map[string]string `yaml:"limits"`
		} `yaml:"resources"`
		VolumeMounts []struct {
			Name      string `yaml:"name"`
			MountPath string `yaml:"mountPath"`
		} `yaml:"volumeMounts"`
	} `yaml:"containers"`
	Volumes []struct {
		Name      string `yaml:"name"`
		ConfigMap *struct {
			Name string `yaml:"name"`
		} `yaml:"configMap"`
		PersistentVolumeClaim *struct {
			ClaimName string `yaml:"claimName"`
		} `yaml:"persistentVolumeClaim"`
	} `yaml:"volumes"`
}

// TestK8sManifests decodes what launch writes, strictly, and holds it to what the API demands of Indexed Jobs with a failure policy.
func TestK8sManifests(t *testing.T) {
	recipe := corpus(t, 100)
	raw, err := os.ReadFile(recipe)
	if err != nil {
		t.Fatal(err)
	}
	text, _ := said(t, 0, "", "launch", "k8s", recipe, "--runs", filepath.Join(t.TempDir(), "runs"), "--world", "5", "--pvc", "claim", "--secret", "keys", "-n", "space", "--image", "registry/winnow:1")
	names, jobs := []string{}, 0
	for doc := range strings.SplitSeq(text, "\n---\n") {
		var j k8sJob
		if err := yaml.UnmarshalWithOptions([]byte(doc), &j, yaml.Strict()); err != nil {
			t.Fatalf("%v\n%s", err, doc)
		}
		if slices.Contains(names, j.Kind+j.Metadata.Name) || j.Metadata.Name == "" || len(j.Metadata.Name) > 52 || regexp.MustCompile("[^a-z0-9]").MatchString(strings.ReplaceAll(j.Metadata.Name, "-", "")) || j.Metadata.Namespace != "space" {
			t.Errorf("metadata %+v", j.Metadata)
		}
		names = append(names, j.Kind+j.Metadata.Name)
		if j.Kind == "ConfigMap" {
			if j.APIVersion != "v1" || j.Data["recipe.yaml"] != string(raw) {
				t.Errorf("the recipe does not go through: %q", j.Data["recipe.yaml"])
			}
			continue
		}
		jobs++
		s, pod := j.Spec, j.Spec.Template.Spec
		if j.Kind != "Job" || j.APIVersion != "batch/v1" || s.CompletionMode != "Indexed" || s.Completions < 1 || s.Parallelism < 1 || s.Parallelism > s.Completions || s.BackoffLimitPerIndex == nil || s.MaxFailedIndexes == nil {
			t.Errorf("%s: %+v", j.Metadata.Name, s)
		}
		if pod.RestartPolicy != "Never" { // a podFailurePolicy takes no other
			t.Errorf("restartPolicy %q", pod.RestartPolicy)
		}
		c := pod.Containers[0]
		for _, r := range s.PodFailurePolicy.Rules {
			if (len(r.OnPodConditions) > 0) == (r.OnExitCodes != nil) || r.OnExitCodes != nil && (r.OnExitCodes.ContainerName != c.Name || r.OnExitCodes.Operator != "In" || !slices.IsSorted(r.OnExitCodes.Values) || slices.Contains(r.OnExitCodes.Values, 0)) {
				t.Errorf("rule %+v", r)
			}
		}
		if len(c.Command) < 4 || c.Image == "" || c.Resources.Requests["memory"] != c.Resources.Limits["memory"] || len(c.VolumeMounts) != 2 || len(pod.Volumes) != 2 || pod.Volumes[1].PersistentVolumeClaim.ClaimName != "claim" {
			t.Errorf("%s: %+v", j.Metadata.Name, pod)
		}
	}
	if jobs != 9 { // begin, map, group and resolve twice, map, pack, conclude
		t.Errorf("%d jobs", jobs)
	}
}
