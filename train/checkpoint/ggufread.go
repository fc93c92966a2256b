package checkpoint

import (
	"fmt"
	"math"
	"os"
	"strings"

	"winnow/train/bpe"
	"winnow/train/checkpoint/gguf"
	"winnow/train/llm"
)

// ReadGGUF reads what WriteGGUF writes, and files of others with architecture llama or qwen2, a byte-level tokenizer and
// F32, F16, BF16 or Q8_0 weights. What would compute something else than llama.cpp does is refused by its name.
func ReadGGUF(path string) (*llm.Model, *bpe.Tokenizer, *Info, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, nil, nil, err
	}
	defer f.Close()
	stat, err := f.Stat()
	if err != nil {
		return nil, nil, nil, err
	}
	r, err := gguf.NewReader(f, stat.Size())
	if err != nil {
		return nil, nil, nil, fmt.Errorf("%s: %w", path, err)
	}
	m, tok, info, err := readGGUF(r)
	if err != nil {
		return nil, nil, nil, fmt.Errorf("%s: %w", path, err)
	}
	return m, tok, info, nil
}

func readGGUF(r *gguf.Reader) (*llm.Model, *bpe.Tokenizer, *Info, error) {
	k := &keys{r: r}
	architecture := k.text("general.architecture", "")
	c, err := ggufConfig(k, architecture)
	if err != nil {
		return nil, nil, nil, err
	}
	m, err := ggufWeights(r, c)
	if err != nil {
		return nil, nil, nil, err
	}
	tok, err := ggufTokenizer(k, c.Vocab)
	if err != nil {
		return nil, nil, nil, err
	}
	var info *Info
	if lineage := k.text(lineageKey, ""); lineage != "" {
		if info, err = decodeInfo([]byte(lineage)); err != nil {
			return nil, nil, nil, fmt.Errorf("%s: %w", lineageKey, err)
		}
	} else {
		info = imported(m, tok, architecture)
		info.ChatTemplate = k.text("tokenizer.chat_template", "")
	}
	return m, tok, info, k.err
}

// keys reads keys of expected kinds and remembers the first that is of another.
type keys struct {
	r   *gguf.Reader
	err error
}

func valueOf[T any](k *keys, name string, missing T) T {
	v, ok := k.r.Key(name)
	if !ok {
		return missing
	}
	t, ok := v.(T)
	if !ok {
		if k.err == nil {
			k.err = fmt.Errorf("key %q is a %T, want a %T", name, v, missing)
		}
		return missing
	}
	return t
}

func (k *keys) text(name, missing string) string { return valueOf(k, name, missing) }

// count reads an unsigned number of any width.
func (k *keys) count(name string, missing int) int {
	v, ok := k.r.Key(name)
	if !ok {
		return missing
	}
	n := int64(-1)
	switch v := v.(type) {
	case uint8:
		n = int64(v)
	case uint16:
		n = int64(v)
	case uint32:
		n = int64(v)
	case int32:
		n = int64(v)
	case uint64:
		n = int64(min(v, math.MaxInt64))
	case int64:
		n = v
	}
	if n < 0 || n > math.MaxInt32 {
		if k.err == nil {
			k.err = fmt.Errorf("key %q: %v is no count", name, v)
		}
		return missing
	}
	return int(n)
}

func ggufConfig(k *keys, architecture string) (llm.Config, error) {
	if architecture != "llama" && architecture != "qwen2" {
		return llm.Config{}, fmt.Errorf("architecture %q is not supported; llama and qwen2 are", architecture)
	}
	prefix := architecture + "."
	n := func(name string, missing int) int { return k.count(prefix+name, missing) }
	c := llm.Config{
		Context: n("context_length", 0), Dim: n("embedding_length", 0), FFN: n("feed_forward_length", 0), Layers: n("block_count", 0),
		Heads: n("attention.head_count", 0), QKVBias: architecture == "qwen2",
		NormEps:   widen(valueOf(k, prefix+"attention.layer_norm_rms_epsilon", float32(0))),
		RopeTheta: widen(valueOf(k, prefix+"rope.freq_base", float32(10000))),
	}
	c.KVHeads = n("attention.head_count_kv", c.Heads)
	c.HeadDim = n("attention.key_length", c.Dim/max(c.Heads, 1))
	embedding, ok := k.r.Info("token_embd.weight")
	if !ok || len(embedding.Shape) != 2 {
		return c, fmt.Errorf("tensor %q is missing", "token_embd.weight")
	}
	c.Vocab = embedding.Shape[0]
	_, untied := k.r.Info("output.weight")
	c.Tied = !untied
	if k.err != nil {
		return c, k.err
	}
	for name, want := range map[string]int{"rope.dimension_count": c.HeadDim, "attention.value_length": c.HeadDim, "vocab_size": c.Vocab, "expert_count": 0} {
		if got := n(name, want); got != want {
			return c, fmt.Errorf("%s%s %d is not supported; %d is", prefix, name, got, want)
		}
	}
	if s := k.text(prefix+"rope.scaling.type", "none"); s != "none" {
		return c, fmt.Errorf("%srope.scaling.type %q is not supported", prefix, s)
	}
	for _, name := range []string{"attention.sliding_window", "rope.scale_linear", "rope.scaling.factor"} {
		if v, there := k.r.Key(prefix + name); there && v != uint32(0) && v != float32(1) {
			return c, fmt.Errorf("%s%s %v is not supported", prefix, name, v)
		}
	}
	if k.err != nil {
		return c, k.err
	}
	return c, c.Validate()
}

// widen gives the shortest decimal that is v as a float32: 1e-5 is stored as a float32, but meant as 1e-5.
func widen(v float32) float64 {
	var w float64
	fmt.Sscan(fmt.Sprint(v), &w)
	return w
}

func ggufWeights(r *gguf.Reader, c llm.Config) (*llm.Model, error) {
	names := map[string]string{} // GGUF's, by transformers'
	shapes := map[string][]int{}
	for _, i := range r.Infos {
		name := hfName(i.Name)
		if name == "" {
			return nil, fmt.Errorf("tensor %q has no place in this architecture", i.Name)
		}
		names[name], shapes[name] = i.Name, i.Shape
	}
	return fill(c, shapes, func(name string, dst []float32) error {
		if err := r.Read(names[name], dst); err != nil {
			return err
		}
		if heads := rotatedHeads(c, name); heads > 0 {
			separate(dst, heads, c.Dim)
		}
		return nil
	})
}

// hfName translates GGUF's name of a tensor; "" for one that no model of this program has.
func hfName(name string) string {
	switch name {
	case "token_embd.weight":
		return "model.embed_tokens.weight"
	case "output_norm.weight":
		return "model.norm.weight"
	case "output.weight":
		return "lm_head.weight"
	}
	part := strings.Split(name, ".")
	if len(part) != 4 || part[0] != "blk" {
		return ""
	}
	for ours, theirs := range tensorNames {
		if theirs == part[2] {
			return "model.layers." + part[1] + "." + ours + "." + part[3]
		}
	}
	return ""
}

// ggufTokenizer reads the tokenizer; nil where the file has none. A whole tokenizer.json, where there is one, wins: the
// arrays do not hold what puts bos before a text, nor how the vocabulary was made.
func ggufTokenizer(k *keys, vocab int) (*bpe.Tokenizer, error) {
	tokens := valueOf(k, "tokenizer.ggml.tokens", []string(nil))
	if tokens == nil || k.err != nil {
		return nil, k.err
	}
	if model := k.text("tokenizer.ggml.model", ""); model != "gpt2" {
		return nil, fmt.Errorf("tokenizer.ggml.model %q is not supported; gpt2 is", model)
	}
	if len(tokens) != vocab {
		return nil, fmt.Errorf("%d tokens for a model of %d", len(tokens), vocab)
	}
	id := func(name string) int32 { return int32(k.count("tokenizer.ggml."+name, math.MaxInt32)) }
	p := bpe.Parts{Tokens: tokens, Types: valueOf(k, "tokenizer.ggml.token_type", []int32(nil)), Splitter: k.text("tokenizer.ggml.pre", ""), BOS: id("bos_token_id"), EOS: id("eos_token_id"), PAD: id("padding_token_id")}
	for _, role := range []*int32{&p.BOS, &p.EOS, &p.PAD} {
		if *role == math.MaxInt32 {
			*role = -1
		}
	}
	for _, m := range valueOf(k, "tokenizer.ggml.merges", []string(nil)) {
		a, b, ok := strings.Cut(m, " ")
		if !ok {
			return nil, fmt.Errorf("tokenizer.ggml.merges: %q is no pair", m)
		}
		p.Merges = append(p.Merges, [2]string{a, b})
	}
	if k.err != nil {
		return nil, k.err
	}
	if whole := k.text(tokenizerKey, ""); whole != "" {
		return wholeTokenizer(whole, p)
	}
	// Ids that only fill the model's vocabulary are no tokens.
	for n := len(p.Tokens); p.Types != nil && len(p.Types) == n && n > 0 && p.Types[n-1] == bpe.TypeUnused && strings.HasPrefix(p.Tokens[n-1], "[PAD"); n-- {
		p.Tokens, p.Types = p.Tokens[:n-1], p.Types[:n-1]
	}
	return bpe.FromParts(p)
}

func wholeTokenizer(whole string, p bpe.Parts) (*bpe.Tokenizer, error) {
	tok, err := bpe.ReadJSON(strings.NewReader(whole))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", tokenizerKey, err)
	}
	for id, name := range tok.Tokens() {
		if name != "" && (id >= len(p.Tokens) || name != p.Tokens[id]) {
			return nil, fmt.Errorf("%s: token %d is %q, the list of tokens has another", tokenizerKey, id, name)
		}
	}
	name := func(id int32) string {
		if id < 0 || int(id) >= len(p.Tokens) {
			return ""
		}
		return p.Tokens[id]
	}
	return tok.WithRoles(name(p.BOS), name(p.EOS), name(p.PAD))
}
