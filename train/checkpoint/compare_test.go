package checkpoint

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"winnow/train/bpe"
)

// compareTexts are encoded by every tokenizer; the first ids of the first are what logits are computed for.
var compareTexts = []string{
	"The river ran under the bridge in 1987, and the birds didn't sing. 河水从桥下流过，鸟儿在歌唱。",
	"  two  spaces,\ttabs\n\nand lines  \n x = 3.14159*r**2; // émigré naïve",
	"今天天气很好，我们去公园散步吧！It's 2024年3月15日。",
}

// TestForComparison writes models, files and logits for testdata/compare.py, which holds them to other programs.
func TestForComparison(t *testing.T) {
	dir := os.Getenv("CHECKPOINT_COMPARE")
	if dir == "" {
		t.Skip("CHECKPOINT_COMPARE names no folder: nothing is written for testdata/compare.py")
	}
	type expected struct {
		IDs    []int32                `json:"ids"`
		Logits map[string][][]float32 `json:"logits"` // by file
		Texts  []string               `json:"texts"`
		Tokens [][]int32              `json:"tokens"`
	}
	for name, c := range shapes {
		splitter := map[bool]string{true: "deepseek-coder", false: "gpt-2"}[name == "llama" || name == "headdim"]
		if c.QKVBias {
			splitter = "qwen2"
		}
		tok, err := bpe.Train(slices.Values(compareTexts), bpe.TrainOptions{Vocab: c.Vocab - 2, Splitter: splitter})
		if err != nil {
			t.Fatal(err)
		}
		m := randomModel(t, c)
		info := &Info{Kind: KindBase, ChatTemplate: "{% for m in messages %}{{ m['content'] }}{% endfor %}"}
		if err := SaveModel(filepath.Join(dir, name), m, tok, info); err != nil {
			t.Fatal(err)
		}
		e := expected{IDs: tok.Encode(nil, compareTexts[0])[:24], Logits: map[string][][]float32{}, Texts: compareTexts}
		e.Logits[name] = logits(t, m, e.IDs)
		for _, to := range [][2]string{{"hf", "f16"}, {"hf", "bf16"}, {"gguf", "f32"}, {"gguf", "f16"}, {"gguf", "q8_0"}} {
			file := name + "." + to[1] + map[bool]string{true: ".gguf"}[to[0] == "gguf"]
			if _, err := Export(filepath.Join(dir, file), m, tok, info, to[0], to[1], "compare"); err != nil {
				t.Fatal(err)
			}
			back, _, _ := load(t, filepath.Join(dir, file))
			e.Logits[file] = logits(t, back, e.IDs)
		}
		for _, text := range compareTexts {
			e.Tokens = append(e.Tokens, tok.Encode(nil, text))
		}
		b, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		overwrite(t, filepath.Join(dir, name+".json"), b)
	}
}
