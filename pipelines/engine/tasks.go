package engine

import (
	"errors"
	"fmt"
	"os"

	"winnow"
	"winnow/shard"
	"winnow/shard/store"
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
	if m, ok := r.found.Load(task); ok && m.(*shard.Manifest).Key == key {
		return m.(*shard.Manifest), nil
	}
	m, err := shard.ReadManifest(r.Store, r.manifest(task))
	if err == nil && m.Key == key && winnow.IsURL(r.dir) {
		r.found.Store(task, m) // each reading is a request, and a manifest stays
	}
	if errors.Is(err, os.ErrNotExist) || err == nil && m.Key != key {
		return nil, nil
	}
	return m, err
}

func (r *run) manifest(task string) string { return store.Join(r.dir, "tasks", task+".json") }

// finished is the manifest of a task that others need.
func (r *run) finished(task, key string) (*shard.Manifest, error) {
	m, err := r.done(task, key)
	if err == nil && m == nil {
		err = fmt.Errorf("task %s is %w", task, ErrNotYet)
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
	return store.Join(r.dir, m.Outputs[k].Name), nil
}

// addOutput closes an attempt file in a folder of the run, and names it in the manifest.
func (r *run) addOutput(m *shard.Manifest, folder string, f *shard.Temp, rows int) error {
	out, err := f.Keep(int64(rows))
	out.Name = folder + "/" + out.Name
	m.Outputs = append(m.Outputs, out)
	return err
}
