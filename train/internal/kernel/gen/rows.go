package main

import (
	"fmt"
	"math"
)

// rows writes the row functions.
func rows(a *asm) {
	exponentials(a)
	gated(a)
	gatedGradient(a)
	softmaxGradient(a)
	norms(a)
	normGradient(a)
	rotate(a)
	linear(a)
	extremes(a)
	dots(a)
	squares(a)
	adamw(a)
	probes(a)
}

// loop runs body over CX elements: unrolled whole registers, single ones, and a masked tail. Addresses advance by the
// pointers; body's u is the register within the round, for separate sums and the address's offset.
func (a *asm) loop(pointers []string, unroll int, body func(u int, masked bool)) {
	single, tail, done := a.fresh("single"), a.fresh("tail"), a.fresh("done")
	round := func(label, next string, registers int) {
		a.label(label)
		a.op("SUBQ $%d, CX", registers*a.lanes)
		a.op("JLT %s", next)
		for u := range registers {
			body(u, false)
		}
		for _, p := range pointers {
			a.op("ADDQ $%d, %s", registers*a.bytes, p)
		}
		a.op("JMP %s", label)
	}
	if unroll > 1 {
		round(a.fresh("round"), single+"begin", unroll)
		a.label(single + "begin")
		a.op("ADDQ $%d, CX", unroll*a.lanes)
	}
	round(single, tail, 1)
	a.label(tail)
	a.op("ADDQ $%d, CX", a.lanes)
	a.op("JEQ %s", done)
	a.mask("CX", "R13", 1, 15)
	body(0, true)
	a.label(done)
}

// flush makes results below the normal numbers 0 until rest: moments that decay and probabilities that vanish would
// otherwise take a hundred times as long, here and in what reads them.
func (a *asm) flush() { a.op("LDMXCSR %s", a.constant("flush", 0x9fc0)) }

// rest restores the control word that Go programs run with, and returns.
func (a *asm) rest() {
	a.op("LDMXCSR %s", a.constant("rest", 0x1f80))
	a.ret()
}

// at is the address of a round's register.
func (a *asm) at(pointer string, u int) string {
	if u == 0 {
		return "(" + pointer + ")"
	}
	return fmt.Sprintf("%d(%s)", u*a.bytes, pointer)
}

// float is a constant's operand.
func (a *asm) float(name string, value float64) string {
	return a.constant(name, math.Float32bits(float32(value)))
}

func norms(a *asm) {
	a.function("norm"+a.suffix+" sets dst = x * inv * gain.", "norm", []string{"dst []float32", "x []float32", "gain []float32", "inv float32"}, "")
	a.load("MOVQ", "dst_base", "DI")
	a.load("MOVQ", "dst_len", "CX")
	a.load("MOVQ", "x_base", "SI")
	a.load("MOVQ", "gain_base", "BX")
	a.load("VBROADCASTSS", "inv", "V8")
	a.loop([]string{"SI", "DI", "BX"}, 2, func(u int, masked bool) {
		a.get(a.at("SI", u), 0, masked)
		a.get(a.at("BX", u), 1, masked)
		a.op("VMULPS V8, V0, V0")
		a.op("VMULPS V1, V0, V0")
		a.put(0, a.at("DI", u), masked)
	})
	a.ret()
	a.function("normDot"+a.suffix+" is the sum of dy*x*gain.", "normDot", []string{"dy []float32", "x []float32", "gain []float32"}, "float32")
	a.load("MOVQ", "dy_base", "DI")
	a.load("MOVQ", "dy_len", "CX")
	a.load("MOVQ", "x_base", "SI")
	a.load("MOVQ", "gain_base", "BX")
	a.zero(4, 5, 6, 7)
	a.loop([]string{"SI", "DI", "BX"}, 4, func(u int, masked bool) {
		a.get(a.at("SI", u), 0, masked)
		a.get(a.at("BX", u), 1, masked)
		a.get(a.at("DI", u), 2, masked)
		a.op("VMULPS V1, V2, V1")
		a.op("VFMADD231PS V0, V1, V%d", 4+u)
	})
	a.merge("VADDPS", [4]int{4, 5, 6, 7})
}

func normGradient(a *asm) {
	a.function("normGrad"+a.suffix+" sets dx = beta*dx + inv*dy*gain - coef*x and dgain += inv*dy*x.", "normGrad",
		[]string{"dx []float32", "dgain []float32", "dy []float32", "x []float32", "gain []float32", "inv float32", "coef float32", "beta float32"}, "")
	a.load("MOVQ", "dx_base", "DI")
	a.load("MOVQ", "dx_len", "CX")
	a.load("MOVQ", "dgain_base", "R8")
	a.load("MOVQ", "dy_base", "DX")
	a.load("MOVQ", "x_base", "SI")
	a.load("MOVQ", "gain_base", "BX")
	a.load("VBROADCASTSS", "inv", "V8")
	a.load("VBROADCASTSS", "coef", "V9")
	a.load("VBROADCASTSS", "beta", "V10")
	a.load("MOVL", "beta", "AX")
	a.op("SHLL $1, AX")
	a.op("JEQ fresh")
	for _, add := range []bool{true, false} {
		if !add {
			a.label("fresh")
		}
		a.loop([]string{"SI", "DI", "BX", "DX", "R8"}, 1, func(u int, masked bool) {
			a.get(a.at("SI", u), 0, masked)
			a.get(a.at("BX", u), 1, masked)
			a.get(a.at("DX", u), 2, masked)
			a.get(a.at("R8", u), 3, masked)
			a.op("VMULPS V8, V2, V2") // inv dy
			a.op("VFMADD231PS V0, V2, V3")
			a.put(3, a.at("R8", u), masked)
			a.op("VMULPS V1, V2, V2")
			a.op("VFNMADD231PS V9, V0, V2")
			if add {
				a.get(a.at("DI", u), 4, masked)
				a.op("VFMADD231PS V4, V10, V2")
			}
			a.put(2, a.at("DI", u), masked)
		})
		a.ret()
	}
}

func rotate(a *asm) {
	a.function("rotate"+a.suffix+" turns the pairs (x[i], x[i+len(cos)]).", "rotate", []string{"x []float32", "cos []float32", "sin []float32"}, "")
	a.load("MOVQ", "x_base", "SI")
	a.load("MOVQ", "cos_base", "BX")
	a.load("MOVQ", "cos_len", "CX")
	a.load("MOVQ", "sin_base", "DX")
	a.op("LEAQ (SI)(CX*4), DI")
	a.loop([]string{"SI", "DI", "BX", "DX"}, 1, func(u int, masked bool) {
		a.get(a.at("SI", u), 0, masked)
		a.get(a.at("DI", u), 1, masked)
		a.get(a.at("BX", u), 2, masked)
		a.get(a.at("DX", u), 3, masked)
		a.op("VMULPS V3, V1, V4")
		a.op("VFMSUB231PS V2, V0, V4") // x cos - y sin
		a.op("VMULPS V3, V0, V5")
		a.op("VFMADD231PS V2, V1, V5")
		a.put(4, a.at("SI", u), masked)
		a.put(5, a.at("DI", u), masked)
	})
	a.ret()
}

func linear(a *asm) {
	a.function("add"+a.suffix+" sets dst += x.", "add", []string{"dst []float32", "x []float32"}, "")
	a.load("MOVQ", "dst_base", "DI")
	a.load("MOVQ", "dst_len", "CX")
	a.load("MOVQ", "x_base", "SI")
	a.loop([]string{"SI", "DI"}, 4, func(u int, masked bool) {
		a.get(a.at("SI", u), 0, masked)
		a.get(a.at("DI", u), 1, masked)
		a.op("VADDPS V0, V1, V1")
		a.put(1, a.at("DI", u), masked)
	})
	a.ret()
	a.function("scale"+a.suffix+" sets dst *= a.", "scale", []string{"dst []float32", "a float32"}, "")
	a.flush()
	a.load("MOVQ", "dst_base", "DI")
	a.load("MOVQ", "dst_len", "CX")
	a.load("VBROADCASTSS", "a", "V8")
	a.loop([]string{"DI"}, 4, func(u int, masked bool) {
		a.get(a.at("DI", u), 0, masked)
		a.op("VMULPS V8, V0, V0")
		a.put(0, a.at("DI", u), masked)
	})
	a.rest()
	a.function("axpy"+a.suffix+" sets dst += a*x.", "axpy", []string{"dst []float32", "a float32", "x []float32"}, "")
	a.load("MOVQ", "dst_base", "DI")
	a.load("MOVQ", "dst_len", "CX")
	a.load("MOVQ", "x_base", "SI")
	a.load("VBROADCASTSS", "a", "V8")
	a.loop([]string{"SI", "DI"}, 4, func(u int, masked bool) {
		a.get(a.at("SI", u), 0, masked)
		a.get(a.at("DI", u), 1, masked)
		a.op("VFMADD231PS V0, V8, V1")
		a.put(1, a.at("DI", u), masked)
	})
	a.ret()
}
