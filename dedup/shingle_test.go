package dedup

import (
	"strings"
	"testing"
)

func TestShingles(t *testing.T) {
	size := Shingle{Han: 13, Latin: 5}
	han := strings.Repeat("春眠不觉晓处处闻啼鸟", 3) // 30 characters
	for _, c := range []struct {
		name, in string
		want     int
	}{
		{"nothing", "", 0},
		{"no word", "… !", 0},
		{"one word", "word", 1},
		{"short", "only four words here", 1},
		{"just one window", "here are just five words", 1},
		{"two windows", "here are no less than six", 2},
		{"short Han", "你好，世界", 1},
		{"Han", han, 18},
		{"mostly Han", han + " some English words", 18 + len("someEnglishwords")},
		{"mostly words", "a text about the character 春 and its five strokes and four more", 9},
	} {
		var k sketcher
		if got := len(k.shingles(c.in, size)); got != c.want {
			t.Errorf("%s: %d shingles, want %d", c.name, got, c.want)
		}
	}
}

func TestShinglesIgnoreLayout(t *testing.T) {
	size := Shingle{Han: 13, Latin: 5}
	for _, pair := range [][2]string{
		{"One two three four five six, seven.", "one TWO three\nfour — five (six) seven"},
		{"春眠不觉晓，处处闻啼鸟。夜来风雨声，花落知多少。", "春眠不觉晓 处处闻啼鸟\n夜来风雨声 花落知多少"},
	} {
		var a, b sketcher
		x, y := a.shingles(pair[0], size), b.shingles(pair[1], size)
		if len(x) != len(y) {
			t.Fatalf("%q: %d and %d shingles", pair[0], len(x), len(y))
		}
		for i := range x {
			if x[i] != y[i] {
				t.Errorf("%q: shingle %d differs", pair[0], i)
			}
		}
	}
}
