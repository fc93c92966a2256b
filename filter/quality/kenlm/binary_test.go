package kenlm

import (
	"bytes"
	"encoding/binary"
	"math"
	"testing"
)

// binaryOf writes the model of small as KenLM's build_binary lays a probing binary out.
func binaryOf(t testing.TB, change func(*fixed)) []byte {
	m, err := read(small)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	put := func(v any) {
		if err := binary.Write(&b, binary.LittleEndian, v); err != nil {
			t.Fatal(err)
		}
	}
	s := sanity{One: 1, MinusHalf: -.5, OneWord: 1, MaxWord: math.MaxUint32, OneLong: 1}
	copy(s.Magic[:], magic+" 5\n")
	f := fixed{Order: 3, Multiplier: 1.5}
	change(&f)
	put(s)
	put(f)
	put([]uint64{5, 3, 1})
	b.Write(make([]byte, (8-b.Len()%8)%8))
	put([]uint32{0, 5})
	write := func(t table, n int, width int, value func(slot)) {
		buckets := max(n+1, int(1.5*float32(n)))
		all := make([]slot, buckets)
		for _, s := range t.slots {
			if s.key != 0 {
				at := int(s.key % uint64(buckets))
				for all[at].key != 0 {
					at = (at + 1) % buckets
				}
				all[at] = s
			}
		}
		for _, s := range all {
			put(s.key)
			value(s)
		}
	}
	write(m.vocab, 5, 12, func(s slot) { put(math.Float32bits(s.prob)) })
	for _, w := range append(m.unigrams, weights{}) {
		put([]float32{-w.prob, w.backoff}) // the sign tells something else
	}
	write(m.middle[0], 3, 16, func(s slot) { put([]float32{s.prob, s.backoff}) })
	write(m.longest, 1, 12, func(s slot) { put(s.prob) })
	return b.Bytes()
}

func TestBinary(t *testing.T) {
	b := binaryOf(t, func(*fixed) {})
	m, err := Read(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	text, _ := read(small)
	for _, sentence := range []string{"a b", "", "b a", "a c b", "b b a </s> a"} {
		got, _ := m.Score(sentence)
		want, _ := text.Score(sentence)
		if got != want {
			t.Errorf("%q: %g, want %g", sentence, got, want)
		}
	}
	for n := 0; n < len(b); n += 7 {
		if _, err := Read(bytes.NewReader(b[:n]), int64(n)); err == nil {
			t.Errorf("cut to %d bytes: no error", n)
		}
	}
}
