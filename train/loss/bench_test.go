package loss

import "testing"

// BenchmarkPairs is all losses of pairs, one pair each.
func BenchmarkPairs(b *testing.B) {
	list := Preferences()
	b.SetBytes(int64(len(list)))
	for b.Loop() {
		for _, p := range list {
			p.Of(worked, p.Defaults)
		}
	}
}

// BenchmarkGAE is advantages and whitening of 512 tokens.
func BenchmarkGAE(b *testing.B) {
	rewards, values := make([]float64, 512), make([]float64, 512)
	for i := range rewards {
		rewards[i], values[i] = float64(i%7)/7, float64(i%5)/5
	}
	b.SetBytes(512)
	for b.Loop() {
		a, _ := GAE(rewards, values, 1, .95)
		Whiten(a, nil, false)
	}
}
