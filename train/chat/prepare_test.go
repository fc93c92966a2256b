package chat

import (
	"errors"
	"fmt"
	"iter"
	"strings"
	"testing"

	"winnow/train/rows"
)

type refusal struct{}

func (refusal) Error() string   { return "a.jsonl:3: output: is empty" }
func (refusal) Refused() string { return "empty" }

// talks makes n conversations, every tenth far longer than the others, and a row that cannot be used.
func talks(n int) iter.Seq2[*Conversation, error] {
	return func(yield func(*Conversation, error) bool) {
		for i := range n {
			answer := fmt.Sprintf("It is %d.", i)
			if i%10 == 9 {
				answer = strings.Repeat(answer, 20)
			}
			c := &Conversation{Place: Place{File: "a.jsonl", Line: int64(i + 1)}, Messages: []Message{{Role: User, Content: fmt.Sprintf("What is %d?", i%7)}, {Role: Assistant, Content: answer}, {Role: User, Content: "Thanks"}}}
			if !yield(c, nil) {
				return
			}
		}
		yield(nil, refusal{})
	}
}

func TestPrepare(t *testing.T) {
	made := template(t, "chatml")
	o := PrepareOptions{Len: 80, Cut: CutAnswer, MostCut: .1, MostDropped: .1}
	sequences, a, err := Prepare(made, talks(50), o)
	if err != nil {
		t.Fatal(err)
	}
	if a.Rows != 51 || a.Kept != 50 || a.Cut != 5 || a.Dropped != 1 || a.Reasons["empty"] != 1 || a.Behind == 0 || a.Off == 0 || sequences.Len() != 50 {
		t.Errorf("%+v", a)
	}
	m, err := rows.NewMasked(sequences, nil, rows.Options{Len: o.Len, PAD: made.tok.PAD()})
	if err != nil {
		t.Fatal(err)
	}
	n, _ := m.EpochRows(0)
	l, err := m.Ledger(n)
	if err != nil || l.Used != a.Learnt || l.Used+l.Masked+int64(a.Kept) != a.Learnt+a.Context {
		t.Errorf("ledger %+v, account %+v: %v", l, a, err) // a sequence has a pair less than ids
	}
	o.Cut, o.MostDropped = CutTurns, .05
	if _, a, err := Prepare(made, talks(50), o); err == nil || !strings.Contains(err.Error(), "too_long 5") || a.Dropped != 6 {
		t.Errorf("dropped without leave: %v", err)
	}
	o = PrepareOptions{Len: 80, Cut: CutAnswer, MostCut: .05, MostDropped: 1}
	if _, _, err := Prepare(made, talks(50), o); err == nil || !strings.Contains(err.Error(), "5 of 51 rows") {
		t.Errorf("cut without leave: %v", err)
	}
	broken := errors.New("broken disk")
	if _, _, err := Prepare(made, func(yield func(*Conversation, error) bool) { yield(nil, broken) }, o); !errors.Is(err, broken) {
		t.Errorf("%v", err)
	}
	if _, _, err := Prepare(made, talks(1), PrepareOptions{Len: 8, Cut: "some"}); err == nil {
		t.Error("an unknown way to cut")
	}
}

func BenchmarkPrepare(b *testing.B) {
	made := template(b, "chatml")
	ids := int64(0)
	for b.Loop() {
		_, a, err := Prepare(made, talks(2000), PrepareOptions{Len: 80, Cut: CutAnswer, MostCut: 1, MostDropped: 1})
		if err != nil {
			b.Fatal(err)
		}
		ids += a.Tokens
	}
	b.ReportMetric(float64(ids)/b.Elapsed().Seconds(), "tokens/s")
}
