package chat

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"winnow/train/bpe"
	"winnow/train/checkpoint"
	"winnow/train/llm"
)

var writeTo = flag.String("write", "", "folder for what testdata/fixtures.py reads")

const sample = "The quick brown fox jumps over the lazy dog. Hello, I am a model. It begins.\n\nRed, yellow, blue. 什么是三原色？红、黄、蓝。\nUser: What? AI: 42 degrees.\n\n### Response:\n assistant user system tool\n"

func tokenizer(t testing.TB) *bpe.Tokenizer {
	t.Helper()
	tok, err := bpe.Train(slices.Values([]string{sample, sample, sample}), bpe.TrainOptions{Vocab: 400})
	if err != nil {
		t.Fatal(err)
	}
	return tok
}

func template(t testing.TB, name string) *Template {
	t.Helper()
	made, err := New(name, tokenizer(t))
	if err != nil {
		t.Fatal(err)
	}
	return made
}

// wire is a conversation as transformers reads it.
type wire struct {
	Messages []struct {
		Role, Content string
		Calls         []struct{ Function Call } `json:"tool_calls"`
	}
	Tools []json.RawMessage
}

func conversations(t testing.TB) (out []*Conversation) {
	t.Helper()
	b, err := os.ReadFile("testdata/conversations.json")
	if err != nil {
		t.Fatal(err)
	}
	var all []wire
	if err := json.Unmarshal(b, &all); err != nil {
		t.Fatal(err)
	}
	for _, w := range all {
		c := &Conversation{Tools: w.Tools}
		for _, m := range w.Messages {
			one := Message{Role: m.Role, Content: m.Content}
			for _, call := range m.Calls {
				one.Calls = append(one.Calls, call.Function)
			}
			c.Messages = append(c.Messages, one)
		}
		out = append(out, c)
	}
	return out
}

// TestTransformers: the text of every conversation is that of apply_chat_template. Tokens are too, except where a content begins with
// white space, which transformers joins with the markup before it.
func TestTransformers(t *testing.T) {
	all := conversations(t)
	if *writeTo != "" {
		dir := *writeTo
		os.MkdirAll(dir, 0o777)
		var b strings.Builder
		tokenizer(t).WriteJSON(&b)
		os.WriteFile(filepath.Join(dir, "tokenizer.json"), []byte(b.String()), 0o666)
		for _, name := range Names() {
			os.WriteFile(filepath.Join(dir, name+".jinja"), []byte(template(t, name).Jinja()), 0o666)
		}
		t.Fatalf("written to %s", dir)
	}
	b, err := os.ReadFile("testdata/templates.json")
	if err != nil {
		t.Fatal(err)
	}
	var want map[string][]struct {
		Text, Prompt string
		IDs          []int32
	}
	if err := json.Unmarshal(b, &want); err != nil {
		t.Fatal(err)
	}
	sameIDs := 0
	for _, name := range Names() {
		made := template(t, name)
		for i, c := range all {
			w := want[name][i]
			for _, one := range []struct {
				generate bool
				want     string
			}{{false, w.Text}, {true, w.Prompt}} {
				if got, err := made.Render(c, one.generate); err != nil || got != one.want {
					t.Errorf("%s %d:\n%q, not\n%q %v", name, i, got, one.want, err)
				}
			}
			p, err := made.PromptOf(c)
			if err != nil {
				t.Fatal(err)
			}
			if slices.Equal(p.IDs, w.IDs) {
				sameIDs++
			} else if i != 4 {
				t.Errorf("%s %d: ids\n%v, not\n%v", name, i, p.IDs, w.IDs)
			}
		}
	}
	if sameIDs < len(Names())*(len(all)-1) {
		t.Errorf("%d of %d prompts have the same tokens", sameIDs, len(Names())*len(all))
	}
}

// spelled writes tokens with what is learnt in brackets.
func spelled(tok *bpe.Tokenizer, s *Sequence) string {
	var b strings.Builder
	for i, id := range s.IDs {
		if s.Targets[i] && (i == 0 || !s.Targets[i-1]) {
			b.WriteByte('[')
		}
		if tok.IsSpecial(id) {
			b.WriteString(tok.Name(id))
		} else {
			b.Write(tok.Token(id))
		}
		if s.Targets[i] && (i+1 == len(s.IDs) || !s.Targets[i+1]) {
			b.WriteByte(']')
		}
	}
	return b.String()
}

func TestMask(t *testing.T) {
	c := &Conversation{Messages: []Message{{Role: System, Content: "S"}, {Role: User, Content: "Q1\nin", Input: "in"}, {Role: Assistant, Content: "A1"}, {Role: User, Content: "Q2"}, {Role: Assistant, Content: "A2", Ignored: true}, {Role: Tool, Content: "T"}, {Role: Assistant, Content: "A3"}}}
	for name, want := range map[string]string{
		"chatml":  "<|bos|><|im_start|>system\nS<|im_end|>\n<|im_start|>user\nQ1\nin<|im_end|>\n<|im_start|>assistant\n[A1<|im_end|>]\n<|im_start|>user\nQ2<|im_end|>\n<|im_start|>assistant\nA2<|im_end|>\n<|im_start|>tool\nT<|im_end|>\n<|im_start|>assistant\n[A3<|im_end|>]\n",
		"llama-3": "<|bos|><|spare_0|>system<|spare_1|>\n\nS<|spare_2|><|spare_0|>user<|spare_1|>\n\nQ1\nin<|spare_2|><|spare_0|>assistant<|spare_1|>\n\n[A1<|spare_2|>]<|spare_0|>user<|spare_1|>\n\nQ2<|spare_2|><|spare_0|>assistant<|spare_1|>\n\nA2<|spare_2|><|spare_0|>tool<|spare_1|>\n\nT<|spare_2|><|spare_0|>assistant<|spare_1|>\n\n[A3<|spare_2|>]",
		"alpaca":  "<|bos|>S\n\n### Instruction:\nQ1\n\n### Input:\nin\n\n### Response:\n[A1<|eos|>]\n\n### Instruction:\nQ2\n\n### Response:\nA2<|eos|>\n\n### Tool:\nT\n\n### Response:\n[A3<|eos|>]\n\n",
		"zephyr":  "<|bos|><|system|>\nS<|eos|>\n<|user|>\nQ1\nin<|eos|>\n<|assistant|>\n[A1<|eos|>]\n<|user|>\nQ2<|eos|>\n<|assistant|>\nA2<|eos|>\n<|tool|>\nT<|eos|>\n<|assistant|>\n[A3<|eos|>]\n",
		"plain":   "<|bos|>System: S<|eos|>\nUser: Q1\nin<|eos|>\nAI:[ A1<|eos|>]\nUser: Q2<|eos|>\nAI: A2<|eos|>\nTool: T<|eos|>\nAI:[ A3<|eos|>]\n",
	} {
		made := template(t, name)
		s, err := made.Encode(c)
		if err != nil {
			t.Fatal(err)
		}
		if got := spelled(made.tok, s); got != want {
			t.Errorf("%s:\n%q, not\n%q", name, got, want)
		}
	}
	plain := template(t, "alpaca")
	s, err := plain.Encode(&Conversation{Messages: []Message{{Role: User, Content: "Q\nin", Input: "in"}, {Role: Assistant, Content: "A"}}})
	if err != nil || spelled(plain.tok, s) != "<|bos|>"+alpacaInput+"\n\n### Instruction:\nQ\n\n### Input:\nin\n\n### Response:\n[A<|eos|>]\n\n" {
		t.Errorf("%q %v", spelled(plain.tok, s), err)
	}
}

// TestPromptIsPrefix: before each answer stand the tokens of its prompt; a form of which that is not so is refused.
func TestPromptIsPrefix(t *testing.T) {
	for _, name := range Names() {
		made := template(t, name)
		for _, c := range conversations(t) {
			s, err := made.Encode(c)
			if err != nil {
				continue // without an answer
			}
			answers := 0
			for i, m := range c.Messages {
				if m.Role != Assistant {
					continue
				}
				p, err := made.PromptOf(&Conversation{Messages: c.Messages[:i], Tools: c.Tools})
				if i == 0 {
					continue
				}
				if err != nil || len(p.IDs) >= len(s.IDs) || !slices.Equal(p.IDs, s.IDs[:len(p.IDs)]) || s.Targets[len(p.IDs)-1] || !s.Targets[len(p.IDs)] {
					t.Errorf("%s: message %d: %v", name, i, err)
				}
				answers++
			}
			if answers == 0 {
				t.Errorf("%s: no answer", name)
			}
		}
	}
	bad := forms()[3]
	bad.header = func(turns []turn) (string, int) { return strings.Repeat("x", len(turns)), 0 }
	made, err := bind(bad, tokenizer(t))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := made.Encode(conversations(t)[0]); err == nil || !strings.Contains(err.Error(), "prompt") {
		t.Errorf("a header that looks ahead: %v", err)
	}
}

// TestTypedMarkup: what is typed never becomes a special token, whichever token it names.
func TestTypedMarkup(t *testing.T) {
	tok := tokenizer(t)
	var typed strings.Builder
	for _, a := range tok.Added() {
		typed.WriteString(a.Content + "\nUser: x\nAI: y\n")
	}
	for _, name := range Names() {
		made := template(t, name)
		count := func(content string) (n int) {
			s, err := made.Encode(&Conversation{Messages: []Message{{Role: System, Content: content}, {Role: User, Content: content}, {Role: Assistant, Content: content}}})
			if err != nil {
				t.Fatal(err)
			}
			for _, id := range s.IDs {
				if tok.IsSpecial(id) {
					n++
				}
			}
			return n
		}
		if got, want := count(typed.String()), count("x"); got != want {
			t.Errorf("%s: %d special tokens, not %d", name, got, want)
		}
		p, err := made.Prompt(tok, []Message{{Role: User, Content: typed.String()}})
		if err != nil || len(p.Stop) > 0 || !slices.Equal(p.StopIDs, []int32{made.End()}) || !tok.IsSpecial(made.End()) {
			t.Errorf("%s: ends by %v %v %v", name, p.Stop, p.StopIDs, err)
		}
	}
}

// TestStored: the template goes with the model through a folder and a GGUF file, and another one is refused.
func TestStored(t *testing.T) {
	tok := tokenizer(t)
	m, err := llm.New(llm.Config{Vocab: tok.Size(), Context: 32, Dim: 32, FFN: 32, Layers: 1, Heads: 2, KVHeads: 1, HeadDim: 16, NormEps: 1e-5, RopeTheta: 10000, Tied: true}, 1)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range Names() {
		made := template(t, name)
		info := &checkpoint.Info{Kind: checkpoint.KindBase}
		made.Stamp(info)
		dir := t.TempDir()
		if err := checkpoint.SaveModel(dir, m, tok, info); err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(dir, "m.gguf")
		if err := checkpoint.WriteGGUF(file, m, tok, info, "f16"); err != nil {
			t.Fatal(err)
		}
		for _, path := range []string{dir, file} {
			_, tok2, info2, err := checkpoint.LoadModel(path)
			if err != nil {
				t.Fatal(err)
			}
			back, err := Choose(info2, tok2, "")
			if err != nil || back.Name() != name || back.Hash() != made.Hash() {
				t.Errorf("%s: %s: %v", name, path, err)
			}
			for _, other := range Names() {
				if _, err := Choose(info2, tok2, other); (err == nil) != (other == name) {
					t.Errorf("%s of a model of %s: %v", other, name, err)
				}
			}
			info2.Template.Hash = "0"
			if _, err := Of(info2, tok2); err == nil {
				t.Errorf("%s: another hash was taken", name)
			}
			info2.Template = nil // as others read and write it
			if got, err := Of(info2, tok2); err != nil || got.Name() != name {
				t.Errorf("%s: its Jinja alone: %v", name, err)
			}
		}
		var config struct {
			Template string `json:"chat_template"`
		}
		var generation struct {
			EOS any `json:"eos_token_id"`
		}
		for file, into := range map[string]any{"tokenizer_config.json": &config, "generation_config.json": &generation} {
			b, err := os.ReadFile(filepath.Join(dir, file))
			if err != nil || json.Unmarshal(b, into) != nil {
				t.Fatal(file, err)
			}
		}
		ends, isList := generation.EOS.([]any)
		if config.Template != made.Jinja() || isList != (made.End() != tok.EOS()) || isList && ends[1] != float64(made.End()) {
			t.Errorf("%s: %v", name, generation.EOS)
		}
	}
	if got, err := Choose(&checkpoint.Info{}, tok, ""); got != nil || err != nil {
		t.Errorf("a base model: %v %v", got, err)
	}
	if _, err := Of(&checkpoint.Info{ChatTemplate: "{{ messages }}"}, tok); err == nil {
		t.Error("an unknown Jinja was taken")
	}
}

func TestNewFails(t *testing.T) {
	if _, err := New("letters", tokenizer(t)); err == nil {
		t.Error("an unknown name")
	}
	var text strings.Builder
	if err := tokenizer(t).WriteJSON(&text); err != nil {
		t.Fatal(err)
	}
	bare, err := bpe.ReadJSON(strings.NewReader(strings.NewReplacer("<|spare_", "<|other_", "<|im_end|>", "<|im_over|>").Replace(text.String())))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"chatml", "llama-3"} {
		if _, err := New(name, bare); err == nil || !strings.Contains(err.Error(), "special token") {
			t.Errorf("%s without its tokens: %v", name, err)
		}
	}
}

func TestFit(t *testing.T) {
	made := template(t, "chatml")
	c := &Conversation{Messages: []Message{{Role: User, Content: "Q1 is rather long"}, {Role: Assistant, Content: "A1 is an answer"}, {Role: User, Content: "Q2"}, {Role: Assistant, Content: "A2"}}}
	s, err := made.Encode(c)
	if err != nil {
		t.Fatal(err)
	}
	whole := len(s.IDs) - 1 // without the line break behind the last turn
	one := s.ends()[0]
	for _, cut := range []Cut{CutTurns, CutPrompt, CutAnswer} {
		for n := range whole + 3 {
			f, left := s.Fit(n, cut)
			if f == nil {
				if n >= one || cut == CutAnswer && n > one-8 {
					t.Errorf("%s %d: dropped", cut, n)
				}
				continue
			}
			if len(f.IDs) > n || len(f.IDs) != len(f.Targets) || f.IDs[len(f.IDs)-1] != made.End() || !f.Targets[len(f.IDs)-1] || left != whole-len(f.IDs) || f.Count() == 0 || f.IDs[0] != made.tok.BOS() {
				t.Errorf("%s %d: %d ids, %d left of %d: %q", cut, n, len(f.IDs), left, whole, spelled(made.tok, f))
			}
			if cut != CutAnswer && n < one && !strings.HasSuffix(spelled(made.tok, f), "[A1 is an answer<|im_end|>]") {
				t.Errorf("%s %d: %q", cut, n, spelled(made.tok, f))
			}
			if n >= whole && left != 0 {
				t.Errorf("%s: cut at %d of %d", cut, n, whole)
			}
		}
	}
	if f, _ := s.Fit(one-3, CutTurns); f != nil {
		t.Error("turns cut an answer")
	}
	if f, _ := s.Fit(one-3, CutPrompt); f == nil || !strings.Contains(spelled(made.tok, f), "<|im_start|>user\n") {
		t.Error("prompt cut markup")
	}
}

// FuzzTypedMarkup: contents of any bytes come back, and hold no special token.
func FuzzTypedMarkup(f *testing.F) {
	f.Add("<|im_end|>", "\n<|eos|>")
	f.Add("User:", "AI:\x00")
	tok := tokenizer(f)
	f.Fuzz(func(t *testing.T, question, answer string) {
		for _, name := range Names() {
			made, err := New(name, tok)
			if err != nil {
				t.Fatal(err)
			}
			s, err := made.Encode(&Conversation{Messages: []Message{{Role: User, Content: question}, {Role: Assistant, Content: answer}}})
			if err != nil {
				return // nothing to learn from
			}
			var learnt []int32
			for i, id := range s.IDs {
				if s.Targets[i] {
					learnt = append(learnt, id)
				}
			}
			n := len(learnt) - 1
			if learnt[n] != made.End() || slices.ContainsFunc(learnt[:n], tok.IsSpecial) || strings.TrimSpace(string(tok.Decode(learnt))) != strings.TrimSpace(answer) && !made.form.trim {
				t.Fatalf("%s: %q", name, spelled(tok, s))
			}
		}
	})
}
