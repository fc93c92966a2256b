package engine

import (
	"cmp"
	"container/heap"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"winnow"
	"winnow/shard"
)

// ErrNotYet is the error of a task that needs what tasks before it have not left yet.
var ErrNotYet = errors.New("not done yet")

// Work is a run opened for doing its tasks, by an engine that decides itself where and when. It is safe for concurrent use.
type Work struct {
	run   *run
	waves []*wave

	mu   sync.Mutex
	seen map[string]bool // tasks known to be done; a manifest stays
}

// OpenWork begins a run, or finds the one that was begun, whose input must not have changed. Options.Jobs bounds DoAll, and
// Options.Memory is shared by so many tasks; whoever calls Do side by side is bound by neither.
func OpenWork(p *Plan, o Options) (*Work, error) {
	r, err := p.open(o)
	if err != nil {
		return nil, err
	}
	if _, err := r.begin(); err != nil {
		return nil, err
	}
	r.siblings, r.notes = findSiblings(p.Store, p.Root, r.id), true
	return &Work{run: r, waves: r.waves(), seen: map[string]bool{}}, nil
}

// ID is the run's, and Dir its folder.
func (w *Work) ID() string { return w.run.id }

// Dir is the run's folder.
func (w *Work) Dir() string { return w.run.dir }

// Waves lists the run's waves in order, each with its tasks as far as they are known.
func (w *Work) Waves() (out []Wave) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, v := range w.waves {
		out = append(out, v.Wave)
	}
	return out
}

// find gives the wave of a name, with its tasks counted.
func (w *Work) find(stage string) (*wave, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, v := range w.waves {
		if v.Stage == stage {
			return v, w.run.count(v)
		}
	}
	return nil, fmt.Errorf("no tasks %s; this run has: %s", stage, strings.Join(w.run.taskList(), ", "))
}

// Tasks is how many tasks a wave has. Before it is known the error is ErrNotYet.
func (w *Work) Tasks(stage string) (int, error) {
	v, err := w.find(stage)
	if err != nil {
		return -1, err
	}
	return v.Tasks, nil
}

// Done tells whether task n of a wave is done.
func (w *Work) Done(stage string, n int) (bool, error) {
	v, err := w.find(stage)
	if err != nil {
		return false, err
	}
	return w.done(v, n)
}

func (w *Work) done(v *wave, n int) (bool, error) {
	name := v.name(n)
	w.mu.Lock()
	seen := w.seen[name]
	w.mu.Unlock()
	if seen {
		return true, nil
	}
	m, err := w.run.done(name, v.key(n))
	if err != nil || m == nil {
		return false, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.seen[name] = true
	return true, nil
}

// Missing lists the tasks of a wave that are not done. Before it is known how many there are the error is ErrNotYet.
func (w *Work) Missing(x Wave) ([]int, error) {
	v, err := w.find(x.Stage)
	if err != nil {
		return nil, err
	}
	var out []int
	for n := range v.Tasks {
		done, err := w.done(v, n)
		if err != nil {
			return nil, err
		}
		if !done {
			out = append(out, n)
		}
	}
	return out, nil
}

// Complete tells whether all tasks of a wave are done. It stops looking at the first that is not, and does not look again for
// those that were, so that it is cheap to ask often.
func (w *Work) Complete(x Wave) (bool, error) {
	v, err := w.find(x.Stage)
	if err != nil {
		return false, err
	}
	for n := range v.Tasks {
		if done, err := w.done(v, n); err != nil || !done {
			return false, err
		}
	}
	return true, nil
}

// Share lists, ascending, the tasks of a wave that fall to one of world ranks, whether they are done or not. It depends on
// nothing that changes while ranks work. Map tasks are dealt by the bytes of their shards, the largest first, each to the rank
// that has least; others in turn. An Ordered wave falls to rank 0 whole.
func (w *Work) Share(stage string, rank, world int) ([]int, error) {
	v, err := w.find(stage)
	if err != nil {
		return nil, err
	}
	if world < 1 || rank < 0 || rank >= world {
		return nil, fmt.Errorf("rank %d of %d: a rank is at least 0 and less than the world", rank, world)
	}
	var out []int
	switch {
	case v.Ordered:
		for n := 0; n < v.Tasks && rank == 0; n++ {
			out = append(out, n)
		}
	case strings.HasPrefix(v.Stage, "map-") && world > 1:
		out = deal(w.run.Shards, world)[rank]
		slices.Sort(out)
	default:
		for n := rank; n < v.Tasks; n += world {
			out = append(out, n)
		}
	}
	return out, nil
}

// deal gives shards to ranks, the largest first, each to the rank with the fewest bytes.
func deal(shards []winnow.Shard, world int) [][]int {
	order := make([]int, len(shards))
	for n := range order {
		order[n] = n
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(shards[b].Bytes(), shards[a].Bytes()) })
	out := make([][]int, world)
	loads := make(loads, world)
	for rank := range loads {
		loads[rank].rank = rank
	}
	for _, n := range order {
		least := &loads[0]
		out[least.rank] = append(out[least.rank], n)
		least.bytes += shards[n].Bytes()
		heap.Fix(&loads, 0)
	}
	return out
}

// loads is a heap of what ranks have, the least first.
type loads []struct {
	rank  int
	bytes int64
}

func (l loads) Len() int { return len(l) }
func (l loads) Less(i, j int) bool {
	return cmp.Or(cmp.Compare(l[i].bytes, l[j].bytes), cmp.Compare(l[i].rank, l[j].rank)) < 0
}
func (l loads) Swap(i, j int) { l[i], l[j] = l[j], l[i] }
func (l loads) Push(any)      {}
func (l loads) Pop() any      { return nil }

// Do does one task unless it is done. Where the waves before are not done the error is ErrNotYet.
func (w *Work) Do(ctx context.Context, stage string, n int) error {
	return w.DoAll(ctx, stage, []int{n})
}

// DoAll does tasks of one wave, ascending, side by side as Options.Jobs says.
func (w *Work) DoAll(ctx context.Context, stage string, tasks []int) error {
	v, err := w.find(stage)
	if err != nil {
		return err
	}
	for _, n := range tasks {
		if n < 0 || n >= v.Tasks {
			return fmt.Errorf("no task %s %d; this run has: %s", stage, n, strings.Join(w.run.taskList(), ", "))
		}
	}
	return w.run.each(ctx, v, tasks)
}

// Conclude sums up the manifests of all tasks, and marks the run as done. A task that is not done is ErrNotYet.
func (w *Work) Conclude(ctx context.Context) (*shard.Run, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	info, err := w.run.begin()
	if err != nil || info.State == shard.Done {
		return info, err
	}
	if err := w.run.conclude(info); err != nil {
		return nil, err
	}
	w.run.emit(Event{Type: "done", Run: w.run.id, Dir: w.run.dir, Counts: map[string]int64{"documents": info.Totals.Documents, "kept": info.Totals.Kept}})
	return info, nil
}
