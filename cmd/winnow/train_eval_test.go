package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"winnow"
	"winnow/cmd/winnow/cli"
	"winnow/cmd/winnow/pretrain"
	"winnow/shard"
	"winnow/train/bpe"
	"winnow/train/checkpoint"
	"winnow/train/eval"
	"winnow/train/llm"
)

// smallRun makes the folder of a run of small texts in English and Chinese.
func smallRun(t *testing.T, n int) (dir string, texts []string) {
	t.Helper()
	dir = t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "data"), 0o777); err != nil {
		t.Fatal(err)
	}
	f, err := os.Create(filepath.Join(dir, "data", "00000.parquet"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	w := shard.NewDataWriter(f, nil)
	for i := range n {
		d := winnow.Document{ID: fmt.Sprint("d", i), Language: "en", Text: fmt.Sprintf("The number %d follows the number %d, and so on for ever and ever, says the book of numbers.", i+1, i)}
		if i%3 == 0 {
			d.Language, d.Text = "zh", fmt.Sprintf("第%d回之后是第%d回，如此这般，周而复始，书中自有道理。", i, i+1)
		}
		texts = append(texts, d.Text)
		if err := w.Write(&d); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := shard.WriteRun(nil, dir, &shard.Run{ID: "small-1", State: shard.Done, Totals: shard.Totals{Kept: int64(n)}}); err != nil {
		t.Fatal(err)
	}
	return dir, texts
}

// smallModel makes a folder with a model of random weights and a tokenizer.
func smallModel(t *testing.T, texts []string) (dir string, vocab int) {
	t.Helper()
	tok, err := bpe.Train(slices.Values(texts), bpe.TrainOptions{Vocab: 320})
	if err != nil {
		t.Fatal(err)
	}
	m, err := llm.New(llm.Config{Vocab: tok.Size(), Context: 32, Dim: 16, FFN: 32, Layers: 1, Heads: 2, KVHeads: 1, HeadDim: 8, NormEps: 1e-5, RopeTheta: 1e4}, 1)
	if err != nil {
		t.Fatal(err)
	}
	dir = t.TempDir()
	info := &checkpoint.Info{Kind: "base", Config: json.RawMessage(`{"asked":{"seed":5,"holdout":0.2}}`), Data: []checkpoint.Data{{Run: "small-1"}}}
	if err := checkpoint.SaveModel(dir, m, tok, info); err != nil {
		t.Fatal(err)
	}
	return dir, tok.Size()
}

// winnowJSON runs a command and reads what it prints.
func winnowJSON(t *testing.T, v any, args ...string) {
	t.Helper()
	var out, errs bytes.Buffer
	if code := run(append(args, "--json"), strings.NewReader(""), &out, &errs); code != 0 {
		t.Fatalf("%v: exit code %d: %s", args, code, errs.String())
	}
	if err := json.Unmarshal(out.Bytes(), v); err != nil {
		t.Fatalf("%v: %v in %s", args, err, out.String())
	}
}

func writeFile(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestTrainEval: a model of small random weights costs about log2 of its vocabulary a token; n-grams cost less; every part
// answers.
func TestTrainEval(t *testing.T) {
	data, texts := smallRun(t, 120)
	model, vocab := smallModel(t, texts)
	mc := writeFile(t, "numbers_dev.csv", "What follows 1?,2,7,B\n\"Which, then?\",this,that,A\n")
	capitals := writeFile(t, "c.jsonl", `{"country":"France","capital":["Paris"],"zh":"法国"}`+"\n"+`{"country":"Peru","capital":["Lima"],"zh":"秘鲁"}`+"\n")
	probes := writeFile(t, "p.jsonl", `{"prefix":"The code is","secret":" 123456","copies":4}`+"\n")
	var e pretrain.Evaluation
	winnowJSON(t, &e, "train", "eval", model, "--data", data, "--mc", mc, "--capitals", capitals, "--memorisation", probes, "--overlap", data)
	if len(e.Data) != 1 || len(e.Data[0].Bits) != 3 || e.Data[0].Bits[0].Language != "en" || e.Data[0].Bits[1].Language != "zh" {
		t.Fatalf("bits per byte of %+v", e.Data)
	}
	all := e.Data[0].Bits[2]
	if want := math.Log2(float64(vocab)) * float64(all.Tokens) / float64(all.Bytes); math.Abs(all.PerByte-want) > 0.1*want {
		t.Errorf("%.3f bits per byte of a model that knows nothing, not %.3f", all.PerByte, want)
	}
	if all.Documents < 10 || all.Documents > 45 { // the share is the model's, 0.2, not the flag's default
		t.Errorf("%d of 120 documents are held out", all.Documents)
	}
	trigram := e.Data[0].Baselines[slices.IndexFunc(e.Data[0].Baselines, func(b eval.Baseline) bool { return b.ID == "token-3" })]
	if trigram.Bits[2].PerByte > all.PerByte/2 {
		t.Errorf("trigrams cost %.3f bits per byte", trigram.Bits[2].PerByte)
	}
	if q := e.Questions[0].Sets; q[0].Sum.N != 2 || q[1].Set != "numbers" {
		t.Errorf("questions %+v", q)
	}
	if len(e.Capitals) != 6 || e.Capitals[0].Candidates != 2 {
		t.Errorf("capitals %+v", e.Capitals)
	}
	if len(e.Memory) != 1 || e.Memory[0].Copies != 4 || e.Memory[0].Most != 7 {
		t.Errorf("memory %+v", e.Memory)
	}
	// Held-out texts are other numbers in the same words: all their n-grams of words alone are in the training texts.
	if o := e.Overlap[0].Sets; len(o) != 4 || o[0].Set != "all" || o[1].Items.Hits != 0 || o[2].Items.Rate+o[3].Items.Rate == 0 {
		t.Errorf("overlap %+v", o)
	}
	// In words, both languages print.
	for _, lang := range []string{"en", "zh"} {
		var out, errs bytes.Buffer
		if code := run([]string{"train", "eval", model, "--data", data, "--memorisation", data, "--lang", lang}, strings.NewReader(""), &out, &errs); code != 0 {
			t.Fatalf("exit code %d: %s", code, errs.String())
		}
		for _, word := range map[string][]string{"en": {"this model", "token-3", "gzip-9", "exposure"}, "zh": {"本模型", "token-3", "暴露度"}}[lang] {
			if !strings.Contains(out.String(), word) {
				t.Errorf("--lang %s: no %q in\n%s", lang, word, out.String())
			}
		}
	}
}

func TestTrainEvalUsage(t *testing.T) {
	for _, args := range [][]string{{"train", "eval"}, {"train", "eval", "--texts", "x"}, {"train", "show"}, {"train", "show", "--tokenizer", "x", "more"}} {
		var out, errs bytes.Buffer
		if code := run(args, strings.NewReader(""), &out, &errs); code != cli.ExitUsage {
			t.Errorf("%v: exit code %d: %s", args, code, errs.String())
		}
	}
}

// TestTrainShow: the targets of all rows of a pass are the texts.
func TestTrainShow(t *testing.T) {
	data, texts := smallRun(t, 20)
	model, _ := smallModel(t, texts)
	var ledger struct{ Rows, Bytes, Documents int64 }
	args := []string{"train", "show", "--data", data, "--tokenizer", model, "--len", "40", "--holdout", "0"}
	winnowJSON(t, &ledger, append(args, "--ledger")...)
	said := map[string]string{}
	for row := range ledger.Rows {
		var out, errs bytes.Buffer
		if code := run(append(args, "--json", "--row", fmt.Sprint(row)), strings.NewReader(""), &out, &errs); code != 0 {
			t.Fatalf("exit code %d: %s", code, errs.String())
		}
		for line := range strings.Lines(out.String()) {
			var x pretrain.ShownToken
			if err := json.Unmarshal([]byte(line), &x); err != nil {
				t.Fatal(err)
			}
			if x.Counted && x.TargetText != "<|eos|>" {
				said[x.Document] += fmt.Sprintf("%04d%s\n", x.Pair, x.TargetText)
			}
		}
	}
	if int(ledger.Documents) != len(texts) || len(said) != len(texts) {
		t.Fatalf("%d documents, %d shown", ledger.Documents, len(said))
	}
	for i, text := range texts {
		if i%3 == 0 {
			continue // tokens of half characters are shown escaped
		}
		pieces := slices.Sorted(strings.Lines(said[fmt.Sprint("d", i)]))
		got := ""
		for _, p := range pieces {
			got += strings.TrimSuffix(p[4:], "\n")
		}
		if got != text {
			t.Errorf("document %d is shown as %q, not %q", i, got, text)
		}
	}
}
