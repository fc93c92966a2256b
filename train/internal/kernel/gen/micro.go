package main

import "fmt"

// products writes the micro-kernel and the packing functions.
func products(a *asm) {
	micro(a)
	packRows(a)
	packColumns(a)
}

// micro writes the micro-kernel for every number of rows. Sums are kept in registers; the left side is broadcast element by
// element from where it lies, the right side is read forward, panel after panel.
//
// Registers: SI and R12 two bases of seven rows of a, R8, R10, R11 one, three and five times the distance of rows, R9 that of
// a sum's elements, BX b, AX the distance of its rows, CX what is left of the sum, DX of the columns, DI c, R13 its stride.
func micro(a *asm) {
	a.function("micro"+a.suffix+" computes c[rows,cols] = beta*c + a*b for rows up to "+fmt.Sprint(a.rows)+"; b's panels are k rows, bs apart, with skip from the end of one to the next; strides in elements.",
		"micro", []string{"rows int", "cols int", "k int", "a *float32", "rs int", "ks int", "b *float32", "bs int", "skip int", "c *float32", "ldc int", "beta float32"}, "")
	a.load("MOVQ", "rows", "AX")
	a.load("MOVQ", "rs", "R8")
	a.load("MOVQ", "ks", "R9")
	a.load("MOVQ", "b", "BX")
	a.load("MOVQ", "ldc", "R13")
	a.load("MOVQ", "cols", "DX")
	a.op("SHLQ $2, R8")
	a.op("SHLQ $2, R9")
	a.op("SHLQ $2, R13")
	a.op("LEAQ (R8)(R8*2), R10")
	a.op("LEAQ (R8)(R8*4), R11")
	for rows := a.rows; rows > 1; rows-- {
		a.op("CMPQ AX, $%d", rows)
		a.op("JEQ rows%d", rows)
	}
	for rows := 1; rows <= a.rows; rows++ {
		a.label(fmt.Sprintf("rows%d", rows))
		microRows(a, rows)
	}
}

// leftAddress is row i's element: two bases of seven rows, and multiples of the stride.
func leftAddress(i int) string {
	base := "SI"
	if i >= 7 {
		base, i = "R12", i-7
	}
	return "(" + base + ")" + []string{"", "(R8*1)", "(R8*2)", "(R10*1)", "(R8*4)", "(R11*1)", "(R10*2)"}[i]
}

func microRows(a *asm, rows int) {
	b0 := 2 * a.rows // registers of b, then two of broadcasts
	a.load("MOVQ", "a", "SI")
	a.load("MOVQ", "k", "CX")
	a.load("MOVQ", "c", "DI")
	a.load("MOVQ", "bs", "AX")
	a.op("SHLQ $2, AX")
	if rows > 7 {
		a.op("LEAQ (SI)(R10*2), R12")
		a.op("ADDQ R8, R12")
	}
	for v := range 2 * rows {
		a.zero(v)
	}
	a.op("MOVQ DI, R15")
	for i := range rows {
		a.op("PREFETCHT0 (R15)")
		if a.wide {
			a.op("PREFETCHT0 64(R15)")
		}
		if i < rows-1 {
			a.op("ADDQ R13, R15")
		}
	}
	const unroll = 4
	name := fmt.Sprintf("r%d", rows)
	a.op("SUBQ $%d, CX", unroll)
	a.op("JLT %stail", name)
	a.label(name + "loop")
	for range unroll {
		microStep(a, rows, b0)
	}
	a.op("SUBQ $%d, CX", unroll)
	a.op("JGE %sloop", name)
	a.label(name + "tail")
	a.op("ADDQ $%d, CX", unroll)
	a.op("JEQ %sdone", name)
	a.label(name + "one")
	microStep(a, rows, b0)
	a.op("DECQ CX")
	a.op("JNE %sone", name)
	a.label(name + "done")
	microStore(a, rows, b0, name)
	a.label(name + "next") // panel
	a.op("SUBQ $%d, DX", 2*a.lanes)
	a.op("JLE %send", name)
	a.load("MOVQ", "skip", "CX")
	a.op("LEAQ (BX)(CX*4), BX")
	a.op("ADDQ $%d, c+%d(FP)", 2*a.bytes, a.offsets["c"])
	a.op("JMP rows%d", rows)
	a.label(name + "end")
	a.ret()
}

// microStep adds one element of the sum to all sums.
func microStep(a *asm, rows, b0 int) {
	if rows <= 8 { // few rows: bound by memory, which is asked ahead of its use
		a.op("PREFETCHT0 2048(BX)")
		if a.wide {
			a.op("PREFETCHT0 2112(BX)")
		}
	}
	a.op("VMOVUPS (BX), V%d", b0)
	a.op("VMOVUPS %d(BX), V%d", a.bytes, b0+1)
	a.op("ADDQ AX, BX")
	for i := range rows {
		x := b0 + 2 + i%2
		a.op("VBROADCASTSS %s, V%d", leftAddress(i), x)
		a.op("VFMADD231PS V%d, V%d, V%d", b0, x, 2*i)
		a.op("VFMADD231PS V%d, V%d, V%d", b0+1, x, 2*i+1)
	}
	a.op("ADDQ R9, SI")
	if rows > 7 {
		a.op("ADDQ R9, R12")
	}
}

// microStore writes the tile, with beta times what was there or without reading it.
func microStore(a *asm, rows, b0 int, name string) {
	each := func(add, masked bool) {
		for i := range rows {
			for h := range 2 {
				microStoreRow(a, add, masked, h, b0, 2*i+h)
			}
			if i < rows-1 {
				a.op("ADDQ R13, DI")
			}
		}
	}
	a.load("VBROADCASTSS", "beta", fmt.Sprintf("V%d", b0))
	a.load("MOVL", "beta", "AX")
	if a.wide { // masks cost nothing: one form
		columnMasks(a)
		a.op("SHLL $1, AX") // both zeros
		a.op("JNE %sadd", name)
		each(false, false)
		a.op("JMP %snext", name)
		a.label(name + "add")
		each(true, false)
		return
	}
	a.op("SHLL $1, AX")
	a.op("JNE %sadd", name)
	a.op("CMPQ DX, $%d", 2*a.lanes)
	a.op("JLT %smasked", name)
	each(false, false)
	a.op("JMP %snext", name)
	a.label(name + "masked")
	columnMasks(a)
	each(false, true)
	a.op("JMP %snext", name)
	a.label(name + "add")
	a.op("CMPQ DX, $%d", 2*a.lanes)
	a.op("JLT %saddmasked", name)
	each(true, false)
	a.op("JMP %snext", name)
	a.label(name + "addmasked")
	columnMasks(a)
	each(true, true)
}

// microStoreRow writes half h of a row, from sum v.
func microStoreRow(a *asm, add, masked bool, h, b0, v int) {
	address := fmt.Sprintf("%d(DI)", h*a.bytes)
	switch {
	case a.wide && add:
		a.op("VMOVUPS.Z %s, K%d, V30", address, h+1)
		a.op("VFMADD231PS V30, V%d, V%d", b0, v)
	case add && masked:
		a.op("VMASKMOVPS %s, V%d, V13", address, 14+h)
		a.op("VFMADD231PS V13, V%d, V%d", b0, v)
	case add:
		a.op("VFMADD231PS %s, V%d, V%d", address, b0, v)
	}
	switch {
	case a.wide:
		a.op("VMOVUPS V%d, K%d, %s", v, h+1, address)
	case masked:
		a.op("VMASKMOVPS V%d, V%d, %s", v, 14+h, address)
	default:
		a.op("VMOVUPS V%d, %s", v, address)
	}
}

// columnMasks makes the masks of min(DX, width of the tile) columns: K1 and K2, or V14 and V15. The first seven rows' base
// and the sum's counter are free by then.
func columnMasks(a *asm) {
	if a.wide {
		a.op("MOVQ $%d, CX", 2*a.lanes)
		a.op("CMPQ DX, CX")
		a.op("CMOVQLT DX, CX")
		a.op("MOVL $0xffffffff, SI")
		a.op("BZHIL CX, SI, SI")
		a.op("KMOVW SI, K1")
		a.op("SHRL $16, SI")
		a.op("KMOVW SI, K2")
		return
	}
	a.op("MOVQ $%d, CX", a.lanes) // only the last panel is masked, so DX is below two registers
	a.op("CMPQ DX, CX")
	a.op("CMOVQLT DX, CX")
	a.op("MOVQ DX, SI")
	a.op("SUBQ CX, SI")
	a.mask("CX", "R12", 0, 14)
	a.mask("SI", "R12", 0, 15)
}
