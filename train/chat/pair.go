package chat

import (
	"fmt"
	"slices"
)

// Two is a preference as tokens: two sequences that begin with the same Prompt ids and of which only what follows is to be learnt.
type Two struct {
	Chosen, Rejected *Sequence
	Prompt           int // ids of the prompt, the begin of the answer's turn included
	Left             int // ids of prompts and answers left off, of both
}

// EncodePair turns a preference into two sequences of at most n ids each. Where one is longer, the begin of contents of the prompt is
// left off, of both alike; with cut CutAnswer also the end of an answer, but not the end of its turn; else the pair is an error, which is a Refused.
func (t *Template) EncodePair(p *Pair, n int, cut Cut) (*Two, error) {
	var sides [2]*Sequence
	left := 0
	for i, answer := range [][]Message{p.Chosen, p.Rejected} {
		s, err := t.answered(Tuned(p.Place, p.Prompt, answer, p.Tools))
		if err != nil {
			return nil, refused{BadTemplate, fmt.Errorf("%s: %w", p.Place, err)}
		}
		sides[i] = s
	}
	prompt := commonIDs(sides[0], sides[1])
	if over := max(len(sides[0].IDs), len(sides[1].IDs)) - n; over > 0 {
		room := sides[0].spare(prompt)
		for i, s := range sides {
			if sides[i] = s.shortenBefore(prompt, min(over, room)); sides[i] == nil {
				return nil, refused{TooLong, fmt.Errorf("%s: the prompt cannot be cut", p.Place)}
			}
		}
		left += 2 * min(over, room)
		prompt -= min(over, room)
	}
	for i, s := range sides {
		over := len(s.IDs) - n
		if over <= 0 {
			continue
		}
		last := s.Turns[len(s.Turns)-1]
		if cut != CutAnswer || last.To-over <= max(last.From, prompt) {
			return nil, refused{TooLong, fmt.Errorf("%s: %d tokens do not fit in %d", p.Place, len(s.IDs), n)}
		}
		sides[i] = s.without(last.To-over, last.To)
		left += over
	}
	if slices.Equal(sides[0].IDs, sides[1].IDs) {
		return nil, refused{SameTokens, fmt.Errorf("%s: both answers are the same tokens", p.Place)}
	}
	return &Two{sides[0], sides[1], prompt, left}, nil
}

// EncodeJudged turns a judged answer into a sequence of at most n ids, by the rules of EncodePair, and tells how many ids were left off.
func (t *Template) EncodeJudged(j *Judged, n int, cut Cut) (s *Sequence, left int, err error) {
	if s, err = t.answered(Tuned(j.Place, j.Prompt, j.Answer, j.Tools)); err != nil {
		return nil, 0, refused{BadTemplate, fmt.Errorf("%s: %w", j.Place, err)}
	}
	prompt := commonIDs(s, s)
	over := len(s.IDs) - n
	if over <= 0 {
		return s, 0, nil
	}
	room := s.spare(prompt)
	short := s.shortenBefore(prompt, min(over, room))
	if rest := over - room; short != nil && rest > 0 {
		last := short.Turns[len(short.Turns)-1]
		if cut != CutAnswer || last.To-rest <= max(last.From, prompt-room) {
			return nil, 0, refused{TooLong, fmt.Errorf("%s: %d tokens do not fit in %d", j.Place, len(s.IDs), n)}
		}
		short = short.without(last.To-rest, last.To)
	}
	if short == nil {
		return nil, 0, refused{TooLong, fmt.Errorf("%s: the prompt cannot be cut", j.Place)}
	}
	return short, over, nil
}

// refused is a row that cannot be used.
type refused struct {
	reason string
	error
}

func (r refused) Refused() string { return r.reason }

func (r refused) Unwrap() error { return r.error }

// spare is how many ids the contents before an id can do without.
func (s *Sequence) spare(limit int) (room int) {
	for _, turn := range s.Turns {
		if turn.To < limit {
			room += max(0, turn.To-turn.From-1)
		}
	}
	return room
}

// answered is Encode for an answer that may be empty, without what stands behind its end.
func (t *Template) answered(c *Conversation) (*Sequence, error) {
	s, err := t.tokens(c)
	if err != nil {
		return nil, err
	}
	ends := s.ends()
	if len(ends) == 0 {
		return nil, errNoAnswer
	}
	return s.first(ends[len(ends)-1]), nil
}

// commonIDs is where the first of both answers begins.
func commonIDs(a, b *Sequence) int {
	for _, t := range a.Turns {
		if t.Target {
			return min(t.From, len(b.IDs))
		}
	}
	return 0
}

// shortenBefore is shorten for contents that end before an id.
func (s *Sequence) shortenBefore(limit, over int) *Sequence {
	if over == 0 {
		return s
	}
	n := 0
	for n < len(s.Turns) && s.Turns[n].To < limit {
		n++
	}
	head := *s
	head.Turns = append(slices.Clone(s.Turns[:n]), Turn{From: len(s.IDs), To: len(s.IDs)})
	short := head.shorten(over)
	if short == nil {
		return nil
	}
	short.Turns = short.Turns[:n]
	for _, t := range s.Turns[n:] {
		t.From -= over
		t.To -= over
		short.Turns = append(short.Turns, t)
	}
	return short
}
