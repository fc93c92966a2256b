// Package drive runs a plan on Beam: a plan flows in, jobs flow out, one for each wide stage after the other, and a finished run
// comes of it, the same as the local engine's. What was done before stays done.
package drive

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	pipepb "github.com/apache/beam/sdks/v2/go/pkg/beam/model/pipeline_v1"

	"winnow/beam/jobs"
	"winnow/beam/tasks"
	"winnow/pipelines/engine"
	"winnow/shard"
)

// Options say where and how the jobs run. The result does not depend on them.
type Options struct {
	Service     *jobs.Service
	Environment *pipepb.Environment
	Runner      map[string]any // options of the runner
	Deadline    time.Duration  // of one job; 0: none
	Attempts    int            // how often a job that fails is submitted; 0: once
	Engine      engine.Options // Jobs and Memory are those of one worker
}

// Run does what is missing of a plan's run, by jobs, and concludes it.
func Run(ctx context.Context, p *engine.Plan, o Options) (*shard.Run, error) {
	w, err := engine.OpenWork(p, o.Engine)
	if err != nil {
		return nil, err
	}
	build, err := tasks.Build()
	if err != nil {
		return nil, err
	}
	d := &driver{Options: o, plan: p, work: w, begun: time.Now(), spec: tasks.Spec{
		PlanURI: w.Dir(), PlanSHA: tasks.Sum(p), Build: build, Jobs: o.Engine.Jobs, Memory: o.Engine.Memory,
	}}
	d.tell(engine.Event{Type: "start", Run: w.ID(), Dir: w.Dir(), Shards: len(p.Shards), Resumed: d.resumed()})
	if err := d.all(ctx); err != nil {
		return nil, err
	}
	return w.Conclude(ctx)
}

type driver struct {
	Options
	plan  *engine.Plan
	work  *engine.Work
	spec  tasks.Spec
	begun time.Time
	pass  int
}

func (d *driver) tell(e engine.Event) {
	if d.Engine.Events != nil {
		d.Engine.Events(e)
	}
}

// resumed tells whether something was done before.
func (d *driver) resumed() bool {
	first := d.work.Waves()[0]
	missing, err := d.work.Missing(first)
	return err == nil && len(missing) < first.Tasks
}

// all submits the jobs, wave after wave. The Map tasks of a pass go with the first Corpus stage that ends it; for each stage
// after that one they only leave its blocks.
func (d *driver) all(ctx context.Context) error {
	waves := d.work.Waves()
	for k, w := range waves {
		label, group := strings.CutPrefix(w.Stage, "group-")
		next := ""
		if k+1 < len(waves) {
			next = waves[k+1].Stage
		}
		var err error
		switch {
		case strings.HasPrefix(w.Stage, "map-"):
			if k > 0 {
				d.pass++
			}
			if w.Ordered {
				err = d.one(ctx, w)
			} else if !strings.HasPrefix(next, "group-") {
				err = d.each(ctx, w)
			}
		case group:
			err = d.shuffle(ctx, w, label)
		case strings.HasPrefix(w.Stage, "resolve-"):
			err = d.one(ctx, w)
		default:
			err = d.each(ctx, w)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// missing counts the wave's tasks where that was not possible before, and lists those that are not done.
func (d *driver) missing(w engine.Wave) ([]int, error) {
	missing, err := d.work.Missing(w)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", w.Stage, err)
	}
	return missing, nil
}

func (d *driver) each(ctx context.Context, w engine.Wave) error {
	return d.until(ctx, w, len(d.plan.Shards), func(missing []int) jobs.Job {
		return jobs.Job{Name: w.Stage, Graph: tasks.Each(d.stage(w.Stage), missing)}
	})
}

func (d *driver) one(ctx context.Context, w engine.Wave) error {
	return d.until(ctx, w, 1, func([]int) jobs.Job { return jobs.Job{Name: w.Stage, Graph: tasks.One(d.stage(w.Stage))} })
}

func (d *driver) shuffle(ctx context.Context, w engine.Wave, label string) error {
	shards := make([]int, len(d.plan.Shards))
	for n := range shards {
		shards[n] = n
	}
	slices.SortStableFunc(shards, func(a, b int) int { // the largest first: they are dealt once, and nobody takes them over
		return int(d.plan.Shards[b].Bytes() - d.plan.Shards[a].Bytes())
	})
	return d.until(ctx, w, len(shards), func(missing []int) jobs.Job {
		return jobs.Job{Name: fmt.Sprintf("map-%d+%s", d.pass, w.Stage), Graph: tasks.Shuffle(d.stage(label), shards, missing)}
	})
}

func (d *driver) stage(name string) tasks.Spec {
	s := d.spec
	s.Stage = name
	return s
}

// until submits jobs for what is missing of a wave until nothing is. The runner's word that a job is done is not taken for it.
func (d *driver) until(ctx context.Context, w engine.Wave, inputs int, job func(missing []int) jobs.Job) error {
	var failed error
	for range max(d.Attempts, 1) {
		missing, err := d.missing(w)
		if err != nil || len(missing) == 0 {
			return err
		}
		j := job(missing)
		j.Name = d.work.ID() + "-" + j.Name
		j.Environment, j.Options, j.Deadline = d.Environment, d.Runner, d.Deadline
		if failed = d.Service.Run(ctx, j, d.watch(w, inputs)); ctx.Err() != nil {
			return failed
		}
	}
	missing, err := d.missing(w)
	if failed = errors.Join(failed, err); failed == nil && len(missing) > 0 {
		failed = fmt.Errorf("%s: the job is done, but its tasks %s are not", w.Stage, tasks.Ranges(missing))
	}
	return failed
}

// watch turns a job's counters into a status.
func (d *driver) watch(w engine.Wave, inputs int) func(jobs.Counters) {
	var total int64
	if d.pass == 0 {
		for _, s := range d.plan.Shards {
			total += s.Bytes()
		}
	}
	return func(c jobs.Counters) {
		d.tell(engine.Event{
			Type: "status", Stage: w.Stage, Pass: d.pass + 1, Passes: d.passes(), Seconds: time.Since(d.begun).Seconds(),
			Docs: c[tasks.Documents], Alive: c[tasks.Alive], Bytes: min(c[tasks.Bytes], total), Total: total,
			Counts: map[string]int64{"tasks": c[tasks.Tasks], "inputs": int64(inputs)},
		})
	}
}

func (d *driver) passes() (n int) {
	for _, w := range d.work.Waves() {
		if strings.HasPrefix(w.Stage, "map-") {
			n++
		}
	}
	return n
}
