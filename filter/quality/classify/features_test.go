package classify

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"testing"
)

var plain = Features{Bits: 20}.withDefaults()

func TestFeatures(t *testing.T) {
	for _, c := range []struct {
		in   string
		want int
	}{
		{"", 0},
		{" ,. ", 0},
		{"word", 1},
		{"two words", 3},
		{"four words in all", 7},
		{"春眠", 3},
		{"春眠不觉晓", 5 + 4 + 3},
		{"春眠 not 不觉晓", 6 + 5 + 1},
	} {
		var f features
		if got := len(f.of(c.in, &plain)); got != c.want {
			t.Errorf("%q: %d features, want %d", c.in, got, c.want)
		}
		total := 0
		for _, n := range f.longest {
			total += int(n)
		}
		if total != c.want {
			t.Errorf("%q: longest adds up to %d, want %d", c.in, total, c.want)
		}
	}
	var a, b features
	for _, same := range [][2]string{
		{"The YEAR 2026", "the year, 1999!"},
		{"ÉCOLE Ünder", "école ünder"},
		{"中国，人民", "中国人民"},
	} {
		if !slices.Equal(a.of(same[0], &plain), b.of(same[1], &plain)) {
			t.Errorf("%q and %q differ", same[0], same[1])
		}
	}
	for _, other := range [][2]string{{"dog bites man", "man bites dog"}, {"word", "words"}, {"上海", "海上"}} {
		if slices.Equal(a.of(other[0], &plain), b.of(other[1], &plain)) {
			t.Errorf("%q and %q are the same", other[0], other[1])
		}
	}
}

// Models are files: a change of these hashes makes every one of them worthless, and is a change of the stage's code.
func TestFeaturesAreStable(t *testing.T) {
	var f features
	o := Features{Bits: 24}.withDefaults()
	h := sha256.New()
	for _, s := range slices.Concat(goodEnglish, badEnglish, goodChinese, badChinese) {
		binary.Write(h, binary.LittleEndian, f.of(s, &o))
	}
	const want = "bd85c37324779a712936796a12f82ae20fb620d2ec1f1738bfb70003c0828dc7"
	if got := fmt.Sprintf("%x", h.Sum(nil)); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// Grams of characters lie within words, and by the dictionary Chinese words are longer than one character.
func TestOtherFeatures(t *testing.T) {
	for _, c := range []struct {
		o    Features
		in   string
		want string
	}{
		{Features{Words: 1, Shortest: 1, Longest: 2}, "Ab 7", "ab <a a ab b b> 7 <0 0 0>"},
		{Features{Words: 1, Longest: 4}, "cat", "cat <ca <cat cat cat> at>"},
		{Features{Words: 1, Longest: 3}, "春眠 x", "春 眠 春眠 x <x>"},
		{Features{Words: 3}, "a b c d", "a b a b c b c a b c d c d b c d"},
		{Features{Words: 2, Chinese: "words"}, "我们 study 自然语言处理。", "我们 study 我们 study 自然语言 study 自然语言 处理 自然语言 处理"},
	} {
		o := c.o.withDefaults()
		if err := o.check(); err != nil {
			t.Fatal(err)
		}
		var f features
		n := len(f.of(c.in, &o))
		var names []string
		f.name(&o, func(i int, gram func() string) {
			if i != len(names) {
				t.Errorf("%q: gram %d named at %d", c.in, i, len(names))
			}
			names = append(names, gram())
		})
		if got := strings.Join(names, " "); got != c.want || n != len(names) {
			t.Errorf("%+v %q: %s (%d of %d), want %s", c.o, c.in, got, len(names), n, c.want)
		}
	}
}

func FuzzFeatures(f *testing.F) {
	for _, s := range []string{"", "a b c", "春眠不觉晓", "\xffé９", "don't 3-4"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		var x features
		o := Features{Bits: 10}.withDefaults()
		buckets := x.of(s, &o)
		total := 0
		for _, n := range x.longest {
			total += int(n)
		}
		if total != len(buckets) || len(x.longest) != len(x.words) {
			t.Fatalf("%q: %d words, %d features, %d told", s, len(x.words), len(buckets), total)
		}
		for _, b := range buckets {
			if b >= 1<<10 {
				t.Fatalf("%q: bucket %d", s, b)
			}
		}
		var upper features
		if isASCII(s) && !slices.Equal(upper.of(strings.ToUpper(s), &o), buckets) {
			t.Fatalf("%q: case matters", s)
		}
		rich := Features{Bits: 10, Words: 4, Shortest: 1, Longest: 5, Chinese: "words"}
		n, named := len(x.of(s, &rich)), 0
		x.name(&rich, func(i int, gram func() string) { named++ })
		if named != n {
			t.Fatalf("%q: %d grams, %d named", s, n, named)
		}
	})
}

func isASCII(s string) bool { return !strings.ContainsFunc(s, func(r rune) bool { return r >= 0x80 }) }
