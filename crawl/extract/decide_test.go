package extract

import (
	"slices"
	"testing"
)

func TestDecide(t *testing.T) {
	sizes := []int32{100, 100, 100, 100}
	for _, tt := range []struct {
		name        string
		probability []float32
		mode        Mode
		beside      float32 // share of prose side by side
		want        []bool
	}{
		{"sure", []float32{0.9, 0.1, 0.9, 0.1}, Balanced, 0, []bool{true, false, true, false}},
		{"hard to read, not empty", []float32{0.3, 0.25, 0.2, 0.01}, Balanced, 0, []bool{true, true, true, false}},
		{"doubtful block, by mode", []float32{0.9, 0.9, 0.42, 0.1}, Precision, 0, []bool{true, true, false, false}},
		{"doubtful block, by mode", []float32{0.9, 0.9, 0.42, 0.1}, Recall, 0, []bool{true, true, true, false}},
		{"doubtful block, scattered", []float32{0.9, 0.9, 0.45, 0.1}, Balanced, 0, []bool{true, true, true, false}},
		{"doubtful block, article", []float32{0.9, 0.9, 0.45, 0.1}, Balanced, 0.9, []bool{true, true, false, false}},
		{"a frame without text", []float32{0.1, 0.08, 0.1, 0.05}, Balanced, 0, []bool{false, false, false, false}},
		{"nothing", []float32{0, 0, 0, 0}, Recall, 0, []bool{false, false, false, false}},
	} {
		if got := decide(tt.probability, sizes, tt.mode.squaredBeta(tt.beside)); !slices.Equal(got, tt.want) {
			t.Errorf("%s, %s: got %v, want %v", tt.name, tt.mode, got, tt.want)
		}
	}
}
