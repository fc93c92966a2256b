package kernel

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
)

// BenchmarkProducts reports GFLOP/s of one thread by CPU time and the share of the multiply-add peak of the same run.
func BenchmarkProducts(b *testing.B) {
	for _, name := range Names() {
		if name == "portable" && testing.Short() {
			continue
		}
		p, err := New(1, name)
		if err != nil {
			b.Fatal(err)
		}
		for _, s := range shapes() {
			for _, f := range []form{formNN, formNT, formTN} {
				b.Run(fmt.Sprintf("%s/%s/%dx%dx%d", name, f, s[0], s[1], s[2]), func(b *testing.B) {
					benchmarkProduct(b, p, f, s)
				})
			}
		}
	}
}

func benchmarkProduct(b *testing.B, p *Pool, f form, s [3]int) {
	peak := p.Peak()
	call := operands(p, f, s)
	call()
	b.ResetTimer()
	start := cpuSeconds()
	for range b.N {
		call()
	}
	elapsed := cpuSeconds() - start
	rate := 2 * float64(s[0]) * float64(s[1]) * float64(s[2]) * float64(b.N) / elapsed / 1e9
	b.ReportMetric(rate, "GFLOP/cpu-s")
	b.ReportMetric(100*rate/peak, "%peak")
	b.ReportMetric(peak, "peak")
}

// BenchmarkBlocks is attention's products: 64 rows and columns out of a fused q,k,v row, serial.
func BenchmarkBlocks(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 1))
	const stride = 768
	q, k, out, c := randoms(r, make([]float32, 256*stride)), randoms(r, make([]float32, 256*stride)), make([]float32, 256*stride), randoms(r, make([]float32, 256*256))
	for _, name := range Names() {
		p, err := New(1, name)
		if err != nil {
			b.Fatal(err)
		}
		w := p.workers[0]
		for _, n := range []int{64, 256} {
			for f, call := range map[form]func(){
				formNT: func() { w.NT(64, n, 64, q, stride, k, stride, 0, out, 256) }, // scores
				formNN: func() { w.NN(64, 64, n, c, 256, k, stride, 0, out, stride) }, // output
				formTN: func() { w.TN(n, 64, 64, c, 256, k, stride, 0, out, stride) }, // gradients of keys and values
			} {
				b.Run(fmt.Sprintf("%s/%s/%d", name, f, n), func(b *testing.B) {
					start := cpuSeconds()
					for range b.N {
						call()
					}
					b.ReportMetric(2*64*64*float64(n)*float64(b.N)/(cpuSeconds()-start)/1e9, "GFLOP/cpu-s")
				})
			}
		}
	}
}

// BenchmarkPacked is decoding: few rows against 64 MB of weights; GB/s are of weights.
func BenchmarkPacked(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 1))
	const n, k = 16384, 1024
	weights := randoms(r, make([]float32, n*k))
	for _, name := range Names() {
		for threads := 1; threads <= 2; threads++ {
			p, err := New(threads, name)
			if err != nil {
				b.Fatal(err)
			}
			packed := p.Pack(n, k, weights, k)
			for _, m := range []int{1, 2, 4, 8, 16} {
				b.Run(fmt.Sprintf("%s/%d threads/%d", name, threads, m), func(b *testing.B) {
					bandwidth := p.Bandwidth()
					x, y := randoms(r, make([]float32, m*k)), make([]float32, m*n)
					b.SetBytes(int64(packed.Bytes()))
					for b.Loop() {
						p.MulPacked(m, x, k, packed, 0, y, n)
					}
					rate := float64(packed.Bytes()) * float64(b.N) / b.Elapsed().Seconds() / 1e9
					b.ReportMetric(rate, "GB/s")
					b.ReportMetric(100*rate/bandwidth, "%bandwidth")
				})
			}
			p.Close()
		}
	}
}

// BenchmarkRows is the row functions on rows that the second cache holds; MB/s count each input and output once.
func BenchmarkRows(b *testing.B) {
	const n = 4096
	r := rand.New(rand.NewPCG(1, 1))
	x, y, z, u := make([]float32, n), randoms(r, make([]float32, n)), randoms(r, make([]float32, n)), randoms(r, make([]float32, n))
	v, g, m := make([]float32, n), make([]float32, n), make([]float32, n)
	for _, name := range Names() {
		p, err := New(1, name)
		if err != nil {
			b.Fatal(err)
		}
		w := p.workers[0]
		for _, f := range []struct {
			name   string
			slices int64
			call   func()
		}{
			{"exp", 2, func() { w.Exp(x, y, 1, 0) }},
			{"softmax", 2, func() { w.Softmax(x, y, 1) }},
			{"swiglu", 3, func() { w.SwiGLU(x, y, z) }},
			{"swiglu gradient", 5, func() { w.SwiGLUGrad(x, v, u, y, z) }},
			{"rmsnorm", 3, func() { w.RMSNorm(x, y, z, 1e-5) }},
			{"rmsnorm gradient", 5, func() { w.RMSNormGrad(x, v, u, y, z, 1, 0) }},
			{"adamw", 7, func() { w.AdamW(x, g, m, v, AdamW{Beta1: 0.9, Beta2: 0.95, Eps: 1e-8, Step: 1}) }},
			{"dot", 2, func() { w.Dot(y, z) }},
		} {
			b.Run(name+"/"+f.name, func(b *testing.B) {
				b.SetBytes(4 * n * f.slices)
				for b.Loop() {
					f.call()
				}
			})
		}
	}
}

// BenchmarkRun is the cost of handing out work.
func BenchmarkRun(b *testing.B) {
	for threads := 1; threads <= 2; threads++ {
		p, err := New(threads, "")
		if err != nil {
			b.Fatal(err)
		}
		b.Run(fmt.Sprintf("%d threads", threads), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				p.Run(8, func(w *Worker, i int) {})
			}
		})
		p.Close()
	}
}

// BenchmarkMeasure is the figure that the program reports: medians over the shapes, beside the peak of the same run.
func BenchmarkMeasure(b *testing.B) {
	for _, name := range Names() {
		p, err := New(1, name)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				for _, f := range p.Measure(time.Second) {
					form := f.Name[len(f.Name)-2:]
					b.ReportMetric(f.Rate, form+"-GFLOP/cpu-s")
					b.ReportMetric(100*f.Rate/f.Peak, form+"-%peak")
				}
			}
		})
	}
}
