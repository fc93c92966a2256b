package models

import (
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Count is a number of tokens or operations, written 300k, 20M, 1e9.
type Count float64

// UnmarshalText reads a Count from a scalar.
func (c *Count) UnmarshalText(b []byte) error {
	s, scale := strings.TrimSpace(string(b)), 1.0
	for _, u := range []struct {
		suffix string
		by     float64
	}{{"k", 1e3}, {"M", 1e6}, {"G", 1e9}, {"T", 1e12}} {
		if cut, ok := strings.CutSuffix(s, u.suffix); ok {
			s, scale = cut, u.by
		}
	}
	v, err := strconv.ParseFloat(s, 64)
	if err != nil || !(v > 0) || v*scale > 1e30 {
		return fmt.Errorf("%q is no number of this kind: write for instance 300k, 20M or 1e9", b)
	}
	*c = Count(v * scale)
	return nil
}

var nameRE = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]*$`)

func isFolder(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

func keys(m map[string]string) []string { return slices.Sorted(maps.Keys(m)) }
