package prefer

import (
	"testing"

	"winnow/train/llm"
	"winnow/train/loss"
	"winnow/train/tune"
	"winnow/train/tune/tunetest"
)

// benchRun is a run on a model of 1 million parameters with a step of 8 pairs of about 100 positions.
func benchRun(b *testing.B) (*tune.Run, []*duo) {
	b.Helper()
	pool := tunetest.Pool(b)
	m := must[*llm.Model](b)(llm.New(llm.Config{Vocab: 1024, Context: 256, Dim: 128, FFN: 352, Layers: 4, Heads: 4, KVHeads: 4, HeadDim: 32, NormEps: 1e-5, RopeTheta: 1e4}, 1))
	var step []*duo
	for i := range 8 {
		d := &duo{}
		for k, to := range []**answer{&d.chosen, &d.rejected} {
			ids := make([]int32, 90+10*k+i)
			for j := range ids {
				ids[j] = int32(i*131+j*17+k) % 1024
			}
			*to = newAnswer(sequence(ids, 40), uint64(i))
		}
		step = append(step, d)
	}
	return &tune.Run{Model: m, Trainer: llm.NewTrainer(m, pool), Options: tune.Options{Pool: pool}}, step
}

// speed reports positions a second.
func speed(b *testing.B, step []*duo) {
	b.ReportMetric(float64(positions(step))*float64(b.N)/b.Elapsed().Seconds(), "positions/s")
}

// BenchmarkDPOStep is a step's losses and gradients.
func BenchmarkDPOStep(b *testing.B) {
	r, step := benchRun(b)
	p, err := loss.PreferenceNamed("sigmoid")
	if err != nil {
		b.Fatal(err)
	}
	c := DPOConfig{PairOptions: p.Defaults}
	defer speed(b, step)
	for b.Loop() {
		if _, err := c.learn(r, p, step); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkPlainStep is the trainer's own step on the same positions, to compare with.
func BenchmarkPlainStep(b *testing.B) {
	r, step := benchRun(b)
	var l lot
	l.fill(step)
	defer speed(b, step)
	for b.Loop() {
		if _, err := r.Trainer.Accumulate(&l.Batch, .01); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkScore is a Scorer's.
func BenchmarkScore(b *testing.B) {
	r, step := benchRun(b)
	s := &Scorer{model: r.Model, head: llm.NewHead(r.Model.Config, 1), trainer: r.Trainer}
	var ids [][]int32
	for _, a := range answersOf(step) {
		ids = append(ids, a.IDs)
	}
	defer speed(b, step)
	for b.Loop() {
		if _, err := s.ScoreIDs(ids); err != nil {
			b.Fatal(err)
		}
	}
}
