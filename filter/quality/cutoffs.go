package quality

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
)

// Cutoffs are percentiles of perplexity by language, as CCNet's cutoff.csv holds them: a first line of language codes behind an
// empty cell, then a line for each percentile, which is its first cell, in rising order.
type Cutoffs struct {
	Percentiles []float64            // 0 to 100, rising; 30 and 60 are among them
	Values      map[string][]float64 // by language, in the order of Percentiles
}

// The percentiles below which CCNet calls a document head, and middle.
const (
	headPercentile   = 30
	middlePercentile = 60
)

// NewCutoffs is a table without a language, of every fifth percentile.
func NewCutoffs() *Cutoffs {
	c := &Cutoffs{Values: map[string][]float64{}}
	for p := 5; p < 100; p += 5 {
		c.Percentiles = append(c.Percentiles, float64(p))
	}
	return c
}

// Set computes a language's percentiles from perplexities, at least one, in any order; between two ranks the value is
// interpolated, as numpy and pandas do.
func (c *Cutoffs) Set(language string, perplexities []float64) {
	sorted := slices.Sorted(slices.Values(perplexities))
	values := make([]float64, len(c.Percentiles))
	for i, p := range c.Percentiles {
		at := p / 100 * float64(len(sorted)-1)
		low := int(at)
		high := min(low+1, len(sorted)-1)
		values[i] = sorted[low] + (at-float64(low))*(sorted[high]-sorted[low])
	}
	c.Values[language] = values
}

// Bounds are the perplexities below which a document of the language is head, and middle; NaN where it has no cutoffs.
func (c *Cutoffs) Bounds(language string) (head, middle float64) {
	values, ok := c.Values[language]
	if !ok {
		return math.NaN(), math.NaN()
	}
	return values[slices.Index(c.Percentiles, headPercentile)], values[slices.Index(c.Percentiles, middlePercentile)]
}

// Tier is 0 for head, 1 for middle, 2 for tail; false where the language has no cutoffs.
func (c *Cutoffs) Tier(language string, perplexity float64) (int, bool) {
	head, middle := c.Bounds(language)
	switch {
	case math.IsNaN(head):
		return 0, false
	case perplexity < head:
		return 0, true
	case perplexity < middle:
		return 1, true
	}
	return 2, true
}

// ReadCutoffs reads a file as CCNet's. Where there is none, the error is fs.ErrNotExist.
func ReadCutoffs(path string) (*Cutoffs, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("quality: cutoffs: %w", err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil || len(rows) == 0 {
		return nil, errors.Join(fmt.Errorf("quality: cutoffs: %s: no table", path), err)
	}
	c := &Cutoffs{Values: map[string][]float64{}}
	for _, row := range rows[1:] {
		for i, cell := range row {
			v, err := strconv.ParseFloat(strings.TrimSpace(cell), 64)
			if err != nil || math.IsNaN(v) || v < 0 {
				return nil, fmt.Errorf("quality: cutoffs: %s: %q is no number of at least 0", path, cell)
			}
			if i == 0 {
				c.Percentiles = append(c.Percentiles, v)
			} else {
				c.Values[rows[0][i]] = append(c.Values[rows[0][i]], v)
			}
		}
	}
	return c, c.check(path)
}

func (c *Cutoffs) check(path string) error {
	rising := func(values []float64) bool { return slices.IsSorted(values) }
	switch {
	case !slices.Contains(c.Percentiles, headPercentile) || !slices.Contains(c.Percentiles, middlePercentile):
		return fmt.Errorf("quality: cutoffs: %s: want a row for each of the percentiles 30 and 60", path)
	case !rising(c.Percentiles) || c.Percentiles[len(c.Percentiles)-1] > 100 || len(slices.Compact(slices.Clone(c.Percentiles))) != len(c.Percentiles):
		return fmt.Errorf("quality: cutoffs: %s: percentiles must rise, up to 100", path)
	}
	for _, language := range slices.Sorted(maps.Keys(c.Values)) {
		if values := c.Values[language]; !rising(values) || len(values) != len(c.Percentiles) {
			return fmt.Errorf("quality: cutoffs: %s: the column %q does not rise, or stands there twice", path, language)
		}
	}
	return nil
}

// Write writes the file, whole or not at all.
func (c *Cutoffs) Write(path string) error {
	languages := slices.Sorted(maps.Keys(c.Values))
	rows := [][]string{append([]string{""}, languages...)}
	number := func(v float64) string { return strconv.FormatFloat(v, 'g', 7, 64) }
	for i, p := range c.Percentiles {
		row := []string{number(p)}
		for _, l := range languages {
			row = append(row, number(c.Values[l][i]))
		}
		rows = append(rows, row)
	}
	f, err := os.Create(path + ".partial")
	if err != nil {
		return fmt.Errorf("quality: cutoffs: %w", err)
	}
	if err := errors.Join(csv.NewWriter(f).WriteAll(rows), f.Close()); err != nil {
		return fmt.Errorf("quality: cutoffs: %w", err)
	}
	return os.Rename(f.Name(), path)
}

// OpenCutoffs reads the file, or begins a table where there is none: a model for one language after the other may be measured
// into one file.
func OpenCutoffs(path string) (*Cutoffs, error) {
	c, err := ReadCutoffs(path)
	if errors.Is(err, fs.ErrNotExist) {
		return NewCutoffs(), nil
	}
	return c, err
}
