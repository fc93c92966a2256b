package dedup

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"winnow"
)

// data is the path of a file of the test corpora, whose folder WINNOW_DATA names.
func data(t testing.TB, name string) string {
	dir := os.Getenv("WINNOW_DATA")
	if dir == "" {
		t.Skip("WINNOW_DATA is not set: no real data to test with")
	}
	return filepath.Join(dir, "dedup", name)
}

func lines(t testing.TB, path string) []string {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var all []string
	in := bufio.NewScanner(f)
	in.Buffer(nil, 16<<20)
	for in.Scan() {
		all = append(all, in.Text())
	}
	if err := in.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

// rows reads a file of the test corpora, one JSON value a line.
func rows[T any](t testing.TB, name string) []T {
	t.Helper()
	var all []T
	for _, line := range lines(t, data(t, name)) {
		var row T
		if err := json.Unmarshal([]byte(line), &row); err != nil {
			t.Fatal(err)
		}
		all = append(all, row)
	}
	return all
}

// graded is a document of the corpus of graded pairs.
type graded struct {
	Lang, Text string
	set        []uint64 // of its shingles, ascending
}

func shingled(t *testing.T, size Shingle) []graded {
	docs := rows[graded](t, "graded_neardup_dev.docs.jsonl")
	for i := range docs {
		var k sketcher
		docs[i].set = slices.Clone(k.shingles(docs[i].Text, size))
		slices.Sort(docs[i].set)
		docs[i].set = slices.Compact(docs[i].set)
	}
	return docs
}

// alike lists the pairs of docs in one language whose sets have something in common.
func alike(docs []graded, lang string) []alikePair {
	var pairs []alikePair
	for a := range docs {
		for b := a + 1; b < len(docs); b++ {
			if docs[a].Lang != lang || docs[b].Lang != lang {
				continue
			}
			if j := jaccard(docs[a].set, docs[b].set); j > 0 {
				pairs = append(pairs, alikePair{a, b, j})
			}
		}
	}
	return pairs
}

type alikePair struct {
	a, b    int
	jaccard float64
}

func meet(a, b []uint64, rows int) bool {
	for i := 0; i < len(a); i += rows {
		if slices.Equal(a[i:i+rows], b[i:i+rows]) {
			return true
		}
	}
	return false
}

// The pairs that meet must be as many as the S-curve promises, by the Jaccard similarity of the very sets compared. Pairs
// of one cluster meet together or not at all, so that one seed's count may be far off; the mean of many may not.
func TestGradedPairsFollowSCurve(t *testing.T) {
	const bands, rows, seeds = 14, 8, 12
	docs := shingled(t, Shingle{Han: 13, Latin: 5})
	pairs := map[string][]alikePair{"en": alike(docs, "en"), "zh": alike(docs, "zh")}
	for _, signature := range []string{Fast, Datatrove} {
		sigs := make([][seeds][]uint64, len(docs))
		round := make([]uint16, bands*rows)
		for seed := range seeds {
			if seed > 3 && signature == Datatrove { // whose hashes take their time
				for i := range docs {
					sigs[i][seed] = sigs[i][seed%4]
				}
				continue
			}
			functions := newPermutations(bands*rows, uint32(seed+1))
			for i := range docs {
				sig := make([]uint64, bands*rows)
				if signature == Fast {
					fastSignature(sig, round, docs[i].set, uint64(seed+1))
				} else {
					functions.signature(sig, docs[i].set)
				}
				sigs[i][seed] = sig
			}
		}
		for _, lang := range []string{"en", "zh"} {
			var n [10]int
			var want, met [10]float64
			for _, p := range pairs[lang] {
				at := min(int(p.jaccard*10), 9)
				n[at]++
				want[at] += SCurve(bands, rows, p.jaccard)
				for seed := range seeds {
					if meet(sigs[p.a][seed], sigs[p.b][seed], rows) {
						met[at] += 1. / seeds
					}
				}
			}
			for i := range n {
				t.Logf("%s %s  Jaccard %.1f to %.1f: %5d pairs, S-curve %5.1f, mean of %d seeds %5.1f", signature, lang,
					float64(i)/10, float64(i+1)/10, n[i], want[i], seeds, met[i])
				if math.Abs(met[i]-want[i]) > 2+want[i]/10 {
					t.Errorf("%s %s: bucket %d: %.1f meet, the S-curve says %.1f", signature, lang, i, met[i], want[i])
				}
			}
		}
	}
}

// related is a pair of documents of which one was made from the other, or both from a third.
type related struct {
	A, B     int
	Jaccard5 float64 // of shingles of 5 words, or 5 characters in Chinese
	Lang     string
}

// tally counts pairs, and those found in one cluster, by tenths of Jaccard similarity.
type tally struct{ n, found [10]int }

func (c *tally) add(jaccard float64, found bool) {
	at := min(int(jaccard*10), 9)
	if c.n[at]++; found {
		c.found[at]++
	}
}

// Recall and false merges at the default setting, by the exact Jaccard similarity of the sets that it compares; beside it
// recall by the similarity that the corpus states, whose shingles are shorter in Chinese.
func TestGradedClusters(t *testing.T) {
	sets := shingled(t, Shingle{Han: 13, Latin: 5})
	var docs []*winnow.Document
	for i, d := range sets {
		docs = append(docs, &winnow.Document{ID: fmt.Sprint(i), Text: d.Text})
	}
	for _, o := range []Options{{}, {Signature: Datatrove}, {Verify: .7}} {
		o.Method = MinHash
		out := run(t, mustNew(t, o), docs, nil)
		together := func(a, b int) bool { return out[a].Size > 0 && out[b].Size > 0 && out[a].Cluster == out[b].Cluster }
		stated, exact, strangers := map[string]*tally{"en": {}, "zh": {}}, map[string]*tally{"en": {}, "zh": {}}, 0
		known := map[[2]int]bool{}
		for _, p := range rows[related](t, "graded_neardup_dev.truth.jsonl") {
			known[[2]int{p.A, p.B}] = true
			stated[p.Lang].add(p.Jaccard5, together(p.A, p.B))
			exact[p.Lang].add(jaccard(sets[p.A].set, sets[p.B].set), together(p.A, p.B))
		}
		pairs := 0
		for a := range docs {
			for b := a + 1; b < len(docs); b++ {
				if !known[[2]int{a, b}] && sets[a].Lang == sets[b].Lang {
					if pairs++; together(a, b) {
						strangers++
					}
				}
			}
		}
		t.Logf("%+v: of %d unrelated pairs %d in one cluster", o, pairs, strangers)
		for _, lang := range []string{"en", "zh"} {
			for i := range 10 {
				t.Logf("%s  Jaccard %.1f to %.1f: exact %4d of %4d in one cluster, as stated %4d of %4d", lang, float64(i)/10, float64(i+1)/10,
					exact[lang].found[i], exact[lang].n[i], stated[lang].found[i], stated[lang].n[i])
			}
			if o.Signature != "" {
				continue
			}
			e := exact[lang]
			merged, far := e.found[0]+e.found[1]+e.found[2]+strangers, e.n[0]+e.n[1]+e.n[2]+pairs
			if float64(e.found[9]) < .99*float64(e.n[9]) || float64(e.found[8]) < .92*float64(e.n[8]) || merged*100 > far {
				t.Errorf("%s: found %d of %d above 0.9, %d of %d above 0.8; merged %d of %d below 0.3", lang, e.found[9], e.n[9], e.found[8], e.n[8], merged, far)
			}
		}
	}
}

// The planted pairs of a public teaching corpus: all must be found, and nothing else.
func TestPlantedPairs(t *testing.T) {
	for _, name := range []string{"articles_100", "articles_1000"} {
		var docs []*winnow.Document
		for _, line := range lines(t, data(t, name+".train")) {
			id, text, _ := strings.Cut(line, " ")
			docs = append(docs, &winnow.Document{ID: id, Text: text})
		}
		out := run(t, mustNew(t, Options{Method: MinHash}), docs, nil)
		byID := map[string]winnow.Outcome{}
		for i, o := range out {
			byID[docs[i].ID] = o
		}
		pairs := 0
		for _, line := range lines(t, data(t, name+".truth")) {
			a, b, ok := strings.Cut(strings.TrimSpace(line), " ")
			if !ok {
				continue
			}
			pairs++
			if x, y := byID[a], byID[b]; x.Size == 0 || x.Cluster != y.Cluster {
				t.Errorf("%s: %s and %s are apart", name, a, b)
			}
		}
		if len(out) != 2*pairs {
			t.Errorf("%s: %d documents in clusters, want %d", name, len(out), 2*pairs)
		}
		t.Logf("%s: %d documents, %d pairs planted, %d documents in clusters", name, len(docs), pairs, len(out))
	}
}

// Dolma's own test of its deduper by URL: the documents that it marks are those that go when the first is kept.
func TestDolmasURLs(t *testing.T) {
	read := func(name string) (all []map[string]any) {
		f, err := os.Open(data(t, filepath.Join("dolma_io", name)))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		z, err := gzip.NewReader(f)
		if err != nil {
			t.Fatal(err)
		}
		for in := json.NewDecoder(z); in.More(); {
			var row map[string]any
			if err := in.Decode(&row); err != nil {
				t.Fatal(err)
			}
			all = append(all, row)
		}
		return all
	}
	var docs []*winnow.Document
	for _, row := range read("provided/deduper/documents/000.json.gz") {
		docs = append(docs, &winnow.Document{ID: row["id"].(string), URL: row["metadata"].(map[string]any)["url"].(string)})
	}
	out := run(t, mustNew(t, Options{Method: URL, Keep: First}), docs, nil)
	marked := 0
	for i, row := range read("expected/dedupe-by-url.json.gz") {
		want := len(row["attributes"].(map[string]any)) > 0
		if out[i].Verdict.Drop != want {
			t.Errorf("%s: dropped %v, Dolma marks it %v", docs[i].ID, out[i].Verdict.Drop, want)
		}
		if want {
			marked++
		}
	}
	if marked == 0 {
		t.Error("nothing is marked")
	}
}
