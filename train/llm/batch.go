package llm

import "fmt"

// Batch is Rows rows of Len tokens; its slices have Rows·Len values, row after row.
type Batch struct {
	Rows, Len int
	IDs       []int32 // token ids, 0 .. V-1
	Targets   []int32 // the id to be predicted at each position; below 0: not counted
	Pos       []int32 // position within the document; a position that is not its predecessor's + 1 begins an isolated span
}

// span is a stretch of one row whose tokens see one another: indices into the batch, end excluded.
type span struct{ start, end int }

// check reports the first value of b that does not fit a model of shape c.
func (b *Batch) check(c Config) error {
	n := b.Rows * b.Len
	if b.Rows < 1 || b.Len < 1 {
		return fmt.Errorf("batch: %d rows of %d tokens", b.Rows, b.Len)
	}
	if len(b.IDs) != n || len(b.Targets) != n || len(b.Pos) != n {
		return fmt.Errorf("batch: %d ids, %d targets, %d positions for %d rows of %d", len(b.IDs), len(b.Targets), len(b.Pos), b.Rows, b.Len)
	}
	for i := range n {
		if b.IDs[i] < 0 || int(b.IDs[i]) >= c.Vocab {
			return fmt.Errorf("batch: row %d: position %d: id %d is outside the vocabulary of %d", i/b.Len, i%b.Len, b.IDs[i], c.Vocab)
		}
		if int(b.Targets[i]) >= c.Vocab {
			return fmt.Errorf("batch: row %d: position %d: target %d is outside the vocabulary of %d", i/b.Len, i%b.Len, b.Targets[i], c.Vocab)
		}
		if b.Pos[i] < 0 || int(b.Pos[i]) >= c.Context {
			return fmt.Errorf("batch: row %d: position %d: place %d in its document is outside the context of %d", i/b.Len, i%b.Len, b.Pos[i], c.Context)
		}
	}
	return nil
}

// spans cuts the rows where positions do not go on.
func (b *Batch) spans() []span {
	var list []span
	for r := range b.Rows {
		start := r * b.Len
		for i := start + 1; i <= (r+1)*b.Len; i++ {
			if i == (r+1)*b.Len || b.Pos[i] != b.Pos[i-1]+1 {
				list = append(list, span{start, i})
				start = i
			}
		}
	}
	return list
}

// counted lists the positions that have a target.
func (b *Batch) counted() []int32 {
	list := make([]int32, 0, len(b.Targets))
	for i, y := range b.Targets {
		if y >= 0 {
			list = append(list, int32(i))
		}
	}
	return list
}
