//go:build unix

package bpe

import (
	"bytes"
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// cpu gives the seconds of processor time that the process has used: on a shared machine a steadier measure than the clock's.
func cpu(b *testing.B) float64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()).Seconds()
}

// perCPU runs a benchmark and reports megabytes of text per CPU-second.
func perCPU(b *testing.B, size int, run func()) {
	b.SetBytes(int64(size))
	run() // warm
	begin := cpu(b)
	for b.Loop() {
		run()
	}
	b.ReportMetric(float64(size)*float64(b.N)/1e6/(cpu(b)-begin), "MB/cpu-s")
}

// benchTexts gives about size bytes of English and of Chinese text of the data folder.
func benchTexts(b *testing.B, size int) map[string]string {
	out := map[string]string{"en": string(read(b, data(b, "text/en/war-and-peace.txt")))}
	out["zh"] = gunzipText(b, data(b, "text/zh/classics.jsonl.gz"))
	for name, s := range out {
		for len(s) < size {
			s += s
		}
		out[name] = strings.ToValidUTF8(s[:size], "")
	}
	return out
}

// benchTokenizer is the one that WINNOW_BENCH_TOKENIZER names (a tokenizer.json), or GPT-2's.
func benchTokenizer(b *testing.B) *Tokenizer {
	path := os.Getenv("WINNOW_BENCH_TOKENIZER")
	if path == "" {
		return gpt2(b)
	}
	tok, err := ReadJSON(bytes.NewReader(read(b, path)))
	if err != nil {
		b.Fatal(err)
	}
	return tok
}

// Encoding by one goroutine: bytes of text per second.
func BenchmarkEncode(b *testing.B) {
	tok := benchTokenizer(b)
	for name, text := range benchTexts(b, 3<<20) {
		b.Run(name, func(b *testing.B) {
			var ids []int32
			perCPU(b, len(text), func() { ids = tok.Encode(ids[:0], text) })
			b.ReportMetric(float64(len(text))/float64(len(ids)), "bytes/token")
		})
	}
}

// Pre-tokens of one megabyte, which merging pair by pair would take hours for.
func BenchmarkEncodeUnbroken(b *testing.B) {
	tok := benchTokenizer(b)
	for name, text := range map[string]string{"M": strings.Repeat("M", 1<<20), "Han": unbrokenHan(1 << 20)} {
		b.Run(name, func(b *testing.B) {
			perCPU(b, len(text), func() { tok.Encode(nil, text) })
		})
	}
}

// Splitting alone.
func BenchmarkSplit(b *testing.B) {
	texts := benchTexts(b, 3<<20)
	for _, name := range Splitters() {
		sp, err := splitterByName(name)
		if err != nil {
			b.Fatal(err)
		}
		for lang, text := range texts {
			b.Run(name+"/"+lang, func(b *testing.B) {
				perCPU(b, len(text), func() {
					for i := 0; i < len(text); {
						i = sp.next(sp.classes, text, i)
					}
				})
			})
		}
	}
}

// Decoding ids of English text: bytes of text per second.
func BenchmarkDecode(b *testing.B) {
	tok := benchTokenizer(b)
	text := benchTexts(b, 3<<20)["en"]
	ids := tok.Encode(nil, text)
	perCPU(b, len(text), func() { tok.Decode(ids) })
}

// Training 8192 tokens (or WINNOW_BENCH_VOCAB) on the text files that WINNOW_BENCH_TEXT names (a glob), or on those of the data folder.
func BenchmarkTrain(b *testing.B) {
	glob := os.Getenv("WINNOW_BENCH_TEXT")
	if glob == "" {
		glob = filepath.Join(filepath.Dir(data(b, "text/en/alice.txt")), "*.txt")
	}
	files, err := filepath.Glob(glob)
	if err != nil || len(files) == 0 {
		b.Fatalf("%s: no files (%v)", glob, err)
	}
	var lines []string
	size := 0
	for _, f := range files {
		text := read(b, f)
		size += len(text)
		for line := range bytes.Lines(text) {
			lines = append(lines, string(line))
		}
	}
	vocab, err := strconv.Atoi(cmp.Or(os.Getenv("WINNOW_BENCH_VOCAB"), "8192"))
	if err != nil {
		b.Fatal(err)
	}
	texts := slices.Values(lines)
	for _, splitter := range []string{"gpt-2", "deepseek-coder"} {
		b.Run(fmt.Sprintf("%s/%dMB", splitter, size/1_000_000), func(b *testing.B) {
			b.SetBytes(int64(size))
			begin := cpu(b)
			for b.Loop() {
				if _, err := Train(texts, TrainOptions{Vocab: vocab, Splitter: splitter}); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric((cpu(b)-begin)/float64(b.N), "cpu-s")
		})
	}
}
