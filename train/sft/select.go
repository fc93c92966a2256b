package sft

import (
	"cmp"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/zeebo/xxh3"

	"winnow/train"
	"winnow/train/chat"
	"winnow/train/llm"
	"winnow/train/rows"
	"winnow/train/tune"
)

// Ways to select.
const (
	Random     = "random"
	Longest    = "longest"     // by the tokens of the answers (Zhao et al. 2024, arXiv 2402.04833)
	Quality    = "quality"     // by Options.Rater
	MaybeKnown = "maybe-known" // by what the parent knows (Gekhman et al. 2024, arXiv 2405.05904)
)

// Selection says which conversations are learnt from. The zero value takes all.
type Selection struct {
	How     string `json:"how,omitempty"`
	N       int    `json:"n,omitempty"`       // conversations, or targets; 0: all that qualify
	Targets bool   `json:"targets,omitempty"` // N counts targets: the same budget of tokens for short and long answers
}

// ParseSelection reads longest:1000 and longest:20000t; of maybe-known the number may be missing.
func ParseSelection(s string) (Selection, error) {
	if s == "" {
		return Selection{}, nil
	}
	how, number, given := strings.Cut(s, ":")
	c := Selection{How: how}
	if given {
		digits, targets := strings.CutSuffix(number, "t")
		n, err := strconv.Atoi(digits)
		if err != nil || n < 1 {
			return c, fmt.Errorf("selection %q: %q is no number of conversations such as 1000, nor of targets such as 20000t", s, number)
		}
		c.N, c.Targets = n, targets
	}
	return c, c.check()
}

func (s Selection) check() error {
	ways := []string{Random, Longest, Quality, MaybeKnown}
	switch {
	case s.How == "":
		return nil
	case !slices.Contains(ways, s.How):
		return fmt.Errorf("selection %q: write %s, each with a number as in longest:1000", s.How, strings.Join(ways, ", "))
	case s.N == 0 && s.How != MaybeKnown:
		return fmt.Errorf("selection %s: how many? write %[1]s:1000", s.How)
	}
	return nil
}

// Pick is a conversation that was selected, as OUT/selected.jsonl lists it.
type Pick struct {
	ID      string  `json:"id"`
	How     string  `json:"how"`
	By      string  `json:"by"`    // what the score is
	Score   float64 `json:"score"` // higher comes first
	Targets int     `json:"targets"`
	index   int
}

const selectedName = "selected.jsonl"

// choose gives the conversations to learn from, in the order of the data, and where there is a selection, what it took.
func choose(ctx context.Context, r *tune.Run, o *Options, all *set, train []int, length int) ([]int, []Pick, error) {
	if o.Select.How == "" {
		return train, nil, nil
	}
	picks := make([]Pick, len(train))
	for i, k := range train {
		picks[i] = Pick{ID: all.sequences.ID(k), How: o.Select.How, Targets: all.sequences.Learnt(k), index: k}
	}
	picks, err := o.rate(ctx, r, all, picks, length)
	if err != nil {
		return nil, nil, err
	}
	slices.SortStableFunc(picks, func(a, b Pick) int {
		return cmp.Or(cmp.Compare(b.Score, a.Score), cmp.Compare(number(a, r.Seed), number(b, r.Seed)))
	})
	picks = o.Select.take(picks)
	if len(picks) == 0 {
		return nil, nil, errors.New("the selection leaves no conversation to learn from")
	}
	slices.SortFunc(picks, func(a, b Pick) int { return a.index - b.index })
	var chosen []int
	for _, p := range picks {
		chosen = append(chosen, p.index)
	}
	return chosen, picks, nil
}

// take is the beginning of a list: N conversations, or as many as have N targets.
func (s Selection) take(picks []Pick) []Pick {
	if s.N == 0 {
		return picks
	}
	if !s.Targets {
		return picks[:min(s.N, len(picks))]
	}
	sum := 0
	for i, p := range picks {
		if sum += p.Targets; sum > s.N {
			return picks[:i]
		}
	}
	return picks
}

// rate gives each conversation its score, and leaves out those that do not qualify.
func (o *Options) rate(ctx context.Context, r *tune.Run, all *set, picks []Pick, length int) ([]Pick, error) {
	by, scores, err := "", []float64(nil), error(nil)
	switch {
	case o.Select.How == Random:
		by = "order by hash of the seed"
	case o.Select.How == Longest:
		by = "tokens of the answers"
	case o.Select.How == MaybeKnown:
		by = "share of greedy answers that are right"
		picks = slices.DeleteFunc(picks, func(p Pick) bool { return o.Know.of(p.ID).Class != Maybe })
	case o.Rater != nil:
		by = o.Rater.Name()
		texts := make([]string, len(picks))
		for i, p := range picks {
			texts[i] = answers(all.talks[p.index])
		}
		scores, err = o.Rater.Score(ctx, texts)
	default:
		by = "mean log-probability of a target under the parent"
		scores, err = likelihood(ctx, r, all.sequences, picks, length, o.Batch)
	}
	if err == nil && scores != nil && len(scores) != len(picks) {
		err = fmt.Errorf("%s: %d scores of %d texts", by, len(scores), len(picks))
	}
	if err != nil {
		return nil, err
	}
	for i := range picks {
		p := &picks[i]
		p.By = by
		switch {
		case scores != nil:
			p.Score = scores[i]
		case o.Select.How == Longest:
			p.Score = float64(p.Targets)
		case o.Select.How == MaybeKnown:
			p.Score = o.Know.of(p.ID).Greedy.Rate
		}
	}
	return picks, nil
}

// number orders those of equal score by chance, the same for the same seed and id.
func number(p Pick, seed uint64) uint64 {
	return xxh3.HashSeed(binary.LittleEndian.AppendUint64([]byte(p.ID), seed), seed)
}

// answers are the assistant's texts that are learnt.
func answers(c *chat.Conversation) string {
	var list []string
	for _, m := range c.Messages {
		if m.Role == chat.Assistant && !m.Ignored {
			list = append(list, m.Content)
		}
	}
	return strings.Join(list, "\n\n")
}

// likelihood is the mean log-probability of each conversation's targets, many in a forward pass.
func likelihood(ctx context.Context, r *tune.Run, all *rows.Sequences, picks []Pick, length, batch int) ([]float64, error) {
	var docs []int
	place := map[int]int{}
	for i, p := range picks {
		docs = append(docs, p.index)
		place[p.index] = i
	}
	m, err := rows.NewMasked(all, docs, rows.Options{Len: length, PAD: r.Tokenizer.PAD()})
	if err != nil {
		return nil, err
	}
	n, err := m.EpochRows(0)
	if err != nil {
		return nil, err
	}
	scores, b := make([]float64, len(picks)), newBatch(batch, length)
	for first := int64(0); first < n; first += int64(batch) {
		if err := ctx.Err(); err != nil {
			return nil, context.Cause(ctx)
		}
		part := cut(b, 0, int(min(int64(batch), n-first)))
		if err := m.Fill(first, part.IDs, part.Targets, part.Pos); err != nil {
			return nil, err
		}
		nats, err := r.Trainer.Nats(part)
		if err != nil {
			return nil, err
		}
		if err := spread(m, first, part, nats, func(doc int, sum float64) { scores[place[doc]] = -sum / float64(all.Learnt(doc)) }); err != nil {
			return nil, err
		}
	}
	return scores, nil
}

// spread gives the sum of nats of each sequence in some rows.
func spread(m *rows.Masked, first int64, b *llm.Batch, nats []float32, each func(doc int, sum float64)) error {
	for row := range b.Rows {
		parts, err := m.Parts(first + int64(row))
		if err != nil {
			return err
		}
		at := row * b.Len
		for _, p := range parts {
			var sum float64
			for _, v := range nats[at : at+p.Len] {
				sum += float64(v)
			}
			at += p.Len
			each(p.Index, sum)
		}
	}
	return nil
}

// write lists in Out what was selected, and what was found out before.
func (m *material) write(out string) error {
	if m.known != nil {
		if err := m.known.write(filepath.Join(out, knowledgeName)); err != nil {
			return err
		}
	}
	if m.picked == nil {
		return nil
	}
	var b []byte
	for _, p := range m.picked {
		line, err := json.Marshal(p)
		if err != nil {
			return err
		}
		b = append(append(b, line...), '\n')
	}
	return train.WriteWhole(filepath.Join(out, selectedName), b)
}
