package llm

import (
	"fmt"
	"syscall"
	"testing"
	"time"

	"winnow/train/internal/kernel"
)

// cpuTime is the processor time of this process so far: what a busy machine does not change.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func uniformBatch(c Config, rows, length int) *Batch {
	b := testBatch(c, rows, length, 1)
	for i := range b.Pos {
		b.Pos[i] = int32(i % length)
		if b.Targets[i] < 0 {
			b.Targets[i] = 0
		}
	}
	return b
}

// BenchmarkStep is forward, backward, norm and AdamW on full rows: tokens per CPU-second, and the share of the multiply-add
// peak that the same run measured, counting the model's useful operations.
func BenchmarkStep(b *testing.B) {
	for _, s := range []struct {
		name       string
		c          Config
		rows, size int
	}{
		{"d256", Config{Vocab: 4096, Context: 256, Dim: 256, FFN: 688, Layers: 4, Heads: 4, KVHeads: 4, HeadDim: 64, NormEps: 1e-5, RopeTheta: 1e4}, 8, 256},
		{"demo", Config{Vocab: 1024, Context: 64, Dim: 96, FFN: 256, Layers: 3, Heads: 4, KVHeads: 4, HeadDim: 24, NormEps: 1e-5, RopeTheta: 1e4, Tied: true}, 32, 64},
	} {
		for _, name := range kernel.Names() {
			for _, threads := range []int{1, 2} {
				b.Run(fmt.Sprintf("%s/%s/%d", s.name, name, threads), func(b *testing.B) {
					m, err := New(s.c, 1)
					if err != nil {
						b.Fatal(err)
					}
					p := testPool(b, threads, name)
					tr, o, batch := NewTrainer(m, p), &AdamW{Beta1: .9, Beta2: .95, Eps: 1e-8, WeightDecay: .1}, uniformBatch(s.c, s.rows, s.size)
					params := m.Params()
					step := func(i int) {
						mustAccumulate(b, tr, batch, 1/float32(s.rows*s.size))
						o.Step(p, params, i, 1e-4, float32(min(1, 1/GradNorm(p, params))))
					}
					step(1)
					start := cpuTime()
					b.ReportAllocs()
					for i := 0; b.Loop(); i++ {
						step(i + 2)
					}
					tokens := float64(b.N * s.rows * s.size)
					seconds := (cpuTime() - start).Seconds()
					b.ReportMetric(tokens/seconds, "tok/cpu-s")
					b.ReportMetric(100*tokens*s.c.FLOPsPerToken(s.size)/seconds/p.Peak()/1e9, "%peak")
					b.ReportMetric(float64(4*tr.arena.peak)/(1<<20), "arena-MB")
				})
			}
		}
	}
}

// BenchmarkDecode is single steps in a half-full context: tokens per second, and for one stream the share of what reading
// every weight once per token at the measured bandwidth allows.
func BenchmarkDecode(b *testing.B) {
	for _, s := range []struct {
		name string
		c    Config
	}{
		{"d512", Config{Vocab: 8192, Context: 512, Dim: 512, FFN: 1376, Layers: 8, Heads: 8, KVHeads: 8, HeadDim: 64, NormEps: 1e-5, RopeTheta: 1e4}},
		{"135M", Config{Vocab: 49152, Context: 512, Dim: 576, FFN: 1536, Layers: 30, Heads: 9, KVHeads: 3, HeadDim: 64, NormEps: 1e-5, RopeTheta: 1e4, Tied: true}},
	} {
		m, err := New(s.c, 1)
		if err != nil {
			b.Fatal(err)
		}
		for _, threads := range []int{1, 2} {
			p := testPool(b, threads, "")
			for _, streams := range []int{1, 8} {
				b.Run(fmt.Sprintf("%s/%d streams/%d", s.name, streams, threads), func(b *testing.B) {
					d, err := NewDecoder(m, p, streams, 0)
					if err != nil {
						b.Fatal(err)
					}
					slots, ids := make([]int, streams), make([]int32, streams)
					for i := range slots {
						slots[i], ids[i] = i, int32(i)
						if _, err := d.Prefill(i, make([]int32, 200)); err != nil {
							b.Fatal(err)
						}
					}
					start := cpuTime()
					for b.Loop() {
						for _, slot := range slots {
							if d.Len(slot) == d.Context() {
								d.Truncate(slot, 200)
							}
						}
						if _, err := d.Step(slots, ids); err != nil {
							b.Fatal(err)
						}
					}
					seconds := b.Elapsed().Seconds()
					b.ReportMetric(float64(b.N*streams)/seconds, "tok/s")
					b.ReportMetric(float64(b.N*streams)/(cpuTime()-start).Seconds(), "tok/cpu-s")
					if streams == 1 {
						bytes := 4 * float64(s.c.MatmulParams())
						b.ReportMetric(100*bytes*float64(b.N)/seconds/1e9/p.Bandwidth(), "%bandwidth")
					}
				})
			}
		}
	}
}
