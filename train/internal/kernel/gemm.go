package kernel

import "fmt"

// form says how a product's two sides lie in memory.
type form byte

const (
	formNN form = iota // a[m,k] b[k,n]
	formNT             // a[m,k] b[n,k]
	formTN             // a[k,m] b[k,n]
)

func (f form) String() string { return [...]string{"NN", "NT", "TN"}[f] }

// deepest is the longest part of a sum that one pass of the micro-kernel takes: a strip of the left side (14 x 512 floats, 28
// KB) then stays in the first cache. It divides sums the same way whatever the shape, so a row's bits depend on k alone.
const deepest = 512

// widest is how many columns of the right side are packed at a time (16 MB at full depth).
const widest = 8192

// product is one call, cut into parts: packing tasks, then tile tasks, for each depth and each span of columns.
type product struct {
	form          form
	m, n, k       int
	a, b, c       []float32
	lda, ldb, ldc int
	beta          float32

	panels         []float32 // packed [panel][depth][nr]
	column, width  int       // this span of columns
	start, depth   int       // this part of the sum
	firstPart      bool
	direct         bool // full panels are read where they lie
	tileM, tileN   int  // strips and panels of a tile
	tilesM, tilesN int
	strips, mr, nr int
}

// NN computes c[m,n] = beta*c + a[m,k] b[k,n]. Leading dimensions are in elements; beta 0 overwrites and never reads c.
func (p *Pool) NN(m, n, k int, a []float32, lda int, b []float32, ldb int, beta float32, c []float32, ldc int) {
	p.product(&product{form: formNN, m: m, n: n, k: k, a: a, lda: lda, b: b, ldb: ldb, beta: beta, c: c, ldc: ldc})
}

// NT computes c[m,n] = beta*c + a[m,k] b[n,k]^T.
func (p *Pool) NT(m, n, k int, a []float32, lda int, b []float32, ldb int, beta float32, c []float32, ldc int) {
	p.product(&product{form: formNT, m: m, n: n, k: k, a: a, lda: lda, b: b, ldb: ldb, beta: beta, c: c, ldc: ldc})
}

// TN computes c[m,n] = beta*c + a[k,m]^T b[k,n].
func (p *Pool) TN(m, n, k int, a []float32, lda int, b []float32, ldb int, beta float32, c []float32, ldc int) {
	p.product(&product{form: formTN, m: m, n: n, k: k, a: a, lda: lda, b: b, ldb: ldb, beta: beta, c: c, ldc: ldc})
}

// NN is the serial form of Pool.NN.
func (w *Worker) NN(m, n, k int, a []float32, lda int, b []float32, ldb int, beta float32, c []float32, ldc int) {
	w.serial = product{form: formNN, m: m, n: n, k: k, a: a, lda: lda, b: b, ldb: ldb, beta: beta, c: c, ldc: ldc}
	w.product(&w.serial)
}

// NT is the serial form of Pool.NT.
func (w *Worker) NT(m, n, k int, a []float32, lda int, b []float32, ldb int, beta float32, c []float32, ldc int) {
	w.serial = product{form: formNT, m: m, n: n, k: k, a: a, lda: lda, b: b, ldb: ldb, beta: beta, c: c, ldc: ldc}
	w.product(&w.serial)
}

// TN is the serial form of Pool.TN.
func (w *Worker) TN(m, n, k int, a []float32, lda int, b []float32, ldb int, beta float32, c []float32, ldc int) {
	w.serial = product{form: formTN, m: m, n: n, k: k, a: a, lda: lda, b: b, ldb: ldb, beta: beta, c: c, ldc: ldc}
	w.product(&w.serial)
}

func (p *Pool) product(g *product) {
	if !g.check(p.workers[0]) {
		return
	}
	p.turn.Lock()
	defer p.turn.Unlock()
	if g.m*g.n*g.k <= 1<<16 { // a few microseconds: not worth a second thread
		p.workers[0].product(g)
		return
	}
	g.parts(func(panels int) {
		p.panels = grown(p.panels, panels*g.depth*g.nr)
		g.panels = p.panels
		p.run(g.packTasks(panels), g.pack)
		g.cut(len(p.workers))
		p.run(g.tilesM*g.tilesN, g.tile)
	})
}

func (w *Worker) product(g *product) {
	if !g.check(w) {
		return
	}
	g.parts(func(panels int) {
		w.panels = grown(w.panels, panels*g.depth*g.nr)
		g.panels = w.panels
		for i := range g.packTasks(panels) {
			g.pack(w, i)
		}
		g.cut(1)
		for i := range g.tilesM * g.tilesN {
			g.tile(w, i)
		}
	})
	*g = product{} // holds none of the caller's memory
}

// parts goes through the parts of the sum and, in each, through the spans of columns; each is so many panels for do.
func (g *product) parts(do func(panels int)) {
	for g.firstPart = true; g.start < g.k; g.start += g.depth {
		g.depth = partDepth(g.k, g.start)
		for g.column = 0; g.column < g.n; g.column += g.width {
			g.width = min(g.n-g.column, widest)
			do((g.width + g.nr - 1) / g.nr)
		}
		g.firstPart = false
	}
}

// check panics where a shape does not fit its slice, and says whether there is anything to do beyond scaling c.
func (g *product) check(w *Worker) bool {
	rowsA, columnsA, rowsB, columnsB := g.m, g.k, g.k, g.n
	switch g.form {
	case formNT:
		rowsB, columnsB = g.n, g.k
	case formTN:
		rowsA, columnsA = g.k, g.m
	}
	checkShape("left side", rowsA, columnsA, g.lda, len(g.a))
	checkShape("right side", rowsB, columnsB, g.ldb, len(g.b))
	checkShape("result", g.m, g.n, g.ldc, len(g.c))
	g.mr, g.nr = w.table.mr, w.table.nr
	g.strips = (g.m + g.mr - 1) / g.mr
	g.start, g.column = 0, 0
	g.direct = g.form != formNT && g.strips == 1
	if g.m == 0 || g.n == 0 {
		return false
	}
	if g.k == 0 {
		scaleRows(g.m, g.n, g.beta, g.c, g.ldc)
		return false
	}
	return true
}

func checkShape(what string, rows, columns, stride, have int) {
	if rows < 0 || columns < 0 || rows > 0 && columns > 0 && (stride < columns || have < (rows-1)*stride+columns) {
		panic(fmt.Sprintf("kernel: %s [%d,%d] with stride %d does not fit %d elements", what, rows, columns, stride, have))
	}
}

func scaleRows(rows, columns int, beta float32, c []float32, ldc int) {
	for i := range rows {
		row := c[i*ldc : i*ldc+columns]
		for j := range row {
			if beta == 0 {
				row[j] = 0
			} else {
				row[j] *= beta
			}
		}
	}
}

// partDepth is the length of the part of a sum of k that begins at start: parts are as even as multiples of 16 allow.
func partDepth(k, start int) int {
	parts := (k + deepest - 1) / deepest
	depth := (k + parts - 1) / parts
	depth = (depth + 15) &^ 15
	return min(depth, k-start)
}

// packSpan is how many panels one packing task takes.
const packSpan = 8

// packRows is how many rows of the right side are packed for all panels of a task before the next rows, so that each line
// and page is read once.
const packRows = 32

// pack packs packSpan panels of the right side.
func (g *product) pack(w *Worker, task int) {
	first := task * packSpan
	if g.direct { // all but the last
		first = g.width / g.nr
	}
	packPanels(w.table, g.form, g.b, g.ldb, g.start, g.depth, g.column, g.width, first, g.panels)
}

// packTasks is the number of tasks that pack panels: a single strip reads each panel once, and needs no copy of full ones.
func (g *product) packTasks(panels int) int {
	if g.direct {
		return min(1, g.width%g.nr)
	}
	return (panels + packSpan - 1) / packSpan
}

// packPanels packs panels [first, first+packSpan) of columns [column, column+width) and rows [start, start+depth) of b, which
// lies as [k,n], or as [n,k] where form is formNT.
func packPanels(t *table, f form, b []float32, ldb, start, depth, column, width, first int, panels []float32) {
	last := min((width+t.nr-1)/t.nr, first+packSpan)
	if f == formNT {
		for panel := first; panel < last; panel++ {
			from := column + panel*t.nr
			t.packCols(depth, min(t.nr, column+width-from), b[from*ldb+start:], ldb, panels[panel*depth*t.nr:(panel+1)*depth*t.nr])
		}
		return
	}
	for row := 0; row < depth; row += packRows {
		rows := min(packRows, depth-row)
		for panel := first; panel < last; panel++ {
			from := column + panel*t.nr
			t.packRows(rows, min(t.nr, column+width-from), t.nr, b[(start+row)*ldb+from:], ldb, panels[(panel*depth+row)*t.nr:])
		}
	}
}

// cut chooses the tiles: the packed panels of one stay in half the second cache (1 MB), and there are a few for each thread.
func (g *product) cut(threads int) {
	panels := (g.width + g.nr - 1) / g.nr
	g.tileN = min(panels, max(1, (1<<18)/(g.depth*g.nr)))
	g.tilesN = (panels + g.tileN - 1) / g.tileN
	g.tileN = (panels + g.tilesN - 1) / g.tilesN
	g.tilesN = (panels + g.tileN - 1) / g.tileN
	g.tileM = min(g.strips, 16)
	if threads > 1 {
		for g.tileM > 2 && (g.strips+g.tileM-1)/g.tileM*g.tilesN < 4*threads {
			g.tileM = (g.tileM + 1) / 2
		}
		for g.tileN > 1 && (g.strips+g.tileM-1)/g.tileM*g.tilesN < 4*threads {
			g.tileN = (g.tileN + 1) / 2
			g.tilesN = (panels + g.tileN - 1) / g.tileN
		}
	}
	g.tilesM = (g.strips + g.tileM - 1) / g.tileM
}

// tile computes one tile of the result. Strips are as even as they come, so that no strip is too low for the arithmetic units.
func (g *product) tile(w *Worker, i int) {
	t := w.table
	beta := g.beta
	if !g.firstPart {
		beta = 1
	}
	firstStrip, firstPanel := i/g.tilesN*g.tileM, i%g.tilesN*g.tileN
	lastStrip, lastPanel := min(g.strips, firstStrip+g.tileM), min((g.width+g.nr-1)/g.nr, firstPanel+g.tileN)
	if g.form == formTN {
		g.packStrips(w, firstStrip, lastStrip)
	}
	for s := firstStrip; s < lastStrip; s++ {
		row, end := g.m*s/g.strips, g.m*(s+1)/g.strips
		left, rs, ks := g.a, g.lda, 1
		if g.form == formTN {
			left, rs, ks = w.strips[(s-firstStrip)*g.depth*g.mr:], 1, g.mr
		} else {
			left = left[row*g.lda+g.start:]
		}
		if full := g.width / g.nr; g.direct && firstPanel < full {
			cols := (min(lastPanel, full) - firstPanel) * g.nr
			t.micro(end-row, cols, g.depth, left, rs, ks, g.b[g.start*g.ldb+g.column+firstPanel*g.nr:], g.ldb, g.nr-g.depth*g.ldb, g.c[row*g.ldc+g.column+firstPanel*g.nr:], g.ldc, beta)
			firstPanel = min(lastPanel, full)
		}
		if from := firstPanel * g.nr; firstPanel < lastPanel {
			t.micro(end-row, min(lastPanel*g.nr, g.width)-from, g.depth, left, rs, ks, g.panels[from*g.depth:], g.nr, 0, g.c[row*g.ldc+g.column+from:], g.ldc, beta)
		}
	}
}

// packStrips packs the left side of a tile whose rows lie across: a few elements of the sum for all strips, then the next,
// so that each line is read once.
func (g *product) packStrips(w *Worker, first, last int) {
	w.strips = grown(w.strips, (last-first)*g.depth*g.mr)
	for l := 0; l < g.depth; l += packRows {
		for s := first; s < last; s++ {
			row, end := g.m*s/g.strips, g.m*(s+1)/g.strips
			w.table.packRows(min(packRows, g.depth-l), end-row, g.mr, g.a[(g.start+l)*g.lda+row:], g.lda, w.strips[((s-first)*g.depth+l)*g.mr:])
		}
	}
}

// grown is s with at least n elements; what it held is lost.
func grown(s []float32, n int) []float32 {
	if cap(s) >= n {
		return s[:n]
	}
	return make([]float32, n+n/4)
}
