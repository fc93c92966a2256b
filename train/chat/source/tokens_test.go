package source

import (
	"os"
	"path/filepath"
	"testing"

	"winnow/train/bpe"
	"winnow/train/chat"
	"winnow/train/rows"
)

// TestRealTokens: conversations and preferences of the data folder become rows by each template; the account and the ledger balance,
// and every row has a target.
func TestRealTokens(t *testing.T) {
	data := os.Getenv("WINNOW_DATA")
	if data == "" {
		t.Skip("WINNOW_DATA is not set: no real conversations to turn into tokens")
	}
	var files []string
	for _, name := range []string{"lf_alpaca_en_demo.json.gz", "lf_alpaca_zh_demo.json.gz", "lf_glaive_toolcall_zh_demo.json.gz", "lf_identity.json.gz", "medical_sft_1K_zh.jsonl.gz", "gsm8k_train.jsonl.gz", "seed_tasks_175.jsonl.gz"} {
		files = append(files, filepath.Join(data, "sft", name))
	}
	o := Options{Set: map[string]string{"name": "Ada", "author": "us"}}
	tok, err := bpe.Train(func(yield func(string) bool) {
		n := 0
		for c, err := range Conversations(files, o) {
			if n++; n%10 != 0 || err != nil {
				continue
			}
			for _, m := range c.Messages {
				if !yield(m.Content) {
					return
				}
			}
		}
	}, bpe.TrainOptions{Vocab: 2048})
	if err != nil {
		t.Fatal(err)
	}
	const length = 512
	for _, name := range chat.Names() {
		template, err := chat.New(name, tok)
		if err != nil {
			t.Fatal(err)
		}
		all, a, err := chat.Prepare(template, Conversations(files, o), chat.PrepareOptions{Len: length, Cut: chat.CutPrompt, MostCut: .2, MostDropped: .1})
		if err != nil {
			t.Fatal(err)
		}
		m, err := rows.NewMasked(all, nil, rows.Options{Len: length, Seed: 1, PAD: tok.PAD()})
		if err != nil {
			t.Fatal(err)
		}
		n, _ := m.EpochRows(0)
		ids, targets, pos := make([]int32, length), make([]int32, length), make([]int32, length)
		learnt := int64(0)
		for g := range n {
			if err := m.Fill(g, ids, targets, pos); err != nil {
				t.Fatal(err)
			}
			before := learnt
			for _, id := range targets {
				if id >= 0 {
					learnt++
				}
			}
			if learnt == before {
				t.Fatalf("%s: row %d has no target", name, g)
			}
		}
		l, err := m.Ledger(n)
		if err != nil || l.Used != learnt || l.Used != a.Learnt || l.Left != 0 {
			t.Errorf("%s: %+v %+v %v", name, l, a, err)
		}
		t.Logf("%s: %d of %d conversations, %d cut, %d dropped %v; %.0f %% of tokens are learnt, rows filled to %.1f %%", name, a.Kept, a.Rows, a.Cut, a.Dropped, a.Reasons,
			100*float64(a.Learnt)/float64(a.Tokens), 100-100*float64(l.Padded)/float64(l.Positions))
	}
	template, err := chat.New("chatml", tok)
	if err != nil {
		t.Fatal(err)
	}
	for name, most := range map[string]int{"hh_harmless_test.jsonl.gz": 9, "lf_dpo_en_demo.json.gz": 0, "lf_dpo_zh_demo.json.gz": 0} {
		refused := 0
		for p, err := range Pairs([]string{filepath.Join(data, "pref", name)}, Options{}) {
			if err == nil {
				_, err = template.EncodePair(p, 1<<14, chat.CutPrompt)
			}
			if err != nil {
				refused++
			}
		}
		if refused != most {
			t.Errorf("%s: %d refused, not %d", name, refused, most)
		}
	}
}
