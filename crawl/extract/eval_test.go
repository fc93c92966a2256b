package extract

import (
	"archive/tar"
	"bufio"
	"cmp"
	"compress/gzip"
	"encoding/json"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"winnow/crawl/charset"
	"winnow/crawl/extract/score"
)

// gold is one page with what people marked in it.
type gold struct {
	ID, File, Text, URL string
	Title, License      string
	Author, Date        any
	Type                string `json:"page_type"`
	With, Without       []string
	body                []byte
}

// corpus reads the pages and truths of a folder below $WINNOW_DATA/html.
func corpus(tb testing.TB, name string) []gold {
	dir := os.Getenv("WINNOW_DATA")
	if dir == "" {
		tb.Skip("WINNOW_DATA is not set: the folder with real pages")
	}
	dir = filepath.Join(dir, "html", name)
	pages := map[string][]byte{}
	tr := tar.NewReader(gunzip(tb, filepath.Join(dir, "pages.tar.gz")))
	for {
		h, err := tr.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			tb.Fatal(err)
		}
		if pages[h.Name], err = io.ReadAll(tr); err != nil {
			tb.Fatal(err)
		}
	}
	var all []gold
	lines := bufio.NewScanner(gunzip(tb, filepath.Join(dir, "gt.jsonl.gz")))
	lines.Buffer(nil, 1<<24)
	for lines.Scan() {
		var g gold
		if err := json.Unmarshal(lines.Bytes(), &g); err != nil {
			tb.Fatal(err)
		}
		g.body = pages[g.File]
		all = append(all, g)
	}
	return all
}

func gunzip(tb testing.TB, path string) io.Reader {
	f, err := os.Open(path)
	if err != nil {
		tb.Skip(err)
	}
	tb.Cleanup(func() { f.Close() })
	z, err := gzip.NewReader(f)
	if err != nil {
		tb.Fatal(err)
	}
	return z
}

// unseen extracts by a model that has not learned from the page's site, seen by the shipped one, which has.
func unseen(tb testing.TB, g gold, mode Mode) string {
	m, err := score.OutOfFold(score.Fold(g.URL, g.ID))
	if err != nil {
		tb.Fatal(err)
	}
	return extracted(g, Options{Scorer: m, Mode: mode})
}

func seen(_ testing.TB, g gold, mode Mode) string { return extracted(g, Options{Mode: mode}) }

func extracted(g gold, o Options) string {
	text, _, _ := charset.Decode(g.body, "")
	p, _ := Extract(text, o)
	return p.Text
}

// compare measures a set out of fold, which is what counts, and by the shipped model, which has learned from these pages.
func compare(t *testing.T, name, set string, least float64, measure func([]gold, func(gold) string) (f, p, r float64, scores []scored)) {
	pages := corpus(t, set)
	got, p, r, scores := measure(pages, func(g gold) string { return unseen(t, g, Balanced) })
	t.Logf("%s, out of fold: F1 %.4f, precision %.4f, recall %.4f of %d pages", name, got, p, r, len(pages))
	if got < least {
		t.Errorf("%s, out of fold: F1 %.4f is below %.3f", name, got, least)
	}
	worst(t, scores)
	for _, mode := range []Mode{Precision, Recall} {
		f, p, r, _ := measure(pages, func(g gold) string { return unseen(t, g, mode) })
		t.Logf("%s, out of fold, mode %s: F1 %.4f, precision %.4f, recall %.4f", name, mode, f, p, r)
	}
	got, _, _, _ = measure(pages, func(g gold) string { return seen(t, g, Balanced) })
	t.Logf("%s, as shipped (pages seen in training): F1 %.4f", name, got)
}

func words(s string) []string {
	return strings.FieldsFunc(s, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '_' && !unicode.IsMark(r)
	})
}

// grams counts the n-grams of tokens; a shorter text is one gram.
func grams(tokens []string, n int) map[string]int {
	m := map[string]int{}
	if len(tokens) > 0 && len(tokens) < n {
		n = len(tokens)
	}
	for i := 0; len(tokens) > 0 && i+n <= len(tokens); i++ {
		m[strings.Join(tokens[i:i+n], " ")]++
	}
	return m
}

func overlap(got, want map[string]int) (precision, recall float64) {
	tp, g, w := 0, 0, 0
	for k, n := range got {
		tp += min(n, want[k])
		g += n
	}
	for _, n := range want {
		w += n
	}
	if g == 0 && w == 0 {
		return 1, 1
	}
	if g == 0 || w == 0 {
		return 0, 0
	}
	return float64(tp) / float64(g), float64(tp) / float64(w)
}

func f1(p, r float64) float64 {
	if p+r == 0 {
		return 0
	}
	return 2 * p * r / (p + r)
}

type scored struct {
	g    gold
	p, r float64
}

// worst logs the pages that did worst.
func worst(t *testing.T, scores []scored) {
	slices.SortFunc(scores, func(a, b scored) int { return cmp.Compare(f1(a.p, a.r), f1(b.p, b.r)) })
	for _, s := range scores[:min(5, len(scores))] {
		t.Logf("precision %.3f, recall %.3f: %s %s", s.p, s.r, s.g.File, s.g.URL)
	}
}

// means of precision, recall and F1 over pages.
func means(scores []scored) (p, r, f float64) {
	n := float64(len(scores))
	for _, s := range scores {
		p, r, f = p+s.p/n, r+s.r/n, f+f1(s.p, s.r)/n
	}
	return p, r, f
}

// TestScrapinghub measures as the article extraction benchmark does: F1 of the mean precision and the mean recall of
// 4-grams. Published: rs-trafilatura .970, go-trafilatura .960, trafilatura .958, go-readability .934.
func TestScrapinghub(t *testing.T) {
	compare(t, "scrapinghub", "scrapinghub", floors[0], func(pages []gold, text func(gold) string) (_, _, _ float64, scores []scored) {
		for _, g := range pages {
			a, b := overlap(grams(words(text(g)), 4), grams(words(g.Text), 4))
			scores = append(scores, scored{g, a, b})
		}
		p, r, _ := means(scores)
		return f1(p, r), p, r, scores
	})
}

// TestWCXB measures word F1, mean over pages, by type of page. Published: rs-trafilatura .859, trafilatura .791,
// readability .675.
func TestWCXB(t *testing.T) {
	compare(t, "wcxb", "wcxb_dev340", floors[1], func(pages []gold, text func(gold) string) (_, _, _ float64, scores []scored) {
		lower := strings.ToLower
		byType := map[string][]scored{}
		for _, g := range pages {
			a, b := overlap(grams(words(lower(text(g))), 1), grams(words(lower(g.Text)), 1))
			scores = append(scores, scored{g, a, b})
			byType[g.Type] = append(byType[g.Type], scored{g, a, b})
		}
		for _, k := range slices.Sorted(maps.Keys(byType)) {
			p, r, f := means(byType[k])
			t.Logf("%-14s F1 %.4f, precision %.4f, recall %.4f of %d pages", k, f, p, r, len(byType[k]))
		}
		p, r, f := means(scores)
		return f, p, r, scores
	})
}

// TestSnippets counts sentences that belong to the text and that do not. trafilatura's own floor on its set is .92.
func TestSnippets(t *testing.T) {
	squeeze := func(s string) string { return strings.Join(strings.Fields(s), " ") }
	compare(t, "snippets", "trafilatura_eval150", floors[2], func(pages []gold, text func(gold) string) (_, _, _ float64, scores []scored) {
		var all, found, wrong float64
		for _, g := range pages {
			var f, w float64
			text := squeeze(text(g))
			for _, s := range g.With {
				if strings.Contains(text, squeeze(s)) {
					f++
				}
			}
			for _, s := range g.Without {
				if strings.Contains(text, squeeze(s)) {
					w++
				}
			}
			all, found, wrong = all+float64(len(g.With)), found+f, wrong+w
			scores = append(scores, scored{g, (f + 1) / (f + w + 1), (f + 1) / float64(len(g.With)+1)})
		}
		p, r := found/(found+wrong), found/all
		return f1(p, r), p, r, scores
	})
}

// TestChinese measures F1 over characters other than space, mean over pages.
func TestChinese(t *testing.T) {
	chars := func(s string) []string { return strings.Split(strings.Join(strings.Fields(s), ""), "") }
	compare(t, "chinese", "zh_cwced_a", floors[3], func(pages []gold, text func(gold) string) (_, _, _ float64, scores []scored) {
		for _, g := range pages {
			a, b := overlap(grams(chars(text(g)), 1), grams(chars(g.Text), 1))
			scores = append(scores, scored{g, a, b})
		}
		p, r, f := means(scores)
		return f, p, r, scores
	})
}

// floors of F1 out of fold: what the four sets have reached, less what another seed may change.
var floors = [4]float64{0.959, 0.857, 0.932, 0.926}

// TestRealSpeed logs the speed over all real pages, decoding included.
func TestRealSpeed(t *testing.T) {
	for _, name := range []string{"scrapinghub", "wcxb_dev340", "zh_cwced_a"} {
		pages := corpus(t, name)
		bytes, start := 0, time.Now()
		for _, g := range pages {
			seen(t, g, Balanced)
			bytes += len(g.body)
		}
		t.Logf("%s: %.1f MB/s", name, float64(bytes)/1e6/time.Since(start).Seconds())
	}
}
