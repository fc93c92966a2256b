package rows

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"winnow/train/bpe"
)

// proseOf repeats real text of the data folder as documents of about 3 kB.
func proseOf(b *testing.B, size int) []Document {
	b.Helper()
	data := os.Getenv("WINNOW_DATA")
	if data == "" {
		b.Skip("WINNOW_DATA is not set: no real text to tokenise")
	}
	var text []byte
	files, _ := filepath.Glob(filepath.Join(data, "text/en/*.txt"))
	for _, f := range files {
		t, err := os.ReadFile(f)
		if err != nil {
			b.Fatal(err)
		}
		text = append(text, t...)
	}
	if len(text) == 0 {
		b.Skip("no text in the data folder")
	}
	var docs []Document
	for at := 0; size > 0; at = (at + 3000) % (len(text) - 3000) {
		docs = append(docs, Document{ID: fmt.Sprint(len(docs)), Text: string(text[at : at+3000])})
		size -= 3000
	}
	return docs
}

// BenchmarkTokenize reads documents from memory through a tokenizer of 4096 ids into a file.
func BenchmarkTokenize(b *testing.B) {
	docs := proseOf(b, 16<<20)
	tok, err := bpe.Train(func(yield func(string) bool) {
		for _, d := range docs[:300] {
			if !yield(d.Text) {
				return
			}
		}
	}, bpe.TrainOptions{Vocab: 4096})
	if err != nil {
		b.Fatal(err)
	}
	for _, threads := range []int{1, 2} {
		b.Run(fmt.Sprintf("threads=%d", threads), func(b *testing.B) {
			var tokens int64
			b.SetBytes(int64(len(docs)) * 3000)
			for i := 0; b.Loop(); i++ {
				t, err := Tokenize(context.Background(), b.TempDir(), fmt.Sprint(i), tok, list(docs), TokenizeOptions{Threads: threads})
				if err != nil {
					b.Fatal(err)
				}
				tokens += t.Total()
				t.Close()
			}
			b.ReportMetric(float64(tokens)/b.Elapsed().Seconds(), "tokens/s")
		})
	}
}

// BenchmarkFill fills rows of 256 in the order of training.
func BenchmarkFill(b *testing.B) {
	docs := invent(20000, 1)
	t := tokenize(b, docs)
	s, err := NewStream([]Source{{Name: "a", Tokens: t}}, options(256))
	if err != nil {
		b.Fatal(err)
	}
	const n = 8 * 256
	ids, targets, pos := make([]int32, n), make([]int32, n), make([]int32, n)
	for g := int64(0); b.Loop(); g += 8 {
		if err := s.Fill(g, ids, targets, pos); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)*n/b.Elapsed().Seconds(), "tokens/s")
}

// BenchmarkPlan packs a million documents.
func BenchmarkPlan(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 2))
	lengths := make([]int, 1_000_000)
	for i := range lengths {
		lengths[i] = 1 + int(r.ExpFloat64()*600)
	}
	for b.Loop() {
		if _, err := NewPlan(lengths, PlanOptions{Len: 1024}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)*float64(len(lengths))/b.Elapsed().Seconds(), "documents/s")
}
