package fold

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestFold(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"", ""},
		{" \t\n…!", ""},
		{"The Quick-Brown  FOX, jumps.", "the quick brown fox jumps"},
		{"don't pay 1,234.56 or 12.5% for v1.2.3", "don t pay 0 0 or 0 for v0 0"},
		{"Café Cafe\u0301 İstanbul ÅNGSTRÖM", "cafe cafe istanbul angstrom"},
		{"今天，天气很好！", "今 天 天 气 很 好"},
		{"第１２章 2026年11月", "第 0 章 0 年 0 月"},
		{"GPT模型v2发布", "gpt 模 型 v0 发 布"},
		{"ガ行 はは", "カ 行 は は"},
		{"bad\xff\xfebytes", "bad bytes"},
		{"ПРИВЕТ, мир ٣٫٥", "привет мир 0"},
		{"한국어 글", "한국어 글"},
	} {
		var f Text
		f.Fold(c.in)
		if string(f.Buf) != c.want {
			t.Errorf("%q: got %q, want %q", c.in, f.Buf, c.want)
		}
		if n := len(strings.Fields(c.want)); f.Words != n {
			t.Errorf("%q: %d words, want %d", c.in, f.Words, n)
		}
	}
}

func FuzzFold(f *testing.F) {
	for _, s := range []string{"", "The 1.2.3 don't", "今天v2", "\xff１,２", "Cafe\u0301 ガ", "กขค 한글"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		var once Text
		once.Fold(s)
		if !utf8.Valid(once.Buf) {
			t.Fatalf("%q: ill-formed %q", s, once.Buf)
		}
		if fields := strings.Fields(string(once.Buf)); len(fields) != once.Words || strings.Join(fields, " ") != string(once.Buf) {
			t.Fatalf("%q: %d words in %q", s, once.Words, once.Buf)
		}
	})
}
