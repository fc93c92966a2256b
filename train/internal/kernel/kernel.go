// Package kernel is the float32 arithmetic of the trainer: matrix products, row functions and the optimiser's update, as
// generated assembly for AVX-512 and AVX2 with a portable form for everything else. Slices of float32 in row-major order with
// their strides flow in; results in the caller's slices flow out, bitwise the same for any number of threads. Between
// instruction sets results differ in the last bits, since sums are taken in another order.
//
// A Pool holds the threads and one instruction set. Its methods split work over tiles of the result and never over a sum. A
// Worker is one thread's scratch inside Pool.Run; its methods are the serial forms.
//
// Shapes that do not fit their slices are mistakes of the caller and panic.
package kernel

import (
	"fmt"
	"os"
	"runtime"
	"strings"
)

//go:generate go run ./gen

// table is one instruction set's functions. Slices are cut to size by the callers; assembly does not look at lengths other
// than that of the first slice.
type table struct {
	name   string
	mr, nr int // rows and columns of the micro-kernel's tile
	// micro computes c[rows,cols] = beta*c + a*b for at most mr rows, with a's element (i,l) at i*rs+l*ks. b is panels of nr
	// columns whatever cols, k rows each, bs apart (nr in a packed panel), and skip from the end of one panel to the next.
	micro func(rows, cols, k int, a []float32, rs, ks int, b []float32, bs, skip int, c []float32, ldc int, beta float32)
	// packRows copies src[k,cols] to dst[k][width], zero beyond cols.
	packRows func(k, cols, width int, src []float32, ld int, dst []float32)
	// packCols copies the transpose of src[cols,k] to dst[k][nr], zero beyond cols.
	packCols func(k, cols int, src []float32, ld int, dst []float32)

	exp         func(dst, x []float32, scale, shift float32)
	max         func(x []float32) float32
	expSum      func(dst, x []float32, scale, shift float32) float32
	sumExp      func(x []float32, scale, shift float32) float32
	silu        func(dst, x []float32)
	swiglu      func(dst, gate, up []float32)
	swigluGrad  func(dgate, dup, dy, gate, up []float32)
	softmaxGrad func(ds, p, dp []float32, sum, scale float32)
	sum2        func(x []float32) float32
	norm        func(dst, x, gain []float32, inv float32)
	normDot     func(dy, x, gain []float32) float32
	normGrad    func(dx, dgain, dy, x, gain []float32, inv, coef, beta float32)
	rotate      func(x, cos, sin []float32)
	add         func(dst, x []float32)
	scale       func(dst []float32, a float32)
	axpy        func(dst []float32, a float32, x []float32)
	dot         func(x, y []float32) float32
	squares     func(x []float32) float64
	adamw       func(w, g, m, v []float32, c *adamConstants)
	peak        func(rounds int)          // rounds times peakFlops operations in registers
	read        func(x []float32) float32 // touches every element
	peakFlops   int
}

// Names lists the instruction sets that run here, best first.
func Names() []string {
	var names []string
	for _, t := range tables() {
		names = append(names, t.name)
	}
	return names
}

// New starts a pool of threads (0: GOMAXPROCS) with the named instruction set: avx512, avx2 or portable. An empty name takes
// the environment's WINNOW_KERNEL, else the best that runs here. An unknown or unrunnable name is an error that lists the names.
func New(threads int, name string) (*Pool, error) {
	if name == "" {
		name = os.Getenv("WINNOW_KERNEL")
	}
	if threads < 0 {
		return nil, fmt.Errorf("kernel: %d threads", threads)
	}
	if threads == 0 {
		threads = runtime.GOMAXPROCS(0)
	}
	for _, t := range tables() {
		if name == "" || t.name == name {
			return newPool(threads, t), nil
		}
	}
	return nil, fmt.Errorf("kernel: %q is unknown or does not run here: %s", name, strings.Join(Names(), ", "))
}
