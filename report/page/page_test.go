package page

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"winnow"
	"winnow/report"
	"winnow/shard"
)

const hostile = `</title><script>alert(1)</script><img src="https://evil.example/x" onerror="alert(2)">`

// hostileRun is a run all of whose texts, URLs, domains, files, evidence and rules are markup.
func hostileRun(t *testing.T, id string, least float32) *shard.Folder {
	t.Helper()
	dir := filepath.Join(t.TempDir(), id)
	bound := winnow.AtLeast(float64(least))
	run := &shard.Run{ID: id, Name: hostile, State: shard.Done, Dropped: "all", Started: "2026-11-23T10:00:00Z",
		Stages: []shard.StageInfo{{Label: "filter", Name: "filter", Version: hostile, Seconds: 1, Signals: shard.Signals{
			{ID: "gopher.words", EN: hostile, ZH: hostile}, {ID: "gopher.lines", EN: "lines", ZH: "行"}, {ID: "zh.silent", EN: "silent", ZH: "静"}}}},
		Bounds: map[string]map[string]shard.Bound{"gopher.words": {"": shard.Bound(bound)}, "gopher.lines": {"": shard.Bound(bound)}, "zh.silent": {"zh": shard.Bound(bound)}},
		Lost:   []shard.Lost{{File: hostile, Rule: "error.gzip", Error: hostile}}}
	open := func(kind string) *os.File {
		must(t, os.MkdirAll(filepath.Join(dir, kind), 0o755))
		f, err := os.Create(filepath.Join(dir, kind, "00000.parquet"))
		must(t, err)
		t.Cleanup(func() { f.Close() })
		return f
	}
	ledger, err := shard.NewLedgerWriter(open("ledger"), run.Stages[0].Signals, nil)
	must(t, err)
	data, dropped := shard.NewDataWriter(open("data"), nil), shard.NewDroppedWriter(open("dropped"), nil)
	for i := range 100 {
		r := &shard.Row{Chars: int64(i), Doc: winnow.Document{ID: fmt.Sprint(i, hostile), URL: "https://" + hostile, File: hostile, Dump: fmt.Sprint(i%3, hostile),
			Language: hostile, Text: hostile, TokenCount: 10, Signals: []float32{float32(i), float32(i), winnow.NotMeasured}}}
		if float32(i) < least {
			r.Verdict = winnow.Verdict{Drop: true, Stage: "filter", Rule: "gopher.words", Value: float32(i), Bound: bound, Detail: hostile}
		} else if i%2 == 0 {
			r.Cluster, r.ClusterSize = hostile, 4
		}
		must(t, ledger.Write(r))
		if r.Verdict.Drop {
			must(t, dropped.Write(r))
		} else {
			must(t, data.Write(&r.Doc))
		}
	}
	must(t, ledger.Close())
	must(t, data.Close())
	must(t, dropped.Close())
	must(t, shard.WriteRun(nil, dir, run))
	f, err := shard.Open(nil, dir)
	must(t, err)
	return f
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestPageStandsAlone(t *testing.T) {
	a, b := hostileRun(t, "a", 95), hostileRun(t, "b", 20)
	r, err := report.New(a)
	must(t, err)
	d, err := report.NewDiff(a, b, 3)
	must(t, err)
	for _, l := range []report.Lang{report.EN, report.ZH} {
		var one, two bytes.Buffer
		must(t, Write(&one, a, r, l))
		must(t, Compare(&two, d, l))
		examine(t, "report "+string(l), one.Bytes(), 7) // flows of documents and tokens, rules, language, domain, source, dump, length, time
		examine(t, "comparison "+string(l), two.Bytes(), 0)
	}
}

// examine holds a page to what a file that stands alone must be.
func examine(t *testing.T, name string, page []byte, charts int) {
	t.Helper()
	root, err := html.Parse(bytes.NewReader(page))
	must(t, err)
	ids, wanted, tags := map[string]int{}, []string{}, map[string]int{}
	for n := range root.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		tags[n.Data]++
		for _, a := range n.Attr {
			switch a.Key {
			case "id":
				ids[a.Val]++
			case "aria-labelledby":
				wanted = append(wanted, strings.Fields(a.Val)...)
			case "src", "href", "srcset", "action", "data":
				if !strings.HasPrefix(a.Val, "#") {
					t.Errorf("%s: <%s %s=%q> leads out of the file", name, n.Data, a.Key, a.Val)
				}
				wanted = append(wanted, strings.TrimPrefix(a.Val, "#"))
			case "style":
				if rest := strings.ReplaceAll(a.Val, "url(#", ""); strings.Contains(rest, "url(") {
					t.Errorf("%s: style %q", name, a.Val)
				}
			}
			if strings.HasPrefix(a.Key, "on") {
				t.Errorf("%s: <%s> has %s", name, n.Data, a.Key)
			}
		}
		if n.Data == "svg" && attr(n, "role") == "img" && (child(n, "title") == "" || child(n, "desc") == "") {
			t.Errorf("%s: chart %s without title or description", name, attr(n, "aria-labelledby"))
		}
	}
	if tags["script"] != 1 || tags["img"] != 0 || tags["link"] != 0 || tags["iframe"] != 0 {
		t.Errorf("%s: elements %v", name, tags)
	}
	if tags["figure"] < charts || tags["table"] == 0 {
		t.Errorf("%s: %d figures, %d tables", name, tags["figure"], tags["table"])
	}
	for id, n := range ids {
		if n > 1 {
			t.Errorf("%s: id %q stands %d times", name, id, n)
		}
	}
	for _, id := range wanted {
		if ids[id] == 0 {
			t.Errorf("%s: nothing has the id %q", name, id)
		}
	}
	for _, bad := range []string{"%!", "ZgotmplZ", "NaN", "<no value>", "@import"} {
		if strings.Contains(strings.Replace(string(page), script, "", 1), bad) {
			t.Errorf("%s: holds %q", name, bad)
		}
	}
}

func attr(n *html.Node, key string) string {
	if i := slices.IndexFunc(n.Attr, func(a html.Attribute) bool { return a.Key == key }); i >= 0 {
		return n.Attr[i].Val
	}
	return ""
}

func child(n *html.Node, tag string) string {
	for c := range n.ChildNodes() {
		if c.Data == tag && c.FirstChild != nil {
			return c.FirstChild.Data
		}
	}
	return ""
}

func TestScriptIsShort(t *testing.T) {
	if n := strings.Count(script, "\n"); n > 150 {
		t.Errorf("%d lines of script", n)
	}
}

// TestInks fails when the library writes colours in another way: charts would then have none that follow light and dark.
func TestInks(t *testing.T) {
	svg, err := chart{id: "c", title: "T<", says: "D&", labels: []string{"甲", "b"}, series: []series{{"x", []float64{3, 0}}, {"y", []float64{1, 2}}, {"z", []float64{1, 1}}}}.svg()
	must(t, err)
	for _, want := range append(slices.Clone(inks[:6]), "T&lt;", "D&amp;", "甲", "font-family:inherit") {
		if !strings.Contains(svg, want) {
			t.Errorf("no %s in %s", want, svg)
		}
	}
	if strings.Contains(svg, "rgb(") || strings.Contains(svg, "http") {
		t.Errorf("colours or addresses are left in %s", svg)
	}
}

// TestEmptyRun draws nothing, and does not fail.
func TestEmptyRun(t *testing.T) {
	dir := t.TempDir()
	must(t, shard.WriteRun(nil, dir, &shard.Run{ID: "empty"}))
	f, err := shard.Open(nil, dir)
	must(t, err)
	r, err := report.New(f)
	must(t, err)
	must(t, WriteFile(f, r, report.EN))
	written, err := os.ReadFile(filepath.Join(dir, "report.html"))
	must(t, err)
	examine(t, "empty", written, 2)
}
