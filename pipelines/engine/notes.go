package engine

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"os"
	"time"

	"winnow/shard"
	"winnow/shard/store"
)

// Where processes work on a run from many machines, each attempt at a task leaves a note beside the manifests: begun, until it ends;
// failed, with the error. One that is killed leaves its note of having begun. Notes are for people alone; no result, no report and no
// decision depends on them, and a note that cannot be written is no error.

// noteBegun writes that an attempt at a task begins, and gives the note's name; empty where no notes are kept.
func (r *run) noteBegun(task string) string {
	if !r.notes {
		return ""
	}
	name := store.Join(r.dir, "tasks", task+shard.NoteBegun+rand.Text()[:8])
	writeNote(r.Store, name, shard.Note{Task: task})
	return name
}

// noteEnded takes the note back, and leaves one of what went wrong.
func (r *run) noteEnded(name, task string, err error) {
	if name == "" {
		return
	}
	if err != nil && !errors.Is(err, context.Canceled) && !errors.Is(err, ErrNotYet) {
		writeNote(r.Store, store.Join(r.dir, "tasks", task+shard.NoteFailed+rand.Text()[:8]), shard.Note{Task: task, Error: err.Error()})
	}
	_ = r.Store.Remove(name)
}

func writeNote(s *store.Store, name string, n shard.Note) {
	n.Host, _ = os.Hostname()
	n.Process, n.Time = os.Getpid(), time.Now().UTC().Format(time.RFC3339)
	if b, err := json.Marshal(n); err == nil {
		_ = s.WriteFile(name, append(b, '\n'))
	}
}
