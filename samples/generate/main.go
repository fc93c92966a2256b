// Command generate makes winnow's sample corpus. The texts and grammars of samples/texts flow in; an archive of pages, an
// archive of texts, the labels of both and the data for the quality classifier flow out. The same texts always give the
// same bytes.
//
//	go run ./samples/generate
package main

import (
	"flag"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

func main() {
	dir := flag.String("dir", "samples", "folder with texts/, where the files are written")
	flag.Parse()
	if err := run(*dir); err != nil {
		fmt.Fprintln(os.Stderr, "generate:", err)
		os.Exit(1)
	}
}

func run(dir string) error {
	made, err := generate(os.DirFS(dir))
	if err != nil {
		return err
	}
	for _, f := range made {
		if err := os.WriteFile(filepath.Join(dir, f.name), f.bytes, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// file is one file of samples/ as it is to be.
type file struct {
	name  string
	bytes []byte
}

// generate makes all files of samples/ that are not written by hand.
func generate(samples fs.FS) ([]file, error) {
	c, err := readCorpus(samples)
	if err != nil {
		return nil, err
	}
	for _, step := range []func() error{
		func() error { return c.good("en") }, func() error { return c.good("zh") }, c.foreign,
		func() error { return c.bad("en") }, func() error { return c.bad("zh") }, c.broken, c.answers,
	} {
		if err := step(); err != nil {
			return nil, err
		}
	}
	shuffle := rand.New(rand.NewPCG(seed, 2))
	shuffle.Shuffle(len(c.pages), func(i, j int) { c.pages[i], c.pages[j] = c.pages[j], c.pages[i] })
	texts, err := c.conversions()
	if err != nil {
		return nil, err
	}
	name(c.pages, "response", "crawl.warc.gz")
	name(texts, "conversion", "crawl.wet.gz")

	var made []file
	var failed error
	add := func(name string, b []byte, err error) {
		if err != nil && failed == nil {
			failed = fmt.Errorf("%s: %w", name, err)
		}
		made = append(made, file{name, b})
	}
	b, err := writeArchive(c.pages)
	add("crawl.warc.gz", b, err)
	b, err = writeTexts(texts)
	add("crawl.wet.gz", b, err)
	var labels []label
	for _, p := range slices.Concat(c.pages, texts) {
		labels = append(labels, p.label)
	}
	b, err = lines(labels)
	add("labels.jsonl", b, err)
	b, err = lines(c.goodPassages())
	add("good.jsonl", b, err)
	passages, err := c.badPassages()
	if err != nil {
		return nil, err
	}
	b, err = lines(passages)
	add("bad.jsonl", b, err)
	talk, err := dialogue()
	if err != nil {
		return nil, err
	}
	return append(made, talk...), failed
}

// name gives each page its record id and its file.
func name(pages []page, kind, file string) {
	for i := range pages {
		p := &pages[i]
		p.ID, p.File = strings.Trim(recordID(kind, p.URL), "<>"), file
	}
}
