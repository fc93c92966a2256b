package shard

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"

	"winnow"
)

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
	if winnow.IsURL(pattern) {
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
