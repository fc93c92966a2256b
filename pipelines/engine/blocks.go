package engine

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"

	"winnow"
	"winnow/pipelines/engine/compare"
	"winnow/shard"
	"winnow/shard/store"
)

// An engine with a shuffle of its own moves what Map tasks leave for Group tasks as blocks: MapBlocks gives them, GroupBlocks
// takes them. Only hashes and numbers of documents are in them. Whatever else tasks need of each other lies in the run's folder.

// corpus finds the Corpus stage of a label, and the pass that it ends.
func (r *run) corpus(label string) (p, i int, err error) {
	for p, ps := range r.passes {
		for _, i := range ps.corpora {
			if r.Steps[i].Label == label {
				return p, i, nil
			}
		}
	}
	return 0, 0, fmt.Errorf("no Corpus stage %s", label)
}

// MapBlocks does Map task n unless it is done, and then emits what it left for some partitions of a Corpus stage that ends its
// pass: blocks of at most compare.MaxBlock bytes, each in memory of its own, the same ones every time. It gives the task's
// counts: rows, alive and alive_bytes among them.
func (w *Work) MapBlocks(ctx context.Context, label string, n int, parts []int, emit func(part int, block []byte) error) (map[string]int64, error) {
	p, i, err := w.run.corpus(label)
	if err != nil {
		return nil, err
	}
	if err := w.Do(ctx, fmt.Sprintf("map-%d", p), n); err != nil {
		return nil, err
	}
	m, err := w.run.finished(mapName(p, n), w.run.mapKey(p, n))
	if err != nil {
		return nil, err
	}
	path := store.Join(w.run.dir, m.Outputs[1+slices.Index(w.run.passes[p].corpora, i)].Name)
	err = compare.ReadBlocks(w.run.Store, path, w.run.Steps[i].Stage.(winnow.Corpus).Layout(), n, parts, func(part int, block []byte) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		return emit(part, block)
	})
	if err != nil {
		err = fmt.Errorf("task %s: %w", mapName(p, n), err)
	}
	return m.Counts, err
}

// GroupBlocks does the Group task of one partition of a Corpus stage unless it is done. It reads blocks, as MapBlocks emitted
// them for this partition in all of the pass's Map tasks, in place of the sketch files: they may come in any order, and more than
// once. What it leaves is what Do leaves, byte for byte.
func (w *Work) GroupBlocks(ctx context.Context, label string, part int, blocks iter.Seq2[[]byte, error]) error {
	p, i, err := w.run.corpus(label)
	if err != nil {
		return err
	}
	v, err := w.find("group-" + label)
	if err != nil {
		return err
	}
	if part < 0 || part >= v.Tasks {
		return fmt.Errorf("no task %s %d; this run has: %s", v.Stage, part, strings.Join(w.run.taskList(), ", "))
	}
	own := *v
	own.work = func(ctx context.Context, part int) (*shard.Manifest, error) {
		in := compare.NewBlocks(w.run.Steps[i].Stage.(winnow.Corpus).Layout(), part, w.run.memory/int64(w.run.jobs), "")
		defer in.Close()
		for raw, err := range blocks {
			if err == nil {
				err = ctx.Err()
			}
			if err == nil {
				err = in.Add(raw)
			}
			if err != nil {
				return nil, err
			}
		}
		return w.run.groupTask(ctx, p, i, part, in)
	}
	return w.run.do(ctx, &own, part)
}
