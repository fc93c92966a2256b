// Program train makes the weights of package extract: pages with their truths go in ($WINNOW_DATA/html), model.bin comes
// out. It learns from half 0 alone; half 1 stays for the tests. Same data, same bytes.
//
//	WINNOW_DATA=path go run ./crawl/extract/internal/train -out crawl/extract/model.bin
package main

import (
	"flag"
	"fmt"
	"os"

	"winnow/crawl/extract"
)

func main() {
	out := flag.String("out", "model.bin", "the file to write")
	seed := flag.Uint64("seed", 1, "of the rows and features that a tree sees")
	flag.Parse()
	if err := run(*out, os.Getenv("WINNOW_DATA"), *seed); err != nil {
		fmt.Fprintln(os.Stderr, "train:", err)
		os.Exit(1)
	}
}

func run(out, dir string, seed uint64) error {
	if dir == "" {
		return fmt.Errorf("WINNOW_DATA is not set: the folder with real pages")
	}
	pages, err := load(dir)
	if err != nil {
		return err
	}
	if os.Getenv("DUMP") != "" {
		return dump(pages)
	}
	var rows []sample
	for _, p := range pages {
		rows = append(rows, p.rows...)
	}
	fmt.Printf("%d pages, %d blocks\n", len(pages), len(rows))
	base, trees := newBooster(rows, seed).train()
	return os.WriteFile(out, extract.EncodeModel(base, trees), 0o644)
}
