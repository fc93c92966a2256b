package prefer

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"winnow/train"
	"winnow/train/checkpoint"
	"winnow/train/llm"
	"winnow/train/tune"
)

// CardName is the file of a reward model's folder that has its Card.
const CardName = "reward.json"

// Card is what a reward model's folder says of its rewards. A reward is what the published head reads, plus Bias.
type Card struct {
	Bias  float64      `json:"bias"` // -Mean/SD
	Scale Scale        `json:"scale"`
	Held  *Calibration `json:"held_out,omitempty"` // on held-out pairs; none without them
}

// save writes the folder, with the head scaled; adapters are merged, since a head stands on the whole model.
func (c Card) save(r *tune.Run, head *llm.Head, info *checkpoint.Info) error {
	r.Model.Merge(r.Pool)
	weights := head.Params()[0].Value
	fitted := slices.Clone(weights)
	defer copy(weights, fitted)
	for i := range weights {
		weights[i] = float32(float64(weights[i]) / c.Scale.SD)
	}
	if err := checkpoint.SaveReward(r.Out, r.Model, head, r.Tokenizer, info); err != nil {
		return err
	}
	b, err := json.MarshalIndent(c, "", "  ")
	if err != nil {
		return err
	}
	return train.WriteWhole(filepath.Join(r.Out, CardName), append(b, '\n'))
}

// readCard reads a folder's card. A reward model from elsewhere has none: nothing is added to what its head reads.
func readCard(dir string) (c Card, err error) {
	path := filepath.Join(dir, CardName)
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return Card{Scale: Scale{SD: 1}}, nil
	} else if err != nil {
		return c, err
	}
	if err := json.Unmarshal(b, &c); err != nil {
		return c, fmt.Errorf("%s: %w", path, err)
	}
	return c, nil
}
