package engine

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"sync"
	"time"

	"winnow/pipelines/engine/compare"
	"winnow/shard"
	"winnow/shard/store"
)

// Options are what the result does not depend on.
type Options struct {
	Jobs   int         // documents worked on at once; 0: one for each core
	Fresh  bool        // begin anew: do not resume, do not take over what other runs stored
	Memory int64       // bytes in which Corpus stages sort, all tasks together; 0: DefaultMemory
	Events func(Event) // told of progress; may be nil; called by one goroutine at a time
}

// DefaultMemory is in how many bytes Corpus stages sort.
const DefaultMemory = 256 << 20

// run is a plan at work.
type run struct {
	*Plan
	id, dir  string
	found    sync.Map // manifests that are away and were read, by task
	jobs     int
	memory   int64
	fresh    bool
	begun    bool // what was there is removed once
	passes   []pass
	cols     []int               // first signal column of each step, and the end
	renamed  []map[string]string // by step: rules whose column has another name
	workers  chan struct{}       // one slot for each batch of documents in work
	siblings []sibling
	progress *progress

	resolveKeys map[int]string
	buffers     compare.Buffers
	dead        map[int]*dead    // by Corpus stage
	wanted      map[int]*dead    // rows that candidates name, by Corpus stage
	known       map[int][]*known // earlier runs, by Corpus stage
	againstKeys map[int][]string // what the comparison with them depends on
	cutsOnce    sync.Once
	cuts        map[string]uint64
	cutsErr     error

	notes    bool                // attempts leave notes
	files    [][]int             // shards of each data file, once known
	bookings map[[2]int]*booking // of Rationed stages, by pass and shard
}

func (p *Plan) open(o Options) (*run, error) {
	r := &run{Plan: p, id: p.RunID(), jobs: o.Jobs, fresh: o.Fresh, passes: passes(p.Steps), cols: p.first(), resolveKeys: map[int]string{}, dead: map[int]*dead{}, wanted: map[int]*dead{},
		known: map[int][]*known{}, againstKeys: map[int][]string{}}
	if r.jobs <= 0 {
		r.jobs = runtime.GOMAXPROCS(0)
	}
	if r.memory = o.Memory; r.memory <= 0 {
		r.memory = DefaultMemory
	}
	r.dir = store.Join(p.Root, r.id)
	r.workers = make(chan struct{}, r.jobs)
	r.progress = newProgress(r, o.Events)
	for i, s := range p.Steps {
		r.renamed = append(r.renamed, map[string]string{})
		for _, sig := range s.Stage.Signals() {
			if name := p.Column(i, sig.ID); name != sig.ID {
				r.renamed[i][sig.ID] = name
			}
		}
	}
	r.openBookings()
	if err := r.openKnown(); err != nil {
		return nil, err
	}
	for q := range r.passes { // keys are computed once, before tasks run side by side
		for _, i := range r.passes[q].corpora {
			r.resolveKey(q, i)
			r.dead[i], r.wanted[i] = new(dead), new(dead)
		}
	}
	return r, nil
}

// Run performs every task that is not done yet, and returns what the run came to. The same plan run again goes on where
// it stopped.
func Run(ctx context.Context, p *Plan, o Options) (*shard.Run, error) {
	r, err := p.open(o)
	if err != nil {
		return nil, err
	}
	info, err := r.begin()
	if err != nil || info.State == shard.Done {
		return info, err
	}
	r.siblings = findSiblings(r.Store, p.Root, r.id)
	stop := r.progress.start()
	err = r.all(ctx)
	stop()
	defer r.progress.end()
	if err == nil {
		err = r.conclude(info)
	}
	if err != nil {
		return info, errors.Join(err, r.fail(info, err))
	}
	r.emit(Event{Type: "done", Run: r.id, Dir: r.dir, Counts: map[string]int64{"documents": info.Totals.Documents, "kept": info.Totals.Kept}})
	return info, nil
}

// Task performs one task of a run that was begun before.
func Task(ctx context.Context, p *Plan, stage string, n int) error {
	w, err := OpenWork(p, Options{})
	if err != nil {
		return err
	}
	return w.Do(ctx, stage, n)
}

// Begin makes the run's folder without doing any task, for engines that start tasks themselves.
func Begin(p *Plan) (dir string, tasks []string, err error) {
	r, err := p.open(Options{})
	if err != nil {
		return "", nil, err
	}
	_, err = r.begin()
	return r.dir, r.taskList(), err
}

// begin makes the run's folder, or finds the one that is there. An input that changed since is an error.
func (r *run) begin() (*shard.Run, error) {
	if r.fresh && !r.begun {
		if err := r.Store.RemoveAll(r.dir); err != nil {
			return nil, err
		}
	}
	r.begun = true
	old, err := shard.ReadRun(r.Store, r.dir)
	if err == nil {
		if err := r.unchanged(old); err != nil {
			return nil, err
		}
		if old.State == shard.Done && !r.whole(old) {
			old.State = shard.Running
			if err := r.packAgain(); err != nil {
				return nil, err
			}
		}
		r.progress.resumed = true
		return old, nil
	}
	if !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("%s: %w", r.dir, err)
	}
	for _, sub := range []string{"tasks", "sketches", "data", "ledger", "dropped"} {
		if err := r.Store.MakeFolder(store.Join(r.dir, sub)); err != nil {
			return nil, err
		}
	}
	if err := r.Store.WriteFile(store.Join(r.dir, "recipe.yaml"), r.Recipe); err != nil {
		return nil, err
	}
	info := r.describe()
	return info, shard.WriteRun(r.Store, r.dir, info)
}

// unchanged compares the inputs with those that the run began with.
func (r *run) unchanged(old *shard.Run) error {
	for n, s := range old.Shards {
		if n < len(r.Shards) && s.Fingerprint != r.Shards[n].Fingerprint {
			return fmt.Errorf("input %s changed since run %s began: run again with --fresh to begin anew", s.Parts[0].File, r.id)
		}
	}
	return nil
}

// whole tells whether the files of a finished run are still there.
func (r *run) whole(old *shard.Run) bool {
	for _, o := range old.Outputs {
		if !r.Store.Exists(store.Join(r.dir, o.Name)) {
			return false
		}
	}
	return true
}

// packAgain forgets that the run's files were packed, so that those which are gone are written again.
func (r *run) packAgain() error {
	tasks := store.Join(r.dir, "tasks")
	entries, err := r.Store.List(tasks)
	for _, e := range entries {
		if strings.HasPrefix(e.Name, "pack-") && err == nil {
			err = r.Store.Remove(store.Join(tasks, e.Name))
		}
	}
	return err
}

// fail notes in run.json that the run stopped, and why. What was done stays done.
func (r *run) fail(info *shard.Run, why error) error {
	info.State, info.Error = shard.Failed, why.Error()
	info.Finished = time.Now().UTC().Format(time.RFC3339)
	return shard.WriteRun(r.Store.Lasting(), r.dir, info)
}
