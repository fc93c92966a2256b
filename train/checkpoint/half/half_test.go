package half

import (
	"math"
	"math/rand/v2"
	"testing"
)

// TestAllPatterns takes every 16-bit pattern to float32 and back, and checks float16 values against their definition.
func TestAllPatterns(t *testing.T) {
	for i := range 1 << 16 {
		h := uint16(i)
		v := FromFloat16(h)
		exponent, fraction := int(h>>10&0x1f), float64(h&0x3ff)
		want := math.Ldexp(1+fraction/1024, exponent-15)
		if exponent == 0 {
			want = math.Ldexp(fraction/1024, -14)
		}
		if h&0x8000 != 0 {
			want = -want
		}
		if exponent < 31 && (float64(v) != want || math.Signbit(float64(v)) != (h&0x8000 != 0)) {
			t.Fatalf("%04x is %g, want %g", h, v, want)
		}
		if v == v && ToFloat16(v) != h {
			t.Fatalf("%04x came back as %04x", h, ToFloat16(v))
		}
		if w := FromBFloat16(h); w == w && ToBFloat16(w) != h {
			t.Fatalf("bfloat16 %04x came back as %04x", h, ToBFloat16(w))
		}
	}
}

// TestNearest compares rounding with the two neighbours of each value, in float64.
func TestNearest(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	near := func(v float32, h uint16, value func(uint16) float32, even func(uint16) bool) {
		got := math.Abs(float64(value(h)) - float64(v))
		for _, other := range []uint16{h - 1, h + 1} {
			w := float64(value(other))
			if math.IsNaN(w) || math.IsInf(w, 0) || math.Signbit(w) != math.Signbit(float64(v)) {
				continue
			}
			if d := math.Abs(w - float64(v)); d < got || d == got && !even(h) {
				t.Fatalf("%g became %04x (off by %g), but %04x is off by %g", v, h, got, other, d)
			}
		}
	}
	even := func(h uint16) bool { return h&1 == 0 }
	for range 200000 {
		v := float32(r.NormFloat64() * math.Exp2(r.Float64()*42-28))
		if math.Abs(float64(v)) < 65504 {
			near(v, ToFloat16(v), FromFloat16, even)
		}
		near(v, ToBFloat16(v), FromBFloat16, even)
		tie := FromFloat16(uint16(r.Uint32())&0x7bff) + 0 // a value, then the middle to the next
		next := FromFloat16(ToFloat16(tie) + 1)
		if !math.IsInf(float64(next), 0) {
			near((tie+next)/2, ToFloat16((tie+next)/2), FromFloat16, even)
		}
	}
}

func TestEnds(t *testing.T) {
	nan := float32(math.NaN())
	for v, want := range map[float32]uint16{65519: 0x7bff, 65520: 0x7c00, -1e30: 0xfc00, 0: 0, 1: 0x3c00, 0x1p-24: 1, 0x1p-25: 0, 0x1.8p-25: 1} {
		if got := ToFloat16(v); got != want {
			t.Errorf("%g became %04x, want %04x", v, got, want)
		}
	}
	if v := FromFloat16(ToFloat16(nan)); v == v {
		t.Error("NaN was lost in float16")
	}
	if v := FromBFloat16(ToBFloat16(math.Float32frombits(0x7f800001))); v == v {
		t.Error("NaN was lost in bfloat16")
	}
}
