package rows

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"github.com/zeebo/xxh3"
)

// Sequences are texts as ids of which only some are to be learnt, in memory: 5 bytes for each id.
type Sequences struct {
	ids     []int32
	targets []bool
	entries []sequenceEntry
}

type sequenceEntry struct {
	start     int
	learnt    int // targets
	id, group string
}

// Add appends a sequence and copies it. Sequences of one group (empty: the id's own) are not divided by Split. It needs three ids or
// more, the first of which is no target, since nothing foretells it, and the last of which is one.
func (s *Sequences) Add(id, group string, ids []int32, targets []bool) error {
	n := len(ids)
	if n < 3 || len(targets) != n || targets[0] || !targets[n-1] {
		return fmt.Errorf("sequence %s: %d ids, %d marks: the last must be a target, the first none", id, n, len(targets))
	}
	e := sequenceEntry{start: len(s.ids), id: id, group: group}
	for _, t := range targets {
		if t {
			e.learnt++
		}
	}
	s.ids, s.targets, s.entries = append(s.ids, ids...), append(s.targets, targets...), append(s.entries, e)
	return nil
}

// Len is the number of sequences.
func (s *Sequences) Len() int { return len(s.entries) }

// ID is the name of a sequence.
func (s *Sequences) ID(i int) string { return s.entries[i].id }

// Get gives the ids of a sequence and which are targets. They are not to be changed.
func (s *Sequences) Get(i int) (ids []int32, targets []bool) {
	from, to := s.entries[i].start, len(s.ids)
	if i+1 < len(s.entries) {
		to = s.entries[i+1].start
	}
	return s.ids[from:to:to], s.targets[from:to:to]
}

// Learnt is the number of targets of a sequence.
func (s *Sequences) Learnt(i int) int { return s.entries[i].learnt }

// Split divides sequences into those to train on and those to evaluate on: whole groups whose hash with the seed falls under share,
// 0..1, of all hashes, at least the group of the lowest hash where there are 10 sequences.
func (s *Sequences) Split(share float64, seed uint64) (train, held []int) {
	hash := func(e sequenceEntry) uint64 {
		return xxh3.HashSeed(binary.LittleEndian.AppendUint64([]byte(group(e.group, e.id)), seed), seed)
	}
	lowest := uint64(math.MaxUint64)
	for _, e := range s.entries {
		lowest = min(lowest, hash(e))
	}
	for i, e := range s.entries {
		h := hash(e)
		if float64(h) < share*math.MaxUint64 || share > 0 && h == lowest && len(s.entries) >= enough {
			held = append(held, i)
		} else {
			train = append(train, i)
		}
	}
	return train, held
}

// Masked is an endless sequence of rows of whole sequences, numbered from 0, isolated from each other and packed by the same plan as
// documents are. A row is a pure function of its number, the options and the lengths; each has a target. It is for one goroutine.
type Masked struct {
	o       Options
	all     *Sequences
	docs    []int
	plans   source
	targets int64 // of an epoch
	inputs  int64 // positions of an epoch that hold a token
}

// NewMasked makes rows of the sequences named, all where docs is nil. BOS and EOS of the options are not used: sequences have their
// own. A sequence of more than Len+1 ids, and no sequence at all, are errors.
func NewMasked(all *Sequences, docs []int, o Options) (*Masked, error) {
	if docs == nil {
		docs = make([]int, all.Len())
		for i := range docs {
			docs[i] = i
		}
	}
	if len(docs) == 0 {
		return nil, errors.New("rows: no sequence to train on")
	}
	o.PAD = max(o.PAD, 0)
	m := &Masked{o: o, all: all, docs: docs, plans: source{row: o.Len, single: o.Single, seed: o.Seed, starts: []int64{0}, epoch: -1}}
	for _, i := range docs {
		ids, _ := all.Get(i)
		if len(ids) > o.Len+1 {
			return nil, fmt.Errorf("rows: sequence %s: %d ids in rows of %d", all.ID(i), len(ids), o.Len)
		}
		m.plans.lengths = append(m.plans.lengths, len(ids)-2) // a plan counts a pair more than text tokens
		m.targets += int64(all.Learnt(i))
		m.inputs += int64(len(ids) - 1)
	}
	return m, nil
}

// Len is the number of positions of a row.
func (m *Masked) Len() int { return m.o.Len }

// EpochRows is the number of rows of an epoch.
func (m *Masked) EpochRows(epoch int64) (int64, error) {
	for int64(len(m.plans.starts)) <= epoch+1 {
		if _, _, err := m.plans.find(m.plans.starts[len(m.plans.starts)-1]); err != nil {
			return 0, err
		}
	}
	return m.plans.starts[epoch+1] - m.plans.starts[epoch], nil
}

// Where tells the epoch of row g and its number there.
func (m *Masked) Where(g int64) (Place, error) {
	if g < 0 {
		return Place{}, fmt.Errorf("rows: row %d", g)
	}
	epoch, row, err := m.plans.find(g)
	return Place{Epoch: epoch, Row: row}, err
}

// Fill is Stream.Fill: targets are -1 where nothing counts, which here is all that is not to be learnt, and padding.
func (m *Masked) Fill(first int64, ids, targets, pos []int32) error {
	n := m.o.Len
	if len(ids)%n != 0 || len(targets) != len(ids) || len(pos) != len(ids) {
		return fmt.Errorf("rows: fill %d ids, %d targets, %d positions in rows of %d", len(ids), len(targets), len(pos), n)
	}
	for at := 0; at < len(ids); at += n {
		place, err := m.Where(first + int64(at/n))
		if err != nil {
			return err
		}
		end := at
		for _, p := range m.plans.plan.Row(place.Row) {
			from, learnt := m.all.Get(m.docs[p.Doc])
			for i := range p.Len {
				ids[end+i], targets[end+i], pos[end+i] = from[i], -1, int32(i)
				if learnt[i+1] {
					targets[end+i] = from[i+1]
				}
			}
			end += p.Len
		}
		for i := end; i < at+n; i++ {
			ids[i], targets[i], pos[i] = m.o.PAD, -1, 0
		}
	}
	return nil
}

// Parts tells what a row holds, in its order.
func (m *Masked) Parts(g int64) (parts []Part, err error) {
	place, err := m.Where(g)
	if err != nil {
		return nil, err
	}
	for _, p := range m.plans.plan.Row(place.Row) {
		parts = append(parts, Part{Document: m.all.ID(m.docs[p.Doc]), Index: m.docs[p.Doc], Len: p.Len, Pairs: p.Len})
	}
	return parts, nil
}

// Ledger counts rows 0 to end-1: Read is the targets of epochs begun but for the last of each sequence, which counts as its end;
// Masked the positions whose token's successor is not to be learnt.
func (m *Masked) Ledger(end int64) (l Ledger, err error) {
	if end <= 0 {
		return l, nil
	}
	place, err := m.Where(end - 1)
	if err != nil {
		return l, err
	}
	n := int64(len(m.docs))
	l.Documents, l.Read = n*(place.Epoch+1), (m.targets-n)*(place.Epoch+1)
	l.Rows = end
	l.Positions = end * int64(m.o.Len)
	inputs := m.inputs * place.Epoch
	l.Used, l.Ends = m.targets*place.Epoch, n*place.Epoch
	for row := range place.Row + 1 {
		for _, p := range m.plans.plan.Row(row) {
			l.Used += int64(m.all.Learnt(m.docs[p.Doc]))
			inputs += int64(p.Len)
			l.Ends++
		}
	}
	l.Text = l.Used - l.Ends
	l.Left = l.Read - l.Text
	l.Masked = inputs - l.Used
	l.Padded = l.Positions - inputs
	return l, l.Check()
}
