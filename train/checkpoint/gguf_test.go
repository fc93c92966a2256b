package checkpoint

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"winnow/train/bpe"
	"winnow/train/checkpoint/gguf"
	"winnow/train/llm"
)

func testIDs(m *llm.Model) []int32 {
	ids := make([]int32, 24)
	for i := range ids {
		ids[i] = int32((i*i*31 + 7*i + 3) % m.Vocab)
	}
	return ids
}

// distance is the largest difference of two sets of logits.
func distance[A, B float32 | float64](a [][]A, b [][]B) float64 {
	worst := 0.0
	for i := range a {
		for j := range a[i] {
			d := math.Abs(float64(a[i][j]) - float64(b[i][j]))
			if !(d <= worst) {
				worst = d
			}
		}
	}
	return worst
}

func writeGGUF(t testing.TB, m *llm.Model, tok *bpe.Tokenizer, format string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "model.gguf")
	if err := WriteGGUF(path, m, tok, &Info{Kind: KindBase, Hash: Hash(Weights(m))}, format); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestGGUFLogits holds three things to one another, for every shape and format: the plain forward on the stored tensors,
// the model read back, and, where nothing was rounded, the model that was written.
func TestGGUFLogits(t *testing.T) {
	for name, c := range shapes {
		m := randomModel(t, c)
		for format := range fileTypes {
			path := writeGGUF(t, m, nil, format)
			want := openPlain(t, path).logits(testIDs(m))
			back, _, info := load(t, path)
			if back.Config != c || info.Hash != Hash(Weights(m)) {
				t.Errorf("%s %s: %+v", name, format, back.Config)
			}
			if d := distance(want, logits(t, back, testIDs(m))); d > 1e-4 {
				t.Errorf("%s %s: the plain forward and the model read back differ by %g", name, format, d)
			}
			d := distance(want, logits(t, m, testIDs(m)))
			if format == "f32" && (d > 1e-4 || Hash(Weights(back)) != Hash(Weights(m))) {
				t.Errorf("%s: the plain forward and the model written differ by %g", name, d)
			}
			if limit := map[string]float64{"f32": 1e-4, "f16": 0.02, "q8_0": 0.5}[format]; d > limit {
				t.Errorf("%s: %s moves logits by %g", name, format, d)
			}
			checkTypes(t, path, format)
		}
	}
}

// checkTypes holds each tensor to its type: norms and biases f32, weights as asked, rows that do not divide f16.
func checkTypes(t *testing.T, path, format string) {
	t.Helper()
	for _, i := range openPlain(t, path).r.Infos {
		want := map[string]gguf.Type{"f32": gguf.F32, "f16": gguf.F16, "q8_0": gguf.Q8_0}[format]
		if format == "q8_0" && i.Shape[len(i.Shape)-1]%32 != 0 {
			want = gguf.F16
		}
		if len(i.Shape) == 1 {
			want = gguf.F32
		}
		if i.Type != want {
			t.Errorf("%s: %s is %v, want %v", format, i.Name, i.Type, want)
		}
	}
}

// TestFixturesToGGUF takes what transformers saved to GGUF and compares the plain forward with transformers' own logits.
func TestFixturesToGGUF(t *testing.T) {
	for _, name := range fixtures {
		m, tok, _ := load(t, filepath.Join("testdata", name))
		p := openPlain(t, writeGGUF(t, m, tok, "f32"))
		reference := readLogits(t, name)
		for k, ids := range reference.IDs {
			got := p.logits(ids)
			for i, row := range reference.Logits[k] {
				for j, v := range row {
					if d := math.Abs(v - got[i*reference.Every[0]][j*reference.Every[1]]); d > 1e-4 {
						t.Fatalf("%s: text %d, position %d: off by %g", name, k, i*reference.Every[0], d)
					}
				}
			}
		}
	}
}

// TestPermutation drops the permutation of queries and keys, and turns the wrong pairs: either moves the logits far from
// the model's. So the comparisons above would find a permutation that is left out.
func TestPermutation(t *testing.T) {
	m := randomModel(t, shapes["llama"])
	want := logits(t, m, testIDs(m))
	keys, err := ggufKeys(m.Config, nil, &Info{Kind: KindBase}, "f32")
	if err != nil {
		t.Fatal(err)
	}
	tensors := ggufTensors(m, "f32")
	dropped := 0
	for i, w := range Weights(m) {
		if &tensors[i].Data[0] != &w.Data[0] {
			tensors[i].Data = w.Data
			dropped++
		}
	}
	if dropped != 2*m.Layers {
		t.Fatalf("%d tensors were permuted, want queries and keys of %d layers", dropped, m.Layers)
	}
	path := filepath.Join(t.TempDir(), "wrong.gguf")
	if err := replaceFile(path, func(w io.Writer) error { return gguf.Write(w, keys, tensors) }); err != nil {
		t.Fatal(err)
	}
	if d := distance(openPlain(t, path).logits(testIDs(m)), want); d < 0.1 {
		t.Errorf("without the permutation logits differ by only %g", d)
	}
	if back, _, _ := load(t, path); distance(logits(t, back, testIDs(m)), want) < 0.1 {
		t.Error("the reader does not permute")
	}
	// The qwen2 architecture turns as we do: permuted, or turned in the other way, it is another model.
	q := randomModel(t, shapes["qwen2"])
	p := openPlain(t, writeGGUF(t, q, nil, "f32"))
	p.interleaved = true
	if d := distance(p.logits(testIDs(q)), logits(t, q, testIDs(q))); d < 0.1 {
		t.Errorf("qwen2 with interleaved pairs differs by only %g", d)
	}
}

func TestInterleave(t *testing.T) {
	rows := make([]float32, 2*6*3) // 2 heads of width 6, 3 columns
	for i := range rows {
		rows[i] = float32(i)
	}
	got := interleave(rows, 2, 3)
	for i, want := range []int{0, 3, 1, 4, 2, 5, 6, 9, 7, 10, 8, 11} {
		if got[3*i] != float32(3*want) || got[3*i+2] != float32(3*want+2) {
			t.Errorf("row %d is %v, want row %d", i, got[3*i:3*i+3], want)
		}
	}
	separate(got, 2, 3)
	if !reflect.DeepEqual(got, rows) {
		t.Errorf("separated: %v", got)
	}
}

func TestGGUFTokenizer(t *testing.T) {
	tok := fixtureTokenizer(t)
	m := randomModel(t, shapes["llama"]) // 300 ids, 20 more than the tokenizer
	path := filepath.Join(t.TempDir(), "model.gguf")
	info := &Info{Kind: KindBase, ChatTemplate: "{{ messages }}", Data: []Data{DataOf(testRun())}}
	if err := WriteGGUF(path, m, tok, info, "f16"); err != nil {
		t.Fatal(err)
	}
	p := openPlain(t, path)
	tokens, types := p.key("tokenizer.ggml.tokens").([]string), p.key("tokenizer.ggml.token_type").([]int32)
	if len(tokens) != 300 || len(types) != 300 || tokens[275] != "<|bos|>" || types[275] != bpe.TypeControl || types[0] != bpe.TypeNormal || types[299] != bpe.TypeUnused {
		t.Errorf("tokens %q, types %v", tokens[270:], types[270:])
	}
	for name, want := range map[string]any{
		"tokenizer.ggml.model": "gpt2", "tokenizer.ggml.pre": "gpt-2", "tokenizer.ggml.bos_token_id": uint32(275), "tokenizer.ggml.eos_token_id": uint32(276),
		"tokenizer.ggml.padding_token_id": uint32(277), "tokenizer.ggml.add_bos_token": false, "tokenizer.chat_template": "{{ messages }}", "tokenizer.ggml.eot_token_id": uint32(279),
		"general.file_type": uint32(1), "general.architecture": "llama",
	} {
		if got := p.key(name); got != want {
			t.Errorf("%s is %v, want %v", name, got, want)
		}
	}
	_, back, backInfo := load(t, path)
	info.Format = infoFormat
	if back.Hash() != tok.Hash() || back.EOS() != tok.EOS() || !reflect.DeepEqual(backInfo, info) {
		t.Errorf("tokenizer %s, want %s; lineage %+v", back.Hash(), tok.Hash(), backInfo)
	}
	// A file of others has no whole tokenizer.json and no lineage: the arrays alone give the same ids.
	var foreign []gguf.Key
	for _, k := range p.r.Keys {
		if k.Name != tokenizerKey && k.Name != lineageKey {
			foreign = append(foreign, k)
		}
	}
	m2, tok2, info2 := load(t, rewrite(t, m, foreign))
	const text = "The river 在桥下 ran 42 times.\n\n <|bos|>"
	if tok2.Size() != 280 || !reflect.DeepEqual(tok2.Encode(nil, text), tok.Encode(nil, text)) || !reflect.DeepEqual(tok2.EncodeMarked(nil, text), tok.EncodeMarked(nil, text)) {
		t.Errorf("%d tokens, %v", tok2.Size(), tok2.Encode(nil, text))
	}
	if info2.Kind != KindImport || info2.Source != "llama" || info2.ChatTemplate != "{{ messages }}" || info2.Hash != Hash(Weights(m2)) {
		t.Errorf("lineage %+v", info2)
	}
}

// rewrite writes a model with other keys.
func rewrite(t testing.TB, m *llm.Model, keys []gguf.Key) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "model.gguf")
	if err := replaceFile(path, func(w io.Writer) error { return gguf.Write(w, keys, ggufTensors(m, "f32")) }); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestGGUFRefused(t *testing.T) {
	m := randomModel(t, shapes["llama"])
	tok := fixtureTokenizer(t)
	whole, err := ggufKeys(m.Config, tok, &Info{Kind: KindBase}, "f32")
	if err != nil {
		t.Fatal(err)
	}
	for want, set := range map[string]gguf.Key{
		`architecture "gemma"`:                      {Name: "general.architecture", Value: "gemma"},
		`llama.rope.scaling.type "yarn"`:            {Name: "llama.rope.scaling.type", Value: "yarn"},
		"llama.attention.sliding_window 128":        {Name: "llama.attention.sliding_window", Value: uint32(128)},
		"llama.expert_count 8":                      {Name: "llama.expert_count", Value: uint32(8)},
		"llama.rope.dimension_count 8":              {Name: "llama.rope.dimension_count", Value: uint32(8)},
		"llama.rope.scale_linear 2":                 {Name: "llama.rope.scale_linear", Value: float32(2)},
		`"llama.block_count": two is no count`:      {Name: "llama.block_count", Value: "two"},
		`"llama.block_count": -1 is no count`:       {Name: "llama.block_count", Value: int32(-1)},
		"layers 0":                                  {Name: "llama.block_count", Value: uint32(0)},
		"for 50000 layers":                          {Name: "llama.block_count", Value: uint32(50000)},
		`"model.layers.2.input_layernorm.weight"`:   {Name: "llama.block_count", Value: uint32(3)},
		"has no place":                              {Name: "llama.block_count", Value: uint32(1)},
		`tokenizer.ggml.model "bert"`:               {Name: "tokenizer.ggml.model", Value: "bert"},
		"no-such-splitter":                          {Name: "tokenizer.ggml.pre", Value: "no-such-splitter"},
		"2 tokens for a model of 300":               {Name: "tokenizer.ggml.tokens", Value: []string{"a", "b"}},
		`"ab" is no pair`:                           {Name: "tokenizer.ggml.merges", Value: []string{"ab"}},
		`"tokenizer.ggml.token_type" is a []string`: {Name: "tokenizer.ggml.token_type", Value: []string{"1"}},
		lineageKey: {Name: lineageKey, Value: "{}"},
		`"llama.attention.layer_norm_rms_epsilon" is a`: {Name: "llama.attention.layer_norm_rms_epsilon", Value: 1e-5},
	} {
		var keys []gguf.Key
		for _, k := range whole {
			if k.Name != set.Name && (k.Name != tokenizerKey || !strings.HasPrefix(set.Name, "tokenizer.")) {
				keys = append(keys, k)
			}
		}
		if _, _, _, err := LoadModel(rewrite(t, m, append(keys, set))); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	c := shapes["headdim"]
	c.QKVBias = true
	if err := WriteGGUF(filepath.Join(t.TempDir(), "x.gguf"), randomModel(t, c), nil, &Info{Kind: KindBase}, "f32"); err == nil || !strings.Contains(err.Error(), "heads*head_dim") {
		t.Errorf("qwen2 with wide heads: %v", err)
	}
	dir := t.TempDir()
	Weights(m)[0].Data[3] = float32(math.NaN())
	if err := WriteGGUF(filepath.Join(dir, "x.gguf"), m, nil, &Info{Kind: KindBase}, "q8_0"); err == nil || !strings.Contains(err.Error(), "token_embd.weight") {
		t.Errorf("NaN in q8_0: %v", err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
		t.Errorf("a refused file left %v", left)
	}
}

// TestDamagedModel cuts and flips the files of a model: an error each time, or, where bytes of weights flip, a model.
func TestDamagedModel(t *testing.T) {
	m := randomModel(t, llm.Config{Vocab: 280, Context: 8, Dim: 4, FFN: 4, Layers: 1, Heads: 1, KVHeads: 1, HeadDim: 4, NormEps: 1e-5, RopeTheta: 1e4, Tied: true})
	tok := fixtureTokenizer(t)
	dir := t.TempDir()
	if err := SaveModel(dir, m, tok, &Info{Kind: KindBase}); err != nil {
		t.Fatal(err)
	}
	file := writeGGUF(t, m, tok, "q8_0")
	for _, c := range []struct{ open, damage string }{{dir, filepath.Join(dir, "model.safetensors")}, {dir, filepath.Join(dir, configName)}, {dir, filepath.Join(dir, tokenizerName)}, {file, file}} {
		whole, err := os.ReadFile(c.damage)
		if err != nil {
			t.Fatal(err)
		}
		end := len(whole) // bytes behind the last tensor, and behind JSON, are padding
		end -= map[bool]int{true: 31, false: 2}[c.damage == file]
		for i := 0; i < end; i += 1 + end/60 {
			overwrite(t, c.damage, whole[:i])
			if _, _, _, err := LoadModel(c.open); err == nil {
				t.Fatalf("%s cut at %d of %d was loaded", c.damage, i, len(whole))
			}
			flipped := bytes.Clone(whole)
			flipped[i] ^= 1 << (i % 8)
			overwrite(t, c.damage, flipped)
			if got, _, _, err := LoadModel(c.open); err == nil && got.Validate() != nil {
				t.Fatalf("%s flipped at %d: %v", c.damage, i, got.Validate())
			}
		}
		overwrite(t, c.damage, whole)
		load(t, c.open)
	}
}

func FuzzGGUF(f *testing.F) {
	m, err := llm.New(llm.Config{Vocab: 8, Context: 8, Dim: 4, FFN: 4, Layers: 1, Heads: 1, KVHeads: 1, HeadDim: 4, NormEps: 1e-5, RopeTheta: 1e4, Tied: true}, 1)
	if err != nil {
		f.Fatal(err)
	}
	for _, format := range []string{"f32", "q8_0"} {
		b, err := os.ReadFile(writeGGUF(f, m, nil, format)) // TestDamagedModel has a tokenizer, which makes each try slow
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := gguf.NewReader(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			return
		}
		if m, _, info, err := readGGUF(r); err == nil && (m.Validate() != nil || info == nil) {
			t.Fatal(m.Validate(), info)
		}
	})
}

func BenchmarkGGUF(b *testing.B) {
	m := randomModel(b, llm.Config{Vocab: 4096, Context: 256, Dim: 256, FFN: 704, Layers: 4, Heads: 4, KVHeads: 4, HeadDim: 64, NormEps: 1e-5, RopeTheta: 10000})
	for format := range fileTypes {
		path := filepath.Join(b.TempDir(), "m.gguf")
		b.Run(fmt.Sprint("Write/", format), func(b *testing.B) {
			b.SetBytes(4 * m.Config.Params())
			for b.Loop() {
				if err := WriteGGUF(path, m, nil, &Info{Kind: KindBase}, format); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(fmt.Sprint("Read/", format), func(b *testing.B) {
			b.SetBytes(4 * m.Config.Params())
			for b.Loop() {
				load(b, path)
			}
		})
	}
}

func overwrite(t testing.TB, path string, b []byte) {
	t.Helper()
	if err := os.WriteFile(path, b, 0o666); err != nil {
		t.Fatal(err)
	}
}
