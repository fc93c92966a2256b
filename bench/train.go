package bench

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"winnow/bench/meter"
	"winnow/train/bpe"
	"winnow/train/llm"
)

// trainShapes are the steps that are measured: a small model, and one of the size that the demonstrations train. The same
// shapes stand in bench/peers/torch_step.py and in train/llm's benchmarks.
var trainShapes = []struct {
	name      string
	config    llm.Config
	rows, len int
}{
	{"4 layers of 256, vocabulary 4,096, 8 rows of 256", llm.Config{Vocab: 4096, Context: 256, Dim: 256, FFN: 688, Layers: 4, Heads: 4, KVHeads: 4, HeadDim: 64, NormEps: 1e-5, RopeTheta: 1e4}, 8, 256},
	{"3 layers of 96, vocabulary 1,024, 16 rows of 64", llm.Config{Vocab: 1024, Context: 64, Dim: 96, FFN: 256, Layers: 3, Heads: 3, KVHeads: 3, HeadDim: 32, NormEps: 1e-5, RopeTheta: 1e4}, 16, 64},
}

// prepareKernels measures matrix products beside the peak of multiply-adds, which is measured between any two of them.
func prepareKernels(_ context.Context, o meter.Options) (meter.Once, error) {
	return func(context.Context) (out []meter.Figure, err error) {
		for _, name := range []string{"avx512", "avx2", "portable"} {
			p, err := llm.NewPool(1, name)
			if err != nil {
				continue // this processor cannot run it
			}
			for _, f := range p.Measure(o.Least) {
				out = append(out, meter.Figure{Name: f.Name, Unit: "GFLOP/s per core", Value: f.Rate}, meter.Figure{Name: f.Name + ", of its peak", Unit: "%", Value: 100 * f.Rate / f.Peak})
			}
			p.Close()
		}
		return out, nil
	}, nil
}

// prepareTrain measures whole steps of training: forward, backward, clipping, AdamW, in float32 on one thread.
func prepareTrain(_ context.Context, o meter.Options) (meter.Once, error) {
	return func(ctx context.Context) (out []meter.Figure, err error) {
		for _, name := range []string{"avx512", "avx2"} {
			p, err := llm.NewPool(1, name)
			if err != nil {
				continue
			}
			for _, s := range trainShapes {
				seconds, peak, err := stepSeconds(ctx, p, s.config, s.rows, s.len, o.Least.Seconds())
				if err != nil {
					return nil, err
				}
				tokens := float64(s.rows*s.len) / seconds
				out = append(out, meter.Figure{Name: name + ", " + s.name, Unit: "tokens/s per core", Value: tokens},
					meter.Figure{Name: name + ", " + s.name + ", of its peak", Unit: "%", Value: 100 * tokens * s.config.FLOPsPerToken(s.len) / 1e9 / peak})
			}
			p.Close()
		}
		return out, nil
	}, nil
}

// stepSeconds gives seconds of the processor for one step, and the peak in GFLOP/s measured around the steps: medians over at
// least two steps and so many seconds.
func stepSeconds(ctx context.Context, p *llm.Pool, c llm.Config, rows, length int, least float64) (seconds, peak float64, err error) {
	m, err := llm.New(c, 1)
	if err != nil {
		return 0, 0, err
	}
	n := rows * length
	b := &llm.Batch{Rows: rows, Len: length, IDs: make([]int32, n), Targets: make([]int32, n), Pos: make([]int32, n)}
	for i := range n {
		b.IDs[i], b.Targets[i], b.Pos[i] = int32(i*7919%c.Vocab), int32((i+1)*7919%c.Vocab), int32(i%length)
	}
	t, adam, params := llm.NewTrainer(m, p), &llm.AdamW{Beta1: .9, Beta2: .95, Eps: 1e-8, WeightDecay: .1}, m.Params()
	var spent, peaks []float64
	for step := 1; step <= 3 || sum(spent) < least; step++ {
		if err := ctx.Err(); err != nil {
			return 0, 0, err
		}
		begin := meter.ProcessorTime()
		if _, err := t.Accumulate(b, 1/float32(n)); err != nil {
			return 0, 0, err
		}
		adam.Step(p, params, step, 1e-4, float32(min(1, 1/llm.GradNorm(p, params))))
		if took := meter.ProcessorTime() - begin; step > 1 {
			spent, peaks = append(spent, took.Seconds()), append(peaks, p.PeakNow())
		}
	}
	return middle(spent), middle(peaks), nil
}

// prepareGenerate measures decoding with a cache of keys and values: one stream, and eight that share every read of the
// weights.
func prepareGenerate(context.Context, meter.Options) (meter.Once, error) {
	c := llm.Config{Vocab: 8192, Context: 512, Dim: 512, FFN: 1376, Layers: 8, Heads: 8, KVHeads: 8, HeadDim: 64, NormEps: 1e-5, RopeTheta: 1e4}
	m, err := llm.New(c, 1)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context) ([]meter.Figure, error) {
		p, err := llm.NewPool(1, "")
		if err != nil {
			return nil, err
		}
		defer p.Close()
		one, err := decodeRate(ctx, m, p, 1)
		if err != nil {
			return nil, err
		}
		eight, err := decodeRate(ctx, m, p, 8)
		if err != nil {
			return nil, err
		}
		bytes := 4 * float64(c.MatmulParams())
		read := p.Bandwidth()
		return []meter.Figure{
			{Name: "weights", Unit: "MB", Value: bytes / 1e6},
			{Name: "one stream", Unit: "tokens/s per core", Value: one},
			{Name: "one stream, of what reading every weight meter.Once allows", Unit: "%", Value: 100 * one * bytes / (read * 1e9)},
			{Name: "eight streams", Unit: "tokens/s per core", Value: eight},
			{Name: "eight streams over one", Unit: "times", Value: eight / one},
		}, nil
	}, nil
}

// decodeRate is tokens of all streams for a second of the processor, from the middle of the context on.
func decodeRate(ctx context.Context, m *llm.Model, p *llm.Pool, streams int) (float64, error) {
	d, err := llm.NewDecoder(m, p, streams, 0)
	if err != nil {
		return 0, err
	}
	slots, ids := make([]int, streams), make([]int32, streams)
	for i := range slots {
		slots[i] = i
		if _, err := d.Prefill(i, make([]int32, d.Context()/2)); err != nil {
			return 0, err
		}
	}
	var spent []float64
	for len(spent) < 32 || sum(spent) < 1 {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		if d.Len(0) == d.Context() {
			for i := range slots {
				d.Truncate(i, d.Context()/2)
			}
		}
		begin := meter.ProcessorTime()
		if _, err := d.Step(slots, ids); err != nil {
			return 0, err
		}
		spent = append(spent, (meter.ProcessorTime() - begin).Seconds())
	}
	return float64(streams) / middle(spent), nil
}

// prepareTokenizer measures the training of a tokenizer on the main texts of the input, and encoding by it.
func prepareTokenizer(ctx context.Context, o meter.Options) (meter.Once, error) {
	texts, err := o.Texts(ctx)
	if err != nil {
		return nil, err
	}
	const vocab = 8192
	each := func(yield func(string) bool) {
		for _, t := range texts {
			if !yield(t.Body) {
				return
			}
		}
	}
	return func(ctx context.Context) ([]meter.Figure, error) {
		begin := meter.ProcessorTime()
		tok, err := bpe.Train(each, bpe.TrainOptions{Vocab: vocab})
		if err != nil {
			return nil, err
		}
		out := []meter.Figure{
			{Name: "text", Unit: "MB", Value: float64(meter.SizeOf(texts)) / 1e6},
			{Name: fmt.Sprintf("training of %d ids", vocab), Unit: "MB/s per core", Value: meter.Rate(meter.SizeOf(texts), (meter.ProcessorTime() - begin).Seconds())},
		}
		for _, language := range []string{"en", "zh"} {
			some := in(language, texts)
			if len(some) == 0 {
				continue
			}
			var ids []int32
			seconds, err := o.PerPass(ctx, func() error {
				for _, t := range some {
					ids = tok.Encode(ids[:0], t.Body)
				}
				return nil
			})
			if err != nil {
				return nil, err
			}
			out = append(out, meter.Figure{Name: "encoding, " + strings.ToLower(language), Unit: "MB/s per core", Value: meter.Rate(meter.SizeOf(some), seconds)})
		}
		return out, nil
	}, nil
}

func sum(list []float64) (s float64) {
	for _, x := range list {
		s += x
	}
	return s
}

// middle is the median; it sorts the list.
func middle(list []float64) float64 {
	slices.Sort(list)
	return list[len(list)/2]
}
