package fasttext

import "fmt"

// matrix is the input or the output of a model.
type matrix interface {
	size() (rows, columns int)
	add(to []float32, rows []int32)      // the sum of rows, in their order
	dot(v []float32, row int) float32    // in index order, as fastText sums
	multiply(out []float32, v []float32) // all rows
}

// dense holds a row after the other.
type dense struct {
	rows, columns int
	data          []float32
}

func (in *input) matrix(quantised bool) (matrix, error) {
	if quantised {
		return in.quantised()
	}
	var size struct{ Rows, Columns int64 }
	if err := in.value(&size); err != nil {
		return nil, err
	}
	if size.Rows < 0 || size.Columns < 1 || size.Rows > in.left/size.Columns {
		return nil, fmt.Errorf("%d x %d numbers in %d bytes", size.Rows, size.Columns, in.left)
	}
	data, err := in.floats(size.Rows*size.Columns, "numbers")
	return &dense{int(size.Rows), int(size.Columns), data}, err
}

func (d *dense) size() (rows, columns int) { return d.rows, d.columns }

func (d *dense) add(to []float32, rows []int32) {
	for _, row := range rows {
		sum(to, d.data[int(row)*d.columns:][:len(to)])
	}
}

func (d *dense) dot(v []float32, row int) float32 {
	w, s := d.data[row*d.columns:][:len(v)], float32(0)
	for i, x := range v {
		s += float32(w[i] * x)
	}
	return s
}

// multiply takes four rows at a time: four sums that do not wait for each other, each still in index order.
func (d *dense) multiply(out, v []float32) {
	n, row := d.columns, 0
	for ; row+4 <= len(out); row += 4 {
		block := d.data[row*n:][:4*n]
		a, b, c, e := block[:n], block[n:2*n], block[2*n:3*n], block[3*n:]
		var s0, s1, s2, s3 float32
		for i, x := range v[:n] {
			s0 += float32(a[i] * x)
			s1 += float32(b[i] * x)
			s2 += float32(c[i] * x)
			s3 += float32(e[i] * x)
		}
		out[row], out[row+1], out[row+2], out[row+3] = s0, s1, s2, s3
	}
	for ; row < len(out); row++ {
		out[row] = d.dot(v, row)
	}
}

// quantised holds each part of a row as the number of a centroid (product quantisation), and the row's norm as another.
type quantised struct {
	rows, columns int
	codes         []byte
	parts         product
	norms         []byte // by row; nil: all are 1
	scale         product
}

// product is a product quantiser of 256 centroids for each part of a vector.
type product struct {
	dim, parts, width, last int // last is the width of the last part
	centroids               []float32
}

const centroids = 256

func (in *input) quantised() (matrix, error) {
	norms, err := in.flag()
	if err != nil {
		return nil, err
	}
	var size struct {
		Rows, Columns int64
		Codes         int32
	}
	if err := in.value(&size); err != nil {
		return nil, err
	}
	if size.Rows < 0 || size.Columns < 1 || size.Rows > 1<<31-1 || size.Columns > 1<<31-1 {
		return nil, fmt.Errorf("%d x %d numbers", size.Rows, size.Columns)
	}
	q := &quantised{rows: int(size.Rows), columns: int(size.Columns)}
	if q.codes, err = in.bytes(int64(size.Codes), "codes"); err != nil {
		return nil, err
	}
	if q.parts, err = in.product(q.columns); err != nil {
		return nil, err
	}
	if int64(len(q.codes)) != int64(q.rows)*int64(q.parts.parts) {
		return nil, fmt.Errorf("%d codes for %d rows of %d parts", len(q.codes), q.rows, q.parts.parts)
	}
	if !norms {
		return q, nil
	}
	if q.norms, err = in.bytes(size.Rows, "norms"); err != nil {
		return nil, err
	}
	q.scale, err = in.product(1)
	return q, err
}

func (in *input) product(dim int) (product, error) {
	var head struct{ Dim, Parts, Width, Last int32 }
	if err := in.value(&head); err != nil {
		return product{}, err
	}
	p := product{dim: int(head.Dim), parts: int(head.Parts), width: int(head.Width), last: int(head.Last)}
	if p.dim != dim || p.parts < 1 || p.width < 1 || p.last < 1 || p.last > p.width || (p.parts-1)*p.width+p.last != dim {
		return p, fmt.Errorf("quantiser of %d numbers in %d parts of %d, the last of %d, for %d columns", p.dim, p.parts, p.width, p.last, dim)
	}
	var err error
	p.centroids, err = in.floats(int64(dim)*centroids, "centroids")
	return p, err
}

// centroid is the part-th part of a vector, where code says which.
func (p *product) centroid(part int, code byte) []float32 {
	if part == p.parts-1 {
		return p.centroids[part*centroids*p.width+int(code)*p.last:][:p.last]
	}
	return p.centroids[(part*centroids+int(code))*p.width:][:p.width]
}

func (q *quantised) size() (rows, columns int) { return q.rows, q.columns }

func (q *quantised) norm(row int) float32 {
	if q.norms == nil {
		return 1
	}
	return q.scale.centroids[q.norms[row]]
}

func (q *quantised) add(to []float32, rows []int32) {
	n := q.parts.parts
	for _, row := range rows {
		norm, codes := q.norm(int(row)), q.codes[int(row)*n:][:n]
		if q.parts.width == 2 && q.parts.last == 2 { // what fastText's -dsub is if not given
			for part, code := range codes {
				c, t := q.parts.centroids[(part*centroids+int(code))*2:][:2], to[part*2:][:2]
				t[0] += float32(norm * c[0])
				t[1] += float32(norm * c[1])
			}
			continue
		}
		for part, code := range codes {
			for i, c := range q.parts.centroid(part, code) {
				to[part*q.parts.width+i] += float32(norm * c)
			}
		}
	}
}

func (q *quantised) dot(v []float32, row int) float32 {
	n, s := q.parts.parts, float32(0)
	for part, code := range q.codes[row*n:][:n] {
		for i, c := range q.parts.centroid(part, code) {
			s += float32(v[part*q.parts.width+i] * c)
		}
	}
	return s * q.norm(row)
}

func (q *quantised) multiply(out, v []float32) {
	for row := range out {
		out[row] = q.dot(v, row)
	}
}
