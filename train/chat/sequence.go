package chat

import (
	"fmt"
	"slices"
)

// Sequence is a conversation as tokens.
type Sequence struct {
	IDs     []int32
	Targets []bool // by id: whether it is to be learnt, which the assistant's contents and the ends of their turns are
	Turns   []Turn // in order
}

// Turn is where a turn's content stands: ids From to To. The assistant's end of turn is id To.
type Turn struct {
	Role     string
	From, To int
	Target   bool
}

// Count is the number of targets.
func (s *Sequence) Count() (n int) {
	for _, t := range s.Targets {
		if t {
			n++
		}
	}
	return n
}

// Encode turns a conversation into tokens. Before each answer stands what Prompt gives for the messages before it: where that is not
// so it is an error.
func (t *Template) Encode(c *Conversation) (*Sequence, error) {
	if err := c.Check(); err != nil {
		return nil, err
	}
	return t.tokens(c)
}

func (t *Template) tokens(c *Conversation) (*Sequence, error) {
	turns, err := t.form.turnsOf(c)
	if err != nil {
		return nil, err
	}
	list, open := t.segments(turns, false)
	for i, m := range turns {
		if m.role != Assistant {
			continue
		}
		if prompt, _ := t.segments(turns[:i], true); open[i] > len(list) || !slices.EqualFunc(prompt, list[:open[i]], sameTokens) {
			return nil, fmt.Errorf("template %s: turn %d: an answer does not stand behind the tokens of its prompt", t.form.name, i)
		}
	}
	s := &Sequence{Turns: make([]Turn, 0, len(turns))}
	for _, part := range list {
		from := len(s.IDs)
		s.IDs = t.encode(s.IDs, part)
		for range len(s.IDs) - from {
			s.Targets = append(s.Targets, part.target)
		}
		if part.content {
			s.Turns = append(s.Turns, Turn{turns[part.turn].role, from, len(s.IDs), part.target})
		}
	}
	return s, nil
}

// sameTokens ignores what is to be learnt.
func sameTokens(a, b segment) bool {
	return a.special == b.special && a.content == b.content && a.text == b.text
}

// Cut says what becomes of a conversation that is too long.
type Cut string

// Ways to cut. None cuts markup, or the end of a turn whose content is learnt.
const (
	CutTurns  Cut = "turns"  // leave off turns at the end; a conversation whose first answer does not fit is dropped
	CutPrompt Cut = "prompt" // as turns, but where the first answer does not fit, the begin of the longest contents before it is left off
	CutAnswer Cut = "answer" // as turns, but where the first answer does not fit, its last tokens are left off, not its end of turn
)

// Fit gives the sequence in at most n ids, without what stands behind the last target, and how many ids were left off otherwise;
// nil where that cannot be.
func (s *Sequence) Fit(n int, how Cut) (fitted *Sequence, left int) {
	ends := s.ends()
	if len(ends) == 0 {
		return nil, 0
	}
	whole := ends[len(ends)-1]
	for i := len(ends) - 1; i >= 0; i-- {
		if ends[i] <= n {
			return s.first(ends[i]), whole - ends[i]
		}
	}
	one := s.first(ends[0])
	over := len(one.IDs) - n
	switch how {
	case CutPrompt:
		one = one.shorten(over)
	case CutAnswer:
		last := one.Turns[len(one.Turns)-1]
		if last.To-last.From <= over {
			return nil, 0
		}
		one = one.without(last.To-over, last.To)
	default:
		return nil, 0
	}
	if one == nil {
		return nil, 0
	}
	return one, whole - len(one.IDs)
}

// ends lists behind which ids a conversation may end: the ends of learnt turns.
func (s *Sequence) ends() (ends []int) {
	for _, t := range s.Turns {
		if t.Target {
			ends = append(ends, t.To+1)
		}
	}
	return ends
}

// first gives the first n ids, which end with a turn's end.
func (s *Sequence) first(n int) *Sequence {
	out := &Sequence{IDs: s.IDs[:n:n], Targets: s.Targets[:n:n]}
	for _, t := range s.Turns {
		if t.To < n {
			out.Turns = append(out.Turns, t)
		}
	}
	return out
}

// shorten leaves off the begin of contents before the last turn, of the longest first; nil where they are too short.
func (s *Sequence) shorten(over int) *Sequence {
	for over > 0 {
		longest := -1
		for i, t := range s.Turns[:len(s.Turns)-1] {
			if size := t.To - t.From; size > 1 && (longest < 0 || size > s.Turns[longest].To-s.Turns[longest].From) {
				longest = i
			}
		}
		if longest < 0 {
			return nil
		}
		t := s.Turns[longest]
		k := min(over, t.To-t.From-1)
		s = s.without(t.From, t.From+k)
		over -= k
	}
	return s
}

// without gives the sequence without ids from to to-1, which lie in one content.
func (s *Sequence) without(from, to int) *Sequence {
	out := &Sequence{IDs: slices.Concat(s.IDs[:from], s.IDs[to:]), Targets: slices.Concat(s.Targets[:from], s.Targets[to:]), Turns: slices.Clone(s.Turns)}
	for i := range out.Turns {
		t := &out.Turns[i]
		if t.From >= to {
			t.From -= to - from
		}
		if t.To >= to {
			t.To -= to - from
		}
	}
	return out
}
