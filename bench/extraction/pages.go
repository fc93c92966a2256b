package extraction

import (
	"archive/tar"
	"bufio"
	"compress/gzip"
	"context"
	"encoding/json"
	"io"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"unicode"

	"winnow/bench/meter"
	"winnow/crawl/charset"
	"winnow/crawl/extract"
	"winnow/crawl/extract/score"
)

// realPage is a page of $WINNOW_DATA/html in UTF-8 with what people marked in it.
type realPage struct {
	page, truth   string
	with, without []string     // sentences that belong to the text, or do not, where that is all that is known
	unseen        *score.Model // that has not learned from the page's site
}

// realPages reads the sets, and groups pages by set, or by page type; none where WINNOW_DATA is not set.
func realPages() (map[string][]realPage, error) {
	dir := os.Getenv("WINNOW_DATA")
	if dir == "" {
		return nil, nil
	}
	groups := map[string][]realPage{}
	for _, set := range []string{"scrapinghub", "wcxb_dev340", snippetSet, "zh_cwced_a"} {
		bodies := map[string][]byte{}
		z, err := gunzipped(filepath.Join(dir, "html", set, "pages.tar.gz"))
		if err != nil {
			return nil, err
		}
		for tr := tar.NewReader(z); ; {
			h, err := tr.Next()
			if err == io.EOF {
				break
			}
			if err != nil {
				return nil, err
			}
			if bodies[h.Name], err = io.ReadAll(tr); err != nil {
				return nil, err
			}
		}
		if z, err = gunzipped(filepath.Join(dir, "html", set, "gt.jsonl.gz")); err != nil {
			return nil, err
		}
		lines := bufio.NewScanner(z)
		lines.Buffer(nil, 1<<24)
		for lines.Scan() {
			var g struct {
				ID, URL, File, Text string
				Type                string `json:"page_type"`
				With, Without       []string
			}
			if err := json.Unmarshal(lines.Bytes(), &g); err != nil {
				return nil, err
			}
			kind := set
			if g.Type != "" {
				kind += ", " + g.Type
			}
			page, _, _ := charset.Decode(bodies[g.File], "")
			unseen, err := score.OutOfFold(score.Fold(g.URL, g.ID))
			if err != nil {
				return nil, err
			}
			groups[kind] = append(groups[kind], realPage{page, g.Text, g.With, g.Without, unseen})
		}
		if err := lines.Err(); err != nil {
			return nil, err
		}
	}
	return groups, nil
}

func gunzipped(path string) (io.Reader, error) {
	body, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return gzip.NewReader(strings.NewReader(string(body)))
}

// measurePages gives quality, speed and allocations of extraction by set and page type, beside the parser alone.
func measurePages(ctx context.Context, o *meter.Options, groups map[string][]realPage) (out []meter.Figure, err error) {
	for _, kind := range slices.Sorted(maps.Keys(groups)) {
		var size int64
		var pages []string
		for _, p := range groups[kind] {
			size += int64(len(p.page))
			pages = append(pages, p.page)
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		extractPages(pages)
		runtime.ReadMemStats(&after)
		whole, err := o.PerPass(ctx, func() error { extractPages(pages); return nil })
		if err != nil {
			return nil, err
		}
		alone, err := o.PerPass(ctx, func() error { return parseAll(pages) })
		if err != nil {
			return nil, err
		}
		n := float64(len(pages))
		out = append(out, qualityOf(kind, groups[kind])...)
		out = append(out,
			meter.Figure{Name: kind + ": extract", Unit: "MB/s per core", Value: meter.Rate(size, whole)},
			meter.Figure{Name: kind + ": parser alone", Unit: "MB/s per core", Value: meter.Rate(size, alone)},
			meter.Figure{Name: kind + ": allocations", Unit: "per page", Value: float64(after.Mallocs-before.Mallocs) / n})
	}
	return out, nil
}

// extractPages works as the stage does: what one page leaves behind serves the next.
func extractPages(pages []string) {
	var extractor extract.Extractor
	for _, p := range pages {
		_, _ = extractor.Extract(p, extract.Options{})
	}
}

// wordF1 is the F1 of the words of got, each as often as it stands there; characters of scripts without spaces are words.
func wordF1(got, want string) float64 {
	left := map[string]int{}
	all := 0
	eachToken(want, func(w string) { left[w]++; all++ })
	good, size := 0, 0
	eachToken(got, func(w string) {
		size++
		if left[w] > 0 {
			left[w]--
			good++
		}
	})
	if size+all == 0 {
		return 1
	}
	return 2 * float64(good) / float64(size+all)
}

func eachToken(s string, visit func(string)) {
	for word := range strings.FieldsFuncSeq(strings.ToLower(s), func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '_' && !unicode.IsMark(r)
	}) {
		from := 0
		for i, r := range word {
			if r >= 0x2e80 {
				if i > from {
					visit(word[from:i])
				}
				visit(string(r))
				from = i + len(string(r))
			}
		}
		if from < len(word) {
			visit(word[from:])
		}
	}
}
