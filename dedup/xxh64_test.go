package dedup

import (
	"slices"
	"testing"
)

// Values of the reference implementation.
func TestXXH64(t *testing.T) {
	for s, want := range map[string]uint64{
		"": 0xef46db3751d8e999, "a": 0xd24ec4f1a98c6e5b, "abc": 0x44bc2cf5ad770999, "Nobody inspects the spammish repetition": 0xfbcea83c8a378bf1,
	} {
		if got := xxh64([]byte(s)); got != want {
			t.Errorf("%q: %x, want %x", s, got, want)
		}
	}
}

// The shingles of the reference text are FineWeb's, from the text on: see TestSignatureIsDatatroves for the signature.
func TestDatatroveShingles(t *testing.T) {
	want := []uint64{12313522834835307089, 13802602654544986703, 6350799717277693736, 10823048585179756349, 13679420430192371655}
	var k sketcher
	got := k.datatroveShingles("The quick, brown Fox jumps over THE lazy dog!", "en", 5, sha1Hash, spacyWords)
	if !slices.Equal(got, want) {
		t.Errorf("got %d, want %d", got, want)
	}
	if got := k.datatroveShingles("only four words here", "en", 5, sha1Hash, spacyWords); len(got) != 0 {
		t.Errorf("%d shingles of four words", len(got))
	}
	for in, want := range map[string]string{
		"Café  costs 1,234.56 — or v1.2.3!": "cafe costs 0 0 or v0 0", "ΣΊΣΥΦΟΣ ２９": "σισυφος 0", "  a\tb\n": "a b",
	} {
		if k.text.Simplify(in); string(k.text.Buf) != want {
			t.Errorf("%q: %q, want %q", in, k.text.Buf, want)
		}
	}
}
