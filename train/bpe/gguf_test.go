package bpe

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// data gives the path of a file of the data folder, and skips where there is none.
func data(t testing.TB, name string) string {
	t.Helper()
	dir := os.Getenv("WINNOW_DATA")
	if dir == "" {
		t.Skip("WINNOW_DATA is not set: real vocabularies are not compared")
	}
	path := filepath.Join(dir, name)
	if _, err := os.Stat(path); err != nil {
		t.Skipf("%s is not in the data folder", name)
	}
	return path
}

func read(t testing.TB, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// ggufParts reads the tokenizer arrays of a GGUF vocabulary file; the reader of the project is train/checkpoint's.
func ggufParts(t testing.TB, path string) Parts {
	t.Helper()
	b := bytes.NewBuffer(read(t, path))
	num := func(v any) {
		if err := binary.Read(b, binary.LittleEndian, v); err != nil {
			t.Fatal(err)
		}
	}
	str := func() string {
		var n uint64
		num(&n)
		return string(b.Next(int(n)))
	}
	sizes := map[uint32]int{0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}
	var value func(typ uint32) any
	value = func(typ uint32) any {
		switch typ {
		case 8:
			return str()
		case 9:
			var elem uint32
			var n uint64
			num(&elem)
			num(&n)
			out := make([]any, n)
			for i := range out {
				out[i] = value(elem)
			}
			return out
		}
		raw := make([]byte, 8)
		copy(raw, b.Next(sizes[typ]))
		return int64(binary.LittleEndian.Uint64(raw))
	}
	var head struct {
		Magic, Version uint32
		Tensors, Keys  uint64
	}
	num(&head)
	kv := map[string]any{}
	for range head.Keys {
		key := str()
		var typ uint32
		num(&typ)
		kv[key] = value(typ)
	}
	return partsOf(kv)
}

// partsOf takes the tokenizer's arrays out of a file's keys.
func partsOf(kv map[string]any) Parts {
	p := Parts{Splitter: kv["tokenizer.ggml.pre"].(string), BOS: -1, EOS: -1, PAD: -1}
	for _, v := range kv["tokenizer.ggml.tokens"].([]any) {
		p.Tokens = append(p.Tokens, v.(string))
	}
	for _, v := range kv["tokenizer.ggml.token_type"].([]any) {
		p.Types = append(p.Types, int32(v.(int64)))
	}
	for _, v := range kv["tokenizer.ggml.merges"].([]any) {
		x, y, _ := strings.Cut(v.(string), " ")
		p.Merges = append(p.Merges, [2]string{x, y})
	}
	if v, ok := kv["tokenizer.ggml.bos_token_id"].(int64); ok {
		p.BOS = int32(v)
	}
	if v, ok := kv["tokenizer.ggml.eos_token_id"].(int64); ok {
		p.EOS = int32(v)
	}
	return p
}

// ggufCases gives the texts and ids that llama.cpp keeps beside its vocabularies.
func ggufCases(t testing.TB, name string) (texts []string, ids [][]int32) {
	t.Helper()
	in := string(read(t, data(t, "formats/gguf/ggml-vocab-"+name+".gguf.inp")))
	out := string(read(t, data(t, "formats/gguf/ggml-vocab-"+name+".gguf.out")))
	texts = strings.Split(in, "\n__ggml_vocab_test__\n")
	for line := range strings.Lines(out) {
		var row []int32
		for f := range strings.FieldsSeq(line) {
			n, err := strconv.Atoi(f)
			if err != nil {
				t.Fatal(err)
			}
			row = append(row, int32(n))
		}
		ids = append(ids, row)
	}
	return texts, ids
}

func sameIDs(t *testing.T, tok *Tokenizer, texts []string, want [][]int32) {
	t.Helper()
	if len(texts) < len(want) || len(want) < 40 {
		t.Fatalf("%d texts, %d rows of ids", len(texts), len(want))
	}
	for i, w := range want {
		if got := tok.Encode(nil, texts[i]); fmt.Sprint(got) != fmt.Sprint(w) {
			t.Errorf("text %d %q:\n got %v\nwant %v", i, texts[i], got, w)
		}
		if got := string(tok.Decode(want[i])); got != texts[i] {
			t.Errorf("text %d: decoded %q, want %q", i, got, texts[i])
		}
	}
}

// The ids that llama.cpp keeps for its vocabularies.
func TestGGUF(t *testing.T) {
	for _, name := range []string{"gpt-2", "deepseek-coder"} {
		t.Run(name, func(t *testing.T) {
			p := ggufParts(t, data(t, "formats/gguf/ggml-vocab-"+name+".gguf"))
			if p.Splitter != name {
				t.Fatalf("tokenizer.ggml.pre is %q", p.Splitter)
			}
			tok, err := FromParts(p)
			if err != nil {
				t.Fatal(err)
			}
			texts, want := ggufCases(t, name)
			sameIDs(t, tok, texts, want)

			var json bytes.Buffer
			if err := tok.WriteJSON(&json); err != nil {
				t.Fatal(err)
			}
			again, err := ReadJSON(&json)
			if err != nil {
				t.Fatal(err)
			}
			sameIDs(t, again, texts, want)
			third, err := FromParts(again.Parts())
			if err != nil {
				t.Fatal(err)
			}
			sameIDs(t, third, texts, want)
		})
	}
}
