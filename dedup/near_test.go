package dedup

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"winnow"
)

func TestMistakes(t *testing.T) {
	for _, c := range []struct {
		o    Options
		want string
	}{
		{Options{Method: MinHash, Bands: 1000, Rows: 1000}, "1000 bands"},
		{Options{Method: MinHash, Shingle: Shingle{Han: -1}}, "shingle"},
		{Options{Method: MinHash, Signature: "fine"}, `"fine"`},
		{Options{Method: MinHash, Verify: 2}, "verify"},
		{Options{Method: "simhash"}, `"simhash"`},
		{Options{Method: Exact, Keep: "any"}, `"any"`},
		{Options{Method: Exact, Keep: Best}, "quality.score"},
		{Options{Method: Exact, Keep: Source}, "sources"},
		{Options{Method: Exact, Keep: Source, Sources: []string{"["}}, `"["`},
		{Options{Method: Exact, Copies: -1}, "keep -1"},
		{Options{Method: Exact, Scope: "crawl"}, `"crawl"`},
		{Options{Method: Exact, Weights: []Weight{{0, 1}}}, "weights"},
	} {
		if _, err := New(c.o); err == nil {
			t.Errorf("%+v: no error", c.o)
		} else if !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v: want %s", err, c.want)
		}
	}
}

func TestSCurve(t *testing.T) {
	for _, c := range []struct{ s, want float64 }{{.5, .053}, {.7, .565}, {.75, .772}, {.8, .924}, {.85, .988}, {1, 1}, {0, 0}} {
		if got := SCurve(14, 8, c.s); math.Abs(got-c.want) > .0006 {
			t.Errorf("s = %g: got %.4f, want %.3f", c.s, got, c.want)
		}
	}
}

const (
	fox = `The quick brown fox jumps over the lazy dog while 3 crows look on, and nobody in the village has ever
found out why it does so every morning at half past six.`
	spring = `春眠不觉晓，处处闻啼鸟。夜来风雨声，花落知多少。清晨推开窗户，院子里满地都是被雨打落的花瓣，空气里带着泥土的味道。`
)

func sketch(t testing.TB, s winnow.Corpus, text string) (keys []uint64, data []byte) {
	t.Helper()
	rank, err := s.Sketch(&winnow.Document{Text: text}, func(r winnow.Record) { keys = append(keys, r.Key[0]) })
	if err != nil {
		t.Fatal(err)
	}
	return keys, rank.Data
}

// Sketches are stored between runs: a change of these hashes is a change of Layout.Records.
func TestSketchIsStable(t *testing.T) {
	for _, c := range []struct{ signature, text, want string }{
		{Fast, fox, "38b458c4d1e17104 12e2aad23a4fe0bb c5c7d4ee"},
		{Fast, spring, "75d50a5d1f3da931 f055fd53c4658e96 d8920a7e"},
		{Fast, "short", "7fdc392748388e09 555203ffa89bd89f 511a30ae"},
		{Datatrove, fox, "d8977566304285af 132dafdd307a738d 45b513e9"},
		{DatatroveSHA1, fox, "9c2a3eae9b99f02c ab906a1b6809cd86 e1d665b9"},
	} {
		keys, data := sketch(t, mustNew(t, Options{Method: MinHash, Signature: c.signature}), c.text)
		if len(keys) != 14 || len(data) != 56 {
			t.Fatalf("%d keys and %d bytes, want 14 and 56", len(keys), len(data))
		}
		if got := fmt.Sprintf("%016x %016x %x", keys[0], keys[13], data[:4]); got != c.want {
			t.Errorf("%s %.10q: got %s, want %s", c.signature, c.text, got, c.want)
		}
	}
}

// corpus makes n clusters of up to five documents each, English and Chinese, some equal and some nearly so.
func corpus(n int) []*winnow.Document {
	rng := rand.New(rand.NewPCG(1, 2))
	var docs []*winnow.Document
	for c := range n {
		words := make([]string, 120)
		sep := " "
		for i := range words {
			if c%2 == 0 {
				words[i] = fmt.Sprintf("w%c%c%c", 'a'+rng.IntN(26), 'a'+rng.IntN(26), 'a'+rng.IntN(26))
			} else {
				words[i], sep = string(rune(0x4e00+rng.IntN(5000)))+string(rune(0x4e00+rng.IntN(5000))), ""
			}
		}
		for k := range 1 + c%5 {
			copied := append([]string(nil), words...)
			for range k {
				copied[rng.IntN(len(copied))] = "另other"
			}
			docs = append(docs, &winnow.Document{ID: fmt.Sprintf("%d-%d", c, k), Text: strings.Join(copied, sep)})
		}
	}
	return docs
}

func TestClusters(t *testing.T) {
	docs := corpus(60)
	for _, o := range []Options{{Method: MinHash}, {Method: MinHash, Verify: .7}, {Method: MinHash, Signature: DatatroveSHA1}} {
		for i, x := range run(t, mustNew(t, o), docs, nil) {
			if a, _, _ := strings.Cut(docs[i].ID, "-"); !strings.HasPrefix(x.Cluster, a+"-") {
				t.Errorf("%+v: %s stands with %s", o, docs[i].ID, x.Cluster)
			}
			if v := x.Verdict; v.Drop && (v.Detail != x.Cluster || v.Rule != "dedup.near") {
				t.Errorf("%s: %+v", docs[i].ID, v)
			}
		}
	}
}

// The index in memory and the comparison out of core must join the same documents.
func TestInMemoryAgainstOutOfCore(t *testing.T) {
	docs := corpus(80)
	n := mustNew(t, Options{Method: MinHash}).(*Near)
	x := NewIndex(n)
	for _, d := range docs {
		keys, data := sketch(t, n, d.Text)
		x.Add(keys, winnow.Rank{Data: data})
	}
	x.Seal()
	parent := make([]int, len(docs))
	for i := range parent {
		parent[i] = i
	}
	var find func(int) int
	find = func(i int) int {
		if parent[i] != i {
			parent[i] = find(parent[i])
		}
		return parent[i]
	}
	for i, d := range docs {
		hits, err := x.Query(d)
		if err != nil || len(hits) == 0 || hits[0].Similarity != 1 {
			t.Fatalf("%s does not find itself: %v %v", d.ID, hits, err)
		}
		for _, h := range hits {
			parent[find(i)] = find(h.Number)
		}
	}
	out := run(t, n, docs, nil)
	for a := range docs {
		for b := range a {
			if x, y := out[a], out[b]; (find(a) == find(b)) != (x.Size > 0 && x.Cluster == y.Cluster) {
				t.Errorf("%s and %s: together in memory %v, out of core %v", docs[a].ID, docs[b].ID, find(a) == find(b), x.Cluster == y.Cluster)
			}
		}
	}
}

func TestEstimate(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 4))
	for _, share := range []float64{0, .3, .7, 1} {
		sum := 0.
		const trials = 400
		for range trials {
			a, b := make([]uint64, 112), make([]uint64, 112)
			for i := range a {
				a[i] = rng.Uint64()
				if b[i] = a[i]; rng.Float64() >= share {
					b[i] = rng.Uint64()
				}
			}
			sum += float64(estimate(quarters(a), quarters(b)))
		}
		// estimates below 0 are cut off, which lifts the mean of 0 alone
		if got := sum / trials; math.Abs(got-share) > .012 {
			t.Errorf("share %g: mean estimate %.3f", share, got)
		}
	}
}

// Rows of a fast signature must agree as often as the sets are alike, also where shingles are fewer than rows.
func TestFastSignatureIsFair(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 5))
	const places = 112
	for _, c := range []struct{ both, each int }{{1, 0}, {3, 1}, {40, 5}, {60, 60}, {900, 50}} {
		want := float64(c.both) / float64(c.both+2*c.each)
		equal, trials := 0, 300
		for range trials {
			var a, b []uint64
			for range c.both {
				a = append(a, rng.Uint64())
			}
			b = append(b, a...)
			for range c.each {
				a, b = append(a, rng.Uint64()), append(b, rng.Uint64())
			}
			x, y, r := make([]uint64, places), make([]uint64, places), make([]uint16, places)
			fastSignature(x, r, a, 1)
			fastSignature(y, r, b, 1)
			for i := range x {
				if x[i] == y[i] {
					equal++
				}
			}
		}
		if got := float64(equal) / float64(trials*places); math.Abs(got-want) > .02 {
			t.Errorf("%d shared, %d of each alone: %.3f of the rows agree, want %.3f", c.both, c.each, got, want)
		}
	}
}

func FuzzSketch(f *testing.F) {
	for _, s := range []string{"", fox, spring, "\xff", "1.2.3"} {
		f.Add(s)
	}
	s := mustNew(f, Options{Method: MinHash})
	f.Fuzz(func(t *testing.T, text string) {
		a, x := sketch(t, s, text)
		b, y := sketch(t, s, " "+text+"\n")
		if !slices.Equal(a, b) || string(x) != string(y) {
			t.Fatalf("%q: white space at the ends changes the signature", text)
		}
		if len(a) != 0 && (len(a) != 14 || len(x) != 56) {
			t.Fatalf("%q: %d keys, %d bytes", text, len(a), len(x))
		}
	})
}

func benchSketch(b *testing.B, o Options, text string) {
	s := mustNew(b, o)
	d := &winnow.Document{Text: text}
	b.SetBytes(int64(len(d.Text)))
	b.ReportAllocs()
	for b.Loop() {
		s.Sketch(d, func(winnow.Record) {})
	}
}

func words(n int) string {
	rng := rand.New(rand.NewPCG(1, 1))
	var w strings.Builder
	for w.Len() < n {
		for range 2 + rng.IntN(7) {
			w.WriteByte(byte('a' + rng.IntN(26)))
		}
		w.WriteByte(' ')
	}
	return w.String()
}

func characters(n int) string {
	rng := rand.New(rand.NewPCG(1, 1))
	var w strings.Builder
	for i := 0; w.Len() < n; i++ {
		w.WriteRune(rune(0x4e00 + rng.IntN(4000)))
		if i%12 == 11 {
			w.WriteRune('，')
		}
	}
	return w.String()
}

func BenchmarkSketchEnglish(b *testing.B) { benchSketch(b, Options{Method: MinHash}, words(8000)) }
func BenchmarkSketchChinese(b *testing.B) { benchSketch(b, Options{Method: MinHash}, characters(8000)) }
func BenchmarkSketchDatatrove(b *testing.B) {
	benchSketch(b, Options{Method: MinHash, Signature: Datatrove}, words(8000))
}
func BenchmarkSketchExact(b *testing.B) { benchSketch(b, Options{Method: Exact}, words(8000)) }

func BenchmarkSignature(b *testing.B) {
	p, sig, hashes := newPermutations(112, 1), make([]uint64, 112), make([]uint64, 1000)
	for i := range hashes {
		hashes[i] = rand.Uint64()
	}
	b.SetBytes(8 * 1000)
	for b.Loop() {
		p.signature(sig, hashes)
	}
}

func BenchmarkFold(b *testing.B) {
	for _, c := range []struct{ name, text string }{{"en", words(8000)}, {"zh", characters(8000)}} {
		b.Run(c.name, func(b *testing.B) {
			var k sketcher
			b.SetBytes(int64(len(c.text)))
			for b.Loop() {
				k.shingles(c.text, Shingle{13, 5})
			}
		})
	}
}
