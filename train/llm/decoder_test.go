package llm

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"winnow/train/internal/kernel"
)

func testDecoder(t testing.TB, m *Model, p *Pool, slots int) *Decoder {
	t.Helper()
	d, err := NewDecoder(m, p, slots, 0)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// logSoftmax turns logits into log-probabilities, in float64.
func logSoftmax(logits []float32) []float64 {
	var sum float64
	for _, z := range logits {
		sum += math.Exp(float64(z))
	}
	list := make([]float64, len(logits))
	for i, z := range logits {
		list[i] = float64(z) - math.Log(sum)
	}
	return list
}

func randomRow(c Config, n int) *Batch {
	r := rand.New(rand.NewPCG(1, 1))
	b := &Batch{Rows: 1, Len: n, Targets: make([]int32, n)}
	for i := range n {
		b.IDs, b.Pos = append(b.IDs, int32(r.IntN(c.Vocab))), append(b.Pos, int32(i))
	}
	return b
}

// Invariant 4: the cache gives the log-probabilities of the full forward pass, for every id at every position.
func TestCacheAgainstForward(t *testing.T) {
	for name, c := range testConfigs() {
		c.Context = 300 // more than one pass of a prefill
		m, p := testModel(t, c, 3), testPool(t, 2, "")
		b := randomRow(c, 290)
		tr, d := NewTrainer(m, p), testDecoder(t, m, p, 1)
		all, err := d.PrefillAll(0, b.IDs)
		if err != nil {
			t.Fatal(err)
		}
		for y := range int32(c.Vocab) {
			for i := range b.Targets {
				b.Targets[i] = y
			}
			nats, err := tr.Nats(b)
			if err != nil {
				t.Fatal(err)
			}
			for i := range b.Len {
				if got := -logSoftmax(all[i*c.Vocab : (i+1)*c.Vocab])[y]; math.Abs(got-float64(nats[i])) > 1e-5*max(1, got) {
					t.Fatalf("%s: token %d, id %d: %.7f nats from the cache, %.7f from the forward pass", name, i, y, got, nats[i])
				}
			}
		}
	}
}

// The bits of a token's logits do not depend on how the tokens before it came in: at once, in pieces or one by one.
func TestCutPrompts(t *testing.T) {
	for _, name := range kernel.Names() {
		c := testConfigs()["grouped"]
		c.Context = 300
		m, p := testModel(t, c, 3), testPool(t, 2, name)
		d, ids := testDecoder(t, m, p, 2), randomRow(c, 290).IDs
		all, err := d.PrefillAll(0, ids)
		if err != nil {
			t.Fatal(err)
		}
		for i, cut := 0, 0; i < len(ids); cut++ {
			n := min([]int{1, 1, 7, 40, 33, 1, 100}[cut%7], len(ids)-i)
			logits, err := d.Prefill(1, ids[i:i+n])
			if n == 1 {
				d.Truncate(1, i)
				logits, err = d.Step([]int{1}, ids[i:i+1])
			}
			if err != nil {
				t.Fatal(err)
			}
			i += n
			if !slices.Equal(logits, all[(i-1)*c.Vocab:i*c.Vocab]) {
				t.Errorf("%s: token %d has other bits", name, i-1)
			}
		}
	}
}

// One text's ids are the same alone, in a batch with others that come and go, and on any number of threads.
func TestSameTextAloneOrInBatch(t *testing.T) {
	c := testConfigs()["grouped"]
	c.Vocab, c.Dim, c.FFN, c.HeadDim = 200, 40, 72, 10
	m := testModel(t, c, 5)
	requests := make([]Request, 7)
	for i := range requests {
		requests[i] = Request{Prompt: []int32{int32(i), 3, int32(2 * i)}[:1+i%3], MaxTokens: 20 + 5*i, Sampling: Sampling{Temperature: .9, TopP: .95, TopK: 50, Seed: uint64(i)}}
	}
	for _, name := range kernel.Names() {
		var want [][]int32
		for _, threads := range []int{1, 3} {
			p := testPool(t, threads, name)
			one, many := testDecoder(t, m, p, 1), testDecoder(t, m, p, len(requests))
			for i, r := range requests {
				ids := generated(t, one, r, nil)
				if threads == 1 {
					want = append(want, ids)
				} else if !slices.Equal(ids, want[i]) {
					t.Errorf("%s: request %d: other ids on %d threads", name, i, threads)
				}
			}
			for i, ids := range inBatch(t, many, requests) {
				if !slices.Equal(ids, want[i]) {
					t.Errorf("%s: request %d: in a batch\n     %v\nalone %v", name, i, ids, want[i])
				}
			}
		}
	}
}

func generated(t testing.TB, d *Decoder, r Request, text Detokenizer) (ids []int32) {
	t.Helper()
	if err := d.Generate(context.Background(), 0, r, text, func(k Token) bool { ids = append(ids, k.ID); return true }); err != nil {
		t.Fatal(err)
	}
	return ids
}

// inBatch runs all requests at once; each begins one step after the one before.
func inBatch(t *testing.T, d *Decoder, requests []Request) [][]int32 {
	t.Helper()
	ids := make([][]int32, len(requests))
	texts := make([]*Generation, len(requests))
	next := map[int]int32{}
	for step := 0; step < len(requests) || len(next) > 0; step++ {
		var slots []int
		var feed []int32
		for s := range requests {
			if id, ok := next[s]; ok {
				slots, feed = append(slots, s), append(feed, id)
			}
		}
		take := func(s int, logits []float32) {
			k := texts[s].Next(logits)
			ids[s] = append(ids[s], k.ID)
			next[s] = k.ID
			if k.Finish != "" {
				delete(next, s)
			}
		}
		if len(slots) > 0 {
			logits, err := d.Step(slots, feed)
			if err != nil {
				t.Fatal(err)
			}
			for i, s := range slots {
				take(s, logits[i*d.config.Vocab:(i+1)*d.config.Vocab])
			}
		}
		if step < len(requests) {
			r := requests[step]
			g, err := NewGeneration(r, d.Context()-len(r.Prompt), nil)
			if err != nil {
				t.Fatal(err)
			}
			texts[step] = g
			logits, err := d.Prefill(step, r.Prompt)
			if err != nil {
				t.Fatal(err)
			}
			take(step, logits)
		}
	}
	return ids
}

func TestFullContextEndsCleanly(t *testing.T) {
	c := testConfigs()["llama"]
	c.Context = 10
	d := testDecoder(t, testModel(t, c, 1), testPool(t, 1, ""), 1)
	for _, prompt := range []int{1, 9, 10} {
		var last Token
		n := 0
		err := d.Generate(context.Background(), 0, Request{Prompt: make([]int32, prompt)}, nil, func(k Token) bool { last = k; n++; return true })
		if err != nil || last.Finish != FinishLength || n != 11-prompt {
			t.Errorf("prompt of %d: %d tokens, finish %q, error %v", prompt, n, last.Finish, err)
		}
	}
	err := d.Generate(context.Background(), 0, Request{Prompt: make([]int32, 11)}, nil, func(Token) bool { return true })
	if !errors.Is(err, ErrFull) {
		t.Errorf("prompt of 11: error %v", err)
	}
	if d.Reset(0); d.Len(0) != 0 {
		t.Error("reset leaves tokens")
	}
	if _, err := d.Prefill(0, make([]int32, 10)); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Step([]int{0}, []int32{1}); !errors.Is(err, ErrFull) || d.Len(0) != 10 {
		t.Errorf("step on a full slot: error %v, %d tokens", err, d.Len(0))
	}
	d.Reset(0)
	for want, call := range map[string]func() error{
		"slot 5 of 1":       func() error { _, err := d.Prefill(5, []int32{1}); return err },
		"id 23 is outside":  func() error { _, err := d.Prefill(0, []int32{23}); return err },
		"slot 0 twice":      func() error { _, err := d.Step([]int{0, 0}, []int32{1, 1}); return err },
		"no tokens":         func() error { _, err := d.PrefillAll(0, nil); return err },
		"2 ids for 1 slots": func() error { _, err := d.Step([]int{0}, []int32{1, 2}); return err },
	} {
		if err := call(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
}
