package eval

import (
	"cmp"
	"fmt"
	"slices"

	"winnow/train/llm"
)

// Model gives -log p of each target of a batch, 0 where none is counted; *llm.Trainer is one.
type Model interface {
	Nats(b *llm.Batch) ([]float32, error)
}

// Tokenizer turns text into ids and back; *bpe.Tokenizer is one.
type Tokenizer interface {
	Encode(dst []int32, text string) []int32 // appends the ids of plain text
	Decode(ids []int32) []byte
	Size() int
}

// Scorer gives likelihoods of sequences by a model, many in one forward pass.
type Scorer struct {
	Model Model
	Len   int   // positions of a row, at most the model's context
	Batch int   // positions of a forward pass; 0: 4096
	Pad   int32 // any id
}

// Sequence is ids of which those from From on (1 at least) are to be predicted, each from all before it.
type Sequence struct {
	IDs  []int32
	From int
}

// Nats gives -log p of the predicted ids of each sequence. Sequences share rows, isolated from each other. One that is longer
// than a row and its last target is an error.
func (s Scorer) Nats(list []Sequence) ([][]float32, error) {
	order := make([]int, len(list))
	for i, q := range list {
		if order[i] = i; q.From < 1 || len(q.IDs) < q.From {
			return nil, fmt.Errorf("score: predict %d ids from %d on", len(q.IDs), q.From)
		}
		if len(q.IDs)-1 > s.Len {
			return nil, fmt.Errorf("score: %d ids in rows of %d", len(q.IDs), s.Len)
		}
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(len(list[b].IDs), len(list[a].IDs)) })
	most := max(1, cmp.Or(s.Batch, 4096)/s.Len)
	out := make([][]float32, len(list))
	for len(order) > 0 {
		used, err := s.pass(list, order, most, out)
		if err != nil {
			return nil, err
		}
		order = order[used:]
	}
	return out, nil
}

// pass scores the first sequences of order, as many as fit the rows, and tells how many they are.
func (s Scorer) pass(list []Sequence, order []int, most int, out [][]float32) (used int, err error) {
	b := &llm.Batch{Len: s.Len}
	room := 0 // left in the last row
	starts := make([]int, 0, len(order))
	for _, i := range order {
		pairs := len(list[i].IDs) - 1
		if pairs > room {
			if b.Rows == most {
				break
			}
			s.fill(b, room)
			b.Rows++
			room = s.Len
		}
		starts = append(starts, len(b.IDs))
		for j := range pairs {
			target := int32(-1)
			if j+1 >= list[i].From {
				target = list[i].IDs[j+1]
			}
			b.IDs, b.Targets, b.Pos = append(b.IDs, list[i].IDs[j]), append(b.Targets, target), append(b.Pos, int32(j))
		}
		room -= pairs
	}
	s.fill(b, room)
	var nats []float32
	if len(b.IDs) > 0 {
		if nats, err = s.Model.Nats(b); err != nil {
			return 0, fmt.Errorf("score: %w", err)
		}
		if len(nats) != len(b.IDs) {
			return 0, fmt.Errorf("score: %d values for %d positions", len(nats), len(b.IDs))
		}
	}
	for k, at := range starts {
		q := list[order[k]]
		out[order[k]] = slices.Clone(nats[at+q.From-1 : at+len(q.IDs)-1])
	}
	return len(starts), nil
}

// fill pads the last row.
func (s Scorer) fill(b *llm.Batch, n int) {
	for range n {
		b.IDs, b.Targets, b.Pos = append(b.IDs, s.Pad), append(b.Targets, -1), append(b.Pos, 0)
	}
}

// sum adds up nats.
func sum(nats []float32) float64 {
	total := 0.0
	for _, x := range nats {
		total += float64(x)
	}
	return total
}
