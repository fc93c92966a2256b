package checkpoint

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

func testState(step int64, size int) *State {
	r := rand.New(rand.NewPCG(uint64(step), 3))
	draw := func() []Tensor {
		tensors := []Tensor{{Name: "model.embed_tokens.weight", Shape: []int{size, 3}}, {Name: "model.norm.weight", Shape: []int{size}}}
		for i := range tensors {
			tensors[i].Data = make([]float32, size*[]int{3, 1}[i])
			for k := range tensors[i].Data {
				tensors[i].Data[k] = float32(r.NormFloat64())
			}
		}
		return tensors
	}
	return &State{
		Step: step, Cursor: 8 * step, Kernel: "portable", Extra: json.RawMessage(`{"a": [1, 2]}`),
		Config: json.RawMessage(`"<c>"`), Hashes: map[string]string{"tokenizer": "t", "data": "d"}, Weights: draw(), M: draw(), V: draw(),
	}
}

func save(t *testing.T, dir string, s *State) string {
	t.Helper()
	folder, err := Save(dir, s, 0)
	if err != nil {
		t.Fatal(err)
	}
	return folder
}

// same compares the files of two states byte for byte.
func same(t *testing.T, a, b string) {
	t.Helper()
	for _, name := range append(stateFiles[:], sumsName) {
		x, err := os.ReadFile(filepath.Join(a, name))
		if err != nil {
			t.Fatal(err)
		}
		y, err := os.ReadFile(filepath.Join(b, name))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(x, y) {
			t.Errorf("%s and %s differ in %s", a, b, name)
		}
	}
}

func TestStateRoundTrip(t *testing.T) {
	dir, again := t.TempDir(), t.TempDir()
	first := save(t, dir, testState(20, 5))
	s, warnings, err := Latest(dir, "portable")
	if err != nil || len(warnings) > 0 {
		t.Fatal(err, warnings)
	}
	if s.Step != 20 || s.Cursor != 160 || s.Hashes["data"] != "d" || s.Model != Hash(s.Weights) || Hash(s.V) != Hash(testState(20, 5).V) || Hash(s.M) == Hash(s.V) {
		t.Errorf("state %+v", s)
	}
	same(t, first, save(t, again, s))
	weights := testState(21, 5).Weights
	if err := Restore(weights, s.Weights); err != nil || Hash(weights) != s.Model {
		t.Errorf("restored to %s, %v", Hash(weights), err)
	}
}

func TestKernelWarning(t *testing.T) {
	dir := t.TempDir()
	save(t, dir, testState(1, 2))
	s, warnings, err := Latest(dir, "avx2")
	if err != nil || s.Step != 1 || len(warnings) != 1 || warnings[0].Kind != "kernel" || !strings.Contains(warnings[0].EN, "kernel portable") || !strings.Contains(warnings[0].ZH, "portable") {
		t.Errorf("%v, %+v", err, warnings)
	}
}

func TestRestoreRefuses(t *testing.T) {
	dst := []Tensor{tensor("a", []int{2}, 1, 2), tensor("b", []int{1}, 3)}
	for want, src := range map[string][]Tensor{
		`"b" is missing`:            {tensor("a", []int{2}, 8, 9)},
		`"a" has shape [1 2]`:       {tensor("a", []int{1, 2}, 8, 9), tensor("b", []int{1}, 8)},
		`"c" belongs to nothing`:    {tensor("a", []int{2}, 8, 9), tensor("b", []int{1}, 8), tensor("c", []int{1}, 8)},
		`"b" has shape [1 1], want`: {tensor("a", []int{2}, 8, 9), tensor("b", []int{1, 1}, 8)},
	} {
		if err := Restore(dst, src); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	if dst[0].Data[0] != 1 || dst[1].Data[0] != 3 {
		t.Errorf("a refused restore changed %v", dst)
	}
}

func TestKeep(t *testing.T) {
	dir := t.TempDir()
	if _, _, err := Latest(dir, ""); !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("no folder yet: %v", err)
	}
	for step := range int64(6) {
		save(t, dir, testState(step, 2))
		if step == 2 { // what a killed attempt leaves, and damage to the one before
			if err := os.MkdirAll(filepath.Join(dir, statesFolder, attemptPrefix+"X"), 0o777); err != nil {
				t.Fatal(err)
			}
		}
	}
	if got := folders(t, dir); got != "step-00000004 step-00000005" {
		t.Errorf("kept %s", got)
	}
	// The one before the newest is damaged: the next save must not count it as the last good one.
	if err := os.Truncate(filepath.Join(dir, statesFolder, "step-00000005", stateName), 3); err != nil {
		t.Fatal(err)
	}
	save(t, dir, testState(6, 2))
	if got := folders(t, dir); got != "step-00000004 step-00000006" {
		t.Errorf("kept %s", got)
	}
	save(t, dir, testState(6, 2)) // the same step again
	save(t, dir, testState(5, 2)) // and a step further back: what is later belongs to another past
	if got := folders(t, dir); got != "step-00000004 step-00000005" {
		t.Errorf("kept %s", got)
	}
}

func folders(t *testing.T, dir string) string {
	t.Helper()
	entries, err := os.ReadDir(filepath.Join(dir, statesFolder))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return strings.Join(names, " ")
}

// TestDamage cuts and flips every file of the newest state, at every byte: the one before it is loaded, with a warning.
func TestDamage(t *testing.T) {
	dir := t.TempDir()
	save(t, dir, testState(1, 1))
	newest := save(t, dir, testState(2, 1))
	check := func(what string) {
		t.Helper()
		s, warnings, err := Latest(dir, "portable")
		if err != nil || s.Step != 1 || len(warnings) != 1 || warnings[0].Kind != "damaged" {
			t.Fatalf("%s: step %v, %v, %v", what, s, warnings, err)
		}
	}
	for _, name := range append(stateFiles[:], sumsName) {
		path := filepath.Join(newest, name)
		whole, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for i := 0; i < len(whole); i += 1 + len(whole)/50 {
			if err := os.WriteFile(path, whole[:i], 0o666); err != nil {
				t.Fatal(err)
			}
			check(fmt.Sprintf("%s cut at %d", name, i))
			flipped := bytes.Clone(whole)
			flipped[i] ^= 4
			if err := os.WriteFile(path, flipped, 0o666); err != nil {
				t.Fatal(err)
			}
			check(fmt.Sprintf("%s flipped at %d", name, i))
		}
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		check(name + " gone")
		if err := os.WriteFile(path, whole, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	for _, step := range []string{"1", "2"} {
		if err := os.Remove(filepath.Join(dir, statesFolder, "step-0000000"+step, stateName)); err != nil {
			t.Fatal(err)
		}
	}
	if _, warnings, err := Latest(dir, "portable"); err == nil || errors.Is(err, fs.ErrNotExist) || len(warnings) != 2 {
		t.Errorf("nothing is whole: %v, %v", err, warnings)
	}
}

// TestKilled kills a process that saves without end, ten times: what it had acknowledged is there, whole, each time.
func TestKilled(t *testing.T) {
	if dir := os.Getenv("CHECKPOINT_SAVES"); dir != "" {
		first, _ := strconv.ParseInt(os.Getenv("CHECKPOINT_FIRST"), 10, 64)
		for step := first; ; step++ {
			save(t, dir, testState(step, 2000))
			fmt.Println("saved", step)
		}
	}
	dir := t.TempDir()
	saved := int64(0)
	for round := range 10 {
		c := exec.Command(os.Args[0], "-test.run", "^TestKilled$", "-test.v")
		c.Env = append(os.Environ(), "CHECKPOINT_SAVES="+dir, fmt.Sprint("CHECKPOINT_FIRST=", saved+1))
		out, err := c.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		kill := time.AfterFunc(time.Hour, func() { c.Process.Kill() })
		for n := 0; lines.Scan(); {
			if step, ok := strings.CutPrefix(lines.Text(), "saved "); ok {
				if saved, err = strconv.ParseInt(step, 10, 64); err != nil {
					t.Fatal(err)
				}
				if n++; n == 2 {
					kill.Reset(time.Duration(round*700) * time.Microsecond)
				}
			}
		}
		c.Wait()
		s, warnings, err := Latest(dir, "portable")
		if err != nil || len(warnings) > 0 || s.Step < saved || s.Step > saved+1 || s.Model != Hash(testState(s.Step, 2000).Weights) {
			t.Fatalf("round %d: acknowledged %d, found %v, %v, %v", round, saved, s.Step, warnings, err)
		}
		saved = s.Step
	}
}

func BenchmarkSave(b *testing.B) {
	s := testState(1, 1<<18)
	b.SetBytes(3 * 4 * 4 << 18)
	dir := b.TempDir()
	for b.Loop() {
		if _, err := Save(dir, s, 0); err != nil {
			b.Fatal(err)
		}
	}
}

func tensor(name string, shape []int, data ...float32) Tensor {
	return Tensor{Name: name, Shape: shape, Data: data}
}
