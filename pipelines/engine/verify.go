package engine

import (
	"context"
	"fmt"
	"iter"

	"winnow"
	"winnow/pipelines/engine/compare"
	"winnow/shard"
)

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
		count, err := compare.Evidence(r.Steps[i].Stage.(winnow.Verified), spoolDocuments(ctx, spool), wanted[n], f)
		m.Counts = map[string]int64{"documents": count}
		return err
	})
}

// candidates lists the rows that candidate edges name, worked out once.
func (r *run) candidates(p, i int) ([]compare.Bits, error) {
	d := r.wanted[i]
	d.once.Do(func() {
		j, err := r.job(p, i)
		var files []string
		if err == nil {
			files, err = r.edgeFiles(p, i)
		}
		if err == nil {
			d.shards, err = j.Candidates(files)
		}
		d.err = err
	})
	return d.shards, d.err
}

func spoolDocuments(ctx context.Context, path string) iter.Seq2[*winnow.Document, error] {
	return func(yield func(*winnow.Document, error) bool) {
		for row, err := range shard.ReadSpool(path) {
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
