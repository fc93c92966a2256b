package crawl

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/bmatcuk/doublestar/v4"
	"golang.org/x/sync/errgroup"

	"winnow"
)

// farAtOnce is how many files behind a network are asked for their sizes at a time.
const farAtOnce = 8

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
			if !winnow.IsURL(name) {
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
	if winnow.IsURL(pattern) {
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
		if !winnow.IsURL(name) {
			if info, err := os.Stat(name); err == nil {
				sizes[i] = info.Size()
			}
			continue
		}
		g.Go(func() error {
			f, err := winnow.OpenFile(ctx, name, s.o.Files)
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
