package fasttext

// sum adds row to to, number by number. Both have the same length.
//
//go:noescape
func sum(to, row []float32)
