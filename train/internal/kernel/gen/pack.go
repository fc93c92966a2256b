package main

// packRows writes the copy of rows into panels.
func packRows(a *asm) {
	a.function("packRows"+a.suffix+" copies src[k,cols] to dst[k,width], zero beyond cols; width is at most two registers.",
		"packRows", []string{"k int", "cols int", "width int", "src *float32", "ld int", "dst *float32"}, "")
	a.load("MOVQ", "k", "CX")
	a.load("MOVQ", "cols", "DX")
	a.load("MOVQ", "width", "R11")
	a.load("MOVQ", "src", "SI")
	a.load("MOVQ", "ld", "R8")
	a.load("MOVQ", "dst", "DI")
	a.op("SHLQ $2, R8")
	a.op("MOVQ R11, R9")
	a.op("SHLQ $2, R9")
	a.op("CMPQ R11, $%d", a.lanes)
	a.op("JLE narrow")
	a.op("CMPQ DX, $%d", 2*a.lanes)
	a.op("JNE partial")
	copyRows(a, "full", func(h int) { a.op("VMOVUPS %d(SI), V%d", h*a.bytes, h) }, func(h int) { a.op("VMOVUPS V%d, %d(DI)", h, h*a.bytes) }, 2)
	a.label("partial")
	masks := func() { // of DX columns: K1, K2 or V14, V15
		a.op("MOVQ $%d, R10", a.lanes)
		a.op("CMPQ DX, R10")
		a.op("CMOVQLT DX, R10")
		a.op("SUBQ R10, DX")
		a.mask("R10", "R12", 1, 14)
		a.mask("DX", "R12", 2, 15)
	}
	masks()
	masked := func(h int) {
		if a.wide {
			a.op("VMOVUPS.Z %d(SI), K%d, V%d", h*a.bytes, h+1, h)
		} else {
			a.op("VMASKMOVPS %d(SI), V%d, V%d", h*a.bytes, 14+h, h)
		}
	}
	copyRows(a, "edge", masked, func(h int) { a.op("VMOVUPS V%d, %d(DI)", h, h*a.bytes) }, 2)
	a.label("narrow")
	a.mask("DX", "R12", 1, 14)
	a.mask("R11", "R12", 2, 15)
	copyRows(a, "slim", masked, func(h int) {
		if a.wide {
			a.op("VMOVUPS V0, K2, (DI)")
		} else {
			a.op("VMASKMOVPS V0, V15, (DI)")
		}
	}, 1)
}

func copyRows(a *asm, name string, load, store func(h int), registers int) {
	a.op("TESTQ CX, CX")
	a.op("JLE %sdone", name)
	a.label(name)
	for h := range registers {
		load(h)
	}
	for h := range registers {
		store(h)
	}
	a.op("ADDQ R8, SI")
	a.op("ADDQ R9, DI")
	a.op("DECQ CX")
	a.op("JNE %s", name)
	a.label(name + "done")
	a.ret()
}

// packColumns writes the transposing copy, one register's lanes of columns at a time.
func packColumns(a *asm) {
	a.function("packCols"+a.suffix+" copies the transpose of src[cols,k], cols up to one register's lanes, to dst[k,width], zero beyond cols in that register.",
		"packCols", []string{"k int", "cols int", "width int", "src *float32", "ld int", "dst *float32"}, "")
	a.load("MOVQ", "k", "CX")
	a.load("MOVQ", "cols", "DX")
	a.load("MOVQ", "width", "R9")
	a.load("MOVQ", "src", "SI")
	a.load("MOVQ", "ld", "R8")
	a.load("MOVQ", "dst", "DI")
	a.op("SHLQ $2, R8")
	a.op("SHLQ $2, R9")
	a.op("LEAQ (R8)(R8*2), R10")
	a.op("LEAQ (R8)(R8*4), R11")
	a.op("LEAQ (R9)(R9*2), BX")
	n := a.lanes
	a.label("block")
	a.op("CMPQ CX, $%d", n)
	a.op("JLT last")
	a.op("CMPQ DX, $%d", n)
	a.op("JLT low")
	transposeLoads(a)
	a.label("turn")
	transpose(a)
	a.op("MOVQ DI, R13")
	for i := range n {
		a.op("VMOVUPS V%d, (R13)", order(a, i))
		if i < n-1 {
			a.op("ADDQ R9, R13")
		}
	}
	a.op("ADDQ $%d, SI", a.bytes)
	a.op("MOVQ R9, R13")
	a.op("IMULQ $%d, R13", n)
	a.op("ADDQ R13, DI")
	a.op("SUBQ $%d, CX", n)
	a.op("JMP block")
	a.label("low") // fewer columns than lanes
	transposeRows(a, false)
	a.op("JMP turn")
	a.label("last") // fewer elements than lanes
	a.op("TESTQ CX, CX")
	a.op("JLE done")
	a.mask("CX", "R13", 1, 15)
	transposeRows(a, true)
	transpose(a)
	for i := range n {
		a.op("VMOVUPS V%d, (DI)", order(a, i))
		if i < n-1 {
			a.op("ADDQ R9, DI")
			a.op("CMPQ CX, $%d", i+1)
			a.op("JEQ done")
		}
	}
	a.label("done")
	a.ret()
}

// transposeLoads reads a full block.
func transposeLoads(a *asm) {
	a.op("LEAQ (SI)(R10*2), R12")
	a.op("ADDQ R8, R12")
	for i := range min(a.lanes, 14) {
		a.op("VMOVUPS %s, V%d", leftAddress(i), i)
	}
	if a.wide {
		a.op("LEAQ (R12)(R10*2), R12")
		a.op("ADDQ R8, R12")
		a.op("VMOVUPS (R12), V14")
		a.op("VMOVUPS (R12)(R8*1), V15")
	}
}

// transposeRows reads DX rows, the first CX elements of each where masked, and zeroes the other registers.
func transposeRows(a *asm, masked bool) {
	loaded := a.fresh("loaded")
	for i := range a.lanes {
		a.zero(i)
	}
	a.op("MOVQ SI, R12")
	for i := range a.lanes {
		a.get("(R12)", i, masked)
		if i < a.lanes-1 {
			a.op("ADDQ R8, R12")
			a.op("CMPQ DX, $%d", i+1)
			a.op("JEQ %s", loaded)
		}
	}
	a.label(loaded)
}

// transpose turns the block in registers 0 to lanes-1 over; order says where each row then is.
func transpose(a *asm) {
	if a.wide {
		for i := 0; i < 16; i += 2 { // pairs of rows
			a.op("VUNPCKLPS V%d, V%d, V%d", i+1, i, 16+i)
			a.op("VUNPCKHPS V%d, V%d, V%d", i+1, i, 17+i)
		}
		for i := 0; i < 16; i += 4 { // fours: column c of each 128-bit lane in register i+c
			a.op("VUNPCKLPD V%d, V%d, V%d", 16+i+2, 16+i, i)
			a.op("VUNPCKHPD V%d, V%d, V%d", 16+i+2, 16+i, i+1)
			a.op("VUNPCKLPD V%d, V%d, V%d", 16+i+3, 16+i+1, i+2)
			a.op("VUNPCKHPD V%d, V%d, V%d", 16+i+3, 16+i+1, i+3)
		}
		for c := range 4 {
			a.op("VSHUFF32X4 $0x88, V%d, V%d, V%d", 4+c, c, 16+c)
			a.op("VSHUFF32X4 $0xdd, V%d, V%d, V%d", 4+c, c, 20+c)
			a.op("VSHUFF32X4 $0x88, V%d, V%d, V%d", 12+c, 8+c, 24+c)
			a.op("VSHUFF32X4 $0xdd, V%d, V%d, V%d", 12+c, 8+c, 28+c)
		}
		for c := range 4 {
			a.op("VSHUFF32X4 $0x88, V%d, V%d, V%d", 24+c, 16+c, c)
			a.op("VSHUFF32X4 $0x88, V%d, V%d, V%d", 28+c, 20+c, 4+c)
			a.op("VSHUFF32X4 $0xdd, V%d, V%d, V%d", 24+c, 16+c, 8+c)
			a.op("VSHUFF32X4 $0xdd, V%d, V%d, V%d", 28+c, 20+c, 12+c)
		}
		return
	}
	for i := 0; i < 8; i += 2 {
		a.op("VUNPCKLPS V%d, V%d, V%d", i+1, i, 8+i/2)
		a.op("VUNPCKHPS V%d, V%d, V%d", i+1, i, i)
		a.op("VMOVAPS V%d, V%d", 8+i/2, i+1) // low pairs odd, high pairs even
	}
	for i := 0; i < 8; i += 4 {
		a.op("VUNPCKLPD V%d, V%d, V%d", i+3, i+1, 8+i)
		a.op("VUNPCKHPD V%d, V%d, V%d", i+3, i+1, 9+i)
		a.op("VUNPCKLPD V%d, V%d, V%d", i+2, i, 10+i)
		if i == 0 {
			a.op("VUNPCKHPD V%d, V%d, V%d", i+2, i, 11)
			continue
		}
		a.op("VUNPCKHPD V%d, V%d, V%d", i+2, i, 4) // V15 is the mask
	}
	last := []int{12, 13, 14, 4}
	for c := range 4 {
		a.op("VPERM2F128 $0x31, V%d, V%d, V%d", last[c], 8+c, 5+[]int{0, 1, 2, -2}[c])
		a.op("VPERM2F128 $0x20, V%d, V%d, V%d", last[c], 8+c, 8+c)
	}
}

// order is the register that holds row i after transpose.
func order(a *asm, i int) int {
	if a.wide || i < 4 {
		if a.wide {
			return i
		}
		return 8 + i
	}
	return []int{5, 6, 7, 3}[i-4]
}
