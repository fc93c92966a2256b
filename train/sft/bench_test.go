//go:build unix

package sft_test

import (
	"context"
	"math/rand/v2"
	"slices"
	"strings"
	"syscall"
	"testing"

	"winnow/train"
	"winnow/train/bpe"
	"winnow/train/chat"
	"winnow/train/checkpoint"
	"winnow/train/llm"
	"winnow/train/rows"
	"winnow/train/sft"
	"winnow/train/tune"
)

// processor is the CPU time of this process, in seconds.
func processor() float64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return float64(u.Utime.Sec+u.Stime.Sec) + float64(u.Utime.Usec+u.Stime.Usec)/1e6
}

// everything is rows of whole sequences of which every token is learnt, as pretraining has them.
type everything struct{ *rows.Masked }

func (e everything) Fill(first int64, ids, targets, pos []int32) error {
	if err := e.Masked.Fill(first, ids, targets, pos); err != nil {
		return err
	}
	for i := range ids[:len(ids)-1] {
		if pos[i+1] == pos[i]+1 {
			targets[i] = ids[i+1]
		}
	}
	return nil
}

// BenchmarkAgainstPretraining trains the preset of depth 4 on the same rows by train.Loop, which counts every token, and by Run, which
// counts answers: positions for each second of processor time, and the ratio. Journals and clipping are in both, validations in none.
func BenchmarkAgainstPretraining(b *testing.B) {
	const steps = 12
	parent, talks := bigParent(b)
	_, tok, info, err := checkpoint.LoadModel(parent)
	if err != nil {
		b.Fatal(err)
	}
	template, err := chat.Of(info, tok)
	if err != nil {
		b.Fatal(err)
	}
	pool, err := llm.NewPool(2, "")
	if err != nil {
		b.Fatal(err)
	}
	defer pool.Close()
	preset, err := train.Depth(4)
	if err != nil {
		b.Fatal(err)
	}
	sequences, _, err := chat.Prepare(template, func(yield func(*chat.Conversation, error) bool) {
		for _, c := range talks {
			if !yield(c, nil) {
				return
			}
		}
	}, chat.PrepareOptions{Len: preset.Context, Cut: chat.CutAnswer, MostCut: 1, MostDropped: 1})
	if err != nil {
		b.Fatal(err)
	}
	var base, tuned []float64
	for range b.N {
		packed, err := rows.NewMasked(sequences, nil, rows.Options{Len: preset.Context, Seed: 1, PAD: tok.PAD()})
		if err != nil {
			b.Fatal(err)
		}
		var from, to float64
		_, err = train.Run(context.Background(), train.Setup{Model: preset.Config(tok.Size()), Seed: 1, Rows: everything{packed}, Len: preset.Context, Batch: preset.Rows,
			Schedule: train.Schedule{Shape: "cosine", Peak: 1e-3, Steps: steps + 2}, Clip: 1, Pool: pool}, func(l *train.Loop, m train.Metric) error {
			if m.Step == 2 {
				from = processor()
			}
			to = processor()
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
		base = append(base, to-from)
		o := sft.Options{Options: tune.Options{Settings: tune.Defaults(), Out: b.TempDir(), Parent: parent, Pool: pool, Save: 1000}, Config: sft.Usual(),
			Train: sft.Data{Name: "talks", Talks: talks}}
		o.Steps, o.Rate, o.Eval, o.Batch, o.Len, o.Holdout, o.Cut, o.MostCut = steps+2, 1e-3, 1000, preset.Rows, preset.Context, 0, chat.CutAnswer, 1
		o.Tell = func(e tune.Event) {
			if e.Type != "step" {
				return
			}
			if e.Metric.Step == 2 {
				from = processor()
			}
			to = processor()
		}
		if _, err := sft.Run(context.Background(), o); err != nil {
			b.Fatal(err)
		}
		tuned = append(tuned, to-from)
	}
	slices.Sort(base)
	slices.Sort(tuned)
	positions := float64(steps * preset.Rows * preset.Context)
	b.ReportMetric(positions/base[len(base)/2], "pretraining-positions/cpu-s")
	b.ReportMetric(positions/tuned[len(tuned)/2], "sft-positions/cpu-s")
	b.ReportMetric(base[len(base)/2]/tuned[len(tuned)/2], "sft/pretraining")
}

// bigParent is a model of depth 4 with random weights, and conversations as long as people's.
func bigParent(b *testing.B) (string, []*chat.Conversation) {
	rng := rand.New(rand.NewPCG(1, 2))
	var words []string
	for range 2000 {
		var w strings.Builder
		for range 2 + rng.IntN(6) {
			w.WriteByte(byte('a' + rng.IntN(26)))
		}
		words = append(words, w.String())
	}
	text := func(n int) string {
		var out []string
		for range n {
			out = append(out, words[min(rng.IntN(2000), rng.IntN(2000))])
		}
		return strings.Join(out, " ")
	}
	var talks []*chat.Conversation
	var all []string
	for i := range 200 {
		c := &chat.Conversation{Place: chat.Place{File: "talks", Row: int64(i)}, Messages: []chat.Message{{Role: chat.User, Content: text(5 + rng.IntN(20))}, {Role: chat.Assistant, Content: text(10 + rng.IntN(60))}}}
		talks = append(talks, c)
		all = append(all, c.Messages[0].Content, c.Messages[1].Content)
	}
	tok, err := bpe.Train(slices.Values(all), bpe.TrainOptions{Vocab: 2048})
	if err != nil {
		b.Fatal(err)
	}
	preset, err := train.Depth(4)
	if err != nil {
		b.Fatal(err)
	}
	m, err := llm.New(preset.Config(tok.Size()), 1)
	if err != nil {
		b.Fatal(err)
	}
	template, err := chat.New("chatml", tok)
	if err != nil {
		b.Fatal(err)
	}
	info := &checkpoint.Info{Kind: checkpoint.KindBase}
	template.Stamp(info)
	dir := b.TempDir()
	if err := checkpoint.SaveModel(dir, m, tok, info); err != nil {
		b.Fatal(err)
	}
	return dir, talks
}
