package extract

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"runtime/metrics"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"winnow/crawl/extract/blocks"

	"winnow"
)

// hostilePages are made to take long, to take memory, or to break something; each has about n bytes.
func hostilePages(n int) map[string]string {
	r := strings.Repeat
	var ids strings.Builder
	for i := range 400 {
		fmt.Fprintf(&ids, "<code id=%d>", i)
	}
	return map[string]string{
		"deep":               r("<div>", n/5) + "some text",
		"deep inline":        r("<b>", 500) + "some text",
		"deep and closed":    r("<div>", n/11) + "some text" + r("</div>", n/11),
		"nested lists":       r("<ul><li>some text", n/16),
		"nested quotes":      r("<blockquote>", 400) + r("<p>some text", n/12),
		"nested tables":      r("<table><tr><td>some text", n/24),
		"rows":               "<table>" + r("<tr><td>a<td>b", n/14),
		"one cell a row":     r("<table><tr><td>x</td></tr>", 100) + r("<tr><td>y", n/9),
		"a wide table":       "<table><tr>" + r("<td>a", n/10) + r("<tr><td>b<td>c", n/28),
		"a column of 1000":   "<table><tr><td colspan=1000>a<td>b" + r("<tr><td rowspan=999>c<td>d", n/26),
		"blocks in a cell":   "<table>" + r("<tr><td>a<td>b", n/28) + "<tr><td>c<td>" + r("<p>d", n/8),
		"one text node":      "<p>" + r("word, ", n/6),
		"one Han node":       "<p>" + r("字", n/3),
		"attributes":         "<p " + r("a ", n/2) + ">some text",
		"same attributes":    "<p " + r("class=a ", n/8) + ">some text",
		"bodies":             r("<body id=a class=b lang=c>", n/26) + "some text",
		"a huge class":       `<p class="` + r("ad ", n/3) + `">some text`,
		"inherited class":    `<code class="` + r("ad ", n/6) + `">` + r("<p>x", n/8),
		"unclosed comment":   "some text<!--" + r("-", n),
		"unclosed script":    "some text<script>" + r("<", n),
		"scripts":            "some text" + r("<script>x", n/9),
		"comments in script": "some text<script>" + r("<!--<script></script>", n/21),
		"drawings":           "some text" + r("<svg>", n/5),
		"links":              r("<a href=x>y</a>", n/15),
		"open links":         r("<a href=x>y", n/11),
		"asides":             r("<h2>Related posts</h2>", n/22),
		"nested asides":      r("<div class=related>", 400) + r("<p>Read more</p>", n/16),
		"open formatting":    r("<p><b><i><u>some text", n/21),
		"formats and blocks": ids.String() + r("<p>x", n/4),
		"crossed formatting": r("<b><p></b>x", n/11),
		"emphasis":           "<p>" + r("<b>x</b> <i>y</i> ", n/18),
		"siblings":           r("<br>", n/4) + "some text",
		"paragraphs":         r("<p>x", n/4),
		"options":            "some text<select>" + r("<option>x", n/9),
		"selects":            "some text" + r("<select><select>x", n/17),
		"entities":           r("&amp", n/4),
		"long entities":      r("&CounterClockwiseContourIntegral;", n/33),
		"broken UTF-8":       r("\xff\xfe", n/2),
		"broken tags":        r("<", n),
		"broken ends":        r("</", n/2),
		"ends alone":         r("</p>", n/4),
		"pre":                "<pre>" + r("x\n", n/2),
		"pres":               r("<pre>x", n/6),
		"headings":           r("<h1><div>", n/18) + "some text",
		"formulas":           r("<math><mi>x", n/11),
		"deep formula":       "<math>" + r("<msup>", 400) + r("<mi>x</mi>", n/10),
		"under under":        "<math>" + r("<munder>", 400) + r("<mi>x</mi>", n/10),
		"dollars":            "<p>" + r("$x ", n/3),
		"open formulas":      "<p>" + r(`\(x `, n/4),
		"brackets":           "<p>" + r("[", n),
		"backticks":          "<p><code>" + r("`", n),
		"JSON-LD":            "some text<script type=application/ld+json>" + r("[", n),
		"objects":            "some text<script type=application/ld+json>" + r(`{"author":`, n/10),
		"authors":            r("<p class=author>x", n/17),
		"templates":          r("<template>", n/10) + "some text",
		"framesets":          r("<frameset>", n/10) + "some text",
		"buttons":            r("<button>x", n/9),
		"foreign":            r("<svg><foreignObject>x", n/21),
	}
}

// peak runs f, and gives the most bytes of heap beyond those before, dead ones not yet collected included.
func peak(f func()) uint64 {
	sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	runtime.GC()
	metrics.Read(sample)
	before, most := sample[0].Value.Uint64(), uint64(0)
	done, stopped := make(chan bool), make(chan bool)
	go func() {
		defer close(stopped)
		for {
			metrics.Read(sample)
			most = max(most, sample[0].Value.Uint64())
			select {
			case <-done:
				return
			case <-time.After(2 * time.Millisecond):
			}
		}
	}()
	f()
	close(done)
	<-stopped
	return most - min(before, most)
}

// TestHostile holds such pages to bounds of CPU time and memory, by their size. WINNOW_HOSTILE gives the size in MiB, WINNOW_HOSTILE_PAGE one name; the
// largest page that a recipe without max_bytes reads has 16.
func TestHostile(t *testing.T) {
	mib, err := strconv.ParseFloat(os.Getenv("WINNOW_HOSTILE"), 64)
	if err != nil {
		mib = 0.125
	}
	pages := hostilePages(int(mib * (1 << 20)))
	names := make([]string, 0, len(pages))
	for name := range pages {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		if only := os.Getenv("WINNOW_HOSTILE_PAGE"); only != "" && only != name {
			continue
		}
		for _, format := range []Format{Text, Markdown} {
			start, p := blocks.ProcessTime(), Page{}
			var err error
			most := peak(func() { p, err = Extract(pages[name], Options{Format: format, Links: true, Images: true}) })
			took := blocks.ProcessTime() - start
			t.Logf("%-18s %-8s %6d ms CPU, %4d MiB, %d bytes of text, %v", name, format, took.Milliseconds(), most>>20, len(p.Text), err)
			if limit := time.Duration((1 + 1.5*mib) * float64(time.Second)); took > limit {
				t.Errorf("%s: took %v of CPU, more than %v", name, took, limit)
			}
			if limit := uint64(64<<20 + min(5, mib)*120*(1<<20)); most > limit {
				t.Errorf("%s: took %d MiB, more than %d", name, most>>20, limit>>20)
			}
			if errors.Is(err, ErrTime) {
				t.Errorf("%s: met the clock", name)
			}
		}
	}
	for _, name := range []string{"deep", "deep inline", "attributes", "formats and blocks", "siblings", "bodies", "a huge class", "scripts"} {
		p, err := Extract(pages[name], Options{})
		if !strings.Contains(p.Text, "x") { // of "text", of x
			t.Errorf("%s: text %.40q, %v", name, p.Text, err)
		}
	}
}

// TestWatchdog stops a page by the clock alone.
func TestWatchdog(t *testing.T) {
	for _, page := range []string{strings.Repeat("<p>x", 1<<16), strings.Repeat("<div>", 1<<16) + strings.Repeat("<p>x", 1<<12)} {
		if _, err := new(scratch).extract(page, Options{}, blocks.NewWatch(-time.Second)); !errors.Is(err, ErrTime) {
			t.Errorf("got %v", err)
		}
	}
}

// TestLargePage drops 100 MB in one text node by their size, unread.
func TestLargePage(t *testing.T) {
	d := winnow.Document{HTML: []byte("<p>" + strings.Repeat("word, ", 100<<20/6))}
	start := blocks.ProcessTime()
	v, _, err := New(Options{}).Apply(context.Background(), &d)
	if err != nil || v.Rule != "error.size" {
		t.Errorf("verdict %+v, %v", v, err)
	}
	if took := blocks.ProcessTime() - start; took > time.Second {
		t.Errorf("took %v", took)
	}
}
