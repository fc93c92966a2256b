package source

import (
	"errors"
	"fmt"
	"iter"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"winnow/train/chat"
)

// tally counts what a file's rows became: how many rows gave something, how many values they gave, and the reasons of the others.
func tally[T any](t *testing.T, rows iter.Seq2[*T, error], row func(*T) int64) string {
	t.Helper()
	values, used, reasons := 0, map[int64]bool{}, map[string]int{}
	for v, err := range rows {
		var bad *RowError
		switch {
		case errors.As(err, &bad):
			reasons[bad.Reason+" "+strings.TrimRight(bad.Field, "[]0123456789")]++
			if (bad.Line == 0) || bad.What == "" {
				t.Errorf("%v: no line", bad)
			}
		case err != nil:
			t.Fatal(err)
		default:
			values++
			used[row(v)] = true
		}
	}
	out := fmt.Sprintf("%d of %d rows", values, len(used))
	for _, k := range slices.Sorted(maps.Keys(reasons)) {
		out += fmt.Sprintf(", %s %d", k, reasons[k])
	}
	return out
}

// TestRealData: every row of the data folder is used, or listed here with its reason.
func TestRealData(t *testing.T) {
	data := os.Getenv("WINNOW_DATA")
	if data == "" {
		t.Skip("WINNOW_DATA is not set: no real conversations to read")
	}
	file := func(name string) []string { return []string{filepath.Join(data, name)} }
	chats := map[string]struct {
		o    Options
		want string
	}{
		"sft/alpaca_52k_en.jsonl.gz":                  {want: "51974 of 51974 rows, empty output 28"},
		"sft/alpaca_zh_part.jsonl.gz":                 {want: "20252 of 20252 rows, empty output 10"},
		"sft/gsm8k_train.jsonl.gz":                    {want: "7473 of 7473 rows"},
		"sft/lf_alpaca_en_demo.json.gz":               {want: "999 of 999 rows"},
		"sft/lf_alpaca_zh_demo.json.gz":               {want: "1000 of 1000 rows"},
		"sft/lf_glaive_toolcall_zh_demo.json.gz":      {want: "300 of 300 rows"},
		"sft/lf_identity.json.gz":                     {o: Options{Set: map[string]string{"name": "Ada", "author": "us"}}, want: "91 of 91 rows"},
		"sft/medical_sft_1K_zh.jsonl.gz":              {want: "1000 of 1000 rows"},
		"sft/ruozhiba_hzwer.jsonl.gz":                 {o: Options{Fields: map[string]string{"answer": "human_answer"}}, want: "1465 of 1465 rows"},
		"sft/seed_tasks_175.jsonl.gz":                 {want: "175 of 175 rows"},
		"sft/malformed/alpaca_zh_malformed_9251.json": {o: Options{GoOn: true}, want: "2799 of 2799 rows, broken  1, empty output 2"},
	}
	found, _ := filepath.Glob(filepath.Join(data, "sft", "*.gz"))
	for _, f := range found {
		if _, ok := chats["sft/"+filepath.Base(f)]; !ok {
			t.Errorf("%s is not in this test", f)
		}
	}
	for name, c := range chats {
		if got := tally(t, Conversations(file(name), c.o), rowOfChat); got != c.want {
			t.Errorf("%s: %s, not %s", name, got, c.want)
		}
	}
	if got, want := tally(t, Conversations(file("sft/lf_identity.json.gz"), Options{}), rowOfChat), "6 of 6 rows"; !strings.HasPrefix(got, want) || !strings.Contains(got, Placeholder) {
		t.Errorf("identity without a name: %s", got)
	}
	for name, want := range map[string]string{
		"pref/hh_harmless_test.jsonl.gz": "2303 of 2303 rows, empty chosen 4, prompts chosen 5",
		"pref/lf_dpo_en_demo.json.gz":    "300 of 300 rows",
		"pref/lf_dpo_zh_demo.json.gz":    "300 of 300 rows",
	} {
		if got := tally(t, Pairs(file(name), Options{}), rowOfPair); got != want {
			t.Errorf("%s: %s, not %s", name, got, want)
		}
	}
	if got, want := tally(t, Feedback(file("pref/lf_kto_en_demo.json.gz"), Options{}), rowOfJudged), "300 of 300 rows"; got != want {
		t.Errorf("kto: %s, not %s", got, want)
	}
}

func rowOfChat(c *chat.Conversation) int64 { return c.Row }
func rowOfPair(p *chat.Pair) int64         { return p.Row }
func rowOfJudged(j *chat.Judged) int64     { return j.Row }
