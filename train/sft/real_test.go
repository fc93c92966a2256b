package sft_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"winnow/train/chat"
	"winnow/train/chat/source"
	"winnow/train/checkpoint"
	"winnow/train/llm"
	"winnow/train/sft"
	"winnow/train/tune"
	"winnow/train/tune/tunetest"
)

// TestImportedShapes tunes models of others' shapes for 20 steps, all weights and adapters alone: the loss on the rows learnt falls, and
// what is left is a folder that loads, or adapters that do.
func TestImportedShapes(t *testing.T) {
	pool := tunetest.Pool(t)
	for _, name := range []string{"smollm2", "qwen2", "headdim"} {
		for _, rank := range []int{0, 4} {
			t.Run(fmt.Sprint(name, " ", rank), func(t *testing.T) {
				o := options(t, filepath.Join("..", "checkpoint", "testdata", name), t.TempDir())
				o.Pool, o.Steps, o.Eval, o.Len, o.Rate, o.Template, o.Samples = pool, 20, 10, 0, 1e-2, "plain", 1
				o.MostDropped, o.MostCut, o.Cut = .5, 1, chat.CutPrompt
				o.Held = sft.Data{Name: "the same", Talks: talks()}
				if rank > 0 {
					o.LoRA, o.Template = &llm.LoRA{Rank: rank, Alpha: 2 * float64(rank)}, "plain"
				}
				first := 0.
				o.Tell = func(e tune.Event) {
					if e.Type == "eval" && e.Metric.Step == 0 {
						first = e.Eval["loss"]
					}
				}
				r, err := sft.Run(context.Background(), o)
				if err != nil {
					t.Fatal(err)
				}
				if !(r.Eval["loss"] < first*.98) {
					t.Errorf("loss %g, was %g", r.Eval["loss"], first)
				}
				m, tok, info, err := checkpoint.LoadModel(o.Out)
				if err != nil || tok == nil || info.Parents[0].Kind != checkpoint.KindImport || checkpoint.Hash(checkpoint.Weights(m)) != r.Hash {
					t.Fatalf("%+v %v", info, err)
				}
				if rank == 0 {
					return
				}
				m, _, info, err = checkpoint.LoadModel(filepath.Join(o.Out, "adapter"))
				if err != nil || info.Kind != checkpoint.KindAdapter || checkpoint.Hash(checkpoint.Weights(m)) != r.Hash {
					t.Errorf("adapters: %+v %v", info, err)
				}
			})
		}
	}
}

// TestRealData: of every file of the data folder, each row is learnt from, or counted with its reason; and the model learns from it.
func TestRealData(t *testing.T) {
	data := os.Getenv("WINNOW_DATA")
	if data == "" {
		t.Skip("WINNOW_DATA is not set: no real conversations to learn from")
	}
	options := map[string]source.Options{"lf_identity.json.gz": {Set: map[string]string{"name": "Winnow", "author": "us"}},
		"ruozhiba_hzwer.jsonl.gz": {Fields: map[string]string{"answer": "human_answer"}}, "alpaca_zh_malformed_9251.json": {GoOn: true}}
	dropped := map[string]string{"alpaca_52k_en.jsonl.gz": "map[empty:28]", "alpaca_zh_part.jsonl.gz": "map[empty:10]", "alpaca_zh_malformed_9251.json": "map[broken:1 empty:2]"}
	files, err := filepath.Glob(filepath.Join(data, "sft", "*.gz"))
	if err != nil {
		t.Fatal(err)
	}
	pool := tunetest.Pool(t)
	const length = 768
	base := tunetest.Parent(t, length, "chatml", strings.Repeat("the answer to a question is what we say. 问题的答案是我们说的。 ", 3))
	for _, path := range append(files, filepath.Join(data, "sft", "malformed", "alpaca_zh_malformed_9251.json")) {
		name := filepath.Base(path)
		o := sft.Options{Options: tune.Options{Settings: tune.Defaults(), Out: t.TempDir(), Parent: base, Pool: pool}, Config: sft.Usual(), Train: sft.Data{Files: []string{path}, Rows: options[name]}}
		o.Steps, o.Rate, o.Len, o.HeldMost, o.Samples, o.MostCut, o.Cut = 3, 1e-3, length, 8, 0, 1, chat.CutAnswer
		o.MostDropped = .12 // a byte a token: some questions alone fill the row
		var account *chat.Account
		o.Tell = func(e tune.Event) {
			if a, ok := e.More.(*chat.Account); ok {
				account = a
			}
		}
		r, err := sft.Run(context.Background(), o)
		if account == nil || err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		long := account.Reasons[chat.TooLong]
		delete(account.Reasons, chat.TooLong)
		want := dropped[name]
		if want == "" {
			want = "map[]"
		}
		if got := fmt.Sprint(account.Reasons); got != want || account.Check() != nil || r.Steps != 3 {
			t.Errorf("%s: %d rows, %d kept, %d cut, %d too long, else %s, not %s: %v", name, account.Rows, account.Kept, account.Cut, long, got, want, err)
		}
		_, _, info, err := checkpoint.LoadModel(o.Out)
		if err != nil || info.Files[0].Rows != int64(account.Rows) || info.Files[0].Used == 0 || info.Files[0].Used >= int64(account.Kept) {
			t.Errorf("%s: lineage has %+v, the account %d rows: %v", name, info.Files, account.Rows, err)
		}
		t.Logf("%s: %d rows, %d kept, %d of them cut, %d too long for %d positions", name, account.Rows, account.Kept, account.Cut, long, length)
	}
}
