package kenlm

import (
	"bytes"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// TestBuiltByKenLM reads what KenLM's build_binary made, with tables of several sizes, with and without the words, and the ARPA
// files that lmplz made, and scores as KenLM's query does; testdata/make.py made the files.
func TestBuiltByKenLM(t *testing.T) {
	text, err := os.ReadFile("testdata/input.txt")
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
	for file, scores := range map[string]string{
		"five.arpa": "five", "five.bin": "five", "five.wide.bin": "five", "five.tight.bin": "five",
		"three.arpa": "three", "three.bin": "three", "closed.bin": "closed",
	} {
		t.Run(file, func(t *testing.T) {
			m, err := Open(filepath.Join("testdata", file))
			if err != nil {
				t.Fatal(err)
			}
			asQuery(t, m, lines, filepath.Join("testdata", scores+".scores.txt"))
		})
	}
}

// asQuery holds a model to what query -v word -v sentence said: for each word its probability and the words of the n-gram found,
// for each line the sum.
func asQuery(t *testing.T, m *Model, lines []string, path string) {
	t.Helper()
	told, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	rows := strings.Split(strings.TrimSuffix(string(told), "\n"), "\n")
	if len(rows) != len(lines) {
		t.Fatalf("%d lines, %d scores", len(lines), len(rows))
	}
	worst, words := 0.0, 0
	differ := func(got, want float64) bool {
		off := math.Abs(got-want) / max(1, math.Abs(want))
		worst = max(worst, off)
		return off > 1e-5
	}
	for i, line := range lines {
		fields := strings.Split(rows[i], "\t")
		s, want, all := m.Begin(), append(strings.Fields(line), "</s>"), 0.0
		if len(fields) != len(want)+1 {
			t.Fatalf("line %d: %d words, want %d", i+1, len(want), len(fields)-1)
		}
		for j, word := range want {
			prob, length := m.Next(&s, word)
			said := strings.Fields(fields[j][strings.LastIndexByte(fields[j], '=')+1:])
			all += number64(t, said[2]) // query's own sum is of float32
			if differ(float64(prob), number64(t, said[2])) || strconv.Itoa(length) != said[1] {
				t.Errorf("line %d %q: %g of %d words, want %s", i+1, word, prob, length, fields[j])
			}
			words++
		}
		sum := strings.Fields(fields[len(want)]) // Total: x OOV: n
		got, tokens := m.Score(line)
		if differ(got, number64(t, sum[1])) || differ(m.Perplexity(line), math.Pow(10, -all/float64(tokens))) {
			t.Errorf("line %d: %g, want %s", i+1, got, sum[1])
		}
	}
	t.Logf("%d words, largest difference %.2g", words, worst)
}

func number64(t *testing.T, s string) float64 {
	t.Helper()
	v, err := strconv.ParseFloat(s, 64)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestTriesAreDeclined(t *testing.T) {
	for file, want := range map[string]string{"three.trie.bin": "kind trie:", "three.quantised.bin": "kind quantised trie:", "three.arrays.bin": "kind trie with arrays:"} {
		if _, err := Open(filepath.Join("testdata", file)); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "build_binary") {
			t.Errorf("%s: %v", file, err)
		}
	}
}

// TestAsQuery scores English prose by the model that WINNOW_KENLM names, an ARPA file or probing binary of any size, as the
// program does that WINNOW_KENLM_QUERY names, which is KenLM's query.
func TestAsQuery(t *testing.T) {
	path, program, data := os.Getenv("WINNOW_KENLM"), os.Getenv("WINNOW_KENLM_QUERY"), os.Getenv("WINNOW_DATA")
	if path == "" || program == "" || data == "" {
		t.Skip("WINNOW_KENLM, WINNOW_KENLM_QUERY or WINNOW_DATA is not set: nothing to compare with")
	}
	m, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(data, "text", "en", "wikitext2.valid.txt"))
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, "-v", "word", "-v", "sentence", path)
	cmd.Stdin = bytes.NewReader(text)
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	scores := filepath.Join(t.TempDir(), "scores.txt")
	if err := os.WriteFile(scores, out, 0o666); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
	asQuery(t, m, lines, scores)
}
