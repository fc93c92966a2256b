package bpe

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
)

// fixtures is what testdata/fixtures.py writes.
type fixtures struct {
	Atoms    []string
	Texts    []string
	Splits   map[string][]string
	GPT2     [][]int32 `json:"gpt2"`
	Neo      [][]int32 `json:"gpt-neo"`
	Neox     [][]int32
	Train    map[string]string
	Swift    map[string]string
	Greatest [][2]string
	Written  [][]int32
	BOS      []int32 `json:"written bos"`
	SHA256   string  `json:"written sha256"`
}

func loadFixtures(t testing.TB) *fixtures {
	t.Helper()
	var f fixtures
	if err := json.Unmarshal(read(t, "testdata/fixtures.json"), &f); err != nil {
		t.Fatal(err)
	}
	if len(f.Texts) < 50 || len(f.Splits) != len(splitters()) {
		t.Fatalf("fixtures.json: %d texts, %d splitters", len(f.Texts), len(f.Splits))
	}
	return &f
}

// random is the generator of fixtures.py.
type random uint64

func (r *random) below(n int) int {
	*r = *r*6364136223846793005 + 1442695040888963407
	return int(uint64(*r) >> 33 % uint64(n))
}

func (r *random) text(atoms []string) string {
	var b strings.Builder
	for range 1 + r.below(24) {
		b.WriteString(atoms[r.below(len(atoms))])
	}
	return b.String()
}

// Ten thousand random texts of nasty characters, cut by each splitter as tokenizers cuts them.
func TestSplittersAsTokenizers(t *testing.T) {
	f := loadFixtures(t)
	for name, want := range f.Splits {
		sp, err := splitterByName(name)
		if err != nil {
			t.Fatal(err)
		}
		for block, sum := range want {
			r := random(block)
			h := sha256.New()
			for range 500 {
				text := r.text(f.Atoms)
				for i := 0; i < len(text); {
					end := sp.next(sp.classes, text, i)
					if i > 0 {
						fmt.Fprint(h, " ")
					}
					fmt.Fprint(h, end-i)
					i = end
				}
				fmt.Fprintln(h)
			}
			if got := hex.EncodeToString(h.Sum(nil))[:16]; got != sum {
				t.Errorf("%s: block %d: pre-tokens differ", name, block)
			}
		}
	}
}

func sameAll(t *testing.T, name string, texts []string, want [][]int32, encode func([]int32, string) []int32) {
	t.Helper()
	if len(want) != len(texts) {
		t.Fatalf("%s: %d rows of ids, %d texts", name, len(want), len(texts))
	}
	for i, text := range texts {
		if got := encode(nil, text); !slices.Equal(got, want[i]) {
			t.Errorf("%s: %q:\n got %v\nwant %v", name, text, got, want[i])
		}
	}
}

// gpt2 reads encoder.json and vocab.bpe, the first form that GPT-2 was published in.
func gpt2(t testing.TB) *Tokenizer {
	t.Helper()
	ids := map[string]int{}
	if err := json.Unmarshal(read(t, data(t, "formats/gpt2/encoder.json")), &ids); err != nil {
		t.Fatal(err)
	}
	p := Parts{Tokens: make([]string, len(ids)), Types: make([]int32, len(ids)), Splitter: "gpt-2", BOS: 50256, EOS: 50256, PAD: -1}
	for name, id := range ids {
		p.Tokens[id], p.Types[id] = name, TypeNormal
	}
	p.Types[50256] = TypeControl
	for line := range strings.Lines(string(read(t, data(t, "formats/gpt2/vocab.bpe")))) {
		if a, b, ok := strings.Cut(strings.TrimSuffix(line, "\n"), " "); ok && !strings.HasPrefix(line, "#version") {
			p.Merges = append(p.Merges, [2]string{a, b})
		}
	}
	tok, err := FromParts(p)
	if err != nil {
		t.Fatal(err)
	}
	return tok
}

// GPT-2's own files give the ids that tokenizers and tiktoken give, also by way of tiktoken's ranks and back.
func TestGPT2(t *testing.T) {
	f := loadFixtures(t)
	tok := gpt2(t)
	sameAll(t, "gpt2", f.Texts, f.GPT2, tok.Encode)
	var ranks bytes.Buffer
	if err := tok.WriteTiktoken(&ranks); err != nil {
		t.Fatal(err)
	}
	again, err := ReadTiktoken(&ranks, "gpt-2", map[string]int32{"<|endoftext|>": 50256})
	if err != nil {
		t.Fatal(err)
	}
	sameAll(t, "gpt2 by ranks", f.Texts, f.GPT2, again.Encode)
	if !slices.Equal(tok.Merges(), again.Merges()) {
		t.Error("merges found from ranks differ from vocab.bpe")
	}
}

// A file with added tokens, special and not, with NFC and merges as strings.
func TestGPTNeo(t *testing.T) {
	f := loadFixtures(t)
	file := read(t, data(t, "formats/hf/gpt-neo-test-tokenizer.json"))
	tok, err := ReadJSON(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	sameAll(t, "gpt-neo", f.Texts, f.Neo, tok.EncodeMarked)
	var out bytes.Buffer
	if err := tok.WriteJSON(&out); err != nil {
		t.Fatal(err)
	}
	again, err := ReadJSON(&out)
	if err != nil {
		t.Fatal(err)
	}
	sameAll(t, "gpt-neo, written and read", f.Texts, f.Neo, again.EncodeMarked)
	if tok.Hash() != again.Hash() || len(tok.Hash()) != 64 {
		t.Errorf("hash %s, after writing and reading %s", tok.Hash(), again.Hash())
	}
	if n := len(tok.Added()); n != 28 {
		t.Errorf("%d added tokens", n)
	}
}

// tiktoken's ranks of GPT-NeoX: some tokens no merge makes; they are found as whole pre-tokens.
func TestTiktokenNeoX(t *testing.T) {
	f := loadFixtures(t)
	tok, err := ReadTiktoken(bytes.NewReader(read(t, data(t, "formats/tiktoken/gpt-neox-20b.tiktoken"))), "gpt-2", nil)
	if err != nil {
		t.Fatal(err)
	}
	sameAll(t, "neox", f.Texts, f.Neox, tok.Encode)
}

// The ids that llama.cpp keeps for Qwen2, by the part of its ranks that those texts can use.
func TestQwen2(t *testing.T) {
	tok, err := ReadTiktoken(bytes.NewReader(read(t, "testdata/qwen2.tiktoken")), "qwen2", nil)
	if err != nil {
		t.Fatal(err)
	}
	texts, want := ggufCases(t, "qwen2")
	sameIDs(t, tok, texts, want)
}

// The ids that llama.cpp keeps for Llama 3. Its licence keeps the vocabulary out of here: WINNOW_LLAMA3 names it
// (tokenizer.model out of llama-models of PyPI).
func TestLlama3(t *testing.T) {
	path := os.Getenv("WINNOW_LLAMA3")
	if path == "" {
		t.Skip("WINNOW_LLAMA3 is not set: Llama 3's ids are not compared")
	}
	tok, err := ReadTiktoken(bytes.NewReader(read(t, path)), "llama-bpe", nil)
	if err != nil {
		t.Fatal(err)
	}
	texts, want := ggufCases(t, "llama-bpe")
	sameIDs(t, tok, texts, want)
}

func mergesHash(tok *Tokenizer) string {
	h := sha256.New()
	for _, m := range tok.Merges() {
		fmt.Fprintf(h, "%s %s\n", m[0], m[1])
	}
	return hex.EncodeToString(h.Sum(nil))
}

// Training gives the merges that tokenizers gives, in order, for each splitter and any number of threads.
func TestTrainAsTokenizers(t *testing.T) {
	f := loadFixtures(t)
	text := string(read(t, "testdata/train.txt"))
	for name, want := range f.Train {
		for threads := 1; threads <= 3; threads++ {
			tok, err := Train(slices.Values([]string{text}), TrainOptions{Vocab: 600 - 256 + MinVocab, Splitter: name, Threads: threads})
			if err != nil {
				t.Fatal(err)
			}
			if got := mergesHash(tok); got != want {
				t.Errorf("%s, %d threads: %d merges, %v ...: they differ", name, threads, len(tok.Merges()), tok.Merges()[:5])
			}
		}
	}
}

func TestTrainOnArticle(t *testing.T) {
	f := loadFixtures(t)
	text := string(read(t, data(t, "formats/minbpe_taylorswift.txt")))
	for name, want := range f.Swift {
		tok, err := Train(slices.Values([]string{text}), TrainOptions{Vocab: 1500 - 256 + MinVocab, Splitter: name})
		if err != nil {
			t.Fatal(err)
		}
		if mergesHash(tok) != want {
			t.Errorf("%s: merges differ", name)
		}
	}
}

// The rule greatest-bytes, against a trainer that counts everything anew for each merge.
func TestTrainGreatestBytes(t *testing.T) {
	f := loadFixtures(t)
	text := string(read(t, "testdata/train.txt"))
	tok, err := Train(slices.Values([]string{text}), TrainOptions{Vocab: len(f.Greatest) + MinVocab, Splitter: "gpt-2", Tie: GreatestBytes})
	if err != nil {
		t.Fatal(err)
	}
	if len(tok.merges) != len(f.Greatest) || len(tok.merges) < 200 {
		t.Fatalf("%d merges, want %d", len(tok.merges), len(f.Greatest))
	}
	for i, m := range tok.merges {
		if got := [2]string{hex.EncodeToString([]byte(tok.tokens[m.a])), hex.EncodeToString([]byte(tok.tokens[m.b]))}; got != f.Greatest[i] {
			t.Fatalf("merge %d: %v, want %v", i, got, f.Greatest[i])
		}
	}
	other, err := Train(slices.Values([]string{text}), TrainOptions{Vocab: len(f.Greatest) + MinVocab, Splitter: "gpt-2"})
	if err != nil {
		t.Fatal(err)
	}
	if slices.Equal(tok.Merges(), other.Merges()) {
		t.Error("the two tie rules give the same merges: the text has no ties")
	}
}

// The tokenizer.json that is written is the one that tokenizers read (testdata/written.json), and gives the same ids there.
func TestWrittenAsTokenizers(t *testing.T) {
	f := loadFixtures(t)
	tok := small(t)
	var out bytes.Buffer
	if err := tok.WriteJSON(&out); err != nil {
		t.Fatal(err)
	}
	steps := map[string]any{} // the pre_tokenizer of each splitter, which fixtures.py tries too
	for _, s := range splitters() {
		steps[s.name] = s.preTokenizer()
	}
	pre, err := json.MarshalIndent(steps, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	if os.Getenv("WINNOW_UPDATE") != "" {
		if err := errors.Join(os.WriteFile("testdata/written.json", out.Bytes(), 0o644), os.WriteFile("testdata/pre.json", pre, 0o644)); err != nil {
			t.Fatal(err)
		}
		t.Skip("written.json and pre.json are new: run testdata/fixtures.py")
	}
	if string(pre) != string(read(t, "testdata/pre.json")) {
		t.Error("pre-tokenizers are not those that tokenizers read; run with WINNOW_UPDATE=1, then testdata/fixtures.py")
	}
	if tok.Hash() != f.SHA256 {
		t.Fatalf("hash %s, the file that tokenizers read had %s; run with WINNOW_UPDATE=1, then testdata/fixtures.py", tok.Hash(), f.SHA256)
	}
	sameAll(t, "written", f.Texts, f.Written, tok.EncodeMarked)
	if want := append([]int32{tok.BOS()}, tok.Encode(nil, "hello")...); !slices.Equal(f.BOS, want) {
		t.Errorf("with special tokens tokenizers gives %v, want %v", f.BOS, want)
	}
	again, err := ReadJSON(bytes.NewReader(out.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	if again.Hash() != tok.Hash() || again.Tie() != SmallestID || again.BOS() != tok.BOS() || again.EOS() != tok.EOS() || again.PAD() != tok.PAD() {
		t.Error("what was read is not what was written")
	}
}
