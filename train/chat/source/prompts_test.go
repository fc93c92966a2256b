package source

import (
	"errors"
	"strings"
	"testing"

	"winnow/train/chat"
)

func TestPrompts(t *testing.T) {
	path := write(t, "prompts.jsonl", `{"prompt": "2+3?", "gold": 5, "tags": ["a"]}
{"messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}]}
{"instruction": "Add.", "input": "2 3", "output": "5"}
{"question": "Why?", "answer": "So."}
{"messages": [{"role": "assistant", "content": "Hello"}]}
{"text": "no prompt"}
`)
	var got []string
	var refused []string
	for p, err := range Prompts([]string{path}, Options{}) {
		var row *RowError
		if errors.As(err, &row) {
			refused = append(refused, row.Reason)
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, spell(p.Messages))
		switch p.Row {
		case 0:
			if p.Columns["gold"] != 5.0 || p.Columns["prompt"] != "2+3?" {
				t.Errorf("columns %v", p.Columns)
			}
		case 3:
			if p.Columns["answer"] != "So." {
				t.Errorf("columns %v", p.Columns)
			}
		}
	}
	if len(got) != 4 || !strings.Contains(got[1], "Be brief.") || strings.Contains(got[1], "Hello") || !strings.Contains(got[2], "2 3") || strings.Contains(got[3], chat.Assistant) {
		t.Errorf("prompts %q", got)
	}
	if strings.Join(refused, " ") != Empty+" "+NoShape {
		t.Errorf("refused for %v", refused)
	}
}
