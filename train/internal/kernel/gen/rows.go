package main

import (
	"fmt"
	"math"
)

// rows writes the row functions.
func rows(a *asm) {
	exponentials(a)
	gated(a)
	norms(a)
	linear(a)
	reductions(a)
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

// expLimits loads what exp needs in registers: the least and greatest argument, V14 and V13.
func (a *asm) expLimits() {
	a.flush()
	a.op("VMOVUPS %s, V14", a.float("least", -104))
	a.op("VMOVUPS %s, V13", a.float("most", 89))
}

// exp sets x = e^x with temporaries n and t: x = n ln 2 + r, |r| <= ln 2 / 2, and a polynomial of degree 6 in r whose
// coefficients are a minimax fit of the relative error (3e-9) with the first two held at 1.
func (a *asm) exp(x, n, t int) {
	a.op("VMAXPS V%d, V14, V%d", x, x) // a NaN in x stays
	a.op("VMINPS V%d, V13, V%d", x, x)
	a.op("VMULPS %s, V%d, V%d", a.float("log2e", math.Log2E), x, n)
	if a.wide {
		a.op("VRNDSCALEPS $8, V%d, V%d", n, n)
	} else {
		a.op("VROUNDPS $8, V%d, V%d", n, n)
	}
	high := float64(float32(math.Ln2))
	a.op("VFNMADD231PS %s, V%d, V%d", a.float("ln2high", high), n, x)
	a.op("VFNMADD231PS %s, V%d, V%d", a.float("ln2low", math.Ln2-high), n, x)
	a.op("VMOVUPS %s, V%d", a.float("exp6", 0.0013814598047097093), t)
	for i, c := range []float64{0.00836871592982231, 0.04166838799061772, 0.1666652063838488, 0.4999999344813485, 1, 1} {
		name := fmt.Sprintf("exp%d", 5-i)
		if c == 1 {
			name = "one"
		}
		a.op("VFMADD213PS %s, V%d, V%d", a.float(name, c), x, t)
	}
	if a.wide {
		a.op("VSCALEFPS V%d, V%d, V%d", n, t, x)
		return
	}
	bias := a.constant("bias", 127)
	a.op("VCVTPS2DQ V%d, V%d", n, n)
	a.op("VPSRAD $1, V%d, V%d", n, x) // 2^n in two factors: results below the normal numbers and beyond the largest come out right
	a.op("VPSUBD V%d, V%d, V%d", x, n, n)
	for _, v := range []int{x, n} {
		a.op("VPADDD %s, V%d, V%d", bias, v, v)
		a.op("VPSLLD $23, V%d, V%d", v, v)
	}
	a.op("VMULPS V%d, V%d, V%d", x, t, t)
	a.op("VMULPS V%d, V%d, V%d", n, t, x)
}

// keep zeroes the lanes of v beyond the tail.
func (a *asm) keep(v int) {
	if a.wide {
		a.op("VMOVAPS.Z V%d, K1, V%d", v, v)
	} else {
		a.op("VANDPS V15, V%d, V%d", v, v)
	}
}

// fold reduces register v (of sums or maxima) to its first lane.
func (a *asm) fold(instruction string, v, scratch int) {
	if a.wide {
		a.op("VEXTRACTF64X4 $1, Z%d, Y%d", v, scratch)
		a.op("%s Y%d, Y%d, Y%d", instruction, scratch, v, v)
	}
	a.op("VEXTRACTF128 $1, Y%d, X%d", v, scratch)
	a.op("%s X%d, X%d, X%d", instruction, scratch, v, v)
	for _, swap := range []string{"$0x4e", "$0xb1"} {
		a.op("VPERMILPS %s, X%d, X%d", swap, v, scratch)
		a.op("%s X%d, X%d, X%d", instruction, scratch, v, v)
	}
}

// merge folds four running sums into the first and returns it.
func (a *asm) merge(instruction string, v [4]int) {
	a.op("%s V%d, V%d, V%d", instruction, v[1], v[0], v[0])
	a.op("%s V%d, V%d, V%d", instruction, v[3], v[2], v[2])
	a.op("%s V%d, V%d, V%d", instruction, v[2], v[0], v[0])
	a.fold(instruction, v[0], v[1])
	a.result("VMOVSS", fmt.Sprintf("X%d", v[0]))
	a.ret()
}

func exponentials(a *asm) {
	argument := func(masked bool, u int) {
		a.get(a.at("SI", u), 0, masked)
		a.op("VFMSUB213PS V11, V12, V0")
		a.exp(0, 1, 2)
	}
	begin := func(n, destination bool) {
		a.expLimits()
		if destination {
			a.load("MOVQ", "dst_base", "DI")
			a.load("MOVQ", "dst_len", "CX")
		} else {
			a.load("MOVQ", "x_len", "CX")
		}
		a.load("MOVQ", "x_base", "SI")
		a.load("VBROADCASTSS", "scale", "V12")
		a.load("VBROADCASTSS", "shift", "V11")
		a.zero(10)
	}
	a.function("exp"+a.suffix+" sets dst = exp(scale*x - shift).", "exp", []string{"dst []float32", "x []float32", "scale float32", "shift float32"}, "")
	begin(true, true)
	a.loop([]string{"SI", "DI"}, 1, func(u int, masked bool) {
		argument(masked, u)
		a.put(0, a.at("DI", u), masked)
	})
	a.rest()
	a.function("expSum"+a.suffix+" is exp that returns its sum.", "expSum", []string{"dst []float32", "x []float32", "scale float32", "shift float32"}, "float32")
	begin(true, true)
	a.loop([]string{"SI", "DI"}, 1, func(u int, masked bool) {
		argument(masked, u)
		a.put(0, a.at("DI", u), masked)
		if masked {
			a.keep(0)
		}
		a.op("VADDPS V0, V10, V10")
	})
	a.fold("VADDPS", 10, 1)
	a.result("VMOVSS", "X10")
	a.rest()
	a.function("sumExp"+a.suffix+" is the sum of exp(scale*x - shift).", "sumExp", []string{"x []float32", "scale float32", "shift float32"}, "float32")
	begin(true, false)
	a.loop([]string{"SI"}, 1, func(u int, masked bool) {
		argument(masked, u)
		if masked {
			a.keep(0)
		}
		a.op("VADDPS V0, V10, V10")
	})
	a.fold("VADDPS", 10, 1)
	a.result("VMOVSS", "X10")
	a.rest()
}

// gated writes silu, SwiGLU and the gradients beside them.
func gated(a *asm) {
	one := a.float("one", 1)
	onePlus := func() { // V1 = 1 + exp(-V0)
		a.op("VSUBPS V0, V9, V1")
		a.exp(1, 2, 3)
		a.op("VADDPS %s, V1, V1", one)
	}
	begin := func(first string, registers []string, names ...string) {
		a.expLimits()
		a.zero(9)
		a.load("MOVQ", first+"_len", "CX")
		for i, name := range names {
			a.load("MOVQ", name+"_base", registers[i])
		}
	}
	a.function("silu"+a.suffix+" sets dst = x / (1+exp(-x)).", "silu", []string{"dst []float32", "x []float32"}, "")
	begin("dst", []string{"DI", "SI"}, "dst", "x")
	a.loop([]string{"SI", "DI"}, 1, func(u int, masked bool) {
		a.get(a.at("SI", u), 0, masked)
		onePlus()
		a.op("VDIVPS V1, V0, V0")
		a.put(0, a.at("DI", u), masked)
	})
	a.rest()
	a.function("swiglu"+a.suffix+" sets dst = silu(gate) * up.", "swiglu", []string{"dst []float32", "gate []float32", "up []float32"}, "")
	begin("dst", []string{"DI", "SI", "BX"}, "dst", "gate", "up")
	a.loop([]string{"SI", "DI", "BX"}, 1, func(u int, masked bool) {
		a.get(a.at("SI", u), 0, masked)
		a.get(a.at("BX", u), 4, masked)
		onePlus()
		a.op("VMULPS V4, V0, V0")
		a.op("VDIVPS V1, V0, V0")
		a.put(0, a.at("DI", u), masked)
	})
	a.rest()
	a.function("swigluGrad"+a.suffix+" sets the gradients of silu(gate)*up.", "swigluGrad", []string{"dgate []float32", "dup []float32", "dy []float32", "gate []float32", "up []float32"}, "")
	begin("dgate", []string{"DI", "R8", "DX", "SI", "BX"}, "dgate", "dup", "dy", "gate", "up")
	a.loop([]string{"SI", "DI", "BX", "DX", "R8"}, 1, func(u int, masked bool) {
		a.get(a.at("SI", u), 0, masked)
		a.get(a.at("BX", u), 4, masked)
		a.get(a.at("DX", u), 5, masked)
		onePlus()
		a.op("VMOVUPS %s, V2", one)
		a.op("VDIVPS V1, V2, V1")       // s
		a.op("VMULPS V0, V1, V2")       // gate s
		a.op("VADDPS V1, V2, V3")       // s + gate s
		a.op("VFNMADD231PS V1, V2, V3") // - gate s s
		a.op("VMULPS V4, V5, V4")
		a.op("VMULPS V3, V4, V3")
		a.op("VMULPS V2, V5, V2")
		a.put(3, a.at("DI", u), masked)
		a.put(2, a.at("R8", u), masked)
	})
	a.rest()
	a.function("softmaxGrad"+a.suffix+" sets ds = scale * p * (dp - sum).", "softmaxGrad", []string{"ds []float32", "p []float32", "dp []float32", "sum float32", "scale float32"}, "")
	a.flush()
	a.load("MOVQ", "ds_base", "DI")
	a.load("MOVQ", "ds_len", "CX")
	a.load("MOVQ", "p_base", "SI")
	a.load("MOVQ", "dp_base", "BX")
	a.load("VBROADCASTSS", "sum", "V8")
	a.load("VBROADCASTSS", "scale", "V9")
	a.loop([]string{"SI", "DI", "BX"}, 1, func(u int, masked bool) {
		a.get(a.at("SI", u), 0, masked)
		a.get(a.at("BX", u), 1, masked)
		a.op("VSUBPS V8, V1, V1")
		a.op("VMULPS V0, V1, V1")
		a.op("VMULPS V9, V1, V1")
		a.put(1, a.at("DI", u), masked)
	})
	a.rest()
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

func reductions(a *asm) {
	a.function("max"+a.suffix+" is the largest of at least one element.", "max", []string{"x []float32"}, "float32")
	a.load("MOVQ", "x_base", "SI")
	a.load("MOVQ", "x_len", "CX")
	a.op("VBROADCASTSS (SI), V8")
	for u := range 4 {
		a.op("VMOVAPS V8, V%d", 4+u)
	}
	a.loop([]string{"SI"}, 4, func(u int, masked bool) {
		switch {
		case masked && a.wide:
			a.op("VMOVUPS (SI), K1, V8")
			a.op("VMAXPS V8, V4, V4")
		case masked:
			a.op("VMASKMOVPS (SI), V15, V0")
			a.op("VBLENDVPS V15, V0, V8, V0")
			a.op("VMAXPS V0, V4, V4")
		default:
			a.op("VMAXPS %s, V%d, V%d", a.at("SI", u), 4+u, 4+u)
		}
	})
	a.merge("VMAXPS", [4]int{4, 5, 6, 7})
	a.function("sum2"+a.suffix+" is the sum of squares in float32 lanes.", "sum2", []string{"x []float32"}, "float32")
	a.load("MOVQ", "x_base", "SI")
	a.load("MOVQ", "x_len", "CX")
	a.zero(4, 5, 6, 7)
	a.loop([]string{"SI"}, 4, func(u int, masked bool) {
		a.get(a.at("SI", u), 0, masked)
		a.op("VFMADD231PS V0, V0, V%d", 4+u)
	})
	a.merge("VADDPS", [4]int{4, 5, 6, 7})
	a.function("dot"+a.suffix+" is the sum of x*y.", "dot", []string{"x []float32", "y []float32"}, "float32")
	a.load("MOVQ", "x_base", "SI")
	a.load("MOVQ", "x_len", "CX")
	a.load("MOVQ", "y_base", "BX")
	a.zero(4, 5, 6, 7)
	a.loop([]string{"SI", "BX"}, 4, func(u int, masked bool) {
		a.get(a.at("SI", u), 0, masked)
		a.get(a.at("BX", u), 1, masked)
		a.op("VFMADD231PS V0, V1, V%d", 4+u)
	})
	a.merge("VADDPS", [4]int{4, 5, 6, 7})
	a.function("squares"+a.suffix+" is the sum of squares in float64.", "squares", []string{"x []float32"}, "float64")
	a.load("MOVQ", "x_base", "SI")
	a.load("MOVQ", "x_len", "CX")
	a.zero(4, 5, 6, 7)
	half, extract := "X0", "VEXTRACTF128"
	if a.wide {
		half, extract = "Y0", "VEXTRACTF64X4"
	}
	a.loop([]string{"SI"}, 2, func(u int, masked bool) {
		a.get(a.at("SI", u), 0, masked)
		a.op("VCVTPS2PD %s, V1", half)
		a.op("%s $1, V0, %s", extract, half)
		a.op("VCVTPS2PD %s, V2", half)
		a.op("VFMADD231PD V1, V1, V%d", 4+2*u)
		a.op("VFMADD231PD V2, V2, V%d", 5+2*u)
	})
	for _, pair := range [][2]int{{5, 4}, {7, 6}, {6, 4}} {
		a.op("VADDPD V%d, V%d, V%d", pair[0], pair[1], pair[1])
	}
	if a.wide {
		a.op("VEXTRACTF64X4 $1, Z4, Y5")
		a.op("VADDPD Y5, Y4, Y4")
	}
	a.op("VEXTRACTF128 $1, Y4, X5")
	a.op("VADDPD X5, X4, X4")
	a.op("VPERMILPD $1, X4, X5")
	a.op("VADDPD X5, X4, X4")
	a.result("VMOVSD", "X4")
	a.ret()
}

// adamw's constants lie in the order of adamConstants.
func adamw(a *asm) {
	a.function("adamw"+a.suffix+" is one update of weights and moments; it zeroes g.", "adamw",
		[]string{"w []float32", "g []float32", "m []float32", "v []float32", "c *adamConstants"}, "")
	a.flush()
	a.load("MOVQ", "w_base", "DI")
	a.load("MOVQ", "w_len", "CX")
	a.load("MOVQ", "g_base", "SI")
	a.load("MOVQ", "m_base", "BX")
	a.load("MOVQ", "v_base", "DX")
	a.load("MOVQ", "c", "R8")
	for i := range 9 {
		a.op("VBROADCASTSS %d(R8), V%d", 4*i, 6+i)
	}
	const gradScale, beta1, less1, beta2, less2, correct2, eps, rate, keep = 6, 7, 8, 9, 10, 11, 12, 13, 14
	a.loop([]string{"SI", "DI", "BX", "DX"}, 1, func(u int, masked bool) {
		a.get(a.at("SI", u), 0, masked)
		a.get(a.at("BX", u), 1, masked)
		a.get(a.at("DX", u), 2, masked)
		a.get(a.at("DI", u), 3, masked)
		a.op("VMULPS V%d, V0, V0", gradScale)
		a.op("VMULPS V%d, V1, V1", beta1)
		a.op("VFMADD231PS V%d, V0, V1", less1)
		a.op("VMULPS V0, V0, V0")
		a.op("VMULPS V%d, V2, V2", beta2)
		a.op("VFMADD231PS V%d, V0, V2", less2)
		a.op("VMULPS V%d, V2, V4", correct2)
		a.op("VSQRTPS V4, V4")
		a.op("VADDPS V%d, V4, V4", eps)
		a.op("VMULPS V%d, V1, V5", rate)
		a.op("VDIVPS V4, V5, V5")
		a.op("VFMSUB132PS V%d, V5, V3", keep) // keep w - rate m / denominator
		a.put(1, a.at("BX", u), masked)
		a.put(2, a.at("DX", u), masked)
		a.put(3, a.at("DI", u), masked)
		a.zero(0)
		a.put(0, a.at("SI", u), masked)
	})
	a.rest()
}

// probes writes what measures the machine.
func probes(a *asm) {
	a.function("peak"+a.suffix+" runs rounds of independent multiply-adds in registers: four times one for each register of the micro-kernel's tile.",
		"peak", []string{"rounds int"}, "")
	a.load("MOVQ", "rounds", "CX")
	for v := range 2*a.rows + 2 {
		a.zero(v)
	}
	a.label("again")
	for range 4 {
		for v := range 2 * a.rows {
			a.op("VFMADD231PS V%d, V%d, V%d", 2*a.rows, 2*a.rows+1, v)
		}
	}
	a.op("DECQ CX")
	a.op("JNE again")
	a.ret()
	a.function("read"+a.suffix+" touches every element.", "read", []string{"x []float32"}, "float32")
	a.load("MOVQ", "x_base", "SI")
	a.load("MOVQ", "x_len", "CX")
	a.zero(4, 5, 6, 7)
	a.loop([]string{"SI"}, 8, func(u int, masked bool) {
		if masked {
			a.get("(SI)", 0, true)
			a.op("VADDPS V0, V4, V4")
			return
		}
		a.op("VADDPS %s, V%d, V%d", a.at("SI", u), 4+u%4, 4+u%4)
	})
	a.merge("VADDPS", [4]int{4, 5, 6, 7})
}
