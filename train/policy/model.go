package policy

import (
	"context"
	"fmt"

	"winnow/train/prefer"
	"winnow/train/reward"
	"winnow/train/tune"
)

// RewardModel is a reward model as a scorer. It reads the ids that the policy wrote, so both have the same tokenizer and template, which a
// run checks; an answer without an end is read as if it ended where it was cut off.
type RewardModel struct {
	*prefer.Scorer
	Folder string
}

// Score is reward.Scorer's.
func (m *RewardModel) Score(ctx context.Context, answers []reward.Answer) ([]float64, error) {
	all := make([][]int32, len(answers))
	for i, a := range answers {
		if all[i] = a.IDs; !a.Ended {
			all[i] = append(a.IDs[:len(a.IDs):len(a.IDs)], m.Template.End())
		}
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return m.ScoreIDs(all)
}

// fits tells whether the reward model reads what the run's model writes.
func (m *RewardModel) fits(r *tune.Run) error {
	if err := tune.Same(m.Folder, m.Info, m.Tokenizer, r.Tokenizer.Hash()); err != nil {
		return err
	}
	if m.Template == nil || m.Template.Hash() != r.Template.Hash() {
		return fmt.Errorf("%s: the reward model was trained on another chat template than %s", m.Folder, r.Template.Name())
	}
	return nil
}
