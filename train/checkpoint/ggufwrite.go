package checkpoint

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"winnow/train/bpe"
	"winnow/train/checkpoint/gguf"
	"winnow/train/llm"
)

// Keys of this program's own in a GGUF file.
const (
	lineageKey   = "winnow.lineage"             // JSON of Info
	tokenizerKey = "tokenizer.huggingface.json" // ggml's name for a whole tokenizer.json
)

// fileTypes are ggml's numbers for what most weights of a file are stored as, and the type of those weights.
var fileTypes = map[string]struct {
	number uint32
	weight gguf.Type
}{"f32": {0, gguf.F32}, "f16": {1, gguf.F16}, "q8_0": {7, gguf.Q8_0}}

// tensorNames are GGUF's names of what stands behind model.layers.<i>. and before .weight or .bias.
var tensorNames = map[string]string{
	"input_layernorm": "attn_norm", "self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k", "self_attn.v_proj": "attn_v",
	"self_attn.o_proj": "attn_output", "post_attention_layernorm": "ffn_norm", "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up",
	"mlp.down_proj": "ffn_down",
}

// ggufName translates transformers' name of a tensor.
func ggufName(name string) string {
	switch name {
	case "model.embed_tokens.weight":
		return "token_embd.weight"
	case "model.norm.weight":
		return "output_norm.weight"
	case "lm_head.weight":
		return "output.weight"
	}
	layer, rest, _ := strings.Cut(strings.TrimPrefix(name, "model.layers."), ".")
	at := strings.LastIndexByte(rest, '.')
	return "blk." + layer + "." + tensorNames[rest[:at]] + rest[at:]
}

// WriteGGUF writes a model for llama.cpp and Ollama: architecture llama, or qwen2 where the model has biases. format is
// f32, f16 or q8_0; a weight whose rows are no multiple of 32 stays f16 in q8_0, norms and biases are f32 in all. The file
// is replaced whole. Without a tokenizer (nil) the file loads in few programs.
func WriteGGUF(path string, m *llm.Model, tok *bpe.Tokenizer, info *Info, format string) error {
	if _, ok := fileTypes[format]; !ok {
		return fmt.Errorf("%s: format %q is not known; f32, f16 and q8_0 are", path, format)
	}
	keys, err := ggufKeys(m.Config, tok, info, format)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	tensors := ggufTensors(m, format)
	if err := replaceFile(path, func(w io.Writer) error { return gguf.Write(w, keys, tensors) }); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

func ggufTensors(m *llm.Model, format string) []gguf.Tensor {
	weights := Weights(m)
	tensors := make([]gguf.Tensor, len(weights))
	for i, w := range weights {
		t := gguf.Tensor{Name: ggufName(w.Name), Shape: w.Shape, Data: w.Data, Type: gguf.F32}
		if len(w.Shape) == 2 {
			t.Type = weightType(format, w.Shape[1])
			if heads := rotatedHeads(m.Config, w.Name); heads > 0 {
				t.Data = interleave(w.Data, heads, w.Shape[1])
			}
		}
		tensors[i] = t
	}
	return tensors
}

// weightType is how a format stores a weight whose rows have so many columns.
func weightType(format string, columns int) gguf.Type {
	if t := fileTypes[format].weight; t != gguf.Q8_0 || columns%32 == 0 {
		return t
	}
	return gguf.F16
}

// rotatedHeads is the number of heads of a weight whose rows llama.cpp has in another order, 0 for all others.
func rotatedHeads(c llm.Config, name string) int {
	switch {
	case c.QKVBias: // architecture qwen2
		return 0
	case strings.HasSuffix(name, ".self_attn.q_proj.weight"):
		return c.Heads
	case strings.HasSuffix(name, ".self_attn.k_proj.weight"):
		return c.KVHeads
	}
	return 0
}

func ggufKeys(c llm.Config, tok *bpe.Tokenizer, info *Info, format string) ([]gguf.Key, error) {
	architecture := "llama"
	if c.QKVBias {
		architecture = "qwen2"
		if c.Heads*c.HeadDim != c.Dim {
			return nil, fmt.Errorf("llama.cpp's qwen2 wants heads*head_dim = dim; here %d*%d and %d", c.Heads, c.HeadDim, c.Dim)
		}
	}
	name := "winnow " + info.Kind
	if len(info.Hash) >= 12 {
		name += " " + info.Hash[:12]
	}
	keys := []gguf.Key{
		{Name: "general.architecture", Value: architecture}, {Name: "general.name", Value: name},
		{Name: "general.file_type", Value: fileTypes[format].number}, {Name: "general.quantization_version", Value: uint32(2)},
	}
	add := func(name string, value any) {
		keys = append(keys, gguf.Key{Name: architecture + "." + name, Value: value})
	}
	add("context_length", uint32(c.Context))
	add("embedding_length", uint32(c.Dim))
	add("block_count", uint32(c.Layers))
	add("feed_forward_length", uint32(c.FFN))
	add("attention.head_count", uint32(c.Heads))
	add("attention.head_count_kv", uint32(c.KVHeads))
	add("attention.key_length", uint32(c.HeadDim))
	add("attention.value_length", uint32(c.HeadDim))
	add("attention.layer_norm_rms_epsilon", float32(c.NormEps))
	add("rope.dimension_count", uint32(c.HeadDim))
	add("rope.freq_base", float32(c.RopeTheta))
	add("vocab_size", uint32(c.Vocab))
	if tok != nil {
		more, err := tokenizerKeys(tok, c.Vocab, info)
		if err != nil {
			return nil, err
		}
		keys = append(keys, more...)
	}
	lineage, err := encodeInfo(info)
	return append(keys, gguf.Key{Name: lineageKey, Value: string(lineage)}), err
}

// tokenizerKeys describes the tokenizer of a model of vocab ids: ids beyond the tokenizer's are unused.
func tokenizerKeys(tok *bpe.Tokenizer, vocab int, info *Info) ([]gguf.Key, error) {
	p := tok.Parts()
	if len(p.Tokens) > vocab {
		return nil, fmt.Errorf("a tokenizer of %d ids for a model of %d", len(p.Tokens), vocab)
	}
	tokens, types := p.Tokens, p.Types
	for id := len(tokens); id < vocab; id++ {
		tokens, types = append(tokens, fmt.Sprintf("[PAD%d]", id)), append(types, bpe.TypeUnused)
	}
	merges := make([]string, len(p.Merges))
	for i, m := range p.Merges {
		merges[i] = m[0] + " " + m[1]
	}
	begins, err := AddsBOS(tok)
	if err != nil {
		return nil, err
	}
	var whole bytes.Buffer
	if err := tok.WriteJSON(&whole); err != nil {
		return nil, err
	}
	keys := []gguf.Key{{Name: "model", Value: "gpt2"}, {Name: "pre", Value: p.Splitter}, {Name: "tokens", Value: tokens}, {Name: "token_type", Value: types}, {Name: "merges", Value: merges}}
	for _, r := range []struct {
		name string
		id   int32
	}{{"bos_token_id", p.BOS}, {"eos_token_id", p.EOS}, {"padding_token_id", p.PAD}} {
		if r.id >= 0 {
			keys = append(keys, gguf.Key{Name: r.name, Value: uint32(r.id)})
		}
	}
	if end, ok := info.turnEnd(tok); ok {
		keys = append(keys, gguf.Key{Name: "eot_token_id", Value: uint32(end)})
	}
	keys = append(keys, gguf.Key{Name: "add_bos_token", Value: begins}, gguf.Key{Name: "add_eos_token", Value: false}, gguf.Key{Name: "add_space_prefix", Value: false})
	for i := range keys {
		keys[i].Name = "tokenizer.ggml." + keys[i].Name
	}
	if info.ChatTemplate != "" {
		keys = append(keys, gguf.Key{Name: "tokenizer.chat_template", Value: info.ChatTemplate})
	}
	return append(keys, gguf.Key{Name: tokenizerKey, Value: whole.String()}), nil
}

// The rotary positions of this program, and of transformers, turn the pairs (i, i + h/2) of a head of width h. llama.cpp's
// llama architecture turns (2i, 2i + 1). Both compute the same when the rows of queries and keys change places within each
// head; scores are sums over pairs and do not see their order. llama.cpp's qwen2 architecture turns as we do.

// interleave gives rows [heads*h, columns] in llama.cpp's order: row 2i of a head is its row i, row 2i + 1 its row i + h/2.
func interleave(rows []float32, heads, columns int) []float32 {
	out := make([]float32, len(rows))
	width := len(rows) / heads
	h := width / columns
	for head := range heads {
		from, to := rows[head*width:][:width], out[head*width:][:width]
		for i := range h / 2 {
			copy(to[2*i*columns:][:columns], from[i*columns:][:columns])
			copy(to[(2*i+1)*columns:][:columns], from[(i+h/2)*columns:][:columns])
		}
	}
	return out
}

// separate is the inverse of interleave, in place.
func separate(rows []float32, heads, columns int) {
	width := len(rows) / heads
	h := width / columns
	old := make([]float32, width)
	for head := range heads {
		to := rows[head*width:][:width]
		copy(old, to)
		for i := range h / 2 {
			copy(to[i*columns:][:columns], old[2*i*columns:][:columns])
			copy(to[(i+h/2)*columns:][:columns], old[(2*i+1)*columns:][:columns])
		}
	}
}
