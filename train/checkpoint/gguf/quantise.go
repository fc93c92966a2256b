package gguf

import (
	"encoding/binary"
	"fmt"
	"math"

	"winnow/train/checkpoint/half"
)

// A block of Q8_0: 32 values in 34 bytes.
const (
	blockValues = 32
	blockBytes  = 34
)

// encode appends the bytes of values as t. A value that the type cannot hold is an error: what is not finite in Q8_0, what
// is finite but beyond 65504 in F16.
func encode(dst []byte, t Type, values []float32) ([]byte, error) {
	switch t {
	case F32:
		for _, v := range values {
			dst = binary.LittleEndian.AppendUint32(dst, math.Float32bits(v))
		}
		return dst, nil
	case F16:
		for _, v := range values {
			h := half.ToFloat16(v)
			if h&0x7fff == 0x7c00 && !math.IsInf(float64(v), 0) {
				return nil, fmt.Errorf("%g is beyond F16", v)
			}
			dst = binary.LittleEndian.AppendUint16(dst, h)
		}
		return dst, nil
	case Q8_0:
		for ; len(values) > 0; values = values[blockValues:] {
			var err error
			if dst, err = encodeBlock(dst, values[:blockValues]); err != nil {
				return nil, err
			}
		}
		return dst, nil
	}
	return nil, fmt.Errorf("%v cannot be written", t)
}

// encodeBlock quantises as ggml does (quantize_row_q8_0_ref): scale = largest magnitude / 127, rounding half away from zero.
func encodeBlock(dst []byte, values []float32) ([]byte, error) {
	largest := float32(0)
	for _, v := range values {
		a := float32(math.Abs(float64(v)))
		if !(a <= math.MaxFloat32) {
			return nil, fmt.Errorf("%g is no number for Q8_0", v)
		}
		largest = max(largest, a)
	}
	scale := largest / 127
	inverse := float32(0)
	if scale != 0 {
		inverse = 1 / scale
	}
	stored := half.ToFloat16(scale)
	if stored == 0x7c00 {
		return nil, fmt.Errorf("%g is beyond Q8_0", largest)
	}
	dst = binary.LittleEndian.AppendUint16(dst, stored)
	for _, v := range values {
		q := 0.0
		if !math.IsInf(float64(inverse), 0) { // a scale below the smallest normal float32
			q = math.Round(float64(v * inverse))
		}
		dst = append(dst, byte(int8(q)))
	}
	return dst, nil
}

// Round gives values as t holds them. len(values) is a multiple of t's block.
func Round(t Type, values []float32) ([]float32, error) {
	b, err := encode(nil, t, values)
	if err != nil {
		return nil, err
	}
	out := make([]float32, len(values))
	decode(out, t, b)
	return out, nil
}

// decode fills dst from the bytes of t, which are as many as dst needs.
func decode(dst []float32, t Type, src []byte) {
	switch t {
	case F32:
		for i := range dst {
			dst[i] = math.Float32frombits(binary.LittleEndian.Uint32(src[4*i:]))
		}
	case F16:
		for i := range dst {
			dst[i] = half.FromFloat16(binary.LittleEndian.Uint16(src[2*i:]))
		}
	case BF16:
		for i := range dst {
			dst[i] = half.FromBFloat16(binary.LittleEndian.Uint16(src[2*i:]))
		}
	case Q8_0:
		for ; len(dst) > 0; dst, src = dst[blockValues:], src[blockBytes:] {
			scale := half.FromFloat16(binary.LittleEndian.Uint16(src))
			for i, q := range src[2:blockBytes] {
				dst[i] = scale * float32(int8(q))
			}
		}
	}
}
