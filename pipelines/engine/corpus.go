package engine

import (
	"bufio"
	"context"
	"fmt"
	"iter"
	"slices"
	"sync"

	"winnow"
	"winnow/pipelines/engine/compare"
	"winnow/shard"
	"winnow/shard/store"
)

// job is Corpus stage i, which ends pass p, over the sketches of all shards.
func (r *run) job(p, i int) (*compare.Job, error) {
	out, err := r.dropped(p, i)
	if err != nil {
		return nil, err
	}
	j := &compare.Job{Stage: r.Steps[i].Stage.(winnow.Corpus), Store: r.Store, Temp: r.Store.Scratch(store.Join(r.dir, "tasks")), Memory: r.memory / int64(r.jobs), Buffers: &r.buffers}
	for n := range r.Shards {
		m, err := r.finished(mapName(p, n), r.mapKey(p, n))
		if err != nil {
			return nil, err
		}
		path := store.Join(r.dir, m.Outputs[1+slices.Index(r.passes[p].corpora, i)].Name)
		j.Shards = append(j.Shards, compare.Shard{Sketch: path, Rows: int(m.Counts["rows"]), Out: out[n]})
	}
	for _, k := range r.known[i] {
		shards, err := k.shards()
		if err != nil {
			return nil, err
		}
		j.Shards = append(j.Shards, shards...)
	}
	return j, nil
}

// groupTask finds the edges within one hash partition of Corpus stage i, which ends pass p. Where blocks are given they stand for
// the run's own sketch files.
func (r *run) groupTask(ctx context.Context, p, i, part int, blocks *compare.Blocks) (*shard.Manifest, error) {
	m := newManifest(r.groupKey(p, i, part), groupName(r.Steps[i].Label, part))
	j, err := r.job(p, i)
	if err != nil {
		return nil, err
	}
	j.Blocks = blocks
	return m, r.keep(m, m.Task+".edges", func(f *shard.Temp) error {
		records, edges, err := j.Group(ctx, part, f)
		if err != nil {
			return fmt.Errorf("stage %s: partition %d: %w", r.Steps[i].Label, part, err)
		}
		m.Counts = map[string]int64{"records": records, "edges": edges}
		return nil
	})
}

// resolveTask settles Corpus stage i: all its edges become one outcome for each document in a cluster.
func (r *run) resolveTask(ctx context.Context, p, i int) (*shard.Manifest, error) {
	m := newManifest(r.resolveKey(p, i), resolveName(r.Steps[i].Label))
	j, err := r.job(p, i)
	if err != nil {
		return nil, err
	}
	j.Memory = r.memory // the only task of its time
	files, err := r.edgeFiles(p, i)
	if err == nil && r.verified(i) {
		files, err = r.verifiedFiles(p, i)
	}
	if err != nil {
		return nil, err
	}
	return m, r.keep(m, m.Task+".outcomes", func(f *shard.Temp) error {
		w := bufio.NewWriterSize(f, 1<<18)
		c, err := j.Resolve(ctx, files, compare.NewSegments(w, len(r.Shards)))
		if err != nil {
			return fmt.Errorf("stage %s: %w", r.Steps[i].Label, err)
		}
		m.Counts = map[string]int64{"clustered": c.Clustered, "dropped": c.Dropped, "cut": c.Cut}
		return w.Flush()
	})
}

func (r *run) edgeFiles(p, i int) (files []string, err error) {
	for part := range r.partitions(i) {
		path, err := r.output(groupName(r.Steps[i].Label, part), r.groupKey(p, i, part), 0)
		if err != nil {
			return nil, err
		}
		files = append(files, path)
	}
	return files, nil
}

// dead is sets of rows by shard, worked out once: what the Corpus stages of a pass before one step have dropped.
type dead struct {
	mu     sync.Mutex
	shards []compare.Bits // nil until they could be worked out
}

func (d *dead) get(work func() ([]compare.Bits, error)) ([]compare.Bits, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.shards != nil {
		return d.shards, nil
	}
	shards, err := work()
	if err == nil {
		d.shards = shards
	}
	return shards, err
}

// dropped lists by shard the rows that Corpus stages of the same pass before step i have dropped.
func (r *run) dropped(p, i int) ([]compare.Bits, error) {
	return r.dead[i].get(func() ([]compare.Bits, error) {
		shards := make([]compare.Bits, len(r.Shards))
		for _, c := range r.passes[p].corpora {
			if c == i {
				break
			}
			for n := range r.Shards {
				err := r.eachOutcome(p, c, n, func(s compare.Settled) {
					if s.Outcome.Verdict.Drop {
						shards[n].Set(s.Row)
					}
				})
				if err != nil {
					return nil, err
				}
			}
		}
		return shards, nil
	})
}

func (r *run) eachOutcome(p, i, n int, f func(compare.Settled)) error {
	path, err := r.output(resolveName(r.Steps[i].Label), r.resolveKey(p, i), 0)
	if err != nil {
		return err
	}
	for s, err := range compare.Outcomes(r.Store, path, n) {
		if err != nil {
			return err
		}
		f(s)
	}
	return nil
}

// outcomes are what one Corpus stage decided about one shard.
type outcomes struct {
	step  int
	cuts  bool
	byRow map[int]winnow.Outcome
}

func (r *run) outcomes(p, i, n int) (outcomes, error) {
	o := outcomes{step: i, cuts: r.Steps[i].Stage.(winnow.Corpus).Layout().Cuts, byRow: map[int]winnow.Outcome{}}
	return o, r.eachOutcome(p, i, n, func(s compare.Settled) { o.byRow[s.Row] = s.Outcome })
}

// settle applies the outcome to a row, unless an earlier stage of the same pass dropped it. A document that has no duplicate
// is a cluster of its own.
func (o outcomes) settle(r *run, row *shard.Row, at int) {
	s, ok := o.byRow[at]
	if row.DropStage != shard.Alive {
		return
	}
	if !ok {
		if !o.cuts && row.ClusterSize == 0 {
			row.Cluster, row.ClusterSize, row.Similarity = row.Doc.ID, 1, 1
		}
		return
	}
	if s.Size > 0 {
		row.Cluster, row.ClusterSize, row.Similarity = s.Cluster, s.Size, s.Similarity
		row.Weight = s.Weight
	}
	for k := len(s.Edits) - 1; k >= 0; k-- {
		e := s.Edits[k]
		row.Doc.Text = row.Doc.Text[:e.Start] + e.With + row.Doc.Text[e.End:]
		row.EditStage = o.step
	}
	row.Edits = append(row.Edits, s.Edits...)
	if s.Verdict.Drop {
		row.Verdict, row.DropStage = s.Verdict, o.step
		row.Verdict.Stage = r.Steps[o.step].Label
	}
}

// passOutput gives the spool of a Map task, and the outcomes that apply to its rows.
func (r *run) passOutput(p, n int) (string, []outcomes, error) {
	spool, err := r.output(mapName(p, n), r.mapKey(p, n), 0)
	if err != nil {
		return "", nil, err
	}
	var all []outcomes
	for _, c := range r.passes[p].corpora {
		o, err := r.outcomes(p, c, n)
		if err != nil {
			return "", nil, err
		}
		all = append(all, o)
	}
	return spool, all, nil
}

// keep writes one output of a task under an attempt name.
func (r *run) keep(m *shard.Manifest, name string, write func(*shard.Temp) error) error {
	f, err := shard.Create(r.Store, store.Join(r.dir, "tasks", name))
	if err != nil {
		return err
	}
	defer f.Abort()
	if err := write(f); err != nil {
		return err
	}
	return r.addOutput(m, "tasks", f, 0)
}

// verified tells whether the edges of Corpus stage i are candidates.
func (r *run) verified(i int) bool {
	_, ok := r.Steps[i].Stage.(winnow.Verified)
	return ok
}

func (r *run) evidenceKey(p, i, n int) string { return key("evidence", n, r.resolveKey(p, i)) }

func (r *run) verifyKey(p, i, part int) string { return key("verify", part, r.resolveKey(p, i)) }

// evidenceTask takes out of shard n what the comparison of candidates needs.
func (r *run) evidenceTask(ctx context.Context, p, i, n int) (*shard.Manifest, error) {
	m := newManifest(r.evidenceKey(p, i, n), evidenceName(r.Steps[i].Label, n))
	wanted, err := r.candidates(p, i)
	if err != nil {
		return nil, err
	}
	spool, err := r.output(mapName(p, n), r.mapKey(p, n), 0)
	if err != nil {
		return nil, err
	}
	return m, r.keep(m, m.Task, func(f *shard.Temp) error {
		count, err := compare.Evidence(r.Steps[i].Stage.(winnow.Verified), spoolDocuments(ctx, r.Store, spool), wanted[n], f)
		m.Counts = map[string]int64{"documents": count}
		return err
	})
}

// candidates lists the rows that candidate edges name, worked out once.
func (r *run) candidates(p, i int) ([]compare.Bits, error) {
	return r.wanted[i].get(func() ([]compare.Bits, error) {
		j, err := r.job(p, i)
		if err != nil {
			return nil, err
		}
		files, err := r.edgeFiles(p, i)
		if err != nil {
			return nil, err
		}
		return j.Candidates(files)
	})
}

func spoolDocuments(ctx context.Context, s *store.Store, path string) iter.Seq2[*winnow.Document, error] {
	return func(yield func(*winnow.Document, error) bool) {
		for row, err := range shard.ReadSpool(s, path) {
			if err == nil {
				err = ctx.Err()
			}
			if err != nil {
				yield(nil, fmt.Errorf("%s: %w", path, err))
				return
			}
			if !yield(&row.Doc, nil) {
				return
			}
		}
	}
}

// verifyTask compares one part of the candidates.
func (r *run) verifyTask(ctx context.Context, p, i, part int) (*shard.Manifest, error) {
	m := newManifest(r.verifyKey(p, i, part), verifyName(r.Steps[i].Label, part))
	j, err := r.job(p, i)
	if err != nil {
		return nil, err
	}
	candidates, err := r.edgeFiles(p, i)
	if err != nil {
		return nil, err
	}
	var evidence []string
	for n := range r.Shards {
		path, err := r.output(evidenceName(r.Steps[i].Label, n), r.evidenceKey(p, i, n), 0)
		if err != nil {
			return nil, err
		}
		evidence = append(evidence, path)
	}
	return m, r.keep(m, m.Task+".edges", func(f *shard.Temp) error {
		pairs, held, err := j.Verify(ctx, part, candidates, evidence, f)
		m.Counts = map[string]int64{"pairs": pairs, "edges": held}
		return err
	})
}

func (r *run) verifiedFiles(p, i int) (files []string, err error) {
	for part := range compare.VerifyPartitions {
		path, err := r.output(verifyName(r.Steps[i].Label, part), r.verifyKey(p, i, part), 0)
		if err != nil {
			return nil, err
		}
		files = append(files, path)
	}
	return files, nil
}
