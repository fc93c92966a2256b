package prefer

import (
	"winnow/train/checkpoint"
	"winnow/train/llm"
	"winnow/train/tune"
)

// Card is what a reward model's folder says of its rewards.
type Card struct {
	Scale Scale        `json:"scale"`
	Held  *Calibration `json:"held_out,omitempty"` // on held-out pairs; none without them
}

func (c Card) save(r *tune.Run, head *llm.Head, info *checkpoint.Info) error {
	return nil
}
