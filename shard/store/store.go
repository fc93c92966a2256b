// Package store keeps the files of runs, on the disk and behind URLs, in a way that several processes can share.
//
// Names go in, paths of the disk or URLs; files to read, attempts that become files, and commits of which the first wins
// come out. On a disk an attempt is renamed when it is whole, and a commit is a link. An object store has neither: there
// an attempt is made in a scratch folder of this machine and sent when it is whole, and a commit is a conditional request.
package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sync/errgroup"

	"winnow"
)

// Store is a place for files. The nil Store is the disk alone. It is safe for concurrent use.
type Store struct {
	ctx     context.Context
	far     winnow.Objects
	scratch string
	kept    *cache
}

// New gives a Store whose URLs are those of far. What is on its way there lies in the folder scratch meanwhile, and so do copies
// of what was read from there, without names and up to 4 GiB of them; empty is the system's folder for temporary files.
func New(far winnow.Objects, scratch string) *Store {
	if scratch == "" {
		scratch = os.TempDir()
	}
	return &Store{ctx: context.Background(), far: far, scratch: scratch, kept: newCache(scratch)}
}

// With gives the same Store for work that ctx can stop.
func (s *Store) With(ctx context.Context) *Store {
	if s == nil {
		return nil
	}
	with := *s
	with.ctx = ctx
	return &with
}

// Files finds and opens URLs; nil where there are none.
func (s *Store) Files() winnow.Files {
	if s == nil || s.far == nil {
		return nil
	}
	return s.far
}

// Lasting gives the same Store for what has to be written down when work was stopped.
func (s *Store) Lasting() *Store {
	if s == nil {
		return nil
	}
	return s.With(context.WithoutCancel(s.ctx))
}

// Close gives up the copies.
func (s *Store) Close() error {
	if s == nil {
		return nil
	}
	return s.kept.close()
}

// away tells whether a name is one of the object store, and refuses URLs where there is none.
func (s *Store) away(name string) (bool, error) {
	if !winnow.IsURL(name) {
		return false, nil
	}
	if s == nil || s.far == nil {
		return true, fmt.Errorf("%s: URLs are not kept here", winnow.Redacted(name))
	}
	return true, nil
}

// Scratch is a folder of the disk for files that are of use only while something is made in folder.
func (s *Store) Scratch(folder string) string {
	if winnow.IsURL(folder) && s != nil {
		return s.scratch
	}
	return folder
}

// Open opens a file for reading. Where there is none the error is fs.ErrNotExist.
func (s *Store) Open(name string) (winnow.File, error) {
	away, err := s.away(name)
	if err != nil || !away {
		return openDisk(name, err)
	}
	if f := s.kept.get(name); f != nil {
		return f, nil
	}
	return s.far.Open(s.ctx, name)
}

func openDisk(name string, err error) (winnow.File, error) {
	if err != nil {
		return nil, err
	}
	return winnow.OpenFile(context.Background(), name, nil)
}

// OpenWhole is Open for a file that is read here and there, and again: it is fetched once, unless it is very large. Its content
// must not change.
func (s *Store) OpenWhole(name string) (winnow.File, error) {
	f, err := s.Open(name)
	if err != nil || !winnow.IsURL(name) || f.Size() > maxWhole {
		return f, err
	}
	if _, ok := f.(*copied); ok {
		return f, nil
	}
	defer f.Close()
	return s.kept.fetch(name, f)
}

// ReadFile reads a small file.
func (s *Store) ReadFile(name string) ([]byte, error) {
	if !winnow.IsURL(name) {
		return os.ReadFile(name)
	}
	b, _, err := s.read(name)
	return b, err
}

// read reads a small file that is away, and its tag. One that is replaced meanwhile is read anew.
func (s *Store) read(name string) (b []byte, tag string, err error) {
	for range 20 {
		if b, tag, err = s.readOnce(name); !errors.Is(err, winnow.ErrChanged) {
			return b, tag, err
		}
	}
	return nil, "", err
}

func (s *Store) readOnce(name string) ([]byte, string, error) {
	f, err := s.Open(name)
	if err != nil {
		return nil, "", err
	}
	defer f.Close()
	b := make([]byte, f.Size())
	if n, err := f.ReadAt(b, 0); n < len(b) {
		return nil, "", errors.Join(err, io.ErrUnexpectedEOF)
	}
	return b, f.Tag(), nil
}

// WriteFile writes a small file, replacing what is there.
func (s *Store) WriteFile(name string, b []byte) error {
	away, err := s.away(name)
	if err != nil {
		return err
	}
	if !away {
		return os.WriteFile(name, b, 0o644)
	}
	return s.put(name, b, winnow.Condition{})
}

// Append opens a file to which lines are added, and which need not be there. One that is away changes when it is closed,
// even if the work was stopped.
func (s *Store) Append(name string) (io.WriteCloser, error) {
	away, err := s.away(name)
	if err != nil {
		return nil, err
	}
	if !away {
		return os.OpenFile(name, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	}
	b, err := s.ReadFile(name)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	a := &appended{store: s.Lasting(), name: name}
	a.Write(b)
	return a, nil
}

// appended is a file that is away and grows here.
type appended struct {
	bytes.Buffer
	store *Store
	name  string
}

// Close implements io.Closer.
func (a *appended) Close() error { return a.store.WriteFile(a.name, a.Bytes()) }

// Exists tells whether there is such a file.
func (s *Store) Exists(name string) bool {
	if !winnow.IsURL(name) {
		_, err := os.Stat(name)
		return err == nil
	}
	f, err := s.Open(name)
	if err != nil {
		return false
	}
	f.Close()
	return true
}

// List gives what lies in a folder, one level of it, by name. A folder that is not there has nothing in it.
func (s *Store) List(folder string) ([]winnow.Entry, error) {
	away, err := s.away(folder)
	if err != nil {
		return nil, err
	}
	if away {
		return s.far.List(s.ctx, folder)
	}
	entries, err := os.ReadDir(folder)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var out []winnow.Entry
	for _, e := range entries {
		info, err := e.Info()
		if errors.Is(err, fs.ErrNotExist) {
			continue // gone meanwhile
		}
		if err != nil {
			return nil, err
		}
		x := winnow.Entry{Name: e.Name(), Folder: e.IsDir()}
		if !x.Folder {
			x.Size, x.Time = info.Size(), info.ModTime()
		}
		out = append(out, x)
	}
	return out, err
}

// MakeFolder makes a folder with those above it, where folders have to be made.
func (s *Store) MakeFolder(name string) error {
	away, err := s.away(name)
	if err != nil || away {
		return err
	}
	return os.MkdirAll(name, 0o755)
}

// Remove takes a file away. What is not there is no error.
func (s *Store) Remove(name string) error {
	away, err := s.away(name)
	if err != nil {
		return err
	}
	if away {
		return s.far.Remove(s.ctx, name)
	}
	if err := os.Remove(name); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// RemoveAll takes a folder away with all that lies in it.
func (s *Store) RemoveAll(folder string) error {
	away, err := s.away(folder)
	if err != nil {
		return err
	}
	if !away {
		return os.RemoveAll(filepath.Clean(folder))
	}
	entries, err := s.List(folder)
	if err != nil {
		return err
	}
	g, ctx := errgroup.WithContext(s.ctx)
	g.SetLimit(removesAtOnce)
	for _, e := range entries {
		name := Join(folder, e.Name)
		if e.Folder {
			err = errors.Join(err, s.RemoveAll(name))
			continue
		}
		g.Go(func() error { return s.far.Remove(ctx, name) })
	}
	return errors.Join(err, g.Wait())
}

// removesAtOnce is how many requests to remove something are on their way at a time.
const removesAtOnce = 16
