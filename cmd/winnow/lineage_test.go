package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"winnow/train/checkpoint"
	"winnow/train/llm"
)

// TestLineageOfAlignment walks a policy's two parents down to the run, and the reward model and the adapters by themselves; a file
// of data that has changed is found, one that is gone is not here.
func TestLineageOfAlignment(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	for name, text := range map[string]string{"talks.jsonl": "{}\n{}\n", "pairs.jsonl": "{}\n"} {
		if err := os.WriteFile(name, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	file := func(name string, rows int64) []checkpoint.File {
		f, err := checkpoint.FileOf(name, rows, 0)
		if err != nil {
			t.Fatal(err)
		}
		return []checkpoint.File{f}
	}
	m, err := llm.New(llm.Config{Vocab: 300, Context: 16, Dim: 8, FFN: 8, Layers: 1, Heads: 1, KVHeads: 1, HeadDim: 8, NormEps: 1e-5, RopeTheta: 1e4}, 1)
	if err != nil {
		t.Fatal(err)
	}
	base := checkpoint.Info{Kind: checkpoint.KindBase, Data: []checkpoint.Data{{Run: "web-1", Hash: "1"}}}
	sft := checkpoint.Info{Kind: checkpoint.KindSFT, Files: file("talks.jsonl", 2), Parents: []checkpoint.Info{base}, Template: &checkpoint.Template{Name: "chatml", Hash: "123"}}
	reward := &checkpoint.Info{Kind: checkpoint.KindReward, Files: file("pairs.jsonl", 1), Parents: []checkpoint.Info{sft}}
	if err := checkpoint.SaveReward("reward", m, llm.NewHead(m.Config, 1), nil, reward); err != nil {
		t.Fatal(err)
	}
	policy := &checkpoint.Info{Kind: checkpoint.KindPolicy, Config: json.RawMessage(`{"asked":{"config":{"method":"ppo"}}}`), Parents: []checkpoint.Info{sft, *reward}}
	if err := checkpoint.SaveModel("policy", m, nil, policy); err != nil {
		t.Fatal(err)
	}
	if err := m.Adapt(llm.LoRA{Rank: 2, Alpha: 2}); err != nil {
		t.Fatal(err)
	}
	if err := checkpoint.SaveAdapter("adapter", m, "../policy", &checkpoint.Info{Kind: checkpoint.KindAdapter, Parents: []checkpoint.Info{*policy}}); err != nil {
		t.Fatal(err)
	}
	chain := func(name string, code int) string {
		out, _ := said(t, code, "", "lineage", filepath.Join(dir, name), "--check", "--runs", dir)
		return out
	}
	for name, want := range map[string][]string{
		"policy": {"policy (ppo) ", "as recorded\n", "    sft ", "      template chatml 123\n", "      file talks.jsonl  2 rows", "        base ", "          run web-1", "    reward ", "      file pairs.jsonl  1 rows"},
		"reward": {"reward ", "as recorded\n", "  file pairs.jsonl  1 rows", "    sft "}, "adapter": {"adapter ", "as recorded\n", "    policy (ppo) ", "        reward "},
	} {
		out := chain(name, 0)
		for _, part := range want {
			if !strings.Contains(out, part) {
				t.Errorf("%s: %q is missing:\n%s", name, part, out)
			}
		}
	}
	if err := os.WriteFile("talks.jsonl", []byte("{}\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove("pairs.jsonl"); err != nil {
		t.Fatal(err)
	}
	if out := chain("policy", 1); !strings.Contains(out, "DIFFERS: sha256") || !strings.Contains(out, "not here") {
		t.Errorf("changed files were not found:\n%s", out)
	}
	said(t, 0, "", "lineage", filepath.Join(dir, "policy"), "--runs", dir)
}
