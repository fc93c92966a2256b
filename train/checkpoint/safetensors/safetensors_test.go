package safetensors

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io/fs"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"winnow/train/checkpoint/half"
)

func sample() []Tensor {
	r := rand.New(rand.NewPCG(7, 7))
	tensors := []Tensor{{Name: "b \"quoted\" 词", Shape: []int{3, 5}}, {Name: "a", Shape: []int{7}}, {Name: "empty", Shape: []int{0, 4}}, {Name: "scalar", Shape: nil}, {Name: "long", Shape: []int{33, 1000, 3}}}
	for i := range tensors {
		e := Entry{Shape: tensors[i].Shape}
		tensors[i].Data = make([]float32, e.Elements())
		for k := range tensors[i].Data {
			tensors[i].Data[k] = float32(r.NormFloat64())
		}
	}
	copy(tensors[1].Data, []float32{float32(math.Inf(1)), float32(math.NaN()), float32(math.Copysign(0, -1)), math.MaxFloat32, math.SmallestNonzeroFloat32})
	return tensors
}

func write(t testing.TB, dtype string, tensors []Tensor) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := Write(&b, dtype, tensors, map[string]string{"note": "n"}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestRoundTrip(t *testing.T) {
	keep := map[string]func(float32) float32{
		"F32":  func(v float32) float32 { return v },
		"F16":  func(v float32) float32 { return half.FromFloat16(half.ToFloat16(v)) },
		"BF16": func(v float32) float32 { return half.FromBFloat16(half.ToBFloat16(v)) },
	}
	for dtype, stored := range keep {
		b := write(t, dtype, sample())
		if n := binary.LittleEndian.Uint64(b); n%8 != 0 {
			t.Errorf("%s: the data begins at %d", dtype, n+8)
		}
		r, err := NewReader(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			t.Fatal(err)
		}
		if r.Metadata["format"] != "pt" || r.Metadata["note"] != "n" {
			t.Errorf("%s: metadata %v", dtype, r.Metadata)
		}
		for i, want := range sample() {
			if e := r.Entries[i]; e.Name != want.Name || e.Type != dtype || len(e.Shape) != len(want.Shape) {
				t.Fatalf("%s: entry %+v, want %s %v", dtype, e, want.Name, want.Shape)
			}
			got := make([]float32, len(want.Data))
			if err := r.Read(want.Name, got); err != nil {
				t.Fatal(err)
			}
			for k := range got {
				if w := stored(want.Data[k]); math.Float32bits(got[k]) != math.Float32bits(w) {
					t.Fatalf("%s: %s[%d] is %g, want %g", dtype, want.Name, k, got[k], w)
				}
			}
		}
		if !bytes.Equal(b, write(t, dtype, sample())) {
			t.Errorf("%s: written twice, the bytes differ", dtype)
		}
	}
}

func TestWriteRefuses(t *testing.T) {
	for name, tensors := range map[string][]Tensor{
		"twice": {{"a", []int{1}, []float32{1}}, {"a", []int{1}, []float32{1}}},
		"shape": {{"a", []int{2}, []float32{1}}},
		"sign":  {{"a", []int{-1, -1}, []float32{1}}},
		"meta":  {{metadataKey, []int{1}, []float32{1}}},
	} {
		if err := Write(new(bytes.Buffer), "F32", tensors, nil); err == nil {
			t.Errorf("%s was written", name)
		}
	}
	if err := Write(new(bytes.Buffer), "I8", nil, nil); err == nil {
		t.Error("dtype I8 was written")
	}
}

// raw makes a file of a header and n bytes of data.
func raw(header string, n int) []byte {
	b := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	return append(append(b, header...), make([]byte, n)...)
}

func TestHeaderRefused(t *testing.T) {
	one := func(entry string) string { return `{"w":` + entry + `}` }
	for _, c := range []struct {
		name, header, want string
		data               int
	}{
		{"overlap", `{"v":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"w":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}`, `tensor "w" overlaps`, 12},
		{"hole", `{"v":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"w":{"dtype":"F32","shape":[1],"data_offsets":[8,12]}}`, `hole of 4 bytes before tensor "w"`, 12},
		{"rest", one(`{"dtype":"F32","shape":[1],"data_offsets":[0,4]}`), "belong to no tensor", 8},
		{"length", one(`{"dtype":"F32","shape":[3],"data_offsets":[0,8]}`), `tensor "w": 8 bytes for F32 [3], want 12`, 8},
		{"outside", one(`{"dtype":"F32","shape":[3],"data_offsets":[0,12]}`), `tensor "w": data_offsets`, 8},
		{"backwards", one(`{"dtype":"F32","shape":[1],"data_offsets":[8,4]}`), `tensor "w": data_offsets`, 8},
		{"negative", one(`{"dtype":"F32","shape":[-1,-2],"data_offsets":[0,8]}`), "impossible", 8},
		{"huge", one(`{"dtype":"F32","shape":[2147483647,2147483647,2147483647],"data_offsets":[0,8]}`), "impossible", 8},
		{"dtype", one(`{"dtype":"F33","shape":[2],"data_offsets":[0,8]}`), `dtype "F33"`, 8},
		{"offsets", one(`{"dtype":"F32","shape":[2],"data_offsets":[0]}`), "data_offsets", 8},
		{"twice", `{"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"w":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}`, `"w" is there twice`, 8},
		{"json", `{"w":`, "", 0},
		{"space", ` {}`, "begin with {", 0},
		{"two", `{}{}`, "more than one", 0},
		{"metadata", `{"__metadata__":{"a":1}}`, "__metadata__", 0},
		{"list", `[]`, "begin with {", 0},
	} {
		b := raw(c.header, c.data)
		if _, err := NewReader(bytes.NewReader(b), int64(len(b))); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
	b := raw(`{"w":{"dtype":"I64","shape":[1],"data_offsets":[0,8]}}   `, 8)
	r, err := NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Read("w", make([]float32, 1)); err == nil || !strings.Contains(err.Error(), `tensor "w": dtype I64`) {
		t.Errorf("I64 was read: %v", err)
	}
	if err := r.Read("v", nil); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a tensor that is not there: %v", err)
	}
}

// TestCut reads every beginning of a file: an error each time.
func TestCut(t *testing.T) {
	b := write(t, "F32", sample()[:4])
	for n := range b {
		if _, err := NewReader(bytes.NewReader(b[:n]), int64(n)); err == nil {
			t.Fatalf("a file cut at %d of %d bytes was opened", n, len(b))
		}
	}
}

func TestShards(t *testing.T) {
	dir := filepath.Join("..", "testdata", "sharded")
	s, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if len(s.readers) != 3 || len(s.Entries()) != 27 {
		t.Fatalf("%d shards with %d tensors", len(s.readers), len(s.Entries()))
	}
	if _, err := s.Tensors(); err != nil {
		t.Fatal(err)
	}
	index, err := os.ReadFile(filepath.Join(dir, IndexName))
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string][2]string{
		"not where the index says": {`model.norm.weight": "model-00002`, `model.norm.weight": "model-00001`},
		"does not hold it":         {`"model.norm.weight"`, `"model.gone.weight": "model-00001-of-00003.safetensors", "model.norm.weight"`},
		"no file of this folder":   {`model.norm.weight": "model`, `model.norm.weight": "../model`},
	} {
		copied := t.TempDir()
		if err := os.CopyFS(copied, os.DirFS(dir)); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(copied, IndexName), []byte(strings.Replace(string(index), change[0], change[1], 1)), 0o666); err != nil {
			t.Fatal(err)
		}
		if s, err := Open(copied); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%v, want %q", err, name)
			if err == nil {
				s.Close()
			}
		}
	}
	if _, err := Open(t.TempDir()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("an empty folder: %v", err)
	}
}

// FuzzReader holds any bytes to an error or to tensors that can all be read, and that come back when written again.
func FuzzReader(f *testing.F) {
	f.Add(write(f, "F32", sample()[:4]))
	f.Add(write(f, "BF16", sample()[:2]))
	f.Add(raw(`{"w":{"dtype":"F16","shape":[2,1],"data_offsets":[0,4]}}`, 4))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := NewReader(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			return
		}
		for _, e := range r.Entries {
			err := r.Read(e.Name, make([]float32, e.Elements()))
			if float := e.Type == "F32" || e.Type == "F16" || e.Type == "BF16"; float != (err == nil) {
				t.Fatalf("%+v: %v", e, err)
			}
		}
	})
}

func BenchmarkWrite(b *testing.B) {
	tensors := []Tensor{{Name: "w", Shape: []int{1 << 20}, Data: make([]float32, 1<<20)}}
	for _, dtype := range []string{"F32", "F16", "BF16"} {
		b.Run(dtype, func(b *testing.B) {
			b.SetBytes(4 << 20)
			for b.Loop() {
				if err := Write(discard{}, dtype, tensors, nil); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

type discard struct{}

func (discard) Write(b []byte) (int, error) { return len(b), nil }

func BenchmarkRead(b *testing.B) {
	for _, dtype := range []string{"F32", "F16", "BF16"} {
		file := write(b, dtype, []Tensor{{Name: "w", Shape: []int{1 << 20}, Data: make([]float32, 1<<20)}})
		dst := make([]float32, 1<<20)
		b.Run(dtype, func(b *testing.B) {
			b.SetBytes(4 << 20)
			for b.Loop() {
				r, err := NewReader(bytes.NewReader(file), int64(len(file)))
				if err != nil {
					b.Fatal(err)
				}
				if err := r.Read("w", dst); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
