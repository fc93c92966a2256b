package self

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"unicode/utf8"

	"winnow/train/judge"
	"winnow/train/reward"
)

// Audit says what a round's own judgement was worth: self-rewarding rounds go wrong where the gap of scores closes, answers only grow
// longer, or the judge no longer agrees with what is true.
type Audit struct {
	Round   int    `json:"round"`
	Parent  string `json:"parent"`          // hash of the model that answered and judged
	Model   string `json:"model,omitempty"` // hash of the model that came of it
	Prompts int    `json:"prompts"`

	Answers    int     `json:"answers"`
	Unique     int     `json:"unique"`     // answers that say something that no earlier one to the prompt said
	Ended      float64 `json:"ended"`      // share of the answers, by their end of turn
	Characters float64 `json:"characters"` // mean of the answers

	Judge *judge.Report `json:"judge"`
	True  *Truth        `json:"true,omitempty"` // where the true reward is known
}

// Truth compares with a true reward.
type Truth struct {
	Mean     float64 `json:"mean"`     // over all answers
	Chosen   float64 `json:"chosen"`   // over the pairs
	Rejected float64 `json:"rejected"` // over the pairs
	Differ   int     `json:"differ"`   // pairs whose true rewards differ
	Agree    int     `json:"agree"`    // of these, chosen is truly the better one
}

// count takes stock of a round's answers and pairs.
func (a *Audit) count(ctx context.Context, o *Options, list []*candidates, unique [][]int, scores [][]judge.Score, rows []judge.Row) error {
	var all []reward.Answer
	var first []int // of each prompt's answers in all
	for i, c := range list {
		first = append(first, len(all))
		a.Unique += len(unique[i])
		prompt := c.Prompt[len(c.Prompt)-1].Content
		for _, x := range c.Answers {
			a.Answers++
			a.Characters += float64(utf8.RuneCountInString(x.Text))
			if x.Ended {
				a.Ended++
			}
			ids := append(append([]int32{}, c.Read...), x.IDs...)
			all = append(all, reward.Answer{Prompt: prompt, Messages: c.Prompt, Text: x.Text, Ended: x.Ended, IDs: ids, From: len(c.Read), Columns: o.Prompts[i].Columns})
		}
	}
	a.Ended /= float64(a.Answers)
	a.Characters /= float64(a.Answers)
	if o.True == nil {
		return nil
	}
	values, err := o.True.Score(ctx, all)
	if err == nil {
		err = reward.Check(values, all)
	}
	if err != nil {
		return err
	}
	t := &Truth{}
	for _, v := range values {
		t.Mean += v / float64(len(values))
	}
	next := 0
	for i := range list {
		if scores[i] == nil || next == len(rows) {
			continue
		}
		row := rows[next]
		chosen, rejected := -1, -1
		for _, k := range unique[i] {
			switch list[i].Answers[k].Text {
			case row.Chosen[0].Content:
				chosen = k
			case row.Rejected[0].Content:
				rejected = k
			}
		}
		if chosen < 0 || rejected < 0 || !same(list[i], row) {
			continue // this prompt has no row
		}
		next++
		c, r := values[first[i]+chosen], values[first[i]+rejected]
		t.Chosen += c / float64(len(rows))
		t.Rejected += r / float64(len(rows))
		if c != r {
			t.Differ++
		}
		if c > r {
			t.Agree++
		}
	}
	a.True = t
	return nil
}

// same tells whether a row is of the prompt.
func same(c *candidates, row judge.Row) bool { return &c.Prompt[0] == &row.Prompt[0] }

func readAudit(dir string) (*Audit, error) {
	b, err := os.ReadFile(filepath.Join(dir, auditName))
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	a := &Audit{}
	return a, json.Unmarshal(b, a)
}
