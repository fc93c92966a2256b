package crawl

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"
	"golang.org/x/sync/errgroup"

	"winnow"
)

// farAtOnce is how many files behind a network are asked for their sizes at a time.
const farAtOnce = 8

// isURL tells whether a pattern, or a file, is for Options.Files.
func isURL(name string) bool { return strings.Contains(name, "://") }

// expand lists the files that the patterns match, sorted within a pattern, each file once.
func (s *source) expand(ctx context.Context) ([]string, error) {
	var files []string
	seen := make(map[string]bool)
	for _, pattern := range s.patterns {
		found, err := s.match(ctx, pattern)
		if err != nil {
			return nil, fmt.Errorf("input %q: %w", winnow.Redacted(pattern), err)
		}
		if len(found) == 0 {
			return nil, fmt.Errorf("input %q: matches no file", winnow.Redacted(pattern))
		}
		for _, name := range found {
			clean := name
			if !isURL(name) {
				clean = filepath.Clean(name)
			}
			if !seen[clean] {
				seen[clean] = true
				files = append(files, name)
			}
		}
	}
	return files, nil
}

// match expands one pattern: a name, a folder, a glob with ** for any folders, or a URL.
func (s *source) match(ctx context.Context, pattern string) ([]string, error) {
	if isURL(pattern) {
		if s.o.Files == nil {
			return nil, errors.New("URLs are not read here")
		}
		return s.o.Files.Glob(ctx, pattern, s.wants)
	}
	names := []string{pattern}
	if _, err := os.Lstat(pattern); err != nil {
		if names, err = doublestar.FilepathGlob(pattern); err != nil {
			return nil, err
		}
	}
	var files []string
	for _, name := range names {
		info, err := os.Stat(name)
		if err != nil || !info.IsDir() {
			files = append(files, name)
			continue
		}
		err = filepath.WalkDir(name, func(path string, e fs.DirEntry, err error) error {
			if err == nil && !e.IsDir() && s.wants(path) {
				files = append(files, path)
			}
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	slices.SortFunc(files, cmp.Compare)
	return files, nil
}

// sizes asks for the size of every file, and notes the tags that servers give. A file of the disk that cannot be asked has 0.
func (s *source) sizes(ctx context.Context, files []string) ([]int64, error) {
	sizes, tags := make([]int64, len(files)), make([]string, len(files))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(farAtOnce)
	for i, name := range files {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if !isURL(name) {
			if info, err := os.Stat(name); err == nil {
				sizes[i] = info.Size()
			}
			continue
		}
		g.Go(func() error {
			f, err := s.open(ctx, name)
			if err != nil {
				return err
			}
			sizes[i], tags[i] = f.Size(), f.Tag()
			return f.Close()
		})
	}
	err := g.Wait()
	s.tags = make(map[string]string, len(files))
	for i, name := range files {
		if tags[i] != "" {
			s.tags[name] = fmt.Sprint(sizes[i], " ", tags[i])
		}
	}
	return sizes, err
}

// open opens a file of the disk or behind a network.
func (s *source) open(ctx context.Context, name string) (winnow.File, error) {
	if isURL(name) {
		if s.o.Files == nil {
			return nil, fmt.Errorf("%s: URLs are not read here", name)
		}
		return s.o.Files.Open(ctx, name)
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, err
	}
	return &local{f, info.Size()}, nil
}

// local is a winnow.File of the disk.
type local struct {
	*os.File
	size int64
}

// Size implements winnow.File.
func (l *local) Size() int64 { return l.size }

// Tag implements winnow.File.
func (l *local) Tag() string { return "" }

// Ranged implements winnow.File.
func (l *local) Ranged() bool { return true }

// watched remembers that reading failed, which cutters would take for the end.
type watched struct {
	winnow.File
	err error
}

// ReadAt implements io.ReaderAt.
func (w *watched) ReadAt(b []byte, off int64) (int, error) {
	n, err := w.File.ReadAt(b, off)
	if err != nil && err != io.EOF && w.err == nil {
		w.err = err
	}
	return n, err
}
