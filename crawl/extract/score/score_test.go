package score

import (
	"math"
	"math/rand/v2"
	"testing"
)

// randomModel has answers that the file holds exactly.
func randomModel(trees int) *Model {
	rng := rand.New(rand.NewPCG(1, 2))
	m := &Model{Base: 0.5}
	for range trees {
		var t Tree
		for k := range t.Features {
			t.Features[k], t.Thresholds[k] = uint8(rng.IntN(20)), rng.Float32()
		}
		for k := range t.Values {
			t.Values[k] = Round(rng.NormFloat64())
		}
		m.Trees = append(m.Trees, t)
	}
	return m
}

func randomVector(rng *rand.Rand) *Vector {
	v := new(Vector)
	for i := range v {
		v[i] = rng.Float32()
	}
	return v
}

func TestEncode(t *testing.T) {
	m := randomModel(7)
	got, err := Decode(m.Encode())
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Trees) != len(m.Trees) || got.Base != m.Base {
		t.Fatalf("got %d trees, base %v", len(got.Trees), got.Base)
	}
	for i := range m.Trees {
		if got.Trees[i] != m.Trees[i] {
			t.Errorf("tree %d: %v, want %v", i, got.Trees[i], m.Trees[i])
		}
	}
	if _, err := Decode(m.Encode()[:50]); err == nil {
		t.Error("a cut file is read")
	}
}

// TestLogit walks the trees question by question.
func TestLogit(t *testing.T) {
	m := randomModel(9)
	rng := rand.New(rand.NewPCG(3, 4))
	for range 50 {
		v := randomVector(rng)
		want := m.Base
		for _, tree := range m.Trees {
			left := tree.Values[:]
			for k := Depth - 1; k >= 0; k-- { // the last question parts the table in halves
				half := len(left) / 2
				if v[tree.Features[k]] > tree.Thresholds[k] {
					left = left[half:]
				} else {
					left = left[:half]
				}
			}
			want += left[0]
		}
		if got := m.Logit(v); got != want {
			t.Fatalf("got %v, want %v", got, want)
		}
	}
}

// TestReasons: the reasons of all features are what the logit lies above its mean.
func TestReasons(t *testing.T) {
	m := randomModel(9)
	v := randomVector(rand.New(rand.NewPCG(5, 6)))
	by := new(Vector)
	m.Reasons(v, by)
	sum := float64(m.Base)
	for _, x := range by {
		sum += float64(x)
	}
	for i := range m.Trees {
		sum += float64(m.Trees[i].mean(0, 0))
	}
	if got := float64(m.Logit(v)); math.Abs(got-sum) > 1e-4 {
		t.Errorf("reasons add up to %v, the logit is %v", sum, got)
	}
}

func TestFold(t *testing.T) {
	a := Fold("https://www.example.co.uk/a", "1")
	if b := Fold("http://news.example.co.uk:8080/b?x", "2"); a != b {
		t.Errorf("one domain in folds %d and %d", a, b)
	}
	counts := [Folds]int{}
	for i := range 1000 {
		counts[Fold("", string(rune('a'+i%26))+string(rune('a'+i/26)))]++
	}
	for k, n := range counts {
		if n < 100 {
			t.Errorf("fold %d has %d of 1000", k, n)
		}
	}
}

func BenchmarkLogit(b *testing.B) {
	m, v := randomModel(200), randomVector(rand.New(rand.NewPCG(7, 8)))
	for b.Loop() {
		m.Logit(v)
	}
}

// TestSweep holds block after block to what the trees say.
func TestSweep(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	m := Shipped()
	var s Sweep
	var v Vector
	for page := range 5 {
		s.Begin(m)
		for block := range 200 {
			for range r.IntN(40) {
				tree := &m.Trees[r.IntN(len(m.Trees))]
				k := r.IntN(Depth)
				v[tree.Features[k]] = tree.Thresholds[k] + float32(r.IntN(3)-1)*r.Float32()
			}
			if got, want := s.Logit(&v), m.Logit(&v); math.Abs(float64(got-want)) > 1e-4 {
				t.Fatalf("page %d, block %d: got %v, want %v", page, block, got, want)
			}
		}
	}
}
