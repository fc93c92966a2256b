package cut

import (
	"encoding/binary"
	"fmt"
	"index/suffixarray"
	"math/rand/v2"
	"strings"
	"testing"

	"winnow"
)

// repeated makes documents out of sentences, some of which stand in several of them, in English and Chinese.
func repeated(n, seed int) (docs []*winnow.Document) {
	rng := rand.New(rand.NewPCG(uint64(seed), 2))
	var shared []string
	for range 12 {
		shared = append(shared, sentence(rng, 4+rng.IntN(12)))
	}
	for i := range n {
		var lines []string
		for range 2 + rng.IntN(6) {
			if rng.IntN(2) == 0 {
				k := rng.IntN(len(shared))
				lines = append(lines, shared[k], shared[(k+1)%len(shared)], shared[(k+2)%len(shared)])
			} else {
				lines = append(lines, sentence(rng, 3+rng.IntN(9)))
			}
		}
		docs = append(docs, &winnow.Document{ID: fmt.Sprint("d", i), Text: strings.Join(lines, []string{"\n", " "}[i%2])})
	}
	return docs
}

func sentence(rng *rand.Rand, n int) string {
	var b strings.Builder
	han := rng.IntN(3) == 0
	for i := range n {
		if han {
			b.WriteRune(rune(0x4e00 + rng.IntN(60)))
			continue
		}
		if i > 0 {
			b.WriteByte(' ')
		}
		fmt.Fprintf(&b, "w%d", rng.IntN(40))
	}
	if han {
		return b.String() + "。"
	}
	return b.String() + "."
}

// What the stage cuts must be what a suffix array over all tokens finds: every token that stands in a window of at least so
// many tokens that stands elsewhere as well, but for the window's best place.
func TestSpansAgainstSuffixArray(t *testing.T) {
	for seed := range 6 {
		docs := repeated(40, seed)
		for _, keep := range []string{Longest, First, None} {
			const n = 8
			stage := mustNew(t, Options{Method: Span, Tokens: n, Keep: keep})
			want := oracle(docs, stage.(*spans), n)
			got := make([][]bool, len(docs))
			for i, d := range docs {
				got[i] = make([]bool, len(d.Text))
			}
			for i, o := range outcomes(t, stage, docs, 1<<12) {
				if o.Verdict.Drop {
					o.Edits = []winnow.Edit{{End: len(docs[i].Text)}}
				}
				for _, e := range o.Edits {
					for at := e.Start; at < e.End; at++ {
						got[i][at] = true
					}
				}
			}
			cuts := 0
			for i, d := range docs {
				var k tokens
				k.cut(d.Text)
				for j := range k.starts {
					at := k.starts[j]
					if got[i][at] != want[i][j] {
						t.Fatalf("seed %d, keep %s, document %d, token %d (%q): cut %v, the suffix array says %v", seed, keep, i, j, d.Text[at:k.ends[j]], got[i][at], want[i][j])
					}
					if want[i][j] {
						cuts++
					}
				}
			}
			if cuts == 0 {
				t.Error("nothing was cut")
			}
		}
	}
}

// oracle marks the tokens to go.
func oracle(docs []*winnow.Document, s *spans, n int) [][]bool {
	var all []byte
	ids := map[string]uint32{}
	var starts []int // first token of each document in all
	marks := make([][]bool, len(docs))
	for i, d := range docs {
		var k tokens
		k.cut(d.Text)
		starts = append(starts, len(all)/4)
		marks[i] = make([]bool, len(k.starts))
		for j := range k.starts {
			word := d.Text[k.starts[j]:k.ends[j]]
			if _, ok := ids[word]; !ok {
				ids[word] = uint32(len(ids) + 1)
			}
			all = binary.BigEndian.AppendUint32(all, ids[word])
		}
		all = binary.BigEndian.AppendUint32(all, uint32(1<<31+i)) // no window reaches over the end of a document
	}
	docOf := func(token int) int {
		i := len(starts) - 1
		for starts[i] > token {
			i--
		}
		return i
	}
	index := suffixarray.New(all)
	for i := range docs {
		for j := 0; j+n <= len(marks[i]); j++ {
			at := starts[i] + j
			best, places := at, 0
			for _, hit := range index.Lookup(all[4*at:4*(at+n)], -1) {
				if hit%4 != 0 {
					continue
				}
				places++
				if other := hit / 4; less(s.order(docs[docOf(other)]), docOf(other), other, s.order(docs[docOf(best)]), docOf(best), best) {
					best = other
				}
			}
			if places > 1 && (best != at || s.o.Keep == None) {
				for k := range n {
					marks[i][j+k] = true
				}
			}
		}
	}
	return marks
}

func less(order uint64, doc, token int, order2 uint64, doc2, token2 int) bool {
	switch {
	case order != order2:
		return order < order2
	case doc != doc2:
		return doc < doc2
	}
	return token < token2
}

func TestVerifyRefusesWhatIsNotEqual(t *testing.T) {
	s := mustNew(t, Options{Method: Span, Tokens: 3}).(*spans)
	a, b := []byte("x one two  three four y"), []byte("one\ttwo three 4, two three four")
	var got []winnow.Edge
	for _, candidates := range [][]winnow.Edge{
		{{From: 2, Start: 0, End: 13}},                               // three tokens agree, the white space does not
		{{From: 2, Start: 4, End: 13}},                               // a hash that met by chance
		{{From: 2, Start: 0, End: 13}, {From: 6, Start: 4, End: 12}}, // within what was found
	} {
		if err := s.Verify(a, b, candidates, func(e winnow.Edge) error { got = append(got, e); return nil }); err != nil {
			t.Fatal(err)
		}
	}
	if len(got) != 2 || got[0].Start != 0 || got[0].End != 13 {
		t.Errorf("%+v", got)
	}
}

func BenchmarkSpans(b *testing.B) {
	rng := rand.New(rand.NewPCG(1, 1))
	var docs []*winnow.Document
	size := 0
	for i := range 200 {
		var w strings.Builder
		for w.Len() < 8000 {
			fmt.Fprintf(&w, "w%d ", rng.IntN(20000))
		}
		docs = append(docs, &winnow.Document{ID: fmt.Sprint(i), Text: w.String()})
		size += w.Len()
	}
	docs = append(docs, docs[:40]...)
	stage := mustNew(b, Options{Method: Span})
	b.SetBytes(int64(size))
	for b.Loop() {
		outcomes(b, stage, docs, 64<<20)
	}
}
