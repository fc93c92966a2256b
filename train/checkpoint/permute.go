package checkpoint

// The rotary positions of this program, and of transformers, turn the pairs (i, i + h/2) of a head of width h. llama.cpp's
// llama architecture turns (2i, 2i + 1). Both compute the same when the rows of queries and keys change places within each
// head; scores are sums over pairs and do not see their order. llama.cpp's qwen2 architecture turns as we do.

// interleave gives rows [heads*h, columns] in llama.cpp's order: row 2i of a head is its row i, row 2i + 1 its row i + h/2.
func interleave(rows []float32, heads, columns int) []float32 {
	out := make([]float32, len(rows))
	width := len(rows) / heads
	h := width / columns
	for head := range heads {
		from, to := rows[head*width:][:width], out[head*width:][:width]
		for i := range h / 2 {
			copy(to[2*i*columns:][:columns], from[i*columns:][:columns])
			copy(to[(2*i+1)*columns:][:columns], from[(i+h/2)*columns:][:columns])
		}
	}
	return out
}

// separate is the inverse of interleave, in place.
func separate(rows []float32, heads, columns int) {
	width := len(rows) / heads
	h := width / columns
	old := make([]float32, width)
	for head := range heads {
		to := rows[head*width:][:width]
		copy(old, to)
		for i := range h / 2 {
			copy(to[i*columns:][:columns], old[2*i*columns:][:columns])
			copy(to[(i+h/2)*columns:][:columns], old[(2*i+1)*columns:][:columns])
		}
	}
}
