package engine

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"winnow"
	"winnow/pipelines/engine/compare"
	"winnow/shard"
)

// A task has a stage and a number: map-0 3, group-dedup 12, resolve-dedup 0, pack 0.

func mapName(p, n int) string { return fmt.Sprintf("map-%d-%05d", p, n) }

func groupName(label string, part int) string { return fmt.Sprintf("group-%s-%05d", label, part) }

func evidenceName(label string, n int) string { return fmt.Sprintf("evidence-%s-%05d", label, n) }

func verifyName(label string, part int) string { return fmt.Sprintf("verify-%s-%05d", label, part) }

func resolveName(label string) string { return "resolve-" + label }

func packName(n int) string { return fmt.Sprintf("pack-%05d", n) }

func newManifest(key, task string) *shard.Manifest { return &shard.Manifest{Key: key, Task: task} }

// done gives the manifest of a task that was finished under this key; nil where it is still to do.
func (r *run) done(task, key string) (*shard.Manifest, error) {
	m, err := shard.ReadManifest(r.manifest(task))
	if errors.Is(err, os.ErrNotExist) || err == nil && m.Key != key {
		return nil, nil
	}
	return m, err
}

func (r *run) manifest(task string) string { return filepath.Join(r.dir, "tasks", task+".json") }

// finished is the manifest of a task that others need.
func (r *run) finished(task, key string) (*shard.Manifest, error) {
	m, err := r.done(task, key)
	if err == nil && m == nil {
		err = fmt.Errorf("task %s is not done yet", task)
	}
	return m, err
}

// output is the path of output k of a finished task.
func (r *run) output(task, key string, k int) (string, error) {
	m, err := r.finished(task, key)
	if err != nil {
		return "", err
	}
	if k >= len(m.Outputs) {
		return "", fmt.Errorf("task %s left %d files", task, len(m.Outputs))
	}
	return filepath.Join(r.dir, filepath.FromSlash(m.Outputs[k].Name)), nil
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// addOutput closes an attempt file in a folder of the run, and names it in the manifest.
func (r *run) addOutput(m *shard.Manifest, folder string, f *shard.Temp, rows int) error {
	out, err := f.Keep(int64(rows))
	out.Name = folder + "/" + out.Name
	m.Outputs = append(m.Outputs, out)
	return err
}

// perform does one task unless it is done, and commits it.
func (r *run) perform(ctx context.Context, task, key string, work func(context.Context) (*shard.Manifest, error)) error {
	if m, err := r.done(task, key); err != nil || m != nil {
		return err
	}
	begin, cpu := time.Now(), cpuSeconds()
	m, err := work(ctx)
	if err != nil {
		return fmt.Errorf("task %s: %w", task, err)
	}
	m.Seconds, m.CPUSeconds = time.Since(begin).Seconds(), cpuSeconds()-cpu
	if err := shard.Commit(r.manifest(task), m); err != nil {
		return fmt.Errorf("task %s: %w", task, err)
	}
	r.emit(Event{Type: "task", Task: task, Seconds: m.Seconds, Counts: m.Counts})
	return nil
}

func (r *run) doMap(ctx context.Context, p, n int) error {
	return r.perform(ctx, mapName(p, n), r.mapKey(p, n), func(ctx context.Context) (*shard.Manifest, error) { return r.mapTask(ctx, p, n) })
}

func (r *run) doGroup(ctx context.Context, p, i, part int) error {
	return r.perform(ctx, groupName(r.Steps[i].Label, part), r.groupKey(p, i, part), func(ctx context.Context) (*shard.Manifest, error) {
		return r.groupTask(ctx, p, i, part)
	})
}

func (r *run) doEvidence(ctx context.Context, p, i, n int) error {
	return r.perform(ctx, evidenceName(r.Steps[i].Label, n), r.evidenceKey(p, i, n), func(ctx context.Context) (*shard.Manifest, error) { return r.evidenceTask(ctx, p, i, n) })
}

func (r *run) doVerify(ctx context.Context, p, i, part int) error {
	return r.perform(ctx, verifyName(r.Steps[i].Label, part), r.verifyKey(p, i, part), func(ctx context.Context) (*shard.Manifest, error) { return r.verifyTask(ctx, p, i, part) })
}

func (r *run) doResolve(ctx context.Context, p, i int) error {
	return r.perform(ctx, resolveName(r.Steps[i].Label), r.resolveKey(p, i), func(ctx context.Context) (*shard.Manifest, error) { return r.resolveTask(ctx, p, i) })
}

// task does one task by its name and number, as `winnow task` gives them.
func (r *run) task(ctx context.Context, stage string, n int) error {
	kind, rest, _ := strings.Cut(stage, "-")
	for p, ps := range r.passes {
		if kind == "map" && rest == fmt.Sprint(p) && n >= 0 && n < len(r.Shards) {
			return r.doMap(ctx, p, n)
		}
		for _, i := range ps.corpora {
			switch {
			case r.Steps[i].Label != rest:
			case kind == "group" && n >= 0 && n < r.partitions(i):
				return r.doGroup(ctx, p, i, n)
			case kind == "evidence" && r.verified(i) && n >= 0 && n < len(r.Shards):
				return r.doEvidence(ctx, p, i, n)
			case kind == "verify" && r.verified(i) && n >= 0 && n < compare.VerifyPartitions:
				return r.doVerify(ctx, p, i, n)
			case kind == "resolve" && n == 0:
				return r.doResolve(ctx, p, i)
			}
		}
	}
	if kind == "pack" {
		files, err := r.packs()
		if err != nil {
			return err
		}
		if n >= 0 && n < len(files) {
			return r.doPack(ctx, files, n)
		}
	}
	return fmt.Errorf("no task %s %d; this run has: %s", stage, n, strings.Join(r.taskList(), ", "))
}

// taskList says what tasks there are, in the order in which they can run.
func (r *run) taskList() (out []string) {
	for p, ps := range r.passes {
		out = append(out, fmt.Sprintf("map-%d 0..%d", p, len(r.Shards)-1))
		for _, i := range ps.corpora {
			label := r.Steps[i].Label
			out = append(out, fmt.Sprintf("group-%s 0..%d", label, r.partitions(i)-1))
			if r.verified(i) {
				out = append(out, fmt.Sprintf("evidence-%s 0..%d", label, len(r.Shards)-1), fmt.Sprintf("verify-%s 0..%d", label, compare.VerifyPartitions-1))
			}
			out = append(out, "resolve-"+label+" 0")
		}
	}
	return append(out, "pack 0..")
}

// CountTasks is how many tasks a plan has, but for those that pack its output.
func CountTasks(p *Plan) (n int) {
	for _, ps := range passes(p.Steps) {
		n += len(p.Shards)
		for _, i := range ps.corpora {
			n += p.Steps[i].Stage.(winnow.Corpus).Layout().Partitions + 1
			if _, ok := p.Steps[i].Stage.(winnow.Verified); ok {
				n += len(p.Shards) + compare.VerifyPartitions
			}
		}
	}
	return n
}
