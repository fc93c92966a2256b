package llm

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

func TestGreedyAndItsProbability(t *testing.T) {
	logits := []float32{2, 1, 0, -1, 2}
	id, p := Sampling{}.New().Next(logits)
	if id != 0 || math.Abs(float64(p)-logSoftmax(logits)[0]) > 1e-6 {
		t.Errorf("id %d with log-probability %v, want 0 with %v", id, p, logSoftmax(logits)[0])
	}
	for _, s := range []Sampling{{Temperature: 1, TopK: 1}, {Temperature: 1, TopP: 1e-9}, {Temperature: 1e-4, MinP: .99, TopK: 1}} {
		if id, q := s.New().Next(logits); id != 0 || p != q {
			t.Errorf("%+v: id %d, log-probability %v", s, id, q)
		}
	}
}

// TestSamplingFrequencies draws often and compares with the distribution that the definition gives, built by sorting all.
func TestSamplingFrequencies(t *testing.T) {
	logits := []float32{0, 3, 1, 2.5, -4, 1, -30, 2}
	for _, s := range []Sampling{
		{Temperature: 1}, {Temperature: .5}, {Temperature: 2, TopK: 3}, {Temperature: 1, TopP: .8}, {Temperature: 1, TopP: .999999},
		{Temperature: 1, MinP: .2}, {Temperature: 1.5, TopK: 6, TopP: .9, MinP: .15, Seed: 9},
	} {
		order := []int{0, 1, 2, 3, 4, 5, 6, 7}
		slices.SortStableFunc(order, func(a, b int) int {
			if logits[a] > logits[b] {
				return -1
			} else if logits[a] < logits[b] {
				return 1
			}
			return 0
		})
		p := make([]float64, 8)
		var sum float64
		if s.TopK > 0 {
			order = order[:s.TopK]
		}
		for _, i := range order {
			p[i] = math.Exp(float64(logits[i]) / s.Temperature)
			sum += p[i]
		}
		var before float64
		top := p[order[0]]
		for _, i := range order {
			whole := p[i]
			if s.TopP > 0 && before >= s.TopP*sum || p[i] < s.MinP*top {
				p[i] = 0
			}
			before += whole
		}
		sum = 0
		for _, v := range p {
			sum += v
		}
		const n = 40000
		var got [8]int
		sampler := s.New()
		for range n {
			id, _ := sampler.Next(logits)
			got[id]++
		}
		for i := range p {
			want := p[i] / sum
			if math.Abs(float64(got[i])/n-want) > 5*math.Sqrt(want*(1-want)/n)+1e-12 {
				t.Errorf("%+v: id %d drawn %d of %d times, want %.4f", s, i, got[i], n, want)
			}
		}
	}
}

func TestSamplingIsChecked(t *testing.T) {
	for _, s := range []Sampling{{Temperature: -1}, {Temperature: math.NaN()}, {TopP: 1.1}, {MinP: -.1}, {TopK: -1}} {
		if s.Validate() == nil {
			t.Errorf("%+v is taken", s)
		}
	}
	if _, err := NewGeneration(Request{Stops: []string{"x"}}, 5, nil); err == nil {
		t.Error("stop strings without a tokenizer are taken")
	}
}

// FuzzSampler: whatever the logits, an id that exists comes back, the same for the same seed, and never one without mass.
func FuzzSampler(f *testing.F) {
	f.Add(uint64(1), 1.0, .9, .1, uint8(3), uint8(50))
	f.Add(uint64(2), .01, .999, 0.0, uint8(0), uint8(1))
	f.Fuzz(func(t *testing.T, seed uint64, temperature, topP, minP float64, topK, n uint8) {
		s := Sampling{Temperature: temperature, TopP: topP, MinP: minP, TopK: int(topK), Seed: seed}
		if s.Validate() != nil || n == 0 {
			t.Skip()
		}
		r := rand.New(rand.NewPCG(seed, 3))
		logits := make([]float32, n)
		for i := range logits {
			logits[i] = float32(r.NormFloat64() * 10)
			if r.IntN(20) == 0 {
				logits[i] = float32(math.Inf(-1))
			}
		}
		logits[r.IntN(int(n))] = 1
		id, p := s.New().Next(logits)
		again, _ := s.New().Next(logits)
		if id < 0 || int(id) >= len(logits) || id != again || math.IsInf(float64(logits[id]), -1) || p > 0 || p != p {
			t.Errorf("id %d and %d of %d, log-probability %v, logit %v", id, again, n, p, logits[id])
		}
	})
}

// pieces is a detokenizer over a fixed text, cut at random; it holds back the first byte of a pair of tokens now and then.
type pieces struct {
	list []string
	held string
}

func (p *pieces) Next(id int32) string {
	s := p.held + p.list[id]
	p.held = ""
	if id%3 == 1 && len(s) > 1 {
		p.held = s[len(s)-1:]
		s = s[:len(s)-1]
	}
	return s
}

func (p *pieces) Flush() string { s := p.held; p.held = ""; return s }

// stopAt is the length of stop where text ends with it, else 0.
func stopAt(text, stop string) int {
	if strings.HasSuffix(text, stop) {
		return len(stop)
	}
	return 0
}

// FuzzStops: what is shown is the text up to the stop string that is complete first, however the text is cut into tokens, and
// nothing is shown that has to be taken back.
func FuzzStops(f *testing.F) {
	f.Add("the end is near, the END", "end", "near", uint64(1))
	f.Add("aaabaaab", "aab", "ab", uint64(2))
	f.Add("中文结束了", "结束", "了", uint64(3))
	f.Fuzz(func(t *testing.T, text, stop, other string, seed uint64) {
		if stop == "" || other == "" || text == "" {
			t.Skip()
		}
		r := rand.New(rand.NewPCG(seed, 4))
		p := &pieces{}
		for rest := text; rest != ""; {
			n := min(1+r.IntN(4), len(rest))
			p.list, rest = append(p.list, rest[:n]), rest[n:]
		}
		want, finish := text, FinishLength
		for end := range len(text) + 1 { // the definition, byte by byte
			long := max(stopAt(text[:end], stop), stopAt(text[:end], other))
			if long > 0 {
				want, finish = text[:end-long], FinishStop
				break
			}
		}
		g, err := NewGeneration(Request{Stops: []string{stop, other}, MaxTokens: len(p.list)}, 1<<20, p)
		if err != nil {
			t.Fatal(err)
		}
		logits := make([]float32, len(p.list))
		var shown string
		for i := range p.list {
			logits[i] = 1
			k := g.Next(logits)
			logits[i] = 0
			shown += k.Text
			if !strings.HasPrefix(want, shown) {
				t.Fatalf("shown %q, want %q", shown, want)
			}
			if k.Finish != "" {
				if k.Finish != finish && finish == FinishLength {
					t.Fatalf("finish %q", k.Finish)
				}
				break
			}
		}
		if shown != want {
			t.Fatalf("shown %q, want %q", shown, want)
		}
	})
}

// The sampler's exponential is that of the standard library, so near that no float32 made of it moves by more than its last bit.
func TestSamplerExp(t *testing.T) {
	s := Sampling{}.New()
	for _, x := range []float64{0, -1e-300, -1e-9, -.0108, -.011, -math.Ln2, -1, -699.9} {
		for i := range 2000 {
			x := x * (1 + float64(i)/2000)
			if x <= -700 {
				break
			}
			if want, got := math.Exp(x), s.exp(x); math.Abs(got-want) > 1e-13*want {
				t.Fatalf("exp(%v) = %v, want %v", x, got, want)
			}
		}
	}
	for i := range 100000 {
		x := -float64(i) * .0069
		if want, got := math.Exp(x), s.exp(x); math.Abs(got-want) > 1e-13*want {
			t.Fatalf("exp(%v) = %v, want %v", x, got, want)
		}
	}
	if s.exp(math.Inf(-1)) != 0 || s.exp(-1000) != 0 || s.exp(0) != 1 {
		t.Error("at the ends")
	}
}
