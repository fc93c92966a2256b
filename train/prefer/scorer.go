package prefer

import (
	"fmt"

	"winnow/train/bpe"
	"winnow/train/chat"
	"winnow/train/checkpoint"
	"winnow/train/llm"
)

// Scorer gives the rewards of answers by a reward model. It is used by one goroutine at a time.
type Scorer struct {
	Card      Card
	Info      *checkpoint.Info
	Tokenizer *bpe.Tokenizer
	Template  *chat.Template // nil where the folder has none: then ids alone can be scored

	model   *llm.Model
	head    *llm.Head
	trainer *llm.Trainer
}

// OpenScorer reads a reward model's folder. Whoever scores the answers of a model compares Tokenizer's hash and Template's with
// that model's: tune.Same.
func OpenScorer(dir string, pool *llm.Pool) (*Scorer, error) {
	m, h, tok, info, err := checkpoint.LoadReward(dir)
	if err != nil {
		return nil, err
	}
	if tok == nil {
		return nil, fmt.Errorf("%s: the reward model has no tokenizer beside it", dir)
	}
	s := &Scorer{Info: info, Tokenizer: tok, model: m, head: h, trainer: llm.NewTrainer(m, pool)}
	if s.Card, err = readCard(dir); err != nil {
		return nil, err
	}
	if s.Template, err = chat.Of(info, tok); err != nil {
		return nil, fmt.Errorf("%s: %w", dir, err)
	}
	return s, nil
}

// Score gives the reward of the last message of each conversation, an assistant's, which may be empty. The begin of prompts that are
// too long is left off.
func (s *Scorer) Score(list []*chat.Conversation) ([]float64, error) {
	if s.Template == nil {
		return nil, fmt.Errorf("reward model: it was trained on no chat template")
	}
	all := make([][]int32, len(list))
	for i, c := range list {
		n := len(c.Messages) - 1
		if n < 1 || c.Messages[n].Role != chat.Assistant {
			return nil, fmt.Errorf("%s: the last message is not an assistant's answer", c.Place)
		}
		seq, _, err := s.Template.EncodeJudged(&chat.Judged{Place: c.Place, Prompt: c.Messages[:n], Answer: c.Messages[n:], Tools: c.Tools}, s.model.Config.Context, chat.CutAnswer)
		if err != nil {
			return nil, err
		}
		all[i] = seq.IDs
	}
	return s.ScoreIDs(all)
}

// ScoreIDs gives the reward at the last id of each sequence, which ends with the end of an answer's turn. What a sequence gets does not
// depend on the others.
func (s *Scorer) ScoreIDs(list [][]int32) ([]float64, error) {
	rewards := make([]float64, 0, len(list))
	for i, ids := range list {
		if len(ids) == 0 || len(ids) > s.model.Config.Context {
			return nil, fmt.Errorf("sequence %d: %d ids; the reward model reads 1 to %d", i, len(ids), s.model.Config.Context)
		}
	}
	var l lot
	for _, group := range passes(list, func(ids []int32) int { return len(ids) }) {
		l.reset()
		for _, ids := range group {
			l.addWhole(ids)
		}
		o, err := s.trainer.Outputs(&l.Batch, s.head)
		if err != nil {
			return nil, err
		}
		for _, p := range l.parts {
			rewards = append(rewards, float64(o.Values[p.to-1])+s.Card.Bias)
		}
	}
	return rewards, nil
}
