package kernel

import (
	"fmt"
	"slices"
	"time"
)

// Figure is one measurement: the rate of a product and the peak of the same core in the same run, both in GFLOP/s (for
// bandwidth: GB/s).
type Figure struct {
	Name       string
	Rate, Peak float64
}

// Peak measures one core's multiply-add peak in GFLOP/s: the best of short runs, so that other work on the machine does not
// show.
func (p *Pool) Peak() float64 { return p.bestPeak(40) }

// PeakNow is a short measurement of Peak, five milliseconds, to stand between others: clocks and neighbours change.
func (p *Pool) PeakNow() float64 { return p.bestPeak(5) }

// bestPeak is the best of so many runs.
func (p *Pool) bestPeak(runs int) (best float64) {
	rounds := p.peakRounds()
	for range runs {
		start := time.Now()
		p.table.peak(rounds)
		best = max(best, float64(rounds)*float64(p.table.peakFlops)/time.Since(start).Seconds()/1e9)
	}
	return best
}

// peakRounds is how many rounds take half a millisecond.
func (p *Pool) peakRounds() int {
	rounds := 1 << 10
	for start := time.Now(); rounds < 1<<28; start = time.Now() {
		if p.table.peak(rounds); time.Since(start) > 500*time.Microsecond {
			break
		}
		rounds *= 2
	}
	return rounds
}

// Bandwidth measures how fast memory is read that no cache of a core holds, in GB for a second of one thread's processor time:
// the median of several passes over 256 MB by all threads.
func (p *Pool) Bandwidth() float64 {
	const span = 1 << 18 // 1 MB
	buffer := make([]float32, 1<<26)
	for i := 0; i < len(buffer); i += 1024 {
		buffer[i] = 1 // each page is there before the clock runs
	}
	var rates []float64
	for range 9 {
		start := cpuSeconds()
		p.Run(len(buffer)/span, func(w *Worker, i int) { w.table.read(buffer[i*span : (i+1)*span]) })
		rates = append(rates, float64(4*len(buffer))/(cpuSeconds()-start)/1e9)
	}
	slices.Sort(rates)
	return rates[len(rates)/2]
}

// shapes are the products of a small model's step: m, n, k.
func shapes() [][3]int {
	return [][3]int{{256, 256, 256}, {1024, 384, 1536}, {2048, 512, 2048}, {2048, 256, 768}}
}

// Measure times the products of a small model's step on one thread by CPU time. Between any two runs stands one of the
// multiply-add peak: a figure is the median rate of all runs and the median peak. Each shape is run up to nine times within
// least, and once at least.
func (p *Pool) Measure(least time.Duration) []Figure {
	var figures []Figure
	one := &Pool{table: p.table, workers: []*Worker{{table: p.table}}}
	for _, f := range []form{formNN, formNT, formTN} {
		var rates, peaks []float64
		for _, s := range shapes() {
			call := operands(one, f, s)
			call()
			flops := 2 * float64(s[0]) * float64(s[1]) * float64(s[2])
			calls := 1 + int(p.PeakNow()*1e9*0.01/flops) // ten milliseconds and more
			for run, begin := 0, time.Now(); run < 1 || run < 9 && time.Since(begin) < least; run++ {
				peaks = append(peaks, p.PeakNow())
				start := cpuSeconds()
				for range calls {
					call()
				}
				rates = append(rates, flops*float64(calls)/(cpuSeconds()-start)/1e9)
			}
		}
		slices.Sort(rates)
		slices.Sort(peaks)
		figures = append(figures, Figure{Name: fmt.Sprintf("%s %s", p.Kernel(), f), Rate: rates[len(rates)/2], Peak: peaks[len(peaks)/2]})
	}
	return figures
}

// operands gives a call of the product on matrices of its own.
func operands(p *Pool, f form, s [3]int) func() {
	m, n, k := s[0], s[1], s[2]
	a, b, c := make([]float32, m*k), make([]float32, k*n), make([]float32, m*n)
	for i := range a {
		a[i] = float32(i%17)/8 - 1
	}
	for i := range b {
		b[i] = float32(i%13)/6 - 1
	}
	switch f {
	case formNN:
		return func() { p.NN(m, n, k, a, k, b, n, 0, c, n) }
	case formNT:
		return func() { p.NT(m, n, k, a, k, b, k, 0, c, n) }
	}
	return func() { p.TN(m, n, k, a, m, b, n, 0, c, n) }
}
