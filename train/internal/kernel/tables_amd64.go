package kernel

import "golang.org/x/sys/cpu"

// tables lists what runs on this processor, best first.
func tables() []*table {
	var list []*table
	if cpu.X86.HasAVX512F && cpu.X86.HasAVX512DQ && cpu.X86.HasAVX512VL && cpu.X86.HasAVX512BW && cpu.X86.HasBMI2 {
		list = append(list, &table{
			name: "avx512", mr: 14, nr: 32,
			micro: func(rows, cols, k int, a []float32, rs, ks int, b []float32, bs, skip int, c []float32, ldc int, beta float32) {
				micro512(rows, cols, k, &a[0], rs, ks, &b[0], bs, skip, &c[0], ldc, beta)
			},
			packRows: func(k, cols, width int, src []float32, ld int, dst []float32) {
				packRows512(k, cols, width, &src[0], ld, &dst[0])
			},
			packCols: func(k, cols int, src []float32, ld int, dst []float32) {
				packHalves(packCols512, 16, k, cols, src, ld, dst)
			},
			exp: exp512, max: max512, expSum: expSum512, sumExp: sumExp512, silu: silu512, swiglu: swiglu512, swigluGrad: swigluGrad512,
			softmaxGrad: softmaxGrad512, sum2: sum2512, norm: norm512, normDot: normDot512, normGrad: normGrad512, rotate: rotate512,
			add: add512, scale: scale512, axpy: axpy512, dot: dot512, squares: squares512, adamw: adamw512,
			peak: peak512, read: read512, peakFlops: 4 * 28 * 16 * 2,
		})
	}
	if cpu.X86.HasAVX2 && cpu.X86.HasFMA && cpu.X86.HasBMI2 {
		list = append(list, &table{
			name: "avx2", mr: 6, nr: 16,
			micro: func(rows, cols, k int, a []float32, rs, ks int, b []float32, bs, skip int, c []float32, ldc int, beta float32) {
				micro2(rows, cols, k, &a[0], rs, ks, &b[0], bs, skip, &c[0], ldc, beta)
			},
			packRows: func(k, cols, width int, src []float32, ld int, dst []float32) {
				packRows2(k, cols, width, &src[0], ld, &dst[0])
			},
			packCols: func(k, cols int, src []float32, ld int, dst []float32) {
				packHalves(packCols2, 8, k, cols, src, ld, dst)
			},
			exp: exp2, max: max2, expSum: expSum2, sumExp: sumExp2, silu: silu2, swiglu: swiglu2, swigluGrad: swigluGrad2,
			softmaxGrad: softmaxGrad2, sum2: sum22, norm: norm2, normDot: normDot2, normGrad: normGrad2, rotate: rotate2,
			add: add2, scale: scale2, axpy: axpy2, dot: dot2, squares: squares2, adamw: adamw2,
			peak: peak2, read: read2, peakFlops: 4 * 12 * 8 * 2,
		})
	}
	return append(list, portable())
}

// packHalves packs a panel of two registers of columns by a function that packs one.
func packHalves(pack func(k, cols, width int, src *float32, ld int, dst *float32), lanes, k, cols int, src []float32, ld int, dst []float32) {
	pack(k, min(cols, lanes), 2*lanes, &src[0], ld, &dst[0])
	if cols > lanes {
		pack(k, cols-lanes, 2*lanes, &src[lanes*ld], ld, &dst[lanes])
		return
	}
	for l := range k {
		clear(dst[l*2*lanes+lanes : (l+1)*2*lanes])
	}
}
