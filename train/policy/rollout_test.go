package policy_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"testing"

	"winnow/train/checkpoint"
	"winnow/train/llm"
	"winnow/train/policy"
	"winnow/train/tune/tunetest"
)

func asks(n, samples int) (list []policy.Ask) {
	for i := range n {
		prompt := []int32{5, 6}
		for k := range i % 7 {
			prompt = append(prompt, int32(10+i+k))
		}
		for k := range samples {
			list = append(list, policy.Ask{Prompt: prompt, Stop: []int32{3, 4}, Most: 1 + (i*3+k)%14, Seed: uint64(i*100 + k)})
		}
	}
	return list
}

// TestSlotsMakeNoDifference: the same answers from one slot, from many, from more threads, and by llm's own Generate.
func TestSlotsMakeNoDifference(t *testing.T) {
	m, _, _, err := checkpoint.LoadModel(parent)
	if err != nil {
		t.Fatal(err)
	}
	list := asks(11, 5)
	var want []policy.Written
	for _, c := range []struct{ slots, threads int }{{1, 1}, {3, 1}, {16, 2}, {80, 3}} {
		pool, err := llm.NewPool(c.threads, "")
		if err != nil {
			t.Fatal(err)
		}
		w, err := policy.NewWriter(m, pool, c.slots, 0)
		if err != nil {
			t.Fatal(err)
		}
		var got []policy.Written
		for range 2 { // a writer that is used again
			if got, err = w.Write(context.Background(), list); err != nil {
				t.Fatal(err)
			}
		}
		pool.Close()
		if want == nil {
			want = got
		} else if !reflect.DeepEqual(got, want) {
			t.Errorf("%d slots, %d threads: other answers", c.slots, c.threads)
		}
		if w.Copied == 0 {
			t.Errorf("%d slots: every prompt was read again", c.slots)
		}
	}
	d, err := llm.NewDecoder(m, tunetest.Pool(t), 1, 0)
	if err != nil {
		t.Fatal(err)
	}
	for i, a := range list {
		var ids []int32
		var finish llm.Finish
		err := d.Generate(context.Background(), 0, llm.Request{Prompt: a.Prompt, MaxTokens: a.Most, StopIDs: a.Stop, Sampling: llm.Sampling{Temperature: 1, Seed: a.Seed}}, nil,
			func(x llm.Token) bool {
				ids, finish = append(ids, x.ID), x.Finish
				return true
			})
		if err != nil || !slices.Equal(ids, want[i].IDs) || want[i].Ended != (finish == llm.FinishStop) {
			t.Fatalf("answer %d: %v (%s, %v), want %v", i, ids, finish, err, want[i])
		}
	}
}

func TestWriterRefuses(t *testing.T) {
	m, _, _, err := checkpoint.LoadModel(parent)
	if err != nil {
		t.Fatal(err)
	}
	w, err := policy.NewWriter(m, tunetest.Pool(t), 2, 20)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(context.Background(), []policy.Ask{{Prompt: slices.Repeat([]int32{5}, 15), Most: 7}}); !errors.Is(err, llm.ErrFull) {
		t.Errorf("a prompt without room: %v", err)
	}
	if _, err := w.Write(context.Background(), []policy.Ask{{Prompt: []int32{5}, Most: 0}}); err == nil {
		t.Error("an answer of no tokens")
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := w.Write(ctx, asks(3, 2)); !errors.Is(err, context.Canceled) {
		t.Errorf("ended context: %v", err)
	}
	if got, err := w.Write(context.Background(), asks(3, 2)); err != nil || len(got) != 6 {
		t.Errorf("behind an ended context: %d answers, %v", len(got), err)
	}
}

// BenchmarkWrite is 64 answers of 64 tokens, 8 to a prompt of 64 tokens, on a model of 15 million parameters.
func BenchmarkWrite(b *testing.B) {
	m, err := llm.New(llm.Config{Vocab: 8192, Context: 256, Dim: 384, FFN: 1024, Layers: 6, Heads: 6, KVHeads: 6, HeadDim: 64, NormEps: 1e-5, RopeTheta: 10000, Tied: true}, 1)
	if err != nil {
		b.Fatal(err)
	}
	pool, err := llm.NewPool(0, "")
	if err != nil {
		b.Fatal(err)
	}
	defer pool.Close()
	var list []policy.Ask
	for i := range 64 {
		list = append(list, policy.Ask{Prompt: slices.Repeat([]int32{int32(i / 8)}, 64), Most: 64, Seed: uint64(i)})
	}
	for _, slots := range []int{1, 4, 16, 64} {
		b.Run(fmt.Sprintf("slots=%d", slots), func(b *testing.B) {
			w, err := policy.NewWriter(m, pool, slots, 128)
			if err != nil {
				b.Fatal(err)
			}
			var tokens int64
			for b.Loop() {
				w.Reload()
				got, err := w.Write(context.Background(), list)
				if err != nil {
					b.Fatal(err)
				}
				tokens += policy.Tokens(got)
			}
			b.ReportMetric(float64(tokens)/b.Elapsed().Seconds(), "tokens/s")
		})
	}
}
