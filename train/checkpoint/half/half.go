// Package half converts between float32 and the two 16-bit formats that checkpoints are stored in. Float32 values flow in
// and bit patterns out, or the other way; both containers (safetensors, GGUF) use it.
package half

import "math"

// ToFloat16 gives the IEEE 754 binary16 nearest to v, ties to even. What is too large becomes an infinity; a NaN stays a
// NaN, with the upper ten bits of its payload.
func ToFloat16(v float32) uint16 {
	b := math.Float32bits(v)
	sign := uint16(b >> 16 & 0x8000)
	b &= 0x7fffffff
	switch {
	case b > 0x7f800000:
		return sign | 0x7e00 | uint16(b>>13&0x3ff)
	case b >= 0x477ff000: // 65520, halfway between the largest value, 65504, and 2^16
		return sign | 0x7c00
	case b < 0x38800000: // below 2^-14: a multiple of 2^-24, or nothing
		return sign | uint16(math.RoundToEven(float64(math.Float32frombits(b))*(1<<24)))
	}
	// Rebias the exponent from 127 to 15, then round the 13 bits that go; a carry into the exponent is what it should be.
	b -= 112 << 23
	return sign | uint16((b+0xfff+b>>13&1)>>13)
}

// FromFloat16 gives the value of an IEEE 754 binary16; every one is a float32.
func FromFloat16(h uint16) float32 {
	sign := uint32(h&0x8000) << 16
	exponent, fraction := uint32(h>>10&0x1f), uint32(h&0x3ff)
	switch exponent {
	case 0x1f:
		return math.Float32frombits(sign | 0x7f800000 | fraction<<13)
	case 0:
		return math.Float32frombits(sign | math.Float32bits(float32(fraction)*(1.0/(1<<24))))
	}
	return math.Float32frombits(sign | (exponent+112)<<23 | fraction<<13)
}

// ToBFloat16 gives the bfloat16 nearest to v, ties to even; a NaN stays one.
func ToBFloat16(v float32) uint16 {
	b := math.Float32bits(v)
	if b&0x7fffffff > 0x7f800000 {
		return uint16(b>>16) | 0x40
	}
	return uint16((b + 0x7fff + b>>16&1) >> 16)
}

// FromBFloat16 gives the value of a bfloat16: it is the upper half of a float32.
func FromBFloat16(h uint16) float32 { return math.Float32frombits(uint32(h) << 16) }
