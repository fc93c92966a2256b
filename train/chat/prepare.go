package chat

import (
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"

	"winnow/train/rows"
)

// Refused is the error of a row that cannot be used, behind which a stream goes on; Refused gives the reason, for counting.
type Refused interface {
	error
	Refused() string
}

// Reasons for which Prepare drops conversations, beside those of the stream.
const (
	TooLong     = "too_long"
	BadTemplate = "template"
	SameTokens  = "same_tokens" // of a preference's answers
)

// PrepareOptions are for Prepare.
type PrepareOptions struct {
	Len         int     // positions of a row: a conversation has at most one id more
	Cut         Cut     // what becomes of longer ones
	MostCut     float64 // share of the rows, 0..1, that may be cut
	MostDropped float64 // share of the rows, 0..1, that may be dropped
}

// Account says what became of rows and tokens.
type Account struct {
	Rows    int            `json:"rows"`    // read
	Kept    int            `json:"kept"`    // whole or cut
	Cut     int            `json:"cut"`     // of Kept
	Dropped int            `json:"dropped"` // Reasons by reason
	Reasons map[string]int `json:"reasons"`
	First   []string       `json:"first"` // messages of the first dropped

	Tokens  int64 `json:"tokens"`         // of all conversations that have tokens
	Learnt  int64 `json:"learnt"`         // targets kept
	Context int64 `json:"context"`        // kept, but not to be learnt
	Off     int64 `json:"cut_tokens"`     // cut off
	Behind  int64 `json:"behind_tokens"`  // left off because nothing is learnt behind them
	Lost    int64 `json:"dropped_tokens"` // of conversations dropped for their length
}

// Check tells whether the account balances.
func (a *Account) Check() error {
	if a.Kept+a.Dropped != a.Rows || a.Learnt+a.Context+a.Off+a.Behind+a.Lost != a.Tokens {
		return fmt.Errorf("account of rows does not balance: %+v", *a)
	}
	return nil
}

// Prepare turns conversations into sequences for rows.NewMasked. Conversations with the same prompt are one group. It fails where
// more is cut or dropped than the options allow, and tells why; the account comes with the error.
func Prepare(t *Template, conversations iter.Seq2[*Conversation, error], o PrepareOptions) (*rows.Sequences, *Account, error) {
	if !slices.Contains([]Cut{CutTurns, CutPrompt, CutAnswer}, o.Cut) {
		return nil, nil, fmt.Errorf("cut %q: write %s, %s or %s", o.Cut, CutTurns, CutPrompt, CutAnswer)
	}
	out, a := &rows.Sequences{}, &Account{Reasons: map[string]int{}}
	for c, err := range conversations {
		var refused Refused
		switch {
		case errors.As(err, &refused):
			a.Rows++
			a.drop(refused.Refused(), err)
			continue
		case err != nil:
			return nil, a, err
		}
		a.Rows++
		s, err := t.Encode(c)
		if err != nil {
			a.drop(BadTemplate, fmt.Errorf("%s: %w", c.Place, err))
			continue
		}
		if err := a.add(out, c, s, o); err != nil {
			return nil, a, err
		}
	}
	return out, a, errors.Join(a.Check(), a.allowed(o))
}

func (a *Account) drop(reason string, err error) {
	a.Dropped++
	a.Reasons[reason]++
	if len(a.First) < 5 {
		a.First = append(a.First, err.Error())
	}
}

// add fits a conversation and counts its tokens.
func (a *Account) add(out *rows.Sequences, c *Conversation, s *Sequence, o PrepareOptions) error {
	a.Tokens += int64(len(s.IDs))
	fitted, off := s.Fit(o.Len+1, o.Cut)
	if fitted == nil {
		a.Lost += int64(len(s.IDs))
		a.drop(TooLong, fmt.Errorf("%s: %d tokens do not fit in %d", c.Place, len(s.IDs), o.Len+1))
		return nil
	}
	a.Kept++
	if off > 0 {
		a.Cut++
	}
	learnt := fitted.Count()
	a.Learnt += int64(learnt)
	a.Context += int64(len(fitted.IDs) - learnt)
	a.Off += int64(off)
	a.Behind += int64(len(s.IDs) - len(fitted.IDs) - off)
	return out.Add(c.Place.String(), prompt(c), fitted.IDs, fitted.Targets)
}

// prompt is what stands before the first answer.
func prompt(c *Conversation) string {
	var b strings.Builder
	for _, m := range c.Messages {
		if m.Role == Assistant {
			break
		}
		b.WriteString(m.Role + "\x00" + m.Content + "\x00")
	}
	return b.String()
}

func (a *Account) allowed(o PrepareOptions) error {
	share := func(n int) float64 { return float64(n) / float64(max(a.Rows, 1)) }
	if s := share(a.Dropped); s > o.MostDropped {
		var why []string
		for _, r := range slices.Sorted(maps.Keys(a.Reasons)) {
			why = append(why, fmt.Sprintf("%s %d", r, a.Reasons[r]))
		}
		return fmt.Errorf("%d of %d rows (%.1f %%) cannot be used, %.1f %% are allowed: %s; the first: %s", a.Dropped, a.Rows, 100*s, 100*o.MostDropped, strings.Join(why, ", "), a.First[0])
	}
	if s := share(a.Cut); s > o.MostCut {
		return fmt.Errorf("%d of %d rows (%.1f %%) are longer than %d tokens and would be cut, %.1f %% are allowed", a.Cut, a.Rows, 100*s, o.Len+1, 100*o.MostCut)
	}
	if a.Kept == 0 {
		return errors.New("no row to learn from")
	}
	return nil
}
