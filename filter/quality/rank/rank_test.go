package rank

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

type reference struct {
	Samples map[string]struct {
		Sample    []float32
		Cutoffs   map[string]float64
		Probes    []float32
		Ranks     []int
		Buckets20 []int
		Buckets8  []int
	}
	Ensemble struct {
		Models  []string
		Buckets []int
	}
}

func readReference(t *testing.T) (r reference) {
	raw, err := os.ReadFile("testdata/reference.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(raw, &r); err != nil {
		t.Fatal(err)
	}
	return r
}

// Cutoffs, ranks and buckets are numpy's, with ties and with scores that lie on a cutoff (testdata/reference.py).
func TestAsNumpy(t *testing.T) {
	r := readReference(t)
	if len(r.Samples) < 5 {
		t.Fatalf("%d samples", len(r.Samples))
	}
	for name, s := range r.Samples {
		c := Of(slices.Clone(s.Sample))
		if err := c.Check(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for at, want := range s.Cutoffs {
			var k int
			if err := json.Unmarshal([]byte(at), &k); err != nil {
				t.Fatal(err)
			}
			if c[k-1] != want {
				t.Errorf("%s: cutoff %d is %v, numpy has %v", name, k, c[k-1], want)
			}
		}
		for i, probe := range s.Probes {
			if got := c.Rank(probe); got != s.Ranks[i] {
				t.Errorf("%s: rank of %v is %d, numpy has %d", name, probe, got, s.Ranks[i])
			}
			if a, b := c.Bucket(probe, 20), c.Bucket(probe, 8); a != s.Buckets20[i] || b != s.Buckets8[i] {
				t.Errorf("%s: buckets of %v are %d and %d, numpy has %d and %d", name, probe, a, b, s.Buckets20[i], s.Buckets8[i])
			}
		}
	}
}

// The best of several classifiers' buckets is the bucket of the best rank.
func TestMaximum(t *testing.T) {
	r := readReference(t)
	for i, want := range r.Ensemble.Buckets {
		best := 0
		for _, name := range r.Ensemble.Models {
			s := r.Samples[name].Sample
			best = max(best, Of(slices.Clone(s)).Rank(s[i]))
		}
		if got := best * 20 / Steps; got != want {
			t.Errorf("text %d: bucket %d, numpy has %d", i, got, want)
		}
	}
}

func TestThreshold(t *testing.T) {
	scores := make([]float32, 2000)
	for i := range scores {
		scores[i] = float32(i) / 2000
	}
	c := Of(slices.Clone(scores))
	for _, keep := range []float64{.001, .1, .25, .5, .999} {
		least, kept := float32(Float32(c.Threshold(keep))), 0
		for _, s := range scores {
			if s >= least {
				kept++
			}
			if (s >= least) != (c.Rank(s) >= int(math.Round(1000*(1-keep)))) {
				t.Errorf("keep %g: score %g is on two sides", keep, s)
			}
		}
		if math.Abs(float64(kept)-keep*2000) > 1 {
			t.Errorf("keep %g: kept %d of 2000", keep, kept)
		}
	}
	if c.Threshold(1) != 0 || c.Threshold(.9999) != 0 || c.Threshold(0) != c[998] {
		t.Errorf("%v %v", c.Threshold(1), c.Threshold(0))
	}
	for n, ok := range map[int]bool{20: true, 1000: true, 2: true, 1: false, 30: false, 2000: false, 0: false} {
		if (Buckets(n) == nil) != ok {
			t.Errorf("%d buckets: %v", n, Buckets(n))
		}
	}
}

func TestFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ranks.json")
	f := File{Sample: Sample{Files: []string{"a"}, Texts: 3}, Classifiers: []Classifier{{Name: "q", Model: "q.bin", Hash: "h", Cutoffs: Of([]float32{.1, .2, .3})}}}
	if err := f.Write(path); err != nil {
		t.Fatal(err)
	}
	back, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	c, err := back.Find("h", "q.bin")
	if err != nil || !slices.Equal(c, f.Classifiers[0].Cutoffs) {
		t.Errorf("%v", err)
	}
	if _, err := back.Find("other", "e.bin"); err == nil || !strings.Contains(err.Error(), "no cutoffs of e.bin as it is now; there are those of q.bin") {
		t.Errorf("%v", err)
	}
	for text, want := range map[string]string{"{": "unexpected end", `{"classifiers":[{"cutoffs":[1,2]}]}`: "2 cutoffs"} {
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", text, err)
		}
	}
}
