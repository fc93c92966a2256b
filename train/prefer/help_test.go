package prefer

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"winnow/train/chat"
	"winnow/train/llm"
	"winnow/train/tune"
	"winnow/train/tune/tunetest"
)

var things = strings.Fields("river stone bread cloud horse apple table candle garden window bridge winter summer letter mirror forest island silver copper basket")

// answers to a thing: the better ones name it and then say fine, the worse ones say bad first.
func better(i int) string {
	return things[i%len(things)] + [...]string{" is fine", " is good"}[i/len(things)%2]
}
func worse(i int) string {
	return [...]string{"bad ", "no "}[i/len(things)%2] + things[(i*7+3)%len(things)]
}
func asked(i int) string {
	return [...]string{"what of the ", "tell me of the ", "say the "}[i/2%3] + things[i%len(things)]
}

// toyPairs writes n preferences, toyJudged 2n judged answers of the same.
func toyPairs(t testing.TB, n int) string {
	return written(t, "pairs.jsonl", n, func(i int) []any {
		return []any{map[string]any{"prompt": asked(i), "chosen": better(i), "rejected": worse(i), "margin": .5}}
	})
}

func toyJudged(t testing.TB, n int) string {
	return written(t, "judged.jsonl", n, func(i int) []any {
		good := map[string]any{"prompt": asked(i), "completion": better(i), "label": true}
		if i%3 == 0 {
			return []any{good} // more good ones than bad ones
		}
		return []any{good, map[string]any{"prompt": asked(i), "completion": worse(i), "label": false}}
	})
}

func written(t testing.TB, name string, n int, rows func(i int) []any) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := range n {
		for _, row := range rows(i) {
			if err := json.NewEncoder(f).Encode(row); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

func toyParent(t testing.TB) string {
	var texts []string
	for i := range 40 {
		texts = append(texts, asked(i)+" "+better(i)+" "+worse(i))
	}
	return tunetest.Parent(t, 64, "chatml", texts...)
}

func toyRows(file string, batch int) Rows {
	return Rows{Files: []string{file}, Share: .3, Cut: chat.CutPrompt, Batch: batch}
}

func toyOptions(parent, out string, pool *llm.Pool, steps int, rate float64) tune.Options {
	o := tune.Options{Settings: tune.Defaults(), Out: out, Parent: parent, Pool: pool, Save: 2}
	o.Steps, o.Rate, o.Eval = steps, rate, max(steps/3, 1)
	return o
}

// seen gathers what a run tells.
type seen struct {
	first, last *tune.Metric
	evals       []map[string]float64
	alarms      []string
	more        map[string]any
}

func (s *seen) tell(e tune.Event) {
	switch e.Type {
	case "step":
		m := *e.Metric
		if s.first == nil {
			s.first = &m
		}
		s.last = &m
	case "eval":
		s.evals = append(s.evals, e.Eval)
	default:
		if s.more == nil {
			s.more = map[string]any{}
		}
		s.more[e.Type] = e.More
		if e.Type == "alarm" {
			s.alarms = append(s.alarms, fmt.Sprintf("%+v", e.More))
		}
	}
}

func must[T any](t testing.TB) func(v T, err error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// ended is a context that has ended.
func ended() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}

// sequence is ids of which those from the answer's begin on are to be learnt.
func sequence(ids []int32, from int) *chat.Sequence {
	s := &chat.Sequence{IDs: ids, Targets: make([]bool, len(ids))}
	for i := from; i < len(ids); i++ {
		s.Targets[i] = true
	}
	return s
}
