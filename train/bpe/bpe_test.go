package bpe

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"
)

// small trains a vocabulary of 500 on testdata/train.txt.
func small(t testing.TB) *Tokenizer {
	t.Helper()
	tok, err := Train(slices.Values([]string{string(read(t, "testdata/train.txt"))}), TrainOptions{Vocab: 500, Splitter: "gpt-2"})
	if err != nil {
		t.Fatal(err)
	}
	return tok
}

func FuzzRoundTrip(f *testing.F) {
	for _, s := range []string{"", "a", "Hello, world", "汉字 and 漢字", "\xff\xfe\x80", "a\xe6\xb1", "\xed\xa0\x80", "<|bos|> <|eos|>", "M" + strings.Repeat("M", 300), "'s \r\n\t "} {
		f.Add(s)
	}
	text := string(read(f, "testdata/train.txt"))
	var toks []*Tokenizer
	for _, name := range Splitters() {
		tok, err := Train(slices.Values([]string{text}), TrainOptions{Vocab: 450, Splitter: name})
		if err != nil {
			f.Fatal(err)
		}
		toks = append(toks, tok)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, tok := range toks {
			ids := tok.Encode(nil, s)
			if got := string(tok.Decode(ids)); got != s {
				t.Fatalf("%s: %q came back as %q", tok.Splitter(), s, got)
			}
			stream := tok.NewStream()
			var out strings.Builder
			for _, id := range ids {
				if tok.IsSpecial(id) {
					t.Fatalf("%s: %q gave the special id %d", tok.Splitter(), s, id)
				}
				part := stream.Next(id)
				if !utf8.ValidString(part) {
					t.Fatalf("%s: %q: the stream gave %q", tok.Splitter(), s, part)
				}
				out.WriteString(part)
			}
			out.WriteString(stream.Flush())
			if utf8.ValidString(s) && out.String() != s {
				t.Fatalf("%s: %q streamed as %q", tok.Splitter(), s, out.String())
			}
			if slow := tok.naive(s); !slices.Equal(slow, ids) {
				t.Fatalf("%s: %q: %v, merged naively %v", tok.Splitter(), s, ids, slow)
			}
		}
	})
}

// naive merges by the definition: the lowest rank first, of equal ones the leftmost.
func (t *Tokenizer) naive(s string) []int32 {
	ranks := map[[2]int32]int{}
	for r, m := range t.merges {
		if _, ok := ranks[[2]int32{m.a, m.b}]; !ok {
			ranks[[2]int32{m.a, m.b}] = r
		}
	}
	var out []int32
	for i := 0; i < len(s); {
		end := t.splitter.next(t.splitter.classes, s, i)
		var ids []int32
		for ; i < end; i++ {
			ids = append(ids, t.byteID[s[i]])
		}
		for {
			at, low := -1, len(t.merges)
			for k := 0; k+1 < len(ids); k++ {
				if r, ok := ranks[[2]int32{ids[k], ids[k+1]}]; ok && r < low {
					at, low = k, r
				}
			}
			if at < 0 {
				break
			}
			ids = slices.Replace(ids, at, at+2, t.merges[low].to)
		}
		out = append(out, ids...)
	}
	return out
}

// The heap, the search and the definition agree on pre-tokens of any length.
func TestMergeLong(t *testing.T) {
	tok := small(t)
	r := random(5)
	merged := 0
	letters := []rune("etaoinsh" + "一丁七万丈三上下")
	for n := 2; n < 400; n += 1 + n/20 {
		var b strings.Builder
		for b.Len() < n {
			b.WriteRune(letters[r.below(len(letters))])
		}
		s := b.String()
		want := tok.naive(s)
		merged += len(s) - len(want)
		var l long
		if got := tok.mergeLong(&l, nil, s); !slices.Equal(got, want) {
			t.Fatalf("%q by heap: %v, want %v", s, got, want)
		}
		if len(s) <= maxShort {
			if got := tok.mergeShort(newEncoder(), nil, s); !slices.Equal(got, want) {
				t.Fatalf("%q by search: %v, want %v", s, got, want)
			}
		}
	}
	if merged < 300 {
		t.Errorf("only %d merges in all", merged)
	}
}

// A second Encode takes pre-tokens from the cache; each fills it anew after others took their places.
func TestCache(t *testing.T) {
	tok := small(t)
	r := random(9)
	text := string(read(t, "testdata/train.txt"))
	var odd strings.Builder
	for range 60_000 {
		fmt.Fprintf(&odd, " %x", r.below(1<<30))
	}
	want := tok.naive(text)
	for range 3 {
		if !slices.Equal(tok.Encode(nil, text), want) {
			t.Fatal("ids differ")
		}
		if got := string(tok.Decode(tok.Encode(nil, odd.String()))); got != odd.String() {
			t.Fatal("a text of distinct words did not come back")
		}
	}
	if a, b := tok.Encode(nil, "a\x00"), tok.Encode(nil, "a"); slices.Equal(a, b) {
		t.Error("a and a NUL have the same ids as a")
	}
}

func TestSpecials(t *testing.T) {
	tok := small(t)
	if tok.Size() != 500 {
		t.Errorf("size %d", tok.Size())
	}
	var all strings.Builder
	for i, name := range reserved() {
		id, ok := tok.Special(name)
		if !ok || int(id) != 500-5-Spare+i || !tok.IsSpecial(id) || tok.Token(id) != nil || tok.Name(id) != name {
			t.Errorf("%s: id %d, %v", name, id, ok)
		}
		all.WriteString(name)
		for _, got := range tok.Encode(nil, "x"+name+"y "+name) {
			if tok.IsSpecial(got) {
				t.Errorf("the text %s gave the special id %d", name, got)
			}
		}
	}
	if got := tok.EncodeMarked(nil, all.String()); len(got) != 5+Spare || got[0] != tok.BOS() || got[1] != tok.EOS() || got[2] != tok.PAD() {
		t.Errorf("marked: %v", got)
	}
	ids := append([]int32{tok.BOS()}, tok.Encode(nil, "a b")...)
	if got := string(tok.Decode(append(ids, tok.EOS(), -1, 9999))); got != "a b" {
		t.Errorf("decoded %q", got)
	}
	other, err := tok.WithRoles(IMStart, "", PAD)
	if err != nil {
		t.Fatal(err)
	}
	if im, _ := tok.Special(IMStart); other.BOS() != im || other.EOS() != -1 || other.PAD() != tok.PAD() {
		t.Errorf("roles: %d %d %d", other.BOS(), other.EOS(), other.PAD())
	}
	if _, err := tok.WithRoles("<s>", "", ""); err == nil {
		t.Error("a role for a token that is not there")
	}
}

func TestStream(t *testing.T) {
	tok := small(t)
	s := tok.NewStream()
	var got []string
	for _, b := range []byte("a\xe6\xb1\x89\xe6\xb1x\xff\xf0\x9f\x98\x81\xf0\x9f") {
		got = append(got, s.Next(tok.byteID[b]))
	}
	got = append(got, s.Next(tok.EOS()), s.Flush(), s.Flush())
	want := []string{"a", "", "", "汉", "", "", "\ufffd\ufffdx", "\ufffd", "", "", "", "😁", "", "", "", "\ufffd", ""}
	if !slices.Equal(got, want) {
		t.Errorf("stream gave %q", got)
	}
}

func TestTrainRefuses(t *testing.T) {
	none := slices.Values([]string{"a"})
	for _, o := range []TrainOptions{{Vocab: MinVocab - 1}, {Vocab: 1<<20 + 1}, {Vocab: 300, Splitter: "spaces"}, {Vocab: 300, Tie: "coin"}} {
		if _, err := Train(none, o); err == nil {
			t.Errorf("%+v was taken", o)
		}
	}
	tok, err := Train(slices.Values([]string{}), TrainOptions{Vocab: 1000})
	if err != nil || tok.Size() != MinVocab {
		t.Fatalf("no text: %v", err)
	}
	if got := string(tok.Decode(tok.Encode(nil, "any 文"))); got != "any 文" {
		t.Errorf("came back as %q", got)
	}
}

func TestAutoVocab(t *testing.T) {
	last := 0
	for _, c := range []struct {
		bytes int64
		want  int
	}{{0, 512}, {999_999, 512}, {2_000_000, 1024}, {9_999_999, 2048}, {10_000_000, 4096}, {100_000_000, 8192}, {500_000_000, 16384}, {1 << 40, 32768}} {
		if got := AutoVocab(c.bytes); got != c.want || got < last {
			t.Errorf("%d bytes: %d, want %d", c.bytes, got, c.want)
		}
		last = c.want
	}
}

func TestRefusedFiles(t *testing.T) {
	var good bytes.Buffer
	if err := small(t).WriteJSON(&good); err != nil {
		t.Fatal(err)
	}
	byteLevel := `"pre_tokenizer":{"type":"ByteLevel","add_prefix_space":false,"trim_offsets":true,"use_regex":true}`
	for _, c := range []struct{ from, to, says string }{
		{`"type":"BPE"`, `"type":"WordPiece"`, "WordPiece"},
		{`"type":"BPE"`, `"type":"Unigram"`, "Unigram"},
		{`"type":"BPE"`, `"type":"WordLevel"`, "WordLevel"},
		{`"byte_fallback":false`, `"byte_fallback":true`, "byte_fallback"},
		{`"dropout":null`, `"dropout":0.1`, "dropout"},
		{`"end_of_word_suffix":null`, `"end_of_word_suffix":"</w>"`, "</w>"},
		{`"normalizer":null`, `"normalizer":{"type":"Lowercase"}`, "Lowercase"},
		{byteLevel, `"pre_tokenizer":{"type":"Metaspace"}`, "Metaspace"},
		{byteLevel, `"pre_tokenizer":{"type":"BertPreTokenizer"}`, "BertPreTokenizer"},
		{byteLevel, `"pre_tokenizer":null`, "pre_tokenizer"},
		{byteLevel, strings.Replace(byteLevel, "prefix_space\":false", "prefix_space\":true", 1), "add_prefix_space"},
		{byteLevel, `"pre_tokenizer":{"type":"Sequence","pretokenizers":[{"type":"Split","pattern":{"Regex":"x+"},"behavior":"Isolated"},{"type":"ByteLevel","use_regex":false}]}`, "x+"},
		{`"decoder":{"type":"ByteLevel"`, `"decoder":{"type":"WordPiece"`, "WordPiece"},
		{"\"\u00f0\":172,\n", ``, "0xf0"},
	} {
		bad := strings.Replace(good.String(), c.from, c.to, 1)
		if bad == good.String() {
			t.Fatalf("%s is not in the file", c.from)
		}
		if _, err := ReadJSON(strings.NewReader(bad)); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: error %v", c.to, err)
		}
	}
	old := `{"model":{"unk_token":"[UNK]","continuing_subword_prefix":"##","max_input_chars_per_word":100,"vocab":{"[UNK]":0}}}`
	if _, err := ReadJSON(strings.NewReader(old)); err == nil || !strings.Contains(err.Error(), "WordPiece") {
		t.Errorf("WordPiece without its name: %v", err)
	}
	t.Run("bert-base-uncased", func(t *testing.T) {
		if _, err := ReadJSON(bytes.NewReader(read(t, data(t, "formats/hf/bert-base-uncased.json")))); err == nil || !strings.Contains(err.Error(), "WordPiece") {
			t.Errorf("error %v", err)
		}
	})
}

// FuzzReadJSON: what is read encodes text by ids that exist, never special ones, and is read again from what it writes. The parts
// of the file are any bytes around a vocabulary of all bytes, since few files would be read without one.
func FuzzReadJSON(f *testing.F) {
	var bytes256 strings.Builder
	for id, name := range small(f).Tokens()[:256] {
		fmt.Fprintf(&bytes256, "%q:%d,", name, id)
	}
	level := `{"type":"ByteLevel","add_prefix_space":false,"use_regex":true}`
	qwen, err := json.Marshal(splitters()[2].preTokenizer())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(`[]`, `null`, level, level, `"type":"BPE"`, `"ab":256`, `[["a","b"]]`)
	f.Add(`[{"id":257,"content":"<s>","special":true},{"id":258,"content":"  ","normalized":true,"lstrip":true}]`, `{"type":"NFC"}`, string(qwen), level, `"type":"BPE","ignore_merges":true`, `"ab":256`, `["a b"]`)
	f.Add(`null`, `{"type":"Sequence","normalizers":[]}`, `{"type":"Metaspace"}`, `null`, `"max_input_chars_per_word":100`, `"ab":300`, `[]`)
	f.Fuzz(func(t *testing.T, added, normalizer, pre, decoder, model, vocab, merges string) {
		file := `{"added_tokens":` + added + `,"normalizer":` + normalizer + `,"pre_tokenizer":` + pre + `,"decoder":` + decoder + `,"model":{` + model + `,"vocab":{` + bytes256.String() + vocab + `},"merges":` + merges + `}}`
		tok, err := ReadJSON(strings.NewReader(file))
		if err != nil {
			if vocab == `"ab":256` && strings.HasPrefix(t.Name(), "FuzzReadJSON/seed") {
				t.Fatal(err)
			}
			return
		}
		for _, id := range tok.Encode(nil, "ab <s>  汉\xff "+added) {
			if id < 0 || int(id) >= tok.Size() || tok.IsSpecial(id) {
				t.Fatalf("id %d of %d", id, tok.Size())
			}
		}
		var out bytes.Buffer
		if err := tok.WriteJSON(&out); err != nil {
			t.Fatal(err)
		}
		again, err := ReadJSON(&out)
		if err != nil || again.Hash() != tok.Hash() {
			t.Fatalf("what was written is not what was read: %v", err)
		}
	})
}

func FuzzReadTiktoken(f *testing.F) {
	f.Add([]byte("IQ== 0\nIg== 1\n"))
	var all bytes.Buffer // every byte, then two tokens
	for b := range 256 {
		fmt.Fprintf(&all, "%s %d\n", base64.StdEncoding.EncodeToString([]byte{byte(b)}), b)
	}
	f.Add(append(all.Bytes(), "YWI= 256\nYWJj 258\n"...))
	f.Fuzz(func(t *testing.T, b []byte) {
		tok, err := ReadTiktoken(bytes.NewReader(b), "gpt-2", nil)
		if err == nil {
			tok.Encode(nil, "a b 汉\xff")
		}
	})
}

// One megabyte without a place to cut, in less than a second each.
func TestUnbroken(t *testing.T) {
	tok := small(t)
	for _, s := range []string{strings.Repeat("M", 1<<20), unbrokenHan(1 << 20), strings.Repeat("s", 1<<20)} {
		begin := time.Now()
		ids := tok.Encode(nil, s)
		if d := time.Since(begin); d > 20*time.Second { // a second alone on the machine: BenchmarkEncodeUnbroken measures
			t.Errorf("%d bytes of %q: %v", len(s), s[:6], d)
		}
		if string(tok.Decode(ids)) != s {
			t.Errorf("%q did not come back", s[:6])
		}
	}
}

// One tokenizer serves many goroutines.
func TestConcurrent(t *testing.T) {
	tok := small(t)
	text := string(read(t, "testdata/train.txt"))
	want := tok.naive(text)
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			for range 5 {
				if !slices.Equal(tok.Encode(nil, text), want) || tok.Hash() == "" {
					t.Error("ids differ")
				}
			}
		})
	}
	wait.Wait()
}
