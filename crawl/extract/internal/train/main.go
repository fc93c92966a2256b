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
	"strings"

	"winnow/crawl/extract"
)

func main() {
	s := chosen
	out := flag.String("out", "", "the folder to write to; none: measure alone")
	seed := flag.Uint64("seed", 1, "of the rows and features that a tree sees")
	cache := flag.String("cache", "", "a file that keeps the measured pages from run to run")
	without := flag.String("without", dropped, "names of features that are not asked (regular expression)")
	flag.IntVar(&s.rounds, "rounds", s.rounds, "trees")
	flag.Float64Var(&s.rate, "rate", s.rate, "of learning")
	flag.Float64Var(&s.ridge, "ridge", s.ridge, "on the answers")
	flag.Float64Var(&s.least, "least", s.least, "curvature on either side of a question")
	flag.Float64Var(&s.rowShare, "rows", s.rowShare, "share of rows that a tree sees")
	flag.Float64Var(&s.colShare, "columns", s.colShare, "share of features that a tree may ask")
	flag.IntVar(&s.bins, "bins", s.bins, "of a feature")
	flag.Float64Var(&s.smooth, "smooth", s.smooth, "labels are pulled this far towards 1/2")
	flag.Parse()
	if err := run(*out, os.Getenv("WINNOW_DATA"), *cache, *without, s, *seed); err != nil {
		fmt.Fprintln(os.Stderr, "train:", err)
		os.Exit(1)
	}
}

// dropped are features by which trees know pages again rather than what a block is: absolute sizes and counts.
const dropped = `(size|^depth|blocks|text around it|^words)$`

func run(out, dir, cache, without string, s settings, seed uint64) error {
	pages, err := cached(dir, cache)
	if err != nil {
		return err
	}
	not, err := regexp.Compile(without)
	if err != nil {
		return err
	}
	var asked []int
	for f, name := range extract.FeatureNames() {
		if !not.MatchString(name) {
			asked = append(asked, f)
		}
	}
	models := outOfFold(pages, asked, s, seed)
	for _, n := range []int{s.rounds / 2, s.rounds} {
		report(fmt.Sprintf("%+v, %d features", s, len(asked)), pages, models, n)
	}
	if out == "" {
		return nil
	}
	all := draw(pages, fullWeight, seed, func(*page) bool { return true })
	m := newBooster(all, asked, s, seed).train()
	if err := os.WriteFile(filepath.Join(out, "model.bin"), m.Encode(), 0o644); err != nil {
		return err
	}
	var parts []byte
	for _, m := range models {
		parts = append(parts, m.Encode()...)
	}
	return os.WriteFile(filepath.Join(out, "folds.bin"), parts, 0o644)
}

// cached reads the measured pages from a file, or measures them and writes it.
func cached(dir, path string) (pages []page, err error) {
	if f, err := os.Open(path); err == nil {
		defer f.Close()
		return pages, gob.NewDecoder(f).Decode(&pages)
	}
	if dir == "" {
		return nil, fmt.Errorf("WINNOW_DATA is not set: the folder with real pages")
	}
	if pages, err = load(dir); err != nil || path == "" {
		return pages, err
	}
	f, err := os.Create(path)
	if err != nil {
		return nil, err
	}
	for i := range pages {
		for b := range pages[i].Blocks {
			pages[i].Blocks[b].Text = strings.Clone("")
		}
	}
	if err := gob.NewEncoder(f).Encode(pages); err != nil {
		return nil, err
	}
	return pages, f.Close()
}
