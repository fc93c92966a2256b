package prefer

import (
	"cmp"
	"errors"
	"fmt"
	"hash/fnv"
	"iter"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"

	"winnow/train/chat"
	"winnow/train/chat/source"
	"winnow/train/checkpoint"
	"winnow/train/tune"
)

// Rows says what a method learns from and how it reads it.
type Rows struct {
	Files   []string       `json:"-"`          // of any shape that package source knows; their hashes are in the plan
	Held    []string       `json:"-"`          // held out; none: a share of Files
	Share   float64        `json:"held_share"` // of the prompts of Files that is held out where Held is empty
	Len     int            `json:"len"`        // positions of a sequence; 0: the model's context
	Cut     chat.Cut       `json:"cut"`        // what becomes of longer ones: CutPrompt or CutAnswer
	Dropped float64        `json:"-"`          // share of the rows, 0..1, that may be of no use
	Read    source.Options `json:"read"`
	Batch   int            `json:"batch"` // pairs, or judged answers, an update
}

// Check says what no run can follow.
func (o Rows) Check(least int) error {
	switch {
	case len(o.Files) == 0:
		return errors.New("no files to learn from")
	case o.Batch < least:
		return fmt.Errorf("batch of %d: it must be at least %d", o.Batch, least)
	case o.Share < 0 || o.Share >= 1:
		return fmt.Errorf("held-out share of %g: it lies in [0, 1)", o.Share)
	case o.Cut != chat.CutPrompt && o.Cut != chat.CutAnswer:
		return fmt.Errorf("cut %q: write %s or %s", o.Cut, chat.CutPrompt, chat.CutAnswer)
	}
	return nil
}

// Account says what became of the rows of one or more files. A preference read as two judged answers counts twice.
type Account struct {
	Rows      int            `json:"rows"`
	Used      int            `json:"used"`
	Held      int            `json:"held_out"` // of Used
	Cut       int            `json:"cut"`      // of Used
	CutTokens int            `json:"cut_tokens"`
	Dropped   int            `json:"dropped"`
	Reasons   map[string]int `json:"reasons,omitempty"` // Dropped by reason
	First     []string       `json:"first,omitempty"`   // messages of the first dropped
	Good      int            `json:"good,omitempty"`    // of Used, where answers are judged alone
	Bad       int            `json:"bad,omitempty"`

	files map[string]int64 // rows by file
}

func (a *Account) row(file string) {
	a.Rows++
	if a.files == nil {
		a.files = map[string]int64{}
	}
	a.files[file]++
}

func (a *Account) drop(reason string, err error) {
	a.Dropped++
	if a.Reasons == nil {
		a.Reasons = map[string]int{}
	}
	a.Reasons[reason]++
	if len(a.First) < 5 {
		a.First = append(a.First, err.Error())
	}
}

// String is one line.
func (a *Account) String() string {
	s := fmt.Sprintf("%d rows, %d used, %d held out, %d cut", a.Rows, a.Used, a.Held, a.Cut)
	for _, k := range slices.Sorted(maps.Keys(a.Reasons)) {
		s += fmt.Sprintf(", %s %d", k, a.Reasons[k])
	}
	return s
}

// answer is one sequence of which the end is an answer, and what the reference says of it.
type answer struct {
	*chat.Sequence
	prompt int     // ids before the answer
	key    uint64  // hash of the prompt
	tokens int     // counted: of the answer, its end of turn included
	before float64 // sum of log-probabilities under the reference
}

func newAnswer(s *chat.Sequence, key uint64) *answer {
	a := &answer{Sequence: s, key: key, prompt: max(slices.Index(s.Targets, true), 1)}
	for _, t := range s.Targets[1:] {
		if t {
			a.tokens++
		}
	}
	return a
}

// keyOf is a hash of a prompt, whatever of it is cut.
func keyOf(prompt []chat.Message) uint64 {
	h := fnv.New64a()
	for _, m := range prompt {
		fmt.Fprintf(h, "%s\x00%s\x00", m.Role, m.Content)
	}
	return h.Sum64()
}

// duo is a preference as tokens.
type duo struct {
	chosen, rejected *answer
	margin           float64
}

// judged is a judged answer as tokens; other is its prompt with the answer to another one, nil where there is none.
type judged struct {
	*answer
	good  bool
	other *answer
}

// readDuos reads preferences: those to learn from and those held out.
func readDuos(r *tune.Run, o Rows) (learn, held []*duo, a *Account, err error) {
	a = &Account{}
	limit := o.limit(r) // of ids
	place := func(p *chat.Pair) chat.Place { return p.Place }
	encode := func(p *chat.Pair) (*duo, int, error) {
		two, err := r.Template.EncodePair(p, limit, o.Cut)
		if err != nil {
			return nil, 0, err
		}
		key := keyOf(p.Prompt)
		d := &duo{chosen: newAnswer(two.Chosen, key), rejected: newAnswer(two.Rejected, key)}
		if p.Margin != nil {
			d.margin = *p.Margin
		}
		return d, two.Left, nil
	}
	learn, err = read(source.Pairs(o.Files, o.Read), place, encode, a)
	if err == nil && len(o.Held) > 0 {
		if held, err = read(source.Pairs(o.Held, o.Read), place, encode, a); err == nil {
			learn = apart(learn, held, a, func(d *duo) uint64 { return d.chosen.key })
		}
	} else if err == nil {
		learn, held = divide(learn, r.Seed, o.Share, func(d *duo) uint64 { return d.chosen.key })
	}
	a.Held = len(held)
	return learn, held, a, cmp.Or(err, a.check(o, len(learn)))
}

// readJudged reads judged answers likewise.
func readJudged(r *tune.Run, o Rows) (learn, held []*judged, a *Account, err error) {
	a = &Account{}
	limit := o.limit(r)
	place := func(j *chat.Judged) chat.Place { return j.Place }
	encode := func(j *chat.Judged) (*judged, int, error) {
		s, left, err := r.Template.EncodeJudged(j, limit, o.Cut)
		if err != nil {
			return nil, 0, err
		}
		return &judged{answer: newAnswer(s, keyOf(j.Prompt)), good: j.Good}, left, nil
	}
	learn, err = read(source.Feedback(o.Files, o.Read), place, encode, a)
	if err == nil && len(o.Held) > 0 {
		if held, err = read(source.Feedback(o.Held, o.Read), place, encode, a); err == nil {
			learn = apart(learn, held, a, func(j *judged) uint64 { return j.key })
		}
	} else if err == nil {
		learn, held = divide(learn, r.Seed, o.Share, func(j *judged) uint64 { return j.key })
	}
	a.Held = len(held)
	for _, j := range slices.Concat(learn, held) {
		if j.good {
			a.Good++
		} else {
			a.Bad++
		}
	}
	return learn, held, a, cmp.Or(err, a.check(o, len(learn)))
}

// limit is how many ids a sequence may have, in the context with its end.
func (o Rows) limit(r *tune.Run) int {
	return min(cmp.Or(o.Len, r.Model.Config.Context), r.Model.Config.Context)
}

// read turns rows into tokens and accounts for each.
func read[In, Out any](rows iter.Seq2[In, error], place func(In) chat.Place, encode func(In) (Out, int, error), a *Account) (list []Out, err error) {
	for row, err := range rows {
		var one Out
		var at chat.Place
		left := 0
		if err == nil {
			at = place(row)
			one, left, err = encode(row)
		}
		var unread *source.RowError
		if errors.As(err, &unread) {
			at = unread.Place
		}
		var refused chat.Refused
		switch {
		case errors.As(err, &refused):
			a.row(at.File)
			a.drop(refused.Refused(), err)
			continue
		case err != nil:
			return nil, err
		}
		a.row(at.File)
		a.Used++
		if left > 0 {
			a.Cut++
			a.CutTokens += left
		}
		list = append(list, one)
	}
	return list, nil
}

// check holds the account to what is allowed.
func (a *Account) check(o Rows, learn int) error {
	if a.Used+a.Dropped != a.Rows {
		return fmt.Errorf("account of rows does not balance: %s", a)
	}
	first := ""
	if len(a.First) > 0 {
		first = "; the first: " + a.First[0]
	}
	useless := a.Dropped - a.Reasons[HeldPrompt]
	if share := float64(useless) / float64(max(a.Rows, 1)); share > o.Dropped {
		return fmt.Errorf("%d of %d rows (%.1f %%) cannot be used, %.1f %% are allowed: %s%s", useless, a.Rows, 100*share, 100*o.Dropped, a, first)
	}
	if learn == 0 {
		return fmt.Errorf("no row to learn from: %s%s", a, first)
	}
	return nil
}

// HeldPrompt is the reason of rows that are not learnt from because their prompt is one of the held-out file's.
const HeldPrompt = "held_prompt"

// apart leaves out what shares a prompt with held-out rows.
func apart[T any](learn, held []T, a *Account, key func(T) uint64) (list []T) {
	known := map[uint64]bool{}
	for _, x := range held {
		known[key(x)] = true
	}
	for _, x := range learn {
		if known[key(x)] {
			a.Used--
			a.drop(HeldPrompt, errors.New("the prompt is a held-out one"))
		} else {
			list = append(list, x)
		}
	}
	return list
}

// divide holds rows out by a hash of their prompt, so that all rows of a prompt are on one side.
func divide[T any](list []T, seed uint64, share float64, key func(T) uint64) (learn, held []T) {
	for _, x := range list {
		if rand.New(rand.NewPCG(seed, key(x))).Float64() < share {
			held = append(held, x)
		} else {
			learn = append(learn, x)
		}
	}
	return learn, held
}

// opened is a run with its rows read.
type opened[T any] struct {
	*tune.Run
	learn, held []T
	data        []checkpoint.File // what they were, for the lineage
}

// open opens a run and reads its rows; what became of them is told. Whoever opens it closes it.
func open[T any](o tune.Options, kind string, config any, rows Rows, read func(*tune.Run, Rows) (learn, held []T, a *Account, err error)) (*opened[T], error) {
	r, err := tune.Open(o, kind, config)
	if err != nil {
		return nil, err
	}
	x := &opened[T]{Run: r}
	var account *Account
	if x.learn, x.held, account, err = read(r, rows); err == nil {
		x.data, err = rows.dataOf(account)
	}
	if err != nil {
		return nil, errors.Join(err, r.Close())
	}
	r.Note("data", account)
	return x, nil
}

// dataOf names the files for the lineage.
func (o Rows) dataOf(a *Account) ([]checkpoint.File, error) {
	data, err := tune.DataOf(slices.Concat(o.Files, o.Held), a.files)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", strings.Join(o.Files, ", "), err)
	}
	return data, nil
}

// order walks over n things again and again, each time in another order.
type order struct {
	seed  uint64
	epoch int64
	perm  []int
}

func newOrder(seed uint64, n int) *order {
	return &order{seed, 0, rand.New(rand.NewPCG(seed, 0)).Perm(n)}
}

// at is the thing at a place of the walk.
func (o *order) at(row int64) int {
	n := int64(len(o.perm))
	if e := row / n; e != o.epoch {
		o.epoch, o.perm = e, rand.New(rand.NewPCG(o.seed, uint64(e))).Perm(int(n))
	}
	return o.perm[row%n]
}

// take gives the next n things and moves the run's cursor behind them.
func take[T any](r *tune.Run, o *order, list []T, n int) []T {
	out := make([]T, n)
	for i := range out {
		out[i] = list[o.at(r.Row)]
		r.Row++
	}
	return out
}

// ceiling is a/b, up.
func ceiling(a, b int) int { return (a + b - 1) / b }
