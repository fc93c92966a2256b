package rows

import "fmt"

// Fill writes rows first, first+1, ... one behind the other: as many as ids, targets and pos hold, which are of one length, a
// multiple of Len. targets[i] is the id to be predicted at position i, or -1 where nothing counts (padding); pos[i] counts from
// 0 in each piece, so that a 0 begins an isolated document; padding has the id PAD and position 0.
func (s *Stream) Fill(first int64, ids, targets, pos []int32) error {
	n := s.o.Len
	if len(ids)%n != 0 || len(targets) != len(ids) || len(pos) != len(ids) {
		return fmt.Errorf("rows: fill %d ids, %d targets, %d positions in rows of %d", len(ids), len(targets), len(pos), n)
	}
	for at := 0; at < len(ids); at += n {
		place, err := s.Where(first + int64(at/n))
		if err != nil {
			return err
		}
		src := s.sources[place.Source]
		err = s.row(src, src.plan.Row(place.Row), ids[at:at+n], targets[at:at+n], pos[at:at+n])
		if err != nil {
			return fmt.Errorf("row %d: source %s: %w", first+int64(at/n), src.Name, err)
		}
	}
	return nil
}

func (s *Stream) row(src *source, pieces []Piece, ids, targets, pos []int32) error {
	at := 0
	for _, p := range pieces {
		doc, length := src.Docs[p.Doc], src.lengths[p.Doc]
		// Targets are tokens From to From+Len-1 and inputs the same, one earlier: read both at once where they overlap.
		in, out := ids[at:at+p.Len], targets[at:at+p.Len]
		text := out
		if p.From+p.Len > length {
			text = out[:p.Len-1]
			out[p.Len-1] = s.o.EOS
		}
		if err := src.Tokens.Read(text, doc, p.From); err != nil {
			return err
		}
		if p.From == 0 {
			in[0] = s.o.BOS
		} else if err := src.Tokens.Read(in[:1], doc, p.From-1); err != nil {
			return err
		}
		copy(in[1:], out)
		for i := range in {
			pos[at+i] = int32(i)
		}
		at += p.Len
	}
	for i := at; i < len(ids); i++ {
		ids[i], targets[i], pos[i] = s.o.PAD, -1, 0
	}
	return nil
}

// Part is a piece of a row as people know it.
type Part struct {
	Source   string `json:"source"`
	Document string `json:"document"` // its ID
	Language string `json:"language"`
	Index    int    `json:"index"` // in the source's Tokens
	From     int    `json:"from"`  // first pair
	Len      int    `json:"len"`   // pairs
	Pairs    int    `json:"pairs"` // of the whole document
}

// Parts tells what a row holds, in its order.
func (s *Stream) Parts(g int64) ([]Part, error) {
	place, err := s.Where(g)
	if err != nil {
		return nil, err
	}
	src := s.sources[place.Source]
	var parts []Part
	for _, p := range src.plan.Row(place.Row) {
		doc := src.Docs[p.Doc]
		parts = append(parts, Part{src.Name, src.Tokens.ID(doc), src.Tokens.Language(doc), doc, p.From, p.Len, src.lengths[p.Doc] + 1})
	}
	return parts, nil
}

// EpochRows is the number of rows of an epoch of a source.
func (s *Stream) EpochRows(source int, epoch int64) (int64, error) {
	p := s.sources[source]
	for int64(len(p.starts)) <= epoch+1 {
		if _, _, err := p.find(p.starts[len(p.starts)-1]); err != nil {
			return 0, err
		}
	}
	return p.starts[epoch+1] - p.starts[epoch], nil
}

// Ledger counts rows 0 to end-1. It reads no text: the loop's own counts must agree with it.
func (s *Stream) Ledger(end int64) (Ledger, error) {
	var sum Ledger
	for i, p := range s.sources {
		k := s.count(i, end)
		if k == 0 {
			continue
		}
		l, err := p.ledger(k)
		if err != nil {
			return sum, fmt.Errorf("rows: source %s: %w", p.Name, err)
		}
		sum = sum.Plus(l)
	}
	return sum, sum.Check()
}

// ledger counts a source's first k rows.
func (p *source) ledger(k int64) (l Ledger, err error) {
	length := func(doc int) int { return p.lengths[doc] }
	last, row, err := p.find(k - 1)
	if err != nil {
		return l, err
	}
	for i := range row + 1 {
		l.add(p.plan.Row(i), p.row, length)
	}
	var one Ledger // an epoch
	for i, n := range p.lengths {
		if n > 0 {
			one.Documents++
			one.Bytes += p.Tokens.Bytes(p.Docs[i])
			one.Read += int64(n)
			one.Continued += int64(max(0, n+1-p.row))
		}
	}
	one.Text, one.Ends, one.Used = one.Read, one.Documents, one.Read+one.Documents
	l.Documents, l.Bytes, l.Read = one.Documents, one.Bytes, one.Read
	l.Left = l.Read - l.Text
	for epoch := range last {
		whole := one
		whole.Rows = p.starts[epoch+1] - p.starts[epoch]
		whole.Positions = whole.Rows * int64(p.row)
		whole.Padded = whole.Positions - whole.Used
		l = l.Plus(whole)
	}
	return l, nil
}

// Passed is the number of rows after which the first pass over a source is over.
func (s *Stream) Passed(source int) (int64, error) {
	rows, err := s.EpochRows(source, 0)
	if err != nil {
		return 0, err
	}
	whole, rest := rows/int64(s.before[source][len(s.cycle)]), rows%int64(s.before[source][len(s.cycle)])
	g := whole * int64(len(s.cycle))
	for at := 0; rest > 0; at++ {
		if int(s.cycle[at]) == source {
			rest--
		}
		g++
	}
	return g, nil
}
