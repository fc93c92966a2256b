//go:build !amd64

package fasttext

// sum adds row to to, number by number. Both have the same length.
func sum(to, row []float32) {
	for i, v := range row {
		to[i] += v
	}
}
