package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"winnow/cmd/winnow/cli"
	"winnow/cmd/winnow/pretrain"
	"winnow/cmd/winnow/talk"
	"winnow/train/scaling"
)

// said runs a command and gives stdout and stderr.
func said(t *testing.T, code int, in string, args ...string) (string, string) {
	t.Helper()
	var out, errs bytes.Buffer
	if got := run(append(args, "--lang", "en"), strings.NewReader(in), &out, &errs); got != code {
		t.Fatalf("%v: exit code %d, want %d: %s", args, got, code, errs.String())
	}
	return out.String(), errs.String()
}

func TestGenerate(t *testing.T) {
	_, texts := smallRun(t, 60)
	model, _ := smallModel(t, texts)
	one, told := said(t, 0, "", "generate", model, "-p", "The number", "--seed", "7", "--max-tokens", "12")
	if !strings.Contains(told, "12 tokens after") || !strings.Contains(told, "seed 7, length") {
		t.Errorf("said %q", told)
	}
	if again, _ := said(t, 0, "The number\n", "generate", model, "--seed", "7", "--max-tokens", "12"); again != one {
		t.Errorf("from stdin %q, by flag %q", again, one)
	}
	var lines []talk.Generated
	out, _ := said(t, 0, "", "generate", model, "-p", "The number", "--seed", "6", "--max-tokens", "12", "--n", "10", "--echo", "--json")
	for d := json.NewDecoder(strings.NewReader(out)); d.More(); {
		var g talk.Generated
		if err := d.Decode(&g); err != nil {
			t.Fatal(err)
		}
		lines = append(lines, g)
	}
	if len(lines) != 10 || "The number"+strings.TrimSuffix(one, "\n") != lines[1].Text || lines[1].Seed != 7 || lines[0].Text == lines[1].Text {
		t.Errorf("seed 7 alone %q, among ten %+v", one, lines[1])
	}
	full, told := said(t, 0, "", "generate", model, "-p", "The", "--temperature", "0", "--max-tokens", "-1")
	if !strings.Contains(told, "length") || full == "" {
		t.Errorf("until the context is full: %q", told)
	}
	_, told = said(t, 2, "", "generate", model, "-p", strings.Repeat("word ", 50))
	if !strings.Contains(told, "the context of this model holds 32") {
		t.Errorf("a long prompt: %q", told)
	}
	for _, bad := range [][]string{{"--temperature", "-1"}, {"--n", "0"}, {"--max-tokens", "0"}, {"--stop", ""}, {"--kernel", "abacus"}} {
		said(t, 2, "", append([]string{"generate", model, "-p", "a"}, bad...)...)
	}
	said(t, 1, "", "generate", t.TempDir(), "-p", "a")
}

func TestChat(t *testing.T) {
	_, texts := smallRun(t, 60)
	model, _ := smallModel(t, texts)
	args := []string{"chat", model, "--seed", "3", "--max-tokens", "8"}
	out, told := said(t, 0, "The\n/reset\n/seed 3\nThe\n/temp 99999\n/what\n/quit\nnever\n", args...)
	lines := strings.Split(out, "\n")
	if len(lines) != 3 || lines[0] != lines[1] || lines[0] == "" {
		t.Errorf("after /reset the same seed gives %q", lines)
	}
	if !strings.Contains(told, "temperature 99999") || !strings.Contains(told, "/reset forgets") {
		t.Errorf("said %q", told)
	}
	for _, template := range []string{"", "plain"} {
		out, told = said(t, 0, strings.Repeat("and so on for ever\n", 6), append(args, "--template", template, "--system", "x")...)
		if strings.Count(out, "\n") < 6 || !strings.Contains(told, "the context is full") {
			t.Errorf("template %q: a context of 32 tokens was not filled: %q %q", template, out, told)
		}
	}
	said(t, 2, "", append(args, "--template", "jinja")...)
}

func TestServeCommand(t *testing.T) {
	_, texts := smallRun(t, 60)
	model, _ := smallModel(t, texts)
	ctx, stop := context.WithCancel(context.Background())
	in, out := io.Pipe()
	a := &app{&cli.App{In: strings.NewReader(""), Out: io.Discard, Err: out}}
	args := []string{"serve", model, "--addr", "127.0.0.1:0", "--name", "tiny", "--json", "--lang", "en"}
	root := a.root(args)
	root.SetArgs(args)
	done := make(chan int, 1)
	go func() { done <- a.exit(ctx, root.ExecuteContext(ctx)); out.Close() }()
	lines := bufio.NewReader(in)
	line, err := lines.ReadBytes('\n')
	go io.Copy(io.Discard, lines)
	var serving struct{ Type, URL, Model string }
	if err != nil || json.Unmarshal(line, &serving) != nil || serving.Model != "tiny" {
		t.Fatalf("%q %v", line, err)
	}
	r, err := http.Post(serving.URL+"/completions", "application/json", strings.NewReader(`{"prompt":"The number","max_tokens":5,"seed":1}`))
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(r.Body)
	r.Body.Close()
	if err != nil || r.StatusCode != 200 || !strings.Contains(string(b), `"model":"tiny"`) || !strings.Contains(string(b), `"finish_reason":"`) {
		t.Errorf("%d %s %v", r.StatusCode, b, err)
	}
	stop()
	if code := <-done; code != 0 {
		t.Errorf("exit code %d after it was told to end", code)
	}
	for _, bad := range [][]string{{"--slots", "0"}, {"--template", "jinja"}} {
		said(t, 2, "", append([]string{"serve", model}, bad...)...)
	}
}

func TestTrainScalingAndPlan(t *testing.T) {
	run, _ := smallRun(t, 300)
	out := filepath.Join(t.TempDir(), "family")
	args := []string{"train", "scaling", "--data", run, "--out", out, "--vocab", "320", "--flops", "3e9,6e9", "--models", "3", "--extra", "1", "--json"}
	text, told := said(t, 0, "", args...)
	var f scaling.Family
	if err := json.Unmarshal([]byte(text), &f); err != nil {
		t.Fatal(err)
	}
	if len(f.Arms) < 6 || len(f.Budgets) != 2 || strings.Count(told, "held out") != len(f.Arms) {
		t.Errorf("%d arms, %d budgets, said %q", len(f.Arms), len(f.Budgets), told)
	}
	for _, arm := range f.Arms {
		if c := float64(arm.Tokens) * arm.Shape.FLOPs / arm.Budget; c > 1 || c < .5 || !(arm.Loss > 0 && arm.Loss < 8.5) {
			t.Errorf("%+v: %.2f of its budget", arm, c)
		}
	}
	for _, b := range f.Budgets {
		if (b.Minimum == nil) == (b.Problem == "") {
			t.Errorf("%+v: neither a minimum nor a reason", b)
		}
	}
	again, told := said(t, 0, "", args...)
	if again != text || strings.Contains(told, "held out") {
		t.Errorf("a finished family was trained again: %q", told)
	}
	table, _ := said(t, 0, "", append(slices.Clone(args[:len(args)-1]), "--quiet")...)
	if !strings.Contains(table, "bits/byte") || !strings.Contains(table, f.Arms[0].Shape.Name) {
		t.Errorf("table %q", table)
	}
	if b, err := os.ReadFile(filepath.Join(out, pretrain.FamilyPage)); err != nil || !strings.Contains(string(b), "6e+09 FLOP") {
		t.Errorf("page: %v", err)
	}
	model, _ := smallModel(t, []string{"another text", "another tokenizer"})
	said(t, 2, "", append(slices.Clone(args), "--tokenizer", model)...)
	said(t, 2, "", append(slices.Clone(args), "--models", "2")...)

	var p pretrain.TrainPlan
	winnowJSON(t, &p, "plan", "train", "--minutes", "0.01", "--vocab", "320", "--scaling", filepath.Join(out, pretrain.FamilyName))
	if p.Depth < 1 || p.Plan == nil || !(p.Tokens > 0) || !(p.Peak > 0) || p.Own == nil || len(p.Extern) != 2 || p.Extern[0].Decades < 4 {
		t.Errorf("%+v", p)
	}
	text, _ = said(t, 0, "", "plan", "train", "--minutes", "0.01", "--vocab", "320", "--scaling", "nowhere.json")
	for _, want := range []string{"--depth ", "there are no own runs", "decades extrapolated", "do not compare with bits per byte"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing in %q", want, text)
		}
	}
	said(t, 2, "", "plan", "train", "--minutes", "0")
}
