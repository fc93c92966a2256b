package main

import "fmt"

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

func extremes(a *asm) {
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
}

func dots(a *asm) {
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
}

func squares(a *asm) {
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

// pause writes a spin loop's breath.
func pause(a *asm) {
	a.suffix = ""
	a.function("pause tells the processor that a loop is waiting for another thread.", "pause", nil, "")
	a.op("PAUSE")
	a.op("RET")
}
