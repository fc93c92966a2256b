package kernel

// Packed is a weight matrix [N,K] in the order in which MulPacked reads it: panels of rows, each panel [K][width].
type Packed struct {
	N, K   int
	panels []float32
	nr     int
}

// Bytes is the memory that one MulPacked reads.
func (w *Packed) Bytes() int { return 4 * len(w.panels) }

// NewPacked is a packed matrix [n,k] of zeros, to be filled by Set: a cache of keys.
func (p *Pool) NewPacked(n, k int) *Packed {
	nr := p.table.nr
	return &Packed{N: n, K: k, nr: nr, panels: make([]float32, (n+nr-1)/nr*k*nr)}
}

// Set sets row i.
func (w *Packed) Set(i int, row []float32) {
	panel := w.panels[i/w.nr*w.K*w.nr : (i/w.nr+1)*w.K*w.nr]
	for l, at := 0, i%w.nr; l < w.K; l, at = l+1, at+w.nr {
		panel[at] = row[l]
	}
}

// Rows is the first n rows, which share their memory.
func (w *Packed) Rows(n int) Packed {
	return Packed{N: n, K: w.K, nr: w.nr, panels: w.panels[:(n+w.nr-1)/w.nr*w.K*w.nr]}
}

// Pack packs the weights w[n,k] with stride ldw for MulPacked. Later changes of w do not show.
func (p *Pool) Pack(n, k int, w []float32, ldw int) *Packed {
	packed := p.NewPacked(n, k)
	p.Repack(packed, w, ldw)
	return packed
}

// Repack is Pack of other weights of the same shape into the same memory.
func (p *Pool) Repack(packed *Packed, w []float32, ldw int) {
	n, k, t := packed.N, packed.K, p.table
	checkShape("weights", n, k, ldw, len(w))
	if k == 0 {
		return
	}
	p.Run((n+t.nr-1)/t.nr, func(_ *Worker, panel int) {
		from := panel * t.nr
		t.packCols(k, min(t.nr, n-from), w[from*ldw:], ldw, packed.panels[panel*k*t.nr:(panel+1)*k*t.nr])
	})
}

// MulPacked computes y[m,N] = beta*y + x[m,K] w^T and reads the weights once, whatever m. Row i's bits depend neither on m
// nor on other rows, and are those of Pool.NT.
func (p *Pool) MulPacked(m int, x []float32, ldx int, w *Packed, beta float32, y []float32, ldy int) {
	checkShape("left side", m, w.K, ldx, len(x))
	checkShape("result", m, w.N, ldy, len(y))
	if m == 0 || w.N == 0 {
		return
	}
	if w.K == 0 {
		scaleRows(m, w.N, beta, y, ldy)
		return
	}
	count := (w.N + w.nr - 1) / w.nr
	span := max(1, panelSpan/(w.K*w.nr))
	p.Run((count+span-1)/span, func(worker *Worker, task int) {
		mulPanels(worker.table, m, x, ldx, w, task*span, min(count, (task+1)*span), beta, y, ldy)
	})
}

// MulPacked is the serial form of Pool.MulPacked.
func (w *Worker) MulPacked(m int, x []float32, ldx int, weights *Packed, beta float32, y []float32, ldy int) {
	checkShape("left side", m, weights.K, ldx, len(x))
	checkShape("result", m, weights.N, ldy, len(y))
	if m == 0 || weights.N == 0 {
		return
	}
	if weights.K == 0 {
		scaleRows(m, weights.N, beta, y, ldy)
		return
	}
	count := (weights.N + weights.nr - 1) / weights.nr
	span := max(1, panelSpan/(weights.K*weights.nr))
	for first := 0; first < count; first += span {
		mulPanels(w.table, m, x, ldx, weights, first, min(count, first+span), beta, y, ldy)
	}
}

// panelSpan is how many weights all rows are multiplied by before the next (128 KB), so that those come from memory once.
const panelSpan = 1 << 15

// mulPanels multiplies all rows by panels [first, last), in parts of the sum as Pool.NT takes them.
func mulPanels(t *table, m int, x []float32, ldx int, w *Packed, first, last int, beta float32, y []float32, ldy int) {
	strips, from := (m+t.mr-1)/t.mr, first*w.nr
	cols, weights := min(w.N, last*w.nr)-from, w.panels[first*w.K*w.nr:last*w.K*w.nr]
	for start, depth := 0, 0; start < w.K; start += depth {
		depth = partDepth(w.K, start)
		for s := range strips {
			row, end := m*s/strips, m*(s+1)/strips
			t.micro(end-row, cols, depth, x[row*ldx+start:], ldx, 1, weights[start*w.nr:], w.nr, (w.K-depth)*w.nr, y[row*ldy+from:], ldy, beta)
		}
		beta = 1
	}
}

// CopyRows makes the first n rows those of from, which has the same K and was made by the same Pool.
func (w *Packed) CopyRows(from *Packed, n int) {
	end := (n + w.nr - 1) / w.nr * w.K * w.nr
	copy(w.panels[:end], from.panels[:end])
}
