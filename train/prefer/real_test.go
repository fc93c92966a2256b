package prefer

import (
	"bytes"
	"context"
	"math"
	"os"
	"path/filepath"
	"testing"

	"winnow/train/chat"
	"winnow/train/tune"
	"winnow/train/tune/tunetest"
)

// imported is a folder of another program's model: transformers wrote it, in SmolLM2's shape. Its context is made longer, which
// rotary positions allow.
func imported(t testing.TB, context string) string {
	t.Helper()
	dir := t.TempDir()
	from := filepath.Join("..", "checkpoint", "testdata", "smollm2")
	for _, name := range []string{"config.json", "generation_config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"} {
		b := must[[]byte](t)(os.ReadFile(filepath.Join(from, name)))
		if name == "config.json" {
			b = bytes.Replace(b, []byte(`"max_position_embeddings": 64`), []byte(`"max_position_embeddings": `+context), 1)
		}
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// TestRealData: every row of the data folder is used, or listed here with its reason; each method runs 20 steps on each file that it
// can read, on a model of an imported shape.
func TestRealData(t *testing.T) {
	data := os.Getenv("WINNOW_DATA")
	if data == "" {
		t.Skip("WINNOW_DATA is not set: no real preferences to learn from")
	}
	parent, pool := imported(t, "384"), tunetest.Pool(t)
	for _, c := range []struct {
		file, method, want string
	}{
		{"hh_harmless_test.jsonl.gz", "reward", "2312 rows, 2303 used, 34 held out, 1507 cut, empty 4, prompts 5"},
		{"lf_dpo_en_demo.json.gz", "sigmoid", "300 rows, 300 used, 5 held out, 290 cut"},
		{"lf_dpo_zh_demo.json.gz", "ipo", "300 rows, 300 used, 11 held out, 292 cut"},
		{"lf_dpo_zh_demo.json.gz", "reward", "300 rows, 300 used, 11 held out, 292 cut"},
		{"lf_dpo_en_demo.json.gz", "orpo", "300 rows, 300 used, 5 held out, 290 cut"},
		{"lf_kto_en_demo.json.gz", "kto", "300 rows, 300 used, 7 held out, 277 cut"},
	} {
		t.Run(c.method+"/"+c.file, func(t *testing.T) {
			var s seen
			o := toyOptions(parent, t.TempDir(), pool, 20, 1e-3)
			o.Eval = 20
			o.Template, o.Tell = "plain", s.tell
			rows := Rows{Files: []string{filepath.Join(data, "pref", c.file)}, Share: .02, Cut: chat.CutAnswer, Dropped: .01, Batch: 4}
			var r *tune.Result
			var err error
			switch c.method {
			case "reward":
				r, err = Reward(context.Background(), o, RewardConfig{Rows: rows})
			case "kto":
				r, err = KTO(context.Background(), o, KTOConfig{Rows: rows, Beta: .1})
			default:
				d := toyDPO("", c.method, 4)
				d.Rows = rows
				r, err = DPO(context.Background(), o, d)
			}
			if err != nil {
				t.Fatal(err)
			}
			if r.Steps != 20 || math.IsNaN(r.Loss) || s.last.Norm == 0 {
				t.Errorf("%+v", r)
			}
			if got := s.more["data"].(*Account).String(); got != c.want {
				t.Errorf("%s, want %s\n%q", got, c.want, s.more["data"].(*Account).First)
			}
		})
	}
}
