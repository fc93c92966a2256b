// Package reward scores answers. Prompts with their answers, and what the row of a prompt has beside it, flow in; one number for each
// flows out. It has the scorers that need no model: an expression, an HTTP endpoint. Models and judges are scorers too, elsewhere.
// What an expression says is a rule, and is never called feedback.
package reward

import (
	"context"
	"fmt"
	"math"

	"winnow/train/chat"
)

// Answer is one answer to a prompt, as scorers see it.
type Answer struct {
	Prompt   string         // content of the prompt's last message
	Messages []chat.Message // the whole prompt
	Text     string         // of the answer, without its end of turn
	Ended    bool           // by the end of turn; else it was cut off at its limit
	IDs      []int32        // of prompt and answer, the end of turn included where there is one
	From     int            // where the answer begins in IDs
	Columns  map[string]any // the row's other fields: a reference, a label
}

// Tokens is the answer's length, its end of turn included.
func (a *Answer) Tokens() int { return len(a.IDs) - a.From }

// Scorer gives each answer a number, in their order. It is safe for use by one goroutine. The same answers have the same scores, or a
// run that goes on is not what it would have been.
type Scorer interface {
	Score(ctx context.Context, answers []Answer) ([]float64, error)
}

// Func is a function as a Scorer, one answer at a time.
type Func func(a Answer) float64

// Score calls f for each.
func (f Func) Score(_ context.Context, answers []Answer) ([]float64, error) {
	scores := make([]float64, len(answers))
	for i, a := range answers {
		scores[i] = f(a)
	}
	return scores, nil
}

// Check tells whether there is a finite score for each answer.
func Check(scores []float64, answers []Answer) error {
	if len(scores) != len(answers) {
		return fmt.Errorf("reward: %d scores for %d answers", len(scores), len(answers))
	}
	for i, s := range scores {
		if math.IsNaN(s) || math.IsInf(s, 0) {
			return fmt.Errorf("reward: the score of answer %q is %g", short(answers[i].Text), s)
		}
	}
	return nil
}

// short is the begin of a text, for errors.
func short(s string) string {
	r := []rune(s)
	if len(r) > 60 {
		return string(r[:60]) + "..."
	}
	return s
}
