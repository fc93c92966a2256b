package checkpoint

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"winnow/train/bpe"
	"winnow/train/checkpoint/safetensors"
	"winnow/train/llm"
)

// fixtures are the folders of testdata, all saved by transformers.
var fixtures = []string{"smollm2", "qwen2", "headdim", "bf16", "sharded"}

func load(t testing.TB, path string) (*llm.Model, *bpe.Tokenizer, *Info) {
	t.Helper()
	m, tok, info, err := LoadModel(path)
	if err != nil {
		t.Fatal(err)
	}
	return m, tok, info
}

// logits computes those of every position, [len(ids)][vocab].
func logits(t testing.TB, m *llm.Model, ids []int32) [][]float32 {
	t.Helper()
	p, err := llm.NewPool(1, "")
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	d, err := llm.NewDecoder(m, p, 1, m.Context)
	if err != nil {
		t.Fatal(err)
	}
	flat, err := d.PrefillAll(0, ids)
	if err != nil {
		t.Fatal(err)
	}
	rows := make([][]float32, len(ids))
	for i := range rows {
		rows[i] = append([]float32(nil), flat[i*m.Vocab:][:m.Vocab]...)
	}
	return rows
}

// TestFixtures compares logits and ids with those that transformers computed from the same files.
func TestFixtures(t *testing.T) {
	want := map[string]llm.Config{
		"smollm2": {Vocab: 280, Context: 64, Dim: 24, FFN: 48, Layers: 2, Heads: 3, KVHeads: 1, HeadDim: 8, NormEps: 1e-5, RopeTheta: 100000, Tied: true},
		"qwen2":   {Vocab: 280, Context: 64, Dim: 24, FFN: 48, Layers: 2, Heads: 4, KVHeads: 2, HeadDim: 6, NormEps: 1e-6, RopeTheta: 1000000, Tied: true, QKVBias: true},
		"headdim": {Vocab: 280, Context: 64, Dim: 24, FFN: 48, Layers: 2, Heads: 3, KVHeads: 3, HeadDim: 16, NormEps: 1e-6, RopeTheta: 500000},
		"bf16":    {Vocab: 280, Context: 64, Dim: 24, FFN: 48, Layers: 2, Heads: 3, KVHeads: 1, HeadDim: 8, NormEps: 1e-5, RopeTheta: 10000, Tied: true},
		"sharded": {Vocab: 280, Context: 64, Dim: 24, FFN: 48, Layers: 2, Heads: 4, KVHeads: 1, HeadDim: 6, NormEps: 1e-6, RopeTheta: 10000, QKVBias: true},
	}
	for _, name := range fixtures {
		m, tok, info := load(t, filepath.Join("testdata", name))
		if m.Config != want[name] {
			t.Errorf("%s: %+v, want %+v", name, m.Config, want[name])
		}
		if info.Kind != KindImport || info.Hash != Hash(Weights(m)) || info.Tokenizer != tok.Hash() {
			t.Errorf("%s: lineage %+v", name, info)
		}
		if tok.BOS() != 275 || tok.EOS() != 276 || tok.PAD() != 277 {
			t.Errorf("%s: bos %d eos %d pad %d", name, tok.BOS(), tok.EOS(), tok.PAD())
		}
		reference := readLogits(t, name)
		worst := 0.0
		for k, ids := range reference.IDs {
			got := logits(t, m, ids)
			for i, row := range reference.Logits[k] {
				for j, v := range row {
					worst = max(worst, math.Abs(v-float64(got[i*reference.Every[0]][j*reference.Every[1]])))
				}
			}
		}
		if !(worst < 1e-4) {
			t.Errorf("%s: logits differ from transformers' by %g", name, worst)
		}
		t.Logf("%s: logits within %.1e of transformers'", name, worst)
	}
}

type reference struct {
	IDs    [][]int32     `json:"ids"`
	Every  [2]int        `json:"every"` // which positions and which ids are stored
	Logits [][][]float64 `json:"logits"`
}

func readLogits(t testing.TB, name string) (r reference) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name, "logits.json"))
	if err == nil {
		err = json.Unmarshal(b, &r)
	}
	if err != nil || len(r.Logits) != 3 {
		t.Fatal(err, len(r.Logits))
	}
	return r
}

// randomModel draws every tensor, norms and biases too.
func randomModel(t testing.TB, c llm.Config) *llm.Model {
	t.Helper()
	m, err := llm.New(c, 1)
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(1, 9))
	for _, w := range Weights(m) {
		for i := range w.Data {
			w.Data[i] = float32(r.NormFloat64() * 0.15)
			if strings.Contains(w.Name, "norm") {
				w.Data[i]++
			}
		}
	}
	return m
}

var shapes = map[string]llm.Config{
	"llama":    {Vocab: 300, Context: 64, Dim: 64, FFN: 96, Layers: 2, Heads: 4, KVHeads: 2, HeadDim: 16, NormEps: 1e-5, RopeTheta: 10000},
	"tied":     {Vocab: 280, Context: 64, Dim: 32, FFN: 80, Layers: 3, Heads: 2, KVHeads: 1, HeadDim: 16, NormEps: 1e-6, RopeTheta: 500000, Tied: true},
	"headdim":  {Vocab: 290, Context: 64, Dim: 40, FFN: 64, Layers: 1, Heads: 4, KVHeads: 2, HeadDim: 20, NormEps: 1e-5, RopeTheta: 10000},
	"qwen2":    {Vocab: 280, Context: 64, Dim: 64, FFN: 96, Layers: 2, Heads: 4, KVHeads: 2, HeadDim: 16, NormEps: 1e-6, RopeTheta: 1000000, Tied: true, QKVBias: true},
	"narrower": {Vocab: 285, Context: 32, Dim: 24, FFN: 48, Layers: 2, Heads: 3, KVHeads: 1, HeadDim: 8, NormEps: 3e-6, RopeTheta: 12345.5}, // no row is a multiple of 32
}

func fixtureTokenizer(t testing.TB) *bpe.Tokenizer {
	t.Helper()
	tok, _, err := loadTokenizer(filepath.Join("testdata", "smollm2"), 280)
	if err != nil {
		t.Fatal(err)
	}
	return tok
}

func TestSaveModel(t *testing.T) {
	tok := fixtureTokenizer(t)
	for name, c := range shapes {
		m := randomModel(t, c)
		dir := filepath.Join(t.TempDir(), "new", "folder")
		info := &Info{Kind: KindBase, Seed: 3, ChatTemplate: "{{ <a> }}", Data: []Data{DataOf(testRun())}}
		if err := SaveModel(dir, m, tok, info); err != nil {
			t.Fatal(err)
		}
		back, backTok, backInfo := load(t, dir)
		info.Format = infoFormat
		if back.Config != c || Hash(Weights(back)) != info.Hash || backTok.Hash() != tok.Hash() || !reflect.DeepEqual(backInfo, info) {
			t.Errorf("%s came back as %+v, %+v", name, back.Config, backInfo)
		}
		// Saved again, over itself and over the index of shards that were there: the same bytes.
		before, err := os.ReadFile(filepath.Join(dir, safetensors.FileName))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, safetensors.IndexName), []byte(`{"weight_map":{}}`), 0o666); err != nil {
			t.Fatal(err)
		}
		if err := SaveModel(dir, back, backTok, backInfo); err != nil {
			t.Fatal(err)
		}
		after, err := os.ReadFile(filepath.Join(dir, safetensors.FileName))
		if err != nil || string(before) != string(after) {
			t.Errorf("%s: saved twice, the bytes differ (%v)", name, err)
		}
		if again, _, _ := load(t, dir); Hash(Weights(again)) != info.Hash {
			t.Errorf("%s: the weights changed", name)
		}
	}
	if err := SaveModel(t.TempDir(), randomModel(t, llm.Config{Vocab: 100, Context: 8, Dim: 8, FFN: 8, Layers: 1, Heads: 1, KVHeads: 1, HeadDim: 8, NormEps: 1e-5, RopeTheta: 1e4}), tok, new(Info)); err == nil {
		t.Error("a tokenizer larger than the model was saved with it")
	}
}

// TestExport writes every format and type: what is read again has the hash that the lineage says, and the model as parent.
func TestExport(t *testing.T) {
	tok := fixtureTokenizer(t)
	for name, c := range shapes {
		m := randomModel(t, c)
		parent := &Info{Kind: KindBase, Hash: Hash(Weights(m)), Seed: 5, Tokenizer: tok.Hash()}
		for _, to := range [][2]string{{"hf", "f32"}, {"hf", "f16"}, {"hf", "bf16"}, {"gguf", "f32"}, {"gguf", "f16"}, {"gguf", "q8_0"}} {
			path := filepath.Join(t.TempDir(), "out."+to[0])
			written, err := Export(path, m, tok, parent, to[0], to[1], "1")
			if err != nil {
				t.Fatal(err)
			}
			back, backTok, info := load(t, path)
			written.Format = infoFormat
			if !reflect.DeepEqual(info, written) || info.Hash != Hash(Weights(back)) || info.Parents[0].Hash != parent.Hash || backTok.Hash() != tok.Hash() {
				t.Errorf("%s %v: %+v", name, to, info)
			}
			if (info.Hash == parent.Hash) != (to[1] == "f32") {
				t.Errorf("%s %v: hash %s of parent %s", name, to, info.Hash, parent.Hash)
			}
		}
	}
}

func TestExportRefuses(t *testing.T) {
	m := randomModel(t, shapes["tied"])
	for _, bad := range [][2]string{{"hf", "q8_0"}, {"gguf", "bf16"}, {"onnx", "f32"}} {
		if _, err := Export(filepath.Join(t.TempDir(), "x"), m, nil, &Info{}, bad[0], bad[1], "1"); err == nil || !strings.Contains(err.Error(), "held") && !strings.Contains(err.Error(), "known") {
			t.Errorf("%v: %v", bad, err)
		}
	}
	wide := shapes["headdim"]
	wide.Heads, wide.KVHeads = 3, 3
	if _, err := Export(t.TempDir(), randomModel(t, wide), nil, &Info{}, "hf", "f32", "1"); err == nil || !strings.Contains(err.Error(), "multiple of num_attention_heads 3") {
		t.Errorf("a shape that transformers refuses: %v", err)
	}
	Weights(m)[0].Data[0] = 1e6
	for _, format := range []string{"hf", "gguf"} {
		if _, err := Export(t.TempDir(), m, nil, &Info{}, format, "f16", "1"); err == nil || !strings.Contains(err.Error(), "model.embed_tokens.weight") {
			t.Errorf("1e6 in float16, %s: %v", format, err)
		}
	}
}

// edited copies a fixture with its config.json changed.
func edited(t testing.TB, name string, change func(map[string]any)) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(filepath.Join("testdata", name))); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, configName)
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var j map[string]any
	if err := json.Unmarshal(b, &j); err != nil {
		t.Fatal(err)
	}
	change(j)
	if b, err = json.Marshal(j); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, b, 0o666); err != nil {
		t.Fatal(err)
	}
	return dir
}

// TestConfigForms reads what older versions of transformers wrote for the same model.
func TestConfigForms(t *testing.T) {
	whole, _, _ := load(t, filepath.Join("testdata", "smollm2"))
	for name, change := range map[string]func(map[string]any){
		"version 4": func(j map[string]any) {
			delete(j, "rope_parameters")
			delete(j, "dtype")
			j["rope_theta"], j["rope_scaling"], j["torch_dtype"] = 100000, nil, "float32"
		},
		"default scaling":  func(j map[string]any) { j["rope_scaling"] = map[string]any{"type": "default"} },
		"no head_dim":      func(j map[string]any) { delete(j, "head_dim") },
		"null head_dim":    func(j map[string]any) { j["head_dim"] = nil },
		"no architectures": func(j map[string]any) { delete(j, "architectures") },
		"no activation":    func(j map[string]any) { delete(j, "hidden_act") },
	} {
		if m, _, _ := load(t, edited(t, "smollm2", change)); m.Config != whole.Config {
			t.Errorf("%s: %+v", name, m.Config)
		}
	}
	// A window that is not turned on is none.
	load(t, edited(t, "qwen2", func(j map[string]any) { j["sliding_window"], j["use_sliding_window"] = 4096, false }))
}

func TestConfigRefused(t *testing.T) {
	set := func(name string, value any) func(map[string]any) { return func(j map[string]any) { j[name] = value } }
	for want, c := range map[string]struct {
		fixture string
		change  func(map[string]any)
	}{
		`rope_scaling "llama3" is not supported`:            {"smollm2", set("rope_scaling", map[string]any{"rope_type": "llama3", "factor": 8})},
		`rope_scaling "linear"`:                             {"smollm2", set("rope_scaling", map[string]any{"type": "linear", "factor": 2})},
		`rope_scaling "yarn"`:                               {"qwen2", set("rope_parameters", map[string]any{"rope_type": "yarn", "rope_theta": 1e6})},
		"partial_rotary_factor 0.5":                         {"smollm2", set("rope_parameters", map[string]any{"rope_type": "default", "rope_theta": 1e5, "partial_rotary_factor": 0.5})},
		"rope_interleaved":                                  {"smollm2", set("rope_interleaved", true)},
		"sliding_window 4096":                               {"qwen2", func(j map[string]any) { j["sliding_window"], j["use_sliding_window"] = 4096, true }},
		"sliding_window 32":                                 {"smollm2", set("sliding_window", 32)},
		`layer_types "sliding_attention"`:                   {"qwen2", set("layer_types", []string{"full_attention", "sliding_attention"})},
		`architecture ["MistralForCausalLM"]`:               {"smollm2", set("architectures", []string{"MistralForCausalLM"})},
		`model_type "mistral" does not fit`:                 {"smollm2", set("model_type", "mistral")},
		`model_type "gpt2" is not supported`:                {"smollm2", func(j map[string]any) { delete(j, "architectures"); j["model_type"] = "gpt2" }},
		`hidden_act "gelu"`:                                 {"smollm2", set("hidden_act", "gelu")},
		"attention_bias":                                    {"smollm2", set("attention_bias", true)},
		"mlp_bias":                                          {"smollm2", set("mlp_bias", true)},
		"quantization_config":                               {"smollm2", set("quantization_config", map[string]any{"bits": 4})},
		`"lm_head.weight" is missing`:                       {"smollm2", set("tie_word_embeddings", false)},
		`"model.layers.2.input_layernorm.weight" is missin`: {"smollm2", set("num_hidden_layers", 3)},
		`model.layers.1.`:                                   {"smollm2", set("num_hidden_layers", 1)},
		`"model.embed_tokens.weight" has shape [280 24]`:    {"smollm2", set("vocab_size", 1<<24)},
		`"model.layers.0.mlp.up_proj.weight" has shape`:     {"smollm2", set("intermediate_size", 1<<24)},
		`"model.layers.0.self_attn.k_proj.weight" has`:      {"smollm2", set("num_key_value_heads", 3)},
		"for 1000000 layers":                                {"smollm2", set("num_hidden_layers", 1000000)},
		"does not divide into num_attention_heads 5":        {"qwen2", set("num_attention_heads", 5)},
		"_proj.bias":                                        {"qwen2", func(j map[string]any) { j["architectures"], j["model_type"] = []string{"LlamaForCausalLM"}, "llama" }},
		"cannot unmarshal":                                  {"smollm2", set("hidden_size", "wide")},
	} {
		if _, _, _, err := LoadModel(edited(t, c.fixture, c.change)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

func FuzzConfig(f *testing.F) {
	for _, name := range fixtures {
		b, err := os.ReadFile(filepath.Join("testdata", name, configName))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	dir := edited(f, "smollm2", func(map[string]any) {})
	f.Fuzz(func(t *testing.T, b []byte) {
		if err := os.WriteFile(filepath.Join(dir, configName), b, 0o666); err != nil {
			t.Fatal(err)
		}
		if m, _, err := loadWeights(dir); err == nil && m.Validate() != nil {
			t.Fatal(m.Validate())
		}
	})
}

func BenchmarkLoadModel(b *testing.B) {
	dir := b.TempDir()
	m := randomModel(b, llm.Config{Vocab: 4096, Context: 256, Dim: 256, FFN: 688, Layers: 4, Heads: 4, KVHeads: 4, HeadDim: 64, NormEps: 1e-5, RopeTheta: 10000})
	if err := SaveModel(dir, m, nil, &Info{Kind: KindBase}); err != nil {
		b.Fatal(err)
	}
	b.SetBytes(4 * m.Config.Params())
	for b.Loop() {
		load(b, dir)
	}
}
