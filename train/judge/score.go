package judge

import (
	"context"

	"winnow/train/chat"
	"winnow/train/reward"
)

// Scale is how a single answer is judged.
type Scale string

// Scales.
const (
	Grades Scale = "grades" // 1 to 10: a digit's likelihood, and 1 (direct RLAIF, Lee et al. 2023)
	Points Scale = "points" // 0 to 5: criteria that add up (self-rewarding language models, Yuan et al. 2024)
)

// Score is what a judge thinks of one answer: the mean of the labels by their likelihood, or the one that it said.
type Score struct {
	Value float64
	Mass  float64 // probability of all labels together
	By    string
}

// Score asks how good an answer is.
func (j *Judge) Score(ctx context.Context, scale Scale, prompt []chat.Message, answer string) (Score, error) {
	w, labels, least := gradeWording, gradeLabels, 1.0
	if scale == Points {
		w, labels, least = pointWording, pointLabels, 0
	}
	o, err := j.ask(ctx, w.fill(j.language(prompt), prompt, answer), labels)
	if err != nil {
		return Score{}, err
	}
	s := Score{Value: least, Mass: o.mass, By: o.by}
	for i, share := range o.share {
		s.Value += float64(i) * share
	}
	return s, nil
}

// Question is the hash of the words that a scale asks in.
func (s Scale) Question() string {
	if s == Points {
		return pointWording.hash()
	}
	return gradeWording.hash()
}

// Scores judges answers each by itself; answers[i] is to prompts[i]. A question that fails for good ends it: a score that is not known
// must not be taken for one.
func (j *Judge) Scores(ctx context.Context, scale Scale, prompts [][]chat.Message, answers []string) ([]Score, error) {
	out := make([]Score, len(answers))
	err := j.each(ctx, len(answers), func(ctx context.Context, i int) (err error) {
		out[i], err = j.Score(ctx, scale, prompts[i], answers[i])
		return err
	})
	return out, err
}

// Reward is a judge as a reward of policy gradients.
type Reward struct {
	Judge *Judge
	Scale Scale
}

// Score is reward.Scorer's.
func (r Reward) Score(ctx context.Context, answers []reward.Answer) ([]float64, error) {
	prompts, texts := make([][]chat.Message, len(answers)), make([]string, len(answers))
	for i, a := range answers {
		prompts[i], texts[i] = a.Messages, a.Text
	}
	scores, err := r.Judge.Scores(ctx, r.Scale, prompts, texts)
	if err != nil {
		return nil, err
	}
	out := make([]float64, len(scores))
	for i, s := range scores {
		out[i] = s.Value
	}
	return out, nil
}
