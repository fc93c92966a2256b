// Package gguf reads and writes the container that llama.cpp and Ollama load models from. Keys with values and named
// float32 tensors flow in and a file flows out, its tensors as F32, F16 or Q8_0; or a file flows in and keys and float32
// tensors flow out.
//
// A file is the word GGUF, a version, two counts, the keys, a description of each tensor, and the tensors' bytes, each at
// a multiple of an alignment. Format: ggml, docs/gguf.md, version 3. What a key or a tensor means is not this package's.
package gguf

import (
	"fmt"
	"strconv"
)

const (
	magic            = "GGUF"
	version          = 3
	defaultAlignment = 32
	alignmentKey     = "general.alignment"
	maxName          = 64 // bytes of a tensor's name
	maxDims          = 4
)

// Type is how a tensor's values are stored, by ggml's number.
type Type uint32

// Types that can be written and read; BF16 can only be read.
const (
	F32  Type = 0
	F16  Type = 1
	Q8_0 Type = 8 // blocks of 32: a float16 scale and 32 signed bytes
	BF16 Type = 30
)

// typeNames are ggml's names, for messages about what cannot be read.
var typeNames = map[Type]string{
	F32: "F32", F16: "F16", 2: "Q4_0", 3: "Q4_1", 6: "Q5_0", 7: "Q5_1", Q8_0: "Q8_0", 9: "Q8_1", 10: "Q2_K", 11: "Q3_K", 12: "Q4_K",
	13: "Q5_K", 14: "Q6_K", 15: "Q8_K", 24: "I8", 25: "I16", 26: "I32", 27: "I64", 28: "F64", BF16: "BF16",
}

func (t Type) String() string {
	if name, ok := typeNames[t]; ok {
		return name
	}
	return "type " + strconv.Itoa(int(t))
}

// block gives the values and the bytes of the smallest piece of a type; ok is false for types that cannot be read.
func (t Type) block() (values, bytes int64, ok bool) {
	switch t {
	case F32:
		return 1, 4, true
	case F16, BF16:
		return 1, 2, true
	case Q8_0:
		return blockValues, blockBytes, true
	}
	return 0, 0, false
}

// Key is one key with its value: a uint8, int8, uint16, int16, uint32, int32, float32, bool, string, uint64, int64 or
// float64, or a slice of these.
type Key struct {
	Name  string
	Value any
}

// Numbers of value types in a file.
const (
	kindUint8 uint32 = iota
	kindInt8
	kindUint16
	kindInt16
	kindUint32
	kindInt32
	kindFloat32
	kindBool
	kindString
	kindArray
	kindUint64
	kindInt64
	kindFloat64
)

// Tensor is one array to be written, row-major, its last dimension the one that is contiguous: a weight is [out, in].
type Tensor struct {
	Name  string
	Shape []int
	Type  Type // F32, F16 or Q8_0; Q8_0 asks for a last dimension that is a multiple of 32
	Data  []float32
}

// bytesOf gives the stored size of n values in rows of the given length.
func bytesOf(t Type, row, n int64) (int64, error) {
	values, bytes, ok := t.block()
	if !ok {
		return 0, fmt.Errorf("%v is not supported; F32, F16, BF16 and Q8_0 are", t)
	}
	if row%values != 0 {
		return 0, fmt.Errorf("rows of %d values do not divide into %v's blocks of %d", row, t, values)
	}
	return n / values * bytes, nil
}

func padding(n, alignment int64) int64 { return (alignment - n%alignment) % alignment }
