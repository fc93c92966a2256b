package align

import (
	"context"

	"winnow/train/chat"
	"winnow/train/judge"
	"winnow/train/sft"
)

// verdict writes down what a judge is asked, and answers with the label that is right: so a judge learns from exactly the questions that
// it will get.
type verdicts struct {
	label string
	asked []*chat.Conversation
}

// Ask is judge.Client's.
func (v *verdicts) Ask(_ context.Context, q judge.Question) (judge.Reply, error) {
	c := &chat.Conversation{Place: chat.Place{File: "verdicts", Row: int64(len(v.asked))}}
	c.Messages = append(append(c.Messages, q.Messages...), chat.Message{Role: chat.Assistant, Content: v.label})
	v.asked = append(v.asked, c)
	return judge.Reply{Text: v.label}, nil
}

// comparisons are questions about pairs of answers with the right verdicts, each pair in one order, as the pair has it.
func comparisons(ctx context.Context, list []choice) ([]*chat.Conversation, error) {
	v := &verdicts{}
	j := &judge.Judge{Client: v, Model: "verdicts", Parallel: 1}
	var out []*chat.Conversation
	for _, c := range list {
		v.label = []string{"1", "2"}[c.better]
		v.asked = v.asked[:0]
		if _, err := j.Compare(ctx, asks(c.task), c.answers[0], c.answers[1]); err != nil {
			return nil, err
		}
		first := v.asked[0] // the second has the answers in the other order
		first.Row = int64(len(out))
		out = append(out, first)
	}
	return out, nil
}

// long makes rows that hold the questions of judges.
func long(c *sft.Config) { c.Len = judged }

// asks is a task as a conversation.
func asks(t task) []chat.Message { return []chat.Message{{Role: chat.User, Content: t.question()}} }

// judgement is a judge model and what it was asked.
func (l *Lab) judgeOf(dir string) (*judge.Judge, error) {
	m, err := l.load(dir)
	if err != nil {
		return nil, err
	}
	local, err := judge.NewLocal(m, l.tok, l.template, l.Pool)
	return &judge.Judge{Client: local, Model: "judge", Parallel: 1}, err
}
