package extract

import (
	"archive/tar"
	"bufio"
	"cmp"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"winnow/crawl/charset"
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

// half deals a page to half 0, by which rules were shaped, or 1, which was held back.
func half(id string) int {
	h := fnv.New32a()
	h.Write([]byte(id))
	return int(h.Sum32() & 1)
}

func extracted(g gold) string {
	text, _, _ := charset.Decode(g.body, "")
	p, _ := Extract(text, Options{})
	return p.Text
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

type score struct {
	g    gold
	p, r float64
}

// floor fails a test whose figure fell.
func floor(t *testing.T, name string, got, least float64) {
	t.Helper()
	t.Logf("%s: F1 %.4f", name, got)
	if got < least {
		t.Errorf("%s: F1 %.4f is below %.3f", name, got, least)
	}
}

// worst logs the pages of the open half that did worst.
func worst(t *testing.T, scores []score) {
	slices.SortFunc(scores, func(a, b score) int { return cmp.Compare(f1(a.p, a.r), f1(b.p, b.r)) })
	left := 5
	for _, s := range scores {
		if half(s.g.ID) == 0 && left > 0 {
			t.Logf("precision %.3f, recall %.3f: %s %s", s.p, s.r, s.g.File, s.g.URL)
			left--
		}
	}
}

// TestScrapinghub measures as the article extraction benchmark does: F1 of the mean precision and the mean recall of
// 4-grams. Published: rs-trafilatura .970, go-trafilatura .960, trafilatura .958, go-readability .934.
func TestScrapinghub(t *testing.T) {
	var p, r [2]float64
	var n [2]int
	var scores []score
	for _, g := range corpus(t, "scrapinghub") {
		a, b := overlap(grams(words(extracted(g)), 4), grams(words(g.Text), 4))
		h := half(g.ID)
		p[h], r[h], n[h] = p[h]+a, r[h]+b, n[h]+1
		scores = append(scores, score{g, a, b})
	}
	all := f1((p[0]+p[1])/float64(n[0]+n[1]), (r[0]+r[1])/float64(n[0]+n[1]))
	for h := range 2 {
		p[h], r[h] = p[h]/float64(n[h]), r[h]/float64(n[h])
		t.Logf("half %d: F1 %.4f, precision %.4f, recall %.4f of %d pages", h, f1(p[h], r[h]), p[h], r[h], n[h])
	}
	floor(t, "scrapinghub", all, 0.965)
	worst(t, scores)
}

// TestWCXB measures word F1, mean over pages, by type of page. Published: rs-trafilatura .859, trafilatura .791,
// readability .675.
func TestWCXB(t *testing.T) {
	sum, n := map[string]float64{}, map[string]int{}
	var scores []score
	for _, g := range corpus(t, "wcxb_dev340") {
		lower := strings.ToLower
		a, b := overlap(grams(words(lower(extracted(g))), 1), grams(words(lower(g.Text)), 1))
		for _, k := range []string{"all", g.Type, fmt.Sprint("half ", half(g.ID))} {
			sum[k] += f1(a, b)
			n[k]++
		}
		scores = append(scores, score{g, a, b})
	}
	for _, k := range []string{"article", "documentation", "forum", "service", "product", "collection", "listing", "half 0", "half 1", "all"} {
		t.Logf("%-14s F1 %.4f of %d pages", k, sum[k]/float64(n[k]), n[k])
	}
	floor(t, "wcxb", sum["all"]/float64(n["all"]), 0.86)
	worst(t, scores)
}

// TestSnippets counts sentences that belong to the text and that do not. trafilatura's own floor on its set is .92.
func TestSnippets(t *testing.T) {
	var tp, fp, fn [2]int
	squeeze := func(s string) string { return strings.Join(strings.Fields(s), " ") }
	var scores []score
	for _, g := range corpus(t, "trafilatura_eval150") {
		text, h := squeeze(extracted(g)), half(g.ID)
		found, wrong := 0, 0
		for _, s := range g.With {
			if strings.Contains(text, squeeze(s)) {
				found++
			}
		}
		for _, s := range g.Without {
			if strings.Contains(text, squeeze(s)) {
				wrong++
			}
		}
		tp[h], fn[h], fp[h] = tp[h]+found, fn[h]+len(g.With)-found, fp[h]+wrong
		scores = append(scores, score{g, float64(found+1) / float64(found+wrong+1), float64(found+1) / float64(len(g.With)+1)})
	}
	micro := func(tp, fp, fn int) (float64, float64) {
		return float64(tp) / float64(tp+fp), float64(tp) / float64(tp+fn)
	}
	for h := range 2 {
		p, r := micro(tp[h], fp[h], fn[h])
		t.Logf("half %d: F1 %.4f, precision %.4f, recall %.4f", h, f1(p, r), p, r)
	}
	p, r := micro(tp[0]+tp[1], fp[0]+fp[1], fn[0]+fn[1])
	floor(t, "snippets", f1(p, r), 0.93)
	worst(t, scores)
}

// TestChinese measures F1 over characters other than space, mean over pages, and over 4-grams of them.
func TestChinese(t *testing.T) {
	var one, four [2]float64
	var n [2]int
	chars := func(s string) []string { return strings.Split(strings.Join(strings.Fields(s), ""), "") }
	var scores []score
	for _, g := range corpus(t, "zh_cwced_a") {
		got, want := chars(extracted(g)), chars(g.Text)
		a, b := overlap(grams(got, 1), grams(want, 1))
		h := half(g.ID)
		one[h], n[h] = one[h]+f1(a, b), n[h]+1
		scores = append(scores, score{g, a, b})
		a, b = overlap(grams(got, 4), grams(want, 4))
		four[h] += f1(a, b)
	}
	for h := range 2 {
		t.Logf("half %d: F1 %.4f, of 4-grams %.4f, of %d pages", h, one[h]/float64(n[h]), four[h]/float64(n[h]), n[h])
	}
	floor(t, "chinese", (one[0]+one[1])/float64(n[0]+n[1]), 0.925)
	worst(t, scores)
}

// TestRealSpeed logs the speed over all real pages, decoding included.
func TestRealSpeed(t *testing.T) {
	for _, name := range []string{"scrapinghub", "wcxb_dev340", "zh_cwced_a"} {
		pages := corpus(t, name)
		bytes, start := 0, time.Now()
		for _, g := range pages {
			extracted(g)
			bytes += len(g.body)
		}
		t.Logf("%s: %.1f MB/s", name, float64(bytes)/1e6/time.Since(start).Seconds())
	}
}
