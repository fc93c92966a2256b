package rows

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// byteTokenizer gives each byte its own id; 256 to 258 are bos, eos and pad.
type byteTokenizer struct{ size int }

func (t byteTokenizer) Encode(dst []int32, text string) []int32 {
	for i := range len(text) {
		dst = append(dst, int32(text[i]))
	}
	return dst
}
func (t byteTokenizer) Size() int    { return t.size }
func (t byteTokenizer) Hash() string { return fmt.Sprint("bytes ", t.size) }

const bos, eos, pad = 256, 257, 258

func options(length int) Options {
	return Options{Len: length, Seed: 7, BOS: bos, EOS: eos, PAD: pad}
}

func list(docs []Document) iter.Seq2[Document, error] {
	return func(yield func(Document, error) bool) {
		for _, d := range docs {
			if !yield(d, nil) {
				return
			}
		}
	}
}

// invent makes documents of random lengths, some empty, some far longer than a row.
func invent(n int, seed uint64) []Document {
	r := rand.New(rand.NewPCG(seed, 1))
	docs := make([]Document, n)
	for i := range docs {
		length := r.IntN(40)
		switch r.IntN(10) {
		case 0:
			length = 0
		case 1:
			length = r.IntN(400)
		}
		text := make([]byte, length)
		for j := range text {
			text[j] = byte(r.IntN(256))
		}
		docs[i] = Document{ID: fmt.Sprint("d", i), Language: []string{"en", "zh"}[r.IntN(2)], Text: string(text)}
		if r.IntN(3) == 0 {
			docs[i].Cluster = fmt.Sprint("c", r.IntN(n/4+1))
		}
	}
	return docs
}

func tokenize(t testing.TB, docs []Document) *Tokens {
	t.Helper()
	tokens, err := Tokenize(context.Background(), t.TempDir(), "test", byteTokenizer{259}, list(docs), TokenizeOptions{Threads: 3})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { tokens.Close() })
	return tokens
}

func TestTokenize(t *testing.T) {
	for _, size := range []int{259, 70000} {
		docs := invent(500, 1)
		dir := t.TempDir()
		var first []byte
		for threads := 1; threads < 5; threads++ {
			tokens, err := Tokenize(context.Background(), dir, "run", byteTokenizer{size}, list(docs), TokenizeOptions{Threads: threads})
			if err != nil {
				t.Fatal(err)
			}
			b, err := os.ReadFile(tokens.Path())
			if err != nil {
				t.Fatal(err)
			}
			if first == nil {
				first = b
			}
			if !bytes.Equal(first, b) {
				t.Fatalf("%d threads: another file", threads)
			}
			same(t, tokens, docs)
			tokens.Close()
			os.Remove(tokens.Path())
		}
	}
}

func same(t *testing.T, tokens *Tokens, docs []Document) {
	t.Helper()
	if tokens.Len() != len(docs) {
		t.Fatalf("%d documents of %d", tokens.Len(), len(docs))
	}
	for i, d := range docs {
		ids, err := tokens.Doc([]int32{-5}, i)
		if err != nil {
			t.Fatal(err)
		}
		if want := (byteTokenizer{}).Encode([]int32{-5}, d.Text); !slices.Equal(ids, want) {
			t.Fatalf("document %d: %v, not %v", i, ids, want)
		}
		if tokens.ID(i) != d.ID || tokens.Cluster(i) != d.Cluster || tokens.Language(i) != d.Language || tokens.Bytes(i) != int64(len(d.Text)) {
			t.Fatalf("document %d: other facts", i)
		}
	}
}

// TestCache: what is whole is opened without reading a document, what is damaged or another's is made anew.
func TestCache(t *testing.T) {
	docs := invent(50, 2)
	dir := t.TempDir()
	read := 0
	counted := func(yield func(Document, error) bool) {
		for _, d := range docs {
			read++
			if !yield(d, nil) {
				return
			}
		}
	}
	open := func(key string, size int) string {
		tokens, err := Tokenize(context.Background(), dir, key, byteTokenizer{size}, counted, TokenizeOptions{})
		if err != nil {
			t.Fatal(err)
		}
		defer tokens.Close()
		same(t, tokens, docs)
		return tokens.Path()
	}
	path := open("run", 259)
	open("run", 259)
	if read != len(docs) {
		t.Fatalf("%d documents read, not %d", read, len(docs))
	}
	open("run", 300)
	open("other", 259)
	if read != 3*len(docs) {
		t.Fatalf("%d documents read: another key or tokenizer must not share a file", read)
	}
	whole, _ := os.ReadFile(path)
	for at := 0; at < len(whole); at += 97 {
		bad := slices.Clone(whole)
		bad[at] ^= 4
		if at%2 == 0 {
			bad = bad[:at]
		}
		os.WriteFile(path, bad, 0o666)
		before := read
		open("run", 259)
		if read == before {
			t.Fatalf("damage at %d of %d was not seen", at, len(whole))
		}
	}
	left, _ := filepath.Glob(filepath.Join(dir, "*.tmp"))
	if len(left) > 0 {
		t.Fatalf("left behind: %v", left)
	}
}

func TestTokenizeFails(t *testing.T) {
	broken := errors.New("broken disk")
	docs := invent(1000, 3)
	failing := func(yield func(Document, error) bool) {
		for _, d := range docs[:700] {
			if !yield(d, nil) {
				return
			}
		}
		yield(Document{}, broken)
	}
	dir := t.TempDir()
	if _, err := Tokenize(context.Background(), dir, "run", byteTokenizer{259}, failing, TokenizeOptions{}); !errors.Is(err, broken) {
		t.Fatalf("error %v, not that of the source", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Tokenize(ctx, dir, "run", byteTokenizer{259}, list(docs), TokenizeOptions{}); !errors.Is(err, context.Canceled) {
		t.Fatalf("error %v of a cancelled context", err)
	}
	if _, err := Tokenize(context.Background(), dir, "run", byteTokenizer{100}, list(docs), TokenizeOptions{}); err == nil {
		t.Fatal("ids beyond the vocabulary were taken")
	}
	if left, _ := os.ReadDir(dir); len(left) > 0 {
		t.Fatalf("left behind: %v", left)
	}
}

// FuzzIndex: an index of any bytes is read or refused.
func FuzzIndex(f *testing.F) {
	f.Add("\x03\x07\x02id\x00\x01c", uint8(1))
	f.Add("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", uint8(1))
	f.Fuzz(func(t *testing.T, index string, documents uint8) {
		r := reader{rest: index}
		var total int64
		for range documents {
			total += r.number()
			r.number()
			r.text()
			r.text()
			r.text()
		}
		tokens := Tokens{total: total}
		if err := tokens.readIndex(index, int64(documents)); (err == nil) != (!r.bad && r.rest == "" && int(documents) <= len(index)) {
			t.Fatalf("error %v", err)
		}
	})
}
