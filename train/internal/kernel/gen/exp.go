package main

import (
	"fmt"
	"math"
)

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

// onePlus sets V1 = 1 + exp(-V0), by V2 and V3.
func (a *asm) onePlus() {
	a.op("VSUBPS V0, V9, V1")
	a.exp(1, 2, 3)
	a.op("VADDPS %s, V1, V1", a.float("one", 1))
}

// begin loads the length of the first slice, their addresses, and what onePlus needs.
func (a *asm) begin(registers []string, names ...string) {
	a.expLimits()
	a.zero(9)
	a.load("MOVQ", names[0]+"_len", "CX")
	for i, name := range names {
		a.load("MOVQ", name+"_base", registers[i])
	}
}

// gated writes silu and SwiGLU.
func gated(a *asm) {
	a.function("silu"+a.suffix+" sets dst = x / (1+exp(-x)).", "silu", []string{"dst []float32", "x []float32"}, "")
	a.begin([]string{"DI", "SI"}, "dst", "x")
	a.loop([]string{"SI", "DI"}, 1, func(u int, masked bool) {
		a.get(a.at("SI", u), 0, masked)
		a.onePlus()
		a.op("VDIVPS V1, V0, V0")
		a.put(0, a.at("DI", u), masked)
	})
	a.rest()
	a.function("swiglu"+a.suffix+" sets dst = silu(gate) * up.", "swiglu", []string{"dst []float32", "gate []float32", "up []float32"}, "")
	a.begin([]string{"DI", "SI", "BX"}, "dst", "gate", "up")
	a.loop([]string{"SI", "DI", "BX"}, 1, func(u int, masked bool) {
		a.get(a.at("SI", u), 0, masked)
		a.get(a.at("BX", u), 4, masked)
		a.onePlus()
		a.op("VMULPS V4, V0, V0")
		a.op("VDIVPS V1, V0, V0")
		a.put(0, a.at("DI", u), masked)
	})
	a.rest()
}

func gatedGradient(a *asm) {
	one := a.float("one", 1)
	a.function("swigluGrad"+a.suffix+" sets the gradients of silu(gate)*up.", "swigluGrad", []string{"dgate []float32", "dup []float32", "dy []float32", "gate []float32", "up []float32"}, "")
	a.begin([]string{"DI", "R8", "DX", "SI", "BX"}, "dgate", "dup", "dy", "gate", "up")
	a.loop([]string{"SI", "DI", "BX", "DX", "R8"}, 1, func(u int, masked bool) {
		a.get(a.at("SI", u), 0, masked)
		a.get(a.at("BX", u), 4, masked)
		a.get(a.at("DX", u), 5, masked)
		a.onePlus()
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
}

func softmaxGradient(a *asm) {
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
