package fasttext

import (
	"bufio"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// folder is that of the reference files.
func folder(t testing.TB) string {
	dir := os.Getenv("WINNOW_DATA")
	if dir == "" {
		t.Skip("WINNOW_DATA is not set: no reference files to test with")
	}
	return filepath.Join(dir, "formats", "fasttext")
}

func lines(t testing.TB, path string) []string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSuffix(string(b), "\n"), "\n")
}

func open(t testing.TB, path string) *Model {
	t.Helper()
	m, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// floor is where fastText's probabilities end: it adds 1e-5 before each logarithm, and the last bit of a sum decides whether a label
// of that probability is told at all.
const floor = 2e-5

// compare holds predictions to lines as fasttext predict-prob prints them. Labels must stand in the same order but where their
// probabilities are as good as equal.
func compare(t *testing.T, m *Model, input, want []string, k int) {
	t.Helper()
	if len(input) != len(want) {
		t.Fatalf("%d lines, %d predictions", len(input), len(want))
	}
	worst, failed := 0.0, 0
	for i, line := range input {
		fields := strings.Fields(want[i])
		got := m.Predict(line, k)
		all := map[string]float64{}
		for _, p := range m.Predict(line, 0) {
			all[p.Label] = float64(p.Probability)
		}
		likely := 0
		for _, p := range got {
			if p.Probability > floor {
				likely++
			}
		}
		bad, told := false, 0
		for j := 0; !bad && j < len(fields)/2; j++ {
			p, err := strconv.ParseFloat(fields[2*j+1], 64)
			if err != nil {
				t.Fatal(err)
			}
			if p <= floor {
				continue
			}
			if told++; j >= len(got) {
				break
			}
			off := max(math.Abs(p-all[fields[2*j]]), math.Abs(p-float64(got[j].Probability)))
			worst = max(worst, off)
			bad = off > 1e-5
		}
		bad = bad || told != likely
		if bad {
			if failed++; failed < 5 {
				t.Errorf("line %d %.40q: %+v, want %s", i+1, line, got, want[i])
			}
		}
	}
	t.Logf("%d lines, largest difference %.2g, %d failed", len(input), worst, failed)
}

func TestReferencePredictions(t *testing.T) {
	dir := folder(t)
	input := lines(t, filepath.Join(dir, "input.txt"))
	for _, kind := range []string{"bin", "ftz"} {
		t.Run(kind, func(t *testing.T) {
			compare(t, open(t, filepath.Join(dir, "tiny-lid."+kind)), input, lines(t, filepath.Join(dir, "expected."+kind+".k3.txt")), 3)
		})
	}
}

func TestReferenceVectors(t *testing.T) {
	dir := folder(t)
	m := open(t, filepath.Join(dir, "tiny-skipgram-hs.bin"))
	if m.Classifier() || m.Predict("the queen", 1) != nil {
		t.Error("word vectors classify")
	}
	f, err := os.Open(filepath.Join(dir, "expected.wordvectors.txt"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for in := bufio.NewScanner(f); in.Scan(); {
		fields := strings.Fields(in.Text())
		v := m.Vector(fields[0])
		if len(v) != len(fields)-1 {
			t.Fatalf("%s: %d numbers, want %d", fields[0], len(v), len(fields)-1)
		}
		for i, x := range v {
			want, _ := strconv.ParseFloat(fields[i+1], 64)
			if math.Abs(want-float64(x)) > 1e-5*max(1, math.Abs(want)) {
				t.Errorf("%s: number %d is %g, want %g", fields[0], i, x, want)
			}
		}
	}
}
