package checkpoint

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"winnow/train/llm"
)

// outputs is outputs.json of a fixture.
type outputs struct {
	IDs     [][]int32     `json:"ids"`
	Logits  [][][]float64 `json:"logits"` // of every 4th position, every 3rd id
	Rewards []float64     `json:"rewards"`
}

func readOutputs(t *testing.T, name string) (o outputs) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name, "outputs.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &o); err != nil {
		t.Fatal(err)
	}
	return o
}

// rewards reads the head off the last token of each row.
func rewards(t *testing.T, m *llm.Model, h *llm.Head, rows [][]int32) []float64 {
	t.Helper()
	p, err := llm.NewPool(1, "")
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	var list []float64
	for _, ids := range rows {
		b := &llm.Batch{Rows: 1, Len: len(ids), IDs: ids}
		for i := range ids {
			b.Targets, b.Pos = append(b.Targets, -1), append(b.Pos, int32(i))
		}
		o, err := llm.NewTrainer(m, p).Outputs(b, h)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, float64(o.Values[len(ids)-1]))
	}
	return list
}

// Adapters saved by PEFT give PEFT's logits, as the folder alone, and on the model that they belong to.
func TestAdaptersOfPEFT(t *testing.T) {
	for name, base := range map[string]string{"peft-all": "smollm2", "peft-some": "qwen2"} {
		want := readOutputs(t, name)
		m, tok, info := load(t, filepath.Join("testdata", name))
		if info.Kind != KindAdapter || tok == nil || m.LoRA() != nil {
			t.Errorf("%s: lineage %+v, tokenizer %v", name, info, tok)
		}
		on, _, _ := load(t, filepath.Join("testdata", base))
		read, err := ReadAdapter(filepath.Join("testdata", name), on)
		if err != nil {
			t.Fatal(err)
		}
		if read.Hash != info.Hash || read.Hash != Hash(AdapterWeights(on)) || len(AdapterWeights(on)) == 0 {
			t.Errorf("%s: hash %s and %s", name, read.Hash, info.Hash)
		}
		for _, m := range []*llm.Model{m, on} {
			for k, ids := range want.IDs {
				got := logits(t, m, ids)
				for i, row := range want.Logits[k] {
					for j, v := range row {
						if d := math.Abs(v - float64(got[4*i][3*j])); !(d <= 1e-4) {
							t.Fatalf("%s: text %d: position %d: id %d: %v, PEFT says %v", name, k, 4*i, 3*j, got[4*i][3*j], v)
						}
					}
				}
			}
		}
	}
}

// Reward models saved by transformers give its rewards.
func TestRewardsOfTransformers(t *testing.T) {
	for _, name := range []string{"reward-llama", "reward-qwen2"} {
		dir, want := filepath.Join("testdata", name), readOutputs(t, name)
		m, h, _, info, err := LoadReward(dir)
		if err != nil {
			t.Fatal(err)
		}
		if info.Kind != KindReward || info.Hash != Hash(RewardWeights(m, h)) || !IsReward(dir) || IsReward(filepath.Join("testdata", "qwen2")) {
			t.Errorf("%s: lineage %+v", name, info)
		}
		for i, got := range rewards(t, m, h, want.IDs) {
			if !(math.Abs(got-want.Rewards[i]) <= 1e-4) {
				t.Errorf("%s: row %d: reward %v, transformers says %v", name, i, got, want.Rewards[i])
			}
		}
		if _, _, _, err := LoadModel(dir); err == nil || !strings.Contains(err.Error(), "ForSequenceClassification") {
			t.Errorf("%s: loaded as a model that predicts tokens: %v", name, err)
		}
	}
	if _, _, _, _, err := LoadReward(filepath.Join("testdata", "qwen2")); err == nil || !strings.Contains(err.Error(), "no reward model") {
		t.Errorf("a model that predicts tokens was loaded as a reward model: %v", err)
	}
}

// adaptedModel is m with adapters whose B is not 0.
func adaptedModel(t *testing.T, m *llm.Model, l llm.LoRA) *llm.Model {
	t.Helper()
	if err := m.Adapt(l); err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(3, 3))
	for _, w := range m.Adapters() {
		for i := range w.Data {
			w.Data[i] = float32(r.NormFloat64()) * .2
		}
	}
	return m
}

// Adapters and reward models come back from their folders, to the bit; a model with adapters is not saved as if it had none.
func TestAdapterAndRewardRoundTrip(t *testing.T) {
	dir := t.TempDir()
	base, tok, info := load(t, filepath.Join("testdata", "qwen2"))
	if err := SaveModel(filepath.Join(dir, "base"), base, tok, info); err != nil {
		t.Fatal(err)
	}
	m := adaptedModel(t, base, llm.LoRA{Rank: 2, Alpha: 3, Targets: []string{"k", "o", "gate", "down"}})
	saved := &Info{Kind: KindAdapter, Tokenizer: info.Tokenizer, Parents: []Info{*info}}
	if err := SaveAdapter(filepath.Join(dir, "adapter"), m, "../base", saved); err != nil {
		t.Fatal(err)
	}
	if err := SaveModel(filepath.Join(dir, "other"), m, tok, info); err == nil || !strings.Contains(err.Error(), "adapters") {
		t.Errorf("a model with adapters was saved without: %v", err)
	}
	merged, back, read := load(t, filepath.Join(dir, "adapter"))
	if read.Hash != saved.Hash || read.Parents[0].Hash != info.Hash || back.Hash() != tok.Hash() {
		t.Errorf("lineage %+v", read)
	}
	ids := []int32{3, 200, 17, 17, 99}
	if got, want := fmt.Sprint(logits(t, merged, ids)), fmt.Sprint(logits(t, m, ids)); got != want {
		t.Error("adapters read from their folder give other logits")
	}
	if err := SaveAdapter(filepath.Join(dir, "none"), merged, "../base", saved); err == nil {
		t.Error("a model without adapters was saved as adapters")
	}

	h := llm.NewHead(merged.Config, 5)
	made := &Info{Kind: KindReward, Parents: []Info{*read}}
	if err := SaveReward(filepath.Join(dir, "reward"), merged, h, tok, made); err != nil {
		t.Fatal(err)
	}
	m2, h2, tok2, got, err := LoadReward(filepath.Join(dir, "reward"))
	if err != nil {
		t.Fatal(err)
	}
	if got.Hash != made.Hash || Hash(RewardWeights(m2, h2)) != made.Hash || tok2.Hash() != tok.Hash() || got.Kind != KindReward {
		t.Errorf("lineage %+v", got)
	}
	rows := [][]int32{ids, ids[:2]}
	if fmt.Sprint(rewards(t, m2, h2, rows)) != fmt.Sprint(rewards(t, merged, h, rows)) {
		t.Error("a reward model read from its folder gives other rewards")
	}
}

// What would be computed otherwise by PEFT is refused by its name.
func TestAdapterRefused(t *testing.T) {
	from := filepath.Join("testdata", "peft-some")
	config, err := os.ReadFile(filepath.Join(from, adapterConfigName))
	if err != nil {
		t.Fatal(err)
	}
	base := func() *llm.Model {
		m, _, _ := load(t, filepath.Join("testdata", "qwen2"))
		return m
	}
	for _, c := range []struct{ key, value, want string }{
		{"peft_type", `"IA3"`, `peft_type "IA3"`},
		{"use_dora", "true", "use_dora"},
		{"bias", `"all"`, `bias "all"`},
		{"rank_pattern", `{"q_proj": 8}`, "rank_pattern"},
		{"modules_to_save", `["lm_head"]`, "modules_to_save"},
		{"layers_to_transform", "[0]", "layers_to_transform"},
		{"init_lora_weights", `"pissa"`, "init_lora_weights"},
		{"target_modules", `".*_proj"`, "target_modules"},
		{"target_modules", `["q_proj", "lm_head"]`, `target "lm_head"`},
		{"target_modules", `["q_proj", "v_proj"]`, "no place in this model"},
		{"target_modules", "[]", "target_modules is empty"},
		{"r", "4", "want [4 24]"},
		{"r", "1000000", "rank"},
		{"lora_alpha", "0", "alpha 0"},
	} {
		var j map[string]json.RawMessage
		if err := json.Unmarshal(config, &j); err != nil {
			t.Fatal(err)
		}
		j[c.key] = json.RawMessage(c.value)
		b, err := json.Marshal(j)
		if err != nil {
			t.Fatal(err)
		}
		dir := t.TempDir()
		weights, err := os.ReadFile(filepath.Join(from, adapterName))
		if err != nil {
			t.Fatal(err)
		}
		overwrite(t, filepath.Join(dir, adapterConfigName), b)
		overwrite(t, filepath.Join(dir, adapterName), weights)
		if _, err := ReadAdapter(dir, base()); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s %s: error %v, want %q", c.key, c.value, err, c.want)
		}
	}
	if _, err := ReadAdapter(filepath.Join("testdata", "peft-all"), base()); err == nil {
		t.Error("adapters of another model were read")
	}
}

// TestAdaptersForComparison writes adapters and a reward model for testdata/adapters.py, with the numbers that this program
// computes.
func TestAdaptersForComparison(t *testing.T) {
	dir := os.Getenv("CHECKPOINT_COMPARE")
	if dir == "" {
		t.Skip("CHECKPOINT_COMPARE names no folder: nothing is written for testdata/adapters.py")
	}
	type expected struct {
		Base    string    `json:"base"`
		IDs     []int32   `json:"ids"`
		Outputs []float64 `json:"outputs"`
	}
	put := func(name string, e expected) {
		b, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		overwrite(t, filepath.Join(dir, name+".json"), b)
	}
	ids := []int32{5, 9, 200, 31, 31, 7, 100, 42}
	for _, fixture := range fixtures {
		base, tok, info := load(t, filepath.Join("testdata", fixture))
		if base.Dim%base.Heads != 0 {
			continue
		}
		if err := SaveModel(filepath.Join(dir, fixture+"-base"), base, tok, info); err != nil {
			t.Fatal(err)
		}
		h := llm.NewHead(base.Config, 1)
		if err := SaveReward(filepath.Join(dir, fixture+"-reward"), base, h, tok, &Info{Kind: KindReward, Parents: []Info{*info}}); err != nil {
			t.Fatal(err)
		}
		put(fixture+"-reward", expected{fixture + "-base", ids, rewards(t, base, h, [][]int32{ids})})
		for name, targets := range map[string][]string{"all": nil, "some": {"q", "v", "down"}} {
			m, _, _ := load(t, filepath.Join("testdata", fixture))
			adaptedModel(t, m, llm.LoRA{Rank: 3, Alpha: 5, Targets: targets})
			folder := fixture + "-" + name
			if err := SaveAdapter(filepath.Join(dir, folder), m, "../"+fixture+"-base", &Info{Kind: KindAdapter, Parents: []Info{*info}}); err != nil {
				t.Fatal(err)
			}
			e := expected{Base: fixture + "-base", IDs: ids}
			for _, row := range logits(t, m, ids) {
				for _, v := range row {
					e.Outputs = append(e.Outputs, float64(v))
				}
			}
			put(folder, e)
		}
	}
}

// FuzzAdapterConfig: a configuration is refused with an error, or gives adapters that a model takes.
func FuzzAdapterConfig(f *testing.F) {
	for _, name := range []string{"peft-all", "peft-some"} {
		b, err := os.ReadFile(filepath.Join("testdata", name, adapterConfigName))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Add([]byte(`{"peft_type":"LORA","r":2,"lora_alpha":1e308,"use_rslora":true,"target_modules":["q"]}`))
	c := llm.Config{Vocab: 3, Context: 4, Dim: 2, FFN: 2, Layers: 1, Heads: 1, KVHeads: 1, HeadDim: 2, NormEps: 1e-5, RopeTheta: 1e4}
	f.Fuzz(func(t *testing.T, b []byte) {
		var j adapterJSON
		if json.Unmarshal(b, &j) != nil {
			return
		}
		l, err := j.lora()
		if err != nil || l.Rank > 64 {
			return
		}
		m, err := llm.New(c, 1)
		if err != nil {
			t.Fatal(err)
		}
		if m.Adapt(l) == nil && len(m.Adapters()) != 2*len(m.LoRA().Targets) {
			t.Fatalf("%d adapters for %v", len(m.Adapters()), m.LoRA().Targets)
		}
	})
}
