package llm

import (
	"fmt"
	"slices"
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

// benchShape is a training step to measure.
type benchShape struct {
	name       string
	c          Config
	rows, size int
}

func benchShapes() []benchShape {
	return []benchShape{
		{"d256", Config{Vocab: 4096, Context: 256, Dim: 256, FFN: 688, Layers: 4, Heads: 4, KVHeads: 4, HeadDim: 64, NormEps: 1e-5, RopeTheta: 1e4}, 8, 256},
		{"demo", Config{Vocab: 1024, Context: 64, Dim: 96, FFN: 256, Layers: 3, Heads: 3, KVHeads: 3, HeadDim: 32, NormEps: 1e-5, RopeTheta: 1e4}, 16, 64},
	}
}

// stepper is forward, backward, gradient norm and AdamW on one batch.
func (s benchShape) stepper(b *testing.B, p *Pool, l *LoRA) (step func(), tr *Trainer) {
	m, err := New(s.c, 1)
	if err != nil {
		b.Fatal(err)
	}
	if l != nil {
		if err := m.Adapt(*l); err != nil {
			b.Fatal(err)
		}
	}
	tr = NewTrainer(m, p)
	o, batch, params, n := &AdamW{Beta1: .9, Beta2: .95, Eps: 1e-8, WeightDecay: .1}, uniformBatch(s.c, s.rows, s.size), m.Params(), 0
	return func() {
		n++
		mustAccumulate(b, tr, batch, 1/float32(s.rows*s.size))
		o.Step(p, params, n, 1e-4, float32(min(1, 1/GradNorm(p, params))))
	}, tr
}

func median(x []float64) float64 {
	slices.Sort(x)
	return x[len(x)/2]
}

// BenchmarkStep is a training step on full rows: the median of tokens per CPU-second over steps, and the share of the
// multiply-add peak, measured between steps, that the model's useful operations make.
func BenchmarkStep(b *testing.B) {
	for _, s := range benchShapes() {
		for _, name := range kernel.Names() {
			for _, threads := range []int{1, 2} {
				b.Run(fmt.Sprintf("%s/%s/%d", s.name, name, threads), func(b *testing.B) {
					p := testPool(b, threads, name)
					step, tr := s.stepper(b, p, nil)
					step()
					tokens := float64(s.rows * s.size)
					var rates, shares []float64
					b.ReportAllocs()
					for b.Loop() {
						start := cpuTime()
						step()
						rates = append(rates, tokens/(cpuTime()-start).Seconds())
						b.StopTimer()
						shares = append(shares, 100*rates[len(rates)-1]*s.c.FLOPsPerToken(s.size)/1e9/p.PeakNow())
						b.StartTimer()
					}
					b.ReportMetric(median(rates), "tok/cpu-s")
					b.ReportMetric(rates[len(rates)-1], "best-tok/cpu-s")
					b.ReportMetric(median(shares), "%peak")
					b.ReportMetric(float64(4*tr.arena.peak)/(1<<20), "arena-MB")
					b.ReportMetric(residentMB(), "rss-MB")
				})
			}
		}
	}
}

// BenchmarkLoRA alternates full steps and steps on adapters of rank 8: how many tokens per CPU-second each does, and how many
// times the memory of moments and gradients the full step has.
func BenchmarkLoRA(b *testing.B) {
	shapes := append(benchShapes(), benchShape{"d576", Config{Vocab: 8192, Context: 256, Dim: 576, FFN: 1536, Layers: 6, Heads: 9, KVHeads: 3, HeadDim: 64, NormEps: 1e-5, RopeTheta: 1e4, Tied: true}, 4, 256})
	for _, s := range shapes {
		b.Run(s.name, func(b *testing.B) {
			p := testPool(b, 1, "")
			full, whole := s.stepper(b, p, nil)
			low, adapters := s.stepper(b, p, &LoRA{Rank: 8, Alpha: 16})
			full()
			low()
			var rates [2][]float64
			tokens := float64(s.rows * s.size)
			for b.Loop() {
				for i, step := range []func(){full, low} {
					start := cpuTime()
					step()
					rates[i] = append(rates[i], tokens/(cpuTime()-start).Seconds())
				}
			}
			b.ReportMetric(median(rates[0]), "full-tok/cpu-s")
			b.ReportMetric(median(rates[1]), "lora-tok/cpu-s")
			b.ReportMetric(median(rates[1])/median(rates[0]), "lora/full")
			b.ReportMetric(float64(trained(whole.model))/float64(trained(adapters.model)), "full/lora-moments")
		})
	}
}

func trained(m *Model) (n int) {
	for _, p := range m.Params() {
		n += len(p.Value)
	}
	return n
}

// BenchmarkThreads alternates steps of one and two threads: what the second costs in CPU time, and the share of a step that
// only one thread can do.
func BenchmarkThreads(b *testing.B) {
	for _, s := range benchShapes() {
		b.Run(s.name, func(b *testing.B) {
			var steps [2]func()
			var pools [2]*Pool
			for i := range steps {
				pools[i] = testPool(b, i+1, "")
				steps[i], _ = s.stepper(b, pools[i], nil)
				steps[i]()
			}
			var costs, walls [2][]float64
			var serial []float64
			for b.Loop() {
				for i := range steps {
					wall, start, inside := time.Now(), cpuTime(), pools[i].Busy()
					steps[i]()
					elapsed := time.Since(wall)
					costs[i], walls[i] = append(costs[i], (cpuTime()-start).Seconds()), append(walls[i], elapsed.Seconds())
					if i == 0 {
						serial = append(serial, 100*(1-(pools[i].Busy()-inside).Seconds()/elapsed.Seconds()))
					}
				}
			}
			b.ReportMetric(100*(median(costs[1])/median(costs[0])-1), "%cpu-overhead")
			b.ReportMetric(median(serial), "%serial")
			b.ReportMetric(slices.Min(walls[0])/slices.Min(walls[1]), "best-speedup")
		})
	}
}

// residentMB is the most memory this process had resident.
func residentMB() float64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return float64(u.Maxrss) / 1024
}

// readRate is how fast the pool's threads read memory that no cache holds, in bytes per CPU-second: 128 MB once.
func readRate(p *Pool, buffer []float32) float64 {
	const span = 1 << 18
	start := cpuTime()
	p.Run(len(buffer)/span, func(w *kernel.Worker, i int) { w.Max(buffer[i*span : (i+1)*span]) })
	return float64(4*len(buffer)) / (cpuTime() - start).Seconds()
}

// BenchmarkDecode is single steps in a half-full context: tokens per second, and for one stream the share of what reading
// every weight once per token allows: weight bytes per CPU-second against reading per CPU-second, medians of figures that
// alternate.
func BenchmarkDecode(b *testing.B) {
	buffer := make([]float32, 1<<25)
	for i := 0; i < len(buffer); i += 1024 {
		buffer[i] = 1
	}
	for _, s := range []benchShape{
		{name: "d512", c: Config{Vocab: 8192, Context: 512, Dim: 512, FFN: 1376, Layers: 8, Heads: 8, KVHeads: 8, HeadDim: 64, NormEps: 1e-5, RopeTheta: 1e4}},
		{name: "135M", c: Config{Vocab: 49152, Context: 512, Dim: 576, FFN: 1536, Layers: 30, Heads: 9, KVHeads: 3, HeadDim: 64, NormEps: 1e-5, RopeTheta: 1e4, Tied: true}},
	} {
		m, err := New(s.c, 1)
		if err != nil {
			b.Fatal(err)
		}
		for _, threads := range []int{1, 2} {
			p := testPool(b, threads, "")
			for _, streams := range []int{1, 8} {
				d, err := NewDecoder(m, p, streams, 0)
				if err != nil {
					b.Fatal(err)
				}
				b.Run(fmt.Sprintf("%s/%d streams/%d", s.name, streams, threads), func(b *testing.B) { benchmarkDecode(b, d, buffer) })
			}
		}
	}
}

func benchmarkDecode(b *testing.B, d *Decoder, buffer []float32) {
	streams := d.Slots()
	slots, ids := make([]int, streams), make([]int32, streams)
	for i := range slots {
		slots[i], ids[i] = i, int32(i)
		d.Reset(i)
		if _, err := d.Prefill(i, make([]int32, 200)); err != nil {
			b.Fatal(err)
		}
	}
	var steps, reads []float64
	for b.Loop() {
		if len(steps)%8 == 0 {
			b.StopTimer()
			reads = append(reads, readRate(d.pool, buffer))
			b.StartTimer()
		}
		start := cpuTime()
		for _, slot := range slots {
			if d.Len(slot) == d.Context() {
				d.Truncate(slot, 200)
			}
		}
		if _, err := d.Step(slots, ids); err != nil {
			b.Fatal(err)
		}
		steps = append(steps, (cpuTime() - start).Seconds())
	}
	b.ReportMetric(float64(b.N*streams)/b.Elapsed().Seconds(), "tok/s")
	b.ReportMetric(float64(streams)/median(steps), "tok/cpu-s")
	b.ReportMetric(median(reads)/1e9, "read-GB/cpu-s")
	if streams == 1 {
		b.ReportMetric(100*4*float64(d.config.MatmulParams())/median(steps)/median(reads), "%bandwidth")
	}
}

// BenchmarkSampler is one draw from a large vocabulary; ns/op beside a decoding step's is what sampling costs a slot.
func BenchmarkSampler(b *testing.B) {
	logits := make([]float32, 49152)
	fillNormal(logits, 1, "logits", 3)
	for _, s := range []Sampling{{}, {Temperature: 1}, {Temperature: .8}, {Temperature: .8, TopP: .95}} {
		b.Run(fmt.Sprintf("temperature %g, top-p %g", s.Temperature, s.TopP), func(b *testing.B) {
			sampler := s.New()
			for b.Loop() {
				sampler.Next(logits)
			}
		})
	}
}
