package quality

import (
	"bufio"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"iter"
	"os"
	"path/filepath"
	"slices"

	"winnow"
	"winnow/pipelines"
)

// texts reads runs, of which the kept documents, and files of any kind that a recipe can read.
func (a *app) texts(ctx context.Context, data []string) iter.Seq2[*winnow.Document, error] {
	return func(yield func(*winnow.Document, error) bool) {
		for _, name := range data {
			docs, err := a.textsOf(ctx, name)
			if err != nil {
				yield(nil, err)
				return
			}
			for d, err := range docs {
				if !yield(d, err) || err != nil {
					return
				}
			}
		}
	}
}

func (a *app) textsOf(ctx context.Context, name string) (iter.Seq2[*winnow.Document, error], error) {
	if files, _ := filepath.Glob(name); len(files) > 0 {
		if info, err := os.Stat(files[0]); err == nil && !info.IsDir() {
			return pipelines.Documents(ctx, []string{name}), nil
		}
	}
	if filepath.Ext(name) != "" {
		return pipelines.Documents(ctx, []string{name}), nil
	}
	f, err := a.Find(name)
	if err != nil {
		return nil, err
	}
	return f.Documents(), nil
}

// annotated are the texts to ask about, in the order of the data; it can be gone through more than once.
func (a *app) annotated(ctx context.Context, f *annotateFlags) (iter.Seq2[annotation, error], error) {
	rows := func(yield func(annotation, error) bool) {
		n := 0
		for d, err := range a.texts(ctx, f.data) {
			if err != nil {
				yield(annotation{}, err)
				return
			}
			if d.Text == "" {
				continue
			}
			if n++; f.limit > 0 && n > f.limit || !yield(annotation{ID: d.ID, Text: d.Text, Language: d.Language}, nil) {
				return
			}
		}
	}
	if f.sample == 0 {
		return rows, nil
	}
	return drawn(rows, f.sample, f.seed)
}

// drawn takes the n rows of the least hashes of seed and id: the order of the data changes nothing, and more rows hold the
// fewer.
func drawn(rows iter.Seq2[annotation, error], n int, seed uint64) (iter.Seq2[annotation, error], error) {
	type draw struct {
		hash uint64
		at   int
		row  annotation
	}
	var all []draw
	cut := func() {
		slices.SortFunc(all, func(x, y draw) int { return cmp.Or(cmp.Compare(x.hash, y.hash), cmp.Compare(x.at, y.at)) })
		all = all[:min(n, len(all))]
	}
	at := 0
	for row, err := range rows {
		if err != nil {
			return nil, err
		}
		sum := sha256.Sum256(append(binary.LittleEndian.AppendUint64(nil, seed), row.ID...))
		all = append(all, draw{binary.LittleEndian.Uint64(sum[:]), at, row})
		if at++; len(all) >= 2*n {
			cut()
		}
	}
	cut()
	slices.SortFunc(all, func(x, y draw) int { return cmp.Compare(x.at, y.at) })
	return func(yield func(annotation, error) bool) {
		for _, d := range all {
			if !yield(d.row, nil) {
				return
			}
		}
	}, nil
}

// lines is a file of JSON lines that appears when it is whole.
type lines struct {
	path string
	f    *os.File
	w    *bufio.Writer
	enc  *json.Encoder
	n    int
}

func newLines(path string) (*lines, error) {
	f, err := os.Create(path + ".partial")
	if err != nil {
		return nil, err
	}
	l := &lines{path: path, f: f, w: bufio.NewWriter(f)}
	l.enc = json.NewEncoder(l.w)
	l.enc.SetEscapeHTML(false)
	return l, nil
}

func (l *lines) commit() error {
	if err := errors.Join(l.w.Flush(), l.f.Close()); err != nil {
		return err
	}
	return os.Rename(l.f.Name(), l.path)
}

// discard removes what was not committed.
func (l *lines) discard() {
	l.f.Close()
	os.Remove(l.f.Name())
}

// labels are the scores, and what got none.
type labels struct{ good, bad *lines }

func newLabels(path string) (*labels, error) {
	good, err := newLines(path)
	if err != nil {
		return nil, err
	}
	bad, err := newLines(path + ".failed.jsonl")
	if err != nil {
		good.discard()
		return nil, err
	}
	return &labels{good, bad}, nil
}

// fail notes a text without a score.
func (l *labels) fail(id, why, answer string) error {
	l.bad.n++
	return l.bad.enc.Encode(struct {
		ID     string `json:"id"`
		Why    string `json:"why"`
		Answer string `json:"answer"`
	}{id, why, answer})
}

// commit leaves no file of failures where there is none.
func (l *labels) commit() error {
	if l.bad.n > 0 {
		return errors.Join(l.good.commit(), l.bad.commit())
	}
	l.bad.discard()
	if err := os.Remove(l.bad.path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return l.good.commit()
}

func (l *labels) discard() {
	l.good.discard()
	l.bad.discard()
}
