package extraction

import "testing"

func TestGramOverlap(t *testing.T) {
	p, r := gramOverlap("a b c d e", "a b c d")
	if p != 0.5 || r != 1 {
		t.Errorf("precision %v, recall %v; want 0.5, 1", p, r)
	}
	if p, r = gramOverlap("", "a b"); p != 0 || r != 0 {
		t.Errorf("of nothing: %v, %v", p, r)
	}
	if p, r = gramOverlap("", ""); p != 1 || r != 1 {
		t.Errorf("nothing of nothing: %v, %v", p, r)
	}
}

func TestWithin(t *testing.T) {
	if n := within("one two three", []string{"two  three", "four", "one"}); n != 2 {
		t.Errorf("%d of 2", n)
	}
}
