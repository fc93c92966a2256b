package extract

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// TestExtractor extracts pages in turn and at once with what other pages left behind, and holds what they say to that of a page
// alone, also after later pages.
func TestExtractor(t *testing.T) {
	paths, err := filepath.Glob("testdata/*.html")
	if err != nil || len(paths) < 3 {
		t.Fatal(paths, err)
	}
	var pages []string
	for _, path := range paths {
		page, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		pages = append(pages, string(page), strings.ReplaceAll(string(page), "\n", "\r\n"), "<math><mi>x</math>"+string(page))
	}
	want := make([]Page, len(pages))
	for i, page := range pages {
		p, err := Extract(page, Options{})
		if err != nil {
			t.Fatal(err)
		}
		want[i] = p
	}
	var x Extractor
	var wait sync.WaitGroup
	for worker := range 4 {
		wait.Go(func() {
			var got []Page
			for n := range 40 {
				p, err := x.Extract(pages[(n+worker)%len(pages)], Options{})
				if err != nil {
					t.Error(err)
				}
				got = append(got, p)
			}
			for n, p := range got {
				if p != want[(n+worker)%len(pages)] {
					t.Errorf("worker %d, page %d: got %+v", worker, n, p)
				}
			}
		})
	}
	wait.Wait()
}
