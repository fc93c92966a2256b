package gguf

import (
	"bytes"
	"encoding/binary"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"winnow/train/checkpoint/half"
)

func sampleKeys() []Key {
	return []Key{
		{"a.u8", uint8(200)}, {"a.i8", int8(-3)}, {"a.u16", uint16(60000)}, {"a.i16", int16(-300)}, {"a.u32", uint32(4e9)}, {"a.i32", int32(-70000)},
		{"a.f32", float32(1e-5)}, {"a.bool", true}, {"a.string", "词 and \x00 word"}, {"a.u64", uint64(1 << 63)}, {"a.i64", int64(-1 << 62)}, {"a.f64", math.Pi},
		{"b.u8", []uint8{1, 2}}, {"b.i8", []int8{-1}}, {"b.u16", []uint16{1}}, {"b.i16", []int16{-1}}, {"b.u32", []uint32{7, 8, 9}}, {"b.i32", []int32{1, -1}},
		{"b.f32", []float32{0.5}}, {"b.bool", []bool{true, false}}, {"b.string", []string{"", "x", "长"}}, {"b.u64", []uint64{3}}, {"b.i64", []int64{-3}}, {"b.f64", []float64{2.5}},
		{"b.none", []string{}},
	}
}

func sampleTensors() []Tensor {
	r := rand.New(rand.NewPCG(5, 5))
	tensors := []Tensor{{Name: "norm", Shape: []int{7}, Type: F32}, {Name: "f16", Shape: []int{3, 5}, Type: F16}, {Name: "q8", Shape: []int{3, 64}, Type: Q8_0}, {Name: "big", Shape: []int{40, 1024}, Type: Q8_0}}
	for i, n := range []int{7, 15, 192, 40960} {
		tensors[i].Data = make([]float32, n)
		for k := range tensors[i].Data {
			tensors[i].Data[k] = float32(r.NormFloat64())
		}
	}
	clear(tensors[2].Data[:32]) // a block of zeros has scale zero
	return tensors
}

func write(t testing.TB, keys []Key, tensors []Tensor) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := Write(&b, keys, tensors); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestRoundTrip(t *testing.T) {
	b := write(t, sampleKeys(), sampleTensors())
	r, err := NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(r.Keys, sampleKeys()) {
		t.Errorf("keys %v", r.Keys)
	}
	for _, want := range sampleTensors() {
		info, ok := r.Info(want.Name)
		if !ok || info.Type != want.Type || !reflect.DeepEqual(info.Shape, want.Shape) {
			t.Fatalf("%+v", info)
		}
		got := make([]float32, len(want.Data))
		if err := r.Read(want.Name, got); err != nil {
			t.Fatal(err)
		}
		for i, v := range want.Data {
			// Q8_0: half a step of at most 4.5/127, and the scale's 2^-11.
			bound := map[Type]float64{F32: 0, F16: math.Abs(float64(v)) * 0x1p-11, Q8_0: 0.5*4.6/127 + math.Abs(float64(v))*0x1p-10}[want.Type]
			if d := math.Abs(float64(v - got[i])); d > bound {
				t.Fatalf("%s[%d] is %g, want %g", want.Name, i, got[i], v)
			}
		}
		// What was stored comes back unchanged: reading and writing again changes no bit.
		again, err := encode(nil, want.Type, got)
		if err != nil {
			t.Fatal(err)
		}
		twice := make([]float32, len(got))
		decode(twice, want.Type, again)
		if want.Type != Q8_0 && !reflect.DeepEqual(got, twice) {
			t.Errorf("%s changes when it is stored twice", want.Name)
		}
	}
}

func TestWriteRefuses(t *testing.T) {
	long := strings.Repeat("x", 65)
	for want, call := range map[string]func() error{
		"do not divide": func() error {
			return Write(new(bytes.Buffer), nil, []Tensor{{"w", []int{2, 16}, Q8_0, make([]float32, 32)}})
		},
		"do not fill": func() error { return Write(new(bytes.Buffer), nil, []Tensor{{"w", []int{2}, F32, make([]float32, 3)}}) },
		"65 bytes": func() error {
			return Write(new(bytes.Buffer), nil, []Tensor{{long, []int{1}, F32, make([]float32, 1)}})
		},
		"beyond F16": func() error { return Write(new(bytes.Buffer), nil, []Tensor{{"w", []int{1}, F16, []float32{70000}}}) },
		"no number": func() error {
			return Write(new(bytes.Buffer), nil, []Tensor{{"w", []int{32}, Q8_0, append(make([]float32, 31), float32(math.NaN()))}})
		},
		"beyond Q8_0": func() error {
			return Write(new(bytes.Buffer), nil, []Tensor{{"w", []int{32}, Q8_0, append(make([]float32, 31), 1e9)}})
		},
		"not supported":     func() error { return Write(new(bytes.Buffer), nil, []Tensor{{"w", []int{1}, 12, []float32{1}}}) },
		"cannot be written": func() error { return Write(new(bytes.Buffer), nil, []Tensor{{"w", []int{1}, BF16, []float32{1}}}) },
		"there twice": func() error {
			w := Tensor{"w", []int{1}, F32, []float32{1}}
			return Write(new(bytes.Buffer), nil, []Tensor{w, w})
		},
		"not twice":        func() error { return Write(new(bytes.Buffer), []Key{{"a", true}, {"a", true}}, nil) },
		"no kind of value": func() error { return Write(new(bytes.Buffer), []Key{{"a", struct{}{}}}, nil) },
	} {
		if err := call(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

// TestBlock checks one block by hand: 127 steps from the largest value, halves away from zero, scale rounded to float16.
func TestBlock(t *testing.T) {
	values := make([]float32, 32)
	values[0], values[1], values[2], values[3] = 127, -2.5, 2.5, 0.4
	b, err := encode(nil, Q8_0, values)
	if err != nil {
		t.Fatal(err)
	}
	want := append(binary.LittleEndian.AppendUint16(nil, half.ToFloat16(1)), 127, 0xfd, 3, 0)
	if !bytes.Equal(b[:6], want) || len(b) != blockBytes {
		t.Errorf("% x, want % x", b, want)
	}
	tiny := make([]float32, 32)
	tiny[5] = math.SmallestNonzeroFloat32
	if b, err = encode(nil, Q8_0, tiny); err != nil || !bytes.Equal(b, make([]byte, blockBytes)) {
		t.Errorf("% x, %v", b, err)
	}
}

func TestRefused(t *testing.T) {
	keys, tensors := []Key{{"k.one", uint32(5)}}, []Tensor{{"w1", []int{2, 4}, F32, make([]float32, 8)}, {"w2", []int{8}, F32, make([]float32, 8)}}
	whole := write(t, keys, tensors)
	at := func(s string) int { return bytes.Index(whole, []byte(s)) }
	put32 := func(i int, v uint32) func([]byte) { return func(b []byte) { binary.LittleEndian.PutUint32(b[i:], v) } }
	put64 := func(i int, v uint64) func([]byte) { return func(b []byte) { binary.LittleEndian.PutUint64(b[i:], v) } }
	second := at("w2") + 2 + 4 + 8 // its type, after one dimension
	for _, c := range []struct {
		name, want string
		change     func([]byte)
	}{
		{"magic", "no GGUF", put32(0, 0x47475546)},
		{"version", "version 1", put32(4, 1)},
		{"endian", "big-endian", put32(4, 3<<24)},
		{"tensors", "", put64(8, 1<<60)},
		{"keys", "", put64(16, 1<<60)},
		{"key's length", "a string of", put64(24, 1<<40)},
		{"kind", "kind 77", put32(at("k.one")+5, 77)},
		{"dimensions", `tensor "w1": 9 dimensions`, put32(at("w1")+2, 9)},
		{"dimension", `tensor "w1": a dimension of`, put64(at("w1")+6, 1<<40)},
		{"type", `tensor "w2": Q4_K is not supported`, put32(second, 12)},
		{"block", `tensor "w2": rows of 8`, put32(second, 8)},
		{"aligned", `tensor "w2": offset 5`, put64(second+4, 5)},
		{"overlap", `tensor "w2" overlaps`, put64(second+4, 0)},
		{"end", `tensor "w2" ends`, put64(second+4, 64)},
		{"name", `tensor "w1" is there twice`, func(b []byte) { b[at("w2")+1] = '1' }},
	} {
		b := bytes.Clone(whole)
		c.change(b)
		if _, err := NewReader(bytes.NewReader(b), int64(len(b))); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
	for n := range whole { // both tensors fill whole alignments, so every cut takes something away
		if _, err := NewReader(bytes.NewReader(whole[:n]), int64(n)); err == nil {
			t.Fatalf("a file cut at %d of %d bytes was opened", n, len(whole))
		}
	}
}

// TestForeign opens files that llama.cpp's converter wrote.
func TestForeign(t *testing.T) {
	data := os.Getenv("WINNOW_DATA")
	if data == "" {
		t.Skip("WINNOW_DATA is not set: vocabularies of llama.cpp are not read")
	}
	for name, tokens := range map[string]int{"gpt-2": 50257, "deepseek-coder": 32256} {
		f, err := os.Open(filepath.Join(data, "formats", "gguf", "ggml-vocab-"+name+".gguf"))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		info, err := f.Stat()
		if err != nil {
			t.Fatal(err)
		}
		r, err := NewReader(f, info.Size())
		if err != nil {
			t.Fatal(err)
		}
		pre, _ := r.Key("tokenizer.ggml.pre")
		list, _ := r.Key("tokenizer.ggml.tokens")
		if got, ok := list.([]string); !ok || len(got) < tokens || pre != name {
			t.Errorf("%s: pre %v, %d tokens", name, pre, len(got))
		}
		// All of it, written again, is the same file, but for the version and for padding behind the keys.
		old, err := os.ReadFile(f.Name())
		if err != nil {
			t.Fatal(err)
		}
		again := write(t, r.Keys, nil)
		n := min(len(old), len(again))
		if n < len(old)-32 || !bytes.Equal(old[8:n], again[8:n]) {
			t.Errorf("%s: %d bytes written again as %d others", name, len(old), len(again))
		}
	}
}

// FuzzReader holds any bytes to an error or to tensors that can all be read.
func FuzzReader(f *testing.F) {
	f.Add(write(f, sampleKeys(), sampleTensors()[:3]))
	f.Add(write(f, nil, sampleTensors()[1:2]))
	f.Add(write(f, []Key{{"a", []string{"b"}}}, nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := NewReader(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			return
		}
		for _, i := range r.Infos {
			if err := r.Read(i.Name, make([]float32, i.Elements())); err != nil {
				t.Fatalf("%+v: %v", i, err)
			}
		}
	})
}

func BenchmarkEncode(b *testing.B) {
	values := sampleTensors()[3].Data
	for _, kind := range []Type{F32, F16, Q8_0} {
		b.Run(kind.String(), func(b *testing.B) {
			b.SetBytes(int64(4 * len(values)))
			var dst []byte
			for b.Loop() {
				dst, _ = encode(dst[:0], kind, values)
			}
		})
	}
}

func BenchmarkDecode(b *testing.B) {
	values := sampleTensors()[3].Data
	for _, kind := range []Type{F32, F16, Q8_0} {
		src, err := encode(nil, kind, values)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(kind.String(), func(b *testing.B) {
			b.SetBytes(int64(4 * len(values)))
			for b.Loop() {
				decode(values, kind, src)
			}
		})
	}
}
