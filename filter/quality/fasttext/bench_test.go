package fasttext

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strings"
	"testing"
)

// shaped is a model of the shape of one in use, with fewer buckets; its numbers are of no meaning.
func shaped(a arguments, words, labels int) []byte {
	var b bytes.Buffer
	put := func(v any) { binary.Write(&b, binary.LittleEndian, v) }
	put([]int32{Magic, newest})
	put(a)
	put([]int32{int32(words + labels), int32(words), int32(labels)})
	put([]int64{int64(words + labels), -1})
	entry := func(s string, count int64, kind int8) {
		b.WriteString(s + "\x00")
		put(count)
		put(kind)
	}
	entry(endOfLine, 9, 0)
	for i := 1; i < words; i++ {
		entry(fmt.Sprint("word", i), 5, 0)
	}
	for i := range labels {
		entry(fmt.Sprint(labelPrefix, i), int64(labels-i), 1)
	}
	matrix := func(rows int) {
		put(false)
		put([]int64{int64(rows), int64(a.Dim)})
		values := make([]float32, rows*int(a.Dim))
		for i := range values {
			values[i] = float32(i*7919%2001-1000) / 1000
		}
		put(values)
	}
	matrix(words + int(a.Bucket))
	matrix(labels)
	return b.Bytes()
}

func BenchmarkPredict(b *testing.B) {
	line := strings.Repeat("word1 the word700 of word3, and word12 then 河流流过山谷 word5 slowly ", 40)
	for _, c := range []struct {
		name   string
		args   arguments
		labels int
	}{
		{"words and pairs, 100 numbers, softmax", arguments{100, 5, 5, 1, 5, 2, softmax, supervised, 50000, 0, 0, 100, 1e-4}, 2},
		{"characters 2 to 4, 16 numbers, hs", arguments{16, 5, 5, 1, 5, 1, hierarchical, supervised, 50000, 2, 4, 100, 1e-4}, 176},
	} {
		b.Run(c.name, func(b *testing.B) {
			m, err := read(shaped(c.args, 1000, c.labels))
			if err != nil {
				b.Fatal(err)
			}
			b.SetBytes(int64(len(line)))
			for b.Loop() {
				if len(m.Predict(line, 1)) != 1 {
					b.Fatal("no label")
				}
			}
		})
	}
}
