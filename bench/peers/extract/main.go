// Program extract measures winnow's extraction beside go-trafilatura and beside the HTML parser alone, in one process and
// on the same pages: real pages go in ($WINNOW_DATA/html), a table in Markdown comes out. It is a module of its own, so
// that the product does not depend on its peers.
//
//	cd bench/peers/extract && WINNOW_DATA=path go run .
package main

import (
	"archive/tar"
	"bufio"
	"compress/gzip"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/markusmobius/go-trafilatura"
	"golang.org/x/net/html"

	"winnow/crawl/charset"
	"winnow/crawl/extract"
)

// contender is one way to deal with a page in UTF-8.
type contender struct {
	name string
	work func(page string)
}

// contenders have what they keep from page to page.
func contenders() []contender {
	var extractor extract.Extractor
	return []contender{
		{"HTML parser alone", func(page string) { _, _ = html.Parse(strings.NewReader(page)) }},
		{"winnow", func(page string) { _, _ = extractor.Extract(page, extract.Options{}) }},
		{"go-trafilatura", func(page string) { _, _ = trafilatura.Extract(strings.NewReader(page), trafilatura.Options{}) }},
		{"go-trafilatura, fallback", func(page string) {
			_, _ = trafilatura.Extract(strings.NewReader(page), trafilatura.Options{EnableFallback: true})
		}},
	}
}

func main() {
	repeat := flag.Int("repeat", 3, "repetitions; the table has the median")
	flag.Parse()
	dir := os.Getenv("WINNOW_DATA")
	if dir == "" {
		fmt.Fprintln(os.Stderr, "WINNOW_DATA is not set: the folder with real pages")
		os.Exit(2)
	}
	fmt.Println("| pages | MB | what | MB/s per core | allocations a page |\n|---|--:|---|--:|--:|")
	for _, set := range []string{"scrapinghub", "wcxb_dev340", "trafilatura_eval150", "zh_cwced_a"} {
		pages, err := read(filepath.Join(dir, "html", set))
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		var size int
		for _, p := range pages {
			size += len(p)
		}
		for _, c := range contenders() {
			speed, allocations := measure(pages, size, c.work, *repeat)
			fmt.Printf("| %s | %.1f | %s | %.1f | %d |\n", set, float64(size)/1e6, c.name, speed, allocations)
		}
	}
}

// measure gives the median speed in MB/s of processor time, and the allocations a page.
func measure(pages []string, size int, work func(string), repeat int) (speed float64, allocations uint64) {
	var speeds []float64
	for range repeat {
		runtime.GC()
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		begin := processorTime()
		for _, p := range pages {
			work(p)
		}
		speeds = append(speeds, float64(size)/1e6/(processorTime()-begin).Seconds())
		runtime.ReadMemStats(&after)
		allocations = (after.Mallocs - before.Mallocs) / uint64(len(pages))
	}
	slices.Sort(speeds)
	return speeds[len(speeds)/2], allocations
}

func processorTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// read gives the pages of a set in UTF-8.
func read(dir string) (pages []string, err error) {
	z, err := open(filepath.Join(dir, "gt.jsonl.gz"))
	if err != nil {
		return nil, err
	}
	wanted := map[string]bool{}
	lines := bufio.NewScanner(z)
	lines.Buffer(nil, 1<<24)
	for lines.Scan() {
		var g struct{ File string }
		if err := json.Unmarshal(lines.Bytes(), &g); err != nil {
			return nil, err
		}
		wanted[g.File] = true
	}
	if z, err = open(filepath.Join(dir, "pages.tar.gz")); err != nil {
		return nil, err
	}
	for tr := tar.NewReader(z); ; {
		h, err := tr.Next()
		if err == io.EOF {
			return pages, nil
		}
		if err != nil {
			return nil, err
		}
		body, err := io.ReadAll(tr)
		if err != nil {
			return nil, err
		}
		if wanted[h.Name] {
			text, _, _ := charset.Decode(body, "")
			pages = append(pages, text)
		}
	}
}

func open(path string) (io.Reader, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(z)
	return strings.NewReader(string(body)), err
}
