package fasttext

import (
	"bytes"
	"encoding/binary"
	"runtime"
	"strings"
	"testing"
)

// tiny is a model of two words and two labels, as bytes.
func tiny(loss int32, quantised bool) []byte {
	var b bytes.Buffer
	put := func(all ...any) {
		for _, v := range all {
			if s, ok := v.(string); ok {
				b.WriteString(s)
				b.WriteByte(0)
				continue
			}
			binary.Write(&b, binary.LittleEndian, v)
		}
	}
	const bucket = 3
	put(int32(Magic), int32(newest), arguments{2, 5, 5, 1, 5, 2, loss, supervised, bucket, 2, 3, 100, 1e-4})
	put(int32(4), int32(2), int32(2), int64(9), int64(-1))
	put("</s>", int64(4), int8(0), "river", int64(3), int8(0), "__label__a", int64(3), int8(1), "__label__b", int64(1), int8(1))
	if quantised {
		put(true, true, int64(2+bucket), int64(2), int32(2+bucket), []byte{1, 2, 3, 4, 5})
		put(int32(2), int32(1), int32(2), int32(2), make([]float32, 512))
		put([]byte{0, 0, 1, 1, 2}, int32(1), int32(1), int32(1), int32(1), make([]float32, 256))
	} else {
		put(false, int64(2+bucket), int64(2), []float32{1, 2, 3, 4, -1, -2, .5, .25, 0, 1})
	}
	put(false, int64(2), int64(2), []float32{1, 0, 0, 1})
	return b.Bytes()
}

func read(b []byte) (*Model, error) { return Read(bytes.NewReader(b), int64(len(b))) }

func TestReadRefuses(t *testing.T) {
	whole := tiny(softmax, false)
	if _, err := read(whole); err != nil {
		t.Fatal(err)
	}
	for n := range whole {
		if _, err := read(whole[:n]); err == nil {
			t.Errorf("cut to %d of %d bytes: no error", n, len(whole))
		}
	}
	for name, c := range map[string]struct {
		at   int
		with any
		want string
	}{
		"magic":   {0, int32(1), "no fastText model"},
		"version": {4, int32(13), "version 13"},
		"bucket":  {8 + 4*8, int32(0), "buckets"},
		"maxn":    {8 + 4*10, int32(1 << 30), "maxn"},
		"loss":    {8 + 4*6, int32(9), "loss 9"},
		"entries": {8 + 56, int32(1 << 30), "entries"},
		"rows":    {len(whole) - 32, int64(1 << 60), "output matrix"},
		"nan":     {len(whole) - 4, uint32(0x7fc00000), "NaN"},
	} {
		b := bytes.Clone(whole)
		var with bytes.Buffer
		binary.Write(&with, binary.LittleEndian, c.with)
		copy(b[c.at:], with.Bytes())
		if _, err := read(b); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := read(append(whole, 0)); err == nil || !strings.Contains(err.Error(), "follow") {
		t.Errorf("a byte too many: %v", err)
	}
}

// FuzzRead holds the reader to no panic, and to memory in proportion to the bytes that it is given, whatever those claim.
func FuzzRead(f *testing.F) {
	for loss := int32(hierarchical); loss <= oneVersusAll; loss++ {
		f.Add(tiny(loss, false), "the river река")
		f.Add(tiny(loss, true), "river </s> \xff\x80")
	}
	f.Fuzz(func(t *testing.T, b []byte, line string) {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		m, err := read(b)
		runtime.ReadMemStats(&after)
		if got := after.TotalAlloc - before.TotalAlloc; got > 4<<20+200*uint64(len(b)) {
			t.Errorf("%d bytes allocated for a file of %d", got, len(b))
		}
		if err != nil {
			return
		}
		m.Vector("river")
		for _, p := range m.Predict(line, 2) {
			if p.Label == "" && len(m.Labels()) == 0 {
				t.Error("a label from nowhere")
			}
			m.Probability(line, p.Label)
		}
	})
}
