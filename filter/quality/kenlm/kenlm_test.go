package kenlm

import (
	"bytes"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

func folder(t testing.TB) string {
	dir := os.Getenv("WINNOW_DATA")
	if dir == "" {
		t.Skip("WINNOW_DATA is not set: no reference models to test with")
	}
	return filepath.Join(dir, "formats", "kenlm")
}

func TestReferenceScores(t *testing.T) {
	dir := folder(t)
	rows, err := os.ReadFile(filepath.Join(dir, "expected_scores.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	m, err := Open(filepath.Join(dir, "test.arpa"))
	if err != nil {
		t.Fatal(err)
	}
	steps := 0
	for line := range strings.Lines(string(rows)) {
		var row struct {
			Group string
			Start string `json:"start_state"`
			Steps []struct {
				Word  string
				Ngram int
				Prob  float64 `json:"log10prob"`
			}
		}
		if err := json.Unmarshal([]byte(line), &row); err != nil {
			t.Fatal(err)
		}
		if row.Group != "Continuation" && row.Group != "Starters" { // the others begin anew in their middle
			row.Steps = row.Steps[:min(3, len(row.Steps))]
		}
		if row.Start == "unspecified" || row.Group == "Unknowns" {
			continue
		}
		var s State
		if row.Start == "begin_sentence" {
			s = m.Begin()
		}
		var fourth State
		for i, step := range row.Steps {
			if i > 0 && row.Steps[i-1].Word == "</s>" {
				s = fourth // where the reference goes on from
			}
			got, n := m.Next(&s, step.Word)
			if math.Abs(float64(got)-step.Prob) > 1e-5*max(1, math.Abs(step.Prob)) || n != step.Ngram {
				t.Errorf("%s %d %q: %v of %d words, want %v of %d", row.Group, i, step.Word, got, n, step.Prob, step.Ngram)
			}
			if i == 3 {
				fourth = s
			}
			steps++
		}
	}
	t.Logf("%d words", steps)
}

const small = `
\data\
ngram 1=4
ngram 2=3
ngram 3=1

\1-grams:
-99	<s>	-0.5
-1	</s>
-0.5	a	-0.25
-0.75	b	-0.125

\2-grams:
-0.25	<s> a	-0.5
-0.125	a b
-0.5	b </s>

\3-grams:
-0.0625	<s> a b

\end\
`

func read(s string) (*Model, error) { return Read(strings.NewReader(s), int64(len(s))) }

func TestScoreByHand(t *testing.T) {
	m, err := read(small)
	if err != nil {
		t.Fatal(err)
	}
	for sentence, want := range map[string]float64{
		"a b":   -0.25 - 0.0625 - 0.5,                  // <s> a, <s> a b, b </s>
		"":      -0.5 - 1,                              // backoff(<s>) + </s>
		"b a":   -0.5 - 0.75 - 0.125 - 0.5 - 0.25 - 1,  // every word by backing off
		"a c b": -0.25 - 0.5 - 0.25 - 100 - 0.75 - 0.5, // c is unknown and has no backoff
	} {
		if got, _ := m.Score(sentence); math.Abs(got-want) > 1e-5 {
			t.Errorf("%q: %g, want %g", sentence, got, want)
		}
	}
	if got, want := m.Perplexity("a b\na b"), math.Pow(10, .8125/3); math.Abs(got-want) > 1e-5 {
		t.Errorf("perplexity %g, want %g", got, want)
	}
}

func TestReadRefuses(t *testing.T) {
	for name, c := range map[string][2]string{
		"count":    {"ngram 1=4", "ngram 1=4000000000"},
		"fewer":    {"ngram 2=3", "ngram 2=4"},
		"positive": {"-0.75\tb", "0.75\tb"},
		"words":    {"a b\n", "a\n"},
		"number":   {"-0.0625", "nan"},
		"end":      {`\end\`, ""},
		"start":    {`\data\`, "data"},
	} {
		if _, err := read(strings.Replace(small, c[0], c[1], 1)); err == nil {
			t.Errorf("%s: no error", name)
		} else {
			t.Log(err)
		}
	}
	trie := binaryOf(t, func(f *fixed) { f.Kind = 2 })
	if _, err := Read(bytes.NewReader(trie), int64(len(trie))); err == nil || !strings.Contains(err.Error(), "trie") {
		t.Errorf("%v", err)
	}
}

// FuzzRead holds both readers to no panic, and to memory in proportion to the bytes that they are given, whatever those claim.
func FuzzRead(f *testing.F) {
	f.Add([]byte(small), "a b c")
	f.Add(binaryOf(f, func(*fixed) {}), "a b c")
	for _, name := range []string{"three.arpa", "three.bin", "five.tight.bin", "three.trie.bin", "three.quantised.bin"} {
		b, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b, "the river crosses 山谷 。")
	}
	f.Fuzz(func(t *testing.T, b []byte, text string) {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		m, err := Read(bytes.NewReader(b), int64(len(b)))
		runtime.ReadMemStats(&after)
		if got := after.TotalAlloc - before.TotalAlloc; got > 4<<20+200*uint64(len(b)) {
			t.Errorf("%d bytes allocated for a file of %d", got, len(b))
		}
		if err == nil {
			m.Perplexity(text)
		}
	})
}

// lines of words that the model of the benchmark knows and does not.
func benchmarkLine(b *testing.B) string {
	text, err := os.ReadFile("testdata/input.txt")
	if err != nil {
		b.Fatal(err)
	}
	return strings.Repeat(strings.ReplaceAll(string(text), "\n", " "), 100)
}

func BenchmarkScore(b *testing.B) {
	for _, file := range []string{"five.arpa", "five.bin"} {
		b.Run(file, func(b *testing.B) {
			m, err := Open(filepath.Join("testdata", file))
			if err != nil {
				b.Fatal(err)
			}
			line, n := benchmarkLine(b), 0
			b.SetBytes(int64(len(line)))
			for b.Loop() {
				_, tokens := m.Score(line)
				n += tokens
			}
			b.ReportMetric(float64(n)/b.Elapsed().Seconds()/1e6, "Mtokens/s")
		})
	}
}

func BenchmarkRead(b *testing.B) {
	for _, file := range []string{"five.arpa", "five.bin"} {
		b.Run(file, func(b *testing.B) {
			all, err := os.ReadFile(filepath.Join("testdata", file))
			if err != nil {
				b.Fatal(err)
			}
			b.SetBytes(int64(len(all)))
			for b.Loop() {
				if _, err := Read(bytes.NewReader(all), int64(len(all))); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
