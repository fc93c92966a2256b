package judge

import (
	"cmp"
	"context"
	"errors"
	"math"

	"winnow/train/chat"
)

// Rank scores every answer by itself and gives a row for each item whose best and worst answer part by more than least points. scores
// are those of each item's answers; nil where a question failed for good.
func (j *Judge) Rank(ctx context.Context, scale Scale, items []Item, least float64) (rows []Row, scores [][]Score, r *Report, err error) {
	type one struct{ item, answer int }
	var all []one
	scores = make([][]Score, len(items))
	failed := make([]error, len(items))
	for i, it := range items {
		scores[i] = make([]Score, len(it.Answers))
		for k := range it.Answers {
			all = append(all, one{i, k})
		}
	}
	errs := make([]error, len(all))
	err = j.each(ctx, len(all), func(ctx context.Context, i int) error {
		x := all[i]
		scores[x.item][x.answer], errs[i] = j.Score(ctx, scale, items[x.item].Prompt, items[x.item].Answers[x.answer])
		if errors.Is(errs[i], ErrUnanswered) {
			return nil
		}
		return errs[i]
	})
	if err != nil {
		return nil, nil, nil, err
	}
	for i, x := range all {
		failed[x.item] = cmp.Or(failed[x.item], errs[i])
	}
	r = &Report{Model: j.Model, Question: scale.Question(), Items: len(items)}
	for i, it := range items {
		if failed[i] != nil {
			r.unanswered(failed[i])
			scores[i] = nil
			continue
		}
		values := make([]float64, len(it.Answers))
		for k, s := range scores[i] {
			values[k] = s.Value
			r.score(s)
		}
		if len(values) < 2 {
			r.Ties++
			continue
		}
		best, worst := extremes(values)
		gap := values[best] - values[worst]
		probability := .5
		if gap > 0 {
			probability = 1
		}
		r.given(it, best, worst, probability)
		if !(gap > least) || it.Answers[best] == it.Answers[worst] {
			r.Ties++
			continue
		}
		by := ByLikelihood
		if scores[i][best].By == ByText || scores[i][worst].By == ByText {
			by = ByText
		}
		r.Gap += gap
		r.length(it.Answers[best], it.Answers[worst])
		rows = append(rows, Row{Prompt: it.Prompt, Chosen: said(it.Answers[best]), Rejected: said(it.Answers[worst]), Literal: true, Feedback: AI,
			Judge: Source{j.Model, r.Question, by}, Mass: math.Min(scores[i][best].Mass, scores[i][worst].Mass), Scores: []float64{values[best], values[worst]}})
	}
	r.Rows = len(rows)
	r.finish()
	return rows, scores, r, nil
}

// ItemOf is an item of which nobody said which answer is better.
func ItemOf(prompt []chat.Message, answers ...string) Item { return Item{prompt, answers, -1} }
