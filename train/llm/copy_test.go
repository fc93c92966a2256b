package llm

import (
	"slices"
	"testing"
)

// TestDecoderCopy: a slot that was copied goes on with the bits of one that read the tokens itself, whatever it held before.
func TestDecoderCopy(t *testing.T) {
	m, err := New(Config{Vocab: 50, Context: 64, Dim: 24, FFN: 40, Layers: 2, Heads: 4, KVHeads: 2, HeadDim: 6, NormEps: 1e-5, RopeTheta: 10000}, 1)
	if err != nil {
		t.Fatal(err)
	}
	p, err := NewPool(2, "")
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	d, err := NewDecoder(m, p, 3, 0)
	if err != nil {
		t.Fatal(err)
	}
	prompt := []int32{3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 9, 7, 9, 3, 2}
	for slot, ids := range [][]int32{prompt, append(slices.Clone(prompt), 11, 12), slices.Repeat([]int32{7}, 40)} {
		if _, err := d.Prefill(slot, ids); err != nil {
			t.Fatal(err)
		}
	}
	if err := d.Copy(2, 1, len(prompt)); err != nil {
		t.Fatal(err)
	}
	for _, id := range []int32{20, 21, 22} {
		logits, err := d.Step([]int{0, 2}, []int32{id, id})
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(logits[:50], logits[50:]) {
			t.Fatalf("other logits after %d", id)
		}
	}
	if d.Copy(0, 1, 60) == nil || d.Copy(0, 3, 1) == nil {
		t.Error("tokens that are not there were copied")
	}
}
