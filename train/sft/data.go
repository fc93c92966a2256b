package sft

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"slices"

	"winnow/train/chat"
	"winnow/train/chat/source"
	"winnow/train/checkpoint"
	"winnow/train/eval"
	"winnow/train/rows"
	"winnow/train/tune"
)

// Data are conversations in files, or in memory.
type Data struct {
	Files []string // of any shape that package source reads
	Rows  source.Options
	Name  string               // of Talks
	Talks []*chat.Conversation // in place of Files; their Places differ
}

func (d Data) empty() bool { return len(d.Files) == 0 && len(d.Talks) == 0 }

// describe hashes the data.
func (d Data) describe() ([]checkpoint.File, error) {
	if len(d.Files) > 0 || len(d.Talks) == 0 {
		return tune.DataOf(d.Files, nil)
	}
	b, err := json.Marshal(d.Talks)
	if err != nil {
		return nil, err
	}
	return []checkpoint.File{{Name: d.Name, Rows: int64(len(d.Talks)), SHA256: hashed(b)}}, nil
}

// each gives the conversations, and counts the rows of each file.
func (d Data) each(count map[string]int64) iter.Seq2[*chat.Conversation, error] {
	if len(d.Files) == 0 {
		return func(yield func(*chat.Conversation, error) bool) {
			for _, c := range d.Talks {
				if !yield(c, nil) {
					return
				}
			}
		}
	}
	return func(yield func(*chat.Conversation, error) bool) {
		for c, err := range source.Conversations(d.Files, d.Rows) {
			var row *source.RowError
			switch {
			case errors.As(err, &row):
				count[row.File]++
			case err == nil:
				count[c.File]++
			}
			if !yield(c, err) {
				return
			}
		}
	}
}

// set is conversations as sequences of tokens.
type set struct {
	sequences *rows.Sequences
	talks     []*chat.Conversation // of each sequence
	account   *chat.Account
	rows      map[string]int64 // by file
}

// prepare reads data and turns them into tokens.
func (d Data) prepare(t *chat.Template, o chat.PrepareOptions) (*set, error) {
	s := &set{rows: map[string]int64{}}
	by := map[string]*chat.Conversation{}
	var err error
	s.sequences, s.account, err = chat.Prepare(t, func(yield func(*chat.Conversation, error) bool) {
		for c, err := range d.each(s.rows) {
			if err == nil {
				if by[c.Place.String()] != nil {
					yield(nil, fmt.Errorf("%s: two conversations have this place", c.Place))
					return
				}
				by[c.Place.String()] = c
			}
			if !yield(c, err) {
				return
			}
		}
	}, o)
	if err != nil {
		return s, err
	}
	for i := range s.sequences.Len() {
		s.talks = append(s.talks, by[s.sequences.ID(i)])
	}
	return s, nil
}

// material is what a run learns from and validates on.
type material struct {
	train  *rows.Masked
	held   *held // nil: nothing is held out
	files  []checkpoint.File
	talks  []*chat.Conversation // by index of Parts
	picked []Pick               // by the selection; nil: all
	known  *Found               // nil: not asked
	len    int
	epoch  int // updates of a pass
}

// gather reads, divides and selects.
func gather(ctx context.Context, r *tune.Run, o *Options, files []checkpoint.File) (*material, error) {
	m := &material{files: files, len: rowLength(o.Len, r.Model.Context)}
	if m.len > r.Model.Context {
		return nil, fmt.Errorf("rows of %d positions, the model has a context of %d", m.len, r.Model.Context)
	}
	prepare := chat.PrepareOptions{Len: m.len, Cut: o.Cut, MostCut: o.MostCut, MostDropped: o.MostDropped}
	all, err := o.Train.prepare(r.Template, prepare)
	if all.account != nil {
		r.Note("account", all.account)
	}
	if err != nil {
		return nil, err
	}
	for i, f := range o.Train.Files {
		m.files[i].Rows = all.rows[f]
	}
	train, out, from := every(all.sequences.Len()), []int(nil), all
	if !o.Held.empty() {
		if from, err = o.Held.prepare(r.Template, prepare); from.account != nil {
			r.Note("account held", from.account)
		}
		if err != nil {
			return nil, err
		}
		out = every(from.sequences.Len())
		held, err := o.Held.describe()
		if err != nil {
			return nil, err
		}
		for i := range held {
			held[i].Split = "validation"
			if len(o.Held.Files) > 0 {
				held[i].Rows = from.rows[o.Held.Files[i]]
			}
		}
		m.files = append(m.files, held...)
	} else if o.Holdout > 0 {
		train, out = all.sequences.Split(o.Holdout, r.Seed)
	}
	out = eval.Sample(out, o.HeldMost, r.Seed, func(i int) string { return from.sequences.ID(i) })
	if m.held, err = newHeld(from, out, r.Template, r.Tokenizer, m.len, o); err != nil {
		return nil, err
	}
	if o.Know != nil || o.Select.How == MaybeKnown {
		if m.known, err = o.learnWhatIsKnown(ctx, r, all, train); err != nil {
			return nil, err
		}
	}
	if train, m.picked, err = choose(ctx, r, o, all, train, m.len); err != nil {
		return nil, err
	}
	for i, n := range all.used(o.Train, train) {
		m.files[i].Used = n
	}
	return m, m.pack(r, o, all, train)
}

// used counts the conversations which by file.
func (s *set) used(d Data, which []int) []int64 {
	if len(d.Files) == 0 {
		return []int64{int64(len(which))}
	}
	by := map[string]int64{}
	for _, i := range which {
		by[s.talks[i].File]++
	}
	var counts []int64
	for _, f := range d.Files {
		counts = append(counts, by[f])
	}
	return counts
}

// pack lays the chosen conversations out in rows.
func (m *material) pack(r *tune.Run, o *Options, all *set, train []int) (err error) {
	sequences := all.sequences
	m.talks = all.talks
	if o.ResponseOnly {
		emptied, err := all.emptied(train).prepare(r.Template, chat.PrepareOptions{Len: m.len, Cut: o.Cut, MostCut: 1, MostDropped: 1})
		if err != nil {
			return err
		}
		sequences, m.talks, train = emptied.sequences, emptied.talks, nil
	}
	if m.train, err = rows.NewMasked(sequences, train, rows.Options{Len: m.len, Seed: r.Seed, PAD: r.Tokenizer.PAD()}); err != nil {
		return err
	}
	n, err := m.train.EpochRows(0)
	step := int64(o.Batch * o.Accumulate)
	m.epoch = int((n + step - 1) / step)
	return err
}

// emptied are some conversations without system messages and with nothing in users' turns: what is left to learn is how to answer, not
// to what (response tuning, An and Kim 2024, arXiv 2410.02465).
func (s *set) emptied(which []int) (d Data) {
	for _, i := range which {
		c := *s.talks[i]
		c.Tools = nil
		c.Messages = slices.DeleteFunc(slices.Clone(c.Messages), func(m chat.Message) bool { return m.Role == chat.System })
		for k := range c.Messages {
			if m := &c.Messages[k]; m.Role == chat.User {
				m.Content, m.Input = "", ""
			}
		}
		d.Talks = append(d.Talks, &c)
	}
	return d
}

// rowLength is T: what was asked for, or the model's context, at most 512.
func rowLength(asked, context int) int {
	if asked == 0 {
		return min(context, 512)
	}
	return asked
}

func every(n int) []int {
	all := make([]int, n)
	for i := range all {
		all[i] = i
	}
	return all
}

func hashed(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}
