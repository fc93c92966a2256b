package drive

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	pipepb "github.com/apache/beam/sdks/v2/go/pkg/beam/model/pipeline_v1"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/runners/vet"

	"winnow/beam/jobs"
	"winnow/beam/tasks"
	"winnow/pipelines/engine"
	"winnow/report"
	"winnow/shard"
)

// The test program is its own worker, and its own submitter where one is to be killed: whoever starts it says so in its
// environment.
func TestMain(m *testing.M) {
	tasks.Register()
	beam.Init()
	slog.SetDefault(slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError + 1})))
	switch {
	case jobs.IsWorker():
		dieLater()
		end(jobs.Work(context.Background(), os.Args[1:]))
	case os.Getenv(envSubmit) != "":
		end(submit())
	}
	os.Exit(m.Run())
}

func end(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// service is an embedded Prism.
func service(t testing.TB) *jobs.Service {
	t.Helper()
	s, err := jobs.Embedded(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func loopback(t testing.TB) *pipepb.Environment {
	t.Helper()
	env, stop, err := jobs.Loopback(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
	return env
}

func process(t testing.TB) *pipepb.Environment {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	folder, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	env, err := jobs.Process(t.Context(), self, folder)
	if err != nil {
		t.Fatal(err)
	}
	return env
}

// deadline is how long a job of a test may take: a runner may wait for ever for a worker that cannot come.
const deadline = 3 * time.Minute

// contents is the bytes of everything a run gives.
func contents(t testing.TB, dir string) map[string]string {
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

// reported is a run's report as JSON, but for what differs between two runs of one engine: times.
func reported(t testing.TB, dir string) string {
	t.Helper()
	folder, err := shard.Open(nil, dir)
	if err != nil {
		t.Fatal(err)
	}
	r, err := report.New(folder)
	if err != nil {
		t.Fatal(err)
	}
	r.Run.Started, r.Run.Finished, r.Run.Spent = "", "", nil
	for i := range r.Run.Stages {
		r.Run.Stages[i].Seconds = 0
	}
	for i := range r.Stages {
		r.Stages[i].Seconds = 0
	}
	b, err := json.MarshalIndent(r, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// sameRun compares all that two runs gave.
func sameRun(t testing.TB, what, got, want string) {
	t.Helper()
	a, b := contents(t, got), contents(t, want)
	if len(b) < 2 || !slices.Equal(slices.Sorted(maps.Keys(a)), slices.Sorted(maps.Keys(b))) {
		t.Fatalf("%s: %d files, want %d", what, len(a), len(b))
	}
	for name := range b {
		if a[name] != b[name] {
			t.Errorf("%s: %s differs: %d and %d bytes", what, name, len(a[name]), len(b[name]))
		}
	}
	if a, b := reported(t, got), reported(t, want); a != b {
		t.Errorf("%s: another report:\n%s\n%s", what, a, b)
	}
}

// local is the run of the local engine.
func local(t testing.TB, corpus, shardSize string) string {
	t.Helper()
	return localOf(t, plan(t, corpus, t.TempDir(), shardSize))
}

func localOf(t testing.TB, p *engine.Plan) string {
	t.Helper()
	info, err := engine.Run(context.Background(), p, engine.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Join(p.Root, info.ID)
}

// run does a plan on Beam, and gives the run's folder.
func run(t testing.TB, p *engine.Plan, s *jobs.Service, env *pipepb.Environment) string {
	t.Helper()
	info, err := Run(t.Context(), p, Options{Service: s, Environment: env, Deadline: deadline})
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Join(p.Root, info.ID)
}

// One corpus through the local engine, Prism in process, and Prism with a worker of its own process.
func TestPrism(t *testing.T) {
	dir := t.TempDir()
	corpus(t, dir, 4, 10_000)
	want := local(t, dir, "3MB")
	s := service(t)
	for name, env := range map[string]*pipepb.Environment{"in process": loopback(t), "with a worker process": process(t)} {
		var told []engine.Event
		p := plan(t, dir, t.TempDir(), "3MB")
		info, err := Run(t.Context(), p, Options{Service: s, Environment: env, Deadline: deadline, Engine: engine.Options{Events: func(e engine.Event) { told = append(told, e) }}})
		if err != nil {
			t.Fatal(err)
		}
		sameRun(t, name, filepath.Join(p.Root, info.ID), want)
		docs := int64(0)
		for _, e := range told {
			if e.Pass == 1 {
				docs = max(docs, e.Docs)
			}
		}
		if told[0].Type != "start" || docs != 10_000 {
			t.Errorf("%s: progress ends at %d documents", name, docs)
		}
	}
	if err := tasks.Close(); err != nil {
		t.Error(err)
	}
}

// Everything that travels is registered: nothing is found by chance of being compiled in.
func TestGraphsAreRegistered(t *testing.T) {
	for name, g := range map[string]*beam.Pipeline{
		"shuffle": tasks.Shuffle(tasks.Spec{}, []int{0}, []int{0}), "each": tasks.Each(tasks.Spec{}, []int{0}), "one": tasks.One(tasks.Spec{}),
	} {
		e, err := vet.Evaluate(t.Context(), g)
		if err != nil || e.RequiresRegistrations() {
			t.Errorf("%s: %v: functions or types are not registered", name, err)
		}
	}
}
