package shard

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"

	"winnow"
)

// isURL tells whether a pattern, or a file, is for SourceOptions.Files.
func isURL(name string) bool { return strings.Contains(name, "://") }

// files lists the files that the patterns match, sorted within a pattern, each file once.
func (s *source) files(ctx context.Context) (files []string, err error) {
	seen := make(map[string]bool)
	for _, pattern := range s.patterns {
		found, err := s.match(ctx, pattern)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", winnow.Redacted(pattern), err)
		}
		if len(found) == 0 {
			return nil, fmt.Errorf("%s: no such file", winnow.Redacted(pattern))
		}
		for _, f := range found {
			if !seen[f] {
				seen[f] = true
				files = append(files, f)
			}
		}
	}
	return files, nil
}

func (s *source) match(ctx context.Context, pattern string) ([]string, error) {
	if isURL(pattern) {
		if s.o.Files == nil {
			return nil, errors.New("URLs are not read here")
		}
		return s.o.Files.Glob(ctx, pattern, func(name string) bool { return strings.HasSuffix(name, ".parquet") })
	}
	found, err := doublestar.FilepathGlob(pattern, doublestar.WithFilesOnly())
	for i := range found {
		found[i] = filepath.Clean(found[i])
	}
	slices.Sort(found)
	return found, err
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

// watched remembers that reading failed, which the parquet library may make something else of.
type watched struct {
	winnow.File
	err error
}

// ReadAt implements io.ReaderAt.
func (w *watched) ReadAt(b []byte, off int64) (int, error) {
	n, err := w.File.ReadAt(b, off)
	if err != nil && err != io.EOF && w.err == nil && !errors.Is(err, os.ErrInvalid) && off >= 0 {
		w.err = err
	}
	return n, err
}
