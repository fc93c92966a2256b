package journal

import (
	"bytes"
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"
)

type metric struct {
	Step int     `json:"step"`
	Loss float64 `json:"loss"`
	Row  int64   `json:"row"`
}

func TestJournalCut(t *testing.T) {
	path := filepath.Join(t.TempDir(), "metrics.jsonl")
	write := func(from, to, cut int) []byte {
		j, err := Open(path, cut)
		if err != nil {
			t.Fatal(err)
		}
		for step := from; step <= to; step++ {
			if err := j.Write(metric{Step: step, Loss: 1 / float64(step), Row: int64(4 * step)}); err != nil {
				t.Fatal(err)
			}
		}
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	whole := write(1, 20, 0)
	for _, tail := range []string{"", `{"step":21`, "{\"step\":21}\n", "\x00\x00\n", "no json\n{\"step\":3}\n"} {
		for _, step := range []int{0, 7, 20} {
			if err := os.WriteFile(path, append(bytes.Clone(whole), tail...), 0o644); err != nil {
				t.Fatal(err)
			}
			if got := write(step+1, 20, step); !bytes.Equal(got, whole) {
				t.Fatalf("tail %q, step %d: %d bytes, want %d", tail, step, len(got), len(whole))
			}
		}
	}
	if err := os.WriteFile(path, append(whole, `{"st`...), 0o644); err != nil {
		t.Fatal(err)
	}
	m, err := Read[metric](path)
	if err != nil || len(m) != 20 || m[19].Row != 80 || m[2].Loss != 1.0/3 {
		t.Errorf("%v: %d lines", err, len(m))
	}
}

func TestEventsAsTensorBoardWritesThem(t *testing.T) {
	want, err := os.ReadFile("testdata/events.tfevents")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "events")
	e, err := OpenEvents(path, 0)
	if err != nil {
		t.Fatal(err)
	}
	e.file.Truncate(0) // begin again, under the fixture's clock
	e.file.Close()
	e = &Events{now: func() time.Time { return time.Unix(1700000000, 250e6) }}
	if e.file, err = openCut(path, 0); err != nil {
		t.Fatal(err)
	}
	record := append([]byte{9}, want[13:21]...) // a first event has no step: proto3 leaves out zeros
	if err := e.record(append(record, "\x1a\x0dbrain.Event:2"...)); err != nil {
		t.Fatal(err)
	}
	for _, s := range []struct {
		step       int
		loss, rate float64
	}{{1, 6.25, 1e-4}, {2, 5.5, 2e-4}, {300, 3.125, 2e-4}} {
		if err := e.Write(s.step, Scalar{"train/loss", s.loss}, Scalar{"train/lr", s.rate}); err != nil {
			t.Fatal(err)
		}
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(path); err != nil || !bytes.Equal(got, want) {
		t.Errorf("%v: % x\nwant % x", err, got, want)
	}
}

func TestEventsCut(t *testing.T) {
	whole, err := os.ReadFile("testdata/events.tfevents")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "events")
	for n := range len(whole) + 1 { // an end at any byte
		if err := os.WriteFile(path, whole[:n], 0o644); err != nil {
			t.Fatal(err)
		}
		end, err := eventsEnd(path, 2)
		if err != nil || end > int64(n) {
			t.Fatal(n, end, err)
		}
		if steps := stepsOf(t, whole[:end]); n == len(whole) && !reflect.DeepEqual(steps, []int{0, 1, 2}) {
			t.Fatalf("steps %v stay", steps)
		}
	}
	for i := range whole { // damage of any byte: nothing behind it is believed, and nothing panics
		b := bytes.Clone(whole)
		b[i] ^= 0x40
		if err := os.WriteFile(path, b, 0o644); err != nil {
			t.Fatal(err)
		}
		if end, err := eventsEnd(path, 1000); err != nil || end > int64(i) {
			t.Fatalf("byte %d damaged, %d bytes stay (%v)", i, end, err)
		}
	}
}

func stepsOf(t *testing.T, b []byte) (steps []int) {
	in := bytes.NewReader(b)
	for in.Len() > 0 {
		step, scalars, _, err := readEvent(in)
		if err != nil {
			t.Fatal(err)
		}
		if step > 0 && (len(scalars) != 2 || scalars[0].Tag != "train/loss") {
			t.Fatalf("step %d: %v", step, scalars)
		}
		steps = append(steps, step)
	}
	return steps
}

func FuzzReadEvent(f *testing.F) {
	if b, err := os.ReadFile("testdata/events.tfevents"); err == nil {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		for in := bytes.NewReader(b); ; {
			_, _, size, err := readEvent(in)
			if err != nil {
				return
			}
			if size <= 16 || size > int64(len(b)) {
				t.Fatalf("record of %d bytes", size)
			}
		}
	})
}
