package sft

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"winnow/train"
	"winnow/train/bpe"
	"winnow/train/chat"
	"winnow/train/llm"
	"winnow/train/rows"
)

func TestNormal(t *testing.T) {
	for _, c := range [][2]string{{" The Paris.", "paris"}, {"an  Apple, a day", "apple day"}, {"巴黎。", "巴黎"}, {"１９８４ 年", "1984年"}, {"É", "é"}, {"the", ""}, {"don't", "don t"}} {
		if got := normal(c[0]); got != c[1] {
			t.Errorf("%q: %q, want %q", c[0], got, c[1])
		}
	}
}

// TestClassOf is table 1 of arXiv 2405.05904.
func TestClassOf(t *testing.T) {
	for _, c := range []struct {
		greedy, tries, sampled int
		want                   Class
	}{{10, 10, 0, Highly}, {10, 10, 160, Highly}, {9, 10, 160, Maybe}, {1, 10, 0, Maybe}, {0, 10, 1, Weakly}, {0, 10, 0, Unknown}, {0, 0, 0, Unknown}} {
		if got := classOf(c.greedy, c.tries, c.sampled); got != c.want {
			t.Errorf("%+v: %s", c, got)
		}
	}
}

func TestQuestions(t *testing.T) {
	talk := func(messages ...chat.Message) *chat.Conversation { return &chat.Conversation{Messages: messages} }
	user, answer := chat.Message{Role: chat.User, Content: "who?"}, chat.Message{Role: chat.Assistant, Content: "me"}
	tok, err := bpe.Train(slices.Values([]string{"who me"}), bpe.TrainOptions{Vocab: bpe.MinVocab})
	if err != nil {
		t.Fatal(err)
	}
	long, lines, marks := answer, answer, answer
	long.Content, lines.Content, marks.Content = strings.Repeat("long ", 20), "a\nb", "..."
	list := Asking().Questions([]*chat.Conversation{talk(user, answer), talk(user, answer, user, answer), talk(user, long), talk(user, lines), talk(user, marks), talk(answer)}, tok)
	if len(list) != 1 || list[0].Answer != "me" {
		t.Errorf("%+v", list)
	}
}

// TestKnows trains a model on answered questions of which some are never shown: it knows those that were, and none of the others. Asked
// twice, and by another number of slots, it says the same.
func TestKnows(t *testing.T) {
	if testing.Short() {
		t.Skip("trains a model")
	}
	rng := rand.New(rand.NewPCG(1, 2))
	var known, never []QA
	names, answers := []string{"ada", "bob", "cyd", "dan", "eve", "fay", "gus", "hal"}, []string{"red", "blue", "tin", "oak", "sand", "wool", "milk", "salt"}
	for i := range names {
		known = append(known, QA{"known " + names[i], "What has " + names[i] + "?", answers[i]})
		never = append(never, QA{"never " + names[i], "What seeks " + names[i] + "?", "zinc " + answers[(i+3)%len(answers)]})
	}
	document := func(n int) string {
		var b strings.Builder
		for range n {
			q := known[rng.IntN(len(known))]
			b.WriteString(written(q.Question) + " " + q.Answer + "\n\n")
		}
		return b.String()
	}
	tok, err := bpe.Train(slices.Values([]string{document(300), "zinc seeks"}), bpe.TrainOptions{Vocab: 330})
	if err != nil {
		t.Fatal(err)
	}
	const length = 96
	sequences := &rows.Sequences{}
	for i := range 200 {
		ids := tok.Encode([]int32{tok.BOS()}, document(8))
		ids = ids[:min(len(ids), length)]
		targets := make([]bool, len(ids))
		for k := 1; k < len(ids); k++ {
			targets[k] = true
		}
		if err := sequences.Add(fmt.Sprint(i), "", ids, targets); err != nil {
			t.Fatal(err)
		}
	}
	packed, err := rows.NewMasked(sequences, nil, rows.Options{Len: length, PAD: tok.PAD()})
	if err != nil {
		t.Fatal(err)
	}
	pool, err := llm.NewPool(1, "")
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	l, err := train.Run(context.Background(), train.Setup{Model: llm.Config{Vocab: tok.Size(), Context: length, Dim: 48, FFN: 96, Layers: 2, Heads: 3, KVHeads: 3, HeadDim: 16, NormEps: 1e-5, RopeTheta: 10000},
		Seed: 1, Rows: packed, Len: length, Batch: 4, Schedule: train.Schedule{Shape: "cosine", Peak: 6e-3, Warmup: 10, Steps: 220}, Clip: 1, Pool: pool}, nil)
	if err != nil {
		t.Fatal(err)
	}
	k := Asking()
	k.Shots, k.Prompts, k.Samples, k.Slots = 2, 3, 4, 5
	all := append(slices.Clone(known), never...)
	found, err := k.Ask(context.Background(), l.Params, tok, pool, all)
	if err != nil {
		t.Fatal(err)
	}
	right := 0
	for _, f := range found {
		if strings.HasPrefix(f.ID, "never") && f.Class != Unknown || f.Greedy.N != 3 || f.Sampled.N != 12 {
			t.Errorf("%+v", f)
		}
		if f.Class == Highly || f.Class == Maybe {
			right++
		}
	}
	if right < len(known)-2 {
		t.Errorf("%d of %d are known: %+v", right, len(known), found)
	}
	if s := Shares(found); len(s) != 4 || s[3].Rate.Hits < len(never) || s[3].Rate.N != len(all) || s[3].Rate.Low >= s[3].Rate.Rate {
		t.Errorf("%+v", s)
	}
	k.Slots = 1
	again, err := k.Ask(context.Background(), l.Params, tok, pool, all)
	if err != nil || !slices.Equal(found, again) {
		t.Errorf("by one slot: %v, %+v, not %+v", err, again, found)
	}
}
