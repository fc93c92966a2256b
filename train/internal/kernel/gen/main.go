// Command gen writes the assembly of package kernel: matrix products and row functions for AVX-512 and AVX2, one
// source for both. Nothing flows in; the .s files and the Go declarations of what they hold flow out, into the folder
// that it runs in (go generate in the kernel's folder).
package main

import (
	"fmt"
	"maps"
	"os"
	"slices"
)

func main() {
	files := generate()
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if err := os.WriteFile(name, files[name], 0o644); err != nil {
			fmt.Fprintln(os.Stderr, "gen:", err)
			os.Exit(1)
		}
	}
}

// generate makes all files, by name.
func generate() map[string][]byte {
	stubs := newStubs()
	files := map[string][]byte{}
	for _, set := range []isa{avx512(), avx2()} {
		a := newAsm(set, stubs)
		products(a)
		files["gemm_"+set.name+"_amd64.s"] = a.output()
		a = newAsm(set, stubs)
		rows(a)
		files["rows_"+set.name+"_amd64.s"] = a.output()
	}
	a := newAsm(avx2(), stubs)
	pause(a)
	files["pause_amd64.s"] = a.output()
	files["stubs_amd64.go"] = stubs.output()
	return files
}
