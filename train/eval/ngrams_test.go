package eval

import (
	"errors"
	"iter"
	"math"
	"math/rand/v2"
	"testing"
)

func texts(list ...[]int32) iter.Seq2[[]int32, error] {
	return func(yield func([]int32, error) bool) {
		for _, t := range list {
			if !yield(t, nil) {
				return
			}
		}
	}
}

// naive is Witten and Bell's definition in plain maps, over all contexts of the training texts.
func naive(train [][]int32, text []int32, at, order, alphabet int) float64 {
	if order == 0 {
		return 1 / float64(alphabet+1)
	}
	lower := naive(train, text, at, order-1, alphabet)
	if order-1 > at {
		return lower
	}
	h := text[at-order+1 : at]
	total, follow := 0.0, map[int32]float64{}
	for _, t := range train {
		for i := len(h); i <= len(t); i++ {
			same := true
			for j, s := range h {
				same = same && t[i-len(h)+j] == s
			}
			if !same {
				continue
			}
			next := int32(alphabet)
			if i < len(t) {
				next = t[i]
			}
			total++
			follow[next]++
		}
	}
	if total == 0 {
		return lower
	}
	types := float64(len(follow))
	return (follow[text[at]] + types*lower) / (total + types)
}

func TestNGrams(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	random := func(n int) []int32 {
		s := make([]int32, n)
		for i := range s {
			s[i] = int32(r.IntN(3) * r.IntN(3))
		}
		return s
	}
	const alphabet, order = 7, 4
	train := [][]int32{random(50), random(1), {}, random(80)}
	held := [][]int32{random(20), {6, 6, 6, 5}, {}, random(1)}
	got, err := NGrams(texts(train...), held, alphabet, order)
	if err != nil {
		t.Fatal(err)
	}
	for k := range order {
		for i, text := range held {
			want := 0.0
			for at := range text {
				want -= math.Log(naive(train, text, at, k+1, alphabet))
			}
			if math.Abs(got[k][i]-want) > 1e-9*(1+want) {
				t.Errorf("order %d text %d: %v nats, not %v", k+1, i, got[k][i], want)
			}
		}
	}
}

// TestNGramsSum: the probabilities of all symbols and the end add up to one, after every context.
func TestNGramsSum(t *testing.T) {
	train := [][]int32{{0, 1, 2, 0, 1, 1}, {2, 2, 0}}
	const alphabet = 4
	for _, context := range [][]int32{{}, {0}, {0, 1}, {3, 3}, {2, 0}} {
		for order := 1; order <= 3; order++ {
			sum := 0.0
			for s := range int32(alphabet) {
				text := append(append([]int32{}, context...), s)
				sum += naive(train, text, len(context), order, alphabet)
				one, err := NGrams(texts(train...), [][]int32{text, context}, alphabet, order)
				if err != nil {
					t.Fatal(err)
				}
				p := math.Exp(-(one[order-1][0] - one[order-1][1]))
				if want := naive(train, text, len(context), order, alphabet); math.Abs(p-want) > 1e-9 {
					t.Fatalf("after %v: %d: %v, not %v", context, s, p, want)
				}
			}
			end := append(append([]int32{}, context...), alphabet)
			if sum += naive(train, end, len(context), order, alphabet); math.Abs(sum-1) > 1e-9 {
				t.Errorf("order %d after %v: probabilities sum to %v", order, context, sum)
			}
		}
	}
}

func TestNGramsErrors(t *testing.T) {
	broken := errors.New("broken")
	failing := func(yield func([]int32, error) bool) { yield(nil, broken) }
	if _, err := NGrams(failing, nil, 3, 2); !errors.Is(err, broken) {
		t.Errorf("error %v", err)
	}
	for _, bad := range [][]int32{{3}, {-1}} {
		if _, err := NGrams(texts(), [][]int32{bad}, 3, 2); err == nil {
			t.Errorf("held-out %v was taken", bad)
		}
		if _, err := NGrams(texts(bad), [][]int32{{0}}, 3, 2); err == nil {
			t.Errorf("training %v was taken", bad)
		}
	}
}

func TestTable(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 2))
	tab, want := newTable(), map[uint64]uint32{}
	for range 200000 {
		k := uint64(r.IntN(30000)) << uint(r.IntN(3)*16)
		*tab.ref(k)++
		want[k]++
	}
	for k, n := range want {
		if tab.get(k) != n {
			t.Fatalf("%d: %d, not %d", k, tab.get(k), n)
		}
	}
	if tab.used != len(want) || tab.get(1<<60) != 0 {
		t.Fatal("keys that were not put")
	}
}

// TestRate: Wilson's interval, against values computed from the formula in Python.
func TestRate(t *testing.T) {
	for _, c := range []struct {
		hits, n   int
		low, high float64
	}{{0, 10, 0, 0.2775328}, {5, 10, 0.2365931, 0.7634069}, {10, 10, 0.7224672, 1}, {55, 200, 0.2177970, 0.3406834}} {
		if r := NewRate(c.hits, c.n); math.Abs(r.Low-c.low) > 1e-6 || math.Abs(r.High-c.high) > 1e-6 {
			t.Errorf("%d of %d: %v to %v, not %v to %v", c.hits, c.n, r.Low, r.High, c.low, c.high)
		}
	}
	if r := NewRate(0, 0); r.Low != 0 || r.High != 1 {
		t.Errorf("nothing known: %v", r)
	}
}

func BenchmarkNGrams(b *testing.B) {
	r := rand.New(rand.NewPCG(3, 3))
	zipf := rand.NewZipf(r, 1.1, 1, 4095)
	train, held := make([]int32, 1<<20), make([]int32, 1<<16)
	for _, s := range [][]int32{train, held} {
		for i := range s {
			s[i] = int32(zipf.Uint64())
		}
	}
	b.SetBytes(int64(len(train)))
	for b.Loop() {
		if _, err := NGrams(texts(train), [][]int32{held}, 4096, 3); err != nil {
			b.Fatal(err)
		}
	}
}
