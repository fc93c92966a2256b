package checkpoint

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"winnow/train/bpe"
	"winnow/train/checkpoint/safetensors"
	"winnow/train/llm"
)

// RewardWeights lists the tensors of a reward model: the model's without the matrix that predicts tokens, and score.weight.
// Their Data is the model's and the head's memory.
func RewardWeights(m *llm.Model, h *llm.Head) []Tensor {
	var list []Tensor
	for _, t := range Weights(m) {
		if t.Name != "lm_head.weight" {
			list = append(list, t)
		}
	}
	w := h.Weight()
	return append(list, Tensor{Name: w.Name, Shape: shapeOf(w), Data: w.Data})
}

// SaveReward writes a reward model's folder, which transformers loads as LlamaForSequenceClassification, or as
// Qwen2ForSequenceClassification, with one label: the reward is what the head reads off the last token. Else as SaveModel.
func SaveReward(dir string, m *llm.Model, h *llm.Head, tok *bpe.Tokenizer, info *Info) error {
	info.Hash = Hash(RewardWeights(m, h))
	return saveFolder(dir, m, tok, info, folder{tensors: RewardWeights(m, h), dtype: "F32", reward: true})
}

// LoadReward reads a reward model's folder. The model predicts no tokens: its head is the embedding, whatever it was before.
func LoadReward(dir string) (*llm.Model, *llm.Head, *bpe.Tokenizer, *Info, error) {
	m, h, architecture, err := loadReward(dir)
	if err != nil {
		return nil, nil, nil, nil, err
	}
	tok, template, err := loadTokenizer(dir, m.Vocab)
	if err != nil {
		return nil, nil, nil, nil, err
	}
	info, err := ReadInfo(dir)
	if errors.Is(err, fs.ErrNotExist) {
		info, err = &Info{Kind: KindReward, Hash: Hash(RewardWeights(m, h)), Source: architecture, ChatTemplate: template}, nil
		if tok != nil {
			info.Tokenizer = tok.Hash()
		}
	}
	return m, h, tok, info, err
}

// IsReward reports whether dir is a reward model's folder.
func IsReward(dir string) bool {
	j, err := readConfig(dir)
	return err == nil && len(j.Architectures) == 1 && strings.HasSuffix(j.Architectures[0], rewardSuffix)
}

func loadReward(dir string) (*llm.Model, *llm.Head, string, error) {
	path := filepath.Join(dir, configName)
	j, err := readConfig(dir)
	if err != nil {
		return nil, nil, "", err
	}
	name, reward := "", false
	if len(j.Architectures) == 1 {
		name = j.Architectures[0]
		j.Architectures[0], reward = strings.CutSuffix(name, rewardSuffix)
	}
	if !reward {
		return nil, nil, "", fmt.Errorf("%s: architecture %q is no reward model", path, j.Architectures)
	}
	j.Architectures[0] += causalSuffix
	if n := len(j.Labels); n != 1 {
		return nil, nil, "", fmt.Errorf("%s: %d labels; a reward model has 1", path, n)
	}
	j.Tied = true
	c, _, err := j.model()
	if err != nil {
		return nil, nil, "", fmt.Errorf("%s: %w", path, err)
	}
	set, err := safetensors.Open(dir)
	if err != nil {
		return nil, nil, "", err
	}
	defer set.Close()
	shapes := map[string][]int{}
	for _, e := range set.Entries() {
		shapes[e.Name] = e.Shape
	}
	h := llm.NewHead(c, 0)
	score := h.Weight()
	if err := checkShape(shapes, score.Name, 1, c.Dim); err != nil {
		return nil, nil, "", fmt.Errorf("%s: %w", dir, err)
	}
	if err := set.Read(score.Name, score.Data); err != nil {
		return nil, nil, "", err
	}
	delete(shapes, score.Name)
	m, err := fill(c, shapes, set.Read)
	if err != nil {
		return nil, nil, "", fmt.Errorf("%s: %w", dir, err)
	}
	return m, h, name, nil
}
