package engine

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"winnow"
	"winnow/pipelines/engine/compare"
	"winnow/shard"
)

// Wave is tasks of one kind, which may be done side by side when all waves before are done.
type Wave struct {
	Stage   string // as Task takes it: map-0, group-dedup, evidence-dedup, verify-dedup, resolve-dedup, pack
	Tasks   int    // -1 where it is not known yet, which is so of pack until the waves before are done
	Ordered bool   // a task begins with what the one before it booked: one process should do them all
	Network bool   // a Batch stage is in it, which may wait for others' machines more than it works
}

// String is the stage and the numbers of its tasks: map-0 0..7.
func (w Wave) String() string {
	switch {
	case w.Tasks < 0:
		return w.Stage + " 0.."
	case w.Tasks == 1:
		return w.Stage + " 0"
	}
	return fmt.Sprintf("%s 0..%d", w.Stage, w.Tasks-1)
}

// wave is a Wave at work. Its functions ask for what the waves before have left.
type wave struct {
	Wave
	pass int
	step string // label of the Corpus stage, or "pack"; empty for Map
	key  func(n int) string
	work func(ctx context.Context, n int) (*shard.Manifest, error)
}

// name is that of task n, and of its manifest.
func (w *wave) name(n int) string { return TaskName(w.Stage, n) }

// TaskName is the name of task n of a wave, and of its manifest without .json.
func TaskName(stage string, n int) string {
	if strings.HasPrefix(stage, "resolve-") {
		return stage
	}
	return fmt.Sprintf("%s-%05d", stage, n)
}

// waves lists the waves in the order in which they can be done. Nothing is read; pack's tasks are not counted yet.
func (r *run) waves() (out []*wave) {
	for p, ps := range r.passes {
		out = append(out, &wave{
			Wave: Wave{Stage: fmt.Sprintf("map-%d", p), Tasks: len(r.Shards), Ordered: len(r.rationed(p)) > 0, Network: r.batches(p)}, pass: p,
			key:  func(n int) string { return r.mapKey(p, n) },
			work: func(ctx context.Context, n int) (*shard.Manifest, error) { return r.mapTask(ctx, p, n) },
		})
		for _, i := range ps.corpora {
			out = append(out, r.corpusWaves(p, i)...)
		}
	}
	return append(out, &wave{
		Wave: Wave{Stage: "pack", Tasks: -1}, pass: len(r.passes) - 1, step: "pack",
		key:  func(n int) string { return r.packKey(r.files, n) },
		work: func(ctx context.Context, n int) (*shard.Manifest, error) { return r.packTask(ctx, r.files, n) },
	})
}

// corpusWaves are those of Corpus stage i, which ends pass p.
func (r *run) corpusWaves(p, i int) (out []*wave) {
	label := r.Steps[i].Label
	add := func(kind string, tasks int, key func(int) string, work func(context.Context, int) (*shard.Manifest, error)) {
		out = append(out, &wave{Wave: Wave{Stage: kind + "-" + label, Tasks: tasks}, pass: p, step: label, key: key, work: work})
	}
	add("group", r.partitions(i), func(n int) string { return r.groupKey(p, i, n) },
		func(ctx context.Context, n int) (*shard.Manifest, error) { return r.groupTask(ctx, p, i, n, nil) })
	if r.verified(i) {
		add("evidence", len(r.Shards), func(n int) string { return r.evidenceKey(p, i, n) },
			func(ctx context.Context, n int) (*shard.Manifest, error) { return r.evidenceTask(ctx, p, i, n) })
		add("verify", compare.VerifyPartitions, func(n int) string { return r.verifyKey(p, i, n) },
			func(ctx context.Context, n int) (*shard.Manifest, error) { return r.verifyTask(ctx, p, i, n) })
	}
	add("resolve", 1, func(int) string { return r.resolveKey(p, i) },
		func(ctx context.Context, _ int) (*shard.Manifest, error) { return r.resolveTask(ctx, p, i) })
	return out
}

// batches tells whether a pass has a Batch stage.
func (r *run) batches(p int) bool {
	return slices.ContainsFunc(r.passes[p].local, func(i int) bool {
		_, ok := r.Steps[i].Stage.(winnow.Batch)
		return ok
	})
}

// count settles how many tasks a wave has, where the waves before tell. One that they do not tell yet is an error.
func (r *run) count(w *wave) error {
	if w.Tasks >= 0 {
		return nil
	}
	files, err := r.packs()
	if err == nil {
		r.files, w.Tasks = files, len(files)
	}
	return err
}

// do does one task of a wave unless it is done, and commits it.
func (r *run) do(ctx context.Context, w *wave, n int) error {
	task := w.name(n)
	if m, err := r.done(task, w.key(n)); err != nil || m != nil {
		if m != nil {
			r.skipped(w, n, m)
		}
		return err
	}
	begin, cpu := time.Now(), cpuSeconds()
	note := r.noteBegun(task)
	m, err := w.work(ctx, n)
	r.noteEnded(note, task, err)
	if err != nil {
		return fmt.Errorf("task %s: %w", task, err)
	}
	m.Seconds, m.CPUSeconds = time.Since(begin).Seconds(), cpuSeconds()-cpu
	if err := shard.Commit(r.Store, r.manifest(task), m); err != nil {
		return fmt.Errorf("task %s: %w", task, err)
	}
	r.emit(Event{Type: "task", Task: task, Seconds: m.Seconds, Counts: m.Counts})
	return nil
}

// each does tasks of a wave side by side; they are begun in order.
func (r *run) each(ctx context.Context, w *wave, tasks []int) error {
	r.expect(w, tasks)
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(r.jobs)
	for _, n := range tasks {
		g.Go(func() error {
			if err := ctx.Err(); err != nil {
				return err
			}
			return r.do(ctx, w, n)
		})
	}
	return g.Wait()
}

// taskList says what tasks there are, in the order in which they can run.
func (r *run) taskList() (out []string) {
	for _, w := range r.waves() {
		out = append(out, w.String())
	}
	return out
}

// Waves lists a plan's waves. Nothing is read or written.
func Waves(p *Plan) (out []Wave) {
	for _, w := range (&run{Plan: p, passes: passes(p.Steps)}).waves() {
		out = append(out, w.Wave)
	}
	return out
}

// CountTasks is how many tasks a plan has, but for those that pack its output.
func CountTasks(p *Plan) (n int) {
	for _, w := range Waves(p) {
		n += max(w.Tasks, 0)
	}
	return n
}

// label names what the wave is part of, for whoever watches.
func (r *run) label(w *wave) {
	if w.step == "" {
		r.progress.enter(w.pass)
		return
	}
	r.progress.label(w.step)
}

// all is the local engine: every task, wave after wave.
func (r *run) all(ctx context.Context) error {
	for _, w := range r.waves() {
		if err := r.count(w); err != nil {
			return err
		}
		r.label(w)
		tasks := make([]int, w.Tasks)
		for n := range tasks {
			tasks[n] = n
		}
		if err := r.each(ctx, w, tasks); err != nil {
			return err
		}
	}
	return nil
}

func (r *run) partitions(i int) int { return r.Steps[i].Stage.(winnow.Corpus).Layout().Partitions }
