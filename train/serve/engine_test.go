package serve

import (
	"context"
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"winnow/train/bpe"
	"winnow/train/chat"
	"winnow/train/llm"
)

const sample = "The quick brown fox jumps over the lazy dog. 今天天气很好，我们去公园散步。 The dog sleeps, and the fox is quick again.\n"

// small is a model with random weights: what it writes is noise, which is what tests of bookkeeping want.
func small(t testing.TB, context int) (*llm.Model, *bpe.Tokenizer) {
	t.Helper()
	tok, err := bpe.Train(slices.Values([]string{sample, sample}), bpe.TrainOptions{Vocab: 320, Splitter: "gpt-2"})
	if err != nil {
		t.Fatal(err)
	}
	m, err := llm.New(llm.Config{Vocab: tok.Size(), Context: context, Dim: 32, FFN: 96, Layers: 2, Heads: 4, KVHeads: 2, HeadDim: 8,
		NormEps: 1e-5, RopeTheta: 10000}, 7)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range m.Params() { // larger weights than training begins with, so that likely tokens stand out
		if p.Decay {
			for i := range p.Value {
				p.Value[i] *= 8
			}
		}
	}
	return m, tok
}

func engine(t testing.TB, o Options, context int) *Engine {
	t.Helper()
	m, tok := small(t, context)
	pool, err := llm.NewPool(2, "")
	if err != nil {
		t.Fatal(err)
	}
	e, err := NewEngine(m, tok, pool, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close(); pool.Close() })
	return e
}

// told is all that a text of a job said.
type told struct {
	Text   string
	Tokens []Token
	Count  int
	Finish llm.Finish
	Err    error
}

func collect(j *Job, n int) []told {
	out := make([]told, n)
	for {
		e, ok := j.Next()
		if !ok {
			return out
		}
		o := &out[e.Index]
		o.Text += e.Text
		o.Tokens = append(o.Tokens, e.Tokens...)
		o.Count, o.Finish, o.Err = e.Count, e.Finish, e.Err
	}
}

func ask(t testing.TB, e *Engine, r ...Request) []told {
	t.Helper()
	j, err := e.Submit(context.Background(), r...)
	if err != nil {
		t.Fatal(err)
	}
	out := collect(j, len(r))
	for _, o := range out {
		if o.Err != nil {
			t.Fatal(o.Err)
		}
	}
	return out
}

func mixed(e *Engine, n int) (out []Request) {
	for i := range n {
		r := Request{Prompt: Text(e.Tokenizer(), strings.Repeat(sample, 1+i%3)[i%7:]), MaxTokens: 5 + 9*(i%4), Logprobs: 3,
			Sampling: llm.Sampling{Temperature: float64(i%3) / 2, TopP: 1 - .1*float64(i%2), TopK: 40 * (i % 2), MinP: .01 * float64(i%3), Seed: uint64(i)}}
		if i%5 == 0 {
			r.Logprobs, r.Echo = -1, true
		}
		if i%4 == 1 {
			r.Stop = []string{"e", "天"}
		}
		out = append(out, r)
	}
	return out
}

// TestTheSameAloneAndTogether holds texts, tokens and log-probabilities to the same bits, whoever else is in the slots.
func TestTheSameAloneAndTogether(t *testing.T) {
	alone, together := engine(t, Options{Slots: 1}, 512), engine(t, Options{Slots: 5}, 512)
	requests := mixed(alone, 24)
	var want []told
	for _, r := range requests {
		want = append(want, ask(t, alone, r)...)
	}
	got := make([]told, len(requests))
	var wait sync.WaitGroup
	for i, r := range requests {
		wait.Go(func() {
			time.Sleep(time.Duration(i%6) * time.Millisecond)
			got[i] = ask(t, together, r)[0]
		})
	}
	wait.Wait()
	texts := map[string]bool{}
	for i := range want {
		texts[want[i].Text] = true
		if !reflect.DeepEqual(got[i], want[i]) {
			t.Errorf("request %d: together %q %v, alone %q %v", i, got[i].Text, got[i].Finish, want[i].Text, want[i].Finish)
		}
	}
	if len(texts) < 20 {
		t.Errorf("only %d different texts: the comparison shows little", len(texts))
	}
	if n := together.Load(); n != 0 {
		t.Errorf("load %d when all is done", n)
	}
}

func TestContextFillsUp(t *testing.T) {
	e := engine(t, Options{Slots: 2}, 32)
	prompt := Text(e.Tokenizer(), sample)[:20]
	for _, most := range []int{-1, 1000, 13, 12, 1} {
		o := ask(t, e, Request{Prompt: prompt, MaxTokens: most, Logprobs: -1, Sampling: llm.Sampling{Temperature: 1}})[0]
		want := 13 // places 20 to 31 are fed back, the last token is not
		if most > 0 {
			want = min(want, most)
		}
		if o.Finish != llm.FinishLength || o.Count != want {
			t.Errorf("max_tokens %d: %d tokens, %s; want %d, length", most, o.Count, o.Finish, want)
		}
	}
	full := append(slices.Clone(prompt), prompt[:12]...)
	if o := ask(t, e, Request{Prompt: full, MaxTokens: -1, Logprobs: -1})[0]; o.Count != 1 || o.Finish != llm.FinishLength {
		t.Errorf("a prompt that fills the context: %+v", o)
	}
	var p *PromptError
	for _, bad := range [][]int32{append(full, 5), nil, {1 << 20}, {-1}} {
		if _, err := e.Submit(context.Background(), Request{Prompt: bad}); !errors.As(err, &p) {
			t.Errorf("%d tokens: %v", len(bad), err)
		}
	}
	if _, err := e.Submit(context.Background(), Request{Prompt: prompt, Sampling: llm.Sampling{Temperature: -1}}); err == nil {
		t.Error("a temperature below 0")
	}
}

func TestStops(t *testing.T) {
	e := engine(t, Options{Slots: 4}, 256)
	r := Request{Prompt: Text(e.Tokenizer(), sample), MaxTokens: 60, Sampling: llm.Sampling{Temperature: 1, Seed: 3}}
	free := ask(t, e, r)[0]
	if free.Count != 60 || len(free.Tokens) != 60 {
		t.Fatalf("%d tokens, %d told", free.Count, len(free.Tokens))
	}
	runes := []rune(free.Text)
	for at := 5; at+3 < len(runes); at += 7 {
		r := r
		stop := string(runes[at : at+3])
		r.Stop = []string{"never written", stop + "x", stop}
		o := ask(t, e, r)[0]
		want, _, _ := strings.Cut(free.Text, stop)
		if long, _, found := strings.Cut(free.Text, stop+"x"); found {
			want = want[:min(len(want), len(long))]
		}
		if o.Text != want || o.Finish != llm.FinishStop {
			t.Errorf("stop %q: %q, want %q", stop, o.Text, want)
		}
		for i, token := range o.Tokens {
			if !reflect.DeepEqual(token, free.Tokens[i]) {
				t.Errorf("stop %q: token %d is another", stop, i)
			}
		}
	}
	r.StopIDs = []int32{free.Tokens[10].ID}
	first := slices.IndexFunc(free.Tokens, func(t Token) bool { return t.ID == r.StopIDs[0] })
	if o := ask(t, e, r)[0]; o.Count != first || o.Finish != llm.FinishStop || len(o.Tokens) != first {
		t.Errorf("stop token: %d tokens, %s; want %d", o.Count, o.Finish, first)
	}
}

// TestEchoFindsTheSameProbabilities asks for a text's log-probabilities while it is made and again as a prompt.
func TestEchoFindsTheSameProbabilities(t *testing.T) {
	e := engine(t, Options{Slots: 2}, 512)
	prompt := Text(e.Tokenizer(), sample)
	made := ask(t, e, Request{Prompt: prompt, MaxTokens: 150, Logprobs: 2, Sampling: llm.Sampling{Temperature: 1, Seed: 1}})[0]
	all := slices.Clone(prompt)
	for _, token := range made.Tokens {
		all = append(all, token.ID)
	}
	o := ask(t, e, Request{Prompt: all, Echo: true, Logprobs: 2})[0]
	if o.Count != 0 || o.Finish != llm.FinishLength || len(o.Tokens) != len(all) || !o.Tokens[0].First {
		t.Fatalf("echo: %d of %d tokens, %s", len(o.Tokens), len(all), o.Finish)
	}
	for i, token := range made.Tokens {
		again := o.Tokens[len(prompt)+i]
		if again.ID != token.ID || math.Abs(again.Logprob-token.Logprob) > 1e-4 || len(again.Top) != 2 {
			t.Fatalf("token %d: %+v, when it was made %+v", i, again, token)
		}
		if again.Top[0].Logprob < again.Top[1].Logprob || again.Logprob > again.Top[0].Logprob {
			t.Errorf("token %d: candidates are not the best: %+v", i, again)
		}
	}
}

func TestGoneClientsFreeTheirSlots(t *testing.T) {
	e := engine(t, Options{Slots: 2, Queue: 3}, 4096)
	ctx, cancel := context.WithCancel(context.Background())
	long := Request{Prompt: Text(e.Tokenizer(), "a"), MaxTokens: -1, Logprobs: -1}
	j, err := e.Submit(ctx, long, long, long, long, long)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := e.Submit(ctx, long); !errors.Is(err, ErrBusy) {
		t.Errorf("a sixth text: %v", err)
	}
	cancel()
	for i, o := range collect(j, 5) {
		if o.Err == nil && o.Finish == "" || o.Err != nil && !errors.Is(o.Err, context.Canceled) {
			t.Errorf("text %d: %+v", i, o)
		}
	}
	if o := ask(t, e, Request{Prompt: long.Prompt, MaxTokens: 3, Logprobs: -1})[0]; o.Finish == "" {
		t.Error("nothing goes on after a client is gone")
	}
}

func TestCloseEndsAll(t *testing.T) {
	e := engine(t, Options{Slots: 1, Queue: 4}, 4096)
	long := Request{Prompt: Text(e.Tokenizer(), "a"), MaxTokens: -1, Logprobs: -1}
	j, err := e.Submit(context.Background(), long, long, long)
	if err != nil {
		t.Fatal(err)
	}
	e.Close()
	closed := 0
	for _, o := range collect(j, 3) {
		if errors.Is(o.Err, ErrClosed) {
			closed++
		}
	}
	if closed < 2 {
		t.Errorf("%d of 3 texts were ended", closed)
	}
	if _, err := e.Submit(context.Background(), long); !errors.Is(err, ErrClosed) {
		t.Errorf("a closed engine took a text: %v", err)
	}
}

func TestOptions(t *testing.T) {
	m, tok := small(t, 64)
	pool, err := llm.NewPool(1, "")
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	for _, o := range []Options{{Slots: -1}, {Queue: -1}, {Context: 1}, {Context: 65}} {
		if e, err := NewEngine(m, tok, pool, o); err == nil {
			e.Close()
			t.Errorf("%+v was taken", o)
		}
	}
}

func TestLargest(t *testing.T) {
	v := []float32{1, 5, 3, 5, 2, float32(math.Inf(-1))}
	for n, want := range map[int][]int32{0: nil, 1: {1}, 2: {1, 3}, 3: {1, 3, 2}, 6: {1, 3, 2, 4, 0, 5}, 9: {1, 3, 2, 4, 0, 5}} {
		if got := largest(v, n); !slices.Equal(got, want) {
			t.Errorf("%d: %v, want %v", n, got, want)
		}
	}
}

func TestPlainTemplate(t *testing.T) {
	_, tok := small(t, 64)
	p, err := chat.Lines{}.Prompt(tok, []Message{{Role: "system", Content: "Be kind."}, {Role: "user", Content: " Hi "}, {Role: "assistant", Content: "Hello"}, {Role: "user", Content: "你好"}})
	if err != nil {
		t.Fatal(err)
	}
	if got := string(tok.Decode(p.IDs[1:])); p.IDs[0] != tok.BOS() || got != "System: Be kind.\nUser: Hi\nAI: Hello\nUser: 你好\nAI:" {
		t.Errorf("%q", got)
	}
	for _, bad := range [][]Message{nil, {{Role: "judge", Content: "x"}}} {
		if _, err := (chat.Lines{}).Prompt(tok, bad); err == nil {
			t.Errorf("%v was taken", bad)
		}
	}
}

func BenchmarkEngine(b *testing.B) {
	for _, n := range []int{1, 8} {
		b.Run(fmt.Sprintf("streams=%d", n), func(b *testing.B) {
			e := engine(b, Options{Slots: 8}, 256)
			var r []Request
			for i := range n {
				r = append(r, Request{Prompt: Text(e.Tokenizer(), sample), MaxTokens: 100, Logprobs: -1, Sampling: llm.Sampling{Temperature: 1, Seed: uint64(i)}})
			}
			tokens := 0
			for b.Loop() {
				for _, o := range ask(b, e, r...) {
					tokens += o.Count
				}
			}
			b.ReportMetric(float64(tokens)/b.Elapsed().Seconds(), "tokens/s")
		})
	}
}
