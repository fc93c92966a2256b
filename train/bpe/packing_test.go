package bpe

import (
	"bufio"
	"encoding/json"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// How many bytes a token stands for, by splitter and size of vocabulary, on texts held out: every tenth document of the
// JSONL file that WINNOW_BENCH_TEXT names ({"text", "language"}). Smaller vocabularies are the first merges of the largest.
func BenchmarkPacking(b *testing.B) {
	path := os.Getenv("WINNOW_BENCH_TEXT")
	if !strings.HasSuffix(path, ".jsonl") {
		b.Skip("WINNOW_BENCH_TEXT names no JSONL file")
	}
	trained, held := divided(b, path)
	for _, splitter := range []string{"gpt-2", "deepseek-coder"} {
		large, err := Train(slices.Values(trained), TrainOptions{Vocab: 32768, Splitter: splitter})
		if err != nil {
			b.Fatal(err)
		}
		for vocab := 512; vocab <= 32768; vocab *= 2 {
			s := large.parts()
			keep := vocab - MinVocab
			s.Merges = s.Merges[:keep]
			tok, err := build(s)
			if err != nil {
				b.Fatal(err)
			}
			b.Run(splitter+"/"+strconv.Itoa(vocab), func(b *testing.B) {
				var all [2]int
				for b.Loop() {
					all = [2]int{}
					for lang, texts := range held {
						size, n := 0, 0
						for _, text := range texts {
							size += len(text)
							n += len(tok.Encode(nil, text))
						}
						b.ReportMetric(float64(size)/float64(n), lang+"-bytes/token")
						all[0] += size
						all[1] += n
					}
				}
				b.ReportMetric(float64(all[0])/float64(all[1]), "bytes/token")
			})
		}
	}
}

// divided reads documents: nine tenths to train on, one tenth by language.
func divided(b *testing.B, path string) (trained []string, held map[string][]string) {
	f, err := os.Open(path)
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	held = map[string][]string{}
	scan := bufio.NewScanner(f)
	scan.Buffer(nil, 1<<26)
	for n := 0; scan.Scan(); n++ {
		var doc struct{ Text, Language string }
		if err := json.Unmarshal(scan.Bytes(), &doc); err != nil {
			b.Fatal(err)
		}
		if n%10 == 0 {
			held[doc.Language] = append(held[doc.Language], doc.Text)
		} else {
			trained = append(trained, doc.Text)
		}
	}
	if err := scan.Err(); err != nil {
		b.Fatal(err)
	}
	return trained, held
}
