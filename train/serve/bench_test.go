package serve

import (
	"fmt"
	"net/http/httptest"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"winnow/train/llm"
)

// BenchmarkHTTP asks for streams texts at a time over HTTP of a model of 5 million parameters: tokens a second by the clock, and by
// the processor, which other work on the machine disturbs less.
func BenchmarkHTTP(b *testing.B) {
	_, tok := small(b, 64)
	m, err := llm.New(llm.Config{Vocab: 4096, Context: 256, Dim: 256, FFN: 688, Layers: 4, Heads: 4, KVHeads: 4, HeadDim: 64, NormEps: 1e-5, RopeTheta: 10000}, 1)
	if err != nil {
		b.Fatal(err)
	}
	pool, err := llm.NewPool(0, "")
	if err != nil {
		b.Fatal(err)
	}
	defer pool.Close()
	for _, streams := range []int{1, 2, 4, 8} {
		b.Run(fmt.Sprintf("streams=%d", streams), func(b *testing.B) {
			e, err := NewEngine(m, tok, pool, Options{})
			if err != nil {
				b.Fatal(err)
			}
			defer e.Close()
			h := httptest.NewServer(NewServer(e, "bench", nil, ""))
			defer h.Close()
			const most = 128
			begin, requests := processor(), 0
			for b.Loop() {
				var wait sync.WaitGroup
				for i := range streams {
					wait.Go(func() {
						status, _, got := post(b, h.URL+"/v1/completions", fmt.Sprintf(`{"prompt":%q,"max_tokens":%d,"seed":%d,"stream":true}`, sample, most, i))
						if status != 200 || !strings.Contains(got, `"finish_reason":"length"`) {
							b.Errorf("%d %.200s", status, got)
						}
					})
				}
				wait.Wait()
				requests += streams
			}
			b.ReportMetric(float64(requests*most)/b.Elapsed().Seconds(), "tokens/s")
			b.ReportMetric(float64(requests*most)/(processor()-begin).Seconds(), "tokens/cpu-s")
			b.ReportMetric(float64(requests)/b.Elapsed().Seconds(), "requests/s")
		})
	}
}

// processor is the processor time of this process so far.
func processor() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
