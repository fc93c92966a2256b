// Program train makes the weights of package score: pages with their truths go in ($WINNOW_DATA/html), model.bin comes
// out, which learned from all of them, and folds.bin, the models of a cross-validation over domains, by which tests and
// bench measure pages that a model has not seen. Same data, same bytes.
//
//	WINNOW_DATA=path go run ./crawl/extract/internal/train -out crawl/extract/score
package main

import (
	"encoding/gob"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"

	"winnow/crawl/extract"
)

func main() {
	s := chosen
	out := flag.String("out", "", "the folder to write to; none: measure alone")
	seed := flag.Uint64("seed", 1, "of the rows and features that a tree sees")
	cache := flag.String("cache", "", "a file that keeps the labels from run to run, while the cutting of blocks stays the same")
	without := flag.String("without", dropped, "names of features that are not asked (regular expression)")
	flag.IntVar(&s.rounds, "rounds", s.rounds, "trees")
	flag.Float64Var(&s.rate, "rate", s.rate, "of learning")
	flag.Float64Var(&s.ridge, "ridge", s.ridge, "on the answers")
	flag.Float64Var(&s.least, "least", s.least, "curvature on either side of a question")
	flag.Float64Var(&s.rowShare, "rows", s.rowShare, "share of rows that a tree sees")
	flag.Float64Var(&s.colShare, "columns", s.colShare, "share of features that a tree may ask")
	flag.IntVar(&s.bins, "bins", s.bins, "of a feature")
	full := flag.Float64("full", 1.5, "weight from which on all samples are seen")
	flag.Float64Var(&s.smooth, "smooth", s.smooth, "labels are pulled this far towards 1/2")
	flag.Parse()
	t := trainer{settings: s, full: float32(*full), seed: *seed}
	if err := run(*out, os.Getenv("WINNOW_DATA"), *cache, *without, t); err != nil {
		fmt.Fprintln(os.Stderr, "train:", err)
		os.Exit(1)
	}
}

// dropped are features by which trees know pages again rather than what a block is: absolute sizes and counts.
const dropped = `(size|^depth|blocks|text around it|^words)$`

// trainer is what all models learn by.
type trainer struct {
	pages []page
	asked []int // features
	settings
	full float32 // weight from which on all samples are seen
	seed uint64
}

func run(out, dir, cache, without string, t trainer) error {
	var err error
	if t.pages, err = cached(dir, cache); err != nil {
		return err
	}
	not, err := regexp.Compile(without)
	if err != nil {
		return err
	}
	for f, name := range extract.FeatureNames() {
		if !not.MatchString(name) {
			t.asked = append(t.asked, f)
		}
	}
	models, shipped := t.train(out != "")
	report(fmt.Sprintf("%+v, %d features", t.settings, len(t.asked)), t.pages, models)
	if out == "" {
		return nil
	}
	if err := os.WriteFile(filepath.Join(out, "model.bin"), shipped.Encode(), 0o644); err != nil {
		return err
	}
	var parts []byte
	for _, m := range models {
		parts = append(parts, m.Encode()...)
	}
	return os.WriteFile(filepath.Join(out, "folds.bin"), parts, 0o644)
}

// cached reads the pages, with their labels from a file; where there is none, it labels them and writes it.
func cached(dir, path string) (pages []page, err error) {
	if dir == "" {
		return nil, fmt.Errorf("WINNOW_DATA is not set: the folder with real pages")
	}
	var known []page
	found, err := restore(path, &known)
	if err != nil {
		return nil, err
	}
	if pages, err = load(dir, known); err != nil || path == "" || found {
		return pages, err
	}
	known = slices.Clone(pages)
	for i := range known {
		known[i].Rows = slices.Clone(known[i].Rows)
		for b := range known[i].Rows {
			known[i].Rows[b].Values = nil
		}
	}
	return pages, store(path, known)
}

// restore reads a cache, and tells whether there is one.
func restore(path string, to any) (bool, error) {
	f, err := os.Open(path)
	if err != nil {
		return false, nil
	}
	defer f.Close()
	if err := gob.NewDecoder(f).Decode(to); err != nil {
		return false, fmt.Errorf("%s: %w", path, err)
	}
	return true, nil
}

func store(path string, what any) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	if err := gob.NewEncoder(f).Encode(what); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}
