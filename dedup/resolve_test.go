package dedup

import (
	"iter"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"winnow"
	"winnow/pipelines/engine/compare"
)

// run passes docs through the stage as the engine does, in one shard or, where order is given, in shards of three documents in
// that order. It gives the outcomes by index in docs.
func run(t testing.TB, stage winnow.Corpus, docs []*winnow.Document, order []int) map[int]winnow.Outcome {
	t.Helper()
	return runWithin(t, stage, docs, order, 64<<20)
}

func runWithin(t testing.TB, stage winnow.Corpus, docs []*winnow.Document, order []int, memory int64) map[int]winnow.Outcome {
	t.Helper()
	size := 3
	if order == nil {
		size = len(docs)
		for i := range docs {
			order = append(order, i)
		}
	}
	var shards [][]*winnow.Document
	for chunk := range slices.Chunk(order, max(size, 1)) {
		var shard []*winnow.Document
		for _, i := range chunk {
			shard = append(shard, docs[i])
		}
		shards = append(shards, shard)
	}
	settled, err := compare.Once(t.Context(), stage, shards, t.TempDir(), memory)
	if err != nil {
		t.Fatal(err)
	}
	out := map[int]winnow.Outcome{}
	for id, o := range settled {
		out[order[id.Shard()*size+id.Row()]] = o
	}
	return out
}

func mustNew(t testing.TB, o Options) winnow.Corpus {
	t.Helper()
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestResolve(t *testing.T) {
	for _, c := range []struct {
		name    string
		o       Options
		members []winnow.Member
		kept    string // numbers of the documents that stay
		weight  int32
	}{
		{"one", Options{}, []winnow.Member{{Doc: 7}, {Doc: 3}, {Doc: 9}}, "7", 0},
		{"two", Options{Copies: 2, Weights: FineWeb2Weights()}, []winnow.Member{{Doc: 7}, {Doc: 3}, {Doc: 9}}, "73", 3},
		{"more than there are", Options{Copies: 5}, []winnow.Member{{Doc: 7}, {Doc: 3}}, "73", 0},
		{"earlier run", Options{}, []winnow.Member{{Doc: 8, Run: "old"}, {Doc: 3}, {Doc: 9}}, "", 0},
		{"earlier run, two", Options{Copies: 2}, []winnow.Member{{Doc: 8, Run: "old"}, {Doc: 3}, {Doc: 9}}, "3", 0},
	} {
		c.o.Method = Exact
		s := mustNew(t, c.o).(*Same)
		kept := ""
		err := s.Resolve(winnow.Cluster{Size: len(c.members), Members: membersOf(c.members)}, func(id winnow.DocID, o winnow.Outcome) error {
			if int(o.Size) != len(c.members) || o.Similarity != 1 {
				t.Errorf("%s: %+v", c.name, o)
			}
			if !o.Verdict.Drop {
				kept += string(rune('0' + id))
				if o.Weight != c.weight {
					t.Errorf("%s: weight %d, want %d", c.name, o.Weight, c.weight)
				}
			} else if wantRun := c.members[0].Run != ""; strings.Contains(o.Verdict.Detail, "of run old") != wantRun {
				t.Errorf("%s: detail %q", c.name, o.Verdict.Detail)
			}
			return nil
		})
		if err != nil || kept != c.kept {
			t.Errorf("%s: kept %s, want %s (%v)", c.name, kept, c.kept, err)
		}
	}
}

func membersOf(m []winnow.Member) iter.Seq2[winnow.Member, error] {
	return func(yield func(winnow.Member, error) bool) {
		for _, x := range m {
			if !yield(x, nil) {
				return
			}
		}
	}
}

func TestPolicies(t *testing.T) {
	docs := []*winnow.Document{
		{ID: "c", Text: "Same  text.", Date: "2026-01-02T00:00:00Z", File: "crawl/b.warc.gz", Signals: []float32{9, .2}},
		{ID: "a", Text: "Same text.", Date: "2026-01-03T00:00:00Z", File: "crawl/c.warc.gz", Signals: []float32{9, .9}},
		{ID: "b", Text: "Other text."},
		{ID: "d", Text: "Same text.", File: "books/a.jsonl", Signals: []float32{9, winnow.NotMeasured}},
	}
	for _, c := range []struct {
		o        Options
		survivor string
	}{
		{Options{Keep: Longest}, "c"}, {Options{Keep: Newest}, "a"}, {Options{Keep: First}, "c"},
		{Options{Keep: Best, SignalID: "quality.score", Signal: 1}, "a"},
		{Options{Keep: Source, Sources: []string{"books/*", "*.gz"}}, "d"},
		{Options{Keep: Source, Sources: []string{"*.gz", "books/*"}}, "a"}, // two of them: the smallest id
	} {
		c.o.Method = Exact
		out := run(t, mustNew(t, c.o), docs, nil)
		if len(out) != 3 {
			t.Fatalf("%+v: %d outcomes, want 3", c.o, len(out))
		}
		for _, o := range out {
			if o.Size != 3 || o.Cluster != c.survivor {
				t.Errorf("%+v: %+v, want %s", c.o, o, c.survivor)
			}
			if v := o.Verdict; v.Drop && (v.Rule != "dedup.exact" || v.Detail != c.survivor || v.Value != 1) {
				t.Errorf("%+v: %+v", c.o, v)
			}
		}
		if c.o.Keep != First {
			if again := run(t, mustNew(t, c.o), docs, []int{3, 1, 2, 0}); !reflect.DeepEqual(again, out) {
				t.Errorf("%+v: another outcome in another order", c.o)
			}
		}
	}
}

func TestScope(t *testing.T) {
	docs := []*winnow.Document{
		{ID: "a", Text: "Same text.", URL: "http://x.org/", Dump: "1"}, {ID: "b", Text: "Same text.", URL: "http://x.org/", Dump: "2"},
		{ID: "c", Text: "Same text.", URL: "http://x.org/", Dump: "2"},
	}
	for _, method := range Methods() {
		if out := run(t, mustNew(t, Options{Method: method}), docs, nil); len(out) != 3 {
			t.Errorf("%s: %d outcomes, want 3", method, len(out))
		}
		out := run(t, mustNew(t, Options{Method: method, Scope: Dump}), docs, nil)
		if len(out) != 2 || out[1].Cluster != "b" {
			t.Errorf("%s per dump: %+v", method, out)
		}
	}
}

// Exactly one document of each cluster survives, whatever the clusters, the order of shards and the memory.
func TestOneOfEachClusterSurvives(t *testing.T) {
	for seed := range uint64(5) {
		rng := rand.New(rand.NewPCG(seed, 9))
		docs := corpus(rng.IntN(40))
		for _, o := range []Options{{Method: Exact}, {Method: Normalised}, {Method: MinHash}, {Method: MinHash, Verify: .7}, {Method: MinHash, Keep: Newest}} {
			stage := mustNew(t, o)
			want := run(t, stage, docs, nil)
			size, kept := map[string]int32{}, map[string]int{}
			for _, x := range want {
				size[x.Cluster]++
				if !x.Verdict.Drop {
					kept[x.Cluster]++
				}
			}
			for _, x := range want {
				if size[x.Cluster] != x.Size || kept[x.Cluster] != 1 || x.Size < 2 {
					t.Fatalf("%+v: cluster of %d: %d found, %d kept", o, x.Size, size[x.Cluster], kept[x.Cluster])
				}
			}
			if got := runWithin(t, stage, docs, rng.Perm(len(docs)), 1); !reflect.DeepEqual(got, want) {
				t.Fatalf("%+v: another outcome in another order and with less memory", o)
			}
		}
	}
}
