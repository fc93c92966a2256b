package main

import (
	"archive/tar"
	"bufio"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/PuerkitoBio/goquery"

	"winnow/crawl/charset"
	"winnow/crawl/extract"
	"winnow/crawl/extract/score"
)

// sets are the folders of pages below $WINNOW_DATA/html, and how much a page of each counts: the one set with pages of all
// types twice, those whose truth a program made less.
var sets = []struct {
	name   string
	weight float32
}{
	{"scrapinghub", 1}, {"wcxb_dev340", 2}, {"zh_cwced_a", 1}, {"trafilatura_eval150", 1}, {"readability130", 0.5}, {"newspaper157", 0.3},
}

// gold is one page with what people marked in it.
type gold struct {
	ID, File, Text, URL string
	With, Without       []string
	HTML                string `json:"expected_html"`
	Type                string `json:"page_type"`
	body                []byte
}

// page is a gold page as blocks, with a sample for each; one of weight 0 teaches nothing.
type page struct {
	Set, Kind string
	Fold      int
	Truth     int // tokens of the text
	Rows      []sample
	sheet     *extract.Sheet
}

// load reads all pages. What they are labelled with is taken from known, where it is not empty.
func load(dir string, known []page) (pages []page, err error) {
	for _, set := range sets {
		all, err := read(filepath.Join(dir, "html", set.name))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", set.name, err)
		}
		for _, g := range all {
			text, _, _ := charset.Decode(g.body, "")
			p := page{Set: set.name, Fold: score.Fold(g.URL, g.ID), Kind: g.Type, sheet: extract.Measure(text)}
			if len(known) > 0 {
				p.Rows, p.Truth = known[0].Rows, known[0].Truth
				known = known[1:]
			} else {
				p.label(g, set.weight)
			}
			if len(p.Rows) != len(p.sheet.Blocks) && len(p.Rows) > 0 {
				return nil, fmt.Errorf("%s: page %s has %d blocks, and labels for %d", set.name, g.ID, len(p.sheet.Blocks), len(p.Rows))
			}
			for i := range p.Rows {
				p.Rows[i].Values = &p.sheet.Blocks[i].Values
			}
			pages = append(pages, p)
		}
	}
	return pages, nil
}

// read reads the pages and truths of a folder.
func read(dir string) (all []gold, err error) {
	bodies := map[string][]byte{}
	z, done, err := open(filepath.Join(dir, "pages.tar.gz"))
	if err != nil {
		return nil, err
	}
	defer done()
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
	z, done, err = open(filepath.Join(dir, "gt.jsonl.gz"))
	if err != nil {
		return nil, err
	}
	defer done()
	lines := bufio.NewScanner(z)
	lines.Buffer(nil, 1<<24)
	for lines.Scan() {
		var g gold
		if err := json.Unmarshal(lines.Bytes(), &g); err != nil {
			return nil, err
		}
		if g.HTML != "" {
			doc, err := goquery.NewDocumentFromReader(strings.NewReader(g.HTML))
			if err != nil {
				return nil, err
			}
			doc.Find("p, div, li, td, th, h1, h2, h3, h4, h5, h6, br, pre").BeforeHtml(" ")
			g.Text = doc.Text()
		}
		g.body = bodies[g.File]
		all = append(all, g)
	}
	return all, lines.Err()
}

func open(path string) (io.Reader, func(), error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, nil, err
	}
	z, err := gzip.NewReader(f)
	if err != nil {
		f.Close()
		return nil, nil, err
	}
	return z, func() { f.Close() }, nil
}

// label makes the samples of a page; none where nothing is known of it.
func (p *page) label(g gold, weight float32) {
	switch {
	case g.Text == "" && len(g.With) > 0:
		p.snippets(g)
		return
	case g.Text == "" && g.Type == "": // it is not known why
		return
	}
	var all []string
	ends := make([]int, len(p.sheet.Blocks))
	for i, b := range p.sheet.Blocks {
		all = append(all, tokens(b.Text)...)
		ends[i] = len(all)
	}
	truth := tokens(g.Text)
	matched := align(all, truth)
	if matched == nil {
		return
	}
	p.Truth = len(truth)
	whole := max(len(truth), int(leastPart*float32(len(all))), 50)
	from := 0
	for i := range p.sheet.Blocks {
		good, size := 0, ends[i]-from
		for _, m := range matched[from:ends[i]] {
			if m {
				good++
			}
		}
		from = ends[i]
		s := sample{Weight: weight * perPage * (float32(min(size, 400))/float32(whole) + 0.002)}
		s.Tokens, s.Good = size, good
		if size > 0 {
			s.Label = float32(good) / float32(size)
		}
		p.Rows = append(p.Rows, s)
	}
	p.equals()
}

// equals gives blocks that say the same the best label among them: the text is as good in either place, and is written once.
func (p *page) equals() {
	best := map[string]float32{}
	for i, b := range p.sheet.Blocks {
		best[b.Text] = max(best[b.Text], p.Rows[i].Label)
	}
	for i, b := range p.sheet.Blocks {
		if b.Units >= 60 {
			p.Rows[i].Label = best[b.Text]
		}
	}
}

// leastPart is the share of a page that its main text has at least, as far as weights are concerned: blocks weigh by their
// part of the main text, and a page with little of it would else weigh like many.
const leastPart = 0.35

// perPage scales weights, so that the booster's constants are about the blocks of one page; a snippet has snippetWeight.
const (
	perPage       = 75
	snippetWeight = 0.15 * perPage
)

// snippets labels the blocks that hold a sentence of which it is known whether it belongs to the text.
func (p *page) snippets(g gold) {
	squeeze := func(s string) string { return strings.Join(strings.Fields(s), " ") }
	for _, b := range p.sheet.Blocks {
		text := squeeze(b.Text)
		within := func(list []string) bool {
			for _, s := range list {
				if s = squeeze(s); strings.Contains(text, s) || len(text) > 20 && strings.Contains(s, text) {
					return true
				}
			}
			return false
		}
		var row sample
		switch with, without := within(g.With), within(g.Without); {
		case without:
			row.Weight, row.Tokens = snippetWeight, 1
		case with:
			row.Weight, row.Tokens, row.Label, row.Good = snippetWeight, 1, 1, 1
		}
		p.Truth += row.Good
		p.Rows = append(p.Rows, row)
	}
}
