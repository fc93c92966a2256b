// Package kenlm reads n-gram language models with backoff, as ARPA text or as KenLM's probing binary, and scores texts with
// them. The bytes of a model flow in, then sentences as words between white space; log10 probabilities and perplexities flow
// out, equal to KenLM's. KenLM's tries are not read: build_binary makes a probing binary of the same ARPA file.
package kenlm

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"math/bits"
	"os"
	"strings"
)

// Model is a language model. It is safe for concurrent use.
type Model struct {
	order    int
	vocab    table // word's hash -> id, in prob's bits
	unigrams []weights
	middle   []table // n-grams of 2 to order-1 words
	longest  table
	begin    uint32 // id of <s>, 0 where there is none
	end      uint32
	hash     string
}

// weights are log10 of the probability of an n-gram and of what backing off from it costs.
type weights struct{ prob, backoff float32 }

// table is a hash table by open addressing, at most two thirds full; its size is a power of 2. The key 0 marks a free slot.
type table struct {
	slots []slot
	n     int
}

type slot struct {
	key uint64
	weights
}

func newTable(n int) table { return table{slots: make([]slot, 1<<bits.Len(uint(n)*3/2+1))} }

// find gives the slot of a key, or the free one where it would be.
func (t *table) find(key uint64) *slot {
	mask := uint64(len(t.slots) - 1)
	for at := (key ^ key>>29) & mask; ; at = (at + 1) & mask {
		if s := &t.slots[at]; s.key == key || s.key == 0 {
			return s
		}
	}
}

// put adds a key, or replaces what it says; it fails where the table is fuller than was announced.
func (t *table) put(key uint64, w weights) error {
	s := t.find(key)
	if s.key == 0 {
		if t.n++; t.n >= len(t.slots) {
			return fmt.Errorf("more than %d n-grams where fewer were announced", t.n-1)
		}
	}
	*s = slot{key, w}
	return nil
}

// extend makes the key of an n-gram longer by the word before it. A single word's key is its id.
func extend(key uint64, word uint32) uint64 {
	return key*8978948897894561157 ^ uint64(1+word)*17894857484156487943
}

// wordHash is MurmurHash64A with seed 0, by which KenLM knows words.
func wordHash(word string) uint64 {
	const m = 0xc6a4a7935bd1e995
	h := uint64(len(word)) * m
	b := []byte(word)
	for ; len(b) >= 8; b = b[8:] {
		k := binary.LittleEndian.Uint64(b) * m
		k = (k ^ k>>47) * m
		h = (h ^ k) * m
	}
	if len(b) > 0 {
		var tail [8]byte
		copy(tail[:], b)
		h = (h ^ binary.LittleEndian.Uint64(tail[:])) * m
	}
	h = (h ^ h>>47) * m
	return h ^ h>>47
}

// id is the number of a word; 0 is <unk>.
func (m *Model) id(word string) uint32 {
	s := m.vocab.find(wordHash(word))
	if s.key == 0 {
		return 0
	}
	return math.Float32bits(s.prob)
}

// Order is the number of words of the longest n-gram.
func (m *Model) Order() int { return m.order }

// Hash identifies the model: the SHA-256 of its file, in hex.
func (m *Model) Hash() string { return m.hash }

// maxOrder bounds the length of n-grams, so that a state is small.
const maxOrder = 16

// State is what the next word's probability depends on: the words before it, the last one first, and what backing off from
// each of their n-grams costs.
type State struct {
	words   [maxOrder]uint32
	backoff [maxOrder]float32
	n       int
}

// Begin is the state at the start of a sentence.
func (m *Model) Begin() State {
	var s State
	if m.order > 1 {
		s.words[0], s.backoff[0], s.n = m.begin, m.unigrams[m.begin].backoff, 1
	}
	return s
}

// Next gives log10 of the probability of a word and how many words the longest n-gram that the model knows has, and goes on.
func (m *Model) Next(s *State, word string) (prob float32, length int) {
	return m.next(s, m.id(word))
}

func (m *Model) next(s *State, id uint32) (float32, int) {
	w := m.unigrams[id]
	prob, length, key := w.prob, 1, uint64(id)
	var backoff [maxOrder]float32
	backoff[0] = w.backoff
	for i := range s.n {
		key = extend(key, s.words[i])
		t := &m.longest
		if length+1 < m.order {
			t = &m.middle[length-1]
		}
		found := t.find(key)
		if found.key == 0 {
			break
		}
		prob, backoff[length] = found.prob, found.backoff
		length++
	}
	for i := length - 1; i < s.n; i++ {
		prob += s.backoff[i]
	}
	keep := min(length, m.order-1)
	copy(s.words[1:keep], s.words[:])
	if keep > 0 {
		s.words[0] = id
	}
	copy(s.backoff[:keep], backoff[:])
	s.n = keep
	return prob, length
}

// Score gives log10 of the probability of a sentence of words between white space, with its begin and end, and the number of
// tokens: the words and the end.
func (m *Model) Score(sentence string) (log10 float64, tokens int) {
	s := m.Begin()
	for word := range strings.FieldsSeq(sentence) {
		p, _ := m.Next(&s, word)
		log10 += float64(p)
		tokens++
	}
	p, _ := m.next(&s, m.end)
	return log10 + float64(p), tokens + 1
}

// Perplexity is that of a text's lines, each a sentence, per token, as CCNet counts. An empty text is one empty sentence.
func (m *Model) Perplexity(text string) float64 {
	log10, tokens := 0.0, 0
	for line := range strings.SplitSeq(text, "\n") {
		p, n := m.Score(line)
		log10 += p
		tokens += n
	}
	return math.Pow(10, -log10/float64(tokens))
}

// Open reads the model in a file, ARPA or binary by its first bytes.
func Open(path string) (*Model, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("kenlm: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("kenlm: %w", err)
	}
	m, err := Read(f, info.Size())
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return m, nil
}

// Read reads a model of size bytes, and never allocates much more than that.
func Read(r io.Reader, size int64) (*Model, error) {
	in := newInput(r, size)
	first, _ := in.r.(*bufio.Reader).Peek(len(magic))
	read := in.arpa
	if bytes.HasPrefix(first, []byte(magic)) {
		read = in.binary
	}
	m, err := read()
	if err != nil {
		return nil, fmt.Errorf("kenlm: %w", err)
	}
	m.begin, m.end = m.id("<s>"), m.id("</s>")
	m.hash, err = in.sum()
	return m, err
}
