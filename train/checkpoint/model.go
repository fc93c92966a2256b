package checkpoint

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"winnow/train/bpe"
	"winnow/train/checkpoint/safetensors"
	"winnow/train/llm"
)

// Files of a model folder, beside safetensors.FileName and InfoName.
const (
	configName          = "config.json"
	generationName      = "generation_config.json"
	tokenizerName       = "tokenizer.json"
	tokenizerConfigName = "tokenizer_config.json"
	specialsName        = "special_tokens_map.json"
)

// Weights lists a model's tensors under transformers' names; their Data is the model's memory.
func Weights(m *llm.Model) []Tensor {
	list := m.Weights()
	tensors := make([]Tensor, len(list))
	for i, w := range list {
		tensors[i] = Tensor{Name: w.Name, Shape: shapeOf(w), Data: w.Data}
	}
	return tensors
}

func shapeOf(w llm.Weight) []int {
	if w.Cols == 0 {
		return []int{w.Rows}
	}
	return []int{w.Rows, w.Cols}
}

// SaveModel writes a model folder that transformers loads as LlamaForCausalLM, or as Qwen2ForCausalLM where the model has
// biases: float32 weights, configuration, tokenizer, lineage. Each file is replaced whole; the lineage comes last. It sets
// info's Hash and Tokenizer. Without a tokenizer (nil) its files are left out.
func SaveModel(dir string, m *llm.Model, tok *bpe.Tokenizer, info *Info) error {
	info.Hash = Hash(Weights(m))
	return saveModel(dir, m, tok, info, "F32")
}

// saveModel stores weights as dtype; info.Hash is that of the weights as stored.
func saveModel(dir string, m *llm.Model, tok *bpe.Tokenizer, info *Info, dtype string) error {
	return saveFolder(dir, m, tok, info, folder{tensors: Weights(m), dtype: dtype})
}

// folder is what of a model's folder differs from kind to kind.
type folder struct {
	tensors []Tensor
	dtype   string // "F32", "F16", "BF16"
	reward  bool
}

func saveFolder(dir string, m *llm.Model, tok *bpe.Tokenizer, info *Info, what folder) error {
	if m.Dim%m.Heads != 0 {
		return fmt.Errorf("%s: transformers wants hidden_size %d to be a multiple of num_attention_heads %d", dir, m.Dim, m.Heads)
	}
	if m.LoRA() != nil {
		return fmt.Errorf("%s: the model has adapters: merge them first, or save them alone", dir)
	}
	torchType := map[string]string{"F32": "float32", "F16": "float16", "BF16": "bfloat16"}[what.dtype]
	ids := specialsOf(tok)
	files := []struct {
		name  string
		write func(io.Writer) error
	}{
		{safetensors.FileName, func(w io.Writer) error { return safetensors.Write(w, what.dtype, what.tensors, nil) }},
		{generationName, writeJSON(generationOf(tok, ids, info))},
		{configName, func(w io.Writer) error {
			b, err := encodeConfig(m.Config, ids, torchType, what.reward)
			return errors.Join(err, write(w, b))
		}},
	}
	if tok != nil {
		if tok.Size() > m.Vocab {
			return fmt.Errorf("%s: a tokenizer of %d ids for a model of %d", dir, tok.Size(), m.Vocab)
		}
		info.Tokenizer = tok.Hash()
		files = append(files, []struct {
			name  string
			write func(io.Writer) error
		}{
			{tokenizerName, tok.WriteJSON},
			{tokenizerConfigName, writeJSON(tokenizerConfigOf(tok, m.Context, info.ChatTemplate))},
			{specialsName, writeJSON(namesOf(tok))},
		}...)
	}
	for _, f := range files {
		if err := replaceFile(filepath.Join(dir, f.name), f.write); err != nil {
			return fmt.Errorf("%s: %w", filepath.Join(dir, f.name), err)
		}
	}
	// The index of shards that were here before would win over the one file.
	if err := os.Remove(filepath.Join(dir, safetensors.IndexName)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return WriteInfo(dir, info)
}

func write(w io.Writer, b []byte) error {
	_, err := w.Write(b)
	return err
}

func writeJSON(v any) func(io.Writer) error {
	return func(w io.Writer) error {
		e := json.NewEncoder(w)
		e.SetEscapeHTML(false) // names of special tokens are full of < and >
		e.SetIndent("", "  ")
		return e.Encode(v)
	}
}

// LoadModel reads a model, its tokenizer and its lineage from a model folder, or from a .gguf file. The tokenizer is nil
// where the folder has none; the lineage of a checkpoint from elsewhere has KindImport. A folder of adapters gives the model
// that they belong to with the adapters merged, and their lineage. Errors name the key or the tensor that is not understood.
func LoadModel(path string) (*llm.Model, *bpe.Tokenizer, *Info, error) {
	if strings.EqualFold(filepath.Ext(path), ".gguf") {
		return ReadGGUF(path)
	}
	if IsAdapter(path) {
		m, base, info, err := loadAdapted(path)
		if err != nil {
			return nil, nil, nil, err
		}
		tok, template, err := loadTokenizer(base, m.Vocab)
		if info.ChatTemplate == "" {
			info.ChatTemplate = template
		}
		return m, tok, info, err
	}
	m, architecture, err := loadWeights(path)
	if err != nil {
		return nil, nil, nil, err
	}
	tok, template, err := loadTokenizer(path, m.Vocab)
	if err != nil {
		return nil, nil, nil, err
	}
	info, err := ReadInfo(path)
	if errors.Is(err, fs.ErrNotExist) {
		info, err = imported(m, tok, architecture), nil
		info.ChatTemplate = template
	}
	return m, tok, info, err
}

// imported is the lineage of a model that carries none.
func imported(m *llm.Model, tok *bpe.Tokenizer, source string) *Info {
	i := &Info{Kind: KindImport, Hash: Hash(Weights(m)), Source: source}
	if tok != nil {
		i.Tokenizer = tok.Hash()
	}
	return i
}

func loadWeights(dir string) (*llm.Model, string, error) {
	path := filepath.Join(dir, configName)
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, "", err
	}
	c, architecture, err := decodeConfig(b)
	if err != nil {
		return nil, "", fmt.Errorf("%s: %w", path, err)
	}
	set, err := safetensors.Open(dir)
	if err != nil {
		return nil, "", err
	}
	defer set.Close()
	shapes := map[string][]int{}
	for _, e := range set.Entries() {
		shapes[e.Name] = e.Shape
	}
	m, err := fill(c, shapes, set.Read)
	if err != nil {
		return nil, "", fmt.Errorf("%s: %w", dir, err)
	}
	return m, architecture, nil
}

// fill makes a model and reads each of its tensors. Shapes of all tensors that are stored come by name: one that is
// missing, of another shape, or left over is the error.
func fill(c llm.Config, shapes map[string][]int, read func(name string, dst []float32) error) (*llm.Model, error) {
	if err := affordable(c, shapes); err != nil {
		return nil, err
	}
	m, err := llm.Zero(c)
	if err != nil {
		return nil, err
	}
	left := len(shapes)
	for _, t := range Weights(m) {
		if err := checkShape(shapes, t.Name, t.Shape...); err != nil {
			return nil, err
		}
		if err := read(t.Name, t.Data); err != nil {
			return nil, err
		}
		left--
	}
	if left > 0 {
		known := map[string]bool{"lm_head.weight": c.Tied} // stored twice by some
		for _, t := range Weights(m) {
			known[t.Name] = true
		}
		for name := range shapes {
			// Old versions of transformers stored the frequencies of rotary positions, which follow from rope_theta.
			if !known[name] && !strings.HasSuffix(name, ".rotary_emb.inv_freq") {
				return nil, fmt.Errorf("tensor %q has no place in this architecture", name)
			}
		}
	}
	return m, nil
}

// affordable compares a configuration with the tensors that are there, before memory is taken for it.
func affordable(c llm.Config, shapes map[string][]int) error {
	if c.Layers > len(shapes) {
		return fmt.Errorf("%d tensors for %d layers", len(shapes), c.Layers)
	}
	stored := int64(0)
	for _, s := range shapes {
		n := int64(1)
		for _, d := range s {
			n *= int64(d)
		}
		stored += n
	}
	err := errors.Join(
		checkShape(shapes, "model.embed_tokens.weight", c.Vocab, c.Dim),
		checkShape(shapes, "model.layers.0.self_attn.q_proj.weight", c.Heads*c.HeadDim, c.Dim),
		checkShape(shapes, "model.layers.0.self_attn.k_proj.weight", c.KVHeads*c.HeadDim, c.Dim),
		checkShape(shapes, "model.layers.0.mlp.up_proj.weight", c.FFN, c.Dim),
		checkShape(shapes, fmt.Sprintf("model.layers.%d.input_layernorm.weight", c.Layers-1), c.Dim))
	if !c.Tied {
		err = errors.Join(err, checkShape(shapes, "lm_head.weight", c.Vocab, c.Dim))
	}
	if err == nil && c.Params() > stored {
		err = fmt.Errorf("a model of %d values, of which %d are stored", c.Params(), stored)
	}
	return err
}

func checkShape(shapes map[string][]int, name string, want ...int) error {
	got, ok := shapes[name]
	if !ok {
		return fmt.Errorf("tensor %q is missing", name)
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		return fmt.Errorf("tensor %q has shape %v, want %v", name, got, want)
	}
	return nil
}

// loadTokenizer reads tokenizer.json, nil where there is none, and the chat template beside it.
func loadTokenizer(dir string, vocab int) (*bpe.Tokenizer, string, error) {
	path := filepath.Join(dir, tokenizerName)
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, "", nil
	}
	if err != nil {
		return nil, "", err
	}
	tok, err := bpe.ReadJSON(bytes.NewReader(b))
	if err != nil {
		return nil, "", fmt.Errorf("%s: %w", path, err)
	}
	if tok.Size() > vocab {
		return nil, "", fmt.Errorf("%s: %d ids for a model of %d", path, tok.Size(), vocab)
	}
	return readRoles(dir, tok)
}
