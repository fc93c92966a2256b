package kernel

import "math"

// portable is the table for machines without an assembly of their own, and the form that the others are tested against.
func portable() *table {
	return &table{
		name: "portable", mr: 2, nr: 4, micro: microGo, packRows: packRowsGo, packCols: packColsGo(4),
		exp: expGo, max: maxGo, expSum: expSumGo, sumExp: sumExpGo, silu: siluGo, swiglu: swigluGo, swigluGrad: swigluGradGo,
		softmaxGrad: softmaxGradGo, sum2: sum2Go, norm: normGo, normDot: normDotGo, normGrad: normGradGo, rotate: rotateGo,
		add: addGo, scale: scaleGo, axpy: axpyGo, dot: dotGo, squares: squaresGo, adamw: adamwGo,
		peak: peakGo, read: readGo, peakFlops: 16,
	}
}

func microGo(rows, cols, k int, a []float32, rs, ks int, b []float32, bs, skip int, c []float32, ldc int, beta float32) {
	for from := 0; from < cols; from += 4 {
		panelGo(rows, min(4, cols-from), k, a, rs, ks, b[from/4*(k*bs+skip):], bs, c[from:], ldc, beta)
	}
}

func panelGo(rows, cols, k int, a []float32, rs, ks int, b []float32, bs int, c []float32, ldc int, beta float32) {
	var sum [2][4]float32
	if rows == 2 {
		var s00, s01, s02, s03, s10, s11, s12, s13 float32
		a1 := a[rs:]
		for l := range k {
			p := b[l*bs : l*bs+4 : l*bs+4]
			x, y := a[l*ks], a1[l*ks]
			s00 += x * p[0]
			s01 += x * p[1]
			s02 += x * p[2]
			s03 += x * p[3]
			s10 += y * p[0]
			s11 += y * p[1]
			s12 += y * p[2]
			s13 += y * p[3]
		}
		sum = [2][4]float32{{s00, s01, s02, s03}, {s10, s11, s12, s13}}
	} else {
		var s0, s1, s2, s3 float32
		for l := range k {
			p := b[l*bs : l*bs+4 : l*bs+4]
			x := a[l*ks]
			s0 += x * p[0]
			s1 += x * p[1]
			s2 += x * p[2]
			s3 += x * p[3]
		}
		sum[0] = [4]float32{s0, s1, s2, s3}
	}
	for i := range rows {
		row := c[i*ldc : i*ldc+cols]
		for j := range row {
			if beta == 0 {
				row[j] = sum[i][j]
			} else {
				row[j] = beta*row[j] + sum[i][j]
			}
		}
	}
}

func packRowsGo(k, cols, width int, src []float32, ld int, dst []float32) {
	for l := range k {
		row := dst[l*width : l*width+width]
		copy(row, src[l*ld:l*ld+cols])
		clear(row[cols:])
	}
}

func packColsGo(nr int) func(k, cols int, src []float32, ld int, dst []float32) {
	return func(k, cols int, src []float32, ld int, dst []float32) {
		for j := range nr {
			if j >= cols {
				for l := range k {
					dst[l*nr+j] = 0
				}
				continue
			}
			for l, x := range src[j*ld : j*ld+k] {
				dst[l*nr+j] = x
			}
		}
	}
}

// expOf is e^x in float64: 2^n by the exponent's bits times a polynomial of degree 7 (Taylor; within 3e-9 over half a ln 2).
func expOf(x float32) float32 {
	switch {
	case x < -87.33654:
		return 0
	case x > 88.72284:
		return float32(math.Inf(1))
	case x != x:
		return x
	}
	n := math.RoundToEven(float64(x) * math.Log2E)
	r := float64(x) - n*math.Ln2
	y := 1 + r*(1+r*(1./2+r*(1./6+r*(1./24+r*(1./120+r*(1./720+r*(1./5040)))))))
	return float32(y * math.Float64frombits(uint64(1023+int64(n))<<52))
}

func expGo(dst, x []float32, scale, shift float32) {
	for i := range dst {
		dst[i] = expOf(scale*x[i] - shift)
	}
}

func maxGo(x []float32) float32 {
	top := x[0]
	for _, v := range x[1:] {
		top = max(top, v)
	}
	return top
}

func expSumGo(dst, x []float32, scale, shift float32) float32 {
	sum := 0.0
	for i := range dst {
		dst[i] = expOf(scale*x[i] - shift)
		sum += float64(dst[i])
	}
	return float32(sum)
}

func sumExpGo(x []float32, scale, shift float32) float32 {
	sum := 0.0
	for _, v := range x {
		sum += float64(expOf(scale*v - shift))
	}
	return float32(sum)
}

func sigmoid(x float32) float32 { return 1 / (1 + expOf(-x)) }

func siluGo(dst, x []float32) {
	for i := range dst {
		dst[i] = x[i] * sigmoid(x[i])
	}
}

func swigluGo(dst, gate, up []float32) {
	for i := range dst {
		dst[i] = gate[i] * sigmoid(gate[i]) * up[i]
	}
}

func swigluGradGo(dgate, dup, dy, gate, up []float32) {
	for i := range dgate {
		s, d, g, u := sigmoid(gate[i]), dy[i], gate[i], up[i]
		dup[i] = d * g * s
		dgate[i] = d * u * (s + g*s*(1-s))
	}
}

func softmaxGradGo(ds, p, dp []float32, sum, scale float32) {
	for i := range ds {
		ds[i] = scale * p[i] * (dp[i] - sum)
	}
}

func sum2Go(x []float32) float32 { return float32(squaresGo(x)) }

func normGo(dst, x, gain []float32, inv float32) {
	for i := range dst {
		dst[i] = x[i] * inv * gain[i]
	}
}

func normDotGo(dy, x, gain []float32) float32 {
	sum := 0.0
	for i := range dy {
		sum += float64(dy[i] * gain[i] * x[i])
	}
	return float32(sum)
}

func normGradGo(dx, dgain, dy, x, gain []float32, inv, coef, beta float32) {
	for i := range dx {
		old := float32(0)
		if beta != 0 {
			old = beta * dx[i]
		}
		d, v := dy[i], x[i]
		dgain[i] += d * v * inv
		dx[i] = old + (d*gain[i]*inv - coef*v)
	}
}

func rotateGo(x, cos, sin []float32) {
	half := len(cos)
	for i, c := range cos {
		a, b, s := x[i], x[i+half], sin[i]
		x[i], x[i+half] = a*c-b*s, b*c+a*s
	}
}

func addGo(dst, x []float32) {
	for i := range dst {
		dst[i] += x[i]
	}
}

func scaleGo(dst []float32, a float32) {
	for i := range dst {
		dst[i] *= a
	}
}

func axpyGo(dst []float32, a float32, x []float32) {
	for i := range dst {
		dst[i] += a * x[i]
	}
}

func dotGo(x, y []float32) float32 {
	sum := 0.0
	for i := range x {
		sum += float64(x[i]) * float64(y[i])
	}
	return float32(sum)
}

func squaresGo(x []float32) float64 {
	sum := 0.0
	for _, v := range x {
		sum += float64(v) * float64(v)
	}
	return sum
}

func adamwGo(w, g, m, v []float32, c *adamConstants) {
	for i := range w {
		d := g[i] * c.gradScale
		m[i] = c.beta1*m[i] + c.oneLess1*d
		v[i] = c.beta2*v[i] + c.oneLess2*d*d
		w[i] = c.keep*w[i] - c.rate*m[i]/(float32(math.Sqrt(float64(v[i]*c.correct2)))+c.eps)
		g[i] = 0
	}
}

// peakGo is eight chains of multiply and add.
func peakGo(rounds int) {
	a, b, c, d, e, f, g, h := float32(1), float32(1), float32(1), float32(1), float32(1), float32(1), float32(1), float32(1)
	for range rounds {
		a, b, c, d = a*0.5+1, b*0.5+1, c*0.5+1, d*0.5+1
		e, f, g, h = e*0.5+1, f*0.5+1, g*0.5+1, h*0.5+1
	}
	if a+b+c+d+e+f+g+h < 0 {
		panic("kernel: sums of positive numbers are positive")
	}
}

func readGo(x []float32) float32 {
	var a, b, c, d float32
	for ; len(x) >= 4; x = x[4:] {
		a, b, c, d = a+x[0], b+x[1], c+x[2], d+x[3]
	}
	return a + b + c + d
}
