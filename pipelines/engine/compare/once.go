package compare

import (
	"context"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"

	"winnow"
)

// Once compares documents that are in memory, through the same files and sorts as a run, and gives the outcomes by document:
// shard and index within it. Files go to folder.
func Once(ctx context.Context, c winnow.Corpus, shards [][]*winnow.Document, folder string, memory int64) (map[winnow.DocID]winnow.Outcome, error) {
	j := &Job{Stage: c, Temp: folder, Memory: memory, Buffers: new(Buffers)}
	l := c.Layout()
	for n, docs := range shards {
		path := filepath.Join(folder, fmt.Sprintf("sketch-%d", n))
		j.Shards = append(j.Shards, Shard{Sketch: path, Rows: len(docs)})
		err := create(path, func(w io.Writer) error { return sketchAll(c, docs, w) })
		if err != nil {
			return nil, err
		}
	}
	var files []string
	for part := range l.Partitions {
		path := filepath.Join(folder, fmt.Sprintf("edges-%d", part))
		files = append(files, path)
		err := create(path, func(w io.Writer) error { _, _, err := j.Group(ctx, part, w); return err })
		if err != nil {
			return nil, err
		}
	}
	if v, ok := c.(winnow.Verified); ok {
		var err error
		if files, err = j.verifyOnce(ctx, v, shards, files); err != nil {
			return nil, err
		}
	}
	path := filepath.Join(folder, "outcomes")
	err := create(path, func(w io.Writer) error {
		_, err := j.Resolve(ctx, files, NewSegments(w, len(shards)))
		return err
	})
	out := map[winnow.DocID]winnow.Outcome{}
	for n := range shards {
		for s, e := range Outcomes(nil, path, n) {
			if err == nil {
				err = e
			}
			out[winnow.NewDocID(n, s.Row)] = s.Outcome
		}
	}
	return out, err
}

func sketchAll(c winnow.Corpus, docs []*winnow.Document, w io.Writer) error {
	l := c.Layout()
	s := NewSketches(NewSegments(w, SketchSegments(l)), l)
	for row, d := range docs {
		sk, err := Make(c, d)
		if err != nil {
			return err
		}
		if err := s.Add(row, &sk); err != nil {
			return err
		}
	}
	return s.Close()
}

func (j *Job) verifyOnce(ctx context.Context, v winnow.Verified, shards [][]*winnow.Document, candidates []string) (files []string, err error) {
	wanted, err := j.Candidates(candidates)
	if err != nil {
		return nil, err
	}
	var proofs []string
	for n, docs := range shards {
		path := filepath.Join(j.Temp, fmt.Sprintf("evidence-%d", n))
		proofs = append(proofs, path)
		if err := create(path, func(w io.Writer) error { _, err := Evidence(v, all(docs), wanted[n], w); return err }); err != nil {
			return nil, err
		}
	}
	for part := range VerifyPartitions {
		path := filepath.Join(j.Temp, fmt.Sprintf("held-%d", part))
		files = append(files, path)
		if err := create(path, func(w io.Writer) error { _, _, err := j.Verify(ctx, part, candidates, proofs, w); return err }); err != nil {
			return nil, err
		}
	}
	return files, nil
}

func all(docs []*winnow.Document) iter.Seq2[*winnow.Document, error] {
	return func(yield func(*winnow.Document, error) bool) {
		for _, d := range docs {
			if !yield(d, nil) {
				return
			}
		}
	}
}

func create(path string, write func(io.Writer) error) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	if err := write(f); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}
